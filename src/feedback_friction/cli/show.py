"""``friction show``: one problem's whole trial, readable in the terminal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from feedback_friction.analysis.choices import Given, read_given
from feedback_friction.analysis.journal import (
    Condition,
    open_journal,
    read_aligned,
    read_beside,
    read_conditions,
    run_of_trials,
)
from feedback_friction.analysis.layers import earlier
from feedback_friction.caveats import caveats
from feedback_friction.cli.click_options import RUN
from feedback_friction.errors import UsageError
from feedback_friction.problem import lettered
from feedback_friction.view.trial_page import MASK
from feedback_friction.view.untrusted import harmless

if TYPE_CHECKING:
    from feedback_friction.engine.passes.reopen import Sent

STYLES = {
    "correct": "bold green",
    "wrong": "bold red",
    "no-answer": "bold yellow",
    "undecided": "bold magenta",
}
EXAMPLES = 5
ASIDES = {  # by kind, as the journal has them
    "stand-in": "another problem's attempt, shown to the solver in place of this one",
    "suggested": "the wrong answer that the feedback argues for",
    "corrupted": "the feedback before it was spoilt, never shown to the solver",
    "restated": "what the solver wrote to itself after the feedback",
    "notes": "the notes that the solver kept after the feedback",
    "check": "what the solver said of its answer when it checked it",
    "first-try": "the answer that it did not let pass",
}


@click.command("show")
@RUN
@click.argument("problem", metavar="PROBLEM")
@click.option("--feedback", help="Only conditions with this feedback mode.")
@click.option("--sampling", help="Only conditions with this sampling.")
@click.option("--history", help="Only conditions with this history.")
@click.option("--epoch", type=int, default=0, show_default=True)
@click.option("--raw", is_flag=True, help="Show feedback before the mask too.")
@click.option("--prompt", is_flag=True, help="Show what was sent, message by message.")
def command(
    directory: Path, problem: str, epoch: int, raw: bool, prompt: bool, **wanted: str | None
) -> None:
    """Print every attempt at PROBLEM (its id) in the run in DIR, with verdicts and feedback."""
    run_of_trials(directory)
    prompts = None
    if prompt:
        from feedback_friction.engine.passes.reopen import Prompts  # loads the tasks

        prompts = Prompts(directory)
    console = Console(highlight=False)
    with open_journal(directory) as db:
        _known(db, directory, problem)
        for condition in _wanted(read_conditions(db), wanted, epoch):
            _show_trial(console, db, condition, problem, epoch, raw=raw)
            if prompts is not None:
                for sent in prompts.of(condition.condition, problem, epoch):
                    _show_prompt(console, sent)


def _wanted(
    conditions: Iterable[Condition], wanted: Mapping[str, str | None], epoch: int
) -> Iterator[Condition]:
    """The conditions asked for; refuses what none of them has."""
    left = list(conditions)
    for name, value in wanted.items():
        there = dict.fromkeys(getattr(each, name) for each in left)
        if value is not None and value not in there:
            raise UsageError(f"no condition has --{name} {value}; allowed: {', '.join(there)}")
        left = [each for each in left if value in (None, getattr(each, name))]
    epochs = max((each.epochs for each in left), default=1)
    if not 0 <= epoch < epochs:
        raise UsageError(f"there is no epoch {epoch}; allowed: 0 to {epochs - 1}")
    yield from left


def _show_prompt(console: Console, sent: Sent) -> None:
    """A prompt as it was sent, and whether the journal proves that it was."""
    request = sent.request
    of = f"attempt {sent.iteration + 1}"
    what = of if request.role == "solver" else f"feedback on {of}"
    thought = request.occasion.thought
    what = f"the solver's words to itself ({thought}) for {of}" if thought else what
    proof = "as sent" if sent.proved else "reproduced; no reply to it in the journal"
    name = f"prompt for {what} ({proof}; temperature {request.temperature:g}, seed {request.seed})"
    parts = [(f"[{message.role}]\n", plain(message.content)) for message in request.messages]
    text = Text("\n\n").join(Text.assemble((role, "dim"), body) for role, body in parts)
    _panel(console, text, name, "blue")


def _panel(console: Console, text: Text, title: str | Text, style: str = "none") -> None:
    console.print(Panel(text, title=title, title_align="left", border_style=style))


def _known(db: sqlite3.Connection, directory: Path, problem: str) -> None:
    known = [row[0] for row in db.execute("SELECT problem_id FROM problems ORDER BY rowid")]
    if problem not in known:
        some = ", ".join(known[:EXAMPLES])
        raise UsageError(f"{directory} has no problem '{problem}'; it has {some}, ...")


def _show_trial(
    console: Console,
    db: sqlite3.Connection,
    condition: Condition,
    problem: str,
    epoch: int,
    *,
    raw: bool,
) -> None:
    asked = db.execute(
        "SELECT * FROM problems WHERE task = ? AND problem_id = ?", (condition.task, problem)
    ).fetchone()
    if asked is None:
        return
    where = (condition.condition, problem, epoch)
    trial = db.execute(
        "SELECT * FROM trials WHERE condition = ? AND problem_id = ? AND epoch = ?", where
    ).fetchone()
    console.print(Rule(Text(condition.condition, style="bold")))
    for line in caveats({condition.solver: bool(condition.simulated)}):
        console.print(Text(line))
    gold = Text.assemble(("gold: ", "dim"), (asked["gold"], "bold"))
    console.print(Panel(Text.assemble(plain(asked["prompt"]), "\n\n", gold), title="problem"))
    attempts = db.execute(
        "SELECT * FROM attempts WHERE condition = ? AND problem_id = ? AND epoch = ?"
        " ORDER BY iteration",
        where,
    ).fetchall()
    before, given = earlier(db, *where), read_given(db, *where)
    aligned, asides = read_aligned(db, condition.condition), read_beside(db, *where)
    for row in attempts:
        if row["choices"] != asked["choices"]:
            _panel(console, _order(row), "choices, shuffled")
        own = aligned.get((problem, epoch, row["iteration"]), [])
        _show_attempt(console, row, own, given.get(row["iteration"]), raw=raw)
        _show_earlier(console, row, before.get(row["iteration"], []))
        for kind, text in asides.get(row["iteration"], []):
            _panel(console, plain(text), ASIDES.get(kind, kind), "dim")
    console.print(_ending(trial, len(attempts)))


def _order(row: sqlite3.Row) -> Text:
    """The choices as a shuffled attempt saw them: its letters, and the gold one, are its own."""
    lines = plain(lettered(json.loads(row["choices"])))
    return Text.assemble(lines, "\n\n", ("gold: ", "dim"), (row["gold"], "bold"))


def _show_attempt(
    console: Console, row: sqlite3.Row, own: list[str], given: Given | None, *, raw: bool
) -> None:
    verdict, known = row["verdict"], row["temperature"]
    temperature = "the server's own" if known is None else f"{known:g}"
    draws = f", {row['draws']} draws" if row["draws"] > 1 else ""
    title = Text.assemble(
        f"attempt {row['iteration'] + 1}: ",
        (verdict, STYLES[verdict]),
        f", answer {row['prediction']!r}" if row["prediction"] is not None else "",
        f" (rule: {row['rule']}; temperature {temperature}{draws})",
    )
    _panel(console, plain(row["response"]), title, STYLES[verdict].removeprefix("bold "))
    if row["feedback"] is None:
        return
    text = plain(row["feedback"])
    text.highlight_words([MASK], "reverse")
    leaks = json.loads(row["leaks"])
    for leak in leaks:
        text.highlight_words([leak], "bold white on red")
    name = f" ({row['masked_spans']} masked, {len(leaks)} leaks)"
    if own:
        name = name.replace(")", f", {len(own)} of it the solver's own: {', '.join(own)})")
    if given is not None:
        console.print(plain(f"{given.form}: {'; '.join(given.facts)}"), style="dim")
    name = f"feedback{f', {given.form}' if given else ''}{name}"
    _panel(console, text, name, "cyan")
    if raw:
        name = "feedback before the mask, never shown to the solver"
        _panel(console, plain(row["feedback_raw"]), name, "magenta")


def _show_earlier(console: Console, row: sqlite3.Row, before: list[dict[str, Any]]) -> None:
    """The verdicts from before the run was regraded."""
    said = [(was["verdict"], was["prediction"], was["rule"]) for was in before]
    for verdict, prediction, rule in dict.fromkeys(said):
        if (verdict, prediction) != (row["verdict"], row["prediction"]):
            line = f"judged before: {verdict}, answer {prediction!r} (rule: {rule})"
            console.print(plain(line), style="dim")


def _ending(trial: sqlite3.Row | None, attempts: int) -> Text:
    number = f"{attempts} attempt{'' if attempts == 1 else 's'}"
    if trial is None:
        so_far = f"not ended: {number} so far, their feedback not shown yet"
        return Text(so_far if attempts else "not run yet", style="yellow")
    reason = f": {trial['reason']}" if trial["reason"] else ""
    return Text(f"{trial['status']} after {number}{reason}", style="bold")


def plain(text: str) -> Text:
    """Untrusted text for a terminal: no markup, no control characters, no direction marks."""
    return Text(harmless(text))
