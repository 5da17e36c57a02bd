"""A problem: the one thing that every room of the project knows."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

LETTERS = string.ascii_uppercase


def lettered(choices: Sequence[str]) -> str:
    """Choices as they are shown everywhere: each in a line of its own, after its letter."""
    return "\n".join(f"({letter}) {text}" for letter, text in zip(LETTERS, choices, strict=False))


@dataclass(frozen=True, slots=True)
class Problem:
    """One question with its gold answer.

    Attributes:
        id: stable within the task: the same row has the same id whatever stands around it.
        task: name of the task, e.g. ``"gpqa"``.
        question: the question's text, without the choices.
        gold: the canonical gold answer: ``"5781709410"``, ``"DCB2096CA"``, ``r"\\frac{3}{4}"``,
            ``"Sunset Boulevard"``; with choices, the letter of the right one.
        aliases: other accepted answers (TriviaQA's aliases, PopQA's possible answers).
        choices: texts of the options in the order shown; empty where there are none.
        solution: the worked solution, where the data set has one.
        hints: hints to give after a wrong answer, in their order; none of them the answer itself.
        subject: subject, category or domain, where there is one.
        cluster: what the question shares with others: its passage, contest or document.
        level: difficulty as the data set gives it.
        operands: for multiplication, the two factors as they are written in the question.
        s_pop: monthly page views of the subject entity (PopQA).
        o_pop: monthly page views of the object entity (PopQA).
        grader: for the ``custom`` task, the name of the grader that the row asks for.
    """

    id: str
    task: str
    question: str
    gold: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    solution: str | None = None
    hints: tuple[str, ...] = ()
    subject: str | None = None
    cluster: str | None = None
    level: str | None = None
    operands: tuple[str, ...] = ()
    s_pop: int | None = None
    o_pop: int | None = None
    grader: str | None = None

    @property
    def letters(self) -> str:
        """The letters that name the choices, e.g. ``"ABCD"``."""
        return LETTERS[: len(self.choices)]

    @property
    def gold_text(self) -> str:
        """The right option's text where there are choices, else the gold answer itself."""
        return self.choices[LETTERS.index(self.gold)] if self.choices else self.gold

    def shuffled(self, rng: Random) -> Problem:
        """The problem with its choices in a uniformly random order; unchanged without choices."""
        if not self.choices:
            return self
        order = list(range(len(self.choices)))
        rng.shuffle(order)
        return replace(
            self,
            choices=tuple(self.choices[index] for index in order),
            gold=LETTERS[order.index(LETTERS.index(self.gold))],
        )
