"""The answer and the reasoning in one message, wherever a server puts either.

Servers that know their model send its reasoning in a field of its own (``reasoning_content`` of
vLLM, SGLang, DeepSeek; ``reasoning`` and ``reasoning_details`` of OpenRouter; ``thinking`` of
Ollama; ``thinking_blocks`` of LiteLLM) or as parts of the content (Mistral, Anthropic). All others
leave it in the text, where ``reading.reasoning`` finds it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from feedback_friction.reading.reasoning import split_reasoning

_REASONING = re.compile(
    r"(?:reasoning|thinking|thoughts?)(?:_?(?:content|text|details|blocks|summary|trace|process))?",
    re.I,
)
_THOUGHT = re.compile(r"think|thought|reasoning", re.I)
_TEXTS = (
    "text",
    "output_text",
    "content",
    "refusal",
    "thinking",
    "reasoning",
    "summary",
    "reasoningText",
    "thought",
)


def message_text(message: Mapping[str, object]) -> tuple[str, str | None] | None:
    """Answer and reasoning (None where there is none) of a message; None for one without text."""
    content = message.get("content")
    if content is None:
        # A structured refusal is what the model said; tool calls alone are no text at all.
        refusal = message.get("refusal")
        content = refusal if isinstance(refusal, str) else ""
    fields = (_text(value) for name, value in message.items() if holds_reasoning(name))
    given = next(filter(None, fields), "")
    if isinstance(content, str):
        return joined(content, [given])
    if isinstance(content, list):
        thoughts = [_text(part) for part in content if _is_thought(part)]
        answer = "".join(_text(part) for part in content if not _is_thought(part))
        return joined(answer, [given, *thoughts])
    return None


def holds_reasoning(name: str) -> bool:
    """Whether a field of a message is one for the reasoning, by its name."""
    return _REASONING.fullmatch(name) is not None


def joined(content: str, given: Iterable[str]) -> tuple[str, str | None]:
    """The answer in a content, and the reasoning: what was given apart, and what stands within."""
    answer, inline = split_reasoning(content)
    if answer != content:
        answer = answer.lstrip()
    thoughts = dict.fromkeys(each for each in (*given, inline or "") if each.strip())
    return answer, "\n".join(thoughts) or None


def unread_parts(message: Mapping[str, object]) -> set[str]:
    """The types of a content's parts that hold no text."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    types = (part.get("type") for part in parts if isinstance(part, dict) and not _text(part))
    return {kind for kind in types if isinstance(kind, str) and kind not in _TEXTS}


def _is_thought(part: object) -> bool:
    return isinstance(part, dict) and _THOUGHT.search(str(part.get("type"))) is not None


def _text(value: object, depth: int = 0) -> str:
    """The text in a part of any type, or in a list of such parts; no more than that is nested."""
    if isinstance(value, str):
        return value
    if depth > 3:
        return ""
    if isinstance(value, list):
        return "".join(_text(each, depth + 1) for each in value)
    if isinstance(value, dict):
        return next((text for name in _TEXTS if (text := _text(value.get(name), depth + 1))), "")
    return ""
