"""What the doctor finds of servers of several kinds, and of a scripted model where time counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from fake_server import Answer, FakeServer, choice, completion, error, hang, listing, serving
from models_client import friction, run

from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.engine.models.server_check import (
    RETRY,
    Doctor,
    Finding,
    context_finding,
    context_of,
)
from feedback_friction.protocol.records import Completion, Generate, Reply, Usage

Body = dict[str, Any]
PASSWORD = "hunter2-hunter2"


def server(
    *,
    refuses: Callable[[Body], str] = lambda body: "",
    most: int = 99,
    seeds: bool = True,
    logprobs: bool = True,
    usage: bool = True,
    cached: bool = True,
) -> Answer:
    """A server with these abilities; ``refuses`` gives the words of a 400, or none."""
    calls = 0

    async def answer(request: web.Request, body: Body) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if words := refuses(body):
            return await error(400, {"error": {"message": words}})(request, body)
        told = {"content": [{"token": "a", "logprob": -0.5}]}
        said = f"story {body.get('seed') if seeds else calls}"
        more = {"logprobs": told} if logprobs and body.get("logprobs") else {}
        given = [choice(said, **more) for _ in range(min(most, body.get("n", 1)))]
        counts: Body = {"prompt_tokens": 400, "completion_tokens": 7 * len(given)}
        if cached and body["messages"][-1]["content"].endswith("And then?"):
            counts["prompt_tokens_details"] = {"cached_tokens": 390}
        document = {"model": "tiny-1", "choices": given, "usage": counts if usage else None}
        return web.json_response(document)

    return answer


async def examined(
    place: FakeServer, *, patience: float = 20.0
) -> tuple[bool, dict[str, Finding], list[Finding]]:
    """Whether it can be used, and by check what was found."""
    notices: list[str] = []
    settings = ModelSettings(
        "openai/tiny", base_urls=(place.url,), notice=notices.append, retry=RETRY
    )
    model = open_models({"solver": settings}, {})["solver"]
    findings: list[Finding] = []
    try:
        usable = await Doctor(model, notices, patience=patience).examine(findings.append)
    finally:
        await model.close()
    return usable, {each.check: each for each in findings}, findings


def test_of_a_server_that_can_do_everything_nothing_is_missed() -> None:
    async def main() -> None:
        async with serving(server()) as place:
            usable, found, findings = await examined(place)
        assert usable
        assert all(each.is_good for each in findings), findings
        assert found["answers"].found.startswith("yes as 'tiny-1', in ")
        assert found["replies a request"].found == "10 or more"
        assert found["seed"].found == "the same reply twice"
        assert found["log-probabilities"].found == "given (mean -0.50)"
        assert found["token counts"].found == "400 + 7"
        assert found["prefix cache"].found == "390 of 400 tokens"
        assert " tokens/s alone, " in found["speed"].found
        assert len(place.bodies) <= 20

    run(main())


def without(name: str) -> Callable[[Body], str]:
    return lambda body: f"Unsupported parameter: '{name}'" if name in body else ""


NO_SYSTEM = "System role not supported"


@pytest.mark.parametrize(
    ("able", "check", "says", "does"),
    [
        (server(refuses=without("seed")), "seed", "not taken", "cannot be reproduced"),
        (server(seeds=False), "seed", "another reply", "cannot be reproduced"),
        (server(refuses=without("logprobs")), "log-probabilities", "none", "confidence empty"),
        (server(logprobs=False), "log-probabilities", "none", "confidence empty"),
        (server(most=1), "replies a request", "1", "as many requests as it takes"),
        (server(refuses=without("n")), "replies a request", "1", "as many requests"),
        (server(usage=False), "token counts", "none", "cost unknown"),
        (server(usage=False), "speed", "unknown", ""),
        (server(refuses=without("temperature")), "temperature", "not taken", "heat"),
        (
            server(refuses=lambda body: NO_SYSTEM if len(body["messages"]) > 1 else ""),
            "system role",
            "not taken",
            "heads the first user message",
        ),
    ],
)
def test_what_a_server_lacks_is_found_and_what_a_run_does_about_it_is_said(
    able: Answer, check: str, says: str, does: str
) -> None:
    async def main() -> None:
        async with serving(able) as place:
            usable, found, _ = await examined(place)
        assert usable
        assert says in found[check].found
        assert does in found[check].run
        assert not found[check].is_good
        assert len(found) == 9  # the rest was looked at all the same

    run(main())


async def page(request: web.Request, body: Body) -> web.StreamResponse:
    return web.Response(text="<html>Welcome to nginx</html>", content_type="text/html")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (page, "Welcome to nginx"),
        (
            error(400, {"error": {"message": "only support stream mode"}}),
            "only support stream mode",
        ),
        (error(500, "oops"), "HTTP 500: oops"),
        (error(404, {"error": {"message": "no such model"}}), "no such model"),
        (error(429, {"error": {"message": "slow down"}}), "slow down"),
        (completion(choice(error={"message": "upstream", "code": 502})), "HTTP 502: upstream"),
    ],
)
def test_a_server_that_cannot_be_used_is_asked_nothing_more(fault: Answer, says: str) -> None:
    async def main() -> None:
        async with serving(fault) as place:
            usable, found, findings = await examined(place)
        assert not usable
        assert [each.check for each in findings] == ["answers"]
        assert says in found["answers"].found
        assert place.url not in found["answers"].found
        assert "stops before the first trial" in found["answers"].run

    run(main())


def test_a_server_that_hangs_is_left_after_a_while() -> None:
    async def main() -> None:
        async with serving(hang) as place:
            usable, found, _ = await examined(place, patience=0.2)
        assert not usable
        assert found["answers"].found == "no answer within 0.2 s"

    run(main())


@dataclass
class Scripted:
    """A model whose calls take the time that they are told to."""

    seconds: Callable[[Generate], float]
    now: float = 0.0
    name: str = "openai/scripted"
    identity: str = ""
    simulated: bool = False
    asked: list[Generate] = field(default_factory=list)

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def generate(self, request: Generate) -> Completion:
        self.asked.append(request)
        seconds = self.seconds(request)
        self.now += seconds / (8 if request.seed else 1)
        await asyncio.sleep(0)
        replies = (Reply("4", mean_logprob=-1.0),) * request.n
        return Completion(replies, Usage(400, request.max_tokens), seconds)

    def clock(self) -> float:
        return self.now


def scripted(seconds: Callable[[Generate], float]) -> tuple[dict[str, Finding], Scripted]:
    model, findings = Scripted(seconds), list[Finding]()
    asyncio.run(Doctor(model, [], clock=model.clock).examine(findings.append))
    return {each.check: each for each in findings}, model


def test_a_prefix_cache_that_is_not_counted_shows_in_the_time() -> None:
    def cached(request: Generate) -> float:
        return 0.1 if request.messages[-1].content.endswith("And then?") else 1.0

    assert scripted(cached)[0]["prefix cache"].found == "not told; 1.00 s, then 0.10 s"
    never = scripted(lambda request: 1.0)[0]["prefix cache"]
    assert never.found == "no sign of one: 1.00 s, then 1.00 s"
    assert not never.is_good


def test_a_slow_server_is_asked_for_fewer_tokens() -> None:
    def at(rate: float) -> list[int]:
        _, model = scripted(lambda request: request.max_tokens / rate)
        return [request.max_tokens for request in model.asked[-9:]]

    slow, fast = at(4), at(4000)
    assert max(slow) <= 6
    assert fast == [128] * 9


def test_what_is_measured_is_what_the_tokens_took() -> None:
    found, _ = scripted(lambda request: request.max_tokens / 50)
    assert found["speed"].found.startswith("50 tokens/s alone, ")
    assert found["speed"].run.startswith("100 problems x 10 attempts of 300 tokens: ")


@pytest.mark.parametrize(
    ("entry", "context"),
    [
        ({"id": "a", "max_model_len": 4096}, 4096),
        ({"id": "a", "meta": {"n_ctx": 2048, "n_ctx_train": 8192}}, 2048),
        ({"id": "a", "max_context_length": 9000, "loaded_context_length": 4096}, 4096),
        ({"id": "a", "context_length": 2**63, "context_window": 8192.0}, 8192),
        ({"id": "a", "max_model_len": "4096"}, 4096),
        ({"id": "a", "max_model_len": "four"}, None),
        ({"id": "a"}, None),
        ({}, None),
    ],
)
def test_a_context_is_read_under_every_name_that_servers_give_it(
    entry: Body, context: int | None
) -> None:
    assert context_of(entry) == context


@pytest.mark.parametrize(
    ("context", "good", "does"),
    [
        (None, True, "is stopped"),
        (131_072, True, "is stopped"),
        (2048, False, "use --max-tokens 512"),
        (1, False, "use --max-tokens 1"),
    ],
)
def test_a_context_too_small_for_the_defaults_comes_with_what_fits(
    context: int | None, good: bool, does: str
) -> None:
    finding = context_finding(context)
    assert finding.is_good is good
    assert does in finding.run


async def doctor(*arguments: str) -> tuple[int, str, str]:
    return await friction("doctor", *arguments)


def test_the_table_shows_no_secret() -> None:
    async def main() -> None:
        quoting = server(refuses=lambda body: PASSWORD if len(body["messages"]) > 1 else "")
        async with serving(quoting, models=listing("tiny", max_model_len=2048)) as place:
            url = place.url.replace("http://", f"http://me:{PASSWORD}@")
            code, output, errors = await doctor("--base-url", url)
        assert (code, errors) == (0, "")
        assert PASSWORD not in output
        for said in (f"{place.url}/v1", "openai/tiny", "2,048 tokens", "every prompt"):
            assert said in output

    run(main())


@pytest.mark.slow
def test_json_holds_the_same_findings() -> None:
    async def main() -> None:
        async with serving(server(), models=listing("tiny", "other")) as place:
            code, output, _ = await doctor("--base-url", place.url, "--json")
            named = await doctor("--base-url", place.url, "--solver", "openai/other", "--json")
        found = json.loads(output)
        assert (code, found["usable"]) == (0, True)
        by_check = {each["check"]: each for each in found["findings"]}
        assert by_check["models"]["found"] == "tiny, other"
        assert by_check["model"]["found"] == "openai/tiny"
        assert {each["model"] for each in place.bodies} == {"tiny", "other"}
        assert '"openai/other"' in named[1]

    run(main())


@pytest.mark.parametrize(
    ("models", "arguments", "says"),
    [
        (error(404), [], "lists no models: name one with --solver openai/NAME"),
        (error(401), [], "wants a key: set FRICTION_SOLVER_API_KEY or FRICTION_API_KEY"),
        (listing("tiny"), ["--solver", "nonsense/x"], "unknown model provider 'nonsense'"),
        (None, [], "no server answers at http://127.0.0.1"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(
    models: Answer | None, arguments: list[str], says: str
) -> None:
    async def main() -> None:
        async with serving(models=models) as place:
            if models is None:
                await place.stop()
            code, output, errors = await doctor("--base-url", place.url, *arguments)
        assert (code, output) == (2, "")
        assert says in errors
        assert len(errors.splitlines()) == 1

    run(main())


def test_a_server_that_cannot_be_used_ends_with_1() -> None:
    async def main() -> None:
        async with serving(page) as place:
            code, output, _ = await doctor("--base-url", place.url)
        assert code == 1
        assert "Welcome" in output

    run(main())


def test_without_anything_to_look_at_the_command_is_wrong() -> None:
    async def main() -> None:
        code, _, errors = await doctor()
        assert code == 2
        assert "--base-url URL, --solver MODEL, or both" in errors

    run(main())
