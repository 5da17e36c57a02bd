"""Ask the journal of a run something that no report says: which wrong answers come back?

Needs nothing but the standard library; docs/files.md lists the tables.

    python examples/read_journal.py RUN_DIRECTORY
"""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

# Wrong answers that the same trial gave before, feedback and all.
REPEATED = """
    SELECT now.condition,
           count(*) AS retries,
           sum(EXISTS (
               SELECT 1 FROM attempts AS before
               WHERE (before.condition, before.problem_id, before.epoch)
                   = (now.condition, now.problem_id, now.epoch)
                 AND before.iteration < now.iteration
                 AND before.prediction = now.prediction
           )) AS repeated
    FROM attempts AS now
    WHERE now.iteration > 0
    GROUP BY now.condition
    ORDER BY now.condition
"""


def main(directory: Path) -> None:
    address = f"{(directory / 'journal.sqlite').resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as journal:
        for condition, retries, repeated in journal.execute(REPEATED):
            share = repeated / retries
            print(f"{condition}: {repeated} of {retries} retries ({share:.0%}) repeat an answer")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
