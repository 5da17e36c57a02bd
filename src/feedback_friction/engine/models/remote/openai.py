"""Any OpenAI-compatible server (OpenAI, vLLM, SGLang, llama.cpp, Ollama, ...): the fast path.

One attempt is one POST; it ends as a ``Completion`` or as a ``Fault``, and ``calls`` decides what
follows from that. Bodies go out and come in as bytes (orjson), over one connection pool that all
models of a run share. The pool is no queue for time: a call's timeout counts from the moment it has
a slot there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

import aiohttp

from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.models.remote.calls import CallOptions, Calls, Route
from feedback_friction.engine.models.remote.chat_reply import (
    EmptyError,
    ForeignError,
    MalformedError,
    failure_in,
    parse_json,
    read_completion,
    tokens,
    without_secrets,
)
from feedback_friction.engine.models.remote.dialect import Form, body_of, reasoning_fields
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.events import is_stream, whole
from feedback_friction.engine.models.remote.faults import (
    Fault,
    FaultKind,
    meaning,
    one_line,
    read_error,
)
from feedback_friction.engine.models.remote.learning import announce_unread
from feedback_friction.engine.models.remote.preflight import check_endpoints
from feedback_friction.engine.models.remote.replicas import Replica, Replicas
from feedback_friction.engine.models.remote.retry import resting, retry_after
from feedback_friction.engine.models.remote.transport import (
    Answer,
    Pool,
    TooLargeError,
    lost,
    most_bytes,
    read,
)
from feedback_friction.protocol.records import Completion, Generate, Reply


class OpenAIModel:
    """A model behind one or several OpenAI-compatible servers.

    Attributes:
        name: as the user gave it, ``"openai/NAME"``.
        identity: the name, and its options where it has any.
        simulated: False.
    """

    simulated = False

    def __init__(
        self,
        name: str,
        endpoints: Sequence[Endpoint],
        *,
        pool: Pool,
        options: CallOptions | None = None,
    ):
        """Prepare; nothing is sent yet.

        Args:
            name: ``"openai/NAME"``; the servers are asked for ``NAME``.
            endpoints: its replicas, at least one.
            pool: the connections of the run.
            options: how calls are made.
        """
        self.name = name
        self._model = name.partition("/")[2]
        self._pool = pool
        pool.join()
        self._options = options or CallOptions()
        self.identity = identity_of(name, self._options.model)
        self._clock = self._options.clock
        self.replicas = Replicas(endpoints, self._clock)
        self._secrets = reduce(or_, (endpoint.secrets for endpoint in endpoints))
        servers = ", ".join(endpoint.label for endpoint in endpoints)
        model = self._options.model
        self._extra = {**reasoning_fields(model, endpoints), **model.extra}
        self._calls = Calls(name, f"{name}: {servers}", self._options)
        self.dialect = self._calls.dialect
        self._doubtful = False
        self._first_call = asyncio.Lock()

    def __repr__(self) -> str:
        return f"OpenAIModel({self.name!r}, {[r.endpoint.label for r in self.replicas.all]})"

    async def check(self) -> None:
        """Ask each replica for its models; see ``preflight.check_endpoints``."""
        down, self._doubtful = await check_endpoints(
            self._pool.session,
            [replica.endpoint for replica in self.replicas.all],
            self._model,
            notice=self._options.notice,
        )
        for replica in self.replicas.all:
            if replica.endpoint in down:
                self.replicas.mark_down(replica)

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        with self._calls.breaker.watch():
            if self._doubtful:
                # Nobody has seen the model yet: one call at a time finds out at the price of one.
                with resting():
                    await self._first_call.acquire()
                try:
                    if self._doubtful:
                        completion = await self._answer(request)
                        self._doubtful = False
                        return completion
                finally:
                    self._first_call.release()
            return await self._answer(request)

    def stop(self, why: str) -> None:
        """Have every call fail for good: those under way now, those to come at once."""
        self._calls.breaker.open(why)

    async def close(self) -> None:
        """Let go of the connection pool."""
        await self._pool.leave()

    async def _answer(self, request: Generate) -> Completion:
        return await self._calls.answer(request, lambda: _Route(self))

    async def attempt(
        self, replica: Replica, request: Generate, form: Form, seed: int, is_lowered: bool
    ) -> Completion | Fault:
        """One POST, and what came of it."""
        try:
            body = body_of(
                self._model,
                request,
                form,
                seed=seed,
                max_tokens=self._calls.most_tokens(request, form),
                extra=self._extra,
            )
        except ValueError as error:
            return Fault(FaultKind.REFUSED, str(error), cause=error)
        began = self._clock()
        seconds = self._calls.seconds(request)
        replica.in_flight += 1
        try:
            answer = await self._post(
                replica, body, seconds, self._most_bytes(request, form.n, body)
            )
        except (aiohttp.ClientError, TooLargeError, OSError) as error:
            return lost(error, seconds)
        finally:
            replica.in_flight -= 1
        if answer.status >= 300:
            return self._refusal(request, form, answer, is_lowered)
        return self._read(request, form, answer, self._clock() - began)

    def _read(
        self, request: Generate, form: Form, answer: Answer, seconds: float
    ) -> Completion | Fault:
        """What an answer with HTTP 200 comes to: not always a completion."""
        try:
            data = whole(answer.body) if is_stream(answer.body) else parse_json(answer.body)
            if (failure := failure_in(data)) is not None:
                status, said = failure
                return self._refusal(request, form, Answer(status, answer.headers, said), False)
            found = read_completion(data, form.n, seconds=seconds, logprobs=request.logprobs)
            announce_unread(data, self.dialect)
            return without_secrets(found, self._secrets.hide)
        except MalformedError as error:
            kind = FaultKind.EMPTY if isinstance(error, EmptyError) else FaultKind.FAULTY
            line, is_foreign = str(error), isinstance(error, ForeignError)
            if is_foreign:
                page = read_error(answer.body[:2000], self._secrets.hide)
                line += f": {page.message[:80]}" if page.message else ""
            return Fault(kind, line, status=answer.status, cause=error, is_foreign=is_foreign)

    def _refusal(
        self, request: Generate, form: Form, answer: Answer, is_lowered: bool
    ) -> Completion | Fault:
        """What an error answer comes to: replies that say why they have no text, or a fault."""
        if 300 <= answer.status < 400:
            target = self._secrets.hide(answer.headers.get("location", "nowhere"))
            moved = one_line(f"moved to {target}")
            return Fault(FaultKind.REFUSED, f"HTTP {answer.status}: {moved}", status=answer.status)
        found = meaning(
            answer.status,
            read_error(answer.body, self._secrets.hide),
            max_tokens=self._calls.most_tokens(request, form),
            is_lowered=is_lowered,
            retry_after=retry_after(answer.headers, time.time()),
        )
        return found if isinstance(found, Fault) else Completion((Reply("", found),) * form.n)

    async def _post(self, replica: Replica, body: bytes, seconds: float, limit: int) -> Answer:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=self._options.connect_timeout)
        async with (
            self._pool.slots,
            # A redirect could carry the key to another host, and would turn POST into GET.
            self._pool.session.post(
                replica.url,
                data=body,
                headers=replica.headers,
                timeout=timeout,
                proxy=replica.endpoint.proxy,
                allow_redirects=False,
            ) as response,
        ):
            return await read(response, limit)

    def _most_bytes(self, request: Generate, n: int, body: bytes) -> int:
        # llama.cpp gives twenty, whether they are asked for or not.
        alternatives = max(20, tokens(self._extra.get("top_logprobs")) or 0)
        logprobs = 1 + alternatives if request.logprobs else 0
        return most_bytes(len(body), n * self._calls.most_tokens(request), logprobs=logprobs)


class _Route(Route):
    """One call: the replica that its problem is at may change from attempt to attempt."""

    def __init__(self, model: OpenAIModel):
        self._model, self._replicas = model, model.replicas

    def turn(self, problem: str) -> None:
        self._replica = self._replicas.place(problem)
        self.server = self._replica.endpoint.label

    async def attempt(
        self, request: Generate, form: Form, seed: int, is_lowered: bool
    ) -> Completion | Fault:
        return await self._model.attempt(self._replica, request, form, seed, is_lowered)

    def answered(self, began: float) -> None:
        self._replicas.answered(self._replica, began)

    def failed(self, fault: Fault, problem: str, began: float, failures: int) -> Fault:
        match fault.kind:
            case FaultKind.REFUSED | FaultKind.EMPTY:
                self.answered(began)
            case FaultKind.LIMITED:
                times, asked = failures + 1, fault.retry_after
                if self._replicas.limited(self._replica, problem, asked, times):
                    return replace(fault, retry_after=None)  # another one is asked next
            case FaultKind.UNREACHABLE | FaultKind.FAULTY:
                self._replicas.failed(self._replica, fault.kind)
        return fault

    def key_refused(self, said: str) -> str:
        return self._replica.endpoint.key_refused(said)
