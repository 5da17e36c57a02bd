"""A family of generated questions, and a task page made of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.grading.number import grade_number
from feedback_friction.grading.quantity import grade_quantity
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.numbers import mask_decimal
from feedback_friction.protocol.masking.quantities import mask_number
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.records import Masked
from feedback_friction.protocol.task import Misled, Step, Task, Told
from feedback_friction.settings import Selection
from feedback_friction.tasks.answers import as_it_stands, boxed
from feedback_friction.tasks.exact.claims import Claim, claims
from feedback_friction.tasks.fields import text
from feedback_friction.tasks.page import Page, Row, RowError
from feedback_friction.tasks.tutor.lines import spaced

SIZE = 1000
_TRIES = 20  # for a wrong value that gives nothing away
_NUMERAL = re.compile(r"[0-9]+")
_MOST_DRAWS = 200  # for one row, before there are no other questions left


@dataclass(frozen=True, slots=True)
class Given:
    """What a question gives, and its answer."""

    parts: Any  # what is read from the question, in the family's own form
    gold: int  # the answer, a whole number
    size: str  # how much work it is, as the level of the problem says it: ``"4 terms"``


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a worked solution."""

    text: str  # what it says before its value
    value: int  # what it gives; a slip puts another in its place, which later lines go on from
    ends: str = ""  # what stands behind the value

    def __str__(self) -> str:
        return f"{self.text}{self.value}{self.ends}"


@dataclass(frozen=True, slots=True)
class Words:
    """How a family speaks of one kind of step."""

    why: str  # what is wrong, a whole sentence
    next: str  # what to do next
    ask: str  # a question that leads to the error
    value: str = "{left} is {right}."  # what the step gives, of its ``left`` and ``right``


_WORDS = {
    "sum": Words(
        "The sum is wrong.",
        "Add or subtract again, and redo every line that uses this result.",
        "What do you get when you add or subtract here again?",
    ),
    "product": Words(
        "The product is wrong.",
        "Multiply again, and redo every line that uses this result.",
        "What do you get when you multiply here again?",
    ),
    "division": Words(
        "The division is wrong.",
        "Divide again, and redo every line that uses this result.",
        "What do you get when you divide here again?",
    ),
    "equation": Words(
        "The two sides are not equal for the number that solves the question.",
        "Go back to the line before it, do the same to both of its sides, and go on from there.",
        "What was done to each side of the line before this one?",
    ),
    "answer": Words(
        "The answer that you state is not the result of your work.",
        "Check which of your numbers answers the question.",
        "Is the answer that you state the result of your work?",
    ),
    "no work": Words(
        "There is no work that can be checked, and the answer is wrong.",
        "Write down every step in a line of its own, so that each can be checked.",
        "Which steps does this need?",
    ),
    "no answer": Words(
        "Your response states no final answer.",
        "Finish the work, and state the answer.",
        "What is the result of your work?",
    ),
    "none": Words("The stated answer is right.", "", ""),
}


def _told_of(slip: Claim, words: Words, gold: str) -> Told:
    """What is said of a wrong step: as much of the quotation as has not the answer in it."""
    left = spaced(slip.left)
    shown = next((each for each in (slip.quote, left) if each and not _has(each, gold)), "")
    where = f'Look at "{shown}".' if shown else "One of your steps is wrong."
    value = words.value.format(left=left, right=slip.value)
    why = f"{words.why} {value}" if slip.value and not _has(value, gold) else words.why
    return Told(slip.kind, where, why, words.next, words.ask)


def _has(text: str, gold: str) -> bool:
    return gold in _NUMERAL.findall(text)


Slips = Callable[[int, int], int]  # from a line's number and its right value to the value written


def no_slip(line: int, value: int) -> int:
    """Every line right."""
    return value


