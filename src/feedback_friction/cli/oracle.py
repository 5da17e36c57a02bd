"""``friction oracle``: what a solver could reach by drawing many answers, without feedback."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.oracle_coverage import OracleRun, read_oracle
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.click_options import Sectioned, generated, given, whole_numbers
from feedback_friction.cli.drive import command_line, ended, run_to_end, tell
from feedback_friction.cli.grid import print_json, print_lines, print_rows
from feedback_friction.engine.passes.oracle_requests import execute_oracle, prepare_oracle
from feedback_friction.extras import need
from feedback_friction.options import filled
from feedback_friction.protocol.oracle_draws import TEMPERATURE, OraclePlan
from feedback_friction.settings import Output, Settings

_UNUSED = (
    "tasks", "feedback", "feedback_*", "budget_*", "sampling", "iterations", "epochs", "history",
    "solve", "rounds", "attribution", "frozen", "prompts", "shuffle", "binary_hint", "ray",
    "workers",
)  # fmt: skip


@click.command(
    "oracle",
    cls=Sectioned,
    params=[
        click.Argument(["task"], metavar="TASK"),
        click.Option(
            ["--k", "ks"], metavar="K,...", help="k of pass@k.  [1,10,100, as far as drawn]"
        ),
        *generated(OraclePlan, Settings, Output, without=_UNUSED, temperature=TEMPERATURE),
    ],
)
@click.pass_context
def command(
    context: click.Context,
    /,
    task: str,
    ks: str | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **_: Any,
) -> int:
    """Draw attempts x gens answers to each problem's first prompt, and count the right ones.

    Prints coverage (any right) and the unbiased pass@k. The same command with the same --out
    resumes and repeats no call that was paid for.
    """
    values = given(context, tasks=(task,), temperature=TEMPERATURE)
    wanted = whole_numbers(ks, "--k") if ks else ()
    prepared = prepare_oracle(filled(Settings, values), **{**values, "ks": wanted})
    if wanted:
        need("report", "numpy", "scipy")  # before anything is paid for
    directory = out or Path("runs") / prepared.slug
    tell(prepared.run.notes)
    unit = "problems" if prepared.plan.until_solved else "requests"
    work = partial(execute_oracle, prepared, directory, command_line())
    progress, interrupted = run_to_end(work, directory, quiet=quiet, unit=unit)
    print_oracle(directory, wanted or None, as_json=as_json)
    return ended(progress, interrupted, directory, unit)


def print_oracle(directory: Path, ks: Sequence[int] | None = None, *, as_json: bool) -> None:
    """Coverage and pass@k of an oracle's directory, for the usual k or those asked for."""
    run = read_oracle(directory)
    if ks is None:  # pass@k takes an extra
        there = find_spec("numpy") is not None and find_spec("scipy") is not None
        ks = run.default_ks() if there else ()
    shown = {k: run.pass_at(k) for k in ks}
    if as_json:
        print_json(as_object(run, shown))
    else:
        _print(run, shown)


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
            name: getattr(run.paid, name)
            for name in ("calls", "prompt_tokens", "completion_tokens", "cost_usd")
        },
    }


def _print(run: OracleRun, pass_at: dict[int, Estimate]) -> None:
    stopped = ", until solved" if run.config["until_solved"] else ""
    rows = {f"coverage ({run.draws} draws{stopped})": run.coverage()}
    rows |= {f"pass@{k}": share for k, share in pass_at.items()}
    cells = [
        (name, share.percent() if share.n else "-", str(share.n), str(run.missing))
        for name, share in rows.items()
    ]
    lines = [
        f"{run.config['tasks'][0]}, solver: {run.config['solver']}, temperature "
        f"{run.config['temperature']:g}; brackets are 95% intervals over problems",
        f"{run.replies:,} draws, {run.no_answer:,} without an answer, {run.undecided:,} undecided; "
        f"paid for: {run.paid.calls:,} calls, {run.paid.prompt_tokens:,} prompt tokens, "
        f"{run.paid.completion_tokens:,} completion tokens",
    ]
    if run.provisional:
        lines.append(provisional(run.missing, "problems"))
    lines += caveats({run.config["solver"]: run.simulated})
    print_rows(("", "%", "n", "missing"), cells, texts=1)
    print_lines(lines)
