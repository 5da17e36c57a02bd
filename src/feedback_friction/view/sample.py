"""The most telling trials of a run, for a page without a server.

Most is told where conditions end differently on the same problem; next where feedback was given, a
wrong answer came again, or feedback leaked. Of such a problem all trials are shown.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from markupsafe import Markup

from feedback_friction.analysis.journal import open_journal, read_conditions
from feedback_friction.view.index import cells_of, make_index, read_numbers
from feedback_friction.view.pages import arms, environment
from feedback_friction.view.trial_page import read_trial

# Knuth's multiplicative hash: among equals, problems from all over the data.
_RANKED = """
    SELECT problem_id, epoch, min(condition), count(*) FROM cells GROUP BY place, epoch
    ORDER BY count(DISTINCT CASE WHEN solved_at = 0 THEN 'first' WHEN solved_at > 0 THEN 'later'
        WHEN wrong > answers THEN 'same' ELSE status END) DESC,
        max(attempts) > 1 DESC, max(wrong > answers) DESC, max(leaks) > 0 DESC,
        place * 2654435761 % 4294967296, epoch
"""


def telling_trials(directory: Path, most: int, room: int) -> tuple[Markup, int, int]:
    """The trials as a part of a page, how many they are, and how many the run has.

    Args:
        most: trials, but for those that the last problem has beyond.
        room: characters at most; a problem whose trials take more is passed over.
    """
    template, parts, shown = environment().get_template("sample.html"), list[str](), 0
    with open_journal(directory) as db:
        make_index(db)
        numbers = [read_numbers(db, at, each) for at, each in enumerate(read_conditions(db), 1)]
        named = {arm.number: arm.name for arm in arms(numbers)}
        ranked = db.execute(_RANKED).fetchall()
        for problem, epoch, condition, _ in ranked:
            if shown >= most:
                break
            cells = cells_of(db, problem, epoch, condition).values()
            trials = [read_trial(db, each.condition, problem, epoch) for each in cells]
            names = [named[each.arm] for each in cells]
            part = template.render(trials=list(zip(names, cells, trials, strict=True)))
            if len(part) <= room:
                parts.append(part)
                room, shown = room - len(part), shown + len(trials)
    return Markup("".join(parts)), shown, sum(row[3] for row in ranked)


def style_of_trials() -> str:
    """The style sheet of trials, with the colours of the page."""
    return resources.files(__package__).joinpath("files", "trial.css").read_text("utf-8")
