"""Stand-ins for the HTTP APIs of Anthropic and Google, which answer by a script.

Written from the public descriptions of both APIs: the Messages API (with its event stream, which
clients ask for when a model thinks) and ``models/NAME:generateContent``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Answer = Callable[[Body], "Said"]


@dataclass(frozen=True)
class Said:
    """One answer: a body, an HTTP status and headers, after some seconds."""

    body: Body
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass
class StandIn:
    """What a stand-in was asked, and where it is.

    Attributes:
        url: its base URL.
        script: answers still to be given; the last one stays.
        bodies: bodies of the requests so far.
        headers: their headers, names in lower case.
        paths: their paths.
        at_once: the most requests that were being answered at a time.
    """

    url: str
    script: list[Answer]
    bodies: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    under_way: int = 0
    at_once: int = 0

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answer by the script."""
        body = await request.json()
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.paths.append(request.path)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        said = answer(body)
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        await asyncio.sleep(said.after)
        self.under_way -= 1
        if said.status == 200 and body.get("stream"):
            return await _streamed(request, said.body)
        return web.json_response(said.body, status=said.status, headers=said.headers)


@asynccontextmanager
async def standing_in(*script: Answer) -> AsyncIterator[StandIn]:
    """A running stand-in for both APIs."""
    server = StandIn("", list(script))
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/{path:.*}", server.post)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


# --- Anthropic -----------------------------------------------------------------------------------


def message(
    text: str = "The answer is 4.",
    *,
    thinking: str = "",
    stop: str = "end_turn",
    read: int = 0,
    written: int = 0,
) -> Answer:
    """A message; tokens are 20 for the prompt beyond the cache and 7 for the reply."""
    content: list[Body] = []
    if thinking:
        content.append({"type": "thinking", "thinking": thinking, "signature": "c2ln"})
    if text:
        content.append({"type": "text", "text": text, "citations": None})
    usage = {
        "input_tokens": 20,
        "output_tokens": 7,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens_details": {"thinking_tokens": 5 if thinking else 0},
    }
    return lambda body: Said(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
    )


def slowly(answer: Answer, seconds: float) -> Answer:
    """The same answer after a while."""
    return lambda body: replace(answer(body), after=seconds)


def anthropic_error(status: int, kind: str, text: str, **headers: str) -> Answer:
    """An error in Anthropic's form."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_1"}
    return lambda body: Said(error, status, named)


async def _streamed(request: web.Request, whole: Body) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for event in _events(whole):
        line = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
        await response.write(line.encode())
    return response


def _events(whole: Body) -> Iterator[Body]:
    start = {**whole, "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(whole["content"]):
        kind = block["type"]
        empty = {**block, kind: "", **({"signature": ""} if kind == "thinking" else {})}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        delta = {"type": f"{kind}_delta", kind: block[kind]}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        if kind == "thinking":
            delta = {"type": "signature_delta", "signature": block["signature"]}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": whole["usage"]}
    yield {"type": "message_stop"}


# --- Google --------------------------------------------------------------------------------------


def content(
    *texts: str,
    thought: str = "",
    finish: str = "STOP",
    logprobs: tuple[float, ...] = (),
    cached: int = 0,
    thought_tokens: int = 0,
) -> Answer:
    """One candidate for each text."""

    def answer(body: Body) -> Said:
        thoughts = [{"text": thought, "thought": True}] if thought else []
        candidates: list[Body] = [
            {
                "content": {"role": "model", "parts": [*thoughts, *([{"text": t}] if t else [])]},
                "finishReason": finish,
                "index": index,
            }
            for index, t in enumerate(texts)
        ]
        if logprobs:
            chosen = [{"token": "x", "tokenId": 1, "logProbability": p} for p in logprobs]
            tops = [{"candidates": [each]} for each in chosen]
            for candidate in candidates:
                candidate["logprobsResult"] = {"chosenCandidates": chosen, "topCandidates": tops}
        usage = {
            "promptTokenCount": 20,
            "candidatesTokenCount": 7 * len(texts),
            "cachedContentTokenCount": cached,
            "thoughtsTokenCount": thought_tokens,
            "totalTokenCount": 20 + 7 * len(texts) + thought_tokens,
        }
        return Said(
            {"candidates": candidates, "usageMetadata": usage, "modelVersion": "gemini-test-001"}
        )

    return answer


def blocked(body: Body) -> Said:
    """The prompt itself was filtered."""
    return Said(
        {
            "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
            "usageMetadata": {"promptTokenCount": 20, "totalTokenCount": 20},
            "modelVersion": "gemini-test-001",
        }
    )


def google_error(code: int, status: str, text: str) -> Answer:
    """An error in Google's form."""
    return lambda body: Said({"error": {"code": code, "message": text, "status": status}}, code)
