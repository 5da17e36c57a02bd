"""What of a reply is read: no reasoning in tags, and cues of every form as one sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.reading.reply import ANSWER, final_part, signed


@pytest.mark.parametrize(
    ("reply", "final"),
    [
        ("<think>5? no.</think>The answer is 6.", "The answer is 6."),
        ("<think>The answer is 5. But let me", ""),
        ("We see.\n<thinking>5", "We see.\n"),
        ("so 5.\n</think>\nThe answer is 6.", "\nThe answer is 6."),
        ("[THINK]5[/THINK]6", "6"),
        ("◁think▷5◁/think▷6", "6"),
        ("<|channel|>analysis<|message|>Maybe 5", ""),
        ("<|channel|>analysis<|message|>5<|end|><|channel|>final<|message|>6<|return|>", "6"),
        ("In HTML, </think> closes a tag.", "In HTML, </think> closes a tag."),
        ("Write `<think>` first. It is 6.", "Write `<think>` first. It is 6."),
        ("It is 6.<|im_end|><|im_start|>user", "It is 6."),
        ("The answer is 6.\n<reflection>Right.</reflection>", "The answer is 6.\n"),
        (
            "<think>5</think>In HTML, </think> closes. It is 6.",
            "In HTML, </think> closes. It is 6.",
        ),
    ],
)
def test_reasoning_in_tags_is_no_part_of_a_reply(reply: str, final: str) -> None:
    assert final_part(reply) == final


@pytest.mark.parametrize(
    "cue",
    [
        "#### ", "<answer>", '{"answer": ', "Réponse : ", "La respuesta correcta es ", "正解は",
        "A resposta final é ", "La risposta è ", "Die Antwort lautet ", "Jawaban: ", "Jibu: ",
        "정답: ", "정답은 ", "答案是", "正确的选项是 ", "答え：", "उत्तर: ", "উত্তর: ", "الإجابة: ",
        "Ìdáhùn: ",
    ],
)  # fmt: skip
def test_cues_in_other_forms_and_languages_are_one_sign(cue: str) -> None:
    text = signed(f"{cue}5")
    assert text.lstrip("{ ").startswith(ANSWER)
    assert text.endswith("5")
    assert len(text) == len(cue) + 1


@pytest.mark.parametrize(
    "text", ["La respuesta no es 5", "Die Antwort kenne ich nicht", "we #### 5", "jibu 5 la"]
)
def test_words_that_state_nothing_are_no_cues(text: str) -> None:
    assert ANSWER not in signed(text)


@given(st.text(max_size=80))
def test_signs_leave_every_other_character_where_it_was(text: str) -> None:
    shown = signed(text)
    assert len(shown) == len(text)
    assert final_part(text) in text
