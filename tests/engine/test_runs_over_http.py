"""``friction run`` as a process against servers in this one: providers, reasoning, notices."""

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models_client
import pytest
from fake_providers import Answer, Body, Said, anthropic_error, content, message, standing_in
from fake_server import Answer as ServerAnswer
from fake_server import choice, completion, error, listing, serving
from models_client import run

from benchmarks.simserver import simulated_server

CLAUDE = "anthropic/claude-3-7-sonnet-20250219"
THOUGHT = "these are my secret thoughts"
FACTORS = re.compile(r"(\d{5}) \* (\d{5})")


@dataclass
class Ended:
    code: int
    output: str
    lines: list[str]

    @property
    def conditions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.output)["conditions"]
        return found


async def friction(out: Path, *arguments: object, **env: str) -> Ended:
    """Run five multiplication problems to the end."""
    code, output, errors = await models_client.friction(
        *("run", "decimal_multiplication", "--limit", "5", "--iterations", "3"),
        *("--out", str(out), "--json", "--quiet", *map(str, arguments)),
        **env,
    )
    assert "Traceback" not in errors
    return Ended(code, output, errors.splitlines())


def rows(out: Path, query: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(f"file:{out / 'journal.sqlite'}?mode=ro", uri=True) as db:
        return db.execute(query).fetchall()


def notices(out: Path) -> list[str]:
    found: list[str] = json.loads((out / "run.json").read_text()).get("notices", [])
    return found


def solving(reply: Callable[[str], Answer]) -> Answer:
    """Wrong at first, right once there is feedback; as a feedback writer, a hint."""

    def answer(body: Body) -> Said:
        shown = str(body)
        if "You are an expert teacher" in shown:
            return reply("Look at the carries again.")(body)
        one, other = map(int, FACTORS.findall(shown)[-1])
        right = "Feedback on attempt" in shown
        return reply(f"I get \\boxed{{{one * other + (0 if right else 1)}}}")(body)

    return answer


# --- providers -----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "variable", "reply"),
    [
        (CLAUDE, "ANTHROPIC", lambda text: message(text, thinking=THOUGHT)),
        (
            "google/gemini-2.5-flash",
            "GOOGLE",
            lambda text: content(text, thought=THOUGHT, thought_tokens=5),
        ),
    ],
)
def test_a_thinking_solver_of_one_provider_gets_feedback_from_another_and_its_thoughts_stay_apart(
    spec: str, variable: str, reply: Callable[[str], Answer], tmp_path: Path
) -> None:
    async def main() -> None:
        with simulated_server() as teacher:
            async with standing_in(solving(reply)) as server:
                ended = await friction(
                    tmp_path,
                    *("--solver", spec, "--feedback", "strong", "--feedback", "self"),
                    *("--feedback-model", "openai/simulated", "--feedback-base-url", teacher.url),
                    *("--reasoning-tokens", 4000, "--temperature", 1, "--feedback-temperature", 1),
                    **{f"{variable}_API_KEY": "key-0123456789", f"{variable}_BASE_URL": server.url},
                )
            assert ended.code == 0, ended.lines
            assert [condition["accuracy"] for condition in ended.conditions] == [[0, 1, 1]] * 2
            assert teacher.stats()["calls"] == 5
            # 5 first answers shared by both conditions, 5 + 5 second ones, 5 hints of its own.
            assert len(server.bodies) == 20
            assert THOUGHT not in str(server.bodies)

    run(main())
    attempts = rows(tmp_path, "SELECT response, reasoning, prediction, feedback FROM attempts")
    assert len(attempts) == 20
    assert all(reasoning == THOUGHT for _, reasoning, _, _ in attempts)
    assert not any(THOUGHT in f"{text} {seen} {told}" for text, _, seen, told in attempts)
    assert sum(row[0] for row in rows(tmp_path, "SELECT reasoning_tokens FROM completions")) == 100
    assert "it accepts no seed" in notices(tmp_path)[0]
    config = json.loads((tmp_path / "run.json").read_text())["config"]
    assert config["solver_options"] == {"reasoning_tokens": 4000}
    assert "feedback_options" not in config


@pytest.mark.slow
def test_a_rate_limit_and_an_overload_lose_nothing(tmp_path: Path) -> None:
    limited = anthropic_error(429, "rate_limit_error", "slow down", retry_after="1")
    overloaded = anthropic_error(529, "overloaded_error", "Overloaded")

    async def main() -> None:
        script = [limited, overloaded, limited, solving(message)]
        async with standing_in(*script) as server:
            ended = await friction(
                tmp_path, "--solver", CLAUDE, "--base-url", server.url, ANTHROPIC_API_KEY="key-0123"
            )
        assert ended.code == 0, ended.lines
        assert ended.conditions[0]["accuracy"] == [0, 1, 1]
        assert len(server.bodies) == 3 + 10

    run(main())


