"""``friction distill``: train a solver on what it took up, and measure what that did to uptake."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.cli.click_options import Sectioned, asked, generated
from feedback_friction.cli.drive import command_line, resumable, run_to_end
from feedback_friction.cli.grid import print_lines, print_rows
from feedback_friction.distill.asked import Asked
from feedback_friction.engine.run.launch import execute
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.run_directory import claim, locked
from feedback_friction.errors import RunStoppedError
from feedback_friction.extras import need
from feedback_friction.modes import PLACEBO, RETRY, TUTOR
from feedback_friction.options import filled
from feedback_friction.settings import Output, Settings
from feedback_friction.study import Study
from feedback_friction.writing import write_json

if TYPE_CHECKING:
    from feedback_friction.analysis.distilled import Change, Outcome
    from feedback_friction.distill.rounds import Arm

_FEEDBACK = (TUTOR.name, RETRY.name, f"{PLACEBO.name}:{TUTOR.name}")


_UNUSED = ("frozen", "part", "ray", "workers")


@click.command(
    "distill",
    cls=Sectioned,
    params=generated(Asked, Settings, Study, Output, without=_UNUSED, feedback=_FEEDBACK),
)
@click.pass_context
def command(context: click.Context, /, **_: Any) -> None:
    """Train a solver on its own corrections; measure first answers and uptake separately.

    Takes the options of 'friction run'. For each seed, the solver answers the held-out problems and
    tries the training problems, is trained with TRL's trainers (LoRA), and answers the held-out
    problems again. The control is trained on as many right first answers without feedback. The same
    command with the same --out resumes.
    """
    need("training", "datasets", "peft", "trl")
    from feedback_friction.distill import rounds

    settings, output = asked(context, feedback=_FEEDBACK)
    wanted = filled(Asked, context.params)
    rounds.check(settings)
    prepared = prepare(settings)
    out = output.out or Path("runs") / f"distill-{prepared.slug}"
    chosen = asdict(wanted)
    del chosen["seeds"]  # more of them may be asked for later
    config = {"kind": "distill", **prepared.config, **chosen}

    def run(each: Prepared, directory: Path) -> None:
        work = partial(execute, each, directory, command_line())
        progress, drained = run_to_end(work, directory, quiet=output.quiet)
        if drained:
            sys.exit(resumable(out, interrupted=True))
        if progress.stopped or progress.statuses.get("failed"):
            why = progress.stopped or f"{progress.statuses['failed']} trials failed in {directory}"
            raise RunStoppedError(f"{why}; the same command resumes {out}")

    def tell(line: str) -> None:
        if not output.quiet:
            click.echo(line, err=True)

    with locked(out):
        claim(out, config, {}, command_line())
        arms = rounds.distilled(settings, wanted, out, run, tell)
        _report(arms, out, as_json=output.as_json)


def _report(arms: list[Arm], out: Path, *, as_json: bool) -> None:
    from feedback_friction.analysis.distilled import outcome

    found = {arm.method: outcome(arm.pairs) for arm in arms}
    seeds = {arm.method: [outcome([pair]) for pair in arm.pairs] for arm in arms}
    document = {
        arm.method: {
            "rows": list(arm.rows),
            "all": found[arm.method].as_json(),
            "seeds": {
                str(seed): each.as_json()
                for seed, each in zip(arm.seeds, seeds[arm.method], strict=True)
            },
        }
        for arm in arms
    }
    write_json(document, out / "outcome.json")
    if as_json:
        click.echo((out / "outcome.json").read_text("utf-8"), nl=False)
        return
    _print(arms, found, seeds)
    print_lines(
        [
            "brackets: 95% intervals, clustered by problem; they hold for these trainings: how "
            "trainings differ, the seeds show",
            f"by seed, and the numbers: {out / 'outcome.json'}; training sets and their cards: "
            f"{out}/seed-*/*/*/rows.*",
        ]
    )


def _print(arms: list[Arm], found: dict[str, Outcome], seeds: dict[str, list[Outcome]]) -> None:
    rows = [
        (
            arm.method,
            *_change(found[arm.method].first),
            ", ".join(f"{100 * each.first.difference.value:+.1f}" for each in seeds[arm.method]),
            ", ".join(map(str, arm.rows)),
        )
        for arm in arms
    ]
    names = ("before %", "after %", "difference, points")
    print_rows(
        ("trained by", *names, "by seed", "rows trained on"),
        rows,
        texts=1,
        title="First answers on held-out problems",
    )
    rows, above = [], []
    for arm in arms:
        for each in found[arm.method].uptakes:
            who = (arm.method, each.feedback)
            both = f"{each.both.percent('+')} ({each.both.n})"
            rows.append((*who, *_change(each.right), both))
            above.append((*who, "first answer again", *_change(each.repeated)))
            above += [(*who, f"above {name}", *_change(c)) for name, c in each.above.items()]
    print_rows(
        ("trained by", "feedback", *names, "wrong both times (n)"),
        rows,
        texts=2,
        title="Uptake: second attempts that are right, of what was wrong at first",
    )
    print_rows(
        ("trained by", "feedback", "second attempts", *names),
        above,
        texts=3,
        title="The same trials: repetition, and uptake above the controls",
    )


def _change(change: Change) -> tuple[str, str, str]:
    return change.before.percent(), change.after.percent(), change.difference.percent("+")
