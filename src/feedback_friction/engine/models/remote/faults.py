"""What went wrong with one attempt, read from the server's own words.

Servers share no vocabulary: the same overflow of the context is a code for one, a type for the
next, and half a sentence for most. The words below are those that the servers are seen to use;
``tests/cases/models_errors.json`` holds a real answer of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from feedback_friction.engine.models.remote.chat_reply import MalformedError, parse_json
from feedback_friction.protocol.records import FinishReason

MESSAGE_LENGTH = 300


class FaultKind(Enum):
    """Kinds of failure; the order of the first three is that of ``breaker.Breaker``."""

    UNREACHABLE = auto()  # no connection: nothing listens, no route, no such name
    FAULTY = auto()  # connected, and no usable answer: 5xx, timeout, cut off, unreadable
    LIMITED = auto()  # answered: not now (429, overloaded)
    REFUSED = auto()  # answered: never (400, 404, 422)
    KEY_REFUSED = auto()  # answered: not with this key (401, 403)
    QUOTA = auto()  # answered: not until somebody pays
    EMPTY = auto()  # answered: nothing, to this prompt, for no reason that is given


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt."""

    kind: FaultKind  # what it means for the call, the replica and the run
    message: str  # one line, without the server's name, and without any key
    retry_after: float | None = None  # seconds that the server asked to wait
    status: int | None = None  # HTTP status, where there was an answer
    answer: ErrorAnswer | None = None  # what the server said, where it did
    cause: BaseException | None = None  # the exception behind it, where there was one
    # tokens that the prompt leaves of the context, where a reply of fewer tokens would fit
    room: int | None = None
    # the answer is no JSON at all: it comes from something that has no such API
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The body of an error, reduced to what can be recognised."""

    message: str  # the most telling sentence, one line of at most 300 characters, fit to be shown
    words: str  # every string in the body, lower case, one a line
    codes: frozenset[str]  # values of every ``code``, ``type`` and ``status`` field, lower case
    params: frozenset[str]  # the parameters that it names as the trouble
    # takes secrets out of what is to be shown; only ``message`` has been through it
    hide: Callable[[str], str] = field(default=str, repr=False, compare=False)


# Values of code, type or status fields.
_CONTEXT_CODES = frozenset(
    {
        "context_length_exceeded",  # OpenAI, Groq
        "string_above_max_length",  # OpenAI, a message of more than 1,048,576 characters
        "exceed_context_size_error",  # llama.cpp
        "model_context_window_exceeded",  # z.ai
    }
)
# llama.cpp counts the prompt alone: a reply ends where the context does, whatever max_tokens.
_PROMPT_ALONE = "exceed_context_size_error"
# An overflow in words: what is too long, in what it is measured, and that it is too much of it.
_CONTEXT_WORDS = (
    re.compile(r"\b(?:context|prompts?|inputs?|sequence|messages|conversation)\b|\brequest exceed"),
    re.compile(r"\b(?:tokens?|length|window|context)\b|\btoo long\b"),
    re.compile(
        r"\bexceed|\btoo (?:long|large|big|many)\b|\boverflow|\bmaximum\b|\bat most\b|\bonly\b"
        r"|\b(?:longer|larger|greater|bigger|more|less) than\b|\breduce\b|\bshorten\b|\bfit\b"
        r"|\b(?:must|should) be\b|>"
    ),
)
_OF_A_RATE = re.compile(r"\bper (?:second|minute|min|hour|day)\b|\brate[ _-]?limit")
_FILTER_CODES = frozenset(
    {
        "content_filter",  # OpenAI, Azure
        "content_policy_violation",  # OpenAI, OpenRouter
        "responsibleaipolicyviolation",  # Azure
        "data_inspection_failed",  # DashScope
        "datainspectionfailed",  # DashScope
    }
)
_FILTER_WORDS = (
    "content management policy",  # Azure
    "violating our usage policy",  # OpenAI, reasoning models
    "rejected as a result of our safety system",  # OpenAI
    "content exists risk",  # DeepSeek
    "may contain inappropriate content",  # DashScope
    "requires moderation",  # OpenRouter
)
_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}  # OpenAI
)
# A single request above the account's limit per minute is answered 429, and will be for ever.
_NEVER_FITS = "request too large for"
_WRONG_KEY = "api key not valid"  # Gemini, with a 400

_OF_A_KEY = re.compile(
    r"\b(?:api[ _-]?)?keys?\b|token|credential|authenti|authori[sz]|sign in|log ?in|permission"
)
_MERE_403 = frozenset(["http", "status", "error", "code", "forbidden", "access", "denied", "nginx"])

_TRANSIENT_STATUS = frozenset({408, 409, 424, 425, 499})
_LIMITED_STATUS = frozenset({429, 529})
_TAG = re.compile(r"<[^<>]*>")
_SIZES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(\d[\d,]{0,10}) (?:tokens? )?maximum context",
        r"(?:context[ -](?:length|size|window)|model (?:length|limit)|sequence length)"
        r"[^0-9\n]{0,30}(\d[\d,]{0,10})",
        r"must be <= (\d[\d,]{0,10})",
        r"maximum context[^0-9\n]{0,30}(\d[\d,]{0,10})",
    )
)
_PROMPTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(\d[\d,]{0,10}) (?:tokens? )?(?:in|of|from) (?:the |your )?(?:text )?"
        r"(?:messages|prompts?|inputs?)",
        r"(\d[\d,]{0,10}) (?:text )?(?:input|prompt|`inputs`)(?: tokens)?\b",
        r"(?:prompt|inputs?|messages)`?(?: tokens| length| contains| has)?(?: at least)?"
        r"[ (:=]{1,3}(\d[\d,]{0,10})",
    )
)


_PARAMS = ("param", "loc", "field", "parameter", "argument", "property")
_SAYS = re.compile(r"msg|message|detail|error|reason|description|title", re.I)


def read_error(body: bytes, hide: Callable[[str], str] = str) -> ErrorAnswer:
    """Reduce the body of an error answer, whatever its format, to an ``ErrorAnswer``.

    Args:
        body: as it came; what it means is read from all of it.
        hide: takes secrets out of what is to be shown.
    """
    try:
        data = parse_json(body)
    except MalformedError:
        text = body[:10_000].decode("utf-8", "replace")
        said = one_line(hide(_TAG.sub(" ", text)))
        return ErrorAnswer(said, text.lower(), frozenset(), frozenset(), hide)
    pairs = list(_leaves(data))
    answer = ErrorAnswer(
        message=one_line(hide(_telling(pairs))),
        words="\n".join(value for _, value in pairs).lower(),
        codes=frozenset(v.lower() for k, v in pairs if k in ("code", "type", "status")),
        params=frozenset(v for k, v in pairs if k in _PARAMS) - {"body"},
        hide=hide,
    )
    upstream = next((value for key, value in pairs if key == "raw"), None)
    return answer if upstream is None else _relayed(answer, read_error(upstream.encode(), hide))


def _relayed(relay: ErrorAnswer, upstream: ErrorAnswer) -> ErrorAnswer:
    """OpenRouter hands on what the provider said, as a string under ``raw``."""
    return ErrorAnswer(
        message=upstream.message or relay.message,
        words=f"{relay.words}\n{upstream.words}",
        codes=relay.codes | upstream.codes,
        params=relay.params | upstream.params,
        hide=relay.hide,
    )


def meaning(
    status: int, answer: ErrorAnswer, *, max_tokens: int, retry_after: float | None = None
) -> FinishReason | Fault:
    """What an error answer means: a result without text, or a fault.

    Args:
        status: HTTP status, 300 or more.
        answer: what ``read_error`` made of the body.
        max_tokens: how many tokens the request wanted to generate.
        retry_after: seconds that the server asked to wait.
    """
    if status == 413:  # a proxy does not let so long a request through
        return "context_length"
    if status not in (401, 429):
        reason: FinishReason | Fault | None = _refusal(answer)
        if reason == "context_length" and _PROMPT_ALONE not in answer.codes:
            reason = _too_long(status, answer, max_tokens)
        if reason is not None:
            return reason
    return fault_of(status, answer, retry_after)


def _too_long(status: int, answer: ErrorAnswer, max_tokens: int) -> FinishReason | Fault:
    """What follows where prompt and reply together are longer than the context."""
    size, prompt = context_size(answer.words), prompt_length(answer.words, max_tokens)
    if size is None:
        return "context_length"
    if prompt is not None:
        room = size - prompt
        message = f"the prompt of {prompt} tokens leaves {room} of a context of {size}"
        fault = Fault(FaultKind.REFUSED, message, status=status, answer=answer, room=room)
        return fault if 0 < room < max_tokens else "context_length"
    if size > max_tokens:
        return "context_length"
    # No prompt could ever fit: the command is wrong, not this prompt too long.
    message = f"{max_tokens} tokens to generate leave no room for a prompt in a context of {size}"
    return Fault(FaultKind.REFUSED, f"{message} tokens", status=status)


def fault_of(status: int, answer: ErrorAnswer, retry_after: float | None = None) -> Fault:
    """The fault that an HTTP error status and its body amount to."""
    message = f"HTTP {status}"
    if answer.message:
        message += f": {answer.message}"
    unnamed = sorted(name for name in answer.params if name not in answer.message)
    if unnamed:
        message += f" ({answer.hide(', '.join(unnamed))})"
    return Fault(_kind(status, answer), one_line(message), retry_after, status, answer)


def one_line(text: str) -> str:
    """Printable, at most 300 characters: a server's text must not steer the terminal it is shown
    in."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[:4000]).split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 1] + "…"


