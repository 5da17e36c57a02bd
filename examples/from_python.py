"""A run from Python, and the tables that are made of it.

The solver is the simulated student, so that this needs no server; with a model it is
``solver="openai/NAME", base_url=URL``. In a notebook the same lines do.

    python examples/from_python.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

import feedback_friction as ff


def main(folder: Path) -> None:
    run = ff.run(
        tasks=["decimal_multiplication"],
        solver=["student/default", "student/keen"],
        feedback=["retry", "binary", "tutor"],
        limit=30,
        iterations=4,
        out=folder / "run",
    )
    for row in run.results().iter_rows(named=True):
        print(f"{row['solver']}, {row['feedback']}: {row['first']:.0%}, then {row['last']:.0%}")
    for row in run.gains().filter(feedback="tutor", against="retry").iter_rows(named=True):
        low, high = row["difference_low"], row["difference_high"]
        print(f"{row['solver']}: tutor adds {row['difference']:+.2f} [{low:+.2f}, {high:+.2f}]")
    again = ff.open(folder / "run")
    replies = again.attempts().filter(verdict="wrong", iteration=0)["response"]
    print(f"{len(replies)} first replies were wrong, such as: {replies[0][:60]}")
    print(f"the report: {again.report(folder / 'report.html').name}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
