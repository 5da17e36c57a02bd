"""What the grid is drawn from: one row a trial, and the numbers of each condition.

The rows are temporary tables of the reading connection, so that filters and pages are SQL and the
journal stays as it is. 100,000 attempts take some 0.4 seconds, once for every state of the journal.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

from feedback_friction.analysis.journal import (
    ENDED,
    KNOWN_TRIALS,
    Condition,
    read_aligned,
    read_clusters,
)
from feedback_friction.analysis.retries import as_seen
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.view.wanted import FLAGS, OUTCOMES, Wanted

PAGE = 50  # rows of the grid on one page

# An answer is what stands behind a letter: a shuffle moves the letters.
_ANSWER = """
    CASE WHEN choices = '[]' OR length(prediction) != 1 OR prediction NOT BETWEEN 'A' AND 'Z'
    THEN prediction
    ELSE coalesce(json_extract(choices, '$[' || (unicode(prediction) - 65) || ']'), prediction) END
"""
_SCHEMA = f"""
CREATE TEMP TABLE asked AS SELECT rowid AS place, task, problem_id FROM main.problems;
CREATE UNIQUE INDEX temp.asked_by_id ON asked (problem_id, task);
CREATE TEMP TABLE arms AS
    SELECT row_number() OVER (ORDER BY rowid) AS arm, condition, task FROM main.conditions;
CREATE TEMP TABLE seen AS
    SELECT condition, problem_id, epoch,
        count(*) AS attempts,
        min(CASE WHEN is_correct THEN iteration END) AS solved_at,
        sum(verdict = 'wrong') AS wrong,
        count(DISTINCT CASE WHEN verdict = 'wrong' THEN {_ANSWER} END) AS answers,
        sum(verdict = 'no-answer') AS no_answer,
        sum(finish_reason = 'length') AS cut_off,
        sum(leaks != '[]') AS leaks
    FROM main.attempts GROUP BY condition, problem_id, epoch;
CREATE UNIQUE INDEX temp.seen_by_trial ON seen (condition, problem_id, epoch);
CREATE TEMP TABLE cells AS
    SELECT a.place, k.epoch, c.arm, k.problem_id, k.condition, k.status, k.reason,
        k.known, k.solved,
        coalesce(s.attempts, 0) AS attempts, s.solved_at, coalesce(s.wrong, 0) AS wrong,
        coalesce(s.answers, 0) AS answers, coalesce(s.no_answer, 0) AS no_answer,
        coalesce(s.cut_off, 0) AS cut_off, coalesce(s.leaks, 0) AS leaks
    FROM ({KNOWN_TRIALS}) k
    JOIN arms c ON c.condition = k.condition
    JOIN asked a ON a.problem_id = k.problem_id AND a.task = c.task
    LEFT JOIN seen s ON (s.condition, s.problem_id, s.epoch)
                      = (k.condition, k.problem_id, k.epoch);
CREATE UNIQUE INDEX temp.cells_by_place ON cells (place, epoch, arm);
"""

_COPIED = (
    *("epoch", "condition", "status", "reason", "known", "solved", "attempts", "solved_at"),
    *("wrong", "answers", "no_answer", "cut_off", "leaks"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One trial in the grid."""

    place: int
    epoch: int
    arm: int  # number of its condition in the run, from 1; 0 for one of another run
    problem_id: str
    condition: str
    status: str  # as in the journal, or ``in flight``
    reason: str
    known: int  # attempts with a verdict
    solved: int  # whether the last of them is correct
    attempts: int
    solved_at: int | None  # iteration, from 0
    wrong: int
    answers: int  # different ones among the wrong attempts
    no_answer: int
    cut_off: int
    leaks: int
    matches: bool = True  # what the filter asks for


@dataclass(frozen=True, slots=True)
class GridRow:
    """A problem in one epoch: its question, cut to a line, and its trials by arm."""

    problem_id: str
    epoch: int
    question: str
    gold: str
    cells: dict[int, Cell]


class Grid(NamedTuple):
    """A page of the grid."""

    rows: tuple[GridRow, ...]
    found: int  # rows on all pages
    trials: int  # that match, on all pages
    pages: int  # at least 1


def make_index(db: sqlite3.Connection) -> None:
    """Rebuild the tables of the index."""
    db.executescript(
        "PRAGMA temp_store = MEMORY;"
        + "".join(
            f"DROP TABLE IF EXISTS temp.{name};" for name in ("cells", "seen", "arms", "asked")
        )
        + f"BEGIN; {_SCHEMA} COMMIT;"
    )


