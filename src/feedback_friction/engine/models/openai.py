"""Any OpenAI-compatible server (OpenAI, vLLM, SGLang, llama.cpp, Ollama, ...): the fast path.

One attempt is one POST; it ends as a ``Completion`` or as a ``Fault``, and everything else here
decides what follows from that. Bodies go out and come in as bytes (orjson), over one connection
pool that all models of a run share. The pool is no queue for time: a call's timeout counts from
the moment it has a slot there.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from operator import or_
from random import Random

import aiohttp

from feedback_friction.engine.models.base import (
    KeyRefusedError,
    RefusedError,
    TransientError,
    identity_of,
)
from feedback_friction.engine.models.breaker import Breaker, BreakerPolicy, harmless
from feedback_friction.engine.models.dialect import Form, Quirk, body_of, most_replies
from feedback_friction.engine.models.draw_limit import DrawLimit
from feedback_friction.engine.models.draws import drawn
from feedback_friction.engine.models.endpoint import Endpoint
from feedback_friction.engine.models.events import is_stream, whole
from feedback_friction.engine.models.faults import (
    Fault,
    FaultKind,
    meaning,
    one_line,
    read_error,
)
from feedback_friction.engine.models.learning import Asking, Dialect, final, understood
from feedback_friction.engine.models.omissions import left_out
from feedback_friction.engine.models.options import ModelOptions, seconds_for
from feedback_friction.engine.models.preflight import check_endpoints
from feedback_friction.engine.models.replicas import Replica, ReplicaPolicy, Replicas
from feedback_friction.engine.models.reply import (
    EmptyError,
    MalformedError,
    failure_in,
    parse_json,
    read_completion,
    tokens,
    without_secrets,
)
from feedback_friction.engine.models.retry import (
    Retries,
    RetryPolicy,
    rest,
    resting,
    retry_after,
)
from feedback_friction.engine.models.transport import (
    Answer,
    PackedError,
    Pool,
    TooLargeError,
    lost,
    most_bytes,
    read,
)
from feedback_friction.protocol.records import Completion, Generate, Reply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """How a model's calls are made; every time is in seconds.

    Attributes:
        timeout: longest time that one request may take in all, from the moment it has a slot of the
            pool; None for one that grows with the longest reply (``seconds_for``).
        connect_timeout: longest time to make a connection.
        retry: when a failed call is tried again.
        breaker: when the run is stopped.
        replicas: when a replica is left alone.
        model: the model's own options; part of the identity of its calls.
        extra: further fields of every request body, which win over ours.
        reasoning_tokens: tokens that a reply may take on top of the limit on its answer.
        most_draws: replies that one request may ask for; None where only the server knows.
        notice: told, once each, what the user should know (a parameter that the server does not
            take, a replica that is down); one line.
        clock: monotonic seconds.
        sleep: waits that many seconds.
    """

    timeout: float | None = None
    connect_timeout: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    breaker: BreakerPolicy = field(default_factory=BreakerPolicy)
    replicas: ReplicaPolicy = field(default_factory=ReplicaPolicy)
    model: ModelOptions = field(default_factory=ModelOptions)
    extra: Mapping[str, object] = field(default_factory=dict)
    reasoning_tokens: int = 0
    most_draws: int | None = None
    notice: Callable[[str], None] = _log.warning
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = rest


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
        options: ClientOptions | None = None,
    ):
        """Get ready to call; nothing is sent yet.

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
        self._options = options or ClientOptions()
        self.identity = identity_of(name, self._options.model)
        self._clock = self._options.clock
        self._replicas = Replicas(endpoints, self._clock, self._options.replicas)
        self._secrets = reduce(or_, (endpoint.secrets for endpoint in endpoints))
        servers = ", ".join(endpoint.label for endpoint in endpoints)
        self._breaker = Breaker(f"{name}: {servers}", self._clock, self._options.breaker)
        self._told: set[str] = set()
        self._failing: set[tuple[str, FaultKind]] = set()  # of which the user was told
        self.dialect = Dialect(self._tell, draws=DrawLimit(self._options.most_draws))
        if not self._options.model.sends_temperature:
            self.dialect.quirks = frozenset({Quirk.NO_TEMPERATURE})
        self._doubtful = False
        self._first_call = asyncio.Lock()
        # Only spreads retries in time; what a run computes never depends on it.
        self._random = Random()

    def __repr__(self) -> str:
        return f"OpenAIModel({self.name!r}, {[r.endpoint.label for r in self._replicas.all]})"

    async def check(self) -> None:
        """Ask each replica for its models; see ``preflight.check_endpoints``."""
        checked = await check_endpoints(
            self._pool.session,
            [replica.endpoint for replica in self._replicas.all],
            self._model,
            notice=self._options.notice,
        )
        for replica in self._replicas.all:
            if replica.endpoint in checked.down:
                self._replicas.mark_down(replica)
        self._doubtful = checked.doubtful

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        with self._breaker.watch():
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
        self._breaker.open(why)

    async def close(self) -> None:
        """Let go of the connection pool."""
        await self._pool.leave()

    async def _answer(self, request: Generate) -> Completion:
        completion = await drawn(
            request,
            self._call,
            lambda: most_replies(self.dialect.quirks, request, self.dialect.draws.most),
            lambda: self.dialect.learn(frozenset({Quirk.ONE_CHOICE})),
        )
        for line in left_out(request, completion, reasons=self._options.model.reasons):
            self._tell(line)
        return completion

    async def _call(self, request: Generate, n: int, seed: int) -> Completion:
        """One request, tried until it succeeds or its failure is final."""
        problem = request.occasion.problem
        place = f"{problem.task}/{problem.id}"
        started = self._clock()
        retries: Retries | None = None
        asking = Asking(self.dialect, request, n, self._tokens(request))
        while True:
            form = asking.form()
            replica = self._replicas.place(place)
            began = self._clock()
            outcome = await self._attempt(replica, request, form, seed, asking.is_lowered)
            if isinstance(outcome, Completion):
                asking.worked(form)
                self._breaker.succeeded()
                self._replicas.answered(replica, began)
                return outcome
            if asking.learns(outcome, form):
                continue
            outcome = final(outcome, asking)
            if retries is None:
                timeout = self._seconds(request)
                retries = Retries(self._options.retry, self._random, started, timeout)
            wait = self._next_wait(outcome, replica, place, began, retries)
            await self._breaker.settle(partial(self._asked, replica, request))
            await self._options.sleep(wait)

    async def _asked(self, replica: Replica, request: Generate) -> Completion | Fault:
        """What comes of asking a server something harmless."""
        form = Form(1, self.dialect.quirks)
        return await self._attempt(replica, harmless(request), form, request.seed, False)

    async def _attempt(
        self,
        replica: Replica,
        request: Generate,
        form: Form,
        seed: int,
        is_lowered: bool,
    ) -> Completion | Fault:
        """One POST, and what came of it."""
        try:
            body = body_of(
                self._model,
                request,
                form,
                seed=seed,
                extra=self._options.extra,
                reasoning_tokens=self._options.reasoning_tokens,
            )
        except ValueError as error:
            return Fault(FaultKind.REFUSED, str(error), cause=error)
        began = self._clock()
        seconds = self._seconds(request)
        replica.in_flight += 1
        try:
            answer = await self._post(
                replica, body, seconds, self._most_bytes(request, form.n, body)
            )
        except (aiohttp.ClientError, TooLargeError, PackedError, OSError) as error:
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
            return without_secrets(understood(data, found, self.dialect), self._secrets.hide)
        except MalformedError as error:
            if isinstance(error, EmptyError):
                return Fault(FaultKind.EMPTY, str(error), status=answer.status, cause=error)
            if answer.body.lstrip()[:1] in (b"", b"{", b"[") or is_stream(answer.body):
                return Fault(FaultKind.FAULTY, str(error), status=answer.status, cause=error)
            page = read_error(answer.body[:2000], self._secrets.hide)
            line = f"{error}: {page.message[:80]}"
            return Fault(FaultKind.FAULTY, line, status=answer.status, cause=error, is_foreign=True)

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
            max_tokens=self._tokens(request) if form.max_tokens is None else form.max_tokens,
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

    def _tokens(self, request: Generate) -> int:
        """The most that one reply may have."""
        return request.max_tokens + self._options.reasoning_tokens

    def _seconds(self, request: Generate) -> float:
        return seconds_for(self._options.timeout, self._tokens(request))

    def _most_bytes(self, request: Generate, n: int, body: bytes) -> int:
        # llama.cpp gives twenty, whether they are asked for or not.
        alternatives = max(20, tokens(self._options.extra.get("top_logprobs")) or 0)
        logprobs = 1 + alternatives if request.logprobs else 0
        return most_bytes(len(body), n * self._tokens(request), logprobs=logprobs)

    def _tell(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            self._options.notice(f"{self.name}: {line}")

    def _next_wait(
        self, fault: Fault, replica: Replica, place: str, began: float, retries: Retries
    ) -> float:
        """Tell breaker and replicas of a fault; seconds to wait, or the error that it is."""
        label = replica.endpoint.label
        line = f"{self.name}: {label}: {fault.message}"
        match fault.kind:
            case FaultKind.KEY_REFUSED:
                error = KeyRefusedError(replica.endpoint.key_refused(fault.message))
                self._breaker.open(str(error))
                raise error
            case FaultKind.QUOTA:
                self._breaker.open(f"{label}: nothing left to pay with ({fault.message})")
                self._breaker.raise_if_open()
            case FaultKind.REFUSED:
                self._replicas.answered(replica, began)
                self._breaker.refused(fault)
                raise RefusedError(line) from fault.cause
            case FaultKind.EMPTY:
                self._replicas.answered(replica, began)
            case FaultKind.LIMITED:
                times = retries.failures + 1
                if self._replicas.limited(replica, place, fault.retry_after, times):
                    fault = replace(fault, retry_after=None)  # another one is asked next
            case FaultKind.UNREACHABLE | FaultKind.FAULTY:
                self._replicas.failed(replica, fault.kind)
        self._breaker.failed(fault, began, self._replicas.in_flight, place)
        if fault.is_foreign:
            self._breaker.foreign(fault)
        wait = retries.next_wait(fault, self._clock())
        if wait is None:
            raise TransientError(f"{line} (failed {retries.failures} times)") from fault.cause
        is_failing = fault.kind in (FaultKind.UNREACHABLE, FaultKind.FAULTY)
        if is_failing and not self._breaker.doubts and (label, fault.kind) not in self._failing:
            self._failing.add((label, fault.kind))
            self._tell(f"{label}: {fault.message}; it is asked again")
        return wait
