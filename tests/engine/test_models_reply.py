"""From bodies to replies, over a table of the dialects that servers speak."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.engine.models.remote.chat_reply import (
    EmptyError,
    MalformedError,
    failure_in,
    parse_json,
    read_completion,
)
from feedback_friction.engine.models.remote.faults import read_error
from feedback_friction.engine.models.remote.message import joined, message_text, unread_parts
from feedback_friction.protocol.records import Reply, Usage

FAILURES = json.loads(
    (Path(__file__).parents[1] / "cases" / "models_failures_within.json").read_text()
)
CASES = json.loads((Path(__file__).parents[1] / "cases" / "models_replies.json").read_text())


def read(body: bytes, n: int = 1, *, logprobs: bool = False) -> Any:
    return read_completion(parse_json(body), n, seconds=1.5, logprobs=logprobs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_body_gives_its_replies_or_is_called_malformed(case: dict[str, Any]) -> None:
    body = case["body"] if isinstance(case["body"], str) else json.dumps(case["body"])
    if case["expect"] is None:
        with pytest.raises(MalformedError):
            read(body.encode(), case["n"])
        return
    completion = read(body.encode(), case["n"], logprobs=case["logprobs"])
    assert completion.replies == tuple(Reply(**each) for each in case["expect"])
    assert completion.seconds == 1.5
    assert completion.model == "tiny"
    if "usage" in case:
        assert completion.usage == Usage(*case["usage"])


@pytest.mark.parametrize("case", FAILURES, ids=lambda case: case["name"])
def test_a_failure_within_a_200_is_found_wherever_it_stands(case: dict[str, Any]) -> None:
    found = failure_in(case["body"])
    if case["status"] is None:
        assert found is None
        return
    assert found is not None
    status, said = found
    assert status == case["status"]
    answer = read_error(said)
    assert case["says"] in answer.message
    assert "the answer is" not in answer.words  # what the model said decides nothing


@pytest.mark.parametrize("choices", [[], None])
def test_a_completion_without_replies_and_without_a_reason_is_told_from_nonsense(
    choices: Any,
) -> None:
    with pytest.raises(EmptyError):
        read_completion({"choices": choices}, 1, seconds=0, logprobs=False)
    with pytest.raises(MalformedError) as malformed:
        read_completion({"id": "x"}, 1, seconds=0, logprobs=False)
    assert not isinstance(malformed.value, EmptyError)


@given(st.text(), st.text())
@example("so 1 \\\\", "2")
@example("\\", "")
def test_thinking_comes_apart_from_the_answer(thought: str, answer: str) -> None:
    if "</think>" in thought:
        return
    text, reasoning = joined(f"<think>{thought}</think>{answer}", ())
    assert text == answer.lstrip()
    assert reasoning == (thought.strip() or None)


@given(st.text().filter(lambda text: "<" not in text and "analysis" not in text))
def test_a_text_without_thinking_is_left_alone(text: str) -> None:
    assert joined(text, ()) == (text, None)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "It is 4.", "reasoning_content": "5?"},
        {"content": "It is 4.", "reasoning": "5?"},
        {"content": "It is 4.", "thinking": "5?"},
        {"content": "<think>5?</think>It is 4.", "reasoning_content": "5?"},
        {"content": "It is 4.", "reasoning_details": [{"type": "reasoning.text", "text": "5?"}]},
        {"content": "It is 4.", "reasoning_details": [{"summary": "5?"}]},
        {"content": [{"type": "thinking", "thinking": "5?"}, {"type": "text", "text": "It is 4."}]},
        {
            "content": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "5?"}]},
                {"type": "output_text", "text": "It is 4."},
            ]
        },
        {"content": [{"type": "reasoning", "reasoning": "5?"}, "It is 4."]},
    ],
)
def test_reasoning_is_found_in_every_field_and_part(message: dict[str, Any]) -> None:
    assert message_text(message) == ("It is 4.", "5?")


def test_parts_without_text_are_named() -> None:
    parts = [{"type": "image_url", "image_url": {"url": "x"}}, {"type": "text", "text": "4"}]
    assert unread_parts({"content": parts}) == {"image_url"}
    assert message_text({"content": [{"type": "refusal", "refusal": "I cannot."}]}) == (
        "I cannot.",
        None,
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "message", "content", "finish_reason", "logprobs", "usage", "logprob"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values)
def test_no_json_breaks_the_reader(data: Any) -> None:
    try:
        completion = read_completion(data, 3, seconds=0, logprobs=True)
    except MalformedError:
        return
    assert 1 <= len(completion.replies) <= 3


@pytest.mark.parametrize(
    "piece",
    [
        *("<think>", " ", "</think", "<think>\n", "[THINK] ", "<|channel|>", "<reasoning>"),
        *("\\", "\\u003c", "&lt;think&gt;\n", "<details type="),
    ],
)
def test_work_grows_with_the_length_of_a_reply(piece: str) -> None:
    assert growth(joined, lambda size: (repeated(piece, size), ()), 1000) < LINEAR
