"""The core of the mask, with matchers of our own making: what holds whatever the matchers do."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import LINEAR, growth, repeated
from feedback_friction.protocol.masking.gate import (
    MASK,
    Match,
    Matcher,
    View,
    audit,
    gate,
    mask,
)
from feedback_friction.protocol.records import Masked, Span


def matcher(pattern: str, form: str = "toy") -> Matcher:
    compiled = re.compile(pattern)

    def find(text: str) -> Iterator[Match]:
        return ((found.start(), found.end(), form) for found in compiled.finditer(text))

    return find


def words(text: str) -> Iterator[tuple[int, int]]:
    return (found.span() for found in re.finditer(r"\w+", text))


TEXTS = st.text(st.sampled_from("ab12 ,.½²٣４\u200b\u0301éÅ[]masked\n"), max_size=60)
PATTERNS = st.sampled_from(
    [
        "a",
        "12",
        "a+",
        "[a1]",
        "b$",
        "^a",
        r"\w",
        r".",
        r"(?<=\])a",
        r"a(?=\[)",
        r"1|21|b1",
        r"\S+",
        "",
    ]
)


# --- mask ----------------------------------------------------------------------------------------


def test_replaces_matches_and_tells_where_they_stood():
    assert mask("a 12 b 12.", [matcher("12")]) == Masked(
        "a [masked] b [masked].", (Span(2, 4, "toy"), Span(7, 9, "toy"))
    )


def test_text_without_a_match_is_the_same_object():
    text = "nothing here — only ½ and [masked]"
    assert mask(text, [matcher("x")]).text is text


def test_overlapping_matches_become_one_span_with_the_form_of_the_longest():
    found = mask("abcdef", [matcher("bc", "short"), matcher("cde", "long")])
    assert found == Masked("a[masked]f", (Span(1, 5, "long"),))


def test_matches_that_only_touch_stay_apart():
    assert mask("ab", [matcher("a"), matcher("b")]).text == MASK + MASK


def test_an_existing_mark_is_never_matched_in_part_or_whole_or_across():
    text = "masked [masked] x[masked]y"
    found = mask(text, [matcher("masked"), matcher(r"x\[masked\]y"), matcher(r"\[masked\]")])
    assert found == Masked("[masked] [masked] x[masked]y", (Span(0, 6, "toy"),))


def test_empty_matches_are_no_matches():
    text = "abc"
    assert mask(text, [matcher("")]).text is text


def test_a_match_that_its_neighbour_hid_is_found_in_the_same_call():
    # "b" counts only beside a mark; the spans are offsets into the text as it was given.
    found = mask("x b a b", [matcher("a"), matcher(r"b(?= \[)|(?<=\] )b")])
    assert found.text == "x [masked] [masked] [masked]"
    assert [(span.start, span.end) for span in found.spans] == [(2, 3), (4, 5), (6, 7)]


def test_text_that_matches_on_and_on_is_masked_whole_after_few_passes():
    chain, passes = matcher(r"(?<=\])a|^a"), []  # each match makes the next one
    assert mask("a" * 20, [chain]).text == MASK * 20
    found = mask("a" * 300_000, [lambda text: passes.append(len(text)) or chain(text)])
    assert found == Masked(MASK, (Span(0, 300_000, "unsettled"),))
    assert sum(passes) < 20 * 300_000


@given(TEXTS, st.lists(PATTERNS, max_size=3))
def test_masking_masked_text_changes_nothing(text, patterns):
    matchers = [matcher(pattern) for pattern in patterns]
    once = mask(text, matchers)
    assert mask(once.text, matchers) == Masked(once.text)


@given(TEXTS, st.lists(PATTERNS, max_size=3))
def test_spans_are_offsets_into_the_original(text, patterns):
    found = mask(text, [matcher(pattern) for pattern in patterns])
    rebuilt, at = "", 0
    for span in found.spans:
        assert at <= span.start < span.end <= len(text)
        rebuilt += text[at : span.start] + MASK
        at = span.end
    assert rebuilt + text[at:] == found.text


@given(TEXTS)
def test_marks_in_the_text_survive(text):
    found = mask(f"{text}{MASK}{text}", [matcher("[a-z]"), matcher(".")])
    assert not any(
        span.start < len(text) + len(MASK) and span.end > len(text) for span in found.spans
    )


# --- the view ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("５７，８", "57,8"),
        ("٥٧ ५७ 𝟓𝟕", "57 57 57"),
        ("5\u00a07\u20098\u202f1\u30002", "5 7 8 1 2"),
        ("−5 ‐ 5 – 5 — 5", "-5 - 5 - 5 - 5"),
        ("1’234", "1'234"),
        ("5\u200b7\u20608\u00ad1\ufeff7\x000", "578170"),
        ("10⁻¹², x₁₆, 2²", "10^-12, x_16, 2^2"),
        ("½ 1½ ¾", "1/2 1 1/2 3/4"),
        ("5\u03367\u0336", "57"),
        ("3\ufe0f\u20e3", "3"),
        ("Ⓒ 🅒 🅲 Ｃ 🇨", "C C C C C"),
        ("٥٬٧٨١٫٢", "5,781.2"),
        ("Beyoncé × → “x” 你好", 'Beyoncé × → "x" 你好'),
    ],
)
def test_the_view_shows_one_way_of_writing(text, shown):
    assert View.plain(text).text == shown


def test_plain_ascii_is_its_own_view():
    text = "1,234 = \\boxed{5}\n\t"
    assert View.plain(text) == View(text, len(text), None)


@given(st.text(max_size=40), st.data())
def test_every_stretch_of_the_view_comes_from_a_stretch_of_the_original(text, data):
    view = View.plain(text)
    if not view.text:
        return
    start = data.draw(st.integers(0, len(view.text) - 1))
    end = data.draw(st.integers(start + 1, len(view.text)))
    first, last = view.span(start, end)
    assert 0 <= first < last <= len(text)
    # What comes before the stretch in the view comes from before it in the original.
    assert view.text.startswith(View.plain(text[:first]).text)


@given(st.text(max_size=40))
def test_the_whole_view_comes_from_all_visible_text(text):
    view = View.plain(text)
    if view.text:
        start, end = view.span(0, len(view.text))
        assert View.plain(text[:start]).text == ""
        assert end == len(text)


def test_a_match_takes_the_invisible_characters_within_it_along():
    text = "it is 4\u200b2\u200b!"
    assert mask(text, [matcher("42")]) == Masked("it is [masked]!", (Span(6, 10, "toy"),))


def test_a_folded_view_maps_back_when_characters_grow_or_go():
    view = View.folded("Straße-Weg", lambda char: "" if char == "-" else char.casefold())
    assert view.text == "strasseweg"
    assert view.span(4, 6) == (4, 5)
    assert view.span(7, 10) == (7, 10)
    assert view.span(6, 7) == (5, 7)  # up to the next visible character


# --- the audit -----------------------------------------------------------------------------------


def test_the_audit_asks_the_grader_about_every_candidate():
    assert audit("the answer is Paris", words, lambda span: span == "Paris") == ("Paris",)


def test_the_audit_names_each_leak_once_in_order():
    leaks = audit("b a b a", words, lambda span: span in "ab")
    assert leaks == ("b", "a")


def test_the_audit_never_asks_about_marks():
    asked = []
    audit("a [masked] b", words, lambda span: bool(asked.append(span)))
    assert asked == ["a", "b"]


def test_the_gate_masks_and_audits():
    found = gate("12 twelve", [matcher("12")], words, lambda span: span in ("12", "twelve"))
    assert found == Masked("[masked] [masked]", (Span(0, 2, "toy"), Span(3, 9, "graded")))


def test_of_leaks_within_leaks_only_the_innermost_is_masked():
    found = gate("so 12, yes", [], lambda text: [(0, 10), (3, 5)], lambda span: "12" in span)
    assert (found.text, found.leaks) == ("so [masked], yes", ())


@pytest.mark.parametrize("piece", ["a quick brown fox, 12 times. ", "½é\u200b４ "])
def test_work_grows_with_the_length_of_the_text(piece):
    assert growth(mask, lambda size: (repeated(piece, size), [matcher("12")]), 2000) < LINEAR
