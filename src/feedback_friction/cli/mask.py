"""``friction mask``: the gate between feedback and solver, on feedback from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.foreign import convert
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.aligned import parted
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.page import Row


@click.command("mask")
@click.option("--task", "name", required=True, metavar="TASK", help="Whose answers to mask.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def command(name: str, file: Path) -> None:
    """Mask the answer in the feedback of each line of FILE (- is standard input).

    Lines in: question, gold, feedback, and where the task has them choices, aliases, solution;
    response, the reply that the feedback is on, where there is one.
    Lines out: masked, spans (what was replaced, as offsets into the feedback), leaks (what the
    task's own grader would still accept as the answer), aligned (parts of the answer that the
    feedback repeats from the response; these are not leaks, since the solver wrote them itself).
    """
    page = get_page(name)

    def work(problem: Problem, text: str, row: Row) -> dict[str, Any]:
        masked = page.task.mask(problem, text)
        spans = [
            {
                "start": span.start,
                "end": span.end,
                "text": text[span.start : span.end],
                "form": span.form,
            }
            for span in masked.spans
        ]
        leaks, aligned = parted(problem, text, masked, [str(row.get("response") or "")])
        return {
            "masked": masked.text,
            "spans": spans,
            "leaks": list(leaks),
            "aligned": list(aligned),
        }

    convert(page, file, "feedback", work)
