"""Fractions, limits and strata: stable, even, and refused where they make no sense."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.selection import rank, sample, share, strata


def problems(count: int, subjects: str = "abcd") -> list[Problem]:
    """More of the first subjects than of the last ones."""
    return [
        Problem(
            f"p{n}",
            "mmlu",
            f"Question {n}?",
            "A",
            subject=subjects[(n * n) % len(subjects)],
            s_pop=10 + n * n,
        )
        for n in range(count)
    ]


def ids(chosen: list[Problem]) -> set[str]:
    return {problem.id for problem in chosen}


@given(st.integers(0, 5), st.floats(0.01, 0.99), st.randoms())
def test_a_fraction_depends_on_nothing_but_the_problem_itself(seed, fraction, shuffler):
    every = problems(100)
    chosen = ids(sample(every, Selection(fraction=fraction, seed=seed)))
    some = every[:50]
    shuffler.shuffle(some)
    assert ids(sample(some, Selection(fraction=fraction, seed=seed))) == chosen & ids(some)


def test_a_fraction_of_a_tenth_is_about_a_tenth_and_seeds_differ():
    every = problems(14_042)
    chosen = sample(every, Selection(fraction=0.1))
    assert 1404 - 4 * 36 < len(chosen) < 1404 + 4 * 36
    other = sample(every, Selection(fraction=0.1, seed=1))
    assert len(ids(chosen) & ids(other)) < 250


def test_a_smaller_fraction_is_part_of_a_larger_one():
    every = problems(500)
    small, large = (ids(sample(every, Selection(fraction=f))) for f in (0.1, 0.3))
    assert small < large


def test_the_order_of_the_rows_is_kept():
    every = problems(200)
    random.Random(3).shuffle(every)
    for selection in (
        Selection(fraction=0.4),
        Selection(fraction=0.4, stratify="subject"),
        Selection(limit=30, stratify="s_pop"),
    ):
        chosen = sample(every, selection)
        assert chosen == [problem for problem in every if problem in chosen]


def test_by_subject_every_subject_gives_the_same_share():
    every = problems(400)
    sizes = Counter(problem.subject for problem in every)
    chosen = sample(every, Selection(fraction=0.1, stratify="subject"))
    assert Counter(problem.subject for problem in chosen) == {
        subject: round(size * 0.1) for subject, size in sizes.items()
    }


def test_by_subject_adding_a_row_changes_one_other_at_most():
    every = problems(400)
    before = ids(sample(every[:-1], Selection(fraction=0.1, stratify="subject")))
    after = ids(sample(every, Selection(fraction=0.1, stratify="subject")))
    assert len(before - after) <= 1
    assert len(after - before) <= 2


def test_by_popularity_every_stratum_gives_as_many():
    every = problems(1000)
    rows = {problem.id: position for position, problem in enumerate(every)}
    chosen = sample(every, Selection(fraction=0.1, stratify="s_pop"))
    assert Counter(rows[problem.id] // 100 for problem in chosen) == dict.fromkeys(range(10), 10)


def test_a_limit_over_groups_takes_as_many_of_each_as_there_are():
    few = [*problems(40, "a"), *[Problem("z", "mmlu", "?", "A", subject="b", s_pop=1)]]
    chosen = sample(few, Selection(limit=5, stratify="subject"))
    assert Counter(problem.subject for problem in chosen) == {"a": 4, "b": 1}


def test_a_limit_alone_takes_the_first():
    every = problems(20)
    assert sample(every, Selection(limit=7)) == every[:7]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.integers(1, 12))
def test_strata_are_equally_large_and_in_order(values, count):
    found = strata(values, count)
    sizes = Counter(found)
    assert max(sizes.values()) - min(sizes.get(each, 0) for each in range(count)) <= 1
    highest = -1
    for _, stratum in sorted(zip(values, found, strict=True)):
        assert stratum >= highest or values.count(_) > 1
        highest = max(highest, stratum)


def test_ranks_are_uniform_and_the_same_everywhere():
    ranks = [rank(f"0:mmlu:p{n}") for n in range(10_000)]
    assert 0.48 < sum(ranks) / len(ranks) < 0.52
    assert all(0 <= each < 1 for each in ranks)
    assert share(0, problems(1)[0]) == rank("0:mmlu:p0") == pytest.approx(0.8172, abs=1e-4)


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        ({"limit": 0}, "must be at least 1, not 0"),
        ({"limit": -3}, "must be at least 1, not -3"),
        ({"fraction": 0.0}, "must be above 0 and at most 1, not 0"),
        ({"fraction": 1.01}, "must be above 0 and at most 1, not 1.01"),
        ({"fraction": 0.5, "stratify": "answer"}, "allowed: subject, level, s_pop, o_pop"),
        ({"stratify": "subject"}, "needs --fraction or --limit"),
        ({"fraction": 0.5, "stratify": "level"}, "not every problem of mmlu has one"),
    ],
)
def test_a_selection_that_makes_no_sense_is_refused(selection, says):
    with pytest.raises(UsageError, match=says):
        sample(problems(10), Selection(**selection))
