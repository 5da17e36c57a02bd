"""Whatever a server answers, a call ends as replies or as an error of its own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiohttp import web
from fake_server import serving
from models_client import KEY, ask, client, run

from feedback_friction.engine.models.base import ModelError
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.errors import RunStoppedError
from feedback_friction.protocol.records import Completion

CASES = Path(__file__).parents[1] / "cases"
HOSTILE: list[Any] = [
    *(2**63, 2**62, -(2**63), 1e308, -1e308, 0, -1, 0.5, True, None, "", "x" * 5000, "1e5000", KEY),
    *("\ud800", "\x00", "\u202e", "NaN", [], {}, [[[]]], [None], {"error": {"code": 2**70}}),
]
HEADERS = ["0", "-1", "1e400", "9" * 300, "Tue, 14 Nov 99999 22:14:20 GMT", "nan", "٣", ""]
BODIES = [
    case["body"]
    for name in ("models_replies", "models_errors", "models_failures_within")
    for case in json.loads((CASES / f"{name}.json").read_text())
    if not isinstance(case["body"], str)
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value, as its container and its key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def damaged(random: Random) -> bytes:
    """A body of the corpus with some of its values made hostile, now and then cut short."""
    body = copy.deepcopy(random.choice(BODIES))
    for _ in range(random.randint(0, 3)):
        if found := list(places(body)):
            container, key = random.choice(found)
            container[key] = copy.deepcopy(random.choice(HOSTILE))
    text = json.dumps(body).encode()
    return text[: random.randrange(len(text) + 1)] if random.random() < 0.1 else text


def is_sane(found: Completion, n: int) -> bool:
    """Whether a completion holds what the records say that it holds."""
    usage = found.usage
    counts = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens)
    return (
        len(found.replies) == n
        and all(isinstance(reply.text, str) for reply in found.replies)
        and all(
            reply.mean_logprob is None or -1e4 < reply.mean_logprob <= 0 for reply in found.replies
        )
        and all(isinstance(count, int) and 0 <= count <= 10**9 for count in counts)
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_answer_breaks_a_call_and_none_shows_the_key(seed: int) -> None:
    random = Random(seed)

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        headers = {"Retry-After": random.choice(HEADERS).encode().decode("latin-1")}
        status = random.choice([200, 200, 200, 201, 400, 404, 422, 429, 500, 503])
        return web.Response(status=status, body=damaged(random), headers=headers)

    async def main() -> None:
        policy = RetryPolicy(attempts=3, empty=2, total=1e6)
        outcomes = {"replies": 0, "errors": 0}
        async with serving(answer) as server:
            for at in range(150):
                async with client(server, key=KEY, retry=policy) as (model, _, notices):
                    try:
                        found = await model.generate(ask(f"p{at}", n=1 + at % 3, logprobs=True))
                    except (ModelError, RunStoppedError) as error:
                        outcomes["errors"] += 1
                        shown = str(error)
                    else:
                        outcomes["replies"] += 1
                        assert is_sane(found, 1 + at % 3), found
                        shown = repr(found)
                    assert "0123456789" not in shown + "".join(notices)
                    assert "\n" not in str(shown)
        assert min(outcomes.values()) > 20, outcomes

    run(main())
