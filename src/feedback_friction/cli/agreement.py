"""``friction agreement``: how far judges and people agree on why trials stayed unsolved."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.cli.click_options import JSON, RUN
from feedback_friction.cli.grid import print_json, print_rows

if TYPE_CHECKING:
    from feedback_friction.analysis.annotations import Agreement
    from feedback_friction.analysis.stats.intervals import Estimate


@click.command("agreement")
@RUN
@JSON
def command(directory: Path, as_json: bool) -> None:
    """Print the agreement between annotators of the run in DIR.

    Cohen's kappa for every pair of annotators, Krippendorff's alpha over all, and the agreement on
    each of resistance, quality and other. A person's label counts as given before other labels were
    shown.
    """
    from feedback_friction.analysis.annotations import read_agreement

    found = read_agreement(directory)
    if as_json:
        print_json(as_object(found))
    else:
        _print(found)


def as_object(found: Agreement) -> dict[str, Any]:
    """The object that ``friction agreement --json`` prints; null where there is no estimate."""
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
            for name, each in found.classes.items()
        ],
    }


def _object(estimate: Estimate) -> dict[str, Any]:
    value = None if math.isnan(estimate.value) else estimate.value
    return {"value": value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def _print(found: Agreement) -> None:
    people = [
        (name, kind + (" (SIMULATION)" if simulated else ""), str(count))
        for name, (kind, simulated, count) in found.annotators.items()
    ]
    title = f"{found.trials} labelled trials"
    print_rows(("annotator", "kind", "labels"), people, texts=2, title=title)
    if not found.pairs:
        click.echo("\nthere is only one annotator, so there is no agreement to measure")
        return
    pairs = [
        (
            f"{pair.first} and {pair.second}",
            pair.share.decimals(),
            pair.kappa.decimals(),
            str(pair.kappa.n),
        )
        for pair in found.pairs
    ]
    print_rows(("annotators", "alike", "kappa", "n"), pairs, texts=1, title="\nevery two")
    classes = [
        (name, each.agreement.decimals(), str(each.ratings)) for name, each in found.classes.items()
    ]
    print_rows(("category", "agreement", "ratings"), classes, texts=1, title="\nby class")
    click.echo(
        f"Krippendorff's alpha over all: {found.alpha.decimals()}, n = {found.alpha.n} trials with "
        "two labels or more; brackets are 95% intervals"
    )
