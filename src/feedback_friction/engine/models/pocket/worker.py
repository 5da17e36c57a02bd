"""Continuous batching on one thread: many sequences, a step at a time.

In a step every running sequence goes on by a token, and prompts that are new go in piece by piece.
A sequence that ends makes room for the next at once. One that does not fit into the memory any
more waits and is computed again later: as arithmetic is exact, nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress
from typing import Protocol

from feedback_friction.engine.models.pocket.exact import Array
from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.memory import BLOCK, Prefixes, page_size, pages_for
from feedback_friction.engine.models.pocket.orders import Limits
from feedback_friction.engine.models.pocket.sampling import Choice
from feedback_friction.engine.models.pocket.sequence import Job, Sequence
from feedback_friction.engine.models.pocket.transformer import Span, Transformer


class Scheduler(Protocol):
    """Where a worker's sequences come from, and what it shares with other workers.

    Attributes:
        prefixes: what is known of prompts' beginnings; safe for several threads.
    """

    prefixes: Prefixes

    def take(self, worker: Worker) -> Sequence | None:
        """The next sequence for this worker, if there is one that it may start."""

    def put_first(self, sequences: Iterable[Sequence]) -> None:
        """Let sequences wait before all others."""

    def make_room(self) -> None:
        """Forget prefixes, now that sequences or prefixes take more memory than before."""


class Worker:
    """Takes sequences from the scheduler and writes them to their ends.

    Attributes:
        running: its sequences, the oldest first.
        most: how many it runs at once.
    """

    def __init__(
        self, scheduler: Scheduler, weights: Weights, ends: frozenset[int], limits: Limits
    ) -> None:
        """Make a worker with limits of its own.

        Args:
            ends: tokens that end a reply.
        """
        self.running: list[Sequence] = []
        self.most = limits.sequences
        self._scheduler = scheduler
        self._ends = ends
        self._prompt_tokens = limits.prompt_tokens
        self._context = weights.shape.context
        self._page_size = page_size(weights.shape)
        self._pages = (limits.memory - limits.for_prefixes) // self._page_size
        self._transformer = Transformer(weights, self._pages)
        self._pool = self._transformer.pool
        self._choice = Choice()

    @property
    def held(self) -> int:
        """Bytes that its sequences took at most, which stay with this process."""
        return self._pool.most * self._page_size

    def has_room(self, sequence: Sequence) -> bool:
        """Whether a sequence fits beside those that run, when each of them takes one more page."""
        pages = pages_for(len(sequence.tokens)) + len(self.running) + 1
        return not self.running or self._pool.used + pages <= self._pages

    def step(self) -> None:
        """Go on by one step."""
        for each in [each for each in self.running if each.job.future.cancelled()]:
            self._stop(each)
        self._make_room()
        self._admit()
        if self.running:
            spans = list(self._spans())
            scores = self._transformer.scores(spans)
            self._go_on(list(compress(self.running, (span.scored for span in spans))), scores)

    def _make_room(self) -> None:
        """Let every sequence grow; the youngest gives way when the memory is full."""
        needed = sum(pages_for(len(each.tokens)) for each in self.running)
        while len(self.running) > 1 and needed > self._pages:
            youngest = self.running[-1]
            needed -= pages_for(len(youngest.tokens))
            self._stop(youngest)
            self._scheduler.put_first([youngest])
        for each in self.running:
            each.memory.reserve(len(each.tokens))
        self._scheduler.make_room()

    def _admit(self) -> None:
        """Start sequences that wait, as many as this step can compute something for."""
        ahead = sum(each.ahead for each in self.running if each.ahead > 1)
        while ahead < self._prompt_tokens and (each := self._scheduler.take(self)) is not None:
            self._start(each)
            ahead += each.ahead

    def _start(self, each: Sequence) -> None:
        """Run a sequence, from what is known of its beginning."""
        self.running.append(each)
        each.memory = self._pool.open()
        each.memory.reserve(len(each.tokens))
        known = self._scheduler.prefixes.find(each.tokens, len(each.tokens) - 1)
        self._scheduler.make_room()  # before anything is written to the new pages
        for number, block in enumerate(known):
            each.memory.set_block(number, block)
        each.known = each.computed = len(known) * BLOCK
        if each.job.cached_tokens is None:
            each.job.cached_tokens = each.known

    def _spans(self) -> Iterable[Span]:
        """What each sequence computes in this step; a prompt for which nothing is left, a token."""
        left = self._prompt_tokens
        for each in self.running:
            ahead = min(each.ahead, max(left, 1))
            left -= ahead if ahead > 1 else 0
            start, each.computed = each.computed, each.computed + ahead
            tokens = each.tokens[start : each.computed]
            yield Span(each.memory, start, tokens, each.computed == len(each.tokens))

    def _go_on(self, sequences: list[Sequence], scores: Array) -> None:
        """Choose each sequence's next token, and end those that it ends."""
        samplers = [each.sampler for each in sequences]
        tokens = self._choice.tokens(scores, samplers)
        logprobs = self._choice.logprobs(scores, tokens, samplers)
        for each, token, logprob in zip(sequences, tokens, logprobs, strict=True):
            if not each.written:
                if each.computed - each.known >= BLOCK:  # a block that nobody kept
                    self._keep(each)
                self._start_others(each)
            finish = each.add(token, logprob, self._ends)
            if finish is not None:
                self._keep(each)
                self._stop(each)
                each.job.add(each.number, each.drawn(finish))

    def _keep(self, each: Sequence) -> None:
        """Keep what was computed for the prompts that will begin like this one."""
        self._scheduler.prefixes.keep(each.tokens, each.computed, each.memory)
        self._scheduler.make_room()

    def _start_others(self, first: Sequence) -> None:
        """The other replies to a prompt, now that it is computed; greedy ones are all the same."""
        job: Job = first.job
        if first.number == 0 and job.order.temperature > 0:
            numbers = range(1, len(job.order.seeds))
            self._scheduler.put_first([Sequence(job, each, self._context) for each in numbers])

    def _stop(self, each: Sequence) -> None:
        """Take a sequence out, and its memory from it."""
        self.running.remove(each)
        each.memory.close()
        each.computed = 0
