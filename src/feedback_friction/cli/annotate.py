"""``friction annotate``, ``agreement``: why trials stayed unsolved, and how far judges agree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.cli.click_options import JSON, PATH, RUN, generated, given
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, run_to_end
from feedback_friction.cli.grid import columns, print_columns, print_json, print_lines
from feedback_friction.engine.passes.judging import Annotated, Annotating, annotate_run
from feedback_friction.engine.run.runner import Watched
from feedback_friction.options import filled
from feedback_friction.protocol.error_category import CATEGORIES
from feedback_friction.report.overview import two_digits
from feedback_friction.settings import Output

if TYPE_CHECKING:
    from feedback_friction.analysis.annotations import Agreement
    from feedback_friction.analysis.stats.intervals import Estimate


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
    print_columns(columns(("condition", *headings, *given), rows, texts=1))
    print_lines(lines)


@click.command("agreement")
@RUN
@JSON
def agreement(directory: Path, as_json: bool) -> None:
    """Print the agreement between annotators of the run in DIR.

    Cohen's kappa for every pair of annotators, Krippendorff's alpha over all, and the agreement on
    each of resistance, quality and other. A person's label counts as given before other labels were
    shown.
    """
    from feedback_friction.analysis.annotations import read_agreement

    found = read_agreement(directory)
    if as_json:
        print_json(agreement_json(found))
    else:
        _print_agreement(found)


def agreement_json(found: Agreement) -> dict[str, Any]:
    """The object that ``friction agreement --json`` prints; null where there is no estimate."""
    from feedback_friction.analysis.annotations import CLASSES

    return {
        "annotators": [
            {"name": name, "kind": kind, "simulated": simulated, "labels": count}
            for name, (kind, simulated, count) in found.annotators.items()
        ],
        "trials": found.trials,
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "agreement": _object(pair.share),
                "kappa": _object(pair.kappa),
            }
            for pair in found.pairs
        ],
        "alpha": _object(found.alpha),
        "classes": [
            {"category": name, "ratings": each.ratings, **_object(each.agreement)}
            for name, each in zip(CLASSES, found.classes, strict=True)
        ],
    }


def _object(estimate: Estimate) -> dict[str, Any]:
    value = None if math.isnan(estimate.value) else estimate.value
    return {"value": value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def _print_agreement(found: Agreement) -> None:
    from feedback_friction.analysis.annotations import CLASSES

    people = [
        (name, kind + (" (SIMULATION)" if simulated else ""), str(count))
        for name, (kind, simulated, count) in found.annotators.items()
    ]
    title = f"{found.trials} labelled trials"
    print_columns(columns(("annotator", "kind", "labels"), people, texts=2), title=title)
    if not found.pairs:
        click.echo("\nthere is only one annotator, so there is no agreement to measure")
        return
    pairs = [
        (f"{pair.first} and {pair.second}", _text(pair.share), _text(pair.kappa), str(pair.kappa.n))
        for pair in found.pairs
    ]
    print_columns(
        columns(("annotators", "alike", "kappa", "n"), pairs, texts=1), title="\nevery two"
    )
    classes = [
        (name, _text(each.agreement), str(each.ratings))
        for name, each in zip(CLASSES, found.classes, strict=True)
    ]
    print_columns(
        columns(("category", "agreement", "ratings"), classes, texts=1), title="\nby class"
    )
    click.echo(
        f"Krippendorff's alpha over all: {_text(found.alpha)}, n = {found.alpha.n} trials with two "
        "labels or more; brackets are 95% intervals"
    )


def _text(estimate: Estimate) -> str:
    return two_digits(estimate).replace("nan ", "- ")
