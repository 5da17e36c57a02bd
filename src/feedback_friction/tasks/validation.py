"""Is a data set fit to be run? Checked row by row, without a model.

- ``gold``: the gold answer and every alias, stated as the task's prompt asks for it, is graded
  correct;
- ``mask``: in feedback that blurts it out, each of these is masked, and no leak is left;
- ``solution``: the worked solution, masked, leaks nothing by the audit; where the rows are of our
  own writing, the mask finds the answer in it;
- ``hints``: each hint passes the mask as it is, leaks nothing by the audit, is not graded correct
  as a reply, and does not spell the answer in pieces;
- ``question``: in tasks whose page says so, no other row asks the same question;
- ``prompt``: system prompt and question keep within ``LONGEST_PROMPT``.

What is no failure and yet makes verdicts doubtful is a warning: options that are equal, a gold
letter that is also an option's text, options that stand in a question without ``choices``, a gold
answer that is a letter without any, and one that holds a whole solution.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from feedback_friction.grading.cut import graded
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.records import Reply
from feedback_friction.protocol.task import Task
from feedback_friction.tasks.page import Page

LONGEST_PROMPT = 24_000  # characters, about 6,000 tokens: room for ten attempts in 128,000
_BLURTED = "Look again. The answer is {}. Check each step."
_LISTED = re.compile(r"(?m)^\s*\(?[A-Z][).:]\s+\S")
_LONG_GOLD = 200  # characters
_QUOTED = 80  # characters of a row that a failure quotes
_PIECE = re.compile(r"(?:\"|(?<![^\W_])')([^\W\d_]{1,20})['\"]|(?<![\w'])([^\W\d_])(?![\w'])")
_SHORTEST_SPELLED = 3  # letters of an answer that can be spelled in pieces


@dataclass(frozen=True, slots=True)
class Failure:
    """One check that one problem fails."""

    problem_id: str
    check: str  # "gold", "mask", "solution", "hints", "question" or "prompt"
    detail: str  # what was found; quotes nothing of confidential data


@dataclass(frozen=True, slots=True)
class Report:
    """How many problems were checked, what failed, and what is doubtful."""

    checked: int
    failures: tuple[Failure, ...]
    warnings: tuple[Failure, ...] = ()


def validate(page: Page, problems: Sequence[Problem]) -> Report:
    """Check problems of a page's task."""
    failures = [
        Failure(problem.id, check, detail)
        for problem in problems
        for check, detail in _failed(page, problem)
    ]
    if page.own:
        failures += _repeated(problems)
    doubts = [Failure(each.id, check, said) for each in problems for check, said in _doubtful(each)]
    return Report(len(problems), tuple(failures), tuple(doubts))


def _doubtful(problem: Problem) -> Iterator[tuple[str, str]]:
    """What makes the verdicts on a problem doubtful; quotes nothing of it."""
    texts = [" ".join(choice.casefold().split()) for choice in problem.choices]
    for letter, text in zip(LETTERS, texts, strict=False):
        if texts.count(text) > 1 and texts.index(text) != LETTERS.index(letter):
            first = LETTERS[texts.index(text)]
            yield "choices", f"options {first} and {letter} are the same text"
    others = [text for text in texts if len(text) == 1 and text.upper() in problem.letters]
    if others and texts != [letter.casefold() for letter in problem.letters]:
        yield "choices", "an option's text is a letter of another: an answer may mean either"
    if problem.choices:
        return
    if problem.gold in LETTERS and problem.operands == ():
        yield "gold", "is a letter, and the row has no choices: it is asked without options"
    elif len(_LISTED.findall(problem.question)) >= 2:
        yield "question", "lists options, and the row has no choices: it is graded as a free answer"
    if len(problem.gold) > _LONG_GOLD or "####" in problem.gold:
        yield "gold", "looks like a whole solution: no reply will state all of it"


def _repeated(problems: Sequence[Problem]) -> Iterator[Failure]:
    """Questions that were asked before, whatever their case and the space between words."""
    asked: dict[str, str] = {}
    for problem in problems:
        first = asked.setdefault(" ".join(problem.question.casefold().split()), problem.id)
        if first != problem.id:
            yield Failure(problem.id, "question", f"asks the same as {first}")


