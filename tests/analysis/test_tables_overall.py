"""What differences have in common over tasks, and where outcomes vary."""

from __future__ import annotations

import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.comparison import uptake
from feedback_friction.analysis.tables.overall import pooled, variance
from journals import RIGHT, trials, write_run

RETRY = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 2, *[("a", "a", "a")] * 14)
BINARY = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 10, *[("a", "a", "b")] * 6)
LESS = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 5, *[("a", "a", "b")] * 11)


def test_differences_are_pooled_over_tasks(tmp_path):
    arms = ({"retry": RETRY, "binary": BINARY}, {"retry": RETRY, "binary": LESS})
    runs = load_runs(
        [
            write_run(tmp_path / task, arm, problems=20, task=task, digits=None)
            for task, arm in zip(("one", "two"), arms, strict=True)
        ]
    )
    apart = uptake(runs)["difference"].to_list()
    (row,) = pooled(runs).filter(measure="uptake").iter_rows(named=True)
    assert (row["treatment"], row["control"], row["tasks"]) == (
        "binary, greedy", "retry, greedy", 2,
    )  # fmt: skip
    assert min(apart) < row["difference"] < max(apart)
    assert -1 <= row["difference_low"] < row["difference"] < row["difference_high"] <= 1
    assert pooled(runs).filter(measure="accuracy").height == 1


def test_one_task_is_not_pooled(tmp_path):
    run = write_run(tmp_path / "run", {"retry": RETRY, "binary": BINARY}, problems=20)
    assert pooled(load_runs([run])).is_empty()


def test_the_variance_lies_where_outcomes_differ(tmp_path):
    """Ten problems that are always solved, ten that never are: all of it between problems."""
    solved = [(RIGHT,)] * 10 + [("a", "a", "a")] * 10
    both = {**trials(*solved), **trials(*solved, epoch=1)}
    run = write_run(tmp_path / "run", {"retry": both, "binary": both}, problems=20, epochs=2)
    table = variance(load_runs([run]))
    shares = dict(table.select("component", "share").iter_rows())
    assert shares["problem"] == pytest.approx(1)
    assert table["icc"][0] == pytest.approx(1)
    assert (table["problems"][0], table["conditions"][0], table["epochs"][0]) == (20, 2, 2)


def test_what_an_epoch_has_and_another_has_not_is_a_draw(tmp_path):
    """Every problem is solved in one epoch of two."""
    first = [(RIGHT,) if n % 2 else ("a", "a", "a") for n in range(20)]
    second = [("a", "a", "a") if n % 2 else (RIGHT,) for n in range(20)]
    both = {**trials(*first), **trials(*second, epoch=1)}
    run = write_run(tmp_path / "run", {"retry": both, "binary": both}, problems=20, epochs=2)
    table = variance(load_runs([run]))
    shares = dict(table.select("component", "share").iter_rows())
    assert shares["draws"] == pytest.approx(1)
    assert table["icc"][0] == 0


def test_solvers_with_conditions_in_common_stand_together(tmp_path):
    runs = [
        write_run(tmp_path / name, {"binary": arm}, problems=20, solver=f"student/{name}")
        for name, arm in (("one", BINARY), ("two", LESS))
    ]
    table = variance(load_runs(runs))
    assert table["solvers"].unique().to_list() == ["student/one, student/two"]
    assert {"problem", "solver", "rest"} == {*table["component"]}  # one epoch tells no draws
    assert table["icc"].is_nan().all()
