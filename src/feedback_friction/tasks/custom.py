"""Your own questions, from a file.

Source: ``--data FILE`` (JSONL, CSV or Parquet); there is no other.
Licence: yours.

A row needs a question and an answer; the rest is optional::

    {"question": "What is the capital of Iceland?", "answers": ["Reykjavik", "Reykjavík"],
     "subject": "geography", "id": "capitals/1", "level": "1", "grader": "text",
     "hints": ["It lies at the sea.", "Its name begins with R."]}
    {"question": "Which is a noble gas?", "choices": ["oxygen", "neon", "iron"], "answer": "B"}
    {"question": "What is 1/2 + 1/4?", "answer": "\\\\frac{3}{4}", "solution": "2/4 + 1/4 = 3/4"}

``answer`` is one answer (with choices: a letter, one option's text, the name that the data gives
it, or its number from 0), ``answers`` a list of which each is as good. ``options`` or columns
``A``, ``B``, ... will do for ``choices``, and of GSM8K's answers what follows ``####`` is taken.
``hints`` are what feedback mode ``hint`` gives, one after the other. ``cluster`` names what a
question shares with others (its passage, contest or document): intervals allow for it.
``grader`` says how replies are compared:

==========  ===============================================================================
choice      by letter; needs ``choices``
expression  by mathematical equivalence
integer     as expression, for whole numbers
number      exactly, as a number in base 10
text        by words: one of the answers, in a sentence too
==========  ===============================================================================

A grader of your own is ``regex:PATTERN``, ``python:FILE.py:NAME`` or ``rubric:TEXT``
(``tasks.graders``), in the row or for all rows with ``--grader``.

Without ``grader``, it is choice where there are choices, number for a whole or decimal number,
expression for LaTeX, arithmetic, percentages and numbers with a unit, else text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from feedback_friction.errors import UsageError
from feedback_friction.grading.number import canonical
from feedback_friction.grading.quantity import grade_quantity
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.quantities import mask_number
from feedback_friction.protocol.records import Masked
from feedback_friction.protocol.task import Task
from feedback_friction.reading.mathematics.units import unit_of
from feedback_friction.reading.numerals import LONGEST
from feedback_friction.settings import Selection
from feedback_friction.tasks import fields, primer
from feedback_friction.tasks.answers import CHOICE, MATHEMATICS, SHORT, with_options
from feedback_friction.tasks.graders import is_own, own_grader
from feedback_friction.tasks.page import Page, Row, RowError

NAME = "custom"

SYSTEM = (
    "You are given a question. Where it takes more than remembering, work it out step by step. "
    "End your reply in the way that the question asks for."
)
FORMATS = {
    "choice": 'End with the sentence "The answer is (X).", where X is the letter you choose.',
    "expression": "End with the final answer in \\boxed{}.",
    "integer": "End with the final answer, a whole number, in \\boxed{}.",
    "number": "End with the final answer, a number with all its digits, in \\boxed{}.",
    "text": 'End with the sentence "The answer is ...", naming one answer only.',
}
_GSM8K = re.compile(r"(?:^|\n)\s*####\s*(\S[^\n]*?)\s*$")
# Spreadsheets and older files write them with capitals: "Question", "Answer".
_FIELDS = frozenset(
    ("question", "choices", "options", "answer", "answers", "solution", "subject", "id")
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3}){1,20}|\d{1,200})(?:\.\d{1,200})?")
_QUANTITY = re.compile(r"-?\d[\d.,/]{0,40}\s?(?:\\?%|[A-Za-z]{1,12}(?:\^?[23])?)")
_FORMULA = re.compile(r"[\\^=]|\d\s?[+*/]\s?\(?\d|^-\s?[a-z\d(]|\d[a-z]\b|\bsqrt\b|\bpi\b")


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    row = _usual(row)
    question = fields.text(row, "question")
    choices = fields.choices(row, "choices", len(LETTERS)) if row.get("choices") else ()
    gold, *aliases = _answers(row)
    grader = fields.optional_text(row, "grader") or _default(gold, choices)
    if grader == "choice" and choices:
        if aliases:
            raise RowError("answers", "must be one where there are choices")
        gold = _letter(row, gold, choices)
    problem = Problem(
        id=fields.optional_text(row, "id") or fields.digest(question, gold, *choices),
        task=NAME,
        question=question,
        gold=gold,
        aliases=tuple(aliases),
        choices=choices,
        solution=fields.optional_text(row, "solution"),
        subject=fields.optional_text(row, "subject"),
        level=fields.optional_text(row, "level"),
        grader=grader,
    )
    check(problem)
    return problem


def _usual(row: Row) -> Row:
    """The row with the usual names of what it has under others: columns of well-known data sets."""
    small = {name.strip().lower(): value for name, value in row.items()}
    row = {name: value for name, value in small.items() if name in _FIELDS} | {**row}
    found = dict(row)
    asked = row.get("question")
    if isinstance(asked, Mapping) and "stem" in asked:  # ARC's and OpenBookQA's own files
        found |= {"question": asked["stem"], "choices": asked.get("choices")}
    for name, others in (("choices", ("options",)), ("answer", ("answerKey", "gold"))):
        other = next((each for each in others if row.get(each) is not None), None)
        if row.get(name) is None and row.get(f"{name}s") is None and other is not None:
            found[name] = row[other]
    columns = list(takewhile(lambda letter: row.get(letter) is not None, LETTERS))
    if not found.get("choices") and len(columns) >= 2:
        found["choices"] = [row[letter] for letter in columns]
    answer = found.get("answer")
    if isinstance(answer, str) and (ends := _GSM8K.search(answer)):
        found["answer"] = ends[1].replace(",", "")
        found["solution"] = found.get("solution") or answer[: ends.start()].strip() or None
    return found


def check(problem: Problem) -> None:
    """Whether the problem's grader can take its answers and choices; raises ``RowError``."""
    grader = problem.grader or _default(problem.gold, problem.choices)
    if is_own(grader):
        own_grader(grader)
        return
    if grader not in GRADERS:
        raise RowError("grader", f"must be one of {', '.join(ALLOWED)}, not '{grader}'")
    if (grader == "choice") != bool(problem.choices):
        missing = "is missing; grader choice needs it"
        raise RowError("choices", "go with grader choice alone" if problem.choices else missing)
    if grader in ("integer", "number"):
        for answer in (problem.gold, *problem.aliases):
            _check_number(grader, answer)


