"""Problems on which independent voices agree on an answer that is not gold."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.annotation_table import without_suspects
from feedback_friction.analysis.tables.gold import suspect_gold
from feedback_friction.labels import Labels
from journals import RIGHT, trials, write_run
from unsolved import label

MODES = ("retry", "binary", "self", "process")


def test_two_solvers_that_agree_make_a_problem_suspect(tmp_path: Path) -> None:
    one = {"binary": trials(("7", "7", "7"), ("1", "2", "3"), ("5", "5", "5"))}
    other = {"binary": trials(("9", "7", "7"), ("4", "4", "4"), ("6", RIGHT))}
    runs = [
        write_run(tmp_path / name, arms, problems=3, solver=f"openai/{name}")
        for name, arms in (("one", one), ("other", other))
    ]
    [row] = suspect_gold(load_runs(runs)).iter_rows(named=True)
    assert (row["problem_id"], row["answer"], row["gold"]) == ("p0", "7", RIGHT)
    assert (row["voices"], row["all_voices"], row["solvers"], row["share"]) == (2, 2, 2, 1)


def test_a_solver_that_keeps_its_first_answer_under_every_condition_has_said_it_once(
    tmp_path: Path,
) -> None:
    arms = {mode: trials(("7", "7", "7")) for mode in MODES}
    run = write_run(tmp_path / "run", arms, problems=1)
    assert suspect_gold(load_runs([run])).is_empty()


def test_conditions_that_arrive_at_one_answer_are_voices(tmp_path: Path) -> None:
    arms = {mode: trials(("3", "5", "7")) for mode in MODES}
    run = write_run(tmp_path / "run", arms, problems=1)
    [row] = suspect_gold(load_runs([run])).iter_rows(named=True)
    assert (row["answer"], row["voices"], row["conditions"], row["trials"]) == ("7", 4, 4, 4)


@pytest.mark.parametrize(("temperature", "listed"), [(0.7, 1), (0.0, 0)])
def test_epochs_are_voices_where_there_is_a_temperature(
    tmp_path: Path, temperature: float, listed: int
) -> None:
    arm = {("p0", epoch): ("7", "7", "7") for epoch in range(3)}
    run = write_run(
        tmp_path / "run", {"binary": arm}, problems=1, epochs=3, temperature=temperature
    )
    assert suspect_gold(load_runs([run])).height == listed


def test_right_answers_speak_for_the_gold(tmp_path: Path) -> None:
    wrong = {("p0", epoch): ("7", "7", "7") for epoch in range(3)}
    right = {("p0", epoch): (str(epoch), RIGHT) for epoch in range(3, 6)}
    run = write_run(tmp_path / "run", {"binary": wrong | right}, problems=1, epochs=6)
    assert suspect_gold(load_runs([run])).is_empty()


def test_friction_is_also_told_without_the_problems_that_are_suspect(tmp_path: Path) -> None:
    agreeing = {mode: trials(("3", "5", "7"), ("1", "2", mode), (RIGHT,)) for mode in MODES}
    runs = [write_run(tmp_path / "run", agreeing | {"self": trials(("3", RIGHT))}, problems=3)]
    with Labels(runs[0]) as kept:
        for condition in load_runs(runs).conditions["condition"]:
            for problem in ("p0", "p1"):
                kept.put(label(condition, problem, "openai/judge", "resistance"))
    found = {
        row["feedback"]: row for row in without_suspects(load_runs(runs)).iter_rows(named=True)
    }
    row = found["binary"]
    assert (row["friction"], row["suspects"]) == (pytest.approx(2 / 3), 1)
    assert (row["without"], row["n"]) == (pytest.approx(1 / 2), 2)
    only_right = write_run(tmp_path / "other", {"binary": trials((RIGHT,), ("4", "4"))}, problems=2)
    with Labels(only_right) as kept:
        [condition] = load_runs([only_right]).conditions["condition"]
        kept.put(label(condition, "p1", "openai/judge", "resistance"))
    assert without_suspects(load_runs([only_right])).is_empty()
