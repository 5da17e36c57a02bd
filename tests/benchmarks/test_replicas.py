"""A small form of the benchmark of replicas."""

import pytest

from benchmarks import replicas


@pytest.mark.slow
def test_a_replica_that_dies_in_the_middle_of_a_run_loses_nothing() -> None:
    figures = replicas.measure(count=20, concurrency=16)
    assert [figure.name for figure in figures if figure.holds is False] == []
    assert sum(figure.holds is True for figure in figures) == 6