@pytest.mark.slow
def test_a_filtered_reply_stops_its_trial_and_is_no_wrong_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with standing_in(message("I will not", stop="refusal")) as server:
            ended = await friction(
                tmp_path, "--solver", CLAUDE, "--base-url", server.url, ANTHROPIC_API_KEY="key-0123"
            )
        assert ended.code == 0
        assert ended.conditions[0]["stopped"] == 5

    run(main())
    assert rows(tmp_path, "SELECT DISTINCT status, reason FROM trials") == [
        ("stopped", "solver: content_filter")
    ]


@pytest.mark.slow
def test_a_refused_key_ends_the_run_with_one_line_that_names_the_variable(tmp_path: Path) -> None:
    async def main() -> None:
        refused = anthropic_error(401, "authentication_error", "invalid x-api-key")
        async with standing_in(refused) as server:
            ended = await friction(
                tmp_path, "--solver", CLAUDE, "--base-url", server.url, ANTHROPIC_API_KEY="key-0123"
            )
        assert ended.code == 1
        (line,) = [line for line in ended.lines if not line.startswith("note:")]
        assert "the key in ANTHROPIC_API_KEY is refused" in line
        assert "key-0123" not in str(ended.lines)

    run(main())


# --- OpenAI-compatible servers -------------------------------------------------------------------


def test_a_reasoning_model_is_asked_with_its_options_and_its_thoughts_stay_apart(
    tmp_path: Path,
) -> None:
    thoughtful = choice(message={"content": "no answer", "reasoning_content": THOUGHT})

    async def main() -> None:
        async with serving(completion(thoughtful)) as server:
            ended = await friction(
                tmp_path,
                *("--solver", "openai/tiny", "--base-url", server.url, "--feedback", "self"),
                *("--reasoning-effort", "low", "-M", "top_k=20", "-M", 'a={"b": [true, "c"]}'),
            )
        assert ended.code == 0, ended.lines
        assert ended.lines == []
        for body in server.bodies:
            asked = {name: body[name] for name in ("reasoning_effort", "top_k", "a")}
            assert asked == {"reasoning_effort": "low", "top_k": 20, "a": {"b": [True, "c"]}}
        assert THOUGHT not in str(server.bodies)

    run(main())
    assert rows(tmp_path, "SELECT DISTINCT response, reasoning FROM attempts") == [
        ("no answer", THOUGHT)
    ]


@pytest.mark.slow
def test_options_belong_to_their_own_model_and_to_the_configuration(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as solver, serving() as teacher:
            command: list[object] = [
                *("--solver", "openai/tiny", "--base-url", solver.url, "--feedback", "strong"),
                *("--feedback-model", "openai/tiny", "--feedback-base-url", teacher.url),
                *("-M", "top_k=20"),
            ]
            first = await friction(tmp_path, *command, "--feedback-option", "min_p=0.1")
            assert first.code == 0, first.lines
            other = await friction(tmp_path, *command, "--feedback-option", "min_p=0.2")
        assert {body.get("top_k") for body in solver.bodies} == {20}
        assert {(body.get("top_k"), body.get("min_p")) for body in teacher.bodies} == {(None, 0.1)}
        assert other.code == 2
        assert 'feedback_options was {"min_p":0.1}, now {"min_p":0.2}' in other.lines[0]

    run(main())


def test_reasoning_and_logprobs_that_do_not_come_are_told_once_and_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as server:
            ended = await friction(
                tmp_path,
                *("--solver", "openai/tiny", "--base-url", server.url, "--logprobs"),
                *("--reasoning-tokens", "64"),
            )
        assert ended.code == 0
        assert sorted(ended.lines) == sorted(f"note: {line}" for line in notices(tmp_path))
        assert server.bodies[0]["thinking_token_budget"] == 64
        assert server.bodies[0]["max_tokens"] == 2064

    run(main())
    assert sorted(notices(tmp_path)) == [
        "openai/tiny: it gives no log-probabilities: confidence stays empty",
        "openai/tiny: it was asked to reason, and its reply shows no reasoning",
    ]


def test_a_temperature_that_a_server_does_not_take_is_told_and_kept(tmp_path: Path) -> None:
    told = {"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature"}}

    async def main() -> None:
        async with serving(error(400, told), completion()) as server:
            ended = await friction(
                tmp_path,
                *("--solver", "openai/tiny", "--base-url", server.url, "--concurrency", 1),
            )
        assert ended.code == 0, ended.lines

    run(main())
    (line,) = notices(tmp_path)
    assert "it takes no temperature" in line


