"""``friction report``: figures, tables and one page from one or many runs."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.cli.click_options import PATH, RUNS
from feedback_friction.extras import need


@click.command("report")
@RUNS
@click.option(
    "--out", type=PATH, default=Path("report"), show_default=True,
    help="A folder; or FILE.html, for the page alone.",
)  # fmt: skip
@click.option(
    "--reference", type=click.Choice(["paper"]), help="Show published numbers beside these."
)
def command(directories: tuple[Path, ...], out: Path, reference: str | None) -> None:
    """Write the report of the runs in DIR...: one HTML page, figures (SVG, PNG, PDF), tables (CSV).

    The page needs no network and opens from the file.
    """
    need("report", "altair", "jinja2", "numpy", "polars", "scipy", "vl_convert")
    from feedback_friction.report.build import build_report

    page = build_report(directories, out, reference=reference is not None)
    click.echo(f"report in {page}")
