"""``friction probe``: ask more about a finished run, to learn the causes behind its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.caveats import SIMULATION
from feedback_friction.cli.click_options import generated, given
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, run_to_end
from feedback_friction.cli.extras import needs
from feedback_friction.cli.grid import print_columns, print_lines
from feedback_friction.cli.progress import tell_missing
from feedback_friction.engine.passes.probe_places import (
    PreparedProbe,
    ProbeOptions,
    execute_probe,
    get_probe,
    prepare_probe,
)
from feedback_friction.engine.run.runner import Progress
from feedback_friction.errors import UsageError
from feedback_friction.options import filled
from feedback_friction.report.overview import Column
from feedback_friction.settings import Output, Settings

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = "confidence"  # needs no call: its numbers are in the run, or they are not


_CARRIED_OUT = ("base_urls", "judge_base_urls", "concurrency", "timeout", "prices")


@click.command(
    "probe",
    params=[
        click.Argument(["directory"], type=click.Path(path_type=Path), metavar="DIR"),
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
    with needs("report"):  # before anything is paid for
        import polars  # noqa: F401
        import scipy  # noqa: F401
    if name == CONFIDENCE:
        _show(_confidence(directory), as_json=as_json)
        return 0
    get_probe(name)
    values = given(context)
    carried_out = {name: values[name] for name in _CARRIED_OUT if name in values}
    prepared = prepare_probe(directory, name, filled(ProbeOptions, values), **carried_out)
    return _start(prepared, as_json=as_json, quiet=quiet)


def _start(prepared: PreparedProbe, *, as_json: bool, quiet: bool) -> int:
    for note in prepared.run.notes:
        click.echo(f"note: {note}", err=True)

    async def work(watch: Watch, note: Note) -> Progress:
        return await execute_probe(prepared, watch, note)

    directory = prepared.directory
    progress, interrupted = run_to_end(work, directory, quiet=quiet, unit="places")
    _show(_table(directory, prepared.probe.name), as_json=as_json)
    if interrupted:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
        return INTERRUPTED
    return 1 if tell_missing(progress, "places") else 0


def _confidence(directory: Path) -> pl.DataFrame:
    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables.problems import confidence

    table = confidence(load_runs([directory]))
    if table.is_empty():
        raise UsageError(
            f"{directory} holds no log-probabilities of answers; run it with --logprobs, and with "
            "a provider that gives them"
        )
    return table


def _table(directory: Path, name: str) -> pl.DataFrame:
    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables import probe_table

    tables = {
        "entropy": probe_table.entropy,
        "in-domain": probe_table.in_domain,
        "self-perception": probe_table.self_perception,
        "reader": probe_table.reader,
    }
    return tables[name](load_runs([directory]))


def _show(table: pl.DataFrame, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(json.loads(table.fill_nan(None).write_json()), ensure_ascii=False))
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
    hidden = {"run", "digits", "simulated", "solver", "few", "settings", "low", "high"}
    limits = {name for name in table.columns if name.endswith(("_low", "_high"))}
    names = [name for name in table.columns if name not in hidden | limits]
    rows = list(table.iter_rows(named=True))
    shown = [
        Column(
            name.replace("_", " "),
            tuple(_cell(row, name) for row in rows),
            number=table[name].dtype != _text(),
        )
        for name in names
    ]
    if "low" in table.columns:
        marks = ["*" if row.get("few") else "" for row in rows]
        buckets = (
            f"{row['low']:.1f}-{row['high']:.1f}{mark}"
            for row, mark in zip(rows, marks, strict=True)
        )
        shown.append(Column("bucket", tuple(buckets), number=True))
    return shown


def _text() -> type[pl.DataType]:
    import polars as pl

    return pl.String


def _cell(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if f"{name}_low" not in row:
        return "-" if value is None else str(value)
    if value is None or value != value:
        return "-"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return f"{100 * value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
