"""The routes of the simulated server, and one completion from its arrival to its reply.

The API listens on one port and the controls on another, so that a server that has died for good
can still be asked what it saw, and be brought back on the same port.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from hashlib import blake2b

import orjson

from benchmarks.simserver.ledger import Entry, Ledger
from benchmarks.simserver.prefix import PrefixCache
from benchmarks.simserver.settings import FAULTS, Settings
from benchmarks.simserver.slots import Job, Slots
from benchmarks.simserver.wire import Connection, Request
from benchmarks.simserver.writer import Written, roll, token_count, write

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
DEFAULT_MAX_TOKENS = 4096


class Server:
    """The whole state of a simulated server."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._alive: set[Connection] = set()
        self._listener: asyncio.Server | None = None
        self._address = ("127.0.0.1", 0)
        self.settings = settings
        self.slots = Slots(loop, settings.slots)
        self.reset()

    def reset(self) -> None:
        """Forget all calls, the prefix cache, and the position in the sequence of faults."""
        settings = self.settings
        self.ledger = Ledger()
        self._prefix = PrefixCache(settings.block_tokens, settings.cache_blocks)
        # Faults have their own dice: whether a call fails must not change what another call says.
        self._fault_dice = random.Random(f"{settings.seed}:faults")
        self.slots.max_running = self.slots.max_waiting = 0

    async def listen(self, host: str, port: int) -> int:
        """Open the API's port; returns its number."""
        self._listener = await self._loop.create_server(
            lambda: Connection(self.handle, self._alive), host, port, reuse_address=True
        )
        bound: int = self._listener.sockets[0].getsockname()[1]
        self._address = (host, bound)
        return bound

    def die(self) -> None:
        """Close the port and every connection, as a crash would."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in list(self._alive):
            connection.abort()

    async def revive(self) -> None:
        """Open the same port again."""
        if self._listener is None:
            await self.listen(*self._address)

    def change(self, changes: Mapping[str, object]) -> None:
        """Change settings while running.

        Raises:
            ValueError: see ``Settings.changed``.
        """
        self.settings = self.settings.changed(changes)
        self.slots.count = self.settings.slots
        self.slots.serve()

    def stats(self) -> dict[str, object]:
        """The ledger's sums, the queue's peaks, and the processor time that the server took."""
        return {
            **self.ledger.summary(),
            "max_running": self.slots.max_running,
            "max_waiting": self.slots.max_waiting,
            "cpu_seconds": time.process_time(),
        }

    def handle(self, request: Request, connection: Connection) -> None:
        """Answer a request to the API's port."""
        path = request.path.removeprefix("/v1")
        if request.method == "POST" and path == "/chat/completions":
            self._completion(request, connection)
        elif request.method == "GET" and path == "/models":
            names = self.settings.models or ("simulated",)
            models = [{"id": name, "object": "model", "owned_by": "simulation"} for name in names]
            connection.respond(200, orjson.dumps({"object": "list", "data": models}))
        elif request.method == "GET" and path == "/health":
            connection.respond(200, b"{}")
        else:
            self.control(request, connection)

    def control(self, request: Request, connection: Connection) -> None:
        """Answer a request to the control port (the API's port takes the same ones)."""
        action = (request.method, request.path)
        if action == ("GET", "/stats"):
            connection.respond(200, orjson.dumps(self.stats()))
        elif action == ("GET", "/log"):
            entries = [astuple(entry) for entry in self.ledger.entries]
            connection.respond(200, orjson.dumps(entries))
        elif action == ("POST", "/control"):
            try:
                self.change(orjson.loads(request.body))
            except ValueError as error:
                refuse(connection, 422, str(error), "UnprocessableEntityError")
            else:
                connection.respond(200, b"{}")
        elif action == ("POST", "/reset"):
            self.reset()
            connection.respond(200, b"{}")
        elif action == ("POST", "/die"):
            self.die()
            connection.respond(200, b"{}")
        elif action == ("POST", "/revive"):
            task = self._loop.create_task(self.revive())
            task.add_done_callback(lambda _: connection.respond(200, b"{}"))
        else:
            refuse(connection, 404, "Not Found", "NotFoundError")

    def _completion(self, request: Request, connection: Connection) -> None:
        entry = self.ledger.arrive(blake2b(request.body, digest_size=12).hexdigest())
        if 0 < self.settings.die_after < len(self.ledger.entries):
            self.ledger.leave(entry, "died")
            self.die()
            return
        call = Call(self, connection, entry)
        connection.on_gone = call.gone
        key = self.settings.api_key
        if key and request.headers.get("authorization") != f"Bearer {key}":
            call.refuse(401, "Unauthorized", "AuthenticationError")
            return
        fault = self._fault()
        if fault in ("rate_limit", "rate_limit_after", "server_error"):
            call.fail(fault)
        else:
            call.begin(request.body, fault)

    def _fault(self) -> str:
        die, settings = self._fault_dice.random(), self.settings
        for name in FAULTS:
            die -= getattr(settings, name)
            if die < 0:
                return name
        return ""

    def admit(self, prompt: str) -> int:
        """Tokens of the prompt that need no prefill."""
        return self._prefix.admit(prompt) if self.settings.prefix_cache else 0


