"""Any OpenAI-compatible server (OpenAI, vLLM, SGLang, llama.cpp, Ollama, ...): the fast path.

One attempt is one POST; it ends as a ``Completion`` or as a ``Fault``, and ``calls`` decides what
follows from that. Bodies go out and come in as bytes (orjson), over one connection pool that all
models of a run share. The pool is no queue for time: a call's timeout counts from the moment it has
a slot there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import aiohttp

from feedback_friction.engine.models.model_options import CallOptions
from feedback_friction.engine.models.remote.calls import RemoteModel, textless
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
from feedback_friction.engine.models.remote.dialect import Quirks, body_of, reasoning_fields
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
from feedback_friction.engine.models.remote.replicas import Replica
from feedback_friction.engine.models.remote.retry import retry_after
from feedback_friction.engine.models.remote.transport import (
    Answer,
    Pool,
    TooLargeError,
    lost,
    most_bytes,
    read,
)
from feedback_friction.protocol.records import Completion, Generate


class OpenAIModel(RemoteModel):
    """A model behind one or several OpenAI-compatible servers."""

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
        super().__init__(name, endpoints, options)
        self._pool = pool
        pool.join()
        self._model = name.partition("/")[2]
        asked = self.settings.options
        self._extra = {**reasoning_fields(asked, endpoints), **asked.extra}
        # llama.cpp gives twenty alternatives, whether they are asked for or not.
        self._logprobs = 1 + max(20, tokens(self._extra.get("top_logprobs")) or 0)
        json = {"Content-Type": "application/json"}
        self._calls = {  # where a call goes, and with which headers
            each: (each.endpoint.at("chat/completions"), json | each.endpoint.headers())
            for each in self.replicas.all
        }

    async def check(self) -> None:
        """Ask each replica for its models; see ``preflight.check_endpoints``."""
        down = await check_endpoints(
            self._pool.session,
            [replica.endpoint for replica in self.replicas.all],
            self._model,
            notice=self.settings.notice,
        )
        for replica in self.replicas.all:
            if replica.endpoint in down:
                self.replicas.mark_down(replica)

    async def close(self) -> None:
        """Let go of the connection pool."""
        await self._pool.leave()

    async def attempt(
        self, replica: Replica, request: Generate, quirks: Quirks
    ) -> Completion | Fault:
        """One POST, and what came of it."""
        try:
            body = body_of(self._model, request, quirks, self._extra)
        except ValueError as error:
            return Fault(FaultKind.REFUSED, str(error), cause=error)
        began, seconds = self.settings.clock(), self.seconds(request)
        try:
            answer = await self._post(replica, body, seconds, request)
        except (aiohttp.ClientError, TooLargeError, OSError) as error:
            return lost(error, seconds)
        if answer.status >= 300:
            return self._refusal(request, answer)
        return self._read(request, answer, self.settings.clock() - began)

    async def _post(
        self, replica: Replica, body: bytes, seconds: float, request: Generate
    ) -> Answer:
        url, headers = self._calls[replica]
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=self.settings.connect_timeout)
        logprobs = self._logprobs if request.logprobs else 0
        limit = most_bytes(len(body), request.n * request.max_tokens, logprobs=logprobs)
        async with (
            self._pool.slots,
            # A redirect could carry the key to another host, and would turn POST into GET.
            self._pool.session.post(
                url,
                data=body,
                headers=headers,
                timeout=timeout,
                proxy=replica.endpoint.proxy,
                allow_redirects=False,
            ) as response,
        ):
            return await read(response, limit)

    def _read(self, request: Generate, answer: Answer, seconds: float) -> Completion | Fault:
        """What an answer with HTTP 200 comes to: not always a completion."""
        try:
            data = whole(answer.body) if is_stream(answer.body) else parse_json(answer.body)
            if (failure := failure_in(data)) is not None:
                status, said = failure
                return self._refusal(request, Answer(status, answer.headers, said))
            found = read_completion(data, request.n, seconds=seconds, logprobs=request.logprobs)
            announce_unread(data, self.dialect)
            return without_secrets(found, self.secrets.hide)
        except MalformedError as error:
            kind = FaultKind.EMPTY if isinstance(error, EmptyError) else FaultKind.FAULTY
            line, is_foreign = str(error), isinstance(error, ForeignError)
            if is_foreign:
                page = read_error(answer.body[:2000], self.secrets.hide)
                line += f": {page.message[:80]}" if page.message else ""
            return Fault(kind, line, status=answer.status, cause=error, is_foreign=is_foreign)

    def _refusal(self, request: Generate, answer: Answer) -> Completion | Fault:
        """What an error answer comes to: replies that say why they have no text, or a fault."""
        if 300 <= answer.status < 400:
            target = self.secrets.hide(answer.headers.get("location", "nowhere"))
            moved = one_line(f"moved to {target}")
            return Fault(FaultKind.REFUSED, f"HTTP {answer.status}: {moved}", status=answer.status)
        found = meaning(
            answer.status,
            read_error(answer.body, self.secrets.hide),
            max_tokens=request.max_tokens,
            retry_after=retry_after(answer.headers, time.time()),
        )
        return found if isinstance(found, Fault) else textless(found, request)
