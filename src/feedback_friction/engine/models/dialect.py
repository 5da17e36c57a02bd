"""The request body, and the quirks that a server is found to have.

Nothing is assumed from a model's name: the first request is the plain one. A server that refuses
one of its parameters says so with a 400 (which costs nothing), and from then on this model is asked
without it. What a quirk takes away from the experiment is told to the user once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b

import orjson

from feedback_friction.engine.models.endpoint import Endpoint
from feedback_friction.engine.models.faults import ErrorAnswer
from feedback_friction.engine.models.options import ModelOptions
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Generate


class Quirk(Enum):
    """A way in which a server departs from the plain API; the value tells the user."""

    COMPLETION_TOKENS = "max_tokens is called max_completion_tokens"
    NO_TEMPERATURE = "it takes no temperature: its own default is used at every attempt"
    NO_TOP_P = "it takes no top_p: its own default is used"
    NO_SEED = "it takes no seed: its replies cannot be made again"
    NO_LOGPROBS = "it gives no log-probabilities: confidence stays empty"
    ONE_CHOICE = "it gives one reply a request: several are asked for by several requests"
    GREEDY_ONE_CHOICE = "it gives one reply a request at temperature 0"


_PARAMETERS = {
    "temperature": Quirk.NO_TEMPERATURE,
    "top_p": Quirk.NO_TOP_P,
    "seed": Quirk.NO_SEED,
    "logprobs": Quirk.NO_LOGPROBS,
    "n": Quirk.ONE_CHOICE,
}
# How servers say that a parameter, or any value of it but the default, is not for this model.
_UNSUPPORTED = re.compile(
    r"unsupported (?:parameter|value)|extra inputs are not permitted|unknown (?:name|parameter)"
    r"|unrecognized request argument|(?:is|are) not supported|does not support|not enabled for"
    r"|not allowed to request"
)
_ONE_CHOICE = re.compile(
    r"only one completion choice|\bn must be 1\b|'n' ?: number must be at most 1"
)
_GREEDY = "n must be 1 when using greedy sampling"  # vLLM
_NAMES_OF_N = frozenset({"n", "n_cmpl", "candidateCount", "num_generations"})
# The field in quotes, or alone before what is said of it; the slots are those of llama.cpp.
_ABOUT_N = re.compile(
    r"['\"`](?:n|n_cmpl|num_generations)['\"`]|\bn_cmpl\b|\bnum_generations\b"
    r"|\bn (?:must|should|cannot|can|value|is|has)\b|\bn ?(?:<|>|=)|candidate_?count"
    r"|number of (?:slots|choices|completions|candidates)"
)
_NUMBER = re.compile(r"(?<![\d.])\d{1,6}(?![\d.]\d)")


def quirks_in(answer: ErrorAnswer) -> frozenset[Quirk]:
    """The quirks that a refusal (HTTP 400 or 422) reveals; empty for any other refusal."""
    words = answer.words
    if _GREEDY in words:
        return frozenset({Quirk.GREEDY_ONE_CHOICE})
    if _ONE_CHOICE.search(words):
        return frozenset({Quirk.ONE_CHOICE})
    if "max_completion_tokens" in words and "max_tokens" in words:
        return frozenset({Quirk.COMPLETION_TOKENS}) if "instead" in words else frozenset()
    if not _UNSUPPORTED.search(words):
        return frozenset()
    if answer.params:
        return frozenset(_PARAMETERS[name] for name in answer.params if name in _PARAMETERS)
    # Without a field that names the parameter, its name in the sentence must do.
    return frozenset(
        quirk
        for name, quirk in _PARAMETERS.items()
        if re.search(rf"['\"`]{name}['\"`]" + (rf"|\b{name}\b" if len(name) > 1 else ""), words)
    )


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


def most_replies(quirks: frozenset[Quirk], request: Generate, limit: int | None) -> int:
    """The most replies that one request may ask for.

    Args:
        limit: what the server is known to allow; None where it has allowed all so far.
    """
    if Quirk.ONE_CHOICE in quirks or (
        Quirk.GREEDY_ONE_CHOICE in quirks and request.temperature == 0
    ):
        return 1
    return request.n if limit is None else min(limit, request.n)


def body_of(
    model: str,
    request: Generate,
    *,
    n: int,
    seed: int,
    quirks: frozenset[Quirk] = frozenset(),
    extra: Mapping[str, object] | None = None,
    reasoning_tokens: int = 0,
) -> bytes:
    """The JSON body that asks for ``n`` replies; ``n`` and ``seed`` replace the request's own.

    Args:
        model: the name that the server knows the model by.
        request: what is asked for.
        n: number of replies to ask for in this body.
        seed: sent with 31 bits, which every server takes.
        quirks: what to leave out or rename.
        extra: further fields, which win over the others.
        reasoning_tokens: added to the limit on the answer.

    Raises:
        ValueError: the messages hold a lone surrogate, which no JSON can carry.
    """
    tokens = "max_completion_tokens" if Quirk.COMPLETION_TOKENS in quirks else "max_tokens"
    body: dict[str, object] = {
        "model": model,
        "messages": request.messages,
        tokens: request.max_tokens + reasoning_tokens,
    }
    if Quirk.NO_TEMPERATURE not in quirks:
        body["temperature"] = request.temperature
    if Quirk.NO_SEED not in quirks:
        body["seed"] = seed & 0x7FFFFFFF
    if n > 1:
        body["n"] = n
    if request.top_p is not None and Quirk.NO_TOP_P not in quirks:
        body["top_p"] = request.top_p
    if request.logprobs and Quirk.NO_LOGPROBS not in quirks:
        body["logprobs"] = True
    if extra:
        body.update(extra)
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
        raise UsageError("OpenAI takes no number of reasoning tokens: use --reasoning-effort")
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
