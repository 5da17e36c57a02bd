"""``friction results``: accuracy by condition, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.accuracy_by_attempt import (
    ConditionResult,
    Paid,
    read_paid,
    read_results,
)
from feedback_friction.analysis.choices import FormGiven, forms_given
from feedback_friction.analysis.journal import run_names, run_of_trials
from feedback_friction.analysis.layers import Layers, read_layers
from feedback_friction.analysis.oracle_coverage import is_oracle
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.click_options import JSON, RUNS, whole_numbers
from feedback_friction.cli.grid import columns, csv_of, differing, print_json, print_tables
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.report import overview
from feedback_friction.report.overview import UNHEALTHY, Column, Row, in_cell

FORMATS = ("table", "csv", "markdown", "latex")
ACCURACY = "Accuracy"
FORMS = "Forms that were chosen, and the next attempt"


@click.command("results")
@RUNS
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
@JSON
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
        print_within(
            directories, whole_numbers(within, "--within"), form or FORMATS[0], as_json=as_json
        )
    elif as_json:
        print_json(results_json(directories))
    else:
        print_results(directories, form or FORMATS[0])


@dataclass(frozen=True, slots=True)
class RunResults:
    """What is printed of one run."""

    name: str  # as ``run_names`` has it
    conditions: list[ConditionResult]
    paid: Paid
    layers: Layers


def read_runs(directories: Sequence[Path]) -> list[RunResults]:
    """The results of runs."""
    found = []
    for directory, name in zip(directories, run_names(directories), strict=True):
        run_of_trials(directory)
        results = read_results(directory)
        if not results:
            raise UsageError(f"{directory} has no results yet: none of its trials has begun")
        found.append(RunResults(name, results, read_paid(directory), read_layers(directory)))
    return found


def results_json(directories: Sequence[Path]) -> dict[str, Any]:
    """The object that ``friction results --json`` prints; counts of a run are summed."""
    runs = read_runs(directories)
    costs = [run.paid.cost_usd for run in runs]
    counts = ("calls", "retried", "prompt_tokens", "completion_tokens", "cached_tokens")
    return {
        "conditions": [
            {"run": run.name} | result.as_json() for run in runs for result in run.conditions
        ],
        "paid": {name: sum(getattr(run.paid, name) for run in runs) for name in counts}
        | {"cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None)},
        "forms": [
            {"run": runs[each.run].name} | each.as_json() for each in forms_given(directories)
        ],
        "judged_anew": {
            name: sum(run.layers.as_json()[name] for run in runs) for name in Layers().as_json()
        },
    }


def print_results(directories: Sequence[Path], form: str = "table") -> None:
    """Print the results of runs in one of the ``FORMATS``."""
    runs = read_runs(directories)
    rows = [(run.name, result) for run in runs for result in run.conditions]
    if form == "csv":
        click.echo(csv_of(_every_column(rows)), nl=False)
        return
    tables = {}
    if any(result.uptakes for _, result in rows):
        tables[overview.UPTAKE] = overview.uptakes(rows)
    accuracy = overview.numbers([result for _, result in rows])
    tables[ACCURACY] = [*overview.labels(rows), *accuracy]
    notes = _notes(runs, rows)
    if given := forms_given(directories):
        tables[FORMS] = _forms([run.name for run in runs], given)
        notes.insert(0, CHOSEN)
    print_tables(tables, notes, form, overview.sections)


CHOSEN = (
    "right, repeated: next attempts, weighted by the inverse of the form's probability, clustered "
    "by problem; 'friction report' has the effects by state"
)


def _forms(names: Sequence[str], given: Sequence[FormGiven]) -> list[Column]:
    """What came of each form of the conditions that choose among several."""
    labels = {
        "run": [names[each.run] for each in given],
        "task": [each.task for each in given],
        "solver": [each.solver for each in given],
        "feedback": [each.feedback for each in given],
    }
    return [
        *differing(labels),
        Column("form", tuple(each.form for each in given)),
        Column("right %", tuple(each.right.percent() for each in given), number=True),
        Column("repeated %", tuple(each.repeated.percent() for each in given), number=True),
        Column("tokens a round", tuple(f"{each.tokens:,.0f}" for each in given), number=True),
        Column("n", tuple(f"{each.n:,}" for each in given), number=True),
    ]


def _notes(runs: Sequence[RunResults], rows: Sequence[Row]) -> list[str]:
    """What must be read beside the table."""
    results = [result for _, result in rows]
    graders = dict.fromkeys(f"{each.condition.task}: {each.condition.grader}" for each in results)
    lines = [
        *overview.notes(rows),
        f"graders: {', '.join(graders)}",
        *(_paid(run, _in(run, runs)) for run in runs),
        *(line + _in(run, runs) for run in runs for line in run.layers.lines()),
        *(line for run in runs for line in _unsteady(run, _in(run, runs))),
        *overview.warnings(rows),
    ]
    unfinished = sum(result.unfinished for result in results)
    if unfinished:
        lines.append(provisional(unfinished))
    solvers = {each.condition.solver: bool(each.condition.simulated) for each in results}
    return lines + caveats(solvers)


def _in(run: RunResults, runs: Sequence[RunResults]) -> str:
    """Which run a note is about, where there are several."""
    return f" (in {run.name})" if len(runs) > 1 else ""


def _paid(run: RunResults, where: str) -> str:
    paid = run.paid
    retried = ""
    if paid.retried:
        share = 100 * paid.retried / paid.calls
        retried = f" ({paid.retried:,} of them, {share:.1f}%, tried again)"
    return (
        f"paid for{where}: {paid.calls:,} calls{retried}, "
        f"{paid.prompt_tokens:,} prompt tokens ({paid.cached_tokens:,} cached), "
        f"{paid.completion_tokens:,} completion tokens"
    )


def _unsteady(run: RunResults, where: str) -> list[str]:
    """A warning where more than a tenth of a run's calls had to be tried again."""
    if any(each.calls for each in run.conditions) or run.paid.retried <= UNHEALTHY * run.paid.calls:
        return []  # the conditions' own warnings say it where the journal knows their calls
    share = 100 * run.paid.retried / run.paid.calls
    return [
        f"WARNING: {share:.0f}% of the calls{where} failed before they succeeded (try a lower "
        "--concurrency, and 'friction doctor')"
    ]


