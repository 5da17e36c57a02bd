"""What an oracle's draws say: coverage, and pass@k.

A problem counts when all its draws are there and decided. Any other is missing: in no numerator and
in no denominator. Where drawing stops at the first right draw, problems that are solved end early,
so that those which ended are no fair sample while the oracle is still drawing: every problem then
counts as far as its requests are known (``stats.censored``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from feedback_friction.analysis.accuracy_by_attempt import Paid, read_paid
from feedback_friction.analysis.journal import open_journal, read_run, reading_run
from feedback_friction.analysis.stats.censored import Seen, censored_curve
from feedback_friction.analysis.stats.intervals import Estimate, share
from feedback_friction.errors import UsageError

DEFAULT_KS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class OracleRun:
    """An oracle's draws, counted by problem."""

    config: dict[str, Any]  # how it was made, from ``run.json``
    problems: int  # problems that it was to draw from
    correct: tuple[int, ...]  # right draws of each problem that ended
    drawn: tuple[int, ...]  # draws of each
    # of each problem that was drawn from, the request that solved it and the requests known
    seen: tuple[Seen, ...]
    replies: int  # draws in all, those of missing problems included
    no_answer: int  # those without an answer
    undecided: int  # those whose answer could not be compared with gold in time
    paid: Paid  # what its requests cost, a judge's included

    @property
    def draws(self) -> int:
        """Draws of a problem, unless it is solved before."""
        return int(self.config["attempts"]) * int(self.config["gens"])

    @property
    def missing(self) -> int:
        """Problems that have not ended."""
        return self.problems - len(self.correct)

    @property
    def provisional(self) -> bool:
        """Whether problems have still to end, or to be drawn from again."""
        return self.missing > 0

    @property
    def simulated(self) -> bool:
        """Whether a simulated student answered."""
        return str(self.config["solver"]).startswith("student/")

    def coverage(self) -> Estimate:
        """Share of the problems that any draw solves, with Wilson's interval."""
        if self.config["until_solved"] and self.seen:
            return censored_curve([[each] for each in self.seen], int(self.config["attempts"]))[-1]
        n, solved = len(self.correct), sum(count > 0 for count in self.correct)
        return share(solved, n)

    def pass_at(self, k: int) -> Estimate:
        """Chance that one of k draws is right, by the unbiased estimator; needs numpy and scipy.

        Raises:
            UsageError: there are fewer draws than k, or drawing stopped at the first right one.
        """
        if self.config["until_solved"]:
            raise UsageError("pass@k needs all draws of every problem, not --until-solved")
        if not 1 <= k <= self.draws:
            raise UsageError(f"pass@{k} needs k from 1 to the {self.draws} draws of a problem")
        import numpy as np

        from feedback_friction.analysis.stats.proportions import pass_at_k

        return pass_at_k(
            np.array(self.correct, dtype=np.int64), np.array(self.drawn, dtype=np.int64), k
        )

    def default_ks(self) -> Sequence[int]:
        """The usual k that these draws allow."""
        if self.config["until_solved"]:
            return ()
        return [k for k in DEFAULT_KS if k <= self.draws]


_REQUESTS = """
    SELECT problem_id, count(*) AS drawn, sum(verdict = 'correct') AS correct,
           sum(verdict = 'no-answer') AS no_answer, sum(verdict = 'undecided') AS undecided
    FROM oracle_draws GROUP BY problem_id, request ORDER BY problem_id, request
"""


_COUNTS = ("correct", "drawn", "undecided")


def is_oracle(directory: Path) -> bool:
    """Whether a directory is an oracle's."""
    return bool(read_run(directory)["config"].get("kind") == "oracle")


def read_oracle(directory: Path) -> OracleRun:
    """The draws of an oracle's directory; it may still be drawing."""
    with reading_run(directory):
        return _read(directory)


def _read(directory: Path) -> OracleRun:
    if not is_oracle(directory):
        raise UsageError(f"{directory} is not the directory of an oracle")
    config = read_run(directory)["config"]
    whole = config["attempts"] * config["gens"]
    with open_journal(directory) as db:
        problems = db.execute("SELECT count(*) FROM problems").fetchone()[0]
        requests = db.execute(_REQUESTS).fetchall()
    by_problem = [list(rows) for _, rows in groupby(requests, key=itemgetter("problem_id"))]
    counts = [tuple(_total(rows, name) for name in _COUNTS) for rows in by_problem]
    ended = [
        (correct, drawn)
        for correct, drawn, undecided in counts
        if (drawn == whole and not undecided) or (config["until_solved"] and correct > 0)
    ]
    return OracleRun(
        config,
        problems,
        tuple(correct for correct, _ in ended),
        tuple(drawn for _, drawn in ended),
        tuple(map(_seen, by_problem)),
        _total(requests, "drawn"),
        _total(requests, "no_answer"),
        _total(requests, "undecided"),
        read_paid(directory),
    )


def _total(rows: Sequence[sqlite3.Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _seen(rows: Sequence[sqlite3.Row]) -> Seen:
    """What is known of a problem from its requests, in order: up to the first undecided one."""
    solved = next((number for number, row in enumerate(rows) if row["correct"]), None)
    known = next((number for number, row in enumerate(rows) if row["undecided"]), len(rows))
    return Seen(solved, known)
