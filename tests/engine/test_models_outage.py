"""The fast path when things go wrong for longer: dead servers, refused keys, noise, replicas."""

import asyncio
import random
import traceback
from typing import Any

import pytest
from fake_server import completion, cut, drop, error, free_port, hang, serving, slow, text
from models_client import KEY, SharedTime, ask, client, run

from feedback_friction.engine.models.base import (
    KeyRefusedError,
    ModelError,
    RefusedError,
    TransientError,
)
from feedback_friction.engine.models.remote.breaker import PATIENCE
from feedback_friction.engine.models.remote.faults import FaultKind
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.errors import FrictionError, RunStoppedError


def outcomes(results: list[Any]) -> set[str]:
    """What became of several calls: their errors' text, or "ok"."""
    return {str(each) if isinstance(each, BaseException) else "ok" for each in results}


@pytest.mark.parametrize("calls", [1, 50])
def test_a_dead_server_stops_the_run_well_within_a_minute(calls: int) -> None:
    async def main() -> None:
        shared = SharedTime(calls)
        url = f"http://127.0.0.1:{free_port()}"
        async with client(url, clock=shared.clock, sleep=shared.sleep) as (model, _, _):
            work = (model.generate(ask(str(i))) for i in range(calls))
            results = await asyncio.gather(*work, return_exceptions=True)
            assert 30 <= shared.now <= 36
            (line,) = outcomes(results)
            assert all(isinstance(each, RunStoppedError) for each in results)
            assert line.startswith(f"openai/tiny: {url}/v1 could not be reached for 3")
            assert line.endswith("the last: connection refused)")
            with pytest.raises(RunStoppedError) as late:
                await model.generate(ask())
            assert str(late.value) == line

    run(main())


def test_a_server_that_comes_back_in_time_stops_nothing() -> None:
    async def main() -> None:
        port = free_port()
        async with client(f"http://127.0.0.1:{port}") as (model, time, _):
            call = asyncio.create_task(model.generate(ask()))
            while time.now < 15:
                await asyncio.sleep(0)
            async with serving(port=port):
                assert len((await call).replies) == 1

    run(main())


def test_a_server_that_dies_under_load_stops_every_call_with_one_line() -> None:
    async def main() -> None:
        async with serving(slow(0.01, completion())) as server, client(server) as (model, _, _):
            assert len((await model.generate(ask())).replies) == 1
            server.script = [hang]
            work = [asyncio.create_task(model.generate(ask(str(i)))) for i in range(30)]
            while server.under_way < 30:
                await asyncio.sleep(0.001)
            await server.stop()
            results = await asyncio.gather(*work, return_exceptions=True)
        (line,) = outcomes(results)
        assert all(isinstance(each, RunStoppedError) for each in results)
        assert "could not be reached" in line

    run(main())


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, {"error": {"message": "bad key"}}, "refuses the key in FRICTION_API_KEY (HTTP 401"),
        (403, "<h1>Forbidden</h1>", "refuses the key in FRICTION_API_KEY (HTTP 403: Forbidden)"),
        (429, {"error": {"type": "insufficient_quota"}}, "nothing left to pay with (HTTP 429)"),
        (402, {"error": {"message": "Insufficient Balance"}}, "nothing left to pay with"),
        (404, {"error": {"message": "no such model"}}, "refused the first call: HTTP 404"),
    ],
)
def test_what_no_call_can_escape_stops_all_at_once(status: int, body: Any, says: str) -> None:
    async def main() -> None:
        async with (
            serving(hang, hang, hang, error(status, body)) as server,
            client(server, key=KEY) as (model, time, _),
        ):
            work = [asyncio.create_task(model.generate(ask(str(i)))) for i in range(3)]
            while server.under_way < 3:
                await asyncio.sleep(0.001)
            work.append(asyncio.create_task(model.generate(ask("last"))))
            results = await asyncio.gather(*work, return_exceptions=True)
        (line,) = outcomes(results)
        assert says in line
        assert all(isinstance(each, RunStoppedError) for each in results)
        assert isinstance(results[-1], KeyRefusedError) == (status in (401, 403))
        assert time.slept == []

    run(main())


def test_the_first_calls_all_being_refused_stops_the_run() -> None:
    async def main() -> None:
        async with serving(error(400, {"error": "no"})) as server, client(server) as (model, _, _):
            work = (model.generate(ask(str(i))) for i in range(20))
            results = await asyncio.gather(*work, return_exceptions=True)
        stopped = [each for each in results if isinstance(each, RunStoppedError)]
        assert len(stopped) >= 18
        assert len(outcomes(list(stopped))) == 1

    run(main())


