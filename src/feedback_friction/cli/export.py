"""``friction export``: a run in other programs' formats."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.journal import open_journal, run_of_trials
from feedback_friction.bridges.card import card, push
from feedback_friction.bridges.reference import export
from feedback_friction.bridges.training import FORMS, rows_of
from feedback_friction.bridges.turns import Selected, read_turns
from feedback_friction.cli.click_options import PATH, RUN
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.split import HELD_OUT, SPLITS
from feedback_friction.writing import whole, write_jsonl, write_lines, write_text

TABLES = ("parquet", "csv")


@click.command("export")
@RUN
@click.option(
    "--to",
    "form",
    type=click.Choice(["jsonl", *FORMS, "inspect", *TABLES]),
    default="jsonl",
    show_default=True,
    help="jsonl: the reference code's lines. sft, dpo, kto, grpo, sdpo: rows for TRL's trainers."
    " inspect: one .eval log a condition. parquet, csv: the attempts as a table.",
)
@click.option(
    "--out",
    type=PATH,
    help="A file; for inspect a folder.  [standard output, where the format is text]",
)
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    help="Problems of a training set: those not held out, those held out, or all.  [train]",
)
@click.option(
    "--held-out",
    type=click.FloatRange(0, 1, max_open=True),
    help=f"Share of the problems to hold out, by a hash of their ids.  [{HELD_OUT}]",
)
@click.option(
    "--push",
    "repository",
    metavar="OWNER/NAME",
    help="Upload a training set and its card to the Hugging Face hub, with the token in HF_TOKEN.",
)
def command(
    directory: Path,
    form: str,
    out: Path | None,
    split: Any,
    held_out: float | None,
    repository: str | None,
) -> None:
    """Write the run in DIR for another program.

    A training set comes with a data card beside it (FILE.md): source, licence, and what was left
    out.
    """
    run_of_trials(directory)
    if form not in FORMS:
        for name, given in (("split", split), ("held-out", held_out), ("push", repository)):
            if given is not None:
                raise UsageError(f"--{name} needs a training set: --to {', '.join(FORMS)}")
        _converted(directory, form, out)
        return
    if repository is not None and out is None:
        raise UsageError("--push uploads a file: name it with --out")
    selected = Selected(split or "train", HELD_OUT if held_out is None else held_out)
    left_out: Counter[str] = Counter()
    count = _lines(rows_of(form, read_turns(directory, selected, left_out)), out)
    if not count:
        raise UsageError(f"{directory} has no row for {form}{_because(left_out)}")
    click.echo(f"{count} rows for {form}{_because(left_out)}", err=out is None)
    if out is not None:
        about = out.with_suffix(".md")
        write_text(card(directory, form, count, selected, left_out), about)
        if repository is not None:
            click.echo(push(out, about, repository))


def _because(left_out: Counter[str]) -> str:
    return "".join(f"; left out: {count} attempts {why}" for why, count in left_out.items())


def _converted(directory: Path, form: str, out: Path | None) -> None:
    if form == "jsonl":
        count = _lines(export(directory), out)
        with open_journal(directory) as db:
            others = db.execute("SELECT count(*) FROM attempts").fetchone()[0] - count
        why = "of trials that failed or have not ended"
        left_out = Counter({why: others} if others else {})
        if out is not None or others:
            where = "" if out is None else f" in {out}"
            click.echo(f"{count} attempts{where}{_because(left_out)}", err=out is None)
    elif form == "inspect":
        if out is None:
            raise UsageError("--to inspect writes a folder of logs: name it with --out")
        need("providers", "inspect_ai")
        from feedback_friction.bridges.inspect_log import write_logs

        for file in write_logs(directory, out):
            click.echo(str(file))
        click.echo(f"look at them with: inspect view --log-dir {out}")
    else:
        _table(directory, form, out)


def _table(directory: Path, form: str, out: Path | None) -> None:
    from feedback_friction.bridges.table import attempts_table
    from feedback_friction.report.safe import csv_of

    table = attempts_table(directory)
    if form == "csv":
        text = csv_of(table)
        if out is None:
            click.echo(text, nl=False)
            return
        write_text(text, out)
    elif out is None:
        raise UsageError("--to parquet writes a file: name it with --out")
    else:
        whole(out, table.write_parquet)
    click.echo(f"{len(table)} attempts in {out}")


def _lines(rows: Iterable[dict[str, Any]], out: Path | None) -> int:
    """Write rows as JSON lines to a file, or to standard output; returns how many."""
    if out is not None:
        return write_jsonl(rows, out)
    count = write_lines(rows, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return count
