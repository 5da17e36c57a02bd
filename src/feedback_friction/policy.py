"""Which form of feedback comes next: a pure function of the solver's state, and a seeded draw.

A chooser takes the state that the solver is in before the feedback and gives a form with the
probability that it had. ``Drawn`` draws with known shares whatever the state is (one form of share
1 is a fixed form); ``Ladder`` goes one rung up each time that an answer comes back; ``Learnt`` is
what ``friction learn`` found in journals. What each chose, and why, is in the journal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.forms import EXPLAIN, LOCATE, NEXT, SOLUTION, VERDICT, Form, parse_form

VERSION = 1  # of the policy file
RUNGS = (VERDICT, LOCATE, EXPLAIN, NEXT, SOLUTION)
Features = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class State:
    """What is known of the solver when feedback is due, before it is written."""

    iteration: int  # of the attempt that the feedback is on, from 0
    repeats: bool = False  # whether that attempt gave the answer of the one before
    stuck: int = 0  # how many attempts of the trial so far gave the answer of the one before
    distinct: int = 1  # how many different answers the trial has seen
    no_answer: bool = False  # whether the attempt states no answer
    cut_off: bool = False  # whether it reached the limit of tokens
    # mean log-probability of its tokens, in nats; None where not known
    logprob: float | None = None
    # of the answers drawn for it, in nats; None where only one was drawn
    entropy: float | None = None
    error: str = ""  # the tutor's kind of its first wrong step; "" where there is no tutor


NUMBERS = ("iteration", "repeats", "stuck", "distinct", "no_answer", "cut_off")
PARTLY_KNOWN = ("logprob", "entropy")


def features(state: State) -> dict[str, float]:
    """A state as numbers: what is partly known is 0 where it is not, and says whether it is."""
    found = {name: float(getattr(state, name)) for name in NUMBERS}
    for name in PARTLY_KNOWN:
        value = getattr(state, name)
        found[name] = 0.0 if value is None else float(value)
        found[f"{name} known"] = float(value is not None)
    if state.error:
        found[f"error: {state.error}"] = 1.0
    return found


@dataclass(frozen=True, slots=True)
class Choice:
    """A form that was chosen, and what it was chosen on."""

    form: str  # the form's name
    propensity: float  # the probability with which it was chosen in this state
    repeat: float  # predicted chance that the next answer is the last one again
    reason: str  # why this form, in words
    state: State  # the solver's state before the feedback


def repeat_by_rule(state: State) -> float:
    """The chance that the next answer repeats, from this trial alone: Laplace's rule."""
    return (state.stuck + 1) / (state.iteration + 2)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Forms drawn with known shares, which add up to one, whatever the state."""

    shares: tuple[tuple[Form, float], ...]

    @property
    def forms(self) -> tuple[Form, ...]:
        """What may be chosen."""
        return tuple(form for form, _ in self.shares)

    def choose(self, state: State, rng: Random) -> Choice:
        """The form for a state."""
        if len(self.shares) == 1:
            [(form, share)], reason = self.shares, "the only form"
        else:
            weights = [share for _, share in self.shares]
            [(form, share)] = rng.choices(self.shares, weights)
            reason = "drawn at random"
        return Choice(form.name, share, repeat_by_rule(state), reason, state)


@dataclass(frozen=True, slots=True)
class Ladder:
    """One rung up each time that an answer comes back; needs no learning."""

    forms: tuple[Form, ...] = RUNGS

    def choose(self, state: State, rng: Random) -> Choice:
        """The form for a state; nothing is drawn."""
        rung = min(state.stuck, len(self.forms) - 1)
        form, reason = self.forms[rung], f"rung {rung + 1} of {len(self.forms)}"
        if state.repeats:
            top = state.stuck >= len(self.forms)
            reason += ": the answer came back" + (", and there is no higher one" if top else "")
        return Choice(form.name, 1.0, repeat_by_rule(state), reason, state)


@dataclass(frozen=True, slots=True)
class Line:
    """A logistic model: log-odds of something where all features are 0, and what each adds."""

    intercept: float
    weights: tuple[tuple[str, float], ...]

    def chance(self, found: Features) -> float:
        """The probability, in (0, 1)."""
        odds = self.intercept + math.fsum(w * found.get(name, 0.0) for name, w in self.weights)
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, odds))))


@dataclass(frozen=True, slots=True)
class Option:
    """What was learnt of a form: two models, and what a round of it costs."""

    form: Form
    solves: Line  # chance that the next attempt is right after it
    repeats: Line  # chance that the next answer is the last one again
    cost: float  # tokens that a round of it takes, as measured


@dataclass(frozen=True, slots=True)
class Learnt:
    """The rule that ``friction learn`` writes: the form of the best predicted worth."""

    options: tuple[Option, ...]
    fallback: str  # the form where the state was never seen: the best one whatever the state
    price: float  # share of solved attempts that a thousand tokens must bring
    threshold: float  # predicted chance of a repetition above which another form is taken
    # by feature, the least and the largest value seen where it was learnt. A number beyond them
    # counts as the nearest; a feature that is not among them as never seen
    known: tuple[tuple[str, float, float], ...]
    tasks: tuple[str, ...]  # the tasks that it was learnt on

    @property
    def forms(self) -> tuple[Form, ...]:
        """What may be chosen."""
        return tuple(option.form for option in self.options)

    def worth(self, option: Option, found: Features) -> float:
        """The predicted chance of a right next attempt less what the round costs."""
        return option.solves.chance(found) - self.price * option.cost / 1000

    def seen(self, state: State) -> tuple[dict[str, float], list[str]]:
        """A state's features within what was seen, and the names of those that never were."""
        ranges = {name: (low, high) for name, low, high in self.known}
        found, unknown = {}, []
        for name, value in features(state).items():
            low, high = ranges.get(name, (0.0, 0.0))
            found[name] = min(max(value, low), high)
            if found[name] != value and (name not in NUMBERS + PARTLY_KNOWN):
                unknown.append(name)
        return found, unknown

    def choose(self, state: State, rng: Random) -> Choice:
        """The form for a state; nothing is drawn, and of equals the first is taken."""
        found, unknown = self.seen(state)
        if unknown:
            option = next(each for each in self.options if each.form.name == self.fallback)
            reason = f"a state never seen ({', '.join(unknown)}): the best form whatever the state"
            return Choice(self.fallback, 1.0, option.repeats.chance(found), reason, state)
        best = max(self.options, key=lambda option: self.worth(option, found))
        repeat = best.repeats.chance(found)
        reason = f"predicted {best.solves.chance(found):.2f} right next"
        if repeat > self.threshold:
            other = min(self.options, key=lambda option: option.repeats.chance(found))
            if other is not best:
                reason = (
                    f"{best.form.name} would be useless: a repeated answer predicted at "
                    f"{repeat:.2f}, above {self.threshold:.2f}"
                )
                best, repeat = other, other.repeats.chance(found)
        return Choice(best.form.name, 1.0, repeat, reason, state)


