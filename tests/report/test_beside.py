"""The tables of a report below accuracy: over tasks, where it varies, labels, gold in doubt."""

from __future__ import annotations

from pathlib import Path

from feedback_friction.analysis.frames import load_runs
from feedback_friction.labels import Labels
from feedback_friction.report.beside import beside
from feedback_friction.report.build import build_report
from journals import RIGHT, trials, write_run
from unsolved import label

STUCK = ("7", "7", "7")
ARMS = {
    "retry": trials((RIGHT,), *[STUCK] * 9),
    "binary": trials((RIGHT,), *[("a", RIGHT)] * 3, *[STUCK] * 6),
}


def _tables(*directories: Path) -> dict[str, list[dict[str, str]]]:
    """By title, the rows of each table by heading."""
    return {
        title: [
            dict(zip((each.name for each in columns), row, strict=True))
            for row in zip(*(each.cells for each in columns), strict=True)
        ]
        for title, columns in beside(load_runs(directories)).items()
    }


def _label(run: Path, problems: range, annotator: str, category: str, **more: object) -> None:
    condition = "decimal_multiplication | student/default | binary | greedy"
    with Labels(run) as kept:
        for problem in problems:
            kept.put(label(condition, f"p{problem}", annotator, category, **more))


def test_a_judge_is_laid_against_people(tmp_path):
    run = write_run(tmp_path / "run", ARMS, problems=10)
    _label(run, range(4, 10), "openai/judge", "resistance")
    _label(run, range(4, 6), "Anna", "resistance", kind="person", round=None)
    _label(run, range(6, 7), "Anna", "quality", kind="person", round=None)
    rows = _tables(run)["People's labels of the trials that the judge labelled"]
    said = {
        row["judge says"]: (row["people say resistance"], row["people say quality"]) for row in rows
    }
    assert said["resistance"] == ("2", "1")
    assert said["quality"] == ("0", "0")
    assert rows[0]["feedback"] == "binary"


def test_gold_in_doubt_is_listed_with_friction_without_it(tmp_path):
    runs = [
        write_run(tmp_path / name, ARMS, problems=10, solver=f"openai/{name}")
        for name in ("one", "two")
    ]
    found = _tables(*runs)
    rows = found["Problems whose gold answer is in doubt"]
    assert {row["they say"] for row in rows} == {"7"}
    assert {row["gold"] for row in rows} == {RIGHT}
    assert rows[0]["solvers"] == "2"
    assert "Friction without these problems" not in found  # nobody labelled
    condition = "decimal_multiplication | openai/one | binary | greedy"
    with Labels(runs[0]) as kept:
        for problem in range(4, 10):
            kept.put(label(condition, f"p{problem}", "Anna", "resistance", kind="person"))
    (row,) = _tables(*runs)["Friction without these problems"]
    assert row["friction, points"].startswith("60.0 [")
    assert row["without, points"].startswith("0.0 [")


def test_the_page_shows_them_and_the_odds(tmp_path):
    runs = [
        write_run(tmp_path / task, ARMS, problems=10, task=task, digits=None)
        for task in ("one", "two")
    ]
    page = build_report(runs, tmp_path / "report")
    text = page.read_text("utf-8")
    assert "<h3>Differences over tasks</h3>" in text
    assert "<h3>Where accuracy varies</h3>" in text
    assert "Predictors of a right attempt" in text
    odds = (page.parent / "figures" / "odds.csv").read_text("utf-8")
    assert "binary against retry" in odds
