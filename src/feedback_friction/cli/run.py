"""``friction run``: tasks under a grid of conditions, resumable at any moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from feedback_friction.caveats import is_miniature, miniature
from feedback_friction.cli.causes import print_frozen
from feedback_friction.cli.click_options import Sectioned, asked, generated
from feedback_friction.cli.drive import command_line, ended, run_to_end, tell
from feedback_friction.cli.grid import print_json
from feedback_friction.cli.results import print_results, results_json
from feedback_friction.engine.models.registry import is_student
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Progress
from feedback_friction.mode_names import recorded_mode
from feedback_friction.settings import Output, Settings
from feedback_friction.study import Study
from feedback_friction.ways import GREEDY, HEAT

EPILOG = """\b
Examples:
  friction run decimal_multiplication --solver student/default --limit 20 --feedback tutor
  friction run math_500 --solver openai/NAME --base-url http://localhost:8000/v1 --feedback self

\b
Keys: FRICTION_API_KEY_HOST (the server's own: FRICTION_API_KEY_OPENROUTER_AI), else
FRICTION_SOLVER_API_KEY, FRICTION_FEEDBACK_API_KEY or FRICTION_JUDGE_API_KEY, else
FRICTION_API_KEY, else OPENAI_API_KEY (only to OpenAI, OPENAI_BASE_URL, and this machine).

\b
Claude with extended thinking at temperature 1, as in the paper:
  friction run gpqa --solver anthropic/claude-3-7-sonnet-20250219 \\
    --reasoning-tokens 4000 --temperature 1 --feedback-temperature 1
"""


@click.command("run", cls=Sectioned, epilog=EPILOG, params=generated(Settings, Study, Output))
@click.pass_context
def command(context: click.Context, /, **_: Any) -> int:
    """Run TASKs under every combination of feedback modes and sampling strategies.

    The same command with the same --out resumes and repeats no call that was paid for.
    """
    settings, output = asked(context)
    return start(settings, output)


def start(settings: Settings, output: Output) -> int:
    """Prepare, run and print; returns the exit code."""
    prepared = prepare(settings)
    directory = output.out or Path("runs") / prepared.slug
    tell(notes(prepared))
    carry_out: Callable[..., Awaitable[Progress]] = execute
    if settings.operation.ray is not None:
        from feedback_friction.engine.machines.ray_cluster import execute_on_ray  # an extra

        carry_out = execute_on_ray
    work = partial(carry_out, prepared, directory, command_line())
    progress, interrupted = run_to_end(work, directory, quiet=output.quiet)
    if output.as_json:
        print_json(results_json([directory]))
    else:
        print_results([directory])
        if settings.frozen is not None and not interrupted:
            print_frozen(directory)
    return ended(progress, interrupted, directory)


def notes(prepared: Prepared) -> list[str]:
    """What a user should know before the run starts."""
    settings, found = prepared.settings, [*prepared.notes]
    solvers = dict.fromkeys(settings.models.solver)
    for student in filter(is_student, solvers):
        who = student if len(solvers) > 1 else "the solver"
        found.append(f"{who} is a simulated student, not a language model")
    found += [miniature(each).partition(": ")[2] for each in solvers if is_miniature(each)]
    if GREEDY.name in settings.sampling and not settings.plan.solver_temperature:
        found += [
            f"{name} at temperature 0 repeats its first answer; "
            f"use --temperature or --sampling {HEAT.name} for a control of resampling"
            for name in dict.fromkeys(settings.feedback)
            if recorded_mode(name).repeats_when_cold
        ]
    return found
