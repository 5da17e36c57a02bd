"""``friction probe``: ask more about a finished run, to learn the causes behind its numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.caveats import SIMULATION
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, run_to_end, timeout_option
from feedback_friction.cli.extras import needs
from feedback_friction.cli.grid import print_columns, print_lines
from feedback_friction.cli.progress import tell_missing
from feedback_friction.engine.probes import (
    PreparedProbe,
    ProbeOptions,
    execute_probe,
    get_probe,
    prepare_probe,
)
from feedback_friction.engine.runner import Progress
from feedback_friction.engine.settings import Operation
from feedback_friction.errors import UsageError
from feedback_friction.report.overview import Column

if TYPE_CHECKING:
    import polars as pl

CONFIDENCE = "confidence"  # needs no call: its numbers are in the run, or they are not


@click.command("probe")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("name", metavar="PROBE")
@click.option("--draws", type=int, metavar="N", help="Draws.  [entropy 50, in-domain 100]")
@click.option("--temperature", type=float, help="Of draws, or of the reader.  [0.7; reader 0]")
@click.option("--sample", type=int, metavar="N", help="At most this many problems, by seed.")
@click.option("--condition", "conditions", multiple=True, metavar="NAME", help="Only this one.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option("--reader-model", metavar="MODEL", help="Who reads, for reader.  [the solver]")
@click.option("--reader-base-url", "reader_base_urls", multiple=True, metavar="URL")
@click.option(
    "--base-url", "base_urls", multiple=True, metavar="URL", help="Solver's.  [the run's]"
)
@click.option("--judge-base-url", "judge_base_urls", multiple=True, metavar="URL")
@click.option("--concurrency", default=256, show_default=True, help="Requests in flight at most.")
@timeout_option
@click.option("--prices", type=click.Path(path_type=Path), help="A price list of your own.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of rows.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    directory: Path,
    name: str,
    base_urls: tuple[str, ...],
    judge_base_urls: tuple[str, ...],
    concurrency: int,
    timeout: float | None,
    prices: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Ask PROBE about the run in DIR; its findings are kept in the run's journal.

    \b
    entropy          answers drawn again after the first feedback: does their spread predict gain?
    in-domain        the first prompt drawn again: does familiarity?
    confidence       exp(mean log-probability) of first answers; no call, needs run --logprobs
    self-perception  does the solver say that it understood, and that it updated its answer?
    reader           can a reader of the masked feedback alone name the answer?

    The same command again asks only what is left.
    """
    with needs("report"):  # before anything is paid for
        import polars  # noqa: F401
        import scipy  # noqa: F401
    if name == CONFIDENCE:
        _show(_confidence(directory), as_json=as_json)
        return 0
    get_probe(name)
    operation = Operation(
        base_urls=base_urls,
        judge_base_urls=judge_base_urls,
        concurrency=concurrency,
        timeout=timeout,
        prices=prices,
    )
    prepared = prepare_probe(directory, name, ProbeOptions(**options), operation)
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
    from feedback_friction.analysis.tables import probes

    tables = {
        "entropy": probes.entropy,
        "in-domain": probes.in_domain,
        "self-perception": probes.self_perception,
        "reader": probes.reader,
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
