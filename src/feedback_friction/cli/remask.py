"""``friction remask``: a finished run's feedback masked anew, and what would change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.grid import columns, print_columns, print_lines
from feedback_friction.engine.passes.regrading import Remasked, remasked
from feedback_friction.engine.passes.reopen import reopen
from feedback_friction.engine.passes.verdict_layers import accept_masks
from feedback_friction.engine.run.run_directory import locked
from feedback_friction.grading.worker import stop_workers

_AROUND = 20  # characters shown on either side of a difference
_LONGEST = 120


@click.command("remask")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--accept", is_flag=True, help="Keep the new masks and count leaks by them.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of rows.")
def command(directory: Path, accept: bool, as_json: bool) -> None:
    """Mask the feedback of the finished run in DIR with this version's masks. Calls no model.

    Prints every feedback that would be masked differently, or in which the audit finds other leaks:
    the differences, and the leaks in the text that the solver saw. A trial in which the solver
    would have seen another text is marked.

    With --accept the new text is stored as a layer, and results count leaks by this version. The
    record of what the solver saw does not change.
    """
    with locked(directory) if accept else nullcontext():
        conditions = reopen(directory, calls=False).conditions
        try:
            found = list(remasked(directory, conditions))
        finally:
            stop_workers()
        rows = [_row(each) for each in found]
        if as_json:
            click.echo(json.dumps(rows, ensure_ascii=False))
        else:
            _print(rows)
        if accept and found:
            accept_masks(directory, found)
            click.echo(f"accepted: {len(found)} masks of {directory} stored", err=True)
        elif found:
            click.echo("nothing is written without --accept", err=True)


def _row(found: Remasked) -> dict[str, Any]:
    feedback = found.attempt.feedback
    assert feedback is not None  # as ``remasked`` makes them
    return {
        "condition": found.condition,
        "problem_id": found.trial.problem.id,
        "epoch": found.trial.epoch,
        "iteration": found.attempt.iteration,
        "shown": feedback.text,
        "masked": found.text,
        "leaks_before": list(feedback.leaks),
        "leaks_after": list(found.leaks),
        "marked": found.is_marked,
    }


def _print(rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = ("condition", "problem", "shown", "masked now", "marked", "attempt", "leaks")
        cells = [
            (
                row["condition"],
                row["problem_id"] + (f" epoch {row['epoch']}" if row["epoch"] else ""),
                *_difference(row["shown"], row["masked"]),
                "yes" if row["marked"] else "",
                str(row["iteration"] + 1),
                f"{len(row['leaks_before'])} -> {len(row['leaks_after'])}",
            )
            for row in rows
        ]
        print_columns(columns(names, cells, texts=5))
    marked = len({(r["condition"], r["problem_id"], r["epoch"]) for r in rows if r["marked"]})
    print_lines(
        [
            f"{len(rows)} masks or audits are others now; in {marked} trials the solver would "
            "have been shown something else"
        ]
    )


def _difference(one: str, other: str) -> tuple[str, str]:
    """Two texts from where they begin to differ to where they end to, with a little around it."""
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    begin = max(0, start - _AROUND)

    def cut(text: str) -> str:
        return text[begin : len(text) - end + min(end, _AROUND)][:_LONGEST]

    return (cut(one), cut(other)) if one != other else ("", "")


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
