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

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass
from random import Random
from typing import Any

from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol.records import Completion, Effect, Generate, Reply, Usage
from feedback_friction.protocol.state import entropy_of
from feedback_friction.ways import MAX_DRAWS, Sampling

GradeReply = Callable[[Reply], Generator[Effect, Any, Verdict]]
AnswerKey = Callable[[Verdict], str | None]
Ask = Callable[[int, int, float], Generate]


@dataclass(frozen=True, slots=True)
class Drawn:
    """The reply that counts, its verdict, and what it took to get it.

    Attributes:
        draws: number of replies drawn, the ignored ones included.
        usage: tokens of all of them.
        seconds: wall time of all requests.
        entropy: of the answers drawn, in nats; None of a single one.
    """

    reply: Reply
    verdict: Verdict
    draws: int
    usage: Usage
    seconds: float
    entropy: float | None = None


def draw(
    strategy: Sampling,
    iteration: int,
    base_temperature: float,
    ask: Ask,
    grade: GradeReply,
    answer_key: AnswerKey,
    tried: Collection[str | None],
    choice: Callable[[], Random],
) -> Generator[Effect, Any, Drawn]:
    """One attempt under a strategy.

    Args:
        ask: makes the request for (n replies, number of the first draw, temperature).
        grade: asks for the verdict on a reply.
        answer_key: what identifies a verdict's answer across iterations; None for no answer.
        tried: keys of the answers tried before.
        choice: makes what chooses among draws when none is new (in the eager form, always).
    """
    temperature = strategy.temperature(base_temperature, iteration)
    if iteration == 0 or not strategy.reject:
        completion: Completion = yield ask(1, 0, temperature)
        verdict = yield from grade(completion.replies[0])
        return Drawn(completion.replies[0], verdict, 1, completion.usage, completion.seconds)
    replies: list[tuple[Reply, Verdict]] = []
    keys: list[str | None] = []
    fresh: list[tuple[Reply, Verdict]] = []
    usage, seconds = Usage(), 0.0
    while len(replies) < MAX_DRAWS and not fresh:
        completion = yield ask(_next_n(len(replies), strategy.eager), len(replies), temperature)
        usage, seconds = usage + completion.usage, seconds + completion.seconds
        for reply in completion.replies:
            verdict = yield from grade(reply)
            replies.append((reply, verdict))
            key = answer_key(verdict)
            keys.append(key)
            if key is not None and key not in tried:
                fresh.append((reply, verdict))
    chosen = fresh[0] if fresh and not strategy.eager else choice().choice(fresh or replies)
    return Drawn(*chosen, len(replies), usage, seconds, entropy_of(keys))


def _next_n(drawn: int, eager: bool) -> int:
    """Size of the next request: all at once, or 1, 2, 4, 8 and the remaining 10."""
    return MAX_DRAWS if eager else min(drawn + 1, MAX_DRAWS - drawn)
