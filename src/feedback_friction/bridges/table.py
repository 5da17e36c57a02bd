"""A run's attempts as one flat table: CSV for spreadsheets, Parquet for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feedback_friction.analysis.journal import open_journal
from feedback_friction.extras import need

if TYPE_CHECKING:
    import polars as pl

_MORE = (
    "c.task, c.solver, c.feedback AS mode, c.feedback_model, c.sampling, c.history, c.grader,"
    " p.question, p.subject, p.level, p.solution, t.status"
)


def attempts_table(directory: Path) -> pl.DataFrame:
    """Every attempt of a run, with what its condition, its problem and its trial are.

    Returns:
        One row an attempt: the columns of the journal's ``attempts``; ``mode`` is the feedback
        mode, ``status`` the trial's, null while it is in flight.
    """
    need("report", "polars")
    import polars as pl

    with open_journal(directory) as db:
        cursor = db.execute(
            f"SELECT a.*, {_MORE} FROM attempts a JOIN conditions c USING (condition)"
            " JOIN problems p ON (p.task, p.problem_id) = (c.task, a.problem_id)"
            " LEFT JOIN trials t USING (condition, problem_id, epoch)"
            " ORDER BY a.condition, a.problem_id, a.epoch, a.iteration"
        )
        names = [column[0] for column in cursor.description]
        return pl.DataFrame(
            [tuple(row) for row in cursor], schema=names, orient="row", infer_schema_length=None
        )
