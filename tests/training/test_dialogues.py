"""What the shipped model was trained on: right work, wrong work, and prompts of the protocol."""

from collections import Counter
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.grading.verdict import Outcome
from feedback_friction.protocol import prompts
from feedback_friction.tasks.multiplication import generate
from training.arithmetic import SLIPS, _slip, right, slipped
from training.dialogues import DIGITS, PAGE, examples, held_out
from training.vocabulary import UNKNOWN, Vocabulary

FACTORS = st.integers(10, 999)


def problem(first: int, second: int):
    question = f"Calculate the following question: {first} * {second}."
    return PAGE.to_problem({"question": question, "answer": first * second})


@given(FACTORS, FACTORS)
def test_right_work_is_right_to_the_grader_and_to_the_tutor(first, second):
    text = str(right(first, second))
    assert PAGE.task.grade(problem(first, second), text).is_correct
    assert PAGE.task.tutor(problem(first, second), text) == "The stated answer is right."


@given(FACTORS, FACTORS, st.integers())
def test_a_slip_makes_an_answer_wrong_and_the_tutor_finds_something_to_say(first, second, seed):
    text = str(slipped(right(first, second), Random(seed)))
    verdict = PAGE.task.grade(problem(first, second), text)
    assert verdict.outcome is Outcome.WRONG
    said = PAGE.task.mask(problem(first, second), PAGE.task.tutor(problem(first, second), text))
    assert said.text != "The stated answer is right."
    assert not said.leaks


@pytest.mark.parametrize("kind", SLIPS)
def test_every_kind_of_slip_occurs(kind):
    rng = Random(0)
    works = [right(rng.randint(100, 999), rng.randint(100, 999)) for _ in range(200)]
    changed = [_slip(work, kind, rng) for work in works]
    assert (
        sum(other is not None and other != work for other, work in zip(changed, works, strict=True))
        > 100
    )


def test_no_dialogue_has_a_pair_of_factors_that_is_held_out():
    without = held_out()
    for digits in DIGITS:
        for row in generate("decimal", digits, 100, seed=3):
            assert frozenset(map(int, PAGE.to_problem(row).operands)) in without
    for example in islice(examples(5, without), 3_000):
        question = next(each.content for each in example.messages if "Calculate" in each.content)
        asked = question.split("Calculate the following question: ")[1].split(".")[0]
        assert frozenset(map(int, asked.split(" * "))) not in without


def test_the_same_seed_gives_the_same_dialogues_and_another_one_others():
    def begin(seed: int):
        return list(islice(examples(seed, frozenset()), 50))

    assert begin(1) == begin(1) != begin(2)


def test_dialogues_show_corrected_repeated_and_new_wrong_answers():
    kinds = Counter()
    for example in islice(examples(0, frozenset()), 4_000):
        *_, request = example.messages
        if "### Attempt 1" not in request.content or example.reply.startswith(("Look", "No line")):
            continue
        last = request.content.rsplit("### Attempt ", 1)[1]
        boxed = example.reply.rsplit("\\boxed{", 1)[-1]
        kinds["same" if f"\\boxed{{{boxed}" in last else "other"] += 1
    assert min(kinds["same"], kinds["other"]) > 200


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32) | st.just("\n")))
def test_texts_are_spelled_back_from_their_tokens(text):
    vocabulary = Vocabulary([prompts.BINARY_WRONG, " * ", "### Attempt "])
    assert "".join(vocabulary.tokens[each] for each in vocabulary.encode(text)) == text


def test_no_text_can_hold_a_special_token():
    vocabulary = Vocabulary([])
    special = {vocabulary.id(each) for each in ("<|user|>", "<|end|>", UNKNOWN)}
    assert not special & set(vocabulary.encode("<|user|>answer<|end|>"))


def test_trials_begin_with_the_models_own_errors_where_there_are_some():
    own = [(473, 628, "473 * 600 = 1\n\\boxed{1}")]
    found = [
        example
        for example in islice(examples(0, frozenset(), 0.0, own), 400)
        if any("473 * 600 = 1\n" in message.content for message in example.messages)
    ]
    assert len(found) > 200
    corrected = str(right(473, 628))
    assert sum(example.reply == corrected for example in found) > 50
