"""An oracle's coverage and pass@k as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from feedback_friction.analysis.oracle_coverage import read_oracle
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.shared_columns import Row, frame, spread, spread_schema


def oracle(directory: Path, ks: Sequence[int] | None = None) -> pl.DataFrame:
    """Coverage and pass@k of an oracle's directory: one row a quantity.

    Columns: ``task``, ``digits``, ``solver``, ``simulated``, ``quantity`` ("coverage" or
    "pass@k"), ``k`` (draws looked at), ``share`` with limits, ``n`` problems, ``missing``.

    Args:
        ks: by default those of 1, 10 and 100 that the draws allow; none where drawing stopped at
            the first right reply.

    Raises:
        UsageError: no oracle's directory, or a k that its draws do not allow.
    """
    run = read_oracle(directory)
    task = run.config["tasks"][0]
    about: Row = {
        "task": task,
        "digits": run.config["digits"] if "multiplication" in task else None,
        "solver": run.config["solver"],
        "simulated": run.simulated,
    }

    def row(quantity: str, k: int, share: Estimate) -> Row:
        counts = {"n": share.n, "missing": run.missing}
        return about | {"quantity": quantity, "k": k} | spread("share", share) | counts

    rows = [row("coverage", run.draws, run.coverage())]
    rows += [row("pass@k", k, run.pass_at(k)) for k in (run.default_ks() if ks is None else ks)]
    schema: dict[str, type[pl.DataType]] = {
        "task": pl.String,
        "digits": pl.Int64,
        "solver": pl.String,
        "simulated": pl.Boolean,
        "quantity": pl.String,
        "k": pl.Int64,
    }
    return frame(rows, schema | spread_schema("share") | {"n": pl.Int64, "missing": pl.Int64})
