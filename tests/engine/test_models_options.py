"""Options of a model: how they are written, what they are refused for, and that they count."""

from typing import Any

import pytest
from models_client import ask

from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.models.model_options import ModelOptions, parse_options
from feedback_friction.engine.models.providers.provider_table import Asked, refuse_untaken
from feedback_friction.engine.models.remote.dialect import reasoning_fields
from feedback_friction.engine.models.remote.endpoint import endpoints
from feedback_friction.errors import UsageError
from feedback_friction.settings import Decoding


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("k=1", 1),
        ("k=1.5", 1.5),
        ("k=true", True),
        ("k=null", None),
        ("k=high", "high"),
        ("k=", ""),
        ("k=a=b", "a=b"),
        ('k="1"', "1"),
        ('k={"a": [1, {"b": false}]}', {"a": [1, {"b": False}]}),
        ("k=NaN", "NaN"),
        ("k={", "{"),
        ("k=" + "[" * 100_000, "[" * 100_000),
    ],
)
def test_a_value_is_json_where_it_can_be_and_text_otherwise(word: str, value: object) -> None:
    assert parse_options([word], "-M").extra == {"k": value}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["k"], "-M must be of the form KEY=VALUE, not 'k'"),
        (["Authorization: Bearer sk-1"], "-M must be of the form KEY=VALUE, not 'Auth…'"),
        (['a={"b": {"X-Api-Key": "sk-1"}}'], "-M a.b.X-Api-Key would be stored"),
        (["=1"], "-M must be of the form KEY=VALUE"),
        (["k=1", "k=2"], "-M k is given twice"),
        (["temperature=1"], "-M temperature has an option of its own: use --temperature"),
        (["n=5"], "use --sampling"),
        (["max_completion_tokens=5"], "use --max-tokens"),
        (["stream=true"], "replies are read whole"),
        (["api_key=sk-1"], "keys come from the environment"),
        (["aws_secret_access_key=1"], "keys come from the environment"),
        (["reasoning_tokens=0"], "reasoning tokens must be a whole number of at least 1, not '0'"),
        (["reasoning_tokens=true"], "not 'True'"),
        (["reasoning_effort=huge"], "unknown reasoning effort 'huge'; allowed: none, minimal, low"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(words: list[str], says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_options(words, "-M")
    assert says in str(refused.value)


def test_an_ordinary_field_whose_name_ends_in_key_is_no_secret() -> None:
    assert parse_options(["prompt_cache_key=a"], "-M").extra == {"prompt_cache_key": "a"}


def test_reasoning_may_be_given_either_way_but_not_both_ways() -> None:
    words = ["reasoning_tokens=4000", "reasoning_effort=low"]
    either = parse_options([], "-M", reasoning_tokens=4000, reasoning_effort="low")
    assert parse_options(words, "-M") == either == ModelOptions(4000, "low")
    with pytest.raises(UsageError, match="reasoning_tokens is given both as an option and with -M"):
        parse_options(words, "-M", reasoning_tokens=1)


def test_without_options_a_call_has_the_key_that_it_always_had() -> None:
    assert identity_of("openai/tiny", ModelOptions()) == "openai/tiny"
    # A journal written by an earlier version must still be read: this key never changes.
    assert call_key("openai/tiny", ask()).hex() == "90e6b45f6226e339df20f6dfd9a5d851"


def test_whatever_changes_a_reply_changes_the_key_and_the_order_of_options_does_not() -> None:
    different = [
        ModelOptions(),
        ModelOptions(reasoning_tokens=1),
        ModelOptions(reasoning_tokens=2),
        ModelOptions(reasoning_effort="low"),
        ModelOptions(extra={"top_k": 20}),
        ModelOptions(extra={"top_k": "20"}),
        ModelOptions(extra={"top_k": 20, "min_p": 0.1}),
    ]
    keys = {call_key(identity_of("openai/tiny", each), ask()) for each in different}
    assert len(keys) == len(different)
    one, other = {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}
    assert ModelOptions(extra=one).identity == ModelOptions(extra=other).identity


@pytest.mark.parametrize(
    ("url", "options", "fields"),
    [
        ("http://h:1", ModelOptions(), {}),
        ("http://h:1", ModelOptions(reasoning_effort="low"), {"reasoning_effort": "low"}),
        ("http://h:1", ModelOptions(reasoning_tokens=9), {"thinking_token_budget": 9}),
        (
            "https://openrouter.ai/api/v1",
            ModelOptions(reasoning_tokens=9),
            {"reasoning": {"max_tokens": 9}},
        ),
    ],
)
def test_how_openai_compatible_servers_are_asked_to_reason(
    url: str, options: ModelOptions, fields: dict[str, Any]
) -> None:
    assert reasoning_fields(options, endpoints([url], {})) == fields


def test_openai_itself_takes_an_effort_and_no_number() -> None:
    servers = endpoints([], {"OPENAI_API_KEY": "k"})
    assert reasoning_fields(ModelOptions(reasoning_effort="high"), servers)
    with pytest.raises(UsageError, match="use --reasoning-effort"):
        reasoning_fields(ModelOptions(reasoning_tokens=9), servers)


CLAUDE = "anthropic/claude-3-7-sonnet-20250219"


@pytest.mark.parametrize(
    ("spec", "asked", "says"),
    [
        (CLAUDE, Asked(logprobs=True), "anthropic returns no log-probabilities; omit --logprobs"),
        (CLAUDE, Asked(heat=True), "allowed: --sampling greedy or reject"),
        (CLAUDE, Asked(temperature=0.7), "always samples at 1; allowed: --temperature 1"),
        (CLAUDE, Asked(decoding=Decoding(top_p=0.9)), "anthropic accepts no top_p"),
        ("bedrock/x", Asked(logprobs=True), "bedrock returns no log-probabilities"),
        ("mistral/x", Asked(logprobs=True), "mistral returns no log-probabilities"),
    ],
)
def test_what_a_provider_does_not_take_is_refused_where_it_was_asked_for(
    spec: str, asked: Asked, says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_untaken(spec, asked)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        (CLAUDE, Asked()),
        (CLAUDE, Asked(temperature=1.0)),
        ("google/gemini", Asked(0.7, True, Decoding(top_p=0.9), True)),
        ("bedrock/x", Asked(0.7, True, Decoding(top_p=0.9))),
        ("openai/tiny", Asked(0.7, True, Decoding(top_p=0.9), True)),
        ("student/default", Asked(0.7, True, Decoding(top_p=0.9), True)),
    ],
)
def test_what_a_provider_takes_passes(spec: str, asked: Asked) -> None:
    refuse_untaken(spec, asked)
