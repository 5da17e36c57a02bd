"""What the loop must know of a task: a handful of pure functions, made by a task page."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

from feedback_friction.grading.cut import graded
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Effect, Grade, Mask, Masked, Message

Judge = Callable[[Problem, str], Generator[Effect, Any, Verdict]]


@dataclass(frozen=True, slots=True)
class Misled:
    """Misleading feedback by a program, and the wrong value that it gives."""

    text: str
    value: str


Mislead = Callable[[Problem, str, random.Random], Misled | None]


@dataclass(frozen=True, slots=True)
class Told:
    """What an exact program says of an attempt, part by part; right by construction."""

    kind: str  # what kind of error the first wrong step is, e.g. ``"sum"``
    where: str  # a sentence that names the step; "" where it is not about one
    why: str  # what is wrong with it, in whole sentences
    next: str  # what to do next; "" where nothing is wrong
    ask: str  # a question that leads to the error without naming it

    @property
    def text(self) -> str:
        """All of it but the question, as the solver reads it."""
        return " ".join(filter(None, (self.where, self.why, self.next)))


@dataclass(frozen=True, slots=True)
class Step:
    """A wrong step of an attempt."""

    left: tuple[str, ...]  # the numbers and signs of what is worked out: ``("448", "×", "70")``
    wrong: str  # what the attempt says that it gives
    right: str  # what it gives


@dataclass(frozen=True, slots=True)
class Task:
    """The functions and texts that turn a problem into prompts, verdicts and masked feedback.

    Attributes:
        name: the task's name, e.g. ``"decimal_multiplication"``.
        system: the solver's system prompt.
        ask: the question as the solver reads it, choices included.
        grade: pure verdict on a reply; never raises on any text.
        mask: pure gate for feedback; never raises on any text; includes the leak audit.
        state_answer: a sentence in which a reply states an answer so that ``grade`` finds it
            (``"The answer is (C)."``); gold stated so must be graded correct.
        examples: few-shot messages that precede the question.
        tutor: exact feedback by a program, from the problem and the attempt's text.
        diagnose: the same in its parts, from which the tutor's forms of feedback are made.
        locate: the first wrong step of an attempt's text, as it stands there; None where no step is
            found wrong.
        mislead: feedback by a program that calls a right line of the attempt's text wrong, with a
            wrong value; None from it where it finds no such line.
        wrong_step: the step that the tutor's feedback is about; None where it is about none.
        shows_solution: feedback that knows the worked solution begins with it, masked (the two
            multiplication tasks, as in the paper, section 3).
        slow: ``grade`` and ``mask`` may take long on some text: run them in a worker process.
        judge: asks a judge model for the verdict; None grades with ``grade`` alone.
        judges: the problems whose replies the judge judges.
    """

    name: str
    system: str
    ask: Callable[[Problem], str]
    grade: Callable[[Problem, str], Verdict]
    mask: Callable[[Problem, str], Masked]
    state_answer: Callable[[Problem, str], str]
    examples: Callable[[Problem], tuple[Message, ...]] = lambda problem: ()
    tutor: Callable[[Problem, str], str] | None = None
    diagnose: Callable[[Problem, str], Told] | None = None
    locate: Callable[[Problem, str], str | None] | None = None
    mislead: Mislead | None = None
    wrong_step: Callable[[Problem, str], Step | None] | None = None
    shows_solution: bool = False
    slow: bool = False
    judge: Judge | None = None
    judges: Callable[[Problem], bool] = lambda problem: True


def work_of(task: Task, effect: Grade | Mask) -> Callable[[], Verdict | Masked]:
    """What answers a ``Grade`` or a ``Mask``, for whoever drives a generator; it may be slow."""
    if isinstance(effect, Mask):
        return partial(task.mask, effect.problem, effect.text)
    return partial(graded, task.grade, effect.problem, effect.response, cut_off=effect.cut_off)
