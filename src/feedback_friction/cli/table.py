"""Results of one or many runs: one row a condition, every share with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.accuracy import ConditionResult, Paid, read_paid, read_results
from feedback_friction.analysis.layers import Layers, read_layers
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.grid import Column, csv_of, latex, markdown, print_columns, print_lines
from feedback_friction.errors import UsageError
from feedback_friction.modes import recorded_mode

UNHEALTHY = 0.1  # of the replies: above it, accuracy says more about format or limits than ability


@dataclass(frozen=True, slots=True)
class RunResults:
    """What is printed of one run.

    Attributes:
        name: its directory, as short as tells it from the others.
        conditions: one a condition.
        paid: what it paid for.
        layers: what was judged anew.
    """

    name: str
    conditions: list[ConditionResult]
    paid: Paid
    layers: Layers


Row = tuple[str, ConditionResult]  # the run's name, and one condition of it


def read_runs(directories: Sequence[Path]) -> list[RunResults]:
    """The results of runs.

    Raises:
        UsageError: a directory is no run directory, or holds no conditions.
    """
    found = []
    names = [directory.resolve().name for directory in directories]
    for directory, name in zip(directories, names, strict=True):
        results = read_results(directory)
        if not results:
            raise UsageError(
                f"{directory} holds no conditions; an oracle's command, run again, prints its "
                "results"
            )
        unique = name if names.count(name) == 1 else str(directory)
        found.append(RunResults(unique, results, read_paid(directory), read_layers(directory)))
    return found


def results_json(directories: Sequence[Path]) -> dict[str, Any]:
    """The object that ``friction results --json`` prints; counts of a run are summed."""
    runs = read_runs(directories)
    costs = [run.paid.cost_usd for run in runs]
    counts = ("calls", "prompt_tokens", "completion_tokens", "cached_tokens")
    return {
        "conditions": [
            {"run": run.name} | result.as_json() for run in runs for result in run.conditions
        ],
        "paid": {name: sum(getattr(run.paid, name) for run in runs) for name in counts}
        | {"cost_usd": None if None in costs else sum(cost for cost in costs if cost is not None)},
        "judged_anew": {
            name: sum(run.layers.as_json()[name] for run in runs) for name in Layers().as_json()
        },
    }


def print_results(directories: Sequence[Path], form: str = "table") -> None:
    """Print the results of runs: a table, as Markdown, as LaTeX, or as CSV.

    Args:
        form: ``table``, ``markdown``, ``latex`` or ``csv``.
    """
    runs = read_runs(directories)
    rows = [(run.name, result) for run in runs for result in run.conditions]
    if form == "csv":
        click.echo(csv_of(_every_column(rows)), nl=False)
        return
    labels, numbers, notes = _labels(rows), _numbers([each for _, each in rows]), _notes(runs, rows)
    if form == "markdown":
        click.echo(markdown([*labels, *numbers]) + "\n" + "\n".join(f"- {line}" for line in notes))
    elif form == "latex":
        comments = "".join(f"% {' '.join(line.split())}\n" for line in notes)
        click.echo(comments + latex([*labels, *numbers]), nl=False)
    else:
        sections, labels = _sections(labels)
        print_columns([*labels, *numbers], sections=sections)
        print_lines(["", *notes])


# Columns that say what a row is about. The first ones become headings where a table would be wide.
_SUBJECTS: dict[str, Callable[[Row], str]] = {
    "run": lambda row: row[0],
    "task": lambda row: _task(row[1]),
    "solver": lambda row: row[1].condition.solver,
    "attempts": lambda row: _attempts(row[1]),
}
_LABELS = _SUBJECTS | {
    "feedback": lambda row: row[1].condition.feedback,
    "written by": lambda row: _writer(row[1]),
    "sampling": lambda row: row[1].condition.sampling,
    "history": lambda row: _history(row[1]),
}


def _task(result: ConditionResult) -> str:
    digits = result.condition.digits
    return result.condition.task + (f" ({digits} digits)" if digits else "")


def _attempts(result: ConditionResult) -> str:
    most = result.condition.iterations
    return f"{most} attempt{'' if most == 1 else 's'}"


def _writer(result: ConditionResult) -> str:
    """The model that wrote the feedback, where it is not the solver itself."""
    condition = result.condition
    writer = condition.feedback_model
    return writer if writer and writer != condition.solver else ""


def _history(result: ConditionResult) -> str:
    """What the solver saw of its attempts; nothing where the feedback shows it none."""
    condition = result.condition
    return condition.history if recorded_mode(condition.feedback).shows_history else ""


def _labels(rows: Sequence[Row]) -> list[Column]:
    """Columns of what differs between the rows; the feedback, where nothing does."""
    found = [Column(name, tuple(map(label, rows))) for name, label in _LABELS.items()]
    differing = [column for column in found if len({*column.cells}) > 1]
    return differing or [column for column in found if column.name == "feedback"]


def _same(rows: Sequence[Row]) -> list[str]:
    """Words for what does not differ between the rows."""
    shown = {column.name for column in _labels(rows)}
    words = ((name, label(rows[0])) for name, label in _LABELS.items() if name not in shown)
    return [word if name == "attempts" else f"{name}: {word}" for name, word in words if word]


def _sections(labels: list[Column]) -> tuple[list[str] | None, list[Column]]:
    """Headings of groups of rows, where there are such, and the columns that still name a row."""
    about = [column for column in labels if column.name in _SUBJECTS]
    others = [column for column in labels if column.name not in _SUBJECTS]
    if not about or not others:
        return None, labels
    cells = zip(*(column.cells for column in about), strict=True)
    return [", ".join(row) for row in cells], others


# Numbers that are shown only where some condition has one that is not 0.
_COUNTS = ("undecided", "stopped")
_HEALTH = {  # of what -> heading
    "no_answer": ("replies", "no answer %"),
    "cut_off": ("replies", "cut off %"),
    "leaks": ("feedbacks", "leaks %"),
}
_SAID = {
    "no_answer": "many replies hold no answer that could be read (see some with 'friction show')",
    "cut_off": "many replies were cut off at the limit on tokens (raise --max-tokens)",
    "leaks": "much feedback gives the answer away in spite of the mask (see 'friction show')",
}


def _numbers(results: Sequence[ConditionResult]) -> list[Column]:
    """Accuracy at the first and the last attempt, and what ails it."""
    shown: list[Column] = []
    so_far = ", provisional" if any(result.provisional for result in results) else ""

    def number(name: str, cells: list[str]) -> None:
        shown.append(Column(name, tuple(cells), number=True))

    number(f"first %{so_far}", [_percent(result, 0) for result in results])
    if any(result.condition.iterations > 1 for result in results):
        number(f"last %{so_far}", [_percent(result, -1) for result in results])
    for name in ("n", "missing"):
        number(name, [f"{getattr(result, name):,}" for result in results])
    for name in _COUNTS:
        if any(getattr(result, name) for result in results):
            number(name, [f"{getattr(result, name):,}" for result in results])
    for name, (of, heading) in _HEALTH.items():
        if any(getattr(result, name) for result in results):
            number(heading, [_share(getattr(each, name), getattr(each, of)) for each in results])
    if any(map(_tokens, results)):
        number("tokens", [f"{_tokens(result):,}" for result in results])
    if any(result.cost_usd for result in results):
        number("cost $", [_cost(result.cost_usd) for result in results])
    return shown


def _cost(usd: float | None) -> str:
    return "unknown" if usd is None else f"{usd:,.2f}"


def _tokens(result: ConditionResult) -> int:
    usage = result.usage
    parts = (f"{who}{what}" for who in ("", "feedback_") for what in ("prompt", "completion"))
    return sum(usage[f"{part}_tokens"] for part in parts)


def _percent(result: ConditionResult, k: int) -> str:
    if not result.accuracy:
        return "-"
    share, low, high = (
        100 * values[k] for values in (result.accuracy, result.ci_low, result.ci_high)
    )
    return f"{share:.1f} [{low:.1f}, {high:.1f}]"


def _share(count: int, of: int) -> str:
    """A share of replies in percent, never rounded to none."""
    if not of:
        return "-"
    return "<0.1" if 0 < count / of < 0.0005 else f"{100 * count / of:.1f}"


def _notes(runs: Sequence[RunResults], rows: Sequence[Row]) -> list[str]:
    """What must be read beside the table."""
    results = [result for _, result in rows]
    graders = dict.fromkeys(f"{each.condition.task}: {each.condition.grader}" for each in results)
    same, none = _same(rows), _none(results)
    lines = [
        *(["; ".join(same)] if same else []),
        *([f"0% in every row: {', '.join(none)}"] if none else []),
        "brackets: 95% Wilson intervals; tokens: calls that conditions share count in each",
        f"graders: {', '.join(graders)}",
        *(_paid(run, _in(run, runs)) for run in runs),
        *(line + _in(run, runs) for run in runs for line in run.layers.lines()),
        *warnings(rows),
    ]
    unfinished = sum(result.unfinished for result in results)
    if unfinished:
        lines.append(provisional(unfinished))
    solvers = {each.condition.solver: bool(each.condition.simulated) for each in results}
    return lines + caveats(solvers)


def _none(results: Sequence[ConditionResult]) -> list[str]:
    """What might ail the replies, and ails none of them."""
    return [
        heading.removesuffix(" %")
        for name, (of, heading) in _HEALTH.items()
        if any(getattr(each, of) for each in results)
        and not any(getattr(each, name) for each in results)
    ]


def _in(run: RunResults, runs: Sequence[RunResults]) -> str:
    """Which run a note is about, where there are several."""
    return f" (in {run.name})" if len(runs) > 1 else ""


def _paid(run: RunResults, where: str) -> str:
    paid = run.paid
    return (
        f"paid for{where}: {paid.calls:,} calls, "
        f"{paid.prompt_tokens:,} prompt tokens ({paid.cached_tokens:,} cached), "
        f"{paid.completion_tokens:,} completion tokens"
    )


def warnings(rows: Sequence[Row]) -> list[str]:
    """A line for each thing that ails more than a tenth of some conditions' replies."""
    labels = (column.cells for column in _labels(rows) if column.name != "attempts")
    cells = zip(*labels, strict=True)
    names = [", ".join(filter(None, row)) for row in cells]
    said = []
    for name, (whole, _) in _HEALTH.items():
        shares = [
            (label, count / of)
            for label, (_, result) in zip(names, rows, strict=True)
            if (count := getattr(result, name)) > UNHEALTHY * (of := getattr(result, whole))
        ]
        if shares:
            listed = "; ".join(f"{label} ({100 * share:.0f}%)" for label, share in shares)
            said.append(f"WARNING: {_SAID[name]}: {listed}")
    return said


def _every_column(rows: Sequence[Row]) -> list[Column]:
    """All that is known of each condition, for other programs: shares from 0 to 1."""
    flat = [_flat(run, result) for run, result in rows]
    return [Column(name, tuple(_written(row[name]) for row in flat)) for name in flat[0]]


def _flat(run: str, result: ConditionResult) -> dict[str, Any]:
    row: dict[str, Any] = {"run": run, **result.as_json()}
    curve = {name: row.pop(name) for name in ("accuracy", "ci_low", "ci_high", "known")}
    usage: dict[str, Any] = row.pop("usage")
    ends: dict[str, Any] = {"iterations": result.condition.iterations}
    for name, place in (("first", 0), ("last", -1)):
        for part, of in (("", "accuracy"), ("_low", "ci_low"), ("_high", "ci_high")):
            ends[f"{name}{part}"] = curve[of][place] if curve[of] else None
    return {**row, **ends, **usage}


def _written(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
