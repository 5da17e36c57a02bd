"""``friction power``: how many problems it takes to see a difference."""

from __future__ import annotations

import math

import click

from feedback_friction.cli.click_options import JSON
from feedback_friction.cli.grid import print_json
from feedback_friction.errors import UsageError
from feedback_friction.extras import need


@click.command("power")
@click.option("--difference", type=float, help="True difference of accuracy, e.g. 0.05.")
@click.option(
    "--discordance",
    type=float,
    required=True,
    help="Share of problems that exactly one of the two conditions solves, e.g. 0.2.",
)
@click.option("--n", "problems", type=click.IntRange(min=1), help="Number of problems.")
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Trials of each problem under each condition.",
)
@click.option(
    "--icc",
    type=click.FloatRange(0, 1),
    help="Share of a trial's variance of the difference that lies between problems, e.g. 0.5; "
    "with --epochs.",
)
@click.option("--power", "target", type=float, default=0.8, show_default=True)
@JSON
def command(
    difference: float | None,
    discordance: float,
    problems: int | None,
    epochs: int,
    icc: float | None,
    target: float,
    as_json: bool,
) -> None:
    """Plan a paired comparison (McNemar's test, mid-p, two-sided, 5%; exact by enumeration).

    With --difference: the number of problems needed to detect it. With --n: the smallest detectable
    difference. With both: the power. `friction compare` prints the discordant problems of earlier
    runs. With --epochs K and --icc R, n problems are worth n K / (1 + (K - 1) R) single trials.
    """
    if epochs > 1 and icc is None:
        raise UsageError(
            "--epochs needs --icc: trials of a problem are alike (1: epochs add nothing; 0: each "
            "counts like another problem)"
        )
    need("report", "numpy", "scipy")
    from feedback_friction.analysis.stats import sample_size as exact

    worth = exact.pairs_of_a_problem(epochs, icc or 0.0)
    found: dict[str, float]
    reached = f", power {target:.0%}"
    try:
        if difference is not None and problems is not None:
            pairs = max(1, round(problems * worth))
            found = {"power": exact.power(pairs, difference, discordance)}
            line, reached = f"power {found['power']:.1%} with {problems} problems", ""
        elif difference is not None:
            pairs = exact.sample_size(difference, discordance, target)
            found = {"n": math.ceil(pairs / worth)}
            line = (
                f"{found['n']:.0f} problems are needed to detect a difference of {difference:.1%}"
            )
        elif problems is not None:
            pairs = max(1, round(problems * worth))
            found = {"difference": exact.detectable_difference(pairs, discordance, target)}
            line = (
                f"{problems} problems can detect a difference of {found['difference']:.1%} or more"
            )
        else:
            raise UsageError("give --difference, --n, or both")
    except ValueError as error:
        raise UsageError(str(error)) from error
    if math.isnan(found.get("difference", 0.0)):
        raise UsageError(
            f"{problems} problems detect no difference with a power of {target:.0%}, not even one "
            f"as large as the discordance, {discordance:.1%}; take more problems or a lower --power"
        )
    settings = {"discordance": discordance, "target": target, "epochs": epochs, "icc": icc}
    if as_json:
        print_json({**settings, **found})
        return
    repeated = f", {epochs} epochs with an ICC of {icc:g}" if epochs > 1 else ""
    click.echo(f"{line} (discordance {discordance:.1%}{repeated}{reached}, level 95%)")
