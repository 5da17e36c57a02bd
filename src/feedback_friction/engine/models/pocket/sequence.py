"""A reply under way."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from feedback_friction.engine.models.pocket.memory import Memory
from feedback_friction.engine.models.pocket.orders import Drawn, Finish, Order, Served
from feedback_friction.engine.models.pocket.sampling import Numbers, Sampler


@dataclass(slots=True, eq=False)
class Job:
    """An order under way.

    Attributes:
        order: what was asked for.
        future: gets what was served.
        replies: those that ended, by their number.
        cached_tokens: of the prompt, known when it was first computed; None before that.
    """

    order: Order
    future: Future[Served] = field(default_factory=Future)
    replies: dict[int, Drawn] = field(default_factory=dict)
    cached_tokens: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, number: int, reply: Drawn) -> None:
        """Take a reply in; the last one that is missing completes the future."""
        seeds, greedy = self.order.seeds, self.order.temperature == 0
        numbers = range(len(seeds)) if greedy else [number]  # greedy replies are all the same
        with self._lock:
            self.replies.update(dict.fromkeys(numbers, reply))
            if len(self.replies) == len(seeds) and self._begin():
                replies = tuple(self.replies[number] for number in range(len(seeds)))
                self.future.set_result(Served(replies, self.cached_tokens or 0))

    def fail(self, reason: BaseException) -> None:
        """Hand an error to whoever waits."""
        with self._lock:
            if self._begin():
                self.future.set_exception(reason)

    def _begin(self) -> bool:
        """Whether the future still waits for what it gets now."""
        return not self.future.done() and self.future.set_running_or_notify_cancel()


class Sequence:
    """One reply under way.

    Attributes:
        job: whose reply it is.
        number: of the reply.
        tokens: the prompt, and what was written so far.
        sampler: chooses its tokens.
        memory: its keys and values, while it runs.
        computed: how many of its tokens are in memory.
        known: how many of them were kept from others.
    """

    memory: Memory

    def __init__(self, job: Job, number: int, context: int) -> None:
        order = job.order
        self.job = job
        self.number = number
        self.tokens = list(order.prompt)
        numbers = Numbers(order.seeds[number])
        self.sampler = Sampler(order.temperature, order.top_p, numbers, order.logprobs)
        self.computed = self.known = 0
        self._most = min(order.max_tokens, context - len(order.prompt))
        self._logprob = 0.0

    @property
    def written(self) -> int:
        """Tokens that were written."""
        return len(self.tokens) - len(self.job.order.prompt)

    @property
    def ahead(self) -> int:
        """Tokens that are still to be computed: one for a sequence that is being written."""
        return len(self.tokens) - self.computed

    def add(self, token: int, logprob: float | None, ends: frozenset[int]) -> Finish | None:
        """Write a token; why the reply ends with it, or None if it goes on."""
        self.tokens.append(token)
        self._logprob += logprob or 0.0
        if token in ends:
            return "stop"
        return "length" if self.written >= self._most else None

    def drawn(self, finish: Finish) -> Drawn:
        """The reply, once it ended."""
        tokens = tuple(self.tokens[len(self.job.order.prompt) :])
        mean = self._logprob / len(tokens) if self.job.order.logprobs else None
        return Drawn(tokens, finish, mean)
