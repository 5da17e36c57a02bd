"""Whatever reads untrusted input, with a few hostile inputs each; the benchmark tries many more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.fuzzing import Target, targets
from benchmarks.fuzzing.corpus import mutated, seeds

EVERY = list(targets())


@pytest.mark.slow
@pytest.mark.parametrize("target", EVERY, ids=lambda target: target.name)
def test_no_input_makes_a_reader_raise_or_answer_out_of_shape(target: Target) -> None:
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(target.inputs)
    def attempt(value: object) -> None:
        target.check(value)

    attempt()


def test_every_target_has_a_name_of_its_own_and_the_corpus_is_read() -> None:
    assert len({target.name for target in EVERY}) == len(EVERY) >= 50
    assert len(seeds()) > 1000


def test_a_finding_is_told_with_its_smallest_input() -> None:
    def check(numbers: list[int]) -> None:
        if any(number >= 1000 for number in numbers):
            raise IndexError("the reader's own fault")

    count, found = fuzz._round(Target("toy", st.lists(st.integers()), check), 0)
    assert found is not None
    assert found.startswith("input: [1000]\n")
    assert "the reader's own fault" in found
    assert count > 0


def test_rounds_of_other_numbers_try_other_inputs_and_the_same_one_the_same() -> None:
    def tried(number: int) -> list[str]:
        seen: list[str] = []
        fuzz._round(Target("toy", st.text(), seen.append), number)
        return seen

    assert tried(1) == tried(1) != tried(2)


@pytest.mark.slow
def test_documents_are_varied_without_changing_the_ones_they_are_made_of() -> None:
    document = {"a": [1, {"b": 2}]}
    seen = []

    @settings(max_examples=100)
    @given(mutated([document]))
    def attempt(value: object) -> None:
        seen.append(value)

    attempt()
    assert document == {"a": [1, {"b": 2}]}
    assert sum(value != document for value in seen) > 50


def test_the_benchmark_takes_turns_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 1.0, 2.0, 3.0, 99.0])
    monkeypatch.setattr(fuzz.time, "monotonic", lambda: next(ticks))
    monkeypatch.setattr(fuzz, "ROUND", 5)
    figures = fuzz.measure(seconds=10, only="grade m")
    counts = {figure.name: figure.value for figure in figures}
    assert [name for name in counts if name.startswith("grade")] == [
        "grade math_500", "grade mmlu", "grade mmlu_pro",
    ]  # fmt: skip
    assert all(counts[name] > 0 for name in counts if name.startswith("grade"))
    assert figures[-1].holds
