"""``friction improve``: a better prompt for a form of feedback; held-out problems decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from feedback_friction import __version__
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.caveats import caveats
from feedback_friction.cli.click_options import generated, given
from feedback_friction.cli.drive import INTERRUPTED, Note, Watch, command_line, run_to_end, tell
from feedback_friction.cli.grid import columns, print_columns, print_json, print_lines
from feedback_friction.engine.passes.prompt_search import (
    Improved,
    Improving,
    PreparedImprovement,
    execute_improvement,
    prepare_improvement,
)
from feedback_friction.engine.run.caller import Drained
from feedback_friction.engine.run.guidance import LEARNT_FROM
from feedback_friction.errors import RunStoppedError
from feedback_friction.extras import need
from feedback_friction.modes import ADAPTIVE
from feedback_friction.options import filled, options_of
from feedback_friction.protocol.improvement import Round
from feedback_friction.settings import Output, Settings
from feedback_friction.writing import write_json

PROMPTS_FILE, ALL_FILE = "prompts.json", "improvement.json"
_WITHOUT = (
    "feedback", "sampling", "iterations", "rounds", "epochs", "shuffle", "binary_hint",
    "attribution", "logprobs", "part", "ray", "workers",
)  # fmt: skip
_UNUSED = [
    name
    for name, each in options_of(Settings).items()
    if each.option.is_argument or name in _WITHOUT
]


@click.command(
    "improve",
    params=[
        click.Argument(["task"], metavar="TASK"),
        *generated(Improving, Settings, Output, without=_UNUSED),
    ],
)
@click.pass_context
def command(
    context: click.Context, /, task: str, out: Path | None, as_json: bool, quiet: bool, **_: Any
) -> int:
    """Improve the prompt of a form of feedback that a model writes.

    GEPA searches on half of the wrong first answers for a prompt whose feedback leads to right next
    attempts without leaking the answer. The other half compares the new prompt with the old one. If
    the new one is significantly better, it is written to DIR/prompts.json, for --prompts; otherwise
    that file is not written. The same command with the same --out resumes.
    """
    need(ADAPTIVE.name, "gepa")  # the extra has the name of the mode
    values = given(context, tasks=(task,))
    prepared = prepare_improvement(filled(Settings, values), filled(Improving, values))
    directory = out or Path("runs") / prepared.slug
    _announce(prepared)

    async def work(watch: Watch, note: Note) -> Improved | None:
        try:
            return await execute_improvement(prepared, directory, command_line(), watch, note)
        except Drained:
            return None

    found, interrupted = run_to_end(work, directory, quiet=quiet, unit="rounds")
    if found is None and interrupted:
        click.echo(f"interrupted; the same command resumes {directory}", err=True)
        return INTERRUPTED
    if found is None:
        raise RunStoppedError(f"the budget is spent (a larger one resumes {directory})")
    decision = decided(found)
    document = _document(prepared, found, decision, directory)
    _write(directory, prepared, found, decision, document)
    if as_json:
        print_json(document)
    else:
        _print(prepared, found, decision, directory)
    return 0


def _announce(prepared: PreparedImprovement) -> None:
    tell(prepared.run.notes)
    problems, rounds = len(prepared.condition.problems), prepared.asked.budget_rounds
    click.echo(
        f"at most {prepared.most_calls:,} calls: {problems:,} first answers; {rounds:,} rounds of "
        f"search, each feedback and an attempt; {prepared.most_reflections:,} new prompts; and "
        f"{2 * -(-problems // 2):,} rounds to decide",
        err=True,
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What the held-out problems say.

    Attributes:
        old, new: right next attempts after feedback that leaks nothing, under each prompt.
        leaked_old, leaked_new: feedback that gives the answer away.
        adds: what the new prompt adds, with its interval; n problems.
    """

    old: int
    new: int
    leaked_old: int
    leaked_new: int
    adds: Estimate

    @property
    def is_better(self) -> bool:
        """Whether the new prompt is shown to be better."""
        return self.adds.n > 0 and self.adds.low > 0


