"""From provider/name to models: what is allowed, and what roles share."""

import asyncio
import subprocess
import sys

import pytest

from feedback_friction.engine.models.registry import ModelSettings, open_models, parse_spec
from feedback_friction.errors import UsageError


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("openai/gpt-4.1-mini", ("openai", "gpt-4.1-mini")),
        ("openai/meta-llama/Llama-3.3-70B", ("openai", "meta-llama/Llama-3.3-70B")),
        ("student/ability=0.4", ("student", "ability=0.4")),
    ],
)
def test_a_spec_is_a_provider_and_a_name(spec: str, parts: tuple[str, str]) -> None:
    assert parse_spec(spec) == parts


@pytest.mark.parametrize("spec", ["", "gpt-4.1", "openai", "openai/", "openai/ ", "nobody/x", "/x"])
def test_any_other_spec_is_refused_with_those_allowed(spec: str) -> None:
    with pytest.raises(
        UsageError, match="allowed: openai/NAME, gguf/FILE, student/NAME, or NAME of"
    ):
        parse_spec(spec)


def test_roles_with_the_same_model_servers_and_key_share_one_model_and_all_share_a_pool() -> None:
    async def main() -> None:
        tiny = ModelSettings("openai/tiny", ("http://h:1",))
        big = ModelSettings("openai/big", ("http://h:1",))
        models = open_models({"solver": tiny, "judge": tiny, "feedback": big}, {})
        assert models["solver"] is models["judge"]
        assert models["feedback"] is not models["solver"]
        session = models["solver"]._pool.session  # type: ignore[attr-defined]
        await models["solver"].close()
        assert not session.closed
        await models["feedback"].close()
        assert session.closed

    asyncio.run(main())


def test_roles_with_different_keys_do_not_share() -> None:
    async def main() -> None:
        tiny = ModelSettings("openai/tiny", ("http://h:1",))
        models = open_models({"solver": tiny, "judge": tiny}, {"FRICTION_JUDGE_API_KEY": "k"})
        assert models["solver"] is not models["judge"]
        for model in models.values():
            await model.close()

    asyncio.run(main())


def test_a_key_is_not_handed_to_the_server_of_another_solver() -> None:
    wanted = {
        f"solver openai/{name}": ModelSettings(f"openai/{name}", (f"https://{name}.example/v1",))
        for name in ("one", "two")
    }
    with pytest.raises(UsageError, match=r"to one\.example and to two\.example: give each"):
        open_models(wanted, {"FRICTION_SOLVER_API_KEY": "k"})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (ModelSettings("openai/tiny"), "needs a key: set OPENAI_API_KEY"),
        (ModelSettings("openai/tiny", ("h:1",)), "is not of the form"),
        (ModelSettings("student/default", ("http://h:1",)), "is a simulation and takes no base"),
        (ModelSettings("student/nobody"), "unknown student 'nobody'"),
    ],
)
def test_what_is_wrong_with_a_model_is_found_before_anything_is_opened(
    settings: ModelSettings, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        open_models({"solver": settings}, {})  # no event loop here: a pool could not be opened


def test_specs_are_checked_without_loading_a_client() -> None:
    code = (
        "import sys; from feedback_friction.engine.models.registry import parse_spec;"
        "parse_spec('openai/tiny'); print('aiohttp' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
