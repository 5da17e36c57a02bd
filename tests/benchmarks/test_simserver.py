"""The simulated server does what it says, seen by a client over a real connection."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress

import aiohttp
import pytest
from simclient import DECIMAL, SYSTEM, ask, ask_all, questions, request

from benchmarks.simserver import Settings, SimulatedServer, simulated_server
from benchmarks.simserver.launch import ROOT


def test_several_replies_count_the_prompt_once() -> None:
    user = DECIMAL.format(54321, 12345)
    with simulated_server(Settings(prefix_cache=False)) as server:
        one = ask(server, user, temperature=0.7, seed=5, n=1).json["usage"]
        many = ask(server, user, temperature=0.7, seed=5, n=25).json
        stats = server.stats()
    assert len(many["choices"]) == 25
    assert many["usage"]["prompt_tokens"] == one["prompt_tokens"]
    assert many["usage"]["completion_tokens"] > 20 * one["completion_tokens"]
    assert stats["prompt_tokens"] == 2 * one["prompt_tokens"]


def test_slots_bound_what_runs_at_once_and_serve_first_in_first_out() -> None:
    settings = Settings(slots=2, reply_tokens=100, decode_seconds=0.004, p_first=1.0)
    with simulated_server(settings) as server:
        ask_all(server, questions(10))
        stats, log = server.stats(), server.log()
    assert stats["max_running"] == 2
    assert stats["max_waiting"] == 8
    assert stats["busy_seconds"] == pytest.approx(4.0, rel=0.1)
    left = [entry.left or 0.0 for entry in log]
    assert left[::2] == sorted(left[::2])  # pairs share a moment; between pairs order holds


def test_each_of_several_replies_takes_a_slot() -> None:
    settings = Settings(slots=2, reply_tokens=100, decode_seconds=0.001)
    with simulated_server(settings) as server:
        ask(server, DECIMAL.format(54321, 12345), n=6)
        stats = server.stats()
    assert (stats["max_running"], stats["max_waiting"]) == (2, 4)
    assert stats["busy_seconds"] == pytest.approx(0.6, rel=0.2)


def test_service_time_is_fresh_prefill_plus_decoding_and_scales() -> None:
    user = "y" * 4000
    settings = Settings(prefill_seconds=0.01, decode_seconds=0.1, time_scale=0.01)
    with simulated_server(settings) as server:
        cold = ask(server, user).json["usage"]
        cold_seconds = server.stats()["busy_seconds"]
        warm = ask(server, user + "?").json["usage"]
        warm_seconds = server.stats()["busy_seconds"] - cold_seconds
    for usage, seconds in ((cold, cold_seconds), (warm, warm_seconds)):
        fresh = usage["prompt_tokens"] - usage["prompt_tokens_details"]["cached_tokens"]
        expected = 0.01 * (0.01 * fresh + 0.1 * usage["completion_tokens"])
        assert seconds == pytest.approx(expected)
    assert warm["prompt_tokens_details"]["cached_tokens"] > 900


def test_the_prefix_cache_serves_full_blocks_of_a_known_beginning_only() -> None:
    with simulated_server(Settings(block_tokens=16)) as server:
        known = "".join(f"{i:05d} " for i in range(200))
        cached = [
            ask(server, user).json["usage"]["prompt_tokens_details"]["cached_tokens"]
            for user in (known, known + "more", "x" + known)
        ]
    shared = len(SYSTEM) + 1 + len(known)
    assert cached == [0, shared // 64 * 16, len(SYSTEM) // 64 * 16]


def test_the_prefix_cache_forgets_the_least_recently_used() -> None:
    a, b = "a" * 640, "b" * 640
    with simulated_server(Settings(block_tokens=16, cache_blocks=15)) as server:
        cached = [
            ask(server, user, system="").json["usage"]["prompt_tokens_details"]["cached_tokens"]
            for user in (a, a, b, a)
        ]
    assert cached[0] == 0
    assert cached[1] >= 144
    assert cached[3] < cached[1]


def test_a_client_that_hangs_up_frees_its_slot() -> None:
    settings = Settings(slots=1, reply_tokens=1000, decode_seconds=0.01)
    with simulated_server(settings) as server:
        given_up = ask_all(server, questions(3), timeout=0.3)
        assert {answer.error for answer in given_up} == {"TimeoutError"}
        server.change(decode_seconds=0.0)
        assert ask(server, DECIMAL.format(11111, 22222)).status == 200
        assert server.stats()["outcomes"] == {"gone": 3, "ok": 1}


WIRE = {
    "rate_limit": (429, "", None),
    "rate_limit_after": (429, "", "2"),
    "server_error": (500, "", None),
    "truncated": (200, "", None),
    "not_json": (200, "", None),
    "cut": (0, "ClientPayloadError", None),
    "hang": (0, "TimeoutError", None),
}


@pytest.mark.parametrize("fault", WIRE)
def test_a_fault_looks_on_the_wire_as_its_name_says(fault: str) -> None:
    status, error, after = WIRE[fault]
    with simulated_server(Settings(retry_after=2.0, **{fault: 1.0})) as server:
        [answer] = ask_all(server, questions(1), timeout=0.5 if fault == "hang" else 60)
        assert (answer.status, answer.error) == (status, error)
        assert answer.headers.get("Retry-After") == after
        if status == 200:
            with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
                answer.json  # noqa: B018 - it is the reading that must fail
        server.change(**{fault: 0.0})
        assert ask(server, DECIMAL.format(11111, 22222)).status == 200
        assert server.stats()["outcomes"] == {fault: 1, "ok": 1}


@pytest.mark.slow
def test_faults_come_at_their_rates_and_leave_other_replies_alone() -> None:
    bodies = questions(3000)
    rates = {"rate_limit": 0.05, "server_error": 0.1, "truncated": 0.02, "not_json": 0.03}
    with simulated_server() as sound:
        expected = [answer.texts for answer in ask_all(sound, bodies)]
    with simulated_server(Settings(**rates)) as server:
        answers = ask_all(server, bodies)
        outcomes = server.stats()["outcomes"]
    for fault, rate in rates.items():
        spread = (3000 * rate * (1 - rate)) ** 0.5
        assert abs(outcomes[fault] - 3000 * rate) < 4.5 * spread
    good = [i for i, a in enumerate(answers) if a.status == 200 and a.body.endswith(b"}")]
    assert len(good) == outcomes["ok"]
    assert [answers[i].texts for i in good] == [expected[i] for i in good]


def test_a_server_that_dies_for_good_refuses_connections_until_it_is_revived() -> None:
    with simulated_server(Settings(die_after=10)) as server:
        answers = ask_all(server, questions(30), at_once=1)
        assert [answer.status for answer in answers] == [200] * 10 + [0] * 20
        assert answers[10].error == "ServerDisconnectedError"
        assert {answer.error for answer in answers[11:]} == {"ClientConnectorError"}
        assert server.stats()["outcomes"] == {"ok": 10, "died": 1}
        server.change(die_after=0)
        server.revive()
        assert ask(server, DECIMAL.format(11111, 22222)).status == 200


@pytest.mark.parametrize("padding", [4000, 4004])
def test_too_long_a_prompt_is_refused_in_the_words_of_vllm(padding: int) -> None:
    with simulated_server(Settings(max_model_len=2048)) as server:
        assert ask(server, "short", max_tokens=1000).status == 200
        refused = ask(server, "x" * padding, max_tokens=1500)
    assert refused.status == 400
    message = refused.json["error"]["message"]
    assert message.startswith("This model's maximum context length is 2048 tokens. However, you")
    assert refused.json["error"]["type"] == "BadRequestError"


def test_the_content_filter_cuts_a_reply_or_refuses_a_prompt_the_same_way_every_time() -> None:
    with simulated_server(Settings(filtered=0.5)) as server:
        first = ask_all(server, questions(100))
        assert [a.texts for a in first] == [a.texts for a in ask_all(server, questions(100))]
        reasons = [answer.json["choices"][0]["finish_reason"] for answer in first]
        assert 30 < reasons.count("content_filter") < 70
    with simulated_server(Settings(filtered_400=0.5)) as server:
        codes = [answer.status for answer in ask_all(server, questions(100))]
        assert 30 < codes.count(400) < 70
        assert codes == [answer.status for answer in ask_all(server, questions(100))]


def test_key_and_model_name_are_checked_where_they_are_set() -> None:
    with simulated_server(Settings(api_key="right", models=("m",))) as server:
        assert ask(server, "x").status == 401
        [answer] = ask_all(server, [request("x")], headers={"Authorization": "Bearer right"})
        assert answer.status == 200
        [answer] = ask_all(
            server, [request("x", model="other")], headers={"Authorization": "Bearer right"}
        )
        assert answer.status == 404


def test_repeated_requests_are_counted_and_a_reset_forgets_them() -> None:
    with simulated_server() as server:
        ask_all(server, questions(10))
        ask_all(server, questions(4))
        stats = server.stats()
        assert (stats["calls"], stats["distinct"], stats["asked_twice"]) == (14, 10, 4)
        server.reset()
        assert server.stats()["calls"] == 0


def test_models_and_health_answer_and_unknown_paths_do_not() -> None:
    async def statuses(server: SimulatedServer) -> list[int]:
        async with aiohttp.ClientSession() as session:
            found = []
            for path in ("/models", "/health", "/nothing"):
                async with session.get(server.url + path) as reply:
                    found.append(reply.status)
            return found

    with simulated_server() as server:
        assert asyncio.run(statuses(server)) == [200, 200, 404]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"model": "m"}', b'{"model": "m", "messages": []}']
)
def test_a_malformed_request_is_refused_and_the_connection_lives(body: bytes) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
    with (
        simulated_server() as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        for _ in range(2):
            client.sendall(head + body)
            assert client.recv(65536).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_request_in_small_pieces_and_two_in_one_piece_are_both_read() -> None:
    body = json.dumps(questions(1)[0]).encode()
    raw = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with (
        simulated_server() as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        for start in range(0, len(raw), 100):
            client.sendall(raw[start : start + 100])
            time.sleep(0.001)
        client.sendall(raw + raw)
        seen = b""
        while seen.count(b"HTTP/1.1 200 OK") < 3 or not seen.endswith(b"}}}"):
            seen += client.recv(65536)
        assert server.stats()["outcomes"] == {"ok": 3}


def test_the_server_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os, sys\n"
        "from benchmarks.simserver import simulated_server\n"
        "with simulated_server() as server:\n"
        "    print(server.process.pid, flush=True)\n"
        "    os._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with suppress(ProcessLookupError):  # it is gone already
        server = os.pidfd_open(int(done.stdout))
        ended, _, _ = select.select([server], [], [], 300)
        os.close(server)
        assert ended, "the server outlived its parent"


@pytest.mark.parametrize("setting", ["slotz=3", "slots=many", "slots"])
def test_a_setting_that_does_not_exist_is_refused_in_one_line(setting: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.simserver", f"--set={setting}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert setting.partition("=")[0] in done.stderr.splitlines()[-1]


def test_settings_change_while_the_server_runs() -> None:
    with simulated_server() as server:
        server.change(server_error=1)
        assert ask(server, "x").status == 500
        server.change(server_error=0.0)
        assert ask(server, "x").status == 200
