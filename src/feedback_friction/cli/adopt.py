"""``friction adopt``: other people's replies as a run of first attempts."""

from __future__ import annotations

from pathlib import Path

import click

from feedback_friction.bridges.inspect_adopt import SUFFIX, read_eval
from feedback_friction.bridges.replies import import_replies, read_replies
from feedback_friction.cli.click_options import PATH
from feedback_friction.cli.results import print_results
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems


@click.command("adopt")
@click.argument("name", metavar="TASK")
@click.argument("file", type=PATH)
@click.option("--data", type=PATH, help="The questions, in the task's schema.")
@click.option("--out", type=PATH, required=True, help="The run directory.")
def command(name: str, file: Path, data: Path | None, out: Path) -> int:
    """Grade the replies in FILE and store them as a run, one condition per model.

    Lines in: the problem's id (id, problem_id, question_id, unique_id or ID), model, response;
    finish_reason, where the reply was cut off ("length").

    A FILE that ends in .eval is read as an Inspect log: each conversation is a trial, and the
    model's messages up to the first right one are its attempts. Results, comparisons and reports
    then work as for any run; a problem without a reply counts as missing.
    """
    page = get_page(name)
    problems = load_problems(page, Selection(data=data))
    words = ["friction", "adopt", name, str(file), "--out", str(out)]
    replies = (
        read_eval(file, problems, page.task.ask)
        if file.suffix == SUFFIX
        else read_replies(file, problems)
    )
    settled = import_replies(page, problems, replies, out, words)
    print_results([out])
    return 0 if settled else 1
