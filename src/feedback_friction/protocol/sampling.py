r"""How an attempt is drawn: greedy, progressive temperature, rejection of answers tried before.

Rejection is lazy and exact. The paper draws 25 replies, drops those whose answer was tried before,
and picks one of the rest at random, or any of the 25 when none is new (section 5). Drawing one at a
time until an answer is new, at most 25 times, gives the chosen reply the same distribution:

    Let X_1..X_25 be the draws, independent and identically distributed given the prompt, and let
    N be the set of replies whose answer is new. Eager: given that some X_i is in N, the choice is
    uniform over {i : X_i in N}; since the X_i are exchangeable, the chosen reply is distributed as
    X_1 given X_1 in N. Lazy: the first X_i in N is distributed as X_1 given X_1 in N too, whatever
    i is. Both find none with the same probability P(X_1 not in N)^25, and then both pick uniformly
    among 25 draws that are not in N. QED.

A reply without an answer is not a new answer. Draws come in growing requests (n = 1, 2, 4, 8, 10)
that share their prefill; draws of the last request beyond the first new one are journaled and
ignored, which does not touch the argument.

Every strategy draws its first attempt like ``greedy``, so that conditions start from the same
replies and comparisons are paired.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode, Refused
from feedback_friction.protocol.judge import judged
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Effect,
    Message,
    Reply,
    Usage,
)
from feedback_friction.protocol.state import answer_key, answers_of, entropy_of
from feedback_friction.ways import MAX_DRAWS


def draw(
    episode: Episode, seen: Problem, messages: tuple[Message, ...]
) -> Generator[Effect, Any, Attempt]:
    """The next attempt, drawn as the plan says, with its verdict.

    Args:
        seen: the problem as the solver sees it.

    Raises:
        Refused: the model will not answer.
    """
    plan, iteration = episode.plan, episode.iteration
    rejects, eager = plan.sampling.reject and iteration > 0, plan.sampling.eager
    tried = {*answers_of(episode.attempts), None}
    replies: list[tuple[Reply, Verdict]] = []
    fresh: list[tuple[Reply, Verdict]] = []
    keys: list[str | None] = []
    usage, seconds = Usage(), 0.0
    while len(replies) < (MAX_DRAWS if rejects else 1) and not fresh:
        n = _next_n(len(replies), eager) if rejects else 1
        said: Completion = yield episode.solver_request(messages, seen, draw=len(replies), n=n)
        usage, seconds = usage + said.usage, seconds + said.seconds
        for reply in said.replies:
            verdict = yield from judged(episode.task, seen, reply)
            replies.append((reply, verdict))
            keys.append(answer_key(seen, verdict))
            if keys[-1] not in tried:
                fresh.append((reply, verdict))
    if rejects and (eager or not fresh):
        reply, verdict = episode.rng("choose", iteration).choice(fresh or replies)
    else:
        reply, verdict = (fresh or replies)[0]
    if reply.refusal:
        raise Refused(f"solver: {reply.refusal}")
    return Attempt(
        iteration,
        seen,
        reply,
        verdict,
        plan.sampling.temperature(plan.solver_temperature, iteration),
        len(replies),
        usage,
        seconds,
        entropy=entropy_of(keys),
    )


def _next_n(drawn: int, eager: bool) -> int:
    """Size of the next request: all at once, or 1, 2, 4, 8 and the remaining 10."""
    return MAX_DRAWS if eager else min(drawn + 1, MAX_DRAWS - drawn)
