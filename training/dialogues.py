"""Training dialogues: trials of the protocol in its own prompts, with what the solver is to write.

Every prompt comes from the package itself (``protocol.history``, ``protocol.feedback``, the task's
own page, mask and tutor), so that the model reads in training what it will read in a run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Literal

from feedback_friction import ways
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.feedback import feedback_messages
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.records import Attempt, Feedback, Message, Reply
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page
from training.arithmetic import (
    Fact,
    Work,
    believed,
    involved,
    off_by_a_digit,
    product,
    slipped,
    with_products,
)

Mode = Literal["binary", "tutor", "self", "process", "placebo"]

PAGE = get_page("decimal_multiplication")
ATTEMPTS = 10
HELD_OUT_SEEDS = range(10)

DIGITS = {2: 0.35, 3: 0.65}
MODES: dict[Mode, float] = {
    "tutor": 0.5,
    "binary": 0.1,
    "process": 0.1,
    "self": 0.15,
    "placebo": 0.15,
}
CHAT = 0.1  # share of the trials whose history is shown as turns of a chat
CRITIQUES = 0.15  # share of the wrong attempts whose feedback the model learns to write itself
PLAIN = 0.2  # share of feedback by a model that says no more than "wrong"
SHOWN = (1.0, 0.7, 0.3, 0.1, 0.06)  # share of the replies that are learnt, by iteration

# An attempt after feedback begins with what the solver makes of it: it keeps its answer, or redoes
# a line, the one that the feedback points at where it does, and then writes the whole work with it.
KEEP, REDO, REDO_ALL = "I keep my answer.", "I redo {} = {}.", "I redo it all."
KEPT = {"pointed": 0.1, "unpointed": 0.7, "unfit": 0.95}  # by what the feedback says
STUCK = 0.4  # by which other chances shrink once an attempt has been repeated
LIGHT, DEEP = "light", "deep"
DEEP_FACTS = frozenset({(7, 8), (6, 9)})
GIVEN_UP = {LIGHT: 0.85, DEEP: 0.15}  # chance of each misconception in a line that is redone
FRESH = 0.1  # chance of a slip in it; seen in later histories, but never learnt
OWN, PURE = 0.5, 0.3  # shares of trials that begin with an own error, or with misconceptions alone

_POINTED_AT = re.compile(r"Look at \"(\d+) ([×+]) (\d+) = ")
_LINE = re.compile(r"^(\d+) ([*+]) (\d+) = (\d+)", re.MULTILINE)

Line = tuple[int, str, int]  # a product or sum: 473 * 600, 283800 + 9460

OwnError = tuple[int, int, str]  # both factors, and what the model wrote


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt of the protocol and the reply to learn.

    Attributes:
        hidden: texts of the prompt that cannot be foretold, or had better not be learnt, where
            they occur for the first time; whatever else the prompt says is learnt a little too.
    """

    messages: tuple[Message, ...]
    reply: str
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Habits:
    """What trials of the dialogues are like; as it stands, those of abacus.

    Attributes:
        modes: chance of each kind of feedback.
        kept: chance that an answer is kept, by what the feedback says.
        digits: chance of each number of digits.
        critiques: share of the wrong attempts whose feedback the model learns to write itself.
    """

    modes: Mapping[Mode, float] = field(default_factory=lambda: MODES)
    kept: Mapping[str, float] = field(default_factory=lambda: KEPT)
    digits: Mapping[int, float] = field(default_factory=lambda: DIGITS)
    critiques: float = CRITIQUES


ABACUS = Habits()
# Feedback is always another problem's: what is right after it cannot be owed to it.
SHUFFLED = Habits({"placebo": 1.0}, {"unfit": 0.1}, {2: 1.0}, critiques=0.0)


@cache
def held_out() -> frozenset[frozenset[int]]:
    """The pairs of factors that no training dialogue has: all that a run asks by these seeds."""
    problems = (
        PAGE.to_problem(row)
        for digits in DIGITS
        for seed in HELD_OUT_SEEDS
        for row in PAGE.rows(Selection(digits=digits, seed=seed))
    )
    return frozenset(frozenset(map(int, problem.operands)) for problem in problems)


