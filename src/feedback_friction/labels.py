"""Why trials stayed unsolved, as judges and people said it: ``annotations.sqlite``.

The one file of a run directory that several programs write to: judges (``friction annotate``) and
people (``friction review``). A row is what one annotator said of one trial, kept the moment it is
said. Needs nothing outside the standard library.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from feedback_friction.databases import reading, refuse_newer, version_of
from feedback_friction.errors import RunStoppedError, UsageError, reason

FILE_NAME = "annotations.sqlite"
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (
    condition   TEXT NOT NULL,
    problem_id  TEXT NOT NULL,
    epoch       INTEGER NOT NULL,
    annotator   TEXT NOT NULL,     -- a judge's model as asked for, or a person's name
    kind        TEXT NOT NULL,     -- judge, person
    raw         TEXT,              -- one of the six raw categories; NULL for a person
    category    TEXT NOT NULL,     -- resistance, quality, other
    blind       TEXT NOT NULL,     -- the category given before any other label was shown
    reason      TEXT NOT NULL,     -- a judge's reason, a person's comment
    round       INTEGER,           -- that shows it, from 1; NULL where none was named
    malformed   INTEGER NOT NULL,  -- answers of the judge that could not be read
    simulated   INTEGER NOT NULL,  -- 1: a simulated student said it, not a model
    created     TEXT NOT NULL,     -- UTC, ISO 8601
    PRIMARY KEY (condition, problem_id, epoch, annotator)
)
"""

# Trials that can be labelled: never solved, and given feedback at least once.
_UNSOLVED = """
    SELECT c.task, t.condition, t.problem_id, t.epoch
    FROM trials t JOIN conditions c ON c.condition = t.condition
    WHERE t.status = 'unsolved' AND EXISTS (
        SELECT 1 FROM attempts a
        WHERE a.condition = t.condition AND a.problem_id = t.problem_id AND a.epoch = t.epoch
          AND a.feedback IS NOT NULL
    )
    ORDER BY c.rowid, t.rowid
"""


class RawCategory(StrEnum):
    """What an annotator may answer (the study's six categories, in our words)."""

    IMPOSSIBLE = "impossible"
    TOO_COMPLICATED = "too complicated"
    FEEDBACK_WRONG = "feedback wrong"
    FEEDBACK_NOT_FOLLOWED = "feedback not followed"
    STYLE_OR_FORMAT = "style or format"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """The three categories that are reported."""

    RESISTANCE = "resistance"
    QUALITY = "quality"
    OTHER = "other"


_FOLD = {
    RawCategory.IMPOSSIBLE: Category.OTHER,
    RawCategory.TOO_COMPLICATED: Category.OTHER,
    RawCategory.FEEDBACK_WRONG: Category.QUALITY,
    RawCategory.FEEDBACK_NOT_FOLLOWED: Category.RESISTANCE,
    RawCategory.STYLE_OR_FORMAT: Category.OTHER,
    RawCategory.UNKNOWN: Category.OTHER,
}


def fold(raw: RawCategory) -> Category:
    """The reported category of a raw one.

    Feedback that was right and not followed is resistance, feedback that was wrong or of no help is
    feedback quality, and everything else is other. The study names six and three categories
    without printing which becomes which: this reading is ours.
    """
    return _FOLD[raw]


Kind = Literal["judge", "person"]
Group = TypeVar("Group")


class TrialKey(NamedTuple):
    """A trial of a run."""

    task: str
    condition: str
    problem_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Label:
    """What one annotator said of one trial; the fields are the columns of the table."""

    condition: str
    problem_id: str
    epoch: int
    annotator: str
    kind: Kind
    raw: str | None
    category: str
    blind: str
    reason: str
    round: int | None
    malformed: int
    simulated: int
    created: str

    @property
    def trial(self) -> tuple[str, str, int]:
        """Condition, problem id and epoch."""
        return self.condition, self.problem_id, self.epoch


def unsolved_trials(journal: sqlite3.Connection) -> list[TrialKey]:
    """The trials of a run that can be labelled: unsolved, with feedback, in the run's order.

    A trial that a model refused to go on with (``stopped``) is not one of them.
    """
    return [TrialKey(*row) for row in journal.execute(_UNSOLVED)]


def sample(
    trials: Iterable[TrialKey], by: Callable[[TrialKey], Group], size: int | None, seed: int
) -> list[TrialKey]:
    """A simple random sample of each group, in random order, the groups by turns.

    Which trials they are is decided by a hash of the seed and the trial, so that the same seed
    gives the same trials on any machine, a larger sample contains the smaller one, and trials that
    join the run later do not change the order of the others.

    Args:
        by: the group of a trial.
        size: of each group at most; None takes all.
    """
    groups: dict[Group, list[TrialKey]] = {}
    for trial in sorted(trials, key=lambda each: _rank(each, seed)):
        groups.setdefault(by(trial), []).append(trial)
    ranked = [
        (rank, group, trial)
        for group, members in enumerate(groups.values())
        for rank, trial in enumerate(members[:size])
    ]
    return [trial for _, _, trial in sorted(ranked, key=lambda each: each[:2])]


def _rank(trial: TrialKey, seed: int) -> bytes:
    name = "\0".join([str(seed), *map(str, trial)])
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


class Labels:
    """The labels of a run directory, for reading and writing."""

    def __init__(self, directory: Path) -> None:
        """Open or create the file.

        Raises:
            UsageError: it cannot be written, or is of a newer version.
        """
        self.path = directory / FILE_NAME
        try:
            self._db = sqlite3.connect(self.path, timeout=30)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            refuse_newer(self.path, version_of(self._db), SCHEMA_VERSION)
            self._db.execute(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        except sqlite3.Error as error:
            raise UsageError(f"cannot write {self.path}: {error}") from error

    def __enter__(self) -> Labels:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._db.close()

    def put(self, label: Label) -> None:
        """Keep a label, in the place of what the same annotator said before; durable on return.

        Raises:
            RunStoppedError: the file cannot be written; what was kept before is there.
        """
        row = asdict(label)
        marks = ", ".join(f":{name}" for name in row)
        try:
            with self._db:
                self._db.execute(
                    f"INSERT OR REPLACE INTO labels ({', '.join(row)}) VALUES ({marks})", row
                )
        except sqlite3.Error as error:
            raise RunStoppedError(f"cannot write {self.path}: {error}") from error

    def all(self) -> list[Label]:
        """Every label, in the order of trial and annotator."""
        return _read(self._db)

    def of_trial(self, trial: TrialKey) -> list[Label]:
        """What everybody said of a trial, judges first."""
        own = (each for each in self.all() if each.trial == trial[1:])
        return sorted(own, key=lambda each: (each.kind, each.annotator))

    def kind_of(self, annotator: str) -> Kind | None:
        """Whether a name is a judge's or a person's; None when it has not labelled anything."""
        return next((each.kind for each in self.all() if each.annotator == annotator), None)


def read_labels(directory: Path) -> list[Label]:
    """Every label of a run directory; none where nothing was labelled yet.

    Raises:
        UsageError: the file cannot be read, or is of a newer version.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        return []
    try:
        with reading(path, SCHEMA_VERSION) as db:
            return _read(db)
    except sqlite3.Error as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error


def _read(db: sqlite3.Connection) -> list[Label]:
    rows = db.execute("SELECT * FROM labels ORDER BY condition, problem_id, epoch, annotator")
    return [Label(**dict(row)) for row in rows]
