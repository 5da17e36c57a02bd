"""``--temperature none``: for models that take none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_server import choice, completion, serving
from models_client import friction, run


@pytest.mark.parametrize("temperature", ["none", "0.5"])
def test_a_temperature_that_is_none_is_not_sent(temperature: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(completion(choice("The answer is 1."))) as server:
            code, _, errors = await friction(
                *("run", "decimal_multiplication", "--limit", "1", "--iterations", "1"),
                *("--solver", "openai/tiny", "--base-url", server.url, "--quiet"),
                *("--temperature", temperature, "--out", str(tmp_path)),
            )
        assert code == 0, errors
        sent = server.bodies[0].get("temperature")
        assert sent == (None if temperature == "none" else 0.5)

    run(main())
    config = json.loads((tmp_path / "run.json").read_text())["config"]
    unsent = {"temperature": None} if temperature == "none" else None
    assert config.get("solver_options") == unsent


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--temperature", "none", "--sampling", "heat"), "heat raises it"),
        (("--temperature", "warm"), "neither a number nor none"),
        (("--feedback-temperature", "none"), "needs --feedback-model"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    async def main() -> None:
        code, _, errors = await friction(
            *("run", "primer", "--solver", "student/default", "--out", str(tmp_path)), *arguments
        )
        assert code == 2
        assert says in errors

    run(main())
