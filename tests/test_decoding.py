"""A sampling parameter is one field of ``Decoding``: it is read, sent, keyed, kept and resumed."""

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from feedback_friction import options, settings
from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.errors import UsageError
from feedback_friction.options import option
from feedback_friction.settings import Decoding, Settings

sys.path.append(str(Path(__file__).parent / "engine"))

from fake_server import serving
from models_client import ask


@dataclass(frozen=True, slots=True)
class More(Decoding):
    presence_penalty: float | None = option(None, "Penalty of a word already there.", most=2)
    min_p: float | None = option(None, "Share of the likeliest token's probability.")


@pytest.fixture
def more(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(settings, "Decoding", More)
        options._options_of.cache_clear()
        yield
    options._options_of.cache_clear()


def bodies_of(out, **given):
    """What a server is sent by a run of one problem with one attempt, and by its resumption."""

    async def main():
        async with serving() as server:
            asked = Settings.of(
                tasks="primer", solver="openai/tiny", base_urls=server.url, limit=1, iterations=1,
                **given,
            )  # fmt: skip
            for _ in range(2):
                await execute(prepare(asked), out, [], lambda runner: None)
            return server.bodies

    return asyncio.run(main())


def test_a_new_parameter_is_sent_and_is_part_of_what_a_run_is(more, tmp_path):
    (plain,) = bodies_of(tmp_path / "plain")
    (body,) = bodies_of(tmp_path / "new", presence_penalty=0.5, min_p=0.1)
    assert body == {**plain, "presence_penalty": 0.5, "min_p": 0.1}
    config = json.loads((tmp_path / "new" / "run.json").read_text())["config"]
    assert (config["presence_penalty"], config["min_p"]) == (0.5, 0.1)
    with pytest.raises(UsageError, match=r"min_p was 0\.1, now null"):
        bodies_of(tmp_path / "new", presence_penalty=0.5)
    with pytest.raises(UsageError, match="presence_penalty must be"):
        Settings.of(presence_penalty=3.0)


def test_a_new_parameter_changes_the_keys_of_calls_only_where_it_is_set():
    request = ask(decoding=Decoding(top_p=0.9))
    key = call_key("openai/tiny", request)
    assert key.hex() == "e9a6837a19e6ac303be0261005da4ef6"  # of every journal so far
    assert call_key("openai/tiny", replace(request, decoding=More(top_p=0.9))) == key
    others = (More(top_p=0.9, presence_penalty=0.1), More(top_p=0.9, min_p=0.1), Decoding())
    assert len({call_key("openai/tiny", replace(request, decoding=each)) for each in others}) == 3


def test_a_new_parameter_goes_to_providers_under_its_name_or_in_the_body():
    from feedback_friction.engine.models.providers.inspect_model import sampled

    found = sampled(ask(decoding=More(presence_penalty=0.5, min_p=0.1), n=2))
    assert (found["presence_penalty"], found["extra_body"]) == (0.5, {"min_p": 0.1})
    assert (found["temperature"], found["seed"], found["num_choices"]) == (0.0, 7, 2)
