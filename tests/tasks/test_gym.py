"""Generators of reasoning-gym as tasks: against a library of our own, and the real one if there."""

import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks import gym
from feedback_friction.tasks.catalog import get_page, load_problems


class Made:
    """A generator: every number is its own question; a third has only an example of an answer."""

    def __init__(self, kind, seed):
        self.kind, self.seed = kind, seed

    def __getitem__(self, number):
        answer = f"{self.seed + number}"
        entry = {"question": f"Say {answer}.", "answer": answer, "metadata": {}}
        if self.kind == "open":
            entry |= {"answer": None, "metadata": {"example_answer": answer}}
        if self.kind == "closed":
            entry |= {"answer": None}
        if self.kind == "truth":
            entry |= {"answer": "False"}
        return entry

    def score_answer(self, answer, entry):
        if self.kind == "truth":
            return 1.0 if answer != "True" else 0.0
        return 1.0 if float(answer) == float(entry["question"][4:-1]) else 0.01


@pytest.fixture
def library(monkeypatch):
    kinds = dict.fromkeys(["plain", "open", "closed", "truth"])

    def create(kind, size, seed):
        assert kind != "composite", "Must specify at least one dataset"
        return Made(kind, seed)

    made = types.SimpleNamespace(
        factory=types.SimpleNamespace(DATASETS=kinds | {"composite": None}), create_dataset=create
    )
    monkeypatch.setitem(sys.modules, "reasoning_gym", made)
    for kept in (gym._page, gym._dataset, gym._calculates):
        kept.cache_clear()
    yield made
    for kept in (gym._page, gym._dataset, gym._calculates):
        kept.cache_clear()


def problems(name, **selection):
    page = get_page(f"gym:{name}")
    return page, load_problems(page, Selection(**selection))


@pytest.mark.parametrize("name", ["plain", "open", "truth"])
def test_gold_passes_and_masks_itself_out(library, name):
    page, made = problems(name, limit=5, seed=3)
    assert len({problem.id for problem in made}) == 5
    for problem in made:
        stated = page.task.state_answer(problem, problem.gold)
        assert page.task.grade(problem, f"I see. {stated}").is_correct
        assert page.task.mask(problem, f"It is {problem.gold}, no doubt.").spans


def test_the_last_answer_counts_and_what_is_none_is_none(library):
    page, (problem, *_) = problems("plain", limit=2)
    grade = page.task.grade
    assert grade(problem, f"<answer>x</answer> <answer>{problem.gold}.0</answer>").is_correct
    assert grade(problem, "<answer>999</answer>").outcome.value == "wrong"
    assert grade(problem, f"It is {problem.gold}.").outcome.value == "no-answer"
    assert grade(problem, "<answer> </answer>").outcome.value == "no-answer"
    odd = grade(problem, "<answer>no number</answer>")
    assert (odd.outcome.value, odd.rule) == ("wrong", "not scored: ValueError")


def test_a_scorer_that_takes_anything_for_false_is_only_shown_true_or_false(library):
    page, (problem, *_) = problems("truth", limit=1)
    assert page.task.grade(problem, "<answer>Banana</answer>").outcome.value == "wrong"
    assert page.task.grade(problem, "<answer>false</answer>").is_correct


def test_the_same_seed_makes_the_same_problems_and_another_others(library):
    assert problems("plain", limit=4)[1] == problems("plain", limit=4)[1]
    assert problems("plain", limit=4)[1] != problems("plain", limit=4, seed=9)[1]


@pytest.mark.parametrize(
    ("name", "said"),
    [("plian", "5 generators, such as gym:plain"), ("closed", "no answer that its own scorer"),
     ("composite", "cannot be used by itself: Must specify")],
)  # fmt: skip
def test_a_generator_that_cannot_be_used_is_refused_in_a_line(library, name, said):
    with pytest.raises(UsageError, match=said):
        problems(name, limit=1)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(UsageError, match=r"pip install 'feedback-friction\[gym\]'"):
        get_page("gym:chain_sum")


@pytest.mark.parametrize(
    "answer", ["3 * (4 + 5) - 6", "x**2 + 3*x", "sin(x) + log(x)", "[[1, 2], [3, 4]]", "8/3"]
)
def test_short_arithmetic_is_calculated(answer):
    assert gym._is_arithmetic(answer)


@pytest.mark.parametrize(
    "answer",
    ["9**9**9", "2**(10**9)", "2^9999", "__import__('os')", "open('x')", "exit()", "x.__class__",
     "factorial(10000)", "1" * 301, "().mro", "a; b", "lambda: 0"],
)  # fmt: skip
def test_nothing_else_is(answer):
    assert not gym._is_arithmetic(answer)


@given(st.text(max_size=200))
def test_a_mask_hides_the_answer_in_any_text(text):
    problem = Problem("0/0", "gym:plain", "Rows?", "1 2 3\n4 5 6")
    masked = gym.mask(problem, f"{text} 1 2  3\n4 5 6 {text}")
    assert "4 5 6" not in masked.text or "4 5 6" in text


@pytest.mark.slow
def test_gold_of_every_real_generator_passes_or_is_refused_in_a_line():
    pytest.importorskip("reasoning_gym")
    refused = set()
    for name in gym.names():
        try:
            page, made = problems(name, limit=2)
        except UsageError:
            refused.add(name)
            continue
        for problem in made:
            assert page.task.grade(
                problem, page.task.state_answer(problem, problem.gold)
            ).is_correct
    assert refused == {"boxnet", "composite", "graph_color", "rush_hour"}


def test_gold_of_the_real_generators_has_full_marks():
    pytest.importorskip("reasoning_gym")
    for name in ("chain_sum", "letter_counting", "countdown", "sudoku"):
        page, made = problems(name, limit=2)
        for problem in made:
            dataset = gym._dataset(name, 0)
            number = int(problem.id.partition("/")[2])
            assert dataset.score_answer(problem.gold, dataset[number]) == 1
            stated = page.task.state_answer(problem, problem.gold)
            assert page.task.grade(problem, stated).is_correct
