"""``friction regrade``: a finished run's replies judged anew, and what would change."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.grid import columns, print_columns, print_lines
from feedback_friction.engine.passes.regrading import Rejudged, rejudged
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.engine.passes.verdict_layers import accept_verdicts, keep_overruled
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.overruled import as_overruled, read_overruled, reply_key
from feedback_friction.engine.run.run_directory import locked
from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.grading.worker import stop_workers
from feedback_friction.protocol.records import JUDGED, Attempt

_LONGEST_LINE = 80  # characters of a reply's last line in the table
_VERDICTS = [each.value for each in Outcome if each is not Outcome.UNDECIDED]


@click.command("regrade")
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--accept", is_flag=True, help="Make the new verdicts those of the run.")
@click.option("--overrule", type=click.Choice(_VERDICTS), help="Your verdict on one attempt.")
@click.option("--problem", metavar="ID", help="The attempt's problem, for --overrule.")
@click.option("--attempt", type=int, default=1, show_default=True, help="Its number, from 1.")
@click.option("--epoch", type=int, default=0, show_default=True)
@click.option("--condition", metavar="NAME", help="Its condition.  [the first that has it]")
@click.option("--reason", metavar="TEXT", help="Reason, stored with the verdict.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of rows.")
def command(directory: Path, accept: bool, as_json: bool, **overruling: Any) -> None:
    """Grade the replies of the finished run in DIR with this version's graders. Calls no model.

    Prints every attempt whose verdict or answer would change: before, after, the rule that decided,
    the last line of the reply, and whether later prompts of the trial would have differed (marked).
    Undecided attempts are compared again. Verdicts of a judge model stay.

    With --accept the new verdicts are stored as a layer: results and reports count them, and 'show'
    still prints the earlier ones. Attempts after one that is now correct are removed; a trial that
    ended with one that is now wrong continues when the run is resumed.

    --overrule gives your verdict on one attempt, with a --reason. It holds for the same reply to
    the same problem in every condition and in a resumed run. Results report how many there are.
    """
    with locked(directory) if accept else nullcontext():
        _regrade(directory, overruling, accept=accept, as_json=as_json)


def _regrade(directory: Path, overruling: dict[str, Any], *, accept: bool, as_json: bool) -> None:
    conditions = reopen(directory, calls=False).conditions
    people = read_overruled(directory)
    mine = _overruled(directory, conditions, **overruling)
    if mine is not None:
        condition, attempt, verdict = mine
        key = reply_key(condition.label, attempt.problem, attempt.reply.text)
        people[key] = verdict
        if accept:
            label, problem_id = condition.label, attempt.problem.id
            keep_overruled(directory, key, label, problem_id, verdict, overruling["reason"])
    try:
        found = list(rejudged(directory, conditions, people))
    finally:
        stop_workers()
    rows = [row for each in found for row in _rows(each)]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
    else:
        _print(rows, found)
    if accept and found:
        accept_verdicts(directory, found)
        click.echo(f"accepted: {len(found)} trials of {directory} changed", err=True)
    elif found:
        click.echo("nothing is written without --accept", err=True)


def _overruled(
    directory: Path,
    conditions: Sequence[Condition],
    *,
    overrule: str | None,
    problem: str | None,
    attempt: int,
    epoch: int,
    condition: str | None,
    reason: str | None,
) -> tuple[Condition, Attempt, Verdict] | None:
    """The attempt that a person speaks of, and the verdict on it; None where nobody does."""
    if overrule is None:
        if problem or reason or condition:
            raise UsageError("--problem, --condition and --reason need --overrule")
        return None
    if not problem or not (reason or "").strip():
        raise UsageError("--overrule needs --problem and --reason")
    names = [each.id for each in conditions]
    if condition is not None and condition not in names:
        raise UsageError(f"no condition '{condition}'; {directory} has {', '.join(names)}")
    for each in conditions:
        if condition not in (None, each.id):
            continue
        for trial in read_trials(directory, each, JUDGED):
            if (trial.problem.id, trial.epoch) != (problem, epoch):
                continue
            for one in trial.attempts[max(0, attempt - 1) : max(0, attempt)]:
                graded = one.verdict
                verdict = as_overruled(Outcome(overrule), graded, one.problem, one.reply.text)
                return each, one, verdict
    raise UsageError(f"{directory} has no ended trial of '{problem}' with an attempt {attempt}")


def _rows(found: Rejudged) -> list[dict[str, Any]]:
    return [
        {
            "condition": found.condition,
            "problem_id": found.trial.problem.id,
            "epoch": found.trial.epoch,
            "iteration": attempt.iteration,
            "before": attempt.verdict.outcome.value,
            "after": verdict.outcome.value,
            "prediction_before": attempt.verdict.prediction,
            "prediction_after": verdict.prediction,
            "rule": verdict.rule,
            "last_line": _last_line(attempt.reply.text),
            "marked": found.marked is not None and attempt.iteration >= found.marked,
        }
        for attempt, verdict in found.changed
    ]


def _last_line(text: str) -> str:
    line = ([each.strip() for each in text.split("\n") if each.strip()] or [""])[-1]
    return line if len(line) <= _LONGEST_LINE else f"...{line[3 - _LONGEST_LINE :]}"


def _print(rows: Sequence[dict[str, Any]], found: Sequence[Rejudged]) -> None:
    if rows:
        names = ("condition", "problem", "before", "after", "rule", "last line", "marked")
        cells = [
            (
                row["condition"],
                row["problem_id"] + (f" epoch {row['epoch']}" if row["epoch"] else ""),
                _shown(row, "before"),
                _shown(row, "after"),
                row["rule"],
                row["last_line"],
                "yes" if row["marked"] else "",
                str(row["iteration"] + 1),
            )
            for row in rows
        ]
        print_columns(columns((*names, "attempt"), cells, texts=7))
    marked = sum(each.marked is not None for each in found)
    print_lines(
        [
            f"{len(rows)} verdicts or answers are others now; in {marked} trials something else "
            "would have been asked"
        ]
    )


def _shown(row: dict[str, Any], when: str) -> str:
    prediction = row[f"prediction_{when}"]
    verdict = str(row[when])
    return verdict + (f" ({prediction[:40]})" if prediction is not None else "")
