"""``friction agreement``: how far judges and people agree on why trials stayed unsolved."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from feedback_friction.analysis.annotations import Agreement
    from feedback_friction.analysis.stats.intervals import Estimate


@click.command("agreement")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(directory: Path, as_json: bool) -> None:
    """Print how far those who labelled trials of the run in DIR agree.

    Cohen's kappa for every two annotators, Krippendorff's alpha over all, and the agreement on each
    of resistance, quality and other. A person's label counts as it was before others were shown.
    """
    from feedback_friction.analysis.annotations import read_agreement

    found = read_agreement(directory)
    if as_json:
        click.echo(json.dumps(as_object(found), ensure_ascii=False))
    else:
        _print(found)


def as_object(found: Agreement) -> dict[str, Any]:
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


def _print(found: Agreement) -> None:
    from rich.markup import escape
    from rich.table import Table

    from feedback_friction.analysis.annotations import CLASSES
    from feedback_friction.cli.table import wide_console

    console = wide_console()
    people = Table("annotator", "kind", "labels", title=f"{found.trials} labelled trials")
    for name, (kind, simulated, count) in found.annotators.items():
        people.add_row(escape(name), kind + (" (SIMULATION)" if simulated else ""), str(count))
    console.print(people)
    pairs = Table("annotators", "alike", "kappa", "n", title="every two")
    for pair in found.pairs:
        names = escape(f"{pair.first} and {pair.second}")
        pairs.add_row(names, _text(pair.share), _text(pair.kappa), str(pair.kappa.n))
    console.print(pairs)
    classes = Table("category", "agreement", "ratings", title="by class")
    for name, each in zip(CLASSES, found.classes, strict=True):
        classes.add_row(name, _text(each.agreement), str(each.ratings))
    console.print(classes)
    console.print(
        f"Krippendorff's alpha over all: {_text(found.alpha)}, n = {found.alpha.n} trials with two "
        "labels or more; brackets are 95% intervals",
        markup=False,
    )


def _text(estimate: Estimate) -> str:
    limits = rf"[{estimate.low:.2f}, {estimate.high:.2f}]"
    return f"- {limits}" if math.isnan(estimate.value) else f"{estimate.value:.2f} {limits}"
