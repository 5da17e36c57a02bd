"""Reading the fields of a row; what is wrong is a ``RowError`` that names the field.

The messages never quote the row: some data sets ask that their questions are not shown in public.
A field that holds a list, an object or a number may also hold it as text, because CSV knows nothing
else, and PopQA keeps its lists so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from feedback_friction.problem import LETTERS
from feedback_friction.tasks.page import Row, RowError


def text(row: Row, field: str) -> str:
    """A text that is not blank, without the white space around it; a whole number as its digits."""
    value = optional_text(row, field)
    if value is None:
        raise RowError(field, "is missing" if row.get(field) is None else "is empty")
    return value


def optional_text(row: Row, field: str) -> str | None:
    """As ``text``, and None where the field is missing, null or blank."""
    value = row.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise RowError(field, f"must be a text, not {_kind(value)}")
    return value.strip() or None


def integer(row: Row, field: str, least: int, most: int | None = None) -> int:
    """A whole number in a range (``most`` included)."""
    value = row.get(field)
    if value is None:
        raise RowError(field, "is missing")
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 30:
        value = int(value)
    limits = f"of at least {least}" if most is None else f"from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise RowError(field, f"must be a whole number {limits}, not {_kind(value)}")
    if value < least or (most is not None and value > most):
        raise RowError(field, f"must be a whole number {limits}, not {value}")
    return value


def optional_integer(row: Row, field: str, least: int) -> int | None:
    """As ``integer``, and None where the field is missing, null or blank."""
    return None if row.get(field) in (None, "") else integer(row, field, least)


def texts(row: Row, field: str, least: int = 0) -> tuple[str, ...]:
    """A list of texts, each without the white space around it; blank ones are left out."""
    found = tuple(each for each in _stripped(row, field) if each)
    if len(found) < least:
        raise RowError(field, f"must have at least {least} that are not empty, not {len(found)}")
    return found


def optional_texts(row: Row, field: str) -> tuple[str, ...]:
    """As ``texts``, and none where the field is missing, null or blank."""
    return () if row.get(field) in (None, "") else texts(row, field)


def choices(row: Row, field: str) -> tuple[str, ...]:
    """The options of a multiple-choice question: 2 to 10 texts, none of them blank."""
    found = _stripped(row, field)
    if not 2 <= len(found) <= len(LETTERS):
        raise RowError(field, f"must be 2 to {len(LETTERS)} options, not {len(found)}")
    if "" in found:
        raise RowError(field, "has an option that is empty")
    return found


def mapping(row: Row, field: str) -> Row:
    """An object within the row."""
    value = row.get(field)
    if value is None:
        raise RowError(field, "is missing")
    value = _decoded(value)
    if not isinstance(value, Mapping):
        raise RowError(field, f"must be an object, not {_kind(value)}")
    return value


def _stripped(row: Row, field: str) -> tuple[str, ...]:
    value = row.get(field)
    if value is None:
        raise RowError(field, "is missing")
    value = _decoded(value)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise RowError(field, f"must be a list of texts, not {_kind(value)}")
    if not all(isinstance(each, str) for each in value):
        raise RowError(field, "must be a list of texts only")
    return tuple(each.strip() for each in value)


def digest(*parts: str) -> str:
    """A short id for a row that has none: it depends on the row's own contents alone."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _decoded(value: object) -> object:
    """What a text holds as JSON; the text itself where it holds none."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            return value
    return value


def _kind(value: object) -> str:
    kinds = {str: "a text", int: "a whole number", float: "a number", bool: "a truth value"}
    kinds |= {list: "a list", dict: "an object"}
    return kinds.get(type(value), "that")
