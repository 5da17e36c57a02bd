"""Small forms of the benchmarks about draws and recovery: what does not depend on speed."""

from __future__ import annotations

import pytest

from benchmarks import recovery, rejection
from feedback_friction.analysis.stats.transitions import transitions
from feedback_friction.tasks.catalog import get_page


@pytest.mark.slow
def test_25_draws_in_one_request_send_the_prompt_once_and_lazy_ones_save_tokens() -> None:
    figures = {
        figure.name: figure
        for figure in rejection.measure(count=12, slots=0, time_scale=0.0, reply_tokens=40.0)
    }
    assert figures["eager: requests of 25 draws - attempts after the first"].holds
    assert figures["eager: prompts sent for an attempt's 25 draws"].holds
    assert figures["completion tokens: heat+reject / all 25"].value < 1 / 5


def test_a_student_of_another_uptake_is_not_taken_for_this_one() -> None:
    task = get_page("decimal_multiplication").task
    drawn = recovery.selected(60, seed=3)
    done = recovery.trials("student/resistant=0,uptake.binary=0.5", "binary", task, drawn, 3)
    found = recovery.corrected(done)
    assert found.low <= 0.5 <= found.high
    assert not found.low <= 0.08 <= found.high


def test_a_student_that_never_repeats_itself_is_found_out() -> None:
    task = get_page("decimal_multiplication").task
    spec = "student/ability=0,resistant=1,silent=0,repeat=0"
    done = recovery.trials(spec, "binary", task, recovery.selected(20, seed=1), 1)
    assert transitions([recovery.answers(each) for each in done]).repetition.value == 0