@dataclass(frozen=True, slots=True)
class Family:
    """One family of questions."""

    name: str  # the task's
    title: str  # in tables
    system: str  # the solver's system prompt
    question: Callable[[random.Random], str]  # draws a question
    # what a question gives; None where it is no question of the family
    read: Callable[[str], Given | None]
    # the lines of a worked solution, with slips carried on from line to line
    work: Callable[[Given, Slips], Sequence[Line]]
    result: str  # what to do next where no step is wrong and the answer is
    # steps beside equations: all that the text claims, right or wrong
    own: Callable[[Given, str], Iterator[Claim]] = lambda given, text: iter(())
    # how it speaks of kinds of steps of its own
    words: Mapping[str, Words] = field(default_factory=dict)
    unknown: bool = False  # whether a question has an unknown x, whose value is the answer

    # --- making problems -------------------------------------------------------------------------

    def generate(self, count: int, seed: int) -> list[Row]:
        """Rows that all differ; a row does not depend on how many follow it.

        Raises:
            UsageError: there are not so many.
        """
        seen: set[str] = set()
        rows: list[Row] = []
        for index in range(count):
            rng = random.Random(f"{seed}:{self.name}:{index}")
            question = next(
                (each for each in (self.question(rng) for _ in range(_MOST_DRAWS))
                 if each not in seen),
                None,
            )  # fmt: skip
            if question is None:
                raise UsageError(f"cannot generate {count} different problems of {self.name}")
            seen.add(question)
            given = self._given(question)
            rows.append({"question": question, "answer": given.gold})
        return rows

    def rows(self, selection: Selection) -> list[Row]:
        """As many rows as the page says, for a seed."""
        return self.generate(SIZE, selection.seed)

    def to_problem(self, row: Row) -> Problem:
        """A row as a problem, worked out; raises ``RowError``."""
        question = text(row, "question")
        given = self.read(question)
        if given is None:
            raise RowError("question", f"is not a question of {self.name}")
        answer = row.get("answer")
        if isinstance(answer, bool) or str(answer).strip() != str(given.gold):
            said = "is missing" if answer is None else f"is {answer}, and should be {given.gold}"
            raise RowError("answer", said)
        return Problem(
            id=question,
            task=self.name,
            question=question,
            gold=str(given.gold),
            solution=self.solution(given),
            level=given.size,
        )

    def solution(self, given: Given) -> str:
        """The worked solution, every line right."""
        return "\n".join([*map(str, self.work(given, no_slip)), f"The answer is {given.gold}."])

    def attempt(self, problem: Problem, slip_at: int, off: int) -> str:
        """An attempt with one wrong line, from which the rest goes on; as a reply writes it.

        Args:
            slip_at: number of the line that is wrong, modulo the number of lines.
            off: by how much.
        """
        given = self._given(problem.question)
        number = slip_at % len(self.work(given, no_slip))
        lines = self.work(given, lambda line, value: value + off if line == number else value)
        return "\n".join([*map(str, lines), f"The answer is \\boxed{{{lines[-1].value}}}."])

    def _given(self, question: str) -> Given:
        given = self.read(question)
        assert given is not None  # the family's own question
        return given

    # --- the tutor -------------------------------------------------------------------------------

    def claims(self, problem: Problem, text: str) -> list[Claim]:
        """All that an attempt claims."""
        unknown = problem.gold if self.unknown else ""
        return [*claims(text, unknown), *self.own(self._given(problem.question), text)]

    def first(self, problem: Problem, text: str) -> Claim | None:
        """The wrong step that stands first in an attempt."""
        wrong = [each for each in self.claims(problem, text) if not each.holds]
        return min(wrong, key=lambda claim: claim.place, default=None)

    def diagnose(self, problem: Problem, text: str) -> Told:
        """What is wrong with an attempt, in its parts."""
        slip, verdict = self.first(problem, text), grade(problem, text)
        if slip is not None and not verdict.is_correct:
            return _told_of(slip, self._words(slip.kind), problem.gold)
        kind = self._kind_without_slip(problem, text, verdict)
        words = self._words(kind)
        return Told(kind, "", words.why, words.next, words.ask)

    def _kind_without_slip(self, problem: Problem, text: str, verdict: Verdict) -> str:
        found = self.claims(problem, text)
        if verdict.is_correct:
            return "none"
        if verdict.outcome is Outcome.NO_ANSWER:
            return "no answer"
        if not found:
            return "no work"
        return "answer" if any(each.value == problem.gold for each in found) else "result"

    def tutor(self, problem: Problem, text: str) -> str:
        """Feedback on an attempt, right by construction, without the answer."""
        return self.diagnose(problem, text).text

    def locate(self, problem: Problem, text: str) -> str | None:
        """What the attempt says where it is first wrong; None where no step is."""
        slip = self.first(problem, text)
        return slip.quote if slip else None

    def wrong_step(self, problem: Problem, text: str) -> Step | None:
        """The first wrong step as numbers; None where its right value is not to be told."""
        slip = self.first(problem, text)
        if slip is None or slip.value in ("", problem.gold):
            return None
        return Step(slip.left, slip.stated, slip.value)

    def mislead(self, problem: Problem, text: str, rng: random.Random) -> Misled | None:
        """A right step called wrong, with a wrong value; None where none can be named safely."""
        hidden = ("", problem.gold)
        right = [c for c in self.claims(problem, text) if c.holds and c.value not in hidden]
        rng.shuffle(right)
        for claim in right:
            for _ in range(_TRIES):
                value = slipped(claim.value, rng)
                if value in (problem.gold, claim.value):
                    continue
                told = _told_of(replace(claim, value=value), self._words(claim.kind), problem.gold)
                if value in told.why and not mask(problem, told.text).spans:
                    return Misled(told.text, value)
        return None

    def _words(self, kind: str) -> Words:
        if kind == "result":
            return Words(
                "No step is found wrong by itself, but the answer is wrong.",
                self.result,
                "Is everything that the question gives in your work, and once?",
            )
        return self.words.get(kind) or _WORDS[kind]


