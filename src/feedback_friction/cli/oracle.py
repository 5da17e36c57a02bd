"""``friction oracle``: what a solver could reach by drawing many answers, without feedback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.oracle_coverage import OracleRun, read_oracle
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.click_options import generated, given
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, command_line, run_to_end
from feedback_friction.cli.extras import needs
from feedback_friction.cli.grid import columns, print_columns, print_lines
from feedback_friction.cli.progress import tell_missing
from feedback_friction.engine.passes.oracle_requests import (
    PreparedOracle,
    execute_oracle,
    prepare_oracle,
)
from feedback_friction.engine.run.runner import Progress
from feedback_friction.errors import UsageError
from feedback_friction.options import Options, filled, option, options_of
from feedback_friction.protocol.oracle_draws import TEMPERATURE, OraclePlan
from feedback_friction.settings import Output, Settings


@dataclass(frozen=True, slots=True)
class OracleOptions(Options):
    """What an oracle asks for, beside how it draws."""

    ks: str = option("", "k of pass@k.  [1,10,100, as far as drawn]", flag="--k", metavar="K,...")


_FEEDBACK = ("feedback", "sampling", "iterations", "epochs", "history", "shuffle", "binary_hint")
_UNUSED = [
    name
    for name, each in options_of(Settings).items()
    if each.option.is_argument or name in _FEEDBACK or name.startswith(("feedback_", "budget_"))
]


@click.command(
    "oracle",
    params=[
        click.Argument(["task"], metavar="TASK"),
        *generated(
            OraclePlan, OracleOptions, Settings, Output, without=_UNUSED, temperature=TEMPERATURE
        ),
    ],
)
@click.pass_context
def command(
    context: click.Context,
    /,
    task: str,
    ks: str,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **_: Any,
) -> int:
    """Draw attempts x gens answers to each problem's first prompt, and count the right ones.

    Prints coverage (any right) and the unbiased pass@k. The same command with the same --out
    resumes and repeats no call that was paid for.
    """
    values, wanted = given(context, tasks=(task,), temperature=TEMPERATURE), _whole_numbers(ks)
    prepared = prepare_oracle(filled(Settings, values), **{**values, "ks": wanted})
    if wanted:
        with needs("report"):  # before anything is paid for
            import numpy  # noqa: F401
            import scipy  # noqa: F401
    directory = out or Path("runs") / prepared.slug
    return _start(prepared, directory, wanted or None, as_json=as_json, quiet=quiet)


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(","))) if text else ()
    except ValueError as error:
        raise UsageError(
            f"--k takes whole numbers separated by commas, such as 1,10,100, not '{text}'"
        ) from error


def _start(
    prepared: PreparedOracle,
    directory: Path,
    ks: Sequence[int] | None,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    for note in prepared.run.notes:
        click.echo(f"note: {note}", err=True)

    async def work(watch: Watch, note: Note) -> Progress:
        return await execute_oracle(prepared, directory, command_line(), watch, note)

    unit = "problems" if prepared.plan.until_solved else "requests"
    progress, interrupted = run_to_end(work, directory, quiet=quiet, unit=unit)
    print_oracle(directory, ks, as_json=as_json)
    if interrupted:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
        return INTERRUPTED
    return 1 if tell_missing(progress, unit) else 0


def print_oracle(directory: Path, ks: Sequence[int] | None = None, *, as_json: bool) -> None:
    """Coverage and pass@k of an oracle's directory, for the usual k or those asked for."""
    run = read_oracle(directory)
    shown = _pass_at(run, ks)
    if as_json:
        click.echo(json.dumps(as_object(run, shown), ensure_ascii=False))
    else:
        _print(run, shown)


def _pass_at(run: OracleRun, ks: Sequence[int] | None) -> dict[int, Estimate]:
    """pass@k for those asked for, else for the usual ones if the packages for it are there."""
    if ks is None:
        there = find_spec("numpy") is not None and find_spec("scipy") is not None
        ks = run.default_ks() if there else ()
    return {k: run.pass_at(k) for k in ks}


def as_object(run: OracleRun, pass_at: dict[int, Estimate]) -> dict[str, Any]:
    """The object that ``friction oracle --json`` prints; a share without problems is null."""
    config = run.config
    return {
        "task": config["tasks"][0],
        "solver": config["solver"],
        "simulated": run.simulated,
        "temperature": config["temperature"],
        "attempts": config["attempts"],
        "gens": config["gens"],
        "until_solved": config["until_solved"],
        "problems": run.problems,
        "missing": run.missing,
        "provisional": run.provisional,
        "draws": run.replies,
        "no_answer": run.no_answer,
        "undecided": run.undecided,
        "coverage": run.coverage().as_json(),
        "pass_at_k": [{"k": k, **share.as_json()} for k, share in pass_at.items()],
        "paid": {
            "calls": run.calls,
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "cost_usd": run.cost_usd,
        },
    }


def _print(run: OracleRun, pass_at: dict[int, Estimate]) -> None:
    stopped = ", until solved" if run.config["until_solved"] else ""
    rows = {f"coverage ({run.draws} draws{stopped})": run.coverage()}
    rows |= {f"pass@{k}": share for k, share in pass_at.items()}
    cells = []
    for name, share in rows.items():
        value, low, high = (100 * each for each in (share.value, share.low, share.high))
        shown = f"{value:.1f} [{low:.1f}, {high:.1f}]" if share.n else "-"
        cells.append((name, shown, str(share.n), str(run.missing)))
    lines = [
        f"{run.config['tasks'][0]}, solver: {run.config['solver']}, temperature "
        f"{run.config['temperature']:g}; brackets are 95% intervals over problems",
        f"{run.replies:,} draws, {run.no_answer:,} without an answer, {run.undecided:,} undecided; "
        f"paid for: {run.calls:,} calls, {run.prompt_tokens:,} prompt tokens, "
        f"{run.completion_tokens:,} completion tokens",
    ]
    if run.provisional:
        lines.append(provisional(run.missing, "problems"))
    lines += caveats({run.config["solver"]: run.simulated})
    print_columns(columns(("", "%", "n", "missing"), cells, texts=1))
    print_lines(lines)
