"""Small forms of the benchmarks that prove soundness: what they claim has to hold at any size.

Figures of speed and time are left to the benchmarks: a test machine may be busy.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks import resume, sharing
from benchmarks.common import Figure, friction, problems, rows, run_arguments, workspace
from benchmarks.faults import random_faults
from benchmarks.simserver import Settings, simulated_server


def holding(figures: Sequence[Figure]) -> dict[str, bool | None]:
    """By name, whether a figure's target holds."""
    return {figure.name: figure.holds for figure in figures if figure.target}


@pytest.mark.slow
def test_a_second_condition_shares_the_first_attempts() -> None:
    assert all(holding(sharing.measure(count=20)).values())


@pytest.mark.slow
def test_placebo_takes_over_feedback_that_was_written_for_others() -> None:
    with workspace() as directory, simulated_server() as server:
        data, calls = problems(directory, 20), []
        for name, more in (("self", ()), ("both", ("--feedback", "placebo:self"))):
            arguments = run_arguments(server.url, directory / name, data, "--feedback", "self")
            friction(*arguments, *more).expect(0)
            calls.append(server.stats()["calls"])
            assert server.stats()["asked_twice"] == 0
            server.reset()
        new_answers = sum(
            "placebo" in condition and iteration > 0
            for condition, iteration in rows(
                directory / "both", "attempts", columns=("condition", "iteration")
            )
        )
    assert calls[1] - calls[0] == new_answers > 0


@pytest.mark.slow
def test_a_run_killed_twice_ends_as_an_uninterrupted_one() -> None:
    assert all(holding(resume.measure(count=40, kills=2, concurrency=32)).values())


@pytest.mark.slow
def test_a_run_in_which_every_fourth_call_fails_ends_as_one_without_faults() -> None:
    settings = Settings(slots=64, prefix_cache=False, retry_after=0.1)
    more = ("--feedback", "self", "--concurrency", 32, "--timeout", 2)
    with workspace() as directory, simulated_server(settings) as server:
        data, sound = problems(directory, 15), directory / "sound"
        friction(*run_arguments(server.url, sound, data, *more)).expect(0)
        figures = random_faults(server, directory, data, more, 0.25, sound)
    held = holding(figures)
    assert held["faults: exit code"]
    assert held["faults: rows that differ"]
