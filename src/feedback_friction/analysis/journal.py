"""Reading a run directory: its ``run.json`` and the tables of its journal, and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.databases import reading, refuse_newer
from feedback_friction.errors import UsageError, reason
from feedback_friction.modes import MODES
from feedback_friction.problem import LETTERS

RUN_FILE = "run.json"
# 2: oracle_draws, probes; 3: layers; 5: aligned; 6: choices; 7: NULL temperatures; 8: asides;
# 9: clusters; 10: calls
SCHEMA_VERSION = 10
ENDED = ("solved", "unsolved", "stopped")
IN_FLIGHT = "in flight"  # made attempts, and has no row among the trials yet

# Of conditions whose trials go on after a right answer, which is challenged.
_CHALLENGES = " OR ".join(
    f"feedback LIKE '{each.name}%'" for each in MODES.values() if each.challenges
)
CHALLENGED = f"SELECT condition FROM conditions WHERE {_CHALLENGES}"

# Every trial that ended, failed, is undecided or in flight. ``known``: its attempts that have a
# verdict; ``solved``: whether the last of them is correct. Of a trial that went on after a right
# answer they end with that.
KNOWN_TRIALS = f"""
    SELECT condition, problem_id, epoch, status, reason, attempts AS known,
           status = 'solved' AS solved
    FROM trials WHERE status IN {ENDED} AND condition NOT IN ({CHALLENGED})
    UNION ALL
    SELECT condition, problem_id, epoch, status, reason,
           coalesce(solved_at + 1, CASE WHEN status IN {ENDED} THEN attempts ELSE decided END),
           solved_at IS NOT NULL
    FROM (
        SELECT t.condition, t.problem_id, t.epoch, t.status, t.reason, t.attempts,
               min(CASE WHEN a.is_correct THEN a.iteration END) AS solved_at,
               coalesce(sum(a.verdict != 'undecided'), 0) AS decided
        FROM trials t LEFT JOIN attempts a USING (condition, problem_id, epoch)
        WHERE status NOT IN {ENDED} OR condition IN ({CHALLENGED})
        GROUP BY t.condition, t.problem_id, t.epoch
    )
    UNION ALL
    SELECT condition, problem_id, epoch, '{IN_FLIGHT}', '',
           coalesce(min(CASE WHEN is_correct THEN iteration + 1 END), sum(verdict != 'undecided')),
           max(is_correct)
    FROM attempts a WHERE NOT EXISTS (
        SELECT 1 FROM trials t
        WHERE (a.condition, a.problem_id, a.epoch) = (t.condition, t.problem_id, t.epoch))
    GROUP BY condition, problem_id, epoch
"""


# The tokens of an attempt: those of the solver, and of who wrote the feedback on it.
USAGE_COLUMNS = [
    f"{who}{what}_tokens"
    for who in ("", "feedback_")
    for what in ("prompt", "completion", "cached", "reasoning")
]
_MOST = 100_000  # iterations or epochs; more are no run's


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of the conditions table; see the journal's schema for the meaning of each column."""

    condition: str
    task: str
    digits: int | None
    solver: str
    feedback: str
    feedback_model: str | None
    sampling: str
    history: str
    iterations: int
    epochs: int
    problems: int
    grader: str
    simulated: int


@contextmanager
def open_journal(directory: Path) -> Iterator[sqlite3.Connection]:
    """The journal of a run directory, for reading; a run may be writing to it meanwhile.

    Raises:
        UsageError: there is none, it is of a newer version, or it cannot be read.
    """
    path = directory / "journal.sqlite"
    if not path.is_file():
        raise UsageError(f"{directory} is not a run directory: it has no {path.name}")
    try:
        with reading(path, SCHEMA_VERSION) as db:
            yield db
    except sqlite3.Error as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise UsageError(
            f"cannot read {path}: a value in it is damaged ({one_line(error)})"
        ) from error


def read_conditions(db: sqlite3.Connection) -> list[Condition]:
    """The run's conditions in the order in which they were asked for.

    Raises:
        ValueError: a number is none that a run can have.
    """
    rows = db.execute("SELECT * FROM conditions ORDER BY rowid")
    found = [Condition(**dict(row)) for row in rows]
    for each in found:
        for name in ("iterations", "epochs"):
            number = getattr(each, name)
            if not isinstance(number, int) or not 1 <= number <= _MOST:
                raise ValueError(f"{name} of '{each.condition}' is {number!r}")
    return found


def has_table(db: sqlite3.Connection, name: str) -> bool:
    """Whether the journal has a table; those of earlier versions lack the later ones."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    return found is not None


def rows_if(
    db: sqlite3.Connection, table: str, query: str, values: Sequence[object] = ()
) -> Iterable[sqlite3.Row]:
    """The rows of a query over a table that earlier versions did not have; none where it is not."""
    return db.execute(query, values) if has_table(db, table) else ()


def read_aligned(db: sqlite3.Connection, condition: str) -> dict[tuple[str, int, int], list[str]]:
    """By problem id, epoch and iteration, what feedback repeats from the solver's own work."""
    rows = rows_if(db, "aligned", "SELECT * FROM aligned WHERE condition = ?", (condition,))
    return {
        (row["problem_id"], row["epoch"], row["iteration"]): json.loads(row["texts"])
        for row in rows
    }


