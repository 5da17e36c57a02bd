"""Prices: from one dated file, with cached input apart, and unknown where they are not in it."""

import json

import pytest

from commands import friction
from feedback_friction.engine.models.price_list import Price, kept_file, load_prices, refresh
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Usage

USAGE = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=400_000)


def test_the_packaged_list_has_the_models_of_the_study_and_a_date():
    prices = load_prices()
    assert prices.as_of == "2025-11-01"
    assert prices.cost("openai/gpt-4.1-mini", USAGE) == pytest.approx(0.6 * 0.4 + 0.04 + 0.16)
    assert prices.cost("anthropic/claude-3-7-sonnet-20250219", USAGE) == pytest.approx(
        0.6 * 3 + 0.4 * 0.3 + 1.5
    )


def test_cached_input_is_cheaper_than_input_and_output_is_dearer():
    for name, price in load_prices().models.items():
        assert 0 < price.cached_input <= price.input < price.output, name


def test_an_unknown_price_is_unknown_and_a_simulation_is_free():
    prices = load_prices()
    assert prices.cost("openai/some-model-of-mine", USAGE) is None
    assert prices.cost("bedrock/anthropic.claude-v2", USAGE) is None
    assert prices.cost("student/default", USAGE) == 0.0


def test_words_that_no_model_has_are_refused_in_one_line():
    [line] = friction("prices", "gpt", "zzzzz", code=2).stderr.splitlines()
    assert "no model with gpt and zzzzz in its name" in line


def test_a_list_of_ones_own_replaces_the_packaged_one(tmp_path):
    file = tmp_path / "prices.json"
    file.write_text('{"as_of": "2026-01-01", "models": {"openai/x": {"input": 1, "output": 0}}}')
    prices = load_prices(file)
    assert prices.models == {"openai/x": Price(1.0, 1.0, 0.0)}
    assert prices.cost("openai/gpt-4.1", USAGE) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot read the prices in"),
        ("[]", "wanted: "),
        ('{"models": {}}', "it has no 'as_of'"),
        ('{"as_of": "2026", "models": []}', "wanted: "),
        ('{"as_of": "2026", "models": {"a/b": {"input": 1}}}', "it has no 'output'"),
        ('{"as_of": "2026", "models": {"a/b": 3}}', "wanted: "),
        ('{"as_of": "2026", "models": {"a/b": {"input": "x", "output": 1}}}', "wanted: "),
        ('{"as_of": "2026", "models": {"a/b": {"input": -1, "output": 1}}}', "price of a/b"),
        ('{"as_of": "2026", "models": {"a/b": {"input": null, "output": 1}}}', "wanted: "),
    ],
)
def test_a_list_of_another_form_is_refused_in_one_line(tmp_path, text, message):
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_prices(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the prices in .*none\.json"):
        load_prices(tmp_path / "none.json")


def test_reasoning_is_priced_apart_where_it_has_a_price():
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=1_000_000, reasoning_tokens=400_000)
    assert Price(1, 1, 2).of(usage) == 3
    assert Price(1, 1, 2, reasoning=5).of(usage) == pytest.approx(1 + 1.2 + 2)


def test_a_budget_reserves_what_reasoning_may_cost(tmp_path):
    file = tmp_path / "prices.json"
    price = {"input": 1, "output": 2, "reasoning": 5}
    file.write_text(json.dumps({"as_of": "2026-01-01", "models": {"openai/x": price}}))
    prices = load_prices(file)
    assert prices.most("openai/x", Usage(0, 1_000_000)) == 5
    assert prices.most("openai/y", Usage(0, 1_000_000)) is None
    assert prices.most("student/default", Usage(0, 1_000_000)) == 0


def test_a_newer_list_is_kept_and_an_older_one_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("FRICTION_CACHE", str(tmp_path / "cache"))
    ours = load_prices()
    assert ours.sources
    file = tmp_path / "list.json"
    entry = {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    theirs = {
        "sample_spec": {"mode": "one of chat, ..."},
        "gpt-9": entry
        | {"litellm_provider": "openai", "cache_read_input_token_cost": 5e-7}
        | {"output_cost_per_reasoning_token": 3e-6},
        "gemini/gemini-9": entry | {"litellm_provider": "gemini"},
        "ada": entry | {"litellm_provider": "openai", "mode": "embedding"},
    }
    file.write_text(json.dumps(theirs))
    refresh(file, "2024-01-01")
    assert load_prices() == ours
    refresh(file, "2030-01-01")
    assert kept_file().is_relative_to(tmp_path)
    newer = load_prices()
    assert newer.as_of == "2030-01-01"
    assert newer.models == {
        "openai/gpt-9": Price(1.0, 0.5, 2.0, 3.0),
        "google/gemini-9": Price(1.0, 1.0, 2.0),
    }
    file.write_text("[1]")
    with pytest.raises(UsageError, match="cannot read the prices"):
        refresh(file, "2031-01-01")
    assert load_prices() == newer
