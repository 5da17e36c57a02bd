"""``friction results``: accuracy by condition, with intervals."""

from __future__ import annotations

import json
from pathlib import Path

import click

from feedback_friction.cli.table import print_results, results_json


@click.command("results")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, every iteration in it.")
def command(directory: Path, as_json: bool) -> None:
    """Print the results of the run in DIR; a run may still be writing to it."""
    if as_json:
        click.echo(json.dumps(results_json(directory), ensure_ascii=False))
    else:
        print_results(directory)
