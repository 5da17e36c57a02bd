"""``friction oracle``: what a solver could reach by drawing many answers, without feedback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.oracle import OracleRun, read_oracle
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.caveats import caveats, provisional
from feedback_friction.cli.drive import (
    INTERRUPTED,
    Note,
    Watch,
    command_line,
    run_to_end,
    timeout_option,
)
from feedback_friction.cli.extras import needs
from feedback_friction.cli.grid import columns, print_columns, print_lines
from feedback_friction.cli.progress import tell_missing
from feedback_friction.engine.models.options import EFFORTS
from feedback_friction.engine.oracle import PreparedOracle, execute_oracle, prepare_oracle
from feedback_friction.engine.runner import Progress
from feedback_friction.engine.settings import Operation, Settings
from feedback_friction.errors import UsageError
from feedback_friction.protocol.oracle import TEMPERATURE


@click.command("oracle")
@click.argument("task", metavar="TASK")
@click.option("--solver", required=True, metavar="MODEL", help="The solver, as provider/name.")
@click.option("--attempts", default=10, show_default=True, help="Requests for each problem.")
@click.option("--gens", default=10, show_default=True, help="Replies in each request.")
@click.option("--k", "ks", metavar="K,...", help="k of pass@k.  [1,10,100, as far as drawn]")
@click.option(
    "--until-solved", is_flag=True, help="Stop a problem once it is solved: coverage only."
)
@click.option("--temperature", default=TEMPERATURE, show_default=True)
@click.option("--top-p", type=float, help="The server's default without it.")
@click.option("--max-tokens", default=2000, show_default=True, help="Limit on an answer.")
@click.option("--limit", type=click.IntRange(min=0), help="At most this many problems.")
@click.option("--fraction", type=float, help="Share of the problems, chosen by seed.")
@click.option("--stratify", metavar="FIELD", help="Sample evenly over the groups of a field.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Problems from a file in the task's own schema.",
)
@click.option("--examples", type=click.Path(path_type=Path), help="Rows for few-shot examples.")
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
@click.option("--judge-model", metavar="MODEL", help="Who judges answers, for pop_qa.")
@click.option("--base-url", multiple=True, metavar="URL", help="Solver's server; repeatable.")
@click.option("--judge-base-url", multiple=True, metavar="URL", help="Judge model's server.")
@click.option("--concurrency", default=256, show_default=True, help="Requests in flight at most.")
@timeout_option
@click.option("--logprobs", is_flag=True, help="Ask for log-probabilities of answers.")
@click.option("--reasoning-tokens", type=int, metavar="N", help="On top of --max-tokens.")
@click.option("--reasoning-effort", type=click.Choice(EFFORTS), help="Within --max-tokens.")
@click.option("-M", "options", multiple=True, metavar="KEY=VALUE", help="A further request field.")
@click.option("--prices", type=click.Path(path_type=Path), help="A price list of your own.")
@click.option("--out", type=click.Path(path_type=Path), help="The directory.  [runs/oracle-...]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    task: str,
    attempts: int,
    gens: int,
    ks: str | None,
    until_solved: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Draw attempts x gens answers to each problem's first prompt: is any of them right?

    Prints coverage (any right) and the unbiased pass@k. The same command with the same --out
    resumes; nothing that was paid for is asked again.
    """
    wanted = _whole_numbers(ks)
    operation = Operation(
        base_urls=options.pop("base_url"),
        judge_base_urls=options.pop("judge_base_url"),
        concurrency=options.pop("concurrency"),
        timeout=options.pop("timeout"),
        prices=options.pop("prices"),
    )
    prepared = prepare_oracle(
        Settings(tasks=(task,), **options),
        operation,
        attempts=attempts,
        gens=gens,
        until_solved=until_solved,
        ks=wanted,
    )
    if wanted:
        with needs("report"):  # before anything is paid for
            import numpy  # noqa: F401
            import scipy  # noqa: F401
    directory = out or Path("runs") / prepared.slug
    return _start(prepared, directory, wanted or None, as_json=as_json, quiet=quiet)


def _whole_numbers(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(","))) if text else ()
    except ValueError as error:
        raise UsageError(
            f"--k takes whole numbers with commas between, such as 1,10,100, not '{text}'"
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
    run = read_oracle(directory)
    shown = _pass_at(run, ks)
    if as_json:
        click.echo(json.dumps(as_object(run, shown), ensure_ascii=False))
    else:
        _print(run, shown)
    if interrupted:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
        return INTERRUPTED
    return 1 if tell_missing(progress, unit) else 0


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
        "coverage": _share(run.coverage()),
        "pass_at_k": [{"k": k, **_share(share)} for k, share in pass_at.items()],
        "paid": {
            "calls": run.calls,
            "prompt_tokens": run.prompt_tokens,
            "completion_tokens": run.completion_tokens,
            "cost_usd": run.cost_usd,
        },
    }


def _share(share: Estimate) -> dict[str, float | int | None]:
    value = share.value if share.n else None
    return {"value": value, "ci_low": share.low, "ci_high": share.high, "n": share.n}


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
