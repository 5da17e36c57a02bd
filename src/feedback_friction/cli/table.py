"""Results in the terminal: one row a condition, every share with its interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from feedback_friction.analysis.accuracy import ConditionResult, Paid, read_paid, read_results
from feedback_friction.analysis.journal import Condition
from feedback_friction.analysis.layers import read_layers
from feedback_friction.caveats import caveats, provisional
from feedback_friction.errors import UsageError
from feedback_friction.modes import recorded_mode

PIPE_WIDTH = 160
UNHEALTHY = 0.1  # of the replies: above it, accuracy says more about format or limits than ability


def results_json(directory: Path) -> dict[str, Any]:
    """The object that ``friction results --json`` prints."""
    paid = read_paid(directory)
    return {
        "conditions": [result.as_json() for result in _results(directory)],
        "paid": {
            "calls": paid.calls,
            "prompt_tokens": paid.prompt_tokens,
            "completion_tokens": paid.completion_tokens,
            "cached_tokens": paid.cached_tokens,
            "cost_usd": paid.cost_usd,
        },
        "judged_anew": read_layers(directory).as_json(),
    }


def print_results(directory: Path) -> None:
    """Print the table of a run directory, and what the run paid for."""
    results, paid = _results(directory), read_paid(directory)
    console = wide_console()
    console.print(results_table(results))
    console.print(_footer(results, paid), markup=False)
    for line in read_layers(directory).lines():
        console.print(line, markup=False)


def _results(directory: Path) -> list[ConditionResult]:
    """The results of a run's conditions; raises ``UsageError`` where it has none."""
    results = read_results(directory)
    if not results:
        raise UsageError(
            f"{directory} holds no conditions; an oracle's command, run again, prints its results"
        )
    return results


def wide_console() -> Console:
    """Standard output; as wide as tables want it where it is no terminal (a pipe, a file)."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


_HEALTH = {"no_answer": "no answer", "cut_off": "cut off"}


def warnings(results: list[ConditionResult]) -> list[str]:
    """A line for every condition of whose replies more than a tenth hold no answer or are cut."""
    said = {
        "no_answer": "hold no answer that could be read; look at some with 'friction show'",
        "cut_off": "were cut off at the limit on tokens; raise --max-tokens",
    }
    return [
        f"WARNING: {result.condition.condition}: {100 * count / result.replies:.0f}% of the "
        f"{result.replies:,} replies {what}"
        for result in results
        for name, what in said.items()
        if (count := getattr(result, name)) > UNHEALTHY * result.replies
    ]


def results_table(results: list[ConditionResult]) -> Table:
    """A table with accuracy at the first and the last iteration, in percent."""
    table = Table(caption_justify="left", title_justify="left", pad_edge=False)
    several = len({result.condition.solver for result in results}) > 1
    by_history = len({result.condition.history for result in results}) > 1
    history = ("history",) if by_history else ()
    for name in ("task", *(("solver",) if several else ()), "feedback", "sampling", *history):
        table.add_column(name, overflow="fold")
    open_ones = any(result.undecided for result in results)
    health = [name for name in _HEALTH if any(getattr(result, name) for result in results)]
    counts = ("n", "missing", *(("undecided",) if open_ones else ()), "stopped", "leaks")
    counts += tuple(_HEALTH[name] for name in health)
    for name in ("first %", "last %", *counts, "tokens", "cost $"):
        table.add_column(name, justify="right")
    for result in results:
        condition = result.condition
        usage = result.usage
        tokens = sum(
            usage[f"{who}{what}_tokens"]
            for who in ("", "feedback_")
            for what in ("prompt", "completion")
        )
        table.add_row(
            condition.task + (f" ({condition.digits} digits)" if condition.digits else ""),
            *((condition.solver,) if several else ()),
            condition.feedback,
            condition.sampling,
            *((_history(condition),) if by_history else ()),
            _percent(result, 0),
            _percent(result, -1),
            str(result.n),
            str(result.missing),
            *((str(result.undecided),) if open_ones else ()),
            str(result.stopped),
            f"{result.leaks}/{result.feedbacks}",
            *(f"{getattr(result, name)}/{result.replies}" for name in health),
            f"{tokens:,}",
            "unknown" if result.cost_usd is None else f"{result.cost_usd:,.2f}",
        )
    return table


def _history(condition: Condition) -> str:
    """What the solver saw of its attempts; nothing where the feedback shows it none."""
    return condition.history if recorded_mode(condition.feedback).shows_history else ""


def _percent(result: ConditionResult, k: int) -> str:
    if not result.accuracy:
        return "-"
    share, low, high = (
        100 * values[k] for values in (result.accuracy, result.ci_low, result.ci_high)
    )
    return f"{share:.1f} [{low:.1f}, {high:.1f}]"


def _footer(results: list[ConditionResult], paid: Paid) -> str:
    solvers = ", ".join(dict.fromkeys(result.condition.solver for result in results))
    graders = dict.fromkeys(
        f"{result.condition.task}: {result.condition.grader}" for result in results
    )
    lines = [
        f"solver: {solvers}; brackets are 95% Wilson intervals; tokens count shared calls "
        "in every condition",
        f"graders: {', '.join(graders)}",
        f"paid for: {paid.calls:,} calls, {paid.prompt_tokens:,} prompt tokens "
        f"({paid.cached_tokens:,} cached), {paid.completion_tokens:,} completion tokens",
    ]
    lines += warnings(results)
    unfinished = sum(result.unfinished for result in results)
    if unfinished:
        lines.append(provisional(unfinished))
    simulated = any(result.condition.simulated for result in results)
    lines += caveats([result.condition.solver for result in results], simulated=bool(simulated))
    return "\n".join(lines)