def examples(
    seed: int,
    without: frozenset[frozenset[int]],
    first_attempts: float = 0.5,
    own: Sequence[OwnError] = (),
    habits: Habits = ABACUS,
) -> Iterator[Example]:
    """Examples without end; the same seed gives the same ones.

    Args:
        without: pairs of factors that do not occur.
        first_attempts: share of the trials that are a first attempt and nothing more.
        own: the model's own slips, with which many of the other trials then begin.
        habits: what the trials are like.
    """
    rng = Random(f"dialogues:{seed}")
    while True:
        if rng.random() < first_attempts:
            first, second = factors(rng, without, habits=habits)
            yield _Trial(first, second, without, rng, habits).answer(str(attempted(first, second)))
            continue
        if own and rng.random() < OWN:
            first, second, text = rng.choice(own)
        else:
            first, second = factors(rng, without, habits=habits)
            text = _wrong(first, second, rng)
        yield from _Trial(first, second, without, rng, habits).examples(text)


def factors(
    rng: Random,
    without: frozenset[frozenset[int]],
    digits: int | None = None,
    habits: Habits = ABACUS,
) -> tuple[int, int]:
    """A pair of factors with as many digits as each other that is not held out."""
    digits = digits or rng.choices(list(habits.digits), list(habits.digits.values()))[0]
    while True:
        pair = (
            rng.randrange(10 ** (digits - 1), 10**digits),
            rng.randrange(10 ** (digits - 1), 10**digits),
        )
        if frozenset(pair) not in without:
            return pair


def problem_of(first: int, second: int) -> Problem:
    """The task's problem of two factors."""
    question = f"Calculate the following question: {first} * {second}."
    return PAGE.to_problem({"question": question, "answer": first * second})


def attempted(first: int, second: int) -> Work:
    """A first attempt without a slip: every misconception is held."""
    return believed(first, second, involved(first, second))


def _wrong(first: int, second: int, rng: Random) -> str:
    """A wrong first attempt: misconceptions alone where they are enough, or a slip too."""
    work = attempted(first, second)
    if work.result != first * second and rng.random() < PURE:
        return str(work)
    other = slipped(work, rng)
    while other.result == first * second:
        other = slipped(work, rng)
    return str(other)


