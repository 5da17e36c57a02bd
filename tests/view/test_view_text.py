"""Texts on the review page: harmless characters, and marks of what changed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.view.untrusted import LONGEST, MOST_WORDS, difference, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a⟨U+0000⟩b"),
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("\u2066x\u2069", "⟨U+2066⟩x⟨U+2069⟩"),
        ("a\ufeffb\u200b", "a⟨U+FEFF⟩b⟨U+200B⟩"),
        ("one\r\ntwo\tthree\n", "one\ntwo\tthree\n"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("مرحبا 漢字 é 👩\u200d🔬", "مرحبا 漢字 é 👩\u200d🔬"),
    ],
)
def test_what_cannot_be_seen_is_shown_and_nothing_else_is_changed(text, shown):
    assert visible(text) == shown


@given(st.text(st.characters(codec=None)))
def test_no_control_and_no_direction_mark_is_left_and_showing_twice_changes_nothing(text):
    shown = visible(text)
    assert not {c for c in shown if unicodedata.category(c) in ("Cc", "Cs")} - {"\n", "\t"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {"RLO", "LRO", "RLI", "LRI", "FSI"}
    assert visible(shown) == shown


def test_what_is_not_shown_of_a_huge_text_is_said():
    shown = visible("y" * (LONGEST + 1234))
    assert shown.endswith("[1,234 more characters are not shown here]")
    assert len(shown) < LONGEST + 100


def told(before, after):
    found = difference(before, after)
    return found.kind, [(part.change, part.text) for part in found.parts]


def test_a_changed_number_is_marked_where_it_stands():
    assert told("Thus 3 + 4 = 8, I think.", "Thus 3 + 4 = 9, I think.") == (
        "edited",
        [("same", "Thus 3 + 4 = "), ("removed", "8"), ("added", "9"), ("same", ", I think.")],
    )


def test_neighbouring_words_that_change_are_marked_as_one():
    assert told("So let me work: the sum is 7.", "So step by step: the sum is 7.") == (
        "edited",
        [
            ("same", "So "),
            ("removed", "let me work"),
            ("added", "step by step"),
            ("same", ": the sum is 7."),
        ],
    )


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (None, "anything", "first"),
        ("the same", "the same", "same"),
        ("", "", "same"),
        ("one two three", "cat dog bird", "rewritten"),
        ("", "something", "rewritten"),
        ("something", "", "rewritten"),
    ],
)
def test_how_much_changed_is_named(before, after, kind):
    assert difference(before, after).kind == kind


words = st.lists(st.sampled_from(["the", "a", "of", "x", "12", "+", "=", "\n"]), max_size=60).map(
    " ".join
)


@given(words, words)
def test_the_parts_give_back_the_text_and_where_edited_the_one_before_it(before, after):
    found = difference(before, after)
    assert "".join(part.text for part in found.parts if part.change != "removed") == after
    if found.kind == "edited":
        assert "".join(part.text for part in found.parts if part.change != "added") == before


# More words than difflib takes for noise, each too rare for that: what costs it the square.
MANY = [f"w{number} " for number in range(150)]


@pytest.mark.parametrize(
    ("before", "after"),
    [("x", "y"), ("a b ", "b a "), ("<", ">"), ("".join(MANY), "".join(reversed(MANY)))],
    ids=["one word", "two words", "signs", "many words"],
)
def test_work_grows_with_the_length_of_texts_that_are_too_long_to_compare_by_words(before, after):
    longer = 3 * MOST_WORDS * len(before) // (2 * len(before.split()))

    def texts(size):
        return repeated(before, size), repeated(after, size) + "c"

    assert growth(difference, texts, longer) < LINEAR
    assert difference(*texts(longer)).kind == "rewritten"
