"""Every character and every token of a prompt belongs to one segment, whatever the texts are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.grading.verdict import Verdict
from feedback_friction.inside.segments import (
    UnmarkableError,
    marked_prompt,
    owners,
    segments,
    sentences,
)
from feedback_friction.protocol.probes import Scene
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply
from feedback_friction.protocol.trial import attempt_request
from feedback_friction.ways import HISTORIES, TRANSCRIPT
from toys import PROBLEM, TASK, plan

TEXT = st.text(st.characters(exclude_categories=("Cs", "Co")), max_size=40)


def scene(replies, advice, history=TRANSCRIPT):
    attempts = tuple(
        Attempt(
            number, PROBLEM, Reply(reply), Verdict.of(False, "8", "answer is"), 0.0,
            feedback=Feedback("tutor", told, told), asides=(Aside("stand-in", "It is 4.", "p9"),),
        )
        for number, (reply, told) in enumerate(zip(replies, advice, strict=True))
    )  # fmt: skip
    return Scene(TASK, plan("tutor", history=history), PROBLEM, 0, attempts, len(attempts))


def rendered(messages):
    """A chat template that trims, as many do."""
    return "".join(f"<{each.role}>{each.content.strip()}</>\n" for each in messages) + "<solver>"


def segments_of(place):
    messages = attempt_request(place.before(place.iteration)).messages
    marked, names = marked_prompt(place)
    exact = rendered(messages)
    return exact, segments(exact, rendered(marked), names)


@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3),
    st.sampled_from([*HISTORIES.values()]),
    st.data(),
)
def test_segments_cover_every_token_once(texts, history, data):
    exact, found = segments_of(scene(*zip(*texts, strict=True), history))
    assert [each.start for each in found] == [0, *(each.end for each in found[:-1])]
    assert found[-1].end == len(exact)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(exact) - 1), max_size=30)))
    offsets = list(zip([0, *cuts], [*cuts, len(exact)], strict=True))
    owner = owners(found, offsets)
    assert len(owner) == len(offsets)
    for (_, end), index in zip(offsets, owner, strict=True):
        assert found[index].start < end <= found[index].end


@pytest.mark.parametrize("history", ["transcript", "chat"])
def test_each_part_is_found_by_its_name(history):
    place = scene(
        ["The answer is 8.", "The answer is 9."],
        ['Look at "6 + 1 = 8". It is 3.5 off.', "Try again."],
        HISTORIES[history],
    )
    exact, found = segments_of(place)
    texts = {each.name: exact[each.start : each.end].strip() for each in found}
    assert texts["system"] == "Answer the question."
    assert texts["question"] == "What is six plus one?"
    assert texts["attempt 1"] == "The answer is 8."
    assert texts["attempt 2"] == "The answer is 9."
    assert texts["feedback 1 step"] == 'Look at "6 + 1 = 8".'
    assert texts["feedback 1 rest"] == "It is 3.5 off."
    assert texts["feedback 2 rest"] == "Try again."
    assert "answer the problem again" in texts["request"]
    assert "Try again" not in texts["request"]


def test_a_text_that_stands_twice_is_told_apart_by_where_it_stands():
    _, found = segments_of(scene(["Try again."], ["Try again."]))
    where = {each.name: each.start for each in found}
    assert where["attempt 1"] < where["feedback 1 rest"]


def test_texts_with_the_marks_own_characters_are_refused():
    with pytest.raises(UnmarkableError, match="private characters"):
        marked_prompt(scene(["it is \U000f0001"], ["no"]))


def test_a_template_that_changes_texts_is_refused():
    place = scene(["The answer is 8."], ["no"])
    marked, names = marked_prompt(place)
    with pytest.raises(UnmarkableError, match="changes texts"):
        segments("something else", rendered(marked), names)


@given(st.text(max_size=200))
def test_sentences_cover_a_text(text):
    found = sentences(text)
    assert "".join(text[start:end] for start, end in found) == text