def test_an_alias_that_a_server_does_not_list_is_pointed_out_and_used(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(models=listing("base-model")) as server:
            ended = await friction(
                tmp_path, "--solver", "openai/my-adapter", "--base-url", server.url
            )
        assert ended.code == 0, ended.lines
        assert "does not list the model 'my-adapter'; it lists base-model" in ended.lines[0]

    run(main())
    assert len(notices(tmp_path)) == 1


NO_MODEL = {"error": {"message": "no such model"}}


@pytest.mark.parametrize("models", [listing("other"), error(404, {"detail": "Not Found"})])
def test_a_model_that_is_not_there_stops_the_run_at_the_first_calls(
    models: ServerAnswer, tmp_path: Path
) -> None:
    async def main() -> None:
        async with serving(error(404, NO_MODEL), models=models) as server:
            ended = await friction(tmp_path, "--solver", "openai/tiny", "--base-url", server.url)
        assert ended.code == 2
        (line,) = [line for line in ended.lines if not line.startswith("note:")]
        assert "refused the first call: HTTP 404: no such model" in line

    run(main())


def test_openai_base_url_is_the_default_server_and_gets_openais_key(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving() as server:
            ended = await friction(
                tmp_path,
                *("--solver", "openai/tiny"),
                OPENAI_BASE_URL=f"{server.url}/v1",
                OPENAI_API_KEY="sk-openai",
            )
        assert ended.code == 0, ended.lines
        assert {headers["Authorization"] for headers in server.headers} == {"Bearer sk-openai"}

    run(main())


# --- secrets -------------------------------------------------------------------------------------

PASSWORD = "hunter2-hunter2"


def written(out: Path) -> bytes:
    """Everything in a run directory."""
    return b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", ["--base-url={}", "--base-url {}"])
def test_a_password_in_a_url_works_and_is_written_nowhere(tmp_path: Path, form: str) -> None:
    async def main() -> None:
        quoting = completion(choice(f"The answer is {PASSWORD} bWU6aHVudGVyMi1odW50ZXIy"))
        async with serving(quoting) as server:
            url = server.url.replace("http://", f"http://me:{PASSWORD}@")
            ended = await friction(
                tmp_path, "--solver", "openai/tiny", *form.format(url).split(), FRICTION_API_KEY="k"
            )
        assert ended.code == 0, ended.lines
        assert server.headers[0]["Authorization"].startswith("Basic ")
        assert "FRICTION_API_KEY" in ended.lines[0]
        command = json.loads((tmp_path / "run.json").read_text())["command"]
        assert form.format(f"{server.url}").split()[-1] in command
        for shown in (written(tmp_path), str(ended).encode()):
            assert PASSWORD.encode() not in shown
            assert b"aHVudGVyM" not in shown

    run(main())


@pytest.mark.parametrize(
    "option",
    [
        f'extra_headers={{"Authorization": "{PASSWORD}"}}',
        f'extra_headers={{"X-Whatever": "Bearer {PASSWORD}"}}',
        f'extra_body={{"a": [{{"api_key": "{PASSWORD}"}}]}}',
        f"proxy=http://me:{PASSWORD}@host:1",
        f"anything={PASSWORD}",  # a key that the shell put in from the environment
        f"Authorization: Bearer {PASSWORD}",
    ],
)
def test_an_option_that_holds_a_secret_is_refused_without_being_shown(
    tmp_path: Path, option: str
) -> None:
    async def main() -> None:
        async with serving() as server:
            ended = await friction(
                tmp_path / "run",
                *("--solver", "openai/tiny", "--base-url", server.url, "-M", option),
                MY_API_KEY=PASSWORD,
            )
        assert ended.code == 2
        assert len(ended.lines) == 1
        assert "-M" in ended.lines[0]
        assert PASSWORD not in str(ended)
        assert server.bodies == []
        assert not (tmp_path / "run").exists()

    run(main())


def test_the_first_reply_that_is_empty_cut_off_or_all_reasoning_is_told_once(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        script = [
            completion(choice("", message={"content": ""})),
            completion(choice("It is", finish_reason="length")),
            completion(choice(message={"content": "", "reasoning": "Hm"})),
            error(400, {"error": {"code": "context_length_exceeded", "message": "too long"}}),
        ]
        async with serving(*script) as server:
            ended = await friction(
                tmp_path,
                *("--solver", "openai/tiny", "--base-url", server.url, "--concurrency", 1),
            )
        assert ended.code == 0
        assert [line.partition("of the solver ")[2][:16] for line in ended.lines] == [
            "came back empty:",
            "was cut off at i",
            "is all reasoning",
            "does not fit int",
        ]

    run(main())
