"""Replies and feedback through every task's grader, mask and tutor, and judges' replies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hypothesis import strategies as st

from benchmarks.fuzzing import Target
from benchmarks.fuzzing.corpus import cases, texts
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol import error_category, judge
from feedback_friction.protocol.masking.gate import MASK
from feedback_friction.protocol.probes import parse_perception
from feedback_friction.protocol.task import Task
from feedback_friction.tasks.catalog import PAGES, get_page

_MORE = 1100  # characters by which a prediction may be longer than its reply: 1e1000 written out
_TUTOR_SAYS = 2000  # characters at most

Case = tuple[Problem, str]


def targets() -> Iterator[Target]:
    """Grader, mask and tutor of every task, and the readers of judges' replies."""
    for name in PAGES:
        page = get_page(name)
        rows = [*cases("rows")[name], *(cases("fuzz_questions") if name == "custom" else ())]
        problems = [page.to_problem(row) for row in rows]
        asked = st.sampled_from(problems).flatmap(_case)
        yield Target(f"grade {name}", asked, _of(check_grade, page.task))
        yield Target(f"mask {name}", asked, _of(check_mask, page.task))
        if page.task.tutor is not None:
            yield Target(f"tutor {name}", asked, _of(check_tutor, page.task))
    yield Target("judge's verdict", texts(), _check_judge)
    yield Target("annotator's labels", texts(), _check_annotation)
    yield Target("self-perception", texts(), _check_perception)


def _case(problem: Problem) -> st.SearchStrategy[Case]:
    stated = (problem.gold, *problem.aliases[:3], problem.gold_text, *problem.choices[:4])
    return st.tuples(st.just(problem), texts(*dict.fromkeys(stated)))


def _of(check: Callable[[Task, Problem, str], None], task: Task) -> Callable[[Case], None]:
    return lambda case: check(task, *case)


def check_grade(task: Task, problem: Problem, text: str) -> None:
    """A verdict is well formed, bounded, and the same when it is asked for again."""
    verdict = task.grade(problem, text)
    assert (verdict.prediction is None) == (verdict.outcome is Outcome.NO_ANSWER)
    assert verdict.rule
    assert verdict.prediction != ""
    assert verdict.prediction is None or len(verdict.prediction) <= len(text) + _MORE
    assert task.grade(problem, text) == verdict


def check_mask(task: Task, problem: Problem, text: str) -> None:
    """A masked text is the text with its spans replaced, and masking it again changes nothing."""
    masked = task.mask(problem, text)
    assert masked.text == _replaced(text, [(each.start, each.end) for each in masked.spans])
    assert all(leak and leak in masked.text for leak in masked.leaks)
    assert task.mask(problem, masked.text).text == masked.text


def _replaced(text: str, spans: Sequence[tuple[int, int]]) -> str:
    at, parts = 0, []
    for start, end in spans:
        assert at <= start < end <= len(text)
        parts.append(text[at:start])
        at = end
    return MASK.join([*parts, text[at:]])


def check_tutor(task: Task, problem: Problem, text: str) -> None:
    """The tutor says something short that does not give the answer away."""
    assert task.tutor is not None
    said = task.tutor(problem, text)
    assert 0 < len(said) <= _TUTOR_SAYS
    assert not task.grade(problem, said).is_correct


def _check_judge(text: str) -> None:
    assert judge.parse(text) in (True, False, None)


def _check_perception(text: str) -> None:
    assert parse_perception(text) in (True, False, None)


def _check_annotation(text: str) -> None:
    for rounds in (1, 10):
        error_category.parse(text, rounds)