def read_grid(db: sqlite3.Connection, wanted: Wanted, arms: Sequence[int]) -> Grid:
    """A page of the problems of which some trial matches.

    Args:
        arms: the conditions that are shown, by number.
    """
    where, values = _where(wanted, arms, arms)
    hits = {
        tuple(row)
        for row in db.execute(f"SELECT place, epoch, arm FROM cells WHERE {where}", values)
    }
    places = sorted({(place, epoch) for place, epoch, _ in hits})
    pages = max(1, -(-len(places) // PAGE))
    first = PAGE * (min(wanted.page, pages) - 1)
    rows = tuple(_row(db, place, hits, arms) for place in places[first : first + PAGE])
    return Grid(rows, len(places), len(hits), pages)


def _row(
    db: sqlite3.Connection,
    place: tuple[int, int],
    hits: Collection[tuple[int, ...]],
    arms: Sequence[int],
) -> GridRow:
    problem, question, gold = db.execute(
        "SELECT problem_id, substr(question, 1, 200), substr(gold, 1, 80) FROM main.problems"
        " WHERE rowid = ?",
        place[:1],
    ).fetchone()
    cells = db.execute("SELECT * FROM cells WHERE place = ? AND epoch = ?", place).fetchall()
    shown = {
        row["arm"]: Cell(**dict(row), matches=(*place, row["arm"]) in hits)
        for row in cells
        if row["arm"] in arms
    }
    return GridRow(problem, place[1], " ".join(question.split()), gold, shown)


def read_strange(db: sqlite3.Connection, arm: int) -> list[tuple[object, ...]]:
    """The trials of a condition as another run's index can hold them (``put_strange``)."""
    columns = ", ".join(f"c.{name}" for name in _COPIED)
    rows = db.execute(
        f"SELECT p.task, p.problem_id, p.question, {columns} FROM cells c"
        " JOIN main.problems p ON p.rowid = c.place WHERE c.arm = ?",
        (arm,),
    )
    return [tuple(row) for row in rows]


def put_strange(db: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Have the trials of another run's condition stand in the index as condition 0.

    Those of problems that this run does not ask, by task, id and question, are left out.
    """
    columns = ", ".join(_COPIED)
    with db:
        db.execute("DELETE FROM cells WHERE arm = 0")
        db.executemany(
            f"INSERT INTO cells (place, problem_id, arm, {columns})"
            f" SELECT rowid, problem_id, 0{', ?' * len(_COPIED)} FROM main.problems"
            " WHERE task = ? AND problem_id = ? AND question = ?",
            ((*row[3:], *row[:3]) for row in rows),
        )


def cells_of(
    db: sqlite3.Connection, problem_id: str, epoch: int, condition: str
) -> dict[int, Cell]:
    """The trials of a condition's problem under every condition, by arm."""
    rows = db.execute(
        "SELECT * FROM cells WHERE epoch = ? AND place ="
        " (SELECT place FROM asked WHERE problem_id = ? AND task ="
        " (SELECT task FROM main.conditions WHERE condition = ?)) ORDER BY arm",
        (epoch, problem_id, condition),
    )
    return {row["arm"]: Cell(**dict(row)) for row in rows}


def neighbours(
    db: sqlite3.Connection, wanted: Wanted, cell: Cell, arms: Sequence[int]
) -> tuple[Cell | None, Cell | None]:
    """The trials before and after one that match, under the same condition of those shown."""
    where, values = _where(wanted, (cell.arm,), arms)
    found: list[Cell | None] = []
    for sign, order in (("<", "DESC"), (">", "ASC")):
        row = db.execute(
            f"SELECT * FROM cells WHERE {where} AND (place, epoch) {sign} (?, ?)"
            f" ORDER BY place {order}, epoch {order} LIMIT 1",
            [*values, cell.place, cell.epoch],
        ).fetchone()
        found.append(Cell(**dict(row)) if row else None)
    return found[0], found[1]


def _where(wanted: Wanted, arms: Sequence[int], shown: Sequence[int]) -> tuple[str, list[object]]:
    """The condition that a row of ``cells`` has to meet, and its values."""
    parts = [f"arm IN ({', '.join('?' * len(arms))})"]
    values: list[object] = list(arms)
    if wanted.outcomes:
        parts.append("(" + " OR ".join(OUTCOMES[name].sql for name in wanted.outcomes) + ")")
    among = ", ".join(map(str, shown))
    parts += [FLAGS[name].sql.replace("{arms}", among) for name in wanted.flags]
    if wanted.text:
        like = "%" + wanted.text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        parts.append(_TEXT)
        values += [like] * _TEXT.count("?")
    return " AND ".join(parts), values


_TEXT = r"""(place IN (
    SELECT rowid FROM main.problems WHERE problem_id LIKE ? ESCAPE '\'
        OR prompt LIKE ? ESCAPE '\' OR gold LIKE ? ESCAPE '\'
) OR arm > 0 AND (condition, problem_id, epoch) IN (
    SELECT condition, problem_id, epoch FROM main.attempts WHERE response LIKE ? ESCAPE '\'
        OR prediction LIKE ? ESCAPE '\' OR feedback LIKE ? ESCAPE '\'
))"""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A condition's numbers so far, by the estimator of ``friction results``.

    Without contrasts between conditions, which take longer than a live page may.
    """

    condition: Condition
    trials: int  # that the run is to make
    n: int  # trials that ended
    failed: int  # resuming runs them again
    unfinished: int
    curve: tuple[Estimate, ...]  # accuracy by attempt; empty while nothing is known
    no_answer: int  # replies
    cut_off: int
    leaks: int  # feedback texts
    aligned: int  # that repeat a part of the answer which the solver had worked out itself


def read_numbers(db: sqlite3.Connection, arm: int, condition: Condition) -> Numbers:
    """The numbers of the condition with that number in the run, from its index."""
    statuses: Counter[str] = Counter()
    seen: dict[str, list[Seen]] = {}
    for problem, status, known, solved in db.execute(
        "SELECT problem_id, status, known, solved FROM cells WHERE arm = ? ORDER BY place", (arm,)
    ):
        statuses[status] += 1
        found = as_seen(status, known, bool(solved), condition.iterations)
        seen.setdefault(problem, []).append(found)
    shared = read_clusters(db).get(condition.task, {})
    within = [shared.get(problem) for problem in seen]
    curve = censored_curve(list(seen.values()), condition.iterations, clusters=within)
    counts = db.execute(
        "SELECT total(no_answer), total(cut_off), total(leaks) FROM cells WHERE arm = ?", (arm,)
    ).fetchone()
    n = sum(statuses[status] for status in ENDED)
    failed = statuses["failed"]
    return Numbers(
        condition,
        condition.problems,
        n,
        failed,
        condition.problems - n - failed - statuses["undecided"],
        tuple(point for point in curve if not isnan(point.value)),
        int(counts[0]),
        int(counts[1]),
        int(counts[2]),
        len(read_aligned(db, condition.condition)),
    )
