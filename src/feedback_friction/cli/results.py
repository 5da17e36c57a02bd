"""``friction results``: accuracy by condition, with intervals."""

from __future__ import annotations

import json
from pathlib import Path

import click

from feedback_friction.analysis.oracle_coverage import is_oracle
from feedback_friction.cli.results_table import print_results, results_json
from feedback_friction.cli.within import print_within
from feedback_friction.errors import UsageError

FORMATS = ("table", "csv", "markdown", "latex")


@click.command("results")
@click.argument(
    "directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR..."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="How to print the table; csv has every column. Default: table.",
)
@click.option(
    "--within",
    metavar="N,...",
    help="Print the share solved within N tokens a trial instead, prompts and feedback "
    "included: conditions at equal cost.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, every iteration in it.")
def command(
    directories: tuple[Path, ...], form: str | None, within: str | None, as_json: bool
) -> None:
    """Print the results of the runs in DIR...; a run may still be writing to its directory.

    One table shows all of them. Columns with the same value in every row are listed below it. For
    the directory of an oracle, given alone: its coverage and pass@k.
    """
    if as_json and form is not None:
        raise UsageError("--json and --format exclude each other")
    if len(directories) == 1 and form is within is None and is_oracle(directories[0]):
        from feedback_friction.cli.oracle import print_oracle

        print_oracle(directories[0], as_json=as_json)
    elif within is not None:
        print_within(directories, _levels(within), form or FORMATS[0], as_json=as_json)
    elif as_json:
        click.echo(json.dumps(results_json(directories), ensure_ascii=False))
    else:
        print_results(directories, form or FORMATS[0])


def _levels(text: str) -> tuple[int, ...]:
    try:
        levels = tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        levels = (0,)
    if min(levels) < 1:
        raise UsageError(f"--within takes numbers of tokens, such as 500,1000, not '{text}'")
    return levels