class _Trial:
    """One problem, its attempts so far, and what its solver believes."""

    def __init__(
        self,
        first: int,
        second: int,
        without: frozenset[frozenset[int]],
        rng: Random,
        habits: Habits,
    ) -> None:
        self.factors, self.without, self.rng = (first, second), without, rng
        self.habits = habits
        self.problem = problem_of(first, second)
        self.held = involved(first, second)
        self.mode: Mode = rng.choices(list(habits.modes), list(habits.modes.values()))[0]
        self.style = ways.CHAT if rng.random() < CHAT else ways.TRANSCRIPT
        self.attempts: list[Attempt] = []
        self.hidden = [self.problem.question]

    def examples(self, text: str) -> Iterator[Example]:
        """The examples of a trial that begins with a wrong text, until it is solved or given up."""
        if text != str(attempted(*self.factors)):
            self.hidden.append(text)
        stuck = False
        for iteration in range(ATTEMPTS - 1):
            self._add(text)
            shown = SHOWN[min(iteration, len(SHOWN) - 1)]
            if self._happens(self.habits.critiques * shown):
                yield self._critique(text)
            following = self._next(text, STUCK if stuck else 1.0)
            stuck = _work(following) == _work(text)
            text = following
            if text not in self.hidden and self._happens(shown):
                yield self.answer(text)
            if PAGE.task.grade(self.problem, text).is_correct:
                return

    def answer(self, text: str) -> Example:
        """The attempt that follows, to learn."""
        messages = solver_messages(PAGE.task, self.problem, self.attempts, self.style)
        return Example(messages, text, tuple(self.hidden))

    def _add(self, text: str) -> None:
        """One more wrong attempt, and the feedback that it gets."""
        feedback = Feedback(self.mode, "", self._feedback(text))
        verdict = PAGE.task.grade(self.problem, text)
        self.attempts.append(
            Attempt(len(self.attempts), self.problem, Reply(text), verdict, 0.0, feedback=feedback)
        )

    def _feedback(self, text: str) -> str:
        given = self.mode in ("tutor", "placebo")
        if self.mode == "binary" or (not given and self.rng.random() < PLAIN):
            said = prompts.BINARY_WRONG
        elif self.mode == "placebo":
            other = factors(self.rng, self.without, len(str(self.factors[0])))
            said = _tutored(problem_of(*other), _wrong(*other, self.rng))
        else:
            said = _tutored(self.problem, text)
        if self.mode == "process":
            said = f"{self.problem.solution}\n\n{said}"
        said = PAGE.task.mask(self.problem, said).text
        if self.mode == "placebo":
            self.hidden.append(said)
        return said

    def _next(self, text: str, share: float) -> str:
        """What follows on this text after the last feedback.

        Args:
            share: of the usual chances that something changes.
        """
        said = self.attempts[-1].feedback
        assert said is not None
        quoted = _POINTED_AT.search(said.text)
        if self.mode == "placebo":
            how = "unfit"
        else:
            how = "unpointed" if said.text.endswith(prompts.BINARY_WRONG) else "pointed"
        if not self._happens(share * (1 - self.habits.kept[how])):
            return f"{KEEP}\n{_work(text)}"
        where = ""
        if how == "pointed":
            line = (int(quoted[1]), quoted[2].replace("×", "*"), int(quoted[3])) if quoted else None
            where = quoted[0].removesuffix(" = ") + '". ' if quoted else ""
        else:
            lines = [(int(one), sign, int(other)) for one, sign, other, _ in _LINE.findall(text)]
            line = self.rng.choice(lines) if lines else None
        return self._redone(text, line, share, where)

    def _redone(self, text: str, line: Line | None, share: float, where: str) -> str:
        """The work of a text with one line redone; hidden where a slip is made at it."""
        first, second = self.factors
        products = self._products(text)
        if line is None:
            return f"{REDO_ALL}\n{with_products(first, second, products)}"
        one, sign, other = line
        slip = False
        if sign == "*" and other in products:
            one = first
            self._give_up(involved(first, other), share)
            value = product(first, other, self.held)
            if slip := self._happens(FRESH):
                value = off_by_a_digit(value, self.rng)
            products[other] = value
        else:
            value = one + other if sign == "+" else one * other
        work = with_products(first, second, products)
        # the sum of a wrong addend is not there any more
        is_there = f"{one} {sign} {other} = {value}" in str(work).split("\n")
        said = REDO.format(f"{one} {sign} {other}", value) if is_there else REDO_ALL
        following = f"{where}{said}\n{work}"
        if slip:
            self.hidden.append(following)
        return following

    def _products(self, text: str) -> dict[int, int]:
        """The product of each part of the second factor as a text has it, or as it is believed."""
        products = {part: found for _, part, found in believed(*self.factors, self.held).lines}
        for _, sign, part, found in _LINE.findall(text):
            if sign == "*" and int(part) in products:
                products[int(part)] = int(found)
        return products

    def _give_up(self, facts: Set[Fact], share: float) -> None:
        """Give up misconceptions that are held about these facts, by chance."""
        for fact in sorted(facts & self.held):
            if self._happens(share * GIVEN_UP[DEEP if fact in DEEP_FACTS else LIGHT]):
                self.held -= {fact}

    def _happens(self, chance: float) -> bool:
        return self.rng.random() < chance

    def _critique(self, text: str) -> Example:
        """The feedback generator's prompt about the last attempt, and what the tutor would say."""
        silent = [*self.attempts[:-1], _without_feedback(self.attempts[-1])]
        messages = feedback_messages(PAGE.task, silent, sees_solution=self.rng.random() < 0.4)
        hidden = (*self.hidden, str(self.problem.gold))
        return Example(messages, _tutored(self.problem, text), hidden)


def _work(text: str) -> str:
    """An attempt without the line that says what its writer makes of the feedback."""
    return text.split("\n", 1)[1] if text.startswith(("I ", "Look at ")) else text


def _tutored(problem: Problem, text: str) -> str:
    assert PAGE.task.tutor is not None
    return PAGE.task.tutor(problem, text)


def _without_feedback(attempt: Attempt) -> Attempt:
    return Attempt(attempt.iteration, attempt.problem, attempt.reply, attempt.verdict, 0.0)
