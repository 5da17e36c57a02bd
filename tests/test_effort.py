"""The measure of work: it agrees with ``re``, and tells what is linear from what is not."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

import effort
from backtracking import Machine, TooManyStepsError
from effort import LINEAR, growth, repeated

PARTS = st.sampled_from([
    "a", "b", "[ab]", "[^a]", ".", r"\n", "(?i:A)", "(?:ab|a)", "(a)?", "(?P<x>b)?(?(x)a|b)",
    "a*", "a+?", "b{1,2}", "a*+", "(?>a+)", "(a|b)*", "(?:a|ab)+b", r"(?P<y>a+)b(?P=y)?",
    "(?:(a)|b)*", "(?:a?){2,4}", "(?:a*)*b", r"\b", "^", "$", "(?=a)", "(?!b)", "(?<=a)", "(?<!ab)",
])  # fmt: skip


@given(st.lists(PARTS, min_size=1, max_size=4), st.text("abA\n ", max_size=12))
def test_the_machine_finds_what_re_finds(parts: list[str], text: str) -> None:
    pattern = "".join(dict.fromkeys(parts))  # a named group can stand there only once
    machine, compiled = Machine(pattern, re.MULTILINE), re.compile(pattern, re.MULTILINE)
    for start in range(len(text) + 1):
        found, whole = compiled.search(text, start), compiled.fullmatch(text, start)
        assert machine.search(text, start, len(text)) == (found.span() if found else None)
        assert machine.match(text, start, len(text), full=True) == (whole.end() if whole else -1)


def test_a_search_that_goes_on_and_on_is_given_up() -> None:
    machine = Machine("(?:a|a)*b")
    machine.limit = 10_000
    with pytest.raises(TooManyStepsError):
        machine.search("a" * 40, 0, 40)


SOURCE = """
import re
from functools import lru_cache

def two_for_one(text):
    return re.sub("a", "b", text)

def to_the_end_from_everywhere(text):
    return re.search("a*b", text)

def through_a_cache(text):
    return cached(text)

@lru_cache
def cached(text):
    return [re.compile("a+$").match(text, at) for at in range(len(text))]

def in_python(text):
    count = 0
    for left in text:
        for right in text:
            count += left == right
    return count
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "measured.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(effort, "PACKAGE", "measured")
    monkeypatch.setattr(effort, "_TWIN", {})
    yield importlib.import_module("measured")
    del sys.modules["measured"]


@pytest.mark.parametrize(
    ("name", "linear"),
    [
        ("two_for_one", True),
        ("to_the_end_from_everywhere", False),
        ("through_a_cache", False),
        ("in_python", False),
    ],
)
def test_growth_tells_linear_work_from_quadratic(
    module: ModuleType, name: str, linear: bool
) -> None:
    work = getattr(module, name)
    for _ in range(2):  # nothing is kept from one to the next
        assert (growth(work, lambda size: (repeated("a", size),), 100) < LINEAR) is linear
