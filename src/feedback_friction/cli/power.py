"""``friction power``: how many problems it takes to see a difference."""

from __future__ import annotations

import json

import click

from feedback_friction.cli.extras import needs
from feedback_friction.errors import UsageError


@click.command("power")
@click.option("--difference", type=float, help="True difference of accuracy, e.g. 0.05.")
@click.option(
    "--discordance",
    type=float,
    required=True,
    help="Share of problems that exactly one of the two conditions solves, e.g. 0.2.",
)
@click.option("--n", "problems", type=click.IntRange(min=1), help="Number of problems.")
@click.option("--power", "target", type=float, default=0.8, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(
    difference: float | None,
    discordance: float,
    problems: int | None,
    target: float,
    as_json: bool,
) -> None:
    """Plan a paired comparison (McNemar's test, mid-p, two-sided, 5%; exact by enumeration).

    With --difference: the number of problems that shows it. With --n: the smallest difference that
    shows. With both: the power. `friction compare` prints the discordant problems of earlier runs.
    """
    with needs("report"):
        from feedback_friction.analysis.stats import power as exact

    found: dict[str, float]
    try:
        if difference is not None and problems is not None:
            found = {"power": exact.power(problems, difference, discordance)}
            line = f"power {found['power']:.1%} with {problems} problems"
        elif difference is not None:
            found = {"n": exact.sample_size(difference, discordance, target)}
            line = f"{found['n']:.0f} problems show a difference of {difference:.1%}"
        elif problems is not None:
            found = {"difference": exact.detectable_difference(problems, discordance, target)}
            line = f"{problems} problems show a difference of {found['difference']:.1%} or more"
        else:
            raise UsageError("give --difference, --n, or both")
    except ValueError as error:
        raise UsageError(str(error)) from error
    settings = {"discordance": discordance, "target": target}
    if as_json:
        click.echo(json.dumps({**settings, **found}))
    else:
        click.echo(f"{line} (discordance {discordance:.1%}, power {target:.0%}, level 95%)")
