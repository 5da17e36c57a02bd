"""``friction estimate``: what a run will take, from a pilot that the run reuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.click_options import Sectioned, asked, generated
from feedback_friction.cli.drive import Note, Watch, command_line, resumable, run_to_end, tell
from feedback_friction.cli.grid import print_json, print_rows
from feedback_friction.cli.run import notes
from feedback_friction.engine.estimate.bounds import Setting
from feedback_friction.engine.estimate.pilot import Pilot, choose, run_pilot
from feedback_friction.engine.estimate.prediction import Estimate, from_data, from_pilot
from feedback_friction.engine.run.budget import dollars
from feedback_friction.engine.run.launch import started, thinking
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Progress
from feedback_friction.errors import UsageError
from feedback_friction.settings import Output, Settings
from feedback_friction.study import Study

NAMES = {
    "calls": "calls",
    "uncached_prompt_tokens": "prompt tokens, not cached",
    "cached_prompt_tokens": "prompt tokens, cached",
    "completion_tokens": "completion tokens",
    "cost_usd": "cost",
    "seconds": "wall time",
}


_PILOT = click.Option(
    ["--pilot"], type=click.IntRange(min=0), default=20, show_default=True, metavar="N",
    help="Problems of each task to run first; 0 makes no call, and gives bounds.",
)  # fmt: skip


@click.command("estimate", cls=Sectioned, params=[_PILOT, *generated(Settings, Study, Output)])
@click.pass_context
def command(context: click.Context, /, pilot: int, **_: Any) -> int:
    """Predict calls, tokens, cost and time of a run, with 95% intervals.

    Takes the options of 'friction run'. The pilot's problems are run for real, in the run's own
    directory, so 'friction run' with the same options does not pay for them again.
    """
    settings, output = asked(context)
    prepared = prepare(settings)
    if settings.frozen is not None:
        calls = sum(len(each.problems) * each.epochs for each in prepared.conditions)
        most = max(each.plan.solve.calls for each in prepared.conditions)
        up_to = f", up to {most} where it writes to itself first" if most > 1 else ""
        raise UsageError(f"a frozen set takes one call for each of its {calls:,} items{up_to}")
    directory = output.out or Path("runs") / prepared.slug
    tell(notes(prepared))
    setting = Setting(
        prepared.prices, settings.models.judge_model, settings.operation.concurrency,
        thinking(prepared), settings.plan.seed,
    )  # fmt: skip
    if not pilot:
        _show(from_data(prepared.conditions, setting), prepared, None, as_json=output.as_json)
        return 0
    chosen = choose(prepared.conditions, pilot)
    progress, interrupted = _run(prepared, directory, chosen, quiet=output.quiet)
    if progress.stopped and not interrupted:
        click.echo(f"no estimate, the pilot did not end: {progress.stopped}", err=True)
        return 1
    if not interrupted:
        found = from_pilot(prepared.conditions, chosen, setting)
        _show(found, prepared, directory, as_json=output.as_json)
    return resumable(directory, interrupted)


def _run(
    prepared: Prepared, directory: Path, pilot: Pilot, *, quiet: bool
) -> tuple[Progress, bool]:
    async def work(watch: Watch, note: Note) -> Progress:
        async with started(prepared, directory, run_line(command_line()), note) as runner:
            watch(runner)
            await run_pilot(runner, prepared.conditions, pilot)
            budget, progress = runner.caller.budget, runner.progress
            if budget is not None and budget.refused is not None:
                progress.stopped = budget.line(progress.total - progress.ended)
            return progress

    return run_to_end(work, directory, quiet=quiet, unit="pilot trials")


def run_line(words: list[str]) -> list[str]:
    """The command line of the run that an estimate is about."""
    kept, rest = [], iter(words)
    for word in rest:
        if word == "--pilot":
            next(rest, None)
        elif not word.startswith("--pilot=") and word != "--json":
            kept.append(word)
    return [*kept[:1], "run", *kept[2:]]


# --- what is shown -------------------------------------------------------------------------------


def assumptions(found: Estimate, prepared: Prepared) -> list[str]:
    """What the numbers rest on, one line each."""
    lines, simulated = [], prepared.conditions[0].simulated
    if simulated:
        lines.append("SIMULATION: a simulated student answers, without cost or delay")
    if found.seconds is None:
        lines += [
            "bounds without a call: low if every first answer is right and one token long; high if "
            "none is ever right and every reply is as long as its limit",
            "assumes 4 characters a token and no prompt caching; without a pilot the time is "
            "unknown",
        ]
    else:
        pilots = ", ".join(f"{n} of {size} of {task}" for task, (n, size) in found.problems.items())
        lines += [
            f"totals include the pilot: {pilots}, chosen at random by --seed",
            "95% intervals: Gaffke's bounds on the mean of the problems not run, and their "
            "scatter; no problem takes more than one that is never solved, with replies as long as "
            "in the pilot",
            "assumes prompt caching and seconds per call as in the pilot; time: at most busy time "
            f"/ {prepared.settings.operation.concurrency} slots plus the longest trial",
        ]
    if found.failed:
        lines.append(f"{found.failed} problems are left out, because a trial failed in the pilot")
    lines.append(
        "calls that conditions share count once; repeated calls after failures do not count"
    )
    if not simulated:
        lines.append(f"prices of {prepared.prices.as_of}, in US dollars")
    operation, cost = prepared.settings.operation, found.ranges["cost_usd"]
    usd, tokens = operation.budget_usd, operation.budget_tokens
    if usd is not None and cost is not None and cost.high > usd:
        lines.append(f"the budget of {dollars(usd)} may end the run before it is done")
    kinds = [each for name, each in found.ranges.items() if name.endswith("_tokens")]
    if tokens is not None and sum(each.high for each in kinds if each is not None) > tokens:
        lines.append(f"the budget of {tokens:,} tokens may end the run before it is done")
    return lines


def _show(found: Estimate, prepared: Prepared, directory: Path | None, *, as_json: bool) -> None:
    lines = assumptions(found, prepared)
    document = _document(found, prepared, directory, lines)
    if as_json:
        print_json(document)
        return
    rows = [
        (title, *_cells(document[name], WRITTEN.get(name, "{:,.0f}".format)))
        for name, title in NAMES.items()
    ]
    print_rows(("of the run", "estimate", "low", "high"), rows, texts=1)
    for line in lines:
        click.echo(line)
    if directory is not None:
        usd = document["pilot"]["cost_usd"]
        cost = "at unknown cost" if usd is None else f"for {dollars(usd)}"
        click.echo(
            f"the pilot made {document['pilot']['calls']:,} of these calls {cost}; 'friction run' "
            f"with the same options reuses them from {directory}"
        )


def _document(
    found: Estimate, prepared: Prepared, directory: Path | None, lines: list[str]
) -> dict[str, Any]:
    """The object that ``--json`` prints; a range is {"value", "low", "high"}, unknown is null."""
    usd = found.paid.cost_usd
    ranges = {**found.ranges, "seconds": found.seconds}
    return {
        **{name: (each := ranges[name]) and asdict(each) for name in NAMES},
        "simulated": prepared.conditions[0].simulated,
        "prices_as_of": prepared.prices.as_of,
        "pilot": {
            "directory": str(directory) if directory is not None else None,
            "problems": {task: n for task, (n, _) in found.problems.items()},
            "of": {task: size for task, (_, size) in found.problems.items()},
            "failed": found.failed,
            "calls": round(found.paid.calls),
            "cost_usd": None if math.isnan(usd) else usd,
        },
        "assumptions": lines,
    }


def _cells(limits: dict[str, Any] | None, write: Callable[[float], str]) -> tuple[str, str, str]:
    if limits is None:
        return "unknown", "", ""
    value = "-" if limits["value"] is None else write(limits["value"])
    return value, write(limits["low"]), write(limits["high"])


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 90 else f"{hours:.1f} h"


WRITTEN: dict[str, Callable[[float], str]] = {"cost_usd": dollars, "seconds": _duration}