def _every_column(rows: Sequence[Row]) -> list[Column]:
    """All that is known of each condition, for other programs: shares from 0 to 1."""
    flat = [_flat(run, result) for run, result in rows]
    return [Column(name, tuple(_written(row[name]) for row in flat)) for name in flat[0]]


def _flat(run: str, result: ConditionResult) -> dict[str, Any]:
    row: dict[str, Any] = {"run": run, **result.as_json()}
    row |= {"iterations": result.condition.iterations, **row.pop("usage")}
    for name in ("known", "uptake"):
        del row[name]
    second = {"repetition": result.second.repeated, "second": result.second.right}
    for name in ("gain", "area", "right_at_end", "without_leaks", *second):
        del row[name]
        row |= (second.get(name) or getattr(result, name)).columns(name)
    row["second_guess"] = result.second.guess
    curves = ("accuracy", "ci_low", "ci_high", "bound_low", "bound_high", "guess", "guess_most")
    ends = {"accuracy": "", "ci_low": "_low", "ci_high": "_high"}
    for name in curves:
        curve = row.pop(name)
        for end, place in (("first", 0), ("last", -1)):
            row[f"{end}{ends.get(name, f'_{name}')}"] = curve[place] if curve else None
    return row


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


# --- at equal numbers of tokens -------------------------------------------------------------------

WITHIN = "Solved within a token budget"
SPENT = (
    "tokens: read and written by solver and feedback writer, from a trial's first call to the end "
    "of its right attempt",
    "brackets: 95% intervals; adds: difference from the first condition, paired by problem",
    "ended short: trials that ended unsolved with fewer tokens; more attempts might have solved "
    "some of them, so that the share says too little where there are many",
)


def print_within(
    directories: Sequence[Path], levels: tuple[int, ...], form: str, *, as_json: bool
) -> None:
    """Print the share of trials solved within each number of tokens, as ``results.FORMATS``."""
    need("report", "polars", "scipy")
    import polars as pl

    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables.spending import solved_within
    from feedback_friction.report import safe

    runs = load_runs(directories)
    table = solved_within(runs, levels).sort("tokens", maintain_order=True)
    named = pl.Series([runs.names[run] for run in table["run"]], dtype=pl.String)
    table = table.with_columns(run=named)
    rows = table.to_dicts()
    if as_json:
        print_json({"within": table})
    elif form == "csv":  # every column, shares from 0 to 1
        click.echo(safe.csv_of(table), nl=False)
    else:
        unfinished = sum(map(runs.unfinished, range(len(directories))))
        notes = [
            *SPENT,
            *([provisional(unfinished)] if unfinished else []),
            *caveats({row["solver"]: row["simulated"] for row in rows}),
        ]
        headings = [f"at most {row['tokens']:,} tokens" for row in rows]

        def sectioned(table: list[Column]) -> tuple[list[str], list[Column]]:
            return headings, [column for column in table if column.name != "tokens"]

        print_tables({WITHIN: _within(rows)}, notes, form, sectioned)


_LABELS = ("run", "task", "solver", "feedback", "sampling", "history")


def _within(rows: Sequence[dict[str, Any]]) -> list[Column]:
    """Columns of what differs between the rows, and the numbers."""
    cells = [
        (
            f"{row['tokens']:,}",
            in_cell(row, "solved"),
            "" if isnan(row["difference"]) else in_cell(row, "difference", sign="+"),
            f"{row['short']:,}",
            f"{row['n']:,}",
        )
        for row in rows
    ]
    headings = ("tokens", "solved %", "adds, points", "ended short", "n")
    labels = {name: [str(row[name]) for row in rows] for name in _LABELS}
    return [*differing(labels), *columns(headings, cells, texts=0)]
