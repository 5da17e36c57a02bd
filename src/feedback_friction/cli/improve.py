"""``friction improve``: a better prompt for a form of feedback; held-out problems decide."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from feedback_friction import __version__
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.caveats import caveats
from feedback_friction.cli.click_options import Sectioned, generated, given
from feedback_friction.cli.drive import Note, Watch, command_line, resumable, run_to_end, tell
from feedback_friction.cli.grid import print_json, print_lines, print_rows
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
from feedback_friction.options import filled
from feedback_friction.protocol.improvement import Round
from feedback_friction.settings import Output, Settings
from feedback_friction.writing import write_json

PROMPTS_FILE, ALL_FILE = "prompts.json", "improvement.json"
_UNUSED = (
    "tasks", "feedback", "sampling", "iterations", "rounds", "epochs", "shuffle", "binary_hint",
    "attribution", "frozen", "logprobs", "part", "ray", "workers",
)  # fmt: skip


@click.command(
    "improve",
    cls=Sectioned,
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
        return resumable(directory, interrupted)
    if found is None:
        raise RunStoppedError(f"the budget is spent (a larger one resumes {directory})")
    document = _document(prepared, found, directory)
    _write(directory, prepared, document)
    if as_json:
        print_json(document)
    else:
        _print(document, directory)
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


def _document(prepared: PreparedImprovement, found: Improved, directory: Path) -> dict[str, Any]:
    condition = prepared.condition
    old, new = [[pair[side] for pair in found.held_out] for side in (0, 1)]
    adds = _adds(old, new)
    is_better = adds.n > 0 and adds.low > 0
    return {
        "form": prepared.form.name,
        "accepted": is_better,
        "why": _why(found, adds, is_better=is_better),
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
            "old": sum(each.taken_up for each in old),
            "new": sum(each.taken_up for each in new),
            "leaked_old": sum(each.leaked for each in old),
            "leaked_new": sum(each.leaked for each in new),
            "adds": [round(each, 4) for each in (adds.value, adds.low, adds.high)]
            if adds.n
            else None,
        },
    }


def _adds(old: Sequence[Round], new: Sequence[Round]) -> Estimate:
    """What the new prompt adds on the held-out problems, paired by problem."""
    gaps = [float(b.taken_up) - float(a.taken_up) for a, b in zip(old, new, strict=True)]
    return mean_difference(gaps, [1.0] * len(gaps), clusters=[a.trial.problem.cluster for a in old])


def _why(found: Improved, adds: Estimate, *, is_better: bool) -> str:
    if found.new == found.old:
        return "the search found no prompt that is better on its own problems: the old one stays"
    shown = f"{100 * adds.value:+.1f} points [{100 * adds.low:.1f}, {100 * adds.high:.1f}]"
    if is_better:
        return f"the new prompt is better on problems that the search did not see: {shown}"
    return (
        f"{adds.n} held-out problems cannot tell the new prompt from the old one: "
        f"{shown}; the old one stays"
    )


def _write(directory: Path, prepared: PreparedImprovement, document: dict[str, Any]) -> None:
    """All of it, and where the new prompt is better, the file for ``--prompts``."""
    write_json(document, directory / ALL_FILE)
    if document["accepted"]:
        learnt = {**document[LEARNT_FROM], "why": document["why"], "held_out": document["held_out"]}
        kept = {
            prepared.form.base: document["new"],
            **{
                name: text
                for name, text in prepared.condition.plan.form_requests
                if name != prepared.form.base
            },
            LEARNT_FROM: learnt,
        }
        write_json(kept, directory / PROMPTS_FILE)


def _print(document: dict[str, Any], directory: Path) -> None:
    held_out, about = document["held_out"], document[LEARNT_FROM]
    if n := held_out["n"]:
        rows = [
            (name, f"{100 * held_out[name] / n:.1f}", f"{held_out[f'leaked_{name}']}", f"{n}")
            for name in ("old", "new")
        ]
        headings = ("prompt", "right next, no leak %", "leaks", "n")
        print_rows(headings, rows, texts=1, title="Held-out problems")
        click.echo()
    lines = [
        f"{about['wrong_first']:,} of {about['problems']:,} first answers are wrong; "
        f"{about['rounds']:,} rounds of search on {about['training']:,} of them; "
        f"{about['prompts_written']:,} prompts written, {about['prompts_unusable']:,} of them "
        "unusable",
        document["why"],
    ]
    if document["new"] != document["old"]:
        lines.append(f"new prompt: {document['new']}")
    if document["accepted"]:
        lines.append(f"written: {directory / PROMPTS_FILE}, for --prompts")
    print_lines([*lines, *caveats({about["solver"]: about["simulated"]})])