def _failed(page: Page, problem: Problem) -> Iterator[tuple[str, str]]:
    for answer in (problem.gold, *problem.aliases):
        for check, found in _unfit(page.task, problem, answer):
            yield check, found if page.confidential else f"'{answer[:_QUOTED]}' {found}"
    if problem.solution is not None:
        masked = page.task.mask(problem, problem.solution)
        if masked.leaks:
            found = f"{len(masked.leaks)} leaks in the masked solution"
            shown = ", ".join(f"'{leak[:_QUOTED]}'" for leak in masked.leaks[:3])
            yield "solution", found if page.confidential else f"{found}: {shown}"
        if page.own and not masked.spans:
            yield "solution", "does not state the answer"
    yield from _hints(page, problem)
    length = len(page.task.system) + len(page.task.ask(problem))
    if length > LONGEST_PROMPT:
        yield "prompt", f"{length} characters, more than {LONGEST_PROMPT}"


def _hints(page: Page, problem: Problem) -> Iterator[tuple[str, str]]:
    """Hints that the mask touches, that the grader takes for the answer, or that spell it."""
    answers = (problem.gold, *problem.aliases)
    for number, hint in enumerate(problem.hints, 1):
        masked = page.task.mask(problem, hint)
        whole = masked.text == hint and not masked.leaks
        spelled = any(_spells(hint, answer) for answer in answers)
        if spelled or not whole or page.task.grade(problem, hint).is_correct:
            found = f"hint {number} gives the answer away"
            yield "hints", found if page.confidential else f"{found}: '{hint[:_QUOTED]}'"


def _spells(hint: str, answer: str) -> bool:
    """Whether the letters and quoted parts that a hint names make up a word that is the answer.

    'It begins with "pl" and ends with "an"' gives "plan" away. Parts as long as the answer do not
    count: "tarp" is the usual mistake for "trap".
    """
    if not answer.isalpha() or len(answer) < _SHORTEST_SPELLED:
        return False
    pieces = (found[1] or found[2] for found in _PIECE.finditer(hint.casefold()))
    named = Counter("".join(piece for piece in pieces if len(piece) < len(answer)))
    return Counter(answer.casefold()) <= named


def _unfit(task: Task, problem: Problem, answer: str) -> Iterator[tuple[str, str]]:
    """What grader and mask do wrong with an accepted answer."""
    verdict = task.grade(problem, task.state_answer(problem, answer))
    if not verdict.is_correct:
        yield "gold", f"is graded {verdict.outcome} (rule '{verdict.rule}')"
    masked = task.mask(problem, _BLURTED.format(answer))
    if not masked.spans or masked.leaks:
        yield "mask", "is not masked where feedback gives it away"


# --- a file of replies ---------------------------------------------------------------------------
#
# Replies that state no answer are put together by their shape: their last line, with numbers,
# letters and words as signs. A shape that comes often is a way of answering that the prompt does
# not ask for.

_LONGEST = 60  # characters of a line that make its shape
_SIGNS = (
    (re.compile(r"\d+(?:[.,]\d+)*"), "9"),
    (re.compile(r"(?<![^\W\d_])[A-Z](?![^\W\d_])"), "X"),
    (re.compile(r"(?:[^\W\d_]+['’-]?)+(?:\s+(?:[^\W\d_]+['’-]?)+)*"), "words"),
)


@dataclass(frozen=True, slots=True)
class Graded:
    """Replies by outcome; of those without an answer each shape, its count, and a last line."""

    verdicts: Counter[Outcome]
    shapes: tuple[tuple[str, int, str], ...]


def grade_replies(
    task: Task, problems: Mapping[str, Problem], replies: Iterable[tuple[str, Reply]]
) -> Graded:
    """Grade replies, each with the id of its problem."""
    verdicts, shapes = Counter[Outcome](), Counter[str]()
    examples: dict[str, str] = {}
    for problem, reply in replies:
        verdict = graded(task.grade, problems[problem], reply.text, cut_off=reply.is_cut_off)
        verdicts[verdict.outcome] += 1
        if verdict.outcome is Outcome.NO_ANSWER:
            line = last_line(reply.text)
            shapes[shape(line)] += 1
            examples.setdefault(shape(line), line)
    found = tuple((each, times, examples[each]) for each, times in shapes.most_common())
    return Graded(verdicts, found)


def last_line(reply: str) -> str:
    """The last line that is not blank."""
    return next((line.strip() for line in reversed(reply.splitlines()) if line.strip()), "")


def shape(line: str) -> str:
    """A line with its numbers, single letters and words as signs: "words: (X)", "words 9"."""
    if not line:
        return "nothing"
    line = line[:_LONGEST]
    marks = {"9": "\0", "X": "\1", "words": "\2"}
    for pattern, sign in _SIGNS:
        line = pattern.sub(marks[sign], line)
    for sign, mark in marks.items():
        line = line.replace(mark, sign)
    return " ".join(line.split())