def _check_number(grader: str, answer: str) -> None:
    try:
        number = canonical(answer, 10)
    except ValueError as error:
        wanted = f"a number of at most {LONGEST - 1} digits for grader {grader}"
        raise RowError("answer", f"must be {wanted}") from error
    if grader == "integer" and not number.lstrip("-").isdecimal():
        raise RowError("answer", "must be a whole number for grader integer")


def _answers(row: Row) -> tuple[str, ...]:
    if row.get("answers") is not None:
        return tuple(dict.fromkeys(fields.texts(row, "answers", least=1)))
    value = row.get("answer")
    if isinstance(value, float) and not value.is_integer() and value == value:
        return (str(value),)
    return (fields.text(row, "answer"),)


def _default(gold: str, choices: tuple[str, ...]) -> str:
    if choices:
        return "choice"
    if _NUMBER.fullmatch(gold):
        return "number"
    if _QUANTITY.fullmatch(gold) and (gold[-1] == "%" or unit_of(gold)):
        return "expression"
    return "expression" if len(gold) <= 500 and _FORMULA.search(gold) else "text"


def _letter(row: Row, gold: str, choices: tuple[str, ...]) -> str:
    """The letter of the right option: by its text, its name in the data, its letter, its number."""
    letters = LETTERS[: len(choices)]
    bare = gold.strip("() .").upper()
    if choices.count(gold) == 1:
        return letters[choices.index(gold)]
    names = fields.labels(row, "choices")
    if len(names) == len(choices) and names.count(gold) == 1:
        return letters[names.index(gold)]
    if len(bare) == 1 and bare in letters:
        return bare
    number = row.get("answer")
    if (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and number in range(len(choices))
    ):  # as in MMLU: counted from 0
        return letters[int(number)]
    raise RowError("answer", f"must be a letter from A to {letters[-1]}, or one option's text")


def rows(selection: Selection) -> list[Row]:
    """There are none without a file."""
    raise UsageError("task 'custom' needs your questions: --data FILE")


def _grade_number(problem: Problem, response: str) -> Verdict:
    """The verdict by gold, or by an alias where the reply states that."""
    verdict = grade_quantity(problem, response)
    stated = (verdict.prediction == canonical(alias, 10) for alias in problem.aliases)
    right = verdict.is_correct or any(stated)
    return Verdict.of(True, canonical(problem.gold, 10), verdict.rule) if right else verdict


GRADERS = {
    "choice": CHOICE,
    "expression": MATHEMATICS,
    "integer": MATHEMATICS,
    "number": replace(MATHEMATICS, grade=_grade_number, mask=mask_number),
    "text": replace(SHORT, state_answer=primer.state_answer),
}
ALLOWED = (*GRADERS, "regex:PATTERN", "python:FILE.py:NAME", "rubric:TEXT")


def _named(problem: Problem) -> str:
    """The grader's name; a problem from elsewhere (``friction grade``) may name none."""
    name = problem.grader or _default(problem.gold, problem.choices)
    if name not in GRADERS and not is_own(name):
        raise UsageError(f"grader '{name}' is not one of {', '.join(ALLOWED)}")
    return name


def _way(problem: Problem) -> Task:
    """How a problem is graded and masked; with a grader of one's own, the gate suits the answer."""
    name = _named(problem)
    if not is_own(name):
        return GRADERS[name]
    way = GRADERS[_default(problem.gold, problem.choices)]
    return replace(way, grade=own_grader(name), state_answer=bare_answer)


def bare(problem: Problem) -> str:
    """The question and its options: a grader of one's own knows how a reply ends."""
    return with_options(problem) if problem.choices else problem.question


def bare_answer(problem: Problem, answer: str) -> str:
    """An answer stated where the question does not say how."""
    return (CHOICE if problem.choices else primer).state_answer(problem, answer)


def ask(problem: Problem) -> str:
    """The question, its options if it has any, and how the reply is to end."""
    name = _named(problem)
    return bare(problem) if is_own(name) else f"{bare(problem)}\n\n{FORMATS[name]}"


def grade(problem: Problem, response: str) -> Verdict:
    """The verdict of the problem's own grader."""
    return _way(problem).grade(problem, response)


def mask(problem: Problem, text: str) -> Masked:
    """The gate that goes with the problem's own grader."""
    return _way(problem).mask(problem, text)


def state_answer(problem: Problem, answer: str) -> str:
    """An answer stated as the question asks for it."""
    return _way(problem).state_answer(problem, answer)


PAGE = Page(
    task=Task(
        name=NAME,
        system=SYSTEM,
        ask=ask,
        grade=grade,
        mask=mask,
        state_answer=state_answer,
        slow=True,
    ),
    title="Custom",
    source="--data FILE",
    licence="your own",
    size=0,
    grader="by row",
    to_problem=to_problem,
    check=check,
    rows=rows,
    hints=True,
)
