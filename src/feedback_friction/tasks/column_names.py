"""``--map question=prompt,answer=target``: a file's own names for the fields of a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feedback_friction.errors import UsageError
from feedback_friction.tasks.page import Row, RowError


def parse_columns(words: Sequence[str]) -> dict[str, str]:
    """By field of the schema, the column that holds it.

    Raises:
        UsageError: a word is not ``FIELD=COLUMN``, or a field is given twice.
    """
    found: dict[str, str] = {}
    for word in ",".join(words).split(",") if words else ():
        name, equals, column = (part.strip() for part in word.partition("="))
        if not equals or not name or not column:
            raise UsageError(f"--map must be of the form FIELD=COLUMN, not '{word.strip()}'")
        if name in found:
            raise UsageError(f"--map names a column for '{name}' twice")
        found[name] = column
    return found


def renamed(row: Row, columns: Mapping[str, str]) -> Row:
    """A row with the schema's names in the place of its own; ``answer.value`` is within a column.

    Raises:
        RowError: it has no such column; names those that there are.
    """
    if not columns:
        return row
    taken = {column.partition(".")[0] for column in columns.values()}
    kept = {name: value for name, value in row.items() if name not in taken}
    return {**kept, **{name: _value(row, column) for name, column in columns.items()}}


def _value(row: Row, column: str) -> object:
    if column in row:
        return row[column]
    value: object = row
    for part in column.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise RowError(column, f"is no column of the data; it has {', '.join(map(str, row))}")
        value = value[part]
    return value
