"""``friction grade``: verdicts on replies from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.foreign import convert
from feedback_friction.grading.cut import graded, is_cut_off
from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.page import Row


@click.command("grade")
@click.option("--task", "name", required=True, metavar="TASK", help="Whose grader to use.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def command(name: str, file: Path) -> None:
    """Grade the response of each line of FILE (- is standard input).

    Lines in: question, gold, response, and where the task has them choices, aliases, solution;
    finish_reason, where the reply was cut off ("length").
    Lines out: prediction, verdict (correct, wrong, no-answer, or undecided where a comparison ran
    out of time) and the rule that decided.
    """
    page = get_page(name)

    def work(problem: Problem, text: str, row: Row) -> dict[str, Any]:
        cut_off = is_cut_off(row.get("finish_reason"))
        verdict = graded(page.task.grade, problem, text, cut_off=cut_off)
        return {
            "prediction": verdict.prediction,
            "verdict": verdict.outcome.value,
            "rule": verdict.rule,
        }

    convert(page, file, "response", work)
