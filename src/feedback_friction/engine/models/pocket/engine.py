"""Continuous batching: many sequences, one worker thread, a step at a time.

In a step every running sequence goes on by a token, and prompts that are new go in piece by piece.
A sequence that ends makes room for the next at once. Sequences that do not fit into the memory any
more wait and are computed again later: as arithmetic is exact, nobody can tell.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, Protocol

from feedback_friction.engine.models.pocket.exact import Array
from feedback_friction.engine.models.pocket.memory import BLOCK, PAGE, Memory, Pool, Prefixes
from feedback_friction.engine.models.pocket.sampling import Choice, Numbers, Sampler
from feedback_friction.engine.models.pocket.transformer import Span


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once, without influence on any reply.

    Attributes:
        sequences: that run at once.
        prompt_tokens: of prompts, computed in one step by each thread.
        memory: bytes of keys and values, of running sequences and of kept prefixes together.
    """

    sequences: int = 64
    prompt_tokens: int = 128
    memory: int = 320 * 2**20


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        prompt: token ids, at least one and fewer than the context.
        seeds: one for each reply.
        max_tokens: of a reply; what the context leaves may be less.
        temperature: 0 is greedy.
        top_p: above 0, at most 1.
        logprobs: whether log-probabilities are wanted.
    """

    prompt: tuple[int, ...]
    seeds: tuple[int, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """One reply.

    Attributes:
        tokens: ids, the one that ended it included.
        finish: ``length`` when it reached ``max_tokens`` or the end of the context.
        mean_logprob: mean natural log-probability per token at temperature 1; None if not asked.
    """

    tokens: tuple[int, ...]
    finish: Literal["stop", "length"]
    mean_logprob: float | None


@dataclass(frozen=True, slots=True)
class Served:
    """The replies to an order, by its seeds, and how much of the prompt was known already."""

    replies: tuple[Drawn, ...]
    cached_tokens: int


class ClosedError(Exception):
    """The engine was closed, or failed: nothing more comes from it."""


@dataclass(slots=True, eq=False)
class _Job:
    """An order under way."""

    order: Order
    future: Future[Served] = field(default_factory=Future)
    replies: dict[int, Drawn] = field(default_factory=dict)
    cached_tokens: int = 0


@dataclass(slots=True, eq=False)
class _Sequence:
    """One reply under way: the prompt and what was written, of which ``computed`` are in memory."""

    job: _Job
    number: int
    tokens: list[int]
    sampler: Sampler
    most: int
    computed: int = 0
    logprob: float = 0.0
    memory: Memory = field(init=False)  # while it runs

    @property
    def written(self) -> int:
        return len(self.tokens) - len(self.job.order.prompt)

    @property
    def ahead(self) -> int:
        """Tokens that are still to be computed: one for a sequence that is being written."""
        return len(self.tokens) - self.computed


class Runtime(Protocol):
    """What the engine needs of a ``transformer.Team``."""

    page_size: int
    threads: int

    @property
    def used(self) -> int:
        """Bytes of all memories."""

    @property
    def held(self) -> int:
        """Bytes that they took at most."""

    def open(self) -> Memory:
        """The memory of a new sequence."""

    def scores(self, spans: Sequence[Span]) -> Array:
        """Scores of the successors, [spans that are scored, vocabulary]."""


class Engine:
    """Serves orders in a thread of its own, which starts with the first."""

    def __init__(
        self, runtime: Runtime, context: int, ends: frozenset[int], limits: Limits | None = None
    ) -> None:
        """Make an engine.

        Args:
            runtime: computes the steps.
            context: tokens of a prompt and its reply, at most.
            ends: tokens that end a reply.
        """
        self._runtime = runtime
        self._context = context
        self._ends = ends
        self._limits = limits or Limits()
        self._choice = Choice()
        self._prefixes = Prefixes()
        self._waiting: deque[_Sequence] = deque()
        self._running: list[_Sequence] = []
        self._new: list[_Job] = []  # the only thing that both threads touch
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def submit(self, order: Order) -> Future[Served]:
        """Hand in an order; cancelling the future gives up its sequences at the next step.

        Raises:
            ClosedError: the engine is closed, or failed.
        """
        job = _Job(order)
        with self._changed:
            if self._closed:
                raise ClosedError("the engine is closed")
            self._new.append(job)
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="pocket", daemon=True)
                self._thread.start()
        return job.future

    def close(self) -> None:
        """Give up what is under way; returns when the thread has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    # --- the worker thread -----------------------------------------------------------------------

    def _work(self) -> None:
        reason: BaseException = ClosedError("the engine was closed")
        try:
            while self._take_in():
                self._step()
        except Exception as error:  # whatever it is: nobody may wait for ever
            reason = error
        with self._changed:
            self._closed = True
            jobs = {each.job for each in (*self._waiting, *self._running)} | set(self._new)
        for job in jobs:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(reason)
        self._waiting.clear()
        self._running.clear()

    def _take_in(self) -> bool:
        """Take new orders in, and wait for some if there is nothing to do; False to end."""
        with self._changed:
            while not (self._closed or self._new or self._waiting or self._running):
                self._changed.wait()
            jobs, self._new = self._new, []
            self._waiting.extend(self._sequence(job, 0) for job in jobs)
            return not self._closed

    def _sequence(self, job: _Job, number: int) -> _Sequence:
        order = job.order
        numbers = Numbers(order.seeds[number])
        sampler = Sampler(order.temperature, order.top_p, numbers, order.logprobs)
        most = min(order.max_tokens, self._context - len(order.prompt))
        return _Sequence(job, number, list(order.prompt), sampler, most)

    def _step(self) -> None:
        self._drop_cancelled()
        self._make_room()
        self._admit()
        going, spans = [], []
        begun: Counter[Pool] = Counter()
        for each in self._running:
            left = self._limits.prompt_tokens - begun[each.memory.pool]
            ahead = min(each.ahead, max(left, 1))
            if ahead > 1:
                begun[each.memory.pool] += ahead
            after = each.computed + ahead
            going.append(each)
            tokens = each.tokens[each.computed : after]
            spans.append(Span(each.memory, each.computed, tokens, after == len(each.tokens)))
            each.computed = after
        if spans:
            scores = self._runtime.scores(spans)
            self._go_on([e for e, s in zip(going, spans, strict=True) if s.scored], scores)

    def _drop_cancelled(self) -> None:
        gone = [each for each in self._running if each.job.future.cancelled()]
        for each in gone:
            self._stop(each)
        if any(each.job.future.cancelled() for each in self._waiting):
            self._waiting = deque(e for e in self._waiting if not e.job.future.cancelled())

    def _stop(self, each: _Sequence) -> None:
        """Take a sequence out, and its memory from it."""
        self._running.remove(each)
        each.memory.close()
        each.computed = 0

    def _make_room(self) -> None:
        """Let every running sequence grow; the youngest gives way when the memory is full."""
        for each in self._running:
            each.memory.reserve(len(each.tokens))
        while len(self._running) > 1 and self._runtime.used > self._limits.memory:
            youngest = self._running[-1]
            self._stop(youngest)
            self._waiting.appendleft(youngest)

    def _admit(self) -> None:
        """Start sequences that wait, as many as this step can compute something for."""
        ahead = sum(each.ahead for each in self._running if each.ahead > 1)
        wanted = self._limits.prompt_tokens * self._runtime.threads
        while (
            self._waiting
            and len(self._running) < self._limits.sequences
            and ahead < wanted
            and self._has_room(len(self._waiting[0].tokens))
        ):
            each = self._waiting.popleft()
            self._start(each)
            ahead += each.ahead
        self._prefixes.shrink(max(0, self._limits.memory - self._runtime.held))

    def _has_room(self, tokens: int) -> bool:
        """Whether a sequence fits beside those that run, when each of them takes one more page."""
        pages = -(-tokens // PAGE) + len(self._running) + 1
        size = pages * self._runtime.page_size
        return not self._running or self._runtime.used + size <= self._limits.memory

    def _start(self, each: _Sequence) -> None:
        """Run a sequence, from what is known of its beginning."""
        each.memory = self._runtime.open()
        each.memory.reserve(len(each.tokens))
        known = self._prefixes.find(each.tokens, len(each.tokens) - 1)
        for number, block in enumerate(known):
            each.memory.set_block(number, block)
        each.computed = len(known) * BLOCK
        if each.number == 0 and not each.written:
            each.job.cached_tokens = each.computed
        self._running.append(each)

    def _go_on(self, sequences: Sequence[_Sequence], scores: Array) -> None:
        """Choose each sequence's next token, and end those that it ends."""
        samplers = [each.sampler for each in sequences]
        tokens = self._choice.tokens(scores, samplers)
        logprobs = self._choice.logprobs(scores, tokens, samplers)
        for each, token, logprob in zip(sequences, tokens, logprobs, strict=True):
            if not each.written:
                self._keep(each)
                self._start_others(each)
            each.tokens.append(token)
            each.logprob += logprob or 0.0
            if token in self._ends or each.written >= each.most:
                self._keep(each)
                self._end(each, "stop" if token in self._ends else "length")
                self._stop(each)

    def _keep(self, each: _Sequence) -> None:
        """Keep what was computed for the prompts that will begin like this one."""
        self._prefixes.keep(each.tokens, each.computed, each.memory)

    def _start_others(self, first: _Sequence) -> None:
        """The other replies to a prompt, now that it is computed; greedy ones are all the same."""
        order = first.job.order
        if first.number == 0 and order.temperature > 0:
            others = [self._sequence(first.job, number) for number in range(1, len(order.seeds))]
            self._waiting.extendleft(reversed(others))

    def _end(self, each: _Sequence, finish: Literal["stop", "length"]) -> None:
        job, order = each.job, each.job.order
        tokens = tuple(each.tokens[len(order.prompt) :])
        mean = each.logprob / len(tokens) if order.logprobs else None
        numbers = [each.number] if order.temperature > 0 else range(len(order.seeds))
        job.replies.update((number, Drawn(tokens, finish, mean)) for number in numbers)
        if len(job.replies) == len(order.seeds) and job.future.set_running_or_notify_cancel():
            replies = tuple(job.replies[number] for number in range(len(order.seeds)))
            job.future.set_result(Served(replies, job.cached_tokens))
