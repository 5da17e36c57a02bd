"""Reasoning comes apart from the answer, whatever marks a family of models puts around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.reading.reasoning import split_reasoning

PAIRS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<Reasoning>", "</Reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<longcat_think>", "</longcat_think>"),
    ('<think budget="512">', "</think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<thought_process>", "</thought_process>"),
    ("<inner_monologue>", "</inner_monologue>"),
    ("<rationale>", "</rationale >"),
    ("<|think_start|>", "<|think_end|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("<unused94>thought\n", "<unused95>"),
    ("&lt;think&gt;", "&lt;/think&gt;"),
    ("&#60;thinking&#62;", "&#60;/thinking&#62;"),
    ("\\u003cthink\\u003e", "\\u003c/think\\u003e"),
    ("\\<think\\>", "\\</think\\>"),
    ("\uff1cthink\uff1e", "\uff1c/think\uff1e"),
    ('<details type="reasoning" done="true" duration="3">\n', "\n</details>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"),
]


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
def test_a_thought_in_any_marks_is_no_answer(opening: str, closing: str) -> None:
    answer, thought = split_reasoning(f"{opening}Maybe 5.{closing}The answer is 4.")
    assert (answer, thought) == ("The answer is 4.", "Maybe 5.")


@pytest.mark.parametrize("opening", [opening for opening, _ in PAIRS])
def test_a_thought_that_was_cut_off_is_no_answer(opening: str) -> None:
    answer, thought = split_reasoning(f"{opening}Maybe the answer is 5")
    assert (answer, thought) == ("", "Maybe the answer is 5")


@pytest.mark.parametrize("closing", [closing for _, closing in PAIRS[:19]])
def test_a_thought_may_be_opened_by_the_prompt(closing: str) -> None:
    reply = f"Maybe 5.\n{closing}\nThe answer is 4."
    assert split_reasoning(reply) == ("\nThe answer is 4.", "Maybe 5.")


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("<|START_THINKING|>5<|END_THINKING|><|START_RESPONSE|>4<|END_RESPONSE|>", "4"),
        ("<think>5</think><|begin_of_solution|>4<|end_of_solution|>", "4"),
        ("<think>5</think>\n<think>6</think>\n4", "\n4"),
        ("<think>5</think>\n<answer>\n4\n</answer>", "\n4\n"),
        ("```thinking\n5\n```\n4", "\n4"),
        ("```thinking\nIt may be 5", ""),
        ("```python\nprint(4)\n```", "```python\nprint(4)\n```"),
        ("&lt;think&gt;5\n&lt;/think&gt;\n&lt;think&gt;6&lt;/think&gt;4", "4"),
        ("In HTML &lt;think&gt; opens: 4", "In HTML &lt;think&gt; opens: 4"),
        ("Here is my thought process:\n5\nHere is my response:\n4", "\n4"),
        ("Here are my reasoning steps:\n5\n[BEGIN FINAL RESPONSE]4[END FINAL RESPONSE]", "4"),
        ("Here is my thought process: it is 4", "Here is my thought process: it is 4"),
        ("<think>so `</think>` ends it, or 5.\n</think>4", "4"),
        ("<|channel|>commentary to=x<|message|>5<|call|>", ""),
        ("<think>\n\n</think>\n\n4", "\n\n4"),
    ],
)
def test_the_answer_is_what_stands_last_outside_of_thoughts(reply: str, answer: str) -> None:
    assert split_reasoning(reply)[0] == answer


@pytest.mark.parametrize(
    "text",
    [
        "The tag <think> opens, </think> closes.",
        "Analysis: it is 4.",
        "analysis of the carries: it is 4.",
        "x < 5, [1] and |> are text.",
        "<answer>4</answer>",
        "The token `<|channel|>` comes first; it is 4.",
    ],
)
def test_text_about_tags_is_text(text: str) -> None:
    assert split_reasoning(text) == (text, None)


_SIGNS = [mark for pair in PAIRS for mark in pair] + ["<|channel|>", "<|message|>", "<|end|>"]


@given(
    st.text(alphabet="a4 .\n<>/|[]think_channel◁▷", max_size=80)
    | st.lists(st.sampled_from([*_SIGNS, "4", " ", "\n", "final"]), max_size=8).map("".join)
)
def test_the_answer_is_a_stretch_of_the_reply(text: str) -> None:
    answer, thought = split_reasoning(text)
    assert answer in text
    assert thought is None or thought.strip()


@pytest.mark.parametrize("reply", ["<|channel|>", "Its mark is <|channel|>. It is 4."])
def test_a_mark_that_names_no_channel_is_text(reply: str) -> None:
    assert split_reasoning(reply) == (reply, None)