def read_beside(
    db: sqlite3.Connection, condition: str, problem_id: str, epoch: int
) -> dict[int, list[tuple[str, str]]]:
    """By iteration of a trial, the kind and text of what stands beside reply and feedback."""
    rows = rows_if(
        db,
        "asides",
        "SELECT iteration, kind, text FROM asides"
        " WHERE condition = ? AND problem_id = ? AND epoch = ? ORDER BY rowid",
        (condition, problem_id, epoch),
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for iteration, kind, text in rows:
        found.setdefault(iteration, []).append((kind, text))
    return found


def read_options(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """By task and problem id, in the order of the run, how many options it gives to choose from."""
    found = {row["task"]: dict[str, int]() for row in db.execute("SELECT task FROM conditions")}
    for row in db.execute("SELECT task, problem_id, choices FROM problems ORDER BY rowid"):
        found.setdefault(row["task"], {})[row["problem_id"]] = len(json.loads(row["choices"]))
    return found


Clusters = dict[str, dict[str, str]]  # by task and problem id, what it shares with others


def read_clusters(db: sqlite3.Connection) -> Clusters:
    """The clusters of the run's problems; of those that have none, nothing."""
    found: Clusters = {}
    for row in rows_if(db, "clusters", "SELECT * FROM clusters"):
        found.setdefault(row["task"], {})[row["problem_id"]] = row["cluster"]
    return found


def cluster_name(document: Mapping[str, Any]) -> str:
    """What the data of a run calls its clusters: the column that ``--map cluster=...`` names."""
    words = document.get("operation", {}).get("columns") or ()
    for word in ",".join(words).split(","):
        name, _, column = (part.strip() for part in word.partition("="))
        if name == "cluster" and column:
            return column
    return "cluster"


def answer_text(prediction: str | None, choices: str) -> str | None:
    """The answer by which attempts are compared: a letter means another option after a shuffle.

    Args:
        prediction: as the attempt gave it; None for no answer.
        choices: the options that the attempt saw, as the journal keeps them.
    """
    if prediction is None or choices == "[]" or len(prediction) != 1:
        return prediction
    texts, place = json.loads(choices), LETTERS.find(prediction)
    return str(texts[place]) if 0 <= place < len(texts) else prediction


# What run.json holds, and as what. ``schema`` and ``config`` must be there.
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "schema": int,
    "config": dict,
    "created": str,
    "operation": dict,
    "versions": dict,
    "git": (dict, type(None)),
    "command": list,
    "notices": list,
}


def read_run(directory: Path) -> dict[str, Any]:
    """The contents of ``run.json``.

    Raises:
        UsageError: there is none, it cannot be read, a field is of the wrong type, or it is of a
            newer version.
    """
    path = directory / RUN_FILE
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f"{directory} is not a run directory: it has no {RUN_FILE}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error
    if not isinstance(document, dict):
        raise UsageError(f"cannot read {path}: it holds no JSON object")
    for name, kind in _FIELDS.items():
        if name not in document and name in ("schema", "config"):
            raise UsageError(f"cannot read {path}: it has no '{name}'")
        if name in document and not isinstance(document[name], kind):
            found = type(document[name]).__name__
            raise UsageError(f"cannot read {path}: '{name}' must not be of type {found}")
    refuse_newer(path, document["schema"], SCHEMA_VERSION)
    return document


def run_of_trials(directory: Path) -> dict[str, Any]:
    """``read_run`` of a directory that trials are in; refuses one of another kind."""
    document = read_run(directory)
    if (kind := document["config"].get("kind")) is not None:
        alone = f"; 'friction results {directory}', alone, prints it" if kind == "oracle" else ""
        raise UsageError(f"{directory} holds no trials: it is of the kind '{kind}'{alone}")
    return document


def run_names(directories: Sequence[Path]) -> list[str]:
    """What each run is called: its directory's name, after as many parents as tell it apart."""
    every = [directory.resolve().parts for directory in directories]
    names = []
    for own in every:
        others = {parts for parts in every if parts != own}
        shown = next(
            count
            for count in range(1, len(own) + 1)
            if all(parts[-count:] != own[-count:] for parts in others)
        )
        names.append(str(Path(*own[-shown:])))
    return names


@contextmanager
def reading_run(directory: Path) -> Iterator[None]:
    """Turn what goes wrong over the values of a ``run.json`` into one line that names it.

    Raises:
        UsageError: a value in it is missing, or of the wrong type.
    """
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        path = directory / RUN_FILE
        raise UsageError(
            f"cannot read {path}: a value in it is damaged ({one_line(error)})"
        ) from error


def one_line(error: Exception) -> str:
    """An error's type and text, cut to a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