def _refusal(answer: ErrorAnswer) -> FinishReason | None:
    overflows = (
        all(words.search(line) for words in _CONTEXT_WORDS) and not _OF_A_RATE.search(line)
        for line in answer.words.splitlines()
    )
    if answer.codes & _CONTEXT_CODES or any(overflows):
        return "context_length"
    if answer.codes & _FILTER_CODES or any(words in answer.words for words in _FILTER_WORDS):
        return "content_filter"
    return None


def context_size(words: str) -> int | None:
    """The size of the context in tokens, where an overflow names it."""
    found = next((each for pattern in _SIZES for each in [pattern.search(words)] if each), None)
    return _number(found[1]) if found else None


def prompt_length(words: str, max_tokens: int) -> int | None:
    """The length of the prompt in tokens, where an overflow names it, or the sum that it is of."""
    for pattern in _PROMPTS:
        if found := pattern.search(words):
            return _number(found[1])
    numbers = [_number(each) for each in re.findall(r"(?<![\w.])\d[\d,]*", words)]
    sums = [each - max_tokens for each in numbers if each > max_tokens]
    return next((each for each in sums if each in numbers), None)


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:9])


def _kind(status: int, answer: ErrorAnswer) -> FaultKind:
    if status == 402 or answer.codes & _QUOTA_CODES:
        return FaultKind.QUOTA
    if status in _LIMITED_STATUS:
        return FaultKind.REFUSED if _NEVER_FITS in answer.words else FaultKind.LIMITED
    if status == 401 or _WRONG_KEY in answer.words:
        return FaultKind.KEY_REFUSED
    said = set(re.findall("[a-z]+", answer.message.lower()))
    if status == 403 and (said <= _MERE_403 or _OF_A_KEY.search(answer.words)):
        return FaultKind.KEY_REFUSED  # else a country, a model, a prompt or a proxy's rule
    if status in _TRANSIENT_STATUS or (status >= 500 and status != 501):
        return FaultKind.FAULTY
    return FaultKind.REFUSED


def _leaves(data: object, key: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every string and number in the body, with the name of the field that holds it."""
    if isinstance(data, dict) and depth < 12:
        for name, value in data.items():
            if name != "input":  # validators echo the request there: not the server's own words
                yield from _leaves(value, str(name), depth + 1)
    elif isinstance(data, list) and depth < 12:
        for value in data:
            yield from _leaves(value, key, depth + 1)
    elif isinstance(data, str | int | float) and not isinstance(data, bool):
        yield key, str(data)


def _telling(pairs: list[tuple[str, str]]) -> str:
    for wanted in ("message", "msg", "status_msg", "detail", "error"):
        for key, value in pairs:
            if key == wanted and value:
                return value
    return max((value for key, value in pairs if _SAYS.search(key)), key=len, default="")
