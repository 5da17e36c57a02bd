"""``friction learn``: from runs with randomised forms of feedback to a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction import __version__
from feedback_friction.cli.click_options import JSON, PATH, RUNS
from feedback_friction.cli.grid import print_json, print_rows
from feedback_friction.extras import need
from feedback_friction.modes import ADAPTIVE
from feedback_friction.policy import document_of
from feedback_friction.writing import write_json

if TYPE_CHECKING:
    from feedback_friction.analysis.choices import Decision
    from feedback_friction.analysis.policy_learning import Learning
    from feedback_friction.analysis.stats.intervals import Estimate


@click.command("learn")
@RUNS
@click.option("--out", required=True, type=PATH, metavar="FILE", help="The policy.")
@click.option(
    "--price",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Share of right attempts that a thousand tokens must bring: 0.02 is two in a hundred.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.9,
    show_default=True,
    help="Predicted probability of a repeated answer above which another form is taken.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of the cross-fitting folds.")
@JSON
def command(
    directories: tuple[Path, ...],
    out: Path,
    price: float,
    threshold: float,
    seed: int,
    as_json: bool,
) -> None:
    """Learn which form of feedback helps in which state, from runs with feedback 'mixed'.

    Prints the estimated value of the learnt policy for one more round, compared with every form
    alone, the ladder and a random form, and writes the policy to FILE, to be run as
    'adaptive:FILE'. If the data do not show which form is best, it says so and recommends nothing.
    """
    need(ADAPTIVE.name, "sklearn")  # the extra has the name of the mode
    from feedback_friction.analysis.choices import read_choices
    from feedback_friction.analysis.policy_learning import learn

    decisions = read_choices(directories)
    found = learn(decisions, price, threshold, seed)
    document = _document(found, [each for each in decisions if each.is_drawn], directories)
    write_json(document, out)
    if as_json:
        print_json(document)
        return
    _print(found, out)


def _print(found: Learning, out: Path) -> None:
    headings = ("rule", "right next %", "weighted %", "adaptive adds %", "tokens a round", "n")
    rows = [
        (
            worth.name,
            worth.robust.percent(),
            worth.weighted.percent(),
            worth.adaptive_over.percent() if worth.name != ADAPTIVE.name else "",
            f"{worth.tokens:,.0f}",
            f"{worth.support:.0f}",
        )
        for worth in found.worths
    ]
    title = "Right next attempts under each rule"
    print_rows(headings, rows, texts=1, title=title)
    detector = found.detector
    click.echo(
        f"\nlearnt from {found.decisions:,} decisions of {found.problems:,} problems; right next: "
        "doubly robust; brackets: 95% intervals, clustered by problem; n: decisions that followed "
        "the rule, as many as their weights are worth\n"
        f"repeated answers, predicted for problems not seen: Brier {detector.brier:.3f} "
        f"({detector.base_brier:.3f} by their share alone), AUROC {detector.auroc:.2f}\n"
        f"recommended: {found.recommends or 'nothing'}: {found.why}\n"
        f"written: {out}"
    )


def _document(
    found: Learning, drawn: list[Decision], directories: tuple[Path, ...]
) -> dict[str, Any]:
    """The policy file."""

    def limits(each: Estimate) -> list[float]:
        return [round(value, 4) for value in (each.value, each.low, each.high)]

    return {
        **document_of(found.policy),
        "recommends": found.recommends,
        "why": found.why,
        "learnt_from": {
            "runs": [str(each) for each in directories],
            "tasks": list(found.policy.tasks),
            "solvers": sorted({each.solver for each in drawn}),
            "feedback": sorted({each.feedback for each in drawn}),
            "decisions": found.decisions,
            "problems": found.problems,
            "version": __version__,
        },
        "worth": {
            worth.name: {
                "right_next": limits(worth.robust),
                "right_next_weighted": limits(worth.weighted),
                "adaptive_adds": limits(worth.adaptive_over),
                "tokens": round(worth.tokens, 1),
                "followed": round(worth.support, 1),
            }
            for worth in found.worths
        },
    }
