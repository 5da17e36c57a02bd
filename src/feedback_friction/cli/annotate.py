"""``friction annotate``: a judge model says why trials stayed unsolved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.click_options import PATH, generated, given
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, run_to_end
from feedback_friction.cli.grid import print_json, print_lines, print_rows
from feedback_friction.engine.passes.judging import Annotated, Annotating, annotate_run
from feedback_friction.engine.run.runner import Watched
from feedback_friction.errors import UsageError
from feedback_friction.options import filled
from feedback_friction.protocol.error_category import CATEGORIES
from feedback_friction.settings import Output


@click.command(
    "annotate",
    params=[
        click.Argument(["directory"], type=PATH, metavar="DIR"),
        *generated(Annotating),
        *generated(Output, only=("as_json", "quiet")),
    ],
)
@click.pass_context
def command(
    context: click.Context, /, directory: Path, as_json: bool, quiet: bool, **_: Any
) -> int:
    """Label the trials in DIR that stayed unsolved although feedback was given.

    The judge reads the first rounds of a trial and names one of six categories. The same command
    resumes and repeats no call. Several judges may label the same trials.
    """
    asked = filled(Annotating, given(context))
    if not asked.judge_model:
        raise UsageError("no judge given; give one with --judge-model, as provider/name")

    async def work(watch: Watch, note: Note) -> Annotated:
        def begin(watched: Watched) -> None:  # the directory is one by now
            if asked.judge_model.startswith("student/"):
                note("the judge is a simulated student, not a language model")
            watch(watched)

        return await annotate_run(directory, asked, begin, note)

    found, interrupted = run_to_end(work, directory, quiet=quiet, unit="labels")
    if as_json:
        print_json(as_object(found))
    else:
        _print(found)
    if interrupted:
        click.echo(f"interrupted; {found.left} trials left; the same command resumes", err=True)
        return INTERRUPTED
    for error in found.progress.reasons:
        click.echo(f"failed: {' '.join(error.split())}", err=True)
    if found.failed:
        click.echo(
            f"{found.failed} trials have no label because calls failed; the same command "
            "retries them",
            err=True,
        )
    return 1 if found.failed else 0


def as_object(found: Annotated) -> dict[str, Any]:
    """The object that ``friction annotate --json`` prints; the cost is null where unknown."""
    spent = found.progress.spent
    return {
        "annotator": found.annotator,
        "simulated": found.simulated,
        "conditions": [
            {
                "condition": condition,
                "unsolved": tally.unsolved,
                "sampled": tally.sampled,
                "labelled": tally.labelled,
                "failed": tally.failed,
                "unreadable": tally.unreadable,
                "raw": {name: tally.raw[name] for name in CATEGORIES},
            }
            for condition, tally in found.tallies.items()
        ],
        "paid": {
            "calls": spent.calls,
            "reused": spent.reused,
            "prompt_tokens": spent.usage.prompt_tokens,
            "completion_tokens": spent.usage.completion_tokens,
            "cached_tokens": spent.usage.cached_tokens,
            "cost_usd": None if spent.unpriced else spent.cost,
        },
    }


def _print(found: Annotated) -> None:
    given = [name for name in CATEGORIES if any(each.raw[name] for each in found.tallies.values())]
    headings = ("unsolved", "labelled", "failed", "unreadable")
    rows = [
        (
            condition,
            *(f"{getattr(tally, name):,}" for name in headings),
            *(f"{tally.raw[name]:,}" for name in given),
        )
        for condition, tally in found.tallies.items()
    ]
    spent = found.progress.spent
    cost = "cost unknown" if spent.unpriced else f"${spent.cost:,.2f}"
    lines = [
        f"judge: {found.annotator}; unsolved: trials that had feedback; unreadable ones are "
        "labelled 'unknown'; a category without a column was not given",
        f"paid for: {spent.calls:,} calls, {spent.usage.prompt_tokens:,} prompt tokens, "
        f"{spent.usage.completion_tokens:,} completion tokens, {cost}; {spent.reused:,} reused",
    ]
    if found.simulated:
        lines.append("SIMULATION: a simulated student judged, not a language model")
    print_rows(("condition", *headings, *given), rows, texts=1)
    print_lines(lines)
