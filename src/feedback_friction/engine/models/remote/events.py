"""Server-sent events, for servers that only stream: the chunks of a reply put together.

The format is that of the HTML standard (section 9.2): lines ``data: ...``, an empty line after each
event. OpenAI's chunks hold a ``delta`` for each choice, and the last event says ``[DONE]``.
"""

from __future__ import annotations

import re
from typing import Any

from feedback_friction.engine.models.remote.chat_reply import MalformedError, parse_json
from feedback_friction.engine.models.remote.message import holds_reasoning

_DONE = "[DONE]"
_FIELD = re.compile(rb"\s*(?:data|event|id|retry)?:")
# Parts of a message that come in pieces, as reasoning does; all else is kept as it came last.
_TEXTS = ("content", "refusal")


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of events."""
    return _FIELD.match(body[:100]) is not None


def whole(body: bytes) -> dict[str, Any]:
    """A stream of chunks as the chat completion that it makes up.

    Raises:
        MalformedError: an event is not JSON, or the stream broke off before its end.
    """
    found: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    is_done = False
    for data in _events(body):
        if data == _DONE:
            is_done = True
            break
        chunk = parse_json(data.encode())
        if not isinstance(chunk, dict):
            raise MalformedError("an event of the stream is no JSON object")
        for piece in chunk.pop("choices", None) or ():
            if isinstance(piece, dict):
                index = piece.get("index")
                index = index if isinstance(index, int) else 0
                _add(choices.setdefault(index, {"message": {}}), piece)
        found |= {name: value for name, value in chunk.items() if value is not None}
    found["choices"] = [choices[index] for index in sorted(choices)]
    is_ended = bool(choices) and all(each.get("finish_reason") for each in choices.values())
    if not is_done and not is_ended and "error" not in found:
        raise MalformedError("the stream of its answer broke off")
    return found


def _events(body: bytes) -> list[str]:
    """The data of every event; several lines of one event are joined."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    found = []
    for event in text.split("\n\n"):
        lines = [line[5:].removeprefix(" ") for line in event.split("\n") if line[:5] == "data:"]
        if lines:
            found.append("\n".join(lines).strip())
    return [data for data in found if data]


def _add(choice: dict[str, Any], piece: dict[str, Any]) -> None:
    """Take a piece up into its choice."""
    message = choice["message"]
    delta = piece.get("delta") or piece.get("message") or {"content": piece.get("text")}
    for name, value in delta.items() if isinstance(delta, dict) else ():
        if (name in _TEXTS or holds_reasoning(name)) and isinstance(value, str):
            message[name] = (message.get(name) or "") + value
        elif isinstance(value, list):
            message[name] = [*(message.get(name) or ()), *value]
        elif value is not None:
            message[name] = value
    logprobs = piece.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if isinstance(content, list):
        known = choice.setdefault("logprobs", {"content": []})["content"]
        known.extend(content)
    for name in ("finish_reason", "error"):
        if piece.get(name) is not None:
            choice[name] = piece[name]
