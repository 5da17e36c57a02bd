"""The solver's state before feedback, from the attempts of its trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log

from feedback_friction.forms import parse_form
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.policy import State
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.records import Attempt


def answer_key(problem: Problem, verdict: Verdict) -> str | None:
    """What identifies an answer across iterations: with choices, the text behind the letter."""
    prediction = verdict.prediction
    if prediction is not None and problem.choices and prediction in problem.letters:
        return problem.choices[LETTERS.index(prediction)]
    return prediction


def answers_of(attempts: Sequence[Attempt]) -> list[str | None]:
    """What each attempt answered; None for no answer."""
    return [answer_key(attempt.problem, attempt.verdict) for attempt in attempts]


def state_of(attempts: Sequence[Attempt], error: str = "") -> State:
    """The state after the last of some attempts.

    Args:
        attempts: those of the trial so far, at least one.
        error: the tutor's kind of the first wrong step of the last one.
    """
    latest, answers = attempts[-1], answers_of(attempts)
    back = [before == after is not None for before, after in pairwise(answers)]
    return State(
        iteration=latest.iteration,
        repeats=bool(back) and back[-1],
        stuck=sum(back),
        distinct=len({*answers} - {None}),
        no_answer=latest.verdict.outcome is Outcome.NO_ANSWER,
        cut_off=latest.reply.finish_reason == "length",
        logprob=latest.reply.mean_logprob,
        entropy=latest.entropy,
        error=error,
    )


def entropy_of(keys: Sequence[str | None]) -> float | None:
    """Entropy of drawn answers in nats (no answer is one of them); None of a single one."""
    if len(keys) < 2:
        return None
    shares = [count / len(keys) for count in Counter(keys).values()]
    return sum(share * log(1 / share) for share in shares)


def in_view(attempts: Sequence[Attempt]) -> tuple[tuple[Attempt, ...], bool]:
    """The attempts that a solver may be shown: those after the last reset of its history.

    Returns:
        The attempts, and whether the newest feedback is all that may be shown of them.
    """
    for place in range(len(attempts) - 1, -1, -1):
        feedback = attempts[place].feedback
        if feedback and feedback.choice and parse_form(feedback.choice.form).resets:
            newest = place == len(attempts) - 1
            return tuple(attempts[place:] if newest else attempts[place + 1 :]), newest
    return tuple(attempts), False
