"""``friction run``: tasks under a grid of conditions, resumable at any moment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from feedback_friction.caveats import is_miniature, miniature
from feedback_friction.cli.drive import (
    INTERRUPTED,
    Note,
    Watch,
    command_line,
    run_to_end,
    timeout_option,
)
from feedback_friction.cli.progress import tell_missing
from feedback_friction.cli.table import print_results, results_json
from feedback_friction.engine.budget import Limits
from feedback_friction.engine.launch import execute
from feedback_friction.engine.models.options import EFFORTS
from feedback_friction.engine.prepare import Prepared, prepare
from feedback_friction.engine.runner import Progress
from feedback_friction.engine.settings import Operation, Settings
from feedback_friction.modes import (
    BINARY,
    GREEDY,
    HEAT,
    HISTORIES,
    MODES,
    STRATEGIES,
    TRANSCRIPT,
    recorded_mode,
)

UNSENT = 1.0  # what is recorded for a temperature that is not sent: the default of the API


class Temperature(click.ParamType[float | None]):
    """A number, or ``none``."""

    name = "float"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value == "none":
            return None
        try:
            return float(value)
        except ValueError:
            self.fail(f"'{value}' is neither a number nor none", param, ctx)


EPILOG = """\b
Keys: FRICTION_SOLVER_API_KEY, FRICTION_FEEDBACK_API_KEY or FRICTION_JUDGE_API_KEY, else
FRICTION_API_KEY, else OPENAI_API_KEY (only to OpenAI, OPENAI_BASE_URL, and this machine).

\b
Claude with extended thinking at temperature 1, as in the paper:
  friction run gpqa --solver anthropic/claude-3-7-sonnet-20250219 \\
    --reasoning-tokens 4000 --temperature 1 --feedback-temperature 1
