"""Shuffling and hints: gold moves along, every order is as likely, and no answer tries nothing."""

from __future__ import annotations

import random
from collections import Counter
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

import toys
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.history import binary_hint
from feedback_friction.protocol.records import Attempt, Reply


@given(st.integers(2, 10), st.data())
def test_gold_keeps_its_text_and_the_choices_stay_the_same(count, data):
    gold = data.draw(st.sampled_from(LETTERS[:count]))
    problem = Problem("1", "t", "Which?", gold, choices=tuple(f"option {n}" for n in range(count)))
    moved = problem.shuffled(random.Random(data.draw(st.integers())))
    assert moved.gold_text == problem.gold_text
    assert sorted(moved.choices) == sorted(problem.choices)
    assert moved.letters == problem.letters


def test_every_order_of_the_choices_is_as_likely():
    rng = random.Random(0)
    counts = Counter(toys.CHOICES.shuffled(rng).choices for _ in range(24_000))
    assert set(counts) == set(permutations(toys.CHOICES.choices))
    chi_square = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert chi_square < 49.7  # 23 degrees of freedom, p = 0.001


def test_a_problem_without_choices_is_not_changed():
    assert toys.PROBLEM.shuffled(random.Random(0)) is toys.PROBLEM


def attempt(problem: Problem, prediction: str | None) -> Attempt:
    verdict = Verdict.none() if prediction is None else Verdict.of(False, prediction, "toy")
    return Attempt(0, problem, Reply("..."), verdict, 0.0)


def test_a_hint_names_what_was_tried_and_what_is_left():
    hint = binary_hint(toys.CHOICES, [attempt(toys.CHOICES, "A"), attempt(toys.CHOICES, "D")])
    tried, left = hint.split("left")
    assert [letter for letter in "ABCD" if f"({letter})" in tried] == ["A", "D"]
    assert [letter for letter in "ABCD" if f"({letter})" in left] == ["B", "C"]


def test_a_hint_follows_the_choices_through_a_shuffle():
    moved = toys.CHOICES.shuffled(random.Random(1))
    tried = toys.CHOICES.choices[0]
    hint = binary_hint(moved, [attempt(toys.CHOICES, "A")])
    assert f"({LETTERS[moved.choices.index(tried)]})" in hint.split("left")[0]


def test_an_attempt_without_an_answer_tried_nothing():
    assert binary_hint(toys.CHOICES, [attempt(toys.CHOICES, None)]) == ""
    assert binary_hint(toys.CHOICES, []) == ""
    assert binary_hint(toys.PROBLEM, [attempt(toys.PROBLEM, "8")]) == ""