Chooser = Drawn | Ladder | Learnt


def chosen(chooser: Chooser, state: State) -> str:
    """The form that a chooser without a draw gives in a state."""
    return chooser.choose(state, Random(0)).form


KIND = "feedback policy"


def parse_policy(document: Mapping[str, Any], where: str) -> Learnt:
    """The policy that a file's document holds.

    Args:
        where: the file, for what is said of it.

    Raises:
        UsageError: it holds none, or one that is damaged or of another version.
    """
    if document.get("kind") != KIND or document.get("version") != VERSION:
        raise UsageError(
            f"{where} is not a policy of version {VERSION}, as 'friction learn' writes it"
        )
    try:
        rule = document["rule"]
        learnt = Learnt(
            tuple(
                Option(
                    parse_form(name),
                    _line(each["solves"]),
                    _line(each["repeats"]),
                    _number(each["cost"]),
                )
                for name, each in document["forms"].items()
            ),
            str(rule["fallback"]),
            _number(rule["price"]),
            _number(rule["threshold"]),
            tuple(
                (str(name), _number(low), _number(high))
                for name, (low, high) in document["known"].items()
            ),
            tuple(map(str, document["learnt_from"]["tasks"])),
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(f"{where} is damaged: {type(error).__name__}: {error}") from error
    if learnt.fallback not in {form.name for form in learnt.forms}:
        raise UsageError(f"{where} is damaged: its fallback is none of its forms")
    return learnt


def _line(value: Mapping[str, Any]) -> Line:
    weights = tuple((str(name), _number(w)) for name, w in value["weights"].items())
    return Line(_number(value["intercept"]), weights)


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def document_of(learnt: Learnt) -> dict[str, Any]:
    """A policy as ``parse_policy`` reads it, but for what it was learnt from."""

    def written(line: Line) -> dict[str, Any]:
        weights = {name: round(weight, 4) for name, weight in line.weights if round(weight, 4)}
        return {"intercept": round(line.intercept, 4), "weights": weights}

    return {
        "kind": KIND,
        "version": VERSION,
        "rule": {"fallback": learnt.fallback, "price": learnt.price, "threshold": learnt.threshold},
        "forms": {
            option.form.name: {
                "solves": written(option.solves),
                "repeats": written(option.repeats),
                "cost": round(option.cost, 1),
            }
            for option in learnt.options
        },
        "known": {name: [low, high] for name, low, high in learnt.known},
    }
