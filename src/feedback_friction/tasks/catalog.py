"""All tasks by name, and the problems that a command asks for.

A page is imported when it is asked for, so that ``friction --help`` stays quick.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from feedback_friction.errors import DataError, UsageError
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.settings import Selection
from feedback_friction.split import takes
from feedback_friction.tasks import fields
from feedback_friction.tasks.fields import optional_text, optional_texts
from feedback_friction.tasks.files import read_rows
from feedback_friction.tasks.page import Examples, Page, Row, RowError
from feedback_friction.tasks.selection import sample

FAMILIES = ("sum_chains", "linear_equations", "base_conversion", "letter_counts")  # ``exact``
_WHERE = {
    **{name: f"{name}:PAGE" for name in (
        "aime_2024", "math_500", "trivia_qa", "pop_qa", "gpqa", "mmlu", "mmlu_pro",
    )},
    "decimal_multiplication": "multiplication_pages:DECIMAL_PAGE",
    "hex_multiplication": "multiplication_pages:HEX_PAGE",
    **{name: f"{name}:PAGE" for name in (*FAMILIES, "primer", "custom")},
}  # fmt: skip


PAGES = tuple(_WHERE)  # the names of the tasks
GENERATED = "gym:"  # before the name of a generator of reasoning-gym
OWN: dict[str, Page] = {}  # of a user's own, by name; see ``tasks.own_page``


def get_page(name: str) -> Page:
    """The page of a task; raises ``UsageError`` where there is none."""
    if name in OWN:
        return OWN[name]
    if name.startswith(GENERATED):
        from feedback_friction.tasks import gym

        return gym.page(name)
    if name not in PAGES:
        allowed = ", ".join([*PAGES, *OWN, f"{GENERATED}NAME"])
        raise UsageError(f"unknown task '{name}'; allowed: {allowed}")
    page: Page = pkgutil.resolve_name(f"feedback_friction.tasks.{_WHERE[name]}")
    return page


def load_problems(page: Page, selection: Selection) -> list[Problem]:
    """The problems that a selection asks for, in the order of their rows.

    Which they are is decided by ``selection``, by a hash of the seed and each problem's id.

    Raises:
        UsageError: the selection is wrong, or leaves no problem.
        DataError: a row does not follow the task's schema, or two different problems share an id.
    """
    source, rows = numbered(page, selection, selection.data)
    columns = parse_columns(selection.columns)
    every = list(_distinct(problems_of(page, rows, source, columns, selection.grader), source))
    problems = sample(every, selection)
    if not problems:
        raise UsageError(
            f"no problems left of task '{page.name}': {source} has none"
            if not every
            else f"no problems left of task '{page.name}' at --fraction {selection.fraction:g}"
        )
    split, share = selection.split, selection.held_out
    kept = [each for each in problems if takes(split, page.name, each.id, share)]
    if not kept:
        raise UsageError(
            f"none of {len(problems)} problems of '{page.name}' is in --split {split} "
            f"with --held-out {share:g}"
        )
    return kept


def numbered(
    origin: Page | Examples, selection: Selection, file: Path | None
) -> tuple[str, Iterable[tuple[int, Row]]]:
    """What to call the rows, and the rows: of a file with the numbers of their lines."""
    if file is None:
        return origin.source, enumerate(origin.rows(selection), 1)
    return str(file), read_rows(file)


def problems_of(
    page: Page,
    rows: Iterable[tuple[int, Row]],
    source: str,
    columns: Mapping[str, str] | None = None,
    grader: str | None = None,
) -> Iterator[tuple[int, Problem]]:
    """Every row as a problem, with the number of its line (of its row, without a file).

    Args:
        source: what to call the rows in an error.
        columns: by field of the schema, the column that holds it.
        grader: of rows that name none.

    Raises:
        DataError: a row does not follow the task's schema.
    """
    for number, row in rows:
        try:
            row = renamed(row, columns or {})
            if grader is not None and row.get("grader") is None:
                row = {**row, "grader": grader}
            problem = page.to_problem(row)
            yield (
                number,
                replace(
                    problem,
                    hints=optional_texts(row, "hints") or problem.hints,
                    cluster=optional_text(row, "cluster") or problem.cluster,
                ),
            )
        except RowError as error:
            why = error.problem + _columns_there(row, error)
            raise DataError(source, why, line=number, field=error.field) from error


def _columns_there(row: Row, error: RowError) -> str:
    """The columns of a row that lacks one, and how to name it; nothing for any other error."""
    if error.problem != "is missing" or error.field in row or not row:
        return ""
    names = ", ".join(list(row)[:12]) + (", ..." if len(row) > 12 else "")
    return f"; there is {names} (--map {error.field}=COLUMN names another column)"


def _distinct(numbered: Iterable[tuple[int, Problem]], source: str) -> Iterator[Problem]:
    """The problems with ids that differ: a row that occurs again gets "#2", "#3", ...

    Rows that are equal may change places without changing anything, so this stays stable.
    """
    seen: dict[str, tuple[int, Problem]] = {}
    times: dict[str, int] = {}
    for number, problem in numbered:
        first, known = seen.setdefault(problem.id, (number, problem))
        if _asked(known) != _asked(problem):
            raise DataError(
                source, f"another problem than line {first} with id '{problem.id}'", line=number
            )
        times[problem.id] = times.get(problem.id, 0) + 1
        again = times[problem.id]
        yield problem if again == 1 else replace(problem, id=f"{problem.id}#{again}")


def _asked(problem: Problem) -> tuple[str, str, tuple[str, ...]]:
    return problem.question, problem.gold, problem.choices


# --- a file's own names for the fields of a schema: --map question=prompt,answer=target ----------


def parse_columns(words: Sequence[str]) -> dict[str, str]:
    """By field of the schema, the column that holds it.

    Raises:
        UsageError: a word is not ``FIELD=COLUMN``, or a field is given twice.
    """
    found: dict[str, str] = {}
    for word in ",".join(words).split(",") if words else ():
        name, equals, column = (part.strip() for part in word.partition("="))
        if not equals or not name or not column:
            raise UsageError(f"--map must be of the form FIELD=COLUMN, not '{word.strip()}'")
        if name in found:
            raise UsageError(f"--map names a column for '{name}' twice")
        found[name] = column
    return found


def renamed(row: Row, columns: Mapping[str, str]) -> Row:
    """A row with the schema's names in the place of its own; ``answer.value`` is within a column.

    Raises:
        RowError: it has no such column; names those that there are.
    """
    if not columns:
        return row
    taken = {column.partition(".")[0] for column in columns.values()}
    kept = {name: value for name, value in row.items() if name not in taken}
    return {**kept, **{name: _value(row, column) for name, column in columns.items()}}


def _value(row: Row, column: str) -> object:
    if column in row:
        return row[column]
    value: object = row
    for part in column.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise RowError(column, f"is no column of the data; it has {', '.join(map(str, row))}")
        value = value[part]
    return value


# --- rows that are in no data set's schema: logs from elsewhere ----------------------------------


def foreign_problem(page: Page, row: Row) -> Problem:
    """A problem of the page's task.

    Args:
        row: ``question`` and ``gold`` (a number is taken as its digits), and where the task has
            them ``choices``, ``aliases``, ``solution``. With choices, gold is the letter, or the
            text of exactly one of them.

    Raises:
        RowError: a field is missing or of the wrong kind.
    """
    question = fields.text(row, "question")
    operands = page.operands(question) if page.operands is not None else ()
    if operands is None:
        raise RowError("question", f"has no multiplication as {page.name} asks it")
    given = row.get("choices") not in (None, [])
    choices = fields.choices(row, "choices", len(LETTERS)) if given else ()
    if page.grader == "choice" and not choices:
        raise RowError("choices", f"is missing; {page.name} needs it")
    gold = fields.text(row, "gold")
    problem = Problem(
        id=str(row.get("id", question)),
        task=page.name,
        question=question,
        gold=_letter(gold, choices) if choices else gold,
        aliases=optional_texts(row, "aliases"),
        choices=choices,
        solution=optional_text(row, "solution"),
        operands=operands,
        grader=optional_text(row, "grader"),
    )
    try:
        page.check(problem)
    except RowError as error:  # which names the fields of the task's own rows
        raise RowError({"answer": "gold"}.get(error.field, error.field), error.problem) from error
    return _numeric(page, problem) if page.grader == "number" else problem


def _numeric(page: Page, problem: Problem) -> Problem:
    """The problem with its gold as the grader writes numbers, which is how its mask reads it."""
    try:
        read = page.task.grade(problem, rf"\boxed{{{problem.gold}}}").prediction
    except ValueError:
        read = None
    if read is None or not read.removeprefix("-").isalnum():  # all these answers are whole
        raise RowError("gold", f"is not a number as {page.name} has it: '{problem.gold[:40]}'")
    return replace(problem, gold=read)


def _letter(gold: str, choices: tuple[str, ...]) -> str:
    letters = LETTERS[: len(choices)]
    bare = gold.strip("()").upper()
    if len(bare) == 1 and bare in letters:
        return bare
    if choices.count(gold) == 1:
        return letters[choices.index(gold)]
    raise RowError("gold", f"must be a letter from A to {letters[-1]}, not '{gold}'")