def test_refusals_between_successes_concern_their_own_call_only() -> None:
    async def main() -> None:
        script = [completion(), *[error(400, {"error": "no"})] * 5, completion(), completion()]
        async with serving(*script) as server, client(server) as (model, _, _):
            results = [
                (await asyncio.gather(model.generate(ask(str(i))), return_exceptions=True))[0]
                for i in range(7)
            ]
        assert [isinstance(each, RefusedError) for each in results] == [False, *[True] * 5, False]

    run(main())


def test_random_faults_lose_nothing_and_stop_nothing() -> None:
    noise = random.Random(5)
    faults = [
        error(429, headers={"Retry-After": "1"}),
        error(500),
        text('{"choices": [{"mess'),
        text("<html>"),
        cut,
        drop,
    ]

    async def answer(request: Any, body: dict[str, Any]) -> Any:
        faulty = noise.random() < 0.2
        return await (noise.choice(faults) if faulty else completion())(request, body)

    async def main() -> None:
        async with serving(answer) as server, client(server) as (model, _, _):
            work = (model.generate(ask(str(i), n=1 + i % 3)) for i in range(400))
            results = await asyncio.gather(*work)
        assert [len(each.replies) for each in results] == [1 + i % 3 for i in range(400)]
        assert len(server.bodies) > 450

    run(main())


def test_a_replica_that_dies_loses_nothing_and_its_problems_move() -> None:
    async def main() -> None:
        async with (
            serving(slow(0.02, completion())) as one,
            serving() as two,
            client(one, two, key=KEY) as (model, _, _),
        ):
            problems = [str(i) for i in range(40)]
            for _ in range(2):
                await asyncio.gather(*(model.generate(ask(p)) for p in problems))
            assert len(one.bodies) == len(two.bodies) == 40
            work = [asyncio.create_task(model.generate(ask(p))) for p in problems]
            while not one.under_way:
                await asyncio.sleep(0)
            await one.stop()
            assert all(len(each.replies) == 1 for each in await asyncio.gather(*work))
            before = len(two.bodies)
            await asyncio.gather(*(model.generate(ask(p)) for p in problems))
            assert len(two.bodies) == before + 40

    run(main())


def test_a_replica_that_comes_back_is_used_again() -> None:
    async def main() -> None:
        port = free_port()
        async with serving() as one, client(one, f"http://127.0.0.1:{port}") as (model, time, _):
            await asyncio.gather(*(model.generate(ask(str(i))) for i in range(20)))
            assert len(one.bodies) == 20
            async with serving(port=port) as two:
                time.now += 100
                await model.generate(ask("probe"))
                work = (model.generate(ask(f"new {i}")) for i in range(20))
                await asyncio.gather(*work)
                assert len(two.bodies) == 11

    run(main())


def test_a_limited_replica_costs_one_refusal_and_no_wait() -> None:
    async def main() -> None:
        limited = error(429, {"error": {"message": "later"}}, {"Retry-After": "3600"})
        async with (
            serving(limited) as one,
            serving() as other,
            client(one, other) as (model, time, _),
        ):
            await asyncio.gather(*(model.generate(ask(f"p{i}")) for i in range(40)))
            asked = len(one.bodies)
            for i in range(40):
                await model.generate(ask(f"p{i}"))
        assert 1 <= asked <= 20  # those that were under way when it said so
        assert len(one.bodies) == asked
        assert len(other.bodies) == 80
        assert sum(time.slept) < 30

    run(main())


def test_when_all_replicas_are_gone_the_run_stops_and_names_them() -> None:
    async def main() -> None:
        urls = [f"http://127.0.0.1:{free_port()}" for _ in range(3)]
        async with client(*urls) as (model, _, _):
            with pytest.raises(RunStoppedError, match="could not be reached") as stopped:
                await model.generate(ask())
        assert all(url in str(stopped.value) for url in urls)

    run(main())


def test_a_failure_among_several_draws_is_raised_as_itself() -> None:
    async def main() -> None:
        one = completion({"message": {"content": "a"}})
        async with (
            serving(one, one, hang, error(401, {"error": "no"})) as server,
            client(server) as (model, _, _),
        ):
            with pytest.raises(KeyRefusedError, match="wants a key: set FRICTION_API_KEY"):
                await model.generate(ask(n=4))

    run(main())


def everything_shown(error: BaseException) -> str:
    """All that could be printed or written of an exception and of those behind it."""
    shown, seen = "".join(traceback.format_exception(error)), error
    while seen is not None:
        shown += f"{seen!s} {seen!r} {seen.args!r}"
        seen = seen.__cause__ or seen.__context__  # type: ignore[assignment]
    return shown


