"""Training dialogues: trials of the protocol in its own prompts, with what the solver is to write.

Every prompt comes from the package itself (``protocol.history``, ``protocol.feedback``, the task's
own page, mask and tutor), so that the model reads in training what it will read in a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.feedback import feedback_messages
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.plan import HistoryFormat
from feedback_friction.protocol.records import Attempt, Feedback, Message, Reply
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.multiplication import generate
from training.arithmetic import Work, right, slipped

Mode = Literal["binary", "tutor", "self", "process"]

PAGE = get_page("decimal_multiplication")
ATTEMPTS = 10
HELD_OUT_SEEDS, HELD_OUT_ROWS = range(10), 450

DIGITS = {2: 0.4, 3: 0.6}
MODES: dict[Mode, float] = {"tutor": 0.4, "binary": 0.25, "process": 0.2, "self": 0.15}
CHAT = 0.1  # share of the trials whose history is shown as turns of a chat
CRITIQUES = 0.15  # share of the wrong attempts whose feedback the model learns to write itself
PLAIN = 0.2  # share of feedback by a model that says no more than "wrong"

# What an attempt after feedback is: (corrected, the same again); the rest is wrong in a new way.
UPTAKE: dict[Mode, tuple[float, float]] = {
    "binary": (0.35, 0.45),
    "tutor": (0.70, 0.20),
    "self": (0.60, 0.28),
    "process": (0.65, 0.25),
}
STUCK = (0.25, 0.65)  # the same for one who has repeated the attempt before
OWN = 0.75  # share of the trials that begin with an error of the model's own, where there are some

OwnError = tuple[int, int, str]  # both factors, and what the model wrote


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt of the protocol and the reply to learn."""

    messages: tuple[Message, ...]
    reply: str


def held_out() -> frozenset[frozenset[int]]:
    """The pairs of factors that no training dialogue has: every problem of the first ten seeds."""
    problems = (
        PAGE.to_problem(row)
        for digits in DIGITS
        for seed in HELD_OUT_SEEDS
        for row in generate("decimal", digits, HELD_OUT_ROWS, seed)
    )
    return frozenset(frozenset(map(int, problem.operands)) for problem in problems)


def examples(
    seed: int,
    without: frozenset[frozenset[int]],
    first_attempts: float = 0.5,
    own: Sequence[OwnError] = (),
) -> Iterator[Example]:
    """Examples without end; the same seed gives the same ones.

    Args:
        without: pairs of factors that do not occur.
        first_attempts: share of the trials that are a right first attempt and nothing more.
        own: the model's own wrong answers, with which most of the other trials then begin.
    """
    rng = Random(f"dialogues:{seed}")
    while True:
        first, second = _factors(rng)
        if frozenset((first, second)) in without:
            continue
        problem = _problem(first, second)
        if rng.random() < first_attempts:
            yield _answer(problem, (), "transcript", str(right(first, second)))
        elif own and rng.random() < OWN:
            first, second, text = rng.choice(own)
            yield from _trial(_problem(first, second), right(first, second), text, rng)
        else:
            solved = right(first, second)
            yield from _trial(problem, solved, str(slipped(solved, rng)), rng)


def _factors(rng: Random) -> tuple[int, int]:
    digits = rng.choices(list(DIGITS), list(DIGITS.values()))[0]
    low, high = 10 ** (digits - 1), 10**digits - 1
    return rng.randint(low, high), rng.randint(low, high)


def _problem(first: int, second: int) -> Problem:
    question = f"Calculate the following question: {first} * {second}."
    return PAGE.to_problem({"question": question, "answer": first * second})


def _trial(problem: Problem, solved: Work, text: str, rng: Random) -> Iterator[Example]:
    """The examples of a trial that begins with a wrong text, until it is solved or given up."""
    mode: Mode = rng.choices(list(MODES), list(MODES.values()))[0]
    style: HistoryFormat = "chat" if rng.random() < CHAT else "transcript"
    stuck = False
    attempts: list[Attempt] = []
    for iteration in range(ATTEMPTS - 1):
        attempts.append(_attempt(problem, iteration, text, mode, rng))
        if rng.random() < CRITIQUES:
            yield _critique(attempts, problem, text, rng)
        corrected, same = STUCK if stuck else UPTAKE[mode]
        chance = rng.random()
        if chance < corrected:
            yield _answer(problem, attempts, style, str(solved))
            return
        stuck = chance < corrected + same
        if stuck:
            yield _answer(problem, attempts, style, text)
        else:  # seen in later histories, but never learnt: it would unlearn the arithmetic
            text = str(slipped(solved, rng))


def _answer(
    problem: Problem, attempts: Sequence[Attempt], style: HistoryFormat, text: str
) -> Example:
    return Example(solver_messages(PAGE.task, problem, attempts, style), text)


def _attempt(problem: Problem, iteration: int, text: str, mode: Mode, rng: Random) -> Attempt:
    feedback = Feedback(mode, "", _feedback(problem, text, mode, rng))
    verdict = PAGE.task.grade(problem, text)
    return Attempt(iteration, problem, Reply(text), verdict, 0.0, feedback=feedback)


def _feedback(problem: Problem, text: str, mode: Mode, rng: Random) -> str:
    if mode == "binary" or (mode != "tutor" and rng.random() < PLAIN):
        said = prompts.BINARY_WRONG
    else:
        said = _tutored(problem, text)
    if mode == "process":
        said = f"{problem.solution}\n\n{said}"
    return PAGE.task.mask(problem, said).text


def _tutored(problem: Problem, text: str) -> str:
    assert PAGE.task.tutor is not None
    return PAGE.task.tutor(problem, text)


def _critique(attempts: list[Attempt], problem: Problem, text: str, rng: Random) -> Example:
    """The feedback generator's prompt about the last attempt, and what the tutor would say."""
    silent = [*attempts[:-1], _without_feedback(attempts[-1])]
    messages = feedback_messages(PAGE.task, silent, sees_solution=rng.random() < 0.4)
    return Example(messages, _tutored(problem, text))


def _without_feedback(attempt: Attempt) -> Attempt:
    return Attempt(attempt.iteration, attempt.problem, attempt.reply, attempt.verdict, 0.0)