"""


@click.command("run", epilog=EPILOG)
@click.argument("tasks", nargs=-1, metavar="TASK...")
@click.option("--solver", required=True, metavar="MODEL", help="The solver, as provider/name.")
@click.option(
    "--feedback",
    multiple=True,
    metavar="MODE",
    help=f"{', '.join(MODES)}; repeat for a grid.  [{BINARY.name}]",
)
@click.option("--feedback-model", metavar="MODEL", help="Who writes 'strong' feedback.")
@click.option("--judge-model", metavar="MODEL", help="Who judges answers, for pop_qa.")
@click.option(
    "--sampling",
    multiple=True,
    metavar="S",
    help=f"{', '.join(STRATEGIES)}; repeat for a grid.  [{GREEDY.name}]",
)
@click.option("--iterations", default=10, show_default=True, help="Attempts at most.")
@click.option("--epochs", default=1, show_default=True, help="Repetitions of each problem.")
@click.option("--limit", type=click.IntRange(min=0), help="At most this many problems.")
@click.option("--fraction", type=float, help="Share of the problems, chosen by seed.")
@click.option("--stratify", metavar="FIELD", help="Sample evenly over the groups of a field.")
@click.option("--examples", type=click.Path(path_type=Path), help="Rows for few-shot examples.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Problems from a file in the task's own schema, or hf:OWNER/NAME:SPLIT.",
)
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="What the data calls a field of the schema: question=prompt,answer=target.",
)
@click.option("--digits", type=int, default=5, show_default=True, help="Multiplication: 2 to 6.")
@click.option("--base-url", multiple=True, metavar="URL", help="Solver's server; repeatable.")
@click.option("--feedback-base-url", multiple=True, metavar="URL", help="Feedback model's server.")
@click.option("--judge-base-url", multiple=True, metavar="URL", help="Judge model's server.")
@click.option("--concurrency", default=256, show_default=True, help="Requests in flight at most.")
@timeout_option
@click.option(
    "--history",
    multiple=True,
    metavar="H",
    help="What a solver sees of earlier attempts: "
    f"{'; '.join(f'{each.name}, {each.shows}' for each in HISTORIES.values())}; "
    f"repeat for a grid.  [{TRANSCRIPT.name}]",
)
@click.option(
    "--temperature",
    type=Temperature(),
    default="0",
    show_default=True,
    help="The solver's; none sends none, for models that take none.",
)
@click.option("--top-p", type=float, help="The solver's; the server's default without it.")
@click.option("--max-tokens", default=2000, show_default=True, help="Limit on an answer.")
@click.option("--feedback-temperature", type=Temperature(), default="0", show_default=True)
@click.option("--feedback-max-tokens", default=5000, show_default=True)
@click.option("--logprobs", is_flag=True, help="Ask for log-probabilities of answers.")
@click.option(
    "--reasoning-tokens", type=int, metavar="N", help="The solver's, on top of --max-tokens."
)
@click.option(
    "--reasoning-effort",
    type=click.Choice(EFFORTS),
    help="The solver's; its reasoning counts within --max-tokens.",
)
@click.option(
    "-M",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="A further request field (or provider argument) for the solver; VALUE may be JSON. "
    "gguf/... takes slots, context, threads and gpu_layers, too.",
)
@click.option(
    "--feedback-option",
    "feedback_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="The same for the feedback model; reasoning_tokens and reasoning_effort too.",
)
@click.option(
    "--judge-option",
    "judge_options",
    multiple=True,
    metavar="KEY=VALUE",
    help="The same for the judge model.",
)
@click.option("--shuffle", is_flag=True, help="Permute the choices at every iteration.")
@click.option("--binary-hint", is_flag=True, help="Tell which choices were tried and are left.")
@click.option("--prices", type=click.Path(path_type=Path), help="A price list of your own.")
@click.option("--budget-usd", type=float, metavar="X", help="US dollars the run may cost in all.")
@click.option("--budget-tokens", type=int, metavar="N", help="Tokens the run may take in all.")
@click.option("--out", type=click.Path(path_type=Path), help="The run directory.  [runs/...]")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@click.option("--quiet", is_flag=True, help="No progress.")
def command(out: Path | None, as_json: bool, quiet: bool, **options: Any) -> int:
    """Run TASKs under every combination of feedback modes and sampling strategies.

    The same command with the same --out resumes; nothing that was paid for is asked again.
    """
    settings, operation = asked_for(options)
    return start(settings, operation, out, as_json=as_json, quiet=quiet)


def asked_for(options: dict[str, Any]) -> tuple[Settings, Operation]:
    """What the options of a run, without those of its output, ask for; empties ``options``."""
    operation = Operation(
        base_urls=options.pop("base_url"),
        feedback_base_urls=options.pop("feedback_base_url"),
        judge_base_urls=options.pop("judge_base_url"),
        concurrency=options.pop("concurrency"),
        timeout=options.pop("timeout"),
        prices=options.pop("prices"),
        budget=Limits(options.pop("budget_usd"), options.pop("budget_tokens")),
    )
    feedback = options.pop("feedback") or (BINARY.name,)
    sampling = options.pop("sampling") or (GREEDY.name,)
    history = options.pop("history") or (TRANSCRIPT.name,)
    for name in ("temperature", "feedback_temperature"):
        options[f"sends_{name}"] = options[name] is not None
        options[name] = UNSENT if options[name] is None else options[name]
    settings = Settings(feedback=feedback, sampling=sampling, history=history, **options)
    return settings, operation


def start(
    settings: Settings, operation: Operation, out: Path | None, *, as_json: bool, quiet: bool
) -> int:
    """Prepare, run and print; returns the exit code."""
    prepared = prepare(settings, operation)
    directory = out or Path("runs") / prepared.slug
    for note in notes(prepared):
        click.echo(f"note: {note}", err=True)

    async def work(watch: Watch, note: Note) -> Progress:
        return await execute(prepared, directory, command_line(), watch, note)

    progress, drained = run_to_end(work, directory, quiet=quiet)
    if as_json:
        click.echo(json.dumps(results_json([directory]), ensure_ascii=False))
    else:
        print_results([directory])
    if drained:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
        return INTERRUPTED
    if progress.stopped:
        click.echo(progress.stopped, err=True)
    return 1 if tell_missing(progress) or progress.stopped else 0


def notes(prepared: Prepared) -> list[str]:
    """What a user should know before the run starts."""
    settings, found = prepared.settings, [*prepared.notes]
    if settings.solver.startswith("student/"):
        found.append("the solver is a simulated student, not a language model")
    if is_miniature(settings.solver):
        found.append(miniature(settings.solver).partition(": ")[2])
    if GREEDY.name in settings.sampling and not settings.temperature:
        found += [
            f"{name} at temperature 0 draws the same answer again and again; "
            f"use --temperature or --sampling {HEAT.name} for a control of resampling"
            for name in dict.fromkeys(settings.feedback)
            if recorded_mode(name).repeats_when_cold
        ]
    return found