@pytest.mark.parametrize("padding", [0, 270, 290])
@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 422, 429, 500, 503])
def test_no_error_shows_the_key_even_when_the_server_quotes_it(status: int, padding: int) -> None:
    async def main() -> None:
        said = {"error": {"message": "x" * padding + f"Bearer {KEY}", "code": KEY, "param": KEY}}
        headers = {"Location": f"http://h/?key={KEY}"} if status == 302 else {}
        policy = RetryPolicy(attempts=2, total=20)
        async with (
            serving(error(status, said, headers)) as server,
            client(server, key=KEY, retry=policy) as (model, _, notices),
        ):
            with pytest.raises(FrictionError) as raised:
                await model.generate(ask())
            assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
            shown = everything_shown(raised.value) + repr(model) + "".join(notices)
        assert KEY[:12] not in shown

    run(main())


@pytest.mark.parametrize("fault", [cut, drop, hang], ids=["cut", "drop", "hang"])
def test_no_broken_connection_shows_the_key(fault: Any) -> None:
    async def main() -> None:
        async with serving(fault) as server:
            policy = RetryPolicy(attempts=1)
            async with client(server, key=KEY, retry=policy, timeout=0.1) as (model, _, _):
                with pytest.raises(TransientError) as raised:
                    await model.generate(ask())
        assert raised.value.__cause__ is not None
        assert KEY not in everything_shown(raised.value)

    run(main())


def test_an_answer_that_is_not_http_is_a_fault_that_does_not_show_the_key() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        writer.close()

    async def main() -> None:
        listener = await asyncio.start_server(babble, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        policy = RetryPolicy(attempts=2)
        async with client(f"http://127.0.0.1:{port}", key=KEY, retry=policy) as (model, _, _):
            with pytest.raises(TransientError, match="the answer is not HTTP") as raised:
                await model.generate(ask())
        listener.close()
        assert KEY not in everything_shown(raised.value)

    run(main())


def test_a_slow_run_is_not_stopped_by_faults_while_other_calls_are_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(PATIENCE, FaultKind.FAULTY, 1.0)

    async def main() -> None:
        script = [hang] * 8 + [error(500)]
        async with (
            serving(*script) as server,
            client(server, retry=RetryPolicy(attempts=4)) as (model, _, _),
        ):
            held = [asyncio.create_task(model.generate(ask(str(i)))) for i in range(8)]
            while server.under_way < 8:
                await asyncio.sleep(0.001)
            with pytest.raises(ModelError) as lost:
                await model.generate(ask("unlucky"))
            assert isinstance(lost.value, TransientError)
            for each in held:
                each.cancel()
            await asyncio.gather(*held, return_exceptions=True)

    run(main())


@pytest.mark.parametrize(
    "sound", [True, False], ids=["the server is sound", "the server is broken"]
)
def test_where_only_prompts_are_left_that_spoil_the_answer_the_server_is_asked_something_else(
    sound: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PATIENCE, FaultKind.FAULTY, 0.0)

    async def answer(request: Any, body: dict[str, Any]) -> Any:
        spoils = not sound or "2 + 2?" in str(body["messages"])
        return await (text('{"half": ') if spoils else completion())(request, body)

    async def main() -> None:
        policy = RetryPolicy(attempts=6)
        async with serving(answer) as server, client(server, retry=policy) as (model, _, _):
            work = (model.generate(ask(str(i))) for i in range(3))
            ended = await asyncio.gather(*work, return_exceptions=True)
        assert {type(each) for each in ended} == {TransientError if sound else RunStoppedError}

    run(main())


def test_a_prompt_that_alone_is_limited_for_ever_fails_in_the_end() -> None:
    async def main() -> None:
        async def answer(request: Any, body: Any) -> Any:
            is_poisoned = "2 + 2" in body["messages"][-1]["content"]
            return await (error(429, "slow down") if is_poisoned else completion())(request, body)

        async with serving(answer) as server, client(server) as (model, time, _):
            with pytest.raises(TransientError, match=r"slow down \(failed [0-9]+ times"):
                await model.generate(ask())
            assert 900 <= time.now <= 1800

    run(main())


def test_a_call_that_is_limited_as_all_others_are_waits_on() -> None:
    async def main() -> None:
        async def answer(request: Any, body: Any) -> Any:
            limited = time.now < 800
            return await (error(429, "slow down") if limited else completion())(request, body)

        async with serving(answer) as server, client(server) as (model, time, _):
            assert len((await model.generate(ask())).replies) == 1

    run(main())
