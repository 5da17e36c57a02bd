"""What the shipped model was trained on: right work, wrong work, and prompts of the protocol."""

import re
from itertools import islice
from itertools import product as product_of
from random import Random

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from feedback_friction.grading.verdict import Outcome
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Message
from feedback_friction.tasks.multiplication import generate
from training.arithmetic import (
    MISCONCEPTIONS,
    SLIPS,
    Work,
    _slip,
    believed,
    involved,
    product,
    slipped,
)
from training.dialogues import (
    DEEP,
    DEEP_FACTS,
    DIGITS,
    GIVEN_UP,
    KEEP,
    KEPT,
    LIGHT,
    PAGE,
    REDO_ALL,
    Example,
    attempted,
    examples,
    held_out,
    problem_of,
)
from training.vocabulary import UNKNOWN, Vocabulary

FACTORS = st.integers(10, 999)


def right(first: int, second: int) -> Work:
    """The work of one who makes no error."""
    return believed(first, second, frozenset())


@given(FACTORS, FACTORS)
def test_right_work_is_right_to_the_grader_and_to_the_tutor(first, second):
    text = str(right(first, second))
    assert PAGE.task.grade(problem_of(first, second), text).is_correct
    assert PAGE.task.tutor(problem_of(first, second), text) == "The stated answer is right."


@given(FACTORS, FACTORS, st.sets(st.sampled_from(sorted(MISCONCEPTIONS))))
def test_who_holds_misconceptions_multiplies_by_a_table_that_has_them(first, second, held):
    def table(one: int, other: int) -> int:
        fact = min(one, other), max(one, other)
        return MISCONCEPTIONS[fact] if fact in held else one * other

    work = believed(first, second, held)
    for read, part, found in work.lines:
        digits = enumerate(reversed(str(read)))
        at_units = sum(table(int(each), int(str(part)[0])) * 10**place for place, each in digits)
        assert found == at_units * 10 ** (len(str(part)) - 1)
    assert work.result == sum(product for _, _, product in work.lines)
    assert (work == right(first, second)) == (not held & involved(first, second))


@given(FACTORS, FACTORS)
@hypothesis.example(176, 298)  # of two misconceptions one takes off what the other adds
def test_a_first_attempt_is_wrong_where_a_misconception_is_involved(first, second):
    verdict = PAGE.task.grade(problem_of(first, second), str(attempted(first, second)))
    if len(involved(first, second)) < 2:
        assert verdict.is_correct == (not involved(first, second))
    assert verdict.is_correct == (attempted(first, second).result == first * second)


@given(FACTORS, FACTORS, st.integers())
def test_a_slip_makes_an_answer_wrong_and_the_tutor_finds_something_to_say(first, second, seed):
    problem = problem_of(first, second)
    text = str(slipped(right(first, second), Random(seed)))
    assert PAGE.task.grade(problem, text).outcome is Outcome.WRONG
    said = PAGE.task.mask(problem, PAGE.task.tutor(problem, text))
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


@pytest.mark.slow
def test_no_dialogue_has_a_pair_of_factors_that_is_held_out():
    without = held_out()
    for digits, seed in product_of(DIGITS, range(10)):  # what the model's card promises
        for row in generate("decimal", digits, 450, seed):
            assert frozenset(map(int, PAGE.to_problem(row).operands)) in without
    own = [(473, 628, "473 * 600 = 283800\n\\boxed{0}")]
    for example in islice(examples(5, without, 0.2, own), 300):
        said = "\n".join(message.content for message in example.messages)
        asked = re.findall(r"Calculate the following question: (\d+) \* (\d+)\.", said)
        assert len(set(asked)) == 1
        assert frozenset(map(int, asked[0])) not in without


def test_the_same_seed_gives_the_same_dialogues_and_another_one_others():
    def begin(seed: int):
        return list(islice(examples(seed, frozenset()), 50))

    assert begin(1) == begin(1) != begin(2)


@pytest.fixture(scope="module")
def dialogues():
    return list(islice(examples(0, frozenset(), 0.0), 2_000))


def after_the_first_feedback(dialogues):
    """The first attempt, what was said about it, and the reply, of trials shown as transcripts."""
    for example in dialogues:
        *_, request = example.messages
        shown = re.search(
            r"### Attempt 1\n(.*?)\n\n### Feedback on attempt 1\n(.*?)\n\n### The problem once",
            request.content,
            re.DOTALL,
        )
        if shown is not None and "### Attempt 2" not in request.content:
            yield shown[1], shown[2], example.reply