# What a sentence without a box says of the result: of steps and parts it says as much.
_OF_THE_RESULT = re.compile(
    r"(?i)\b(?:totals?|sum|result|answer|altogether|in all|occur\w*|appears?|shows? up|found|count"
    r"|decimal)\b|\bx\W{0,3}(?:=|is\b|equals\b|:|→)|\b[a-z]['’]s\b"
)
_OF_A_PART = re.compile(r"(?i)\b(?:first|before|without|skip\w*|alone|if|so far|vowels|than)\b")
# "x = 35/5", "x ≈ 7": nothing that mathematics would make of it is the whole number asked for.
_LEFT_TO_DO = re.compile(r"(?:[≈/%]|\\(?:approx|d?frac))[^=\n]*\s*\Z")
_LINES = 3  # at the end of a reply, of which one must be of the result
_STEPS = 3  # equations in work whose last one is taken for the result


def grade(problem: Problem, response: str) -> Verdict:
    """Whether the last answer in a reply is exactly the number."""
    found = grade_number(problem.gold, response, 10)
    if found.prediction is not None or _LEFT_TO_DO.search(response, max(0, len(response) - 80)):
        return found
    lines = response.rstrip().split("\n")[-_LINES:]
    last = {*_NUMERAL.findall(problem.question)[-1:]}
    of_result = any(
        (_OF_THE_RESULT.search(line) or last & {*_NUMERAL.findall(line)[-2:]})
        and not _OF_A_PART.search(line.partition(" (")[0])
        for line in lines
    )
    worked = "=" in lines[-1] and response.count("=") >= _STEPS
    return grade_quantity(problem, response) if of_result or worked else found


def mask(problem: Problem, text: str) -> Masked:
    """Feedback without the number; the step that gives it stays, "354 + 682 = [masked]".

    A negative number, which only rows from elsewhere have, is masked as mathematics is: with sign.
    """
    return (mask_number if problem.gold.startswith("-") else mask_decimal)(problem, text)


def page_of(family: Family) -> Page:
    """The page of a family."""
    return Page(
        task=Task(
            name=family.name,
            system=family.system,
            ask=as_it_stands,
            grade=grade,
            mask=mask,
            state_answer=boxed,
            tutor=family.tutor,
            diagnose=family.diagnose,
            locate=family.locate,
            mislead=family.mislead,
            wrong_step=family.wrong_step,
        ),
        title=family.title,
        source="generated",
        licence="CC0",
        size=SIZE,
        grader="number",
        to_problem=family.to_problem,
        rows=family.rows,
        own=True,
    )