def decided(found: Improved) -> Decision:
    """Compare the prompts on the held-out problems, paired by problem."""
    pairs = found.held_out
    gaps = [float(new.taken_up) - float(old.taken_up) for old, new in pairs]
    clusters = [old.trial.problem.cluster for old, _ in pairs]
    adds = mean_difference(gaps, [1.0] * len(gaps), clusters=clusters)

    def count(rounds: list[Round], what: str) -> int:
        return sum(getattr(each, what) for each in rounds)

    old, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return Decision(
        count(old, "taken_up"), count(new, "taken_up"), count(old, "leaked"),
        count(new, "leaked"), adds,
    )  # fmt: skip


def _why(found: Improved, decision: Decision) -> str:
    if found.new == found.old:
        return "the search found no prompt that is better on its own problems: the old one stays"
    shown = f"{100 * decision.adds.value:+.1f} points {_limits(decision.adds)}"
    if decision.is_better:
        return f"the new prompt is better on problems that the search did not see: {shown}"
    return (
        f"{decision.adds.n} held-out problems cannot tell the new prompt from the old one: "
        f"{shown}; the old one stays"
    )


def _limits(each: Estimate) -> str:
    return f"[{100 * each.low:.1f}, {100 * each.high:.1f}]"


def _document(
    prepared: PreparedImprovement, found: Improved, decision: Decision, directory: Path
) -> dict[str, Any]:
    condition, adds = prepared.condition, decision.adds
    return {
        "form": prepared.form.name,
        "accepted": decision.is_better,
        "why": _why(found, decision),
        "old": found.old,
        "new": found.new,
        LEARNT_FROM: {
            "run": str(directory),
            "task": condition.label,
            "solver": condition.solver,
            "feedback_model": condition.feedback_model,
            "reflection_model": prepared.reflection_model,
            "simulated": condition.simulated,
            "problems": found.problems,
            "wrong_first": found.missed,
            "training": found.trained,
            "rounds": found.rounds,
            "prompts_written": found.tried,
            "prompts_unusable": found.unusable,
            "version": __version__,
        },
        "held_out": {
            "n": adds.n,
            "old": decision.old,
            "new": decision.new,
            "leaked_old": decision.leaked_old,
            "leaked_new": decision.leaked_new,
            "adds": [round(each, 4) for each in (adds.value, adds.low, adds.high)]
            if adds.n
            else None,
        },
    }


def _write(
    directory: Path,
    prepared: PreparedImprovement,
    found: Improved,
    decision: Decision,
    document: dict[str, Any],
) -> None:
    """All of it, and where the new prompt is better, the file for ``--prompts``."""
    kept = {prepared.form.base: found.new}
    kept |= {
        name: text
        for name, text in prepared.condition.plan.form_requests
        if name != prepared.form.base
    }
    learnt = {**document[LEARNT_FROM], "why": document["why"], "held_out": document["held_out"]}
    write_json(document, directory / ALL_FILE)
    if decision.is_better:
        write_json({**kept, LEARNT_FROM: learnt}, directory / PROMPTS_FILE)


def _print(
    prepared: PreparedImprovement, found: Improved, decision: Decision, directory: Path
) -> None:
    n = decision.adds.n
    if n:
        rows = [
            ("old", f"{100 * decision.old / n:.1f}", f"{decision.leaked_old}", f"{n}"),
            ("new", f"{100 * decision.new / n:.1f}", f"{decision.leaked_new}", f"{n}"),
        ]
        headings = ("prompt", "right next, no leak %", "leaks", "n")
        print_columns(columns(headings, rows, texts=1), title="Held-out problems")
        click.echo()
    lines = [
        f"{found.missed:,} of {found.problems:,} first answers are wrong; {found.rounds:,} rounds "
        f"of search on {found.trained:,} of them; {found.tried:,} prompts written, "
        f"{found.unusable:,} of them unusable",
        _why(found, decision),
    ]
    if found.new != found.old:
        lines.append(f"new prompt: {found.new}")
    if decision.is_better:
        lines.append(f"written: {directory / PROMPTS_FILE}, for --prompts")
    condition = prepared.condition
    print_lines([*lines, *caveats({condition.solver: condition.simulated})])
