"""``friction mask``, ``friction grade``: rows of other people's logs, JSONL in and JSONL out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from feedback_friction.errors import DataError, UsageError, reason
from feedback_friction.grading.cut import graded, is_cut_off
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.quoted import parted
from feedback_friction.tasks.catalog import foreign_problem, get_page
from feedback_friction.tasks.files import NumberedRow, rows_of
from feedback_friction.tasks.page import Page, Row, RowError

_FILE = click.argument("file", type=click.Path(path_type=Path, allow_dash=True))


@click.command("mask")
@click.option("--task", "name", required=True, metavar="TASK", help="Whose answers to mask.")
@_FILE
def mask(name: str, file: Path) -> None:
    """Mask the answer in the feedback of each line of FILE (- is standard input).

    Lines in: question, gold, feedback, and where the task has them choices, aliases, solution;
    response, the reply that the feedback is on, where there is one.

    Lines out: masked, spans (what was replaced, as offsets into the feedback), leaks (what the
    task's own grader would still accept as the answer), aligned (parts of the answer that the
    feedback repeats from the response; these are not leaks, since the solver wrote them itself).
    """
    page = get_page(name)

    def masked(problem: Problem, text: str, row: Row) -> dict[str, Any]:
        found = page.task.mask(problem, text)
        spans = [
            {
                "start": span.start,
                "end": span.end,
                "text": text[span.start : span.end],
                "form": span.form,
            }
            for span in found.spans
        ]
        leaks, aligned = parted(problem, text, found, [str(row.get("response") or "")])
        return {
            "masked": found.text,
            "spans": spans,
            "leaks": list(leaks),
            "aligned": list(aligned),
        }

    _convert(page, file, "feedback", masked)


@click.command("grade")
@click.option("--task", "name", required=True, metavar="TASK", help="Whose grader to use.")
@_FILE
def grade(name: str, file: Path) -> None:
    """Grade the response of each line of FILE (- is standard input).

    Lines in: question, gold, response, and where the task has them choices, aliases, solution;
    finish_reason, where the reply was cut off ("length").

    Lines out: prediction, verdict (correct, wrong, no-answer, or undecided where a comparison ran
    out of time) and the rule that decided.
    """
    page = get_page(name)

    def judged(problem: Problem, text: str, row: Row) -> dict[str, Any]:
        cut_off = is_cut_off(row.get("finish_reason"))
        verdict = graded(page.task.grade, problem, text, cut_off=cut_off)
        return {
            "prediction": verdict.prediction,
            "verdict": verdict.outcome.value,
            "rule": verdict.rule,
        }

    _convert(page, file, "response", judged)


def _convert(
    page: Page, file: Path, field: str, work: Callable[[Problem, str, Row], dict[str, Any]]
) -> None:
    """Write one JSON line for each line of a JSONL file, in the same order.

    Args:
        field: the field with the text to work on.
        work: the answer for a problem, its text and the whole line.
    """
    for number, row in _rows(file):
        text = row.get(field)
        if not isinstance(text, str):
            raise DataError(str(file), "must be a text", line=number, field=field)
        try:
            problem = foreign_problem(page, row)
        except RowError as error:
            raise DataError(str(file), error.problem, line=number, field=error.field) from error
        sys.stdout.buffer.write(orjson.dumps(work(problem, text, row)) + b"\n")
    sys.stdout.buffer.flush()


def _rows(file: Path) -> Iterator[NumberedRow]:
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as lines:
            yield from rows_of(lines, str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {reason(error)}") from error
