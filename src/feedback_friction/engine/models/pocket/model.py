"""The provider: a request becomes an order to the engine, and what comes back a completion."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from feedback_friction.engine.models.base import RefusedError
from feedback_friction.engine.models.dialect import draw_seed
from feedback_friction.engine.models.faults import one_line
from feedback_friction.engine.models.pocket.engine import Engine
from feedback_friction.engine.models.pocket.exact import Array, UnboundedError
from feedback_friction.engine.models.pocket.folder import (
    digest,
    find,
    read_ends,
    read_shape,
    read_weights,
)
from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.orders import (
    ClosedError,
    Drawn,
    Limits,
    Order,
    Served,
)
from feedback_friction.engine.models.pocket.tokenizer import TemplateError, Tokenizer
from feedback_friction.engine.models.pocket.transformer import Span, Transformer
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.protocol.records import Completion, Generate, Message, Reply, Usage


class PocketModel:
    """A small model in this process.

    Attributes:
        name: as the user gave it, ``"pocket/NAME"``.
        identity: the name and a digest of all that decides replies: a model that is trained anew
            is another one.
        simulated: False: its replies are a language model's.
        tokenizer: of its folder.
        engine: serves its orders.
    """

    simulated = False

    def __init__(self, spec: str, limits: Limits | None = None) -> None:
        """Load ``pocket/NAME`` or ``pocket/FOLDER``; ``limits`` change no reply.

        Raises:
            UsageError: there is no such folder, or it is not supported; one line.
        """
        folder = find(spec.partition("/")[2])
        shape, ends = read_shape(folder), read_ends(folder)
        self.name = spec
        self._shown = f"{spec}@{digest(folder)}"
        self.identity = f"{spec}\0{self._shown}"
        self.tokenizer = Tokenizer(folder)
        if max(self.tokenizer.size - 1, *ends) >= shape.vocabulary:
            raise UsageError(f"{folder}: the tokenizer has ids beyond vocab_size")
        self._context = shape.context
        try:
            self._weights = Weights(shape, read_weights(folder, shape))
        except UnboundedError as error:
            raise UsageError(f"{folder}: weights too large to be summed exactly") from error
        self.engine = Engine(self._weights, ends, limits)

    def __repr__(self) -> str:
        return f"PocketModel({self._shown!r})"

    async def check(self) -> None:
        """Nothing can be missing: ``__init__`` loaded it."""

    async def close(self) -> None:
        """End the threads."""
        await asyncio.to_thread(self.engine.close)

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says.

        Replies are the same as from as many requests for one, and whatever else is under way. A
        reply ends where the context does, whatever ``max_tokens``.
        """
        began = time.perf_counter()
        order = self._order(request)
        if len(order.prompt) >= self._context:
            return Completion((Reply("", "context_length"),) * request.n, model=self._shown)
        try:
            served = await asyncio.wrap_future(self.engine.submit(order))
        except ClosedError as error:
            raise RunStoppedError(f"{self.name}: {error}") from error
        except Exception as error:  # whatever broke the worker, no other call would fare better
            line = one_line(f"{type(error).__name__}: {error}")
            raise RunStoppedError(f"{self.name}: it broke down ({line})") from error
        return self._completion(order, served, time.perf_counter() - began)

    def logits(self, ids: Sequence[int], first: int = 0) -> Array:
        """Scores of the successors of ``ids[first:]``, [len(ids) - first, vocabulary].

        For comparison with other programs: they are computed apart from the engine.
        """
        transformer = Transformer(self._weights, pages=1)
        memory = transformer.pool.open()
        memory.reserve(len(ids))
        spans = [Span(memory, 0, ids[: first + 1], True)]
        spans += [Span(memory, at, ids[at : at + 1], True) for at in range(first + 1, len(ids))]
        return np.concatenate([transformer.scores([span]) for span in spans])

    def prompt(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        """Ids of a chat, up to where the reply begins.

        Raises:
            RefusedError: the chat template refuses it, or nothing comes of it.
        """
        try:
            ids = self.tokenizer.prompt(messages)
        except TemplateError as error:
            raise RefusedError(f"{self.name}: {error}") from error
        if not ids:
            raise RefusedError(f"{self.name}: the chat template makes an empty prompt")
        return tuple(ids)

    def _order(self, request: Generate) -> Order:
        top_p = 1.0 if request.top_p is None else request.top_p
        if not 0 < top_p <= 1:
            raise RunStoppedError(f"{self.name}: top_p must be above 0 and at most 1, not {top_p}")
        if not 0 <= request.temperature < float("inf"):
            raise RunStoppedError(
                f"{self.name}: the temperature must be at least 0, not {request.temperature}"
            )
        return Order(
            prompt=self.prompt(request.messages),
            seeds=tuple(draw_seed(request.seed, number) for number in range(request.n)),
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=top_p,
            logprobs=request.logprobs,
        )

    def _completion(self, order: Order, served: Served, seconds: float) -> Completion:
        usage = Usage(
            prompt_tokens=len(order.prompt),
            completion_tokens=sum(len(each.tokens) for each in served.replies),
            cached_tokens=served.cached_tokens,
        )
        replies = tuple(self._reply(each) for each in served.replies)
        return Completion(replies, usage, seconds, self._shown)

    def _reply(self, drawn: Drawn) -> Reply:
        return Reply(self.tokenizer.decode(drawn.tokens), drawn.finish, drawn.mean_logprob)
