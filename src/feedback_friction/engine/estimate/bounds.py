"""What a problem takes if no attempt at it succeeds, by arithmetic alone.

The prompt of a later attempt is the first one, and every reply and feedback since. With lengths at
their limits this bounds what a problem can take; with a pilot's mean lengths it is what a problem
that is never solved would take, also when the pilot saw none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from feedback_friction.engine.estimate.amounts import Taken, of_call, total
from feedback_friction.engine.models.price_list import Prices
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.problem import Problem
from feedback_friction.protocol.prompts import FIXED
from feedback_friction.protocol.records import Generate, Usage
from feedback_friction.protocol.trial import trial
from feedback_friction.ways import MAX_DRAWS

CHARACTERS_PER_TOKEN = 4  # of English text, about
REQUESTS_OF_ALL_DRAWS = 5  # of 1, 2, 4, 8 and 10 replies
JUDGE_PROMPT_TOKENS = 250  # the judge's rules, about, beside question and reply


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean or largest lengths in tokens, and how calls go.

    Attributes:
        prompt: of the first prompt.
        reply: of a solver's reply.
        feedback: of feedback that is no fixed text.
        verdict: of a judge's reply.
        solution: of the worked solution, where the feedback's writer sees one.
        requests: solver requests a later attempt.
        draws: solver replies a later attempt.
        cached: share of prompt tokens that come from a cache.
        seconds: of a call.
    """

    prompt: float
    reply: float
    feedback: float
    verdict: float
    solution: float = 0.0
    requests: float = 1.0
    draws: float = 1.0
    cached: float = 0.0
    seconds: float = 0.0


def tokens_in(text: str) -> float:
    """About how many tokens a text has."""
    return len(text) / CHARACTERS_PER_TOKEN


def hint_tokens(problems: Iterable[Problem]) -> list[float]:
    """About how many tokens each hint of some problems has."""
    return [tokens_in(hint) for problem in problems for hint in problem.hints]


def first_request(condition: Condition, problem: Problem) -> Generate:
    """The request that a trial begins with."""
    steps = trial(problem, condition.task, condition.plan, 0, condition.problems)
    request = next(steps)
    assert isinstance(request, Generate)
    steps.close()
    return request


def first_attempt(
    condition: Condition, lengths: Lengths, judge: str | None, prices: Prices
) -> Taken:
    """What the first attempt takes: one reply, and its verdict where a judge gives it."""
    answer = _calls(condition.solver, 1, lengths.prompt, lengths.reply, lengths, prices)
    return total([answer, _judged(condition, 1, lengths, judge, prices)])


def unsolved(condition: Condition, lengths: Lengths, judge: str | None, prices: Prices) -> Taken:
    """What a trial takes in which no attempt succeeds, its first attempt included.

    Args:
        judge: the judge model's name, where there is one.
    """
    mode, later = condition.plan.mode, condition.plan.iterations - 1
    told = max(map(tokens_in, FIXED[mode.fixed])) if mode.fixed else lengths.feedback
    prompts = later * lengths.prompt
    if mode.shows_history:
        history = condition.plan.history
        shown = told if history.sight == "nothing" else lengths.reply + told
        prompts += shown * sum(map(history.latest, range(1, later + 1)))
    parts = [first_attempt(condition, lengths, judge, prices)]
    parts.append(
        _calls(
            condition.solver,
            later * lengths.requests,
            prompts * lengths.requests,
            later * lengths.draws * lengths.reply,
            lengths,
            prices,
        )
    )
    parts.append(_judged(condition, later * lengths.draws, lengths, judge, prices))
    if condition.feedback_model is not None:
        read = later * (lengths.prompt + lengths.solution) + (lengths.reply + told) * (
            later * (later + 1) / 2
        )
        written = later * lengths.feedback
        parts.append(_calls(condition.feedback_model, later, read, written, lengths, prices))
    return total(parts)


def largest_draws(condition: Condition) -> tuple[float, float]:
    """(requests, replies) that a later attempt takes at most."""
    sampling, shows = condition.plan.sampling, condition.plan.mode.shows_history
    more = condition.plan.solve.calls - 1 if shows else 0
    if not sampling.reject:
        return 1.0 + more, 1.0 + more
    return (1.0 if sampling.eager else REQUESTS_OF_ALL_DRAWS) + more, float(MAX_DRAWS + more)


def _judged(
    condition: Condition, replies: float, lengths: Lengths, judge: str | None, prices: Prices
) -> Taken:
    if condition.task.judge is None or judge is None:
        return Taken()
    read = replies * (lengths.prompt + lengths.reply + JUDGE_PROMPT_TOKENS)
    return _calls(judge, replies, read, replies * lengths.verdict, lengths, prices)


def _calls(
    model: str, number: float, read: float, written: float, lengths: Lengths, prices: Prices
) -> Taken:
    """What some calls of a model take together."""
    if not number:
        return Taken()
    usage = Usage(round(read), round(written), round(read * lengths.cached))
    one = of_call(usage, prices.cost(model, usage), number * lengths.seconds)
    return one._replace(calls=number)