class Call:
    """One call for a completion; its n replies take a slot each, its prompt is computed once."""

    def __init__(self, server: Server, connection: Connection, entry: Entry):
        self._server, self._connection, self._entry = server, connection, entry
        self._settings = server.settings
        self._jobs: list[Job] = []
        self._written: list[Written] = []
        self._open = 0
        self._fault = ""
        self._logprobs = False
        self._model = ""
        self._prompt = ""

    def gone(self) -> None:
        """The client hung up: free the slots."""
        for job in self._jobs:
            self._server.slots.cancel(job)
        self._server.ledger.leave(self._entry, "hang" if self._fault == "hang" else "gone")

    def refuse(self, status: int, message: str, kind: str, extra: str = "") -> None:
        """Answer with an error in vLLM's form."""
        self._server.ledger.leave(self._entry, kind)
        refuse(self._connection, status, message, kind, extra)

    def fail(self, fault: str) -> None:
        """Answer with an injected fault."""
        self._server.ledger.leave(self._entry, fault)
        if fault == "server_error":
            refuse(self._connection, 500, "EngineCore encountered an issue.", "InternalServerError")
            return
        extra = f"Retry-After: {self._settings.retry_after:g}\r\n" if "after" in fault else ""
        refuse(self._connection, 429, "Rate limit reached.", "RateLimitError", extra)

    def begin(self, body: bytes, fault: str) -> None:
        """Read the request, write its replies, and queue them; a hanging call ends here."""
        self._fault = fault
        if fault == "hang":
            return
        try:
            asked = orjson.loads(body)
            texts = [str(message["content"]) for message in asked["messages"]]
            system = texts[0] if asked["messages"][0]["role"] == "system" else ""
            self._model = str(asked["model"])
            n = int(asked.get("n") or 1)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            self.refuse(400, f"{type(error).__name__}: {error}", "BadRequestError")
            return
        if self._settings.models and self._model not in self._settings.models:
            message = f"The model `{self._model}` does not exist."
            self.refuse(404, message, "NotFoundError")
            return
        self._prompt = "\n".join(texts)
        self._logprobs = bool(asked.get("logprobs"))
        limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
        if self._too_long(limit) or self._filtered() or self._odd():
            return
        self._entry.n = n
        self._written = self._write(asked, system, n, limit or DEFAULT_MAX_TOKENS)
        self._open = n
        for number, reply in enumerate(self._written):
            begin = self._prefill_and_decode(reply) if number == 0 else self._decode(reply)
            self._jobs.append(self._server.slots.submit(begin, self._one_done))

    def _too_long(self, limit: int | None) -> bool:
        maximum, prompt = self._settings.max_model_len, token_count(self._prompt)
        if not maximum or prompt + (limit or 1) <= maximum:
            return False
        # The older and the newer wording of vLLM are both met in the wild.
        if prompt % 2:
            detail = (
                f"However, you requested {prompt + (limit or 0)} tokens ({prompt} in the messages, "
                f"{limit or 0} in the completion). Please reduce the length of the messages or "
                "completion."
            )
        else:
            detail = (
                f"However, you requested {limit or 0} output tokens and your prompt contains at "
                f"least {prompt} input tokens, for a total of at least {prompt + (limit or 0)} "
                "tokens. Please reduce the length of the input prompt or the number of requested "
                "output tokens."
            )
        message = f"This model's maximum context length is {maximum} tokens. {detail}"
        self.refuse(400, message, "BadRequestError")
        return True

    def _filtered(self) -> bool:
        share = self._settings.filtered_400
        if not share or roll("filter", self._prompt)[0] >= share:
            return False
        self._server.ledger.leave(self._entry, "filtered_400")
        message = "The response was filtered due to the prompt triggering content management."
        error = {"message": message, "type": None, "param": "prompt", "code": "content_filter"}
        self._connection.respond(400, orjson.dumps({"error": error}))
        return True

    def _odd(self) -> bool:
        bodies, (die, which, *_) = self._settings.bodies, roll("odd", self._prompt)
        if not bodies or die >= self._settings.odd:
            return False
        self._server.ledger.leave(self._entry, "odd")
        body = bodies[int(which * len(bodies))]
        self._connection.respond(200, body.encode("utf-8", "replace"))
        return True

    def _write(
        self, asked: Mapping[str, object], system: str, n: int, max_tokens: int
    ) -> list[Written]:
        settings = self._settings
        said = f"{settings.seed}\0{self._model}\0{self._prompt}"
        base = blake2b(said.encode("utf-8", "replace")).hexdigest()
        temperature = asked.get("temperature", 1.0)
        if not temperature:
            reply = write(settings, system, self._prompt, roll(base), max_tokens)
            return [reply] * n
        seed = asked.get("seed")
        if seed is None:
            seed = random.getrandbits(64)  # as real servers do: every draw is another one
        warm = f"{temperature}:{asked.get('top_p')}:{seed}"
        return [
            write(settings, system, self._prompt, roll(base, f"{warm}:{number}"), max_tokens)
            for number in range(n)
        ]

    def _prefill_and_decode(self, reply: Written) -> Callable[[], float]:
        def begin() -> float:
            entry, settings = self._entry, self._settings
            entry.prompt_tokens = token_count(self._prompt)
            entry.cached_tokens = self._server.admit(self._prompt)
            fresh = entry.prompt_tokens - entry.cached_tokens
            return self._take(
                fresh * settings.prefill_seconds + reply.tokens * settings.decode_seconds
            )

        return begin

    def _decode(self, reply: Written) -> Callable[[], float]:
        return lambda: self._take(reply.tokens * self._settings.decode_seconds)

    def _take(self, seconds: float) -> float:
        scaled = seconds * self._settings.time_scale
        self._server.ledger.busy_seconds += scaled
        return scaled

    def _one_done(self) -> None:
        self._open -= 1
        if self._open:
            return
        entry = self._entry
        entry.completion_tokens = sum(reply.tokens for reply in self._written)
        self._server.ledger.leave(entry, self._fault or "ok")
        if self._fault == "not_json":
            self._connection.respond(200, HTML, "text/html")
            return
        body = orjson.dumps(self._reply())
        if self._fault == "truncated":
            self._connection.respond(200, body[: len(body) // 2])
        elif self._fault == "cut":
            self._connection.respond_cut(body)
        else:
            self._connection.respond(200, body)

    def _reply(self) -> dict[str, object]:
        entry = self._entry
        return {
            "id": f"chatcmpl-{entry.key}",
            "object": "chat.completion",
            "created": int(entry.arrived),
            "model": f"{self._model}#{entry.key}" if self._settings.name_calls else self._model,
            "choices": [
                {
                    "index": number,
                    "message": {"role": "assistant", "content": reply.text},
                    "logprobs": {"content": logprobs(reply)} if self._logprobs else None,
                    "finish_reason": reply.finish_reason,
                }
                for number, reply in enumerate(self._written)
            ],
            "usage": {
                "prompt_tokens": entry.prompt_tokens,
                "completion_tokens": entry.completion_tokens,
                "total_tokens": entry.prompt_tokens + entry.completion_tokens,
                "prompt_tokens_details": {"cached_tokens": entry.cached_tokens},
            },
        }


def logprobs(reply: Written) -> Sequence[Mapping[str, object]]:
    """Log-probabilities of the reply's tokens: at most 0, mostly near it, some far."""
    text, confidence, shift = reply.text, reply.dice[3], int(reply.dice[6] * 97)
    tokens = []
    for number, start in enumerate(range(0, len(text), 4)):
        # The golden ratio spreads the values evenly; the square makes most of them small.
        spread = (0.6180339887498949 * (number + shift)) % 1.0
        value = -spread * spread * (0.1 + confidence)
        tokens.append(
            {"token": text[start : start + 4], "logprob": value, "bytes": None, "top_logprobs": []}
        )
    return tokens


def refuse(connection: Connection, status: int, message: str, kind: str, extra: str = "") -> None:
    """Answer with an error in the form that vLLM gives it."""
    error = {"message": message, "type": kind, "param": None, "code": status}
    connection.respond(status, orjson.dumps({"error": error}), extra=extra)
