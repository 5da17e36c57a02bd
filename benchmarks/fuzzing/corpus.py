"""The corpus: texts that tests know to be difficult, and strategies that vary and mix them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

CASES = Path(__file__).parents[2] / "tests" / "cases"
LONGEST = 3000  # characters of a text: what is slow on a long one is for the tests of growth
_TEXTS = ("reply", "response", "text", "feedback", "body", "work", "attempt")
_WORDS = (
    "hostile_numbers",
    "text_grading",
    "choice_grading",
    "number_grading",
    "integer_grading",
    "expression_grading",
    "mask_aliases",
    "mask_expressions",
    "mask_letters",
    "mask_numbers",
    "tutor_attempts",
    "annotation_replies",
)


def cases(name: str) -> Any:
    """A table of test cases."""
    return json.loads((CASES / f"{name}.json").read_text("utf-8"))


def _texts(value: object, wanted: bool = False) -> Iterator[str]:
    """The texts in a table that are replies or feedback."""
    if isinstance(value, str):
        if wanted:
            yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, wanted)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, key in (*_TEXTS, "replies"))


@cache
def seeds() -> tuple[str, ...]:
    """Replies and feedback texts of all tables, each once."""
    found = [text for name in _WORDS for text in _texts(cases(name))]
    return tuple(dict.fromkeys(text[:LONGEST] for text in found if text))


@cache
def fragments() -> tuple[str, ...]:
    """Short pieces that graders and masks look for, and odd characters."""
    return tuple(each for group in cases("fuzz_fragments").values() for each in group)


def pieces(*more: str) -> SearchStrategy[str]:
    """Something short: a fragment, a number of any size, odd characters, or one of ``more``."""
    number = st.integers(-(10**12), 10**12).map(str) | st.floats().map(repr)
    run = st.tuples(st.sampled_from("0123456789ABCDEF.,' _-"), st.integers(1, 400))
    known = st.sampled_from(fragments())
    own = [st.sampled_from(more)] if more else []
    any_text = st.text(max_size=12)
    return st.one_of(*own, known, known, number, run.map(lambda pair: pair[0] * pair[1]), any_text)


def texts(*more: str) -> SearchStrategy[str]:
    """A reply or a feedback text: pieces in a row, a seed with a piece in it, or a repetition."""
    piece = pieces(*more)
    mixed = st.lists(piece, max_size=14).map("".join)
    spaced = st.lists(piece, max_size=14).map(" ".join)
    spliced = st.tuples(st.sampled_from(seeds()), st.integers(0, LONGEST), piece).map(_spliced)
    joined = st.tuples(st.sampled_from(seeds()), piece, st.sampled_from(seeds())).map("".join)
    repeated = st.tuples(piece, st.integers(2, 300)).map(lambda pair: pair[0] * pair[1])
    whole = st.one_of(mixed, spaced, spliced, joined, repeated, mixed)
    return whole.map(lambda text: text[:LONGEST])


def _spliced(parts: tuple[str, int, str]) -> str:
    text, at, piece = parts
    at %= len(text) + 1
    return text[:at] + piece + text[at + len(piece) % 7 :]


def values() -> SearchStrategy[Any]:
    """A value of JSON, of any type."""
    numbers = st.integers() | st.integers(-(2**70), 2**70) | st.floats()
    leaves = st.none() | st.booleans() | numbers | pieces() | st.text(max_size=20)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )


def mutated(documents: list[Any]) -> SearchStrategy[Any]:
    """One of some documents of JSON with up to three of its values, at any depth, exchanged."""

    @st.composite
    def mutate(draw: st.DrawFn) -> Any:
        document = json.loads(json.dumps(draw(st.sampled_from(documents))))
        for _ in range(draw(st.integers(0, 3))):
            places = list(_places(document))
            if not places:
                return draw(values())
            holder, key = draw(st.sampled_from(places))
            if draw(st.booleans()):
                holder[key] = draw(values())
            elif isinstance(holder, dict):
                del holder[key]
            else:
                holder.insert(key, draw(values()))
        return document

    return mutate()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(items):
        yield value, key
        if isinstance(each, dict | list):
            yield from _places(each)
