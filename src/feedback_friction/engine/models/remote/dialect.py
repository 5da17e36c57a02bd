"""The request body, and the ways in which a server is found to depart from the plain API.

Nothing is assumed from a model's name: the first request is the plain one. A server that refuses a
parameter or a role names it, and that name is all that is read of a refusal: ``learning`` asks
again without it, and keeps the lesson where that helped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b

import orjson

from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import ErrorAnswer
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Generate, Message


class Quirk(Enum):
    """A way in which a server departs from the plain API; the value tells the user."""

    __hash__ = object.__hash__  # an Enum's own takes ten times as long, and each call asks often

    COMPLETION_TOKENS = "max_tokens is called max_completion_tokens"
    NO_TEMPERATURE = "it takes no temperature: its own default is used at every attempt"
    NO_TOP_P = "it takes no top_p: its own default is used"
    NO_SEED = "it accepts no seed: its replies cannot be reproduced"
    NO_LOGPROBS = "it gives no log-probabilities: confidence stays empty"
    NO_SYSTEM = "it takes no system role: the system prompt heads the first user message"
    STREAM = "it only streams its replies: they are read from its events"
    NO_STREAM_USAGE = "it does not count the tokens of a stream"
    ONE_CHOICE = "it gives one reply a request: several are asked for by several requests"
    GREEDY_ONE_CHOICE = "it gives one reply a request at temperature 0"


# What to do without, by the name of what a server refuses; what matters least comes first.
WITHOUT = {
    "stream_options": Quirk.NO_STREAM_USAGE,
    "logprobs": Quirk.NO_LOGPROBS,
    "seed": Quirk.NO_SEED,
    "top_p": Quirk.NO_TOP_P,
    "temperature": Quirk.NO_TEMPERATURE,
}
# A server that names a range takes the parameter, and not this value of it.
_RANGE = re.compile(
    r"[<>]=?|\b(?:between|range|maximum|minimum|above|below|at (?:most|least))\b"
    r"|\b(?:less|greater|higher|lower|larger|smaller) than\b"
    r"|\bpositive\b|[\[(] ?[\d.]{1,9}, ?[\d.]{1,9} ?[\])]"
)
# What a refusal lists as allowed is not what it refuses ("unknown field `seed`, expected one of").
_ALLOWED = re.compile(
    r"\b(?:expected one of|must be one of|(?:supported|allowed|valid|permitted|known|accepted)"
    r" (?:fields|parameters|params|arguments|properties|keys|names|options))\b.*"
)
_ROLE = re.compile(
    r"\broles?\b|\b(?:system|developer)\b.{0,80}\b(?:messages?|instructions?|prompts?|turns?)\b"
    r"|\b(?:messages?|turns?|variant)\b.{0,200}\b(?:system|developer)\b"
    r"|\b(?:first|start|begin)\w{0,4}\b.{0,60}\buser\b",
    re.S,
)
_STREAM = re.compile(r"\bstream(?:ing|ed)?\b")
_GREEDY = "n must be 1 when using greedy sampling"  # vLLM


Quirks = frozenset[Quirk]


def parameters(request: Generate, quirks: Quirks = frozenset()) -> dict[str, object]:
    """How the replies are to be sampled, by the API's names; without what the server does not take.

    The seed is sent with 31 bits, which every server takes.
    """
    seed = request.seed & 0x7FFFFFFF
    wanted: dict[str, object] = {"temperature": request.temperature, "seed": seed}
    wanted |= request.decoding.given()
    wanted |= {"logprobs": True} if request.logprobs else {}
    return {name: value for name, value in wanted.items() if WITHOUT.get(name) not in quirks}


def sent(request: Generate, quirks: Quirks) -> frozenset[str]:
    """The names of what a request asks for, and could do without."""
    streams = Quirk.STREAM in quirks and Quirk.NO_STREAM_USAGE not in quirks
    others = {
        "stream_options": streams,
        "system": request.messages[0].role == "system" and Quirk.NO_SYSTEM not in quirks,
        "max_tokens": Quirk.COMPLETION_TOKENS not in quirks,
    }
    sampling = parameters(request, quirks)
    return frozenset({*sampling, *(name for name, is_sent in others.items() if is_sent)})


def lessons(answer: ErrorAnswer, asked: frozenset[str], taken: frozenset[str]) -> list[Quirk]:
    """What to try instead, by the names in a refusal; none where it names nothing of what was sent.

    To be tried one after the other, what matters least first: a refusal may name what it allows.

    Args:
        answer: the refusal.
        asked: what was sent (``sent``).
        taken: what the server is known to take: a refusal that names it is about a value.
    """
    if _GREEDY in answer.words:
        return [Quirk.GREEDY_ONE_CHOICE]
    named = [name for name in _named(answer) if name in asked - taken]
    found = [quirk for name, quirk in WITHOUT.items() if name in named]
    found = [quirk for quirk in found if not _is_range(answer, quirk)]
    if "max_tokens" in named:
        found.append(Quirk.COMPLETION_TOKENS)
    if "system" in asked - taken and _ROLE.search(answer.words):
        found.append(Quirk.NO_SYSTEM)
    if "stream" not in taken and _STREAM.search(answer.words) and not found:
        found.append(Quirk.STREAM)
    return found


def _named(answer: ErrorAnswer) -> frozenset[str]:
    """The parameters that a refusal names: in a field of its own, else in its words."""
    own = {re.split(r"[.\[/]", each)[-1].lower() for each in answer.params}
    if found := own & {*WITHOUT, "max_tokens"}:
        return frozenset(found)
    if any(each.startswith(("messages", "model")) for each in answer.params):
        return frozenset()
    refused = "\n".join(_ALLOWED.sub("", line) for line in answer.words.splitlines())
    return _in(refused) or _in(answer.words)


def _in(words: str) -> frozenset[str]:
    return frozenset(re.findall(_PARAMETER, words))


_PARAMETER = rf"(?<![\w-])(?:{'|'.join((*WITHOUT, 'max_tokens'))})(?![\w-])"


def _is_range(answer: ErrorAnswer, quirk: Quirk) -> bool:
    name = next(name for name, each in WITHOUT.items() if each is quirk)
    lines = [line for line in answer.words.splitlines() if name in line] or [answer.words]
    return any(_RANGE.search(line) for line in lines)


def most_tokens(answer: ErrorAnswer, asked: int) -> int | None:
    """The most tokens that a reply may have, by a refusal of ``asked`` of them.

    The largest smaller number in a sentence about the limit; None where there is none.
    """
    about = [line for line in answer.words.splitlines() if _ABOUT_TOKENS.search(line)]
    found = [int(number.replace(",", "")) for line in about for number in _AMOUNT.findall(line)]
    return max((each for each in found if 1 <= each < asked), default=None)


_ABOUT_TOKENS = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|\b(?:completion|output) tokens"
)
_AMOUNT = re.compile(r"(?<![\w.])\d[\d,]{0,9}(?![\w.]\d)")
_NAMES_OF_N = frozenset({"n", "n_cmpl", "candidateCount", "num_generations"})
_SAID_OF_N = r"(?:choices|completions|candidates|sequences|generations|samples|outputs|replies)\b"
# The field in quotes, or alone before what is said of it; the slots are those of llama.cpp.
_ABOUT_N = re.compile(
    r"['\"`](?:n|n_cmpl|num_generations)['\"`]|\bonly one completion choice\b|\bn_cmpl\b"
    r"|\bnum_generations\b"
    r"|\bn (?:must|should|cannot|can|value|is|has)\b|\bn ?(?:<|>|=)|candidate_?count"
    rf"|multiple candidates|(?:number of|too many|multiple|several) (?:slots\b|{_SAID_OF_N})"
)
_NUMBER = re.compile(r"(?<![\d.])\d{1,6}(?![\d.]\d)")


def limit_on_n(answer: ErrorAnswer, n: int) -> int | None:
    """The most replies that a request may ask for, by a refusal of ``n`` of them.

    The largest number below ``n`` that stands in a sentence about n: servers name the limit as a
    range, a bound or an equation ("1 <= value <= 8, but got 10", "less than or equal to 4", "only
    n = 1"). None where no sentence is about n.
    """
    about = [line for line in answer.words.splitlines() if _ABOUT_N.search(line)]
    if not about and not answer.params & _NAMES_OF_N:
        return None
    words = " ".join(about) or answer.message
    found = [int(number) for number in _NUMBER.findall(words)]
    return max((each for each in found if 1 <= each < n), default=1)


def most_replies(quirks: Quirks, request: Generate, limit: int | None) -> int:
    """The most replies that one request may ask for.

    Args:
        limit: what the server is known to allow; None where it has allowed all so far.
    """
    if request.n == 1 or Quirk.ONE_CHOICE in quirks:
        return 1
    if Quirk.GREEDY_ONE_CHOICE in quirks and request.temperature == 0:
        return 1
    return request.n if limit is None else min(limit, request.n)


def messages_of(request: Generate, quirks: Quirks) -> tuple[Message, ...]:
    """The messages; for a server without a system role, its text heads the first user message."""
    first, *others = request.messages
    if first.role != "system" or Quirk.NO_SYSTEM not in quirks:
        return request.messages
    if not others or others[0].role != "user":
        return (Message("user", first.content), *others)
    return (Message("user", f"{first.content}\n\n{others[0].content}"), *others[1:])


def body_of(model: str, request: Generate, quirks: Quirks, extra: Mapping[str, object]) -> bytes:
    """The JSON body of a request.

    Args:
        model: the name that the server knows the model by.
        quirks: what to leave out, rename or send otherwise.
        extra: further fields, which win over the others.

    Raises:
        ValueError: the messages hold a lone surrogate, which no JSON can carry.
    """
    renames = Quirk.COMPLETION_TOKENS in quirks
    body: dict[str, object] = {
        "model": model,
        "messages": messages_of(request, quirks),
        "max_completion_tokens" if renames else "max_tokens": request.max_tokens,
        **parameters(request, quirks),
    }
    if request.n > 1:
        body["n"] = request.n
    if Quirk.STREAM in quirks:
        body["stream"] = True
        if Quirk.NO_STREAM_USAGE not in quirks:
            body["stream_options"] = {"include_usage": True}
    body |= extra
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise ValueError("the prompt holds half a character, which JSON cannot carry") from error


def reasoning_fields(options: ModelOptions, servers: Sequence[Endpoint]) -> Mapping[str, object]:
    """The fields of a body that ask for reasoning; the same for all replicas.

    There is a common name for the effort, and none for a number of tokens: OpenRouter has one of
    its own, and vLLM's is sent to every other server. One that does not know it will not say so;
    a reply without reasoning is told to the user.

    Raises:
        UsageError: OpenAI itself takes no number of tokens.
    """
    fields: dict[str, object] = {}
    if options.reasoning_effort is not None:
        fields["reasoning_effort"] = options.reasoning_effort
    if options.reasoning_tokens is None:
        return fields
    hosts = {server.base.host or "" for server in servers}
    if any(host.endswith("api.openai.com") for host in hosts):
        raise UsageError("OpenAI accepts no number of reasoning tokens: use --reasoning-effort")
    if any(host.endswith("openrouter.ai") for host in hosts):
        fields["reasoning"] = {"max_tokens": options.reasoning_tokens}
    else:
        fields["thinking_token_budget"] = options.reasoning_tokens
    return fields


def draw_seed(seed: int, drawn: int) -> int:
    """The seed for further replies to a request that has ``drawn`` of them already.

    The first draw has the request's own seed. Later ones are hashed from it: servers count upwards
    from the seed of a request with n > 1 (vLLM), so that seed + 1 would repeat a reply.
    """
    if drawn == 0:
        return seed
    digest = blake2b(f"{seed}:{drawn}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") & 0x7FFFFFFF
