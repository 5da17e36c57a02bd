"""``friction probe``: ask more about a finished run, to learn the causes behind its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.caveats import SIMULATION
from feedback_friction.cli.click_options import PATH, generated, given
from feedback_friction.cli.drive import ended, run_to_end, tell
from feedback_friction.cli.grid import frame_columns, print_columns, print_json, print_lines
from feedback_friction.engine.passes.probe_places import (
    ProbeOptions,
    execute_probe,
    get_probe,
    prepare_probe,
)
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.options import filled
from feedback_friction.report.overview import Column, in_cell
from feedback_friction.settings import Output, Settings

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = "confidence"  # needs no call: its numbers are in the run, or they are not
_CARRIED_OUT = ("base_urls", "judge_base_urls", "concurrency", "timeout", "prices")


@click.command(
    "probe",
    params=[
        click.Argument(["directory"], type=PATH, metavar="DIR"),
        click.Argument(["name"], metavar="PROBE"),
        *generated(ProbeOptions),
        *generated(Settings, only=_CARRIED_OUT),
        *generated(Output, without=("out",)),
    ],
)
@click.pass_context
def command(
    context: click.Context, /, directory: Path, name: str, as_json: bool, quiet: bool, **_: Any
) -> int:
    """Ask more about the finished run in DIR, and store the findings in its journal.

    \b
    entropy          answers resampled after the first feedback: does their spread predict gain?
    in-domain        the first prompt resampled: does familiarity predict gain?
    confidence       exp(mean log-probability) of first answers; no call, needs run --logprobs
    self-perception  does the solver say that it understood, and that it updated its answer?
    reader           can a reader of the masked feedback alone name the answer?

    The same command resumes and makes only the calls that are left.
    """
    need("report", "polars", "scipy")  # before anything is paid for
    if name == CONFIDENCE:
        table = _table(directory, name)
        if table.is_empty():
            raise UsageError(
                f"{directory} holds no log-probabilities of answers; run it with --logprobs, and "
                "with a provider that gives them"
            )
        _show(table, as_json=as_json)
        return 0
    get_probe(name)
    values = given(context)
    carried_out = {name: values[name] for name in _CARRIED_OUT if name in values}
    prepared = prepare_probe(directory, name, filled(ProbeOptions, values), **carried_out)
    tell(prepared.run.notes)
    work = partial(execute_probe, prepared)
    progress, interrupted = run_to_end(work, directory, quiet=quiet, unit="places")
    _show(_table(directory, name), as_json=as_json)
    return ended(progress, interrupted, directory, "places")


def _table(directory: Path, name: str) -> pl.DataFrame:
    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables import probe_table, problems

    tables = {
        CONFIDENCE: problems.confidence,
        "entropy": probe_table.entropy,
        "in-domain": probe_table.in_domain,
        "self-perception": probe_table.self_perception,
        "reader": probe_table.reader,
    }
    return tables[name](load_runs([directory]))


def _show(table: pl.DataFrame, *, as_json: bool) -> None:
    if as_json:
        print_json(table)
        return
    print_columns(_shown(table))
    lines = ["shares in percent; brackets are 95% intervals by problem"]
    if "few" in table.columns and table["few"].any():
        lines.append("*: fewer than 10 problems, too few to read anything from")
    if table["simulated"].any():
        lines.append(SIMULATION)
    print_lines(lines)


def _shown(table: pl.DataFrame) -> list[Column]:
    """The columns that differ from row to row, each share in one cell with its interval."""
    hidden = ("run", "digits", "simulated", "solver", "few", "settings", "low", "high")
    shown = frame_columns(table, [name for name in table.columns if name not in hidden], in_cell)
    if "low" in table.columns:
        buckets = (
            f"{row['low']:.1f}-{row['high']:.1f}{'*' if row.get('few') else ''}"
            for row in table.iter_rows(named=True)
        )
        shown.append(Column("bucket", tuple(buckets), number=True))
    return shown