@pytest.mark.slow
def test_a_misconception_is_given_up_as_often_as_it_is_meant_to_be(dialogues):
    given_up: dict[str, list[bool]] = {LIGHT: [], DEEP: []}
    for _, _, reply in after_the_first_feedback(dialogues):
        redone = re.search(r"I redo (\d+) \* (\d+) = (\d+)\.\n(\d+) ", reply)
        if redone is None or redone[1] != redone[4]:
            continue
        first, part, value = map(int, redone.groups()[:3])
        facts = involved(first, part)
        if len(facts) == 1:
            assert value in (first * part, product(first, part, facts))
            given_up[DEEP if facts & DEEP_FACTS else LIGHT].append(value == first * part)
    for kind, found in given_up.items():
        assert stats.binomtest(sum(found), len(found), GIVEN_UP[kind]).pvalue > 0.001
        assert len(found) > 70


def test_what_an_answer_makes_of_feedback_depends_on_what_the_feedback_says(dialogues):
    kept: dict[str, list[bool]] = {"pointed": [], "unpointed": [], "unfit": []}
    for attempt, said, reply in after_the_first_feedback(dialogues):
        quoted = re.search(r'Look at "(\d+ [×+] \d+ = \d+)"', said)
        if said == prompts.BINARY_WRONG:
            how = "unpointed"
        elif quoted is not None:
            how = "pointed" if quoted[1].replace("×", "*") in attempt else "unfit"
        else:
            continue
        kept[how].append(reply == f"{KEEP}\n{attempt}")
    for how, found in kept.items():
        assert len(found) > 70
        assert stats.binomtest(sum(found), len(found), KEPT[how]).pvalue > 0.001


def test_a_line_that_was_redone_stands_in_the_work_and_the_sums_follow(dialogues):
    for _, _, reply in islice(after_the_first_feedback(dialogues), 400):
        opening, work = reply.split("\n", 1)
        if not opening.endswith((KEEP, REDO_ALL)):
            assert opening.rsplit("I redo ", 1)[1].removesuffix(".") in work.split("\n")
        if opening != KEEP:
            for one, other, total in re.findall(r"(\d+) \+ (\d+) = (\d+)", work):
                assert int(one) + int(other) == int(total)


def test_what_was_repeated_is_likely_to_be_kept_again(dialogues):
    kept: dict[int, list[bool]] = {1: [], 2: []}
    for example in dialogues:
        *_, request = example.messages
        attempts = re.findall(r"### Attempt \d\n(.*?)\n\n### F", request.content, re.DOTALL)
        if "\\boxed" not in example.reply or len(attempts) not in kept:
            continue
        if len({each.removeprefix(f"{KEEP}\n") for each in attempts}) == 1:
            kept[len(attempts)].append(example.reply.startswith(KEEP))
    once, twice = (sum(each) / len(each) for each in kept.values())
    assert once + 0.15 < twice


def learnt(example, vocabulary):
    """The dialogue's tokens, with an underscore for each that is not learnt."""
    encoded = vocabulary.example(example)
    tokens = zip(encoded.ids, encoded.learnt, strict=True)
    return "".join(vocabulary.tokens[each] if known else "_" for each, known in tokens)


def test_of_a_prompt_only_what_can_be_foretold_is_learnt():
    said = Message("system", "S"), Message("user", "ask 12: 99, 12, ask 12, 99")
    example = Example(said, "99", hidden=("ask 12", "99"))
    assert learnt(example, Vocabulary(["ask "])) == "_S____: __, 12, ask 12, 99_99<|end|>"


def test_a_slip_is_hidden_where_it_is_new_and_seen_where_it_is_repeated():
    vocabulary = Vocabulary(())
    for example in islice(examples(2, frozenset(), 0.0), 100):
        if "\\boxed" not in example.reply:
            continue
        text = learnt(example, vocabulary)
        whole = "".join(message.content for message in example.messages) + example.reply
        for each in example.hidden:
            assert text.count(each) == whole.count(each) - 1


@given(st.text(st.characters(max_codepoint=126, min_codepoint=32) | st.just("\n")))
def test_texts_are_spelled_back_from_their_tokens(text):
    vocabulary = Vocabulary([prompts.BINARY_WRONG, " * ", "### Attempt "])
    assert "".join(vocabulary.tokens[each] for each in vocabulary.encode(text)) == text


def test_no_text_can_hold_a_special_token():
    vocabulary = Vocabulary([])
    special = {vocabulary.id(each) for each in ("<|user|>", "<|end|>", UNKNOWN)}
    assert not special & set(vocabulary.encode("<|user|>answer<|end|>"))


@pytest.mark.slow
def test_trials_begin_with_the_models_own_slips_where_there_are_some():
    own = [(473, 628, "473 * 600 = 1\n\\boxed{1}")]
    found = [
        example
        for example in islice(examples(0, frozenset(), 0.0, own), 400)
        if any("473 * 600 = 1\n" in message.content for message in example.messages)
    ]
    assert len(found) > 100
    assert own[0][2] in found[0].hidden
    redone = f"I redo 473 * 600 = 283800.\n{attempted(473, 628)}"
    assert sum(example.reply.endswith(redone) for example in found) > 20
