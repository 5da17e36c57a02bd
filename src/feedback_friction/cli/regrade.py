"""``friction regrade``, ``remask``: a run graded or masked again, and what would change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeVar

import click

from feedback_friction.cli.click_options import JSON, RUN
from feedback_friction.cli.grid import print_json, print_lines, print_rows
from feedback_friction.engine.passes.regrading import Rejudged, Remasked, rejudged, remasked
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.engine.passes.verdict_layers import (
    accept_masks,
    accept_verdicts,
    keep_overruled,
)
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.overruled import as_overruled, read_overruled, reply_key
from feedback_friction.engine.run.run_directory import locked
from feedback_friction.errors import UsageError
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.grading.worker import stop_workers
from feedback_friction.protocol.records import JUDGED, Attempt
from feedback_friction.view.untrusted import alike_at_first

_LONGEST_LINE = 80  # characters of a reply's last line in the table
_AROUND = 20  # characters shown on either side of a difference between masks
_LONGEST_MASK = 120
_VERDICTS = [each.value for each in Outcome if each is not Outcome.UNDECIDED]

Found = TypeVar("Found")
Row = dict[str, Any]


@click.command("regrade")
@RUN
@click.option("--accept", is_flag=True, help="Make the new verdicts those of the run.")
@click.option("--overrule", type=click.Choice(_VERDICTS), help="Your verdict on one attempt.")
@click.option("--problem", metavar="ID", help="The attempt's problem, for --overrule.")
@click.option("--attempt", type=int, default=1, show_default=True, help="Its number, from 1.")
@click.option("--epoch", type=int, default=0, show_default=True)
@click.option("--condition", metavar="NAME", help="Its condition.  [the first that has it]")
@click.option("--reason", metavar="TEXT", help="Reason, stored with the verdict.")
@JSON
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
        found = _all(rejudged(directory, conditions, people))
        rows = [row for each in found for row in _verdict_rows(each)]
        if as_json:
            print_json(rows)
        else:
            _print_verdicts(rows, found)
        _settle(directory, found, accept_verdicts if accept else None, "trials of {} changed")


@click.command("remask")
@RUN
@click.option("--accept", is_flag=True, help="Keep the new masks and count leaks by them.")
@JSON
def remask(directory: Path, accept: bool, as_json: bool) -> None:
    """Mask the feedback of the finished run in DIR with this version's masks. Calls no model.

    Prints every feedback that would be masked differently, or in which the audit finds other leaks:
    the differences, and the leaks in the text that the solver saw. A trial in which the solver
    would have seen another text is marked.

    With --accept the new text is stored as a layer, and results count leaks by this version. The
    record of what the solver saw does not change.
    """
    with locked(directory) if accept else nullcontext():
        found = _all(remasked(directory, reopen(directory, calls=False).conditions))
        rows = [_mask_row(each) for each in found]
        if as_json:
            print_json(rows)
        else:
            _print_masks(rows)
        _settle(directory, found, accept_masks if accept else None, "masks of {} stored")


def _all(found: Iterable[Found]) -> list[Found]:
    try:
        return list(found)
    finally:
        stop_workers()


def _settle(
    directory: Path,
    found: list[Found],
    accept: Callable[[Path, list[Found]], None] | None,
    said: str,
) -> None:
    """Store what was found, or say that nothing is stored."""
    if found and accept is not None:
        accept(directory, found)
        click.echo(f"accepted: {len(found)} {said.format(directory)}", err=True)
    elif found:
        click.echo("nothing is written without --accept", err=True)


# --- verdicts ------------------------------------------------------------------------------------


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
    """The attempt that a person overrules, and the verdict on it; None where nobody does."""
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


def _place(found: Rejudged | Remasked, attempt: Attempt) -> Row:
    return {
        "condition": found.condition,
        "problem_id": found.trial.problem.id,
        "epoch": found.trial.epoch,
        "iteration": attempt.iteration,
    }


def _verdict_rows(found: Rejudged) -> list[Row]:
    return [
        {
            **_place(found, attempt),
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


def _print_verdicts(rows: Sequence[Row], found: Sequence[Rejudged]) -> None:
    cells = [
        (_shown(row, "before"), _shown(row, "after"), row["rule"], row["last_line"]) for row in rows
    ]
    _print_rows(rows, ("before", "after", "rule", "last line"), cells)
    marked = sum(each.marked is not None for each in found)
    print_lines(
        [f"{len(rows)} verdicts or answers change; {marked} trials would have gone differently"]
    )


def _shown(row: Row, when: str) -> str:
    prediction = row[f"prediction_{when}"]
    verdict = str(row[when])
    return verdict + (f" ({prediction[:40]})" if prediction is not None else "")


def _print_rows(
    rows: Sequence[Row],
    names: Sequence[str],
    cells: Sequence[Sequence[str]],
    numbers: Sequence[str] = (),
) -> None:
    """A table with the place of each row, the cells given for it, and numbers at its end."""
    if not rows:
        return
    texts = len(names) + 3
    whole = [
        (
            row["condition"],
            row["problem_id"] + (f" epoch {row['epoch']}" if row["epoch"] else ""),
            *own[: len(names)],
            "yes" if row["marked"] else "",
            str(row["iteration"] + 1),
            *own[len(names) :],
        )
        for row, own in zip(rows, cells, strict=True)
    ]
    headings = ("condition", "problem", *names, "marked", "attempt", *numbers)
    print_rows(headings, whole, texts=texts)


# --- masks ---------------------------------------------------------------------------------------


def _mask_row(found: Remasked) -> Row:
    feedback = found.attempt.feedback
    assert feedback is not None  # as ``remasked`` makes them
    return {
        **_place(found, found.attempt),
        "shown": feedback.text,
        "masked": found.text,
        "leaks_before": list(feedback.leaks),
        "leaks_after": list(found.leaks),
        "marked": found.is_marked,
    }


def _print_masks(rows: Sequence[Row]) -> None:
    cells = [
        (
            *_difference(row["shown"], row["masked"]),
            f"{len(row['leaks_before'])} -> {len(row['leaks_after'])}",
        )
        for row in rows
    ]
    _print_rows(rows, ("shown", "masked now"), cells, numbers=["leaks"])
    marked = len({(r["condition"], r["problem_id"], r["epoch"]) for r in rows if r["marked"]})
    print_lines(
        [
            f"{len(rows)} masks or leaks change; in {marked} trials the solver would have read "
            "another text"
        ]
    )


def _difference(one: str, other: str) -> tuple[str, str]:
    """Two texts from where they begin to differ to where they end to, with a little around it."""
    start = alike_at_first(one, other)
    end = alike_at_first(one[start:][::-1], other[start:][::-1])
    begin = max(0, start - _AROUND)

    def cut(text: str) -> str:
        return text[begin : len(text) - end + min(end, _AROUND)][:_LONGEST_MASK]

    return (cut(one), cut(other)) if one != other else ("", "")
