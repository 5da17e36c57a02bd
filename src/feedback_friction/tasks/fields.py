"""Reading the fields of a row; what is wrong is a ``RowError`` that names the field.

The messages never quote the row: some data sets ask that their questions are not shown in public.
A field that holds a list, an object or a number may also hold it as text, because CSV knows nothing
else, and PopQA keeps its lists so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence

from feedback_friction.problem import LETTERS
from feedback_friction.tasks.page import Row, RowError

_LABEL = re.compile(r"\(?([A-Za-z])[).:]\s+")


def text(row: Row, field: str) -> str:
    """A text that is not blank, without the white space around it; a whole number as its digits."""
    value = optional_text(row, field)
    if value is None:
        raise RowError(field, "is missing" if row.get(field) is None else "is empty")
    return value


def optional_text(row: Row, field: str) -> str | None:
    """As ``text``, and None where the field is missing, null or blank.

    A column of numbers with a gap in it is one of floats: 5.0 is the whole number 5 there, and what
    is not a number is missing.
    """
    value = row.get(field)
    if isinstance(value, float) and (value != value or value.is_integer()):
        value = None if value != value else int(value)
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
    if isinstance(value, float) and value.is_integer():
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


def choices(row: Row, field: str, most: int = 10) -> tuple[str, ...]:
    """The options of a multiple-choice question: 2 to ``most`` texts, none of them blank.

    A list of texts; ``{"text": [...], "label": [...]}`` (ARC); ``{"A": ..., "B": ...}``; a list of
    ``{"label": ..., "text": ...}``. Letters that the texts begin with, in order, are left out.
    """
    found = _options(row, field)
    if not 2 <= len(found) <= most:
        raise RowError(field, f"must be 2 to {most} options, not {len(found)}")
    if "" in found:
        raise RowError(field, "has an option that is empty")
    bare = [_LABEL.sub("", text) for text in found]
    begins = [_LABEL.match(text) for text in found]
    labels = "".join(each[1].upper() for each in begins if each)
    return tuple(bare) if labels == LETTERS[: len(found)] and all(bare) else found


def labels(row: Row, field: str) -> tuple[str, ...]:
    """What the data calls each of its options; empty where it has no names of its own."""
    value = _decoded(row.get(field))
    if isinstance(value, Mapping) and isinstance(value.get("label"), Sequence):
        return tuple(str(each) for each in value["label"])
    if isinstance(value, Mapping):
        return tuple(map(str, value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        found = [each.get("label") for each in value if isinstance(each, Mapping)]
        return tuple(map(str, found)) if found and None not in found else ()
    return ()


def _options(row: Row, field: str) -> tuple[str, ...]:
    value = _decoded(row.get(field))
    if isinstance(value, Mapping):
        inner = value.get("text", value.get("texts"))
        value = inner if isinstance(inner, Sequence) else list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = [each.get("text") if isinstance(each, Mapping) else each for each in value]
        value = [_shown(each) for each in texts]
    return _stripped({**row, field: value}, field)


def _shown(value: object) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.15g}" if isinstance(value, float) else str(value) if is_number else value


def choice_index(row: Row, field: str, count: int) -> int:
    """Which option is right: its number from 0, or its letter."""
    value = row.get(field)
    if isinstance(value, str) and value.strip().upper() in LETTERS[:count] and value.strip():
        return LETTERS.index(value.strip().upper())
    return integer(row, field, 0, count - 1)


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
