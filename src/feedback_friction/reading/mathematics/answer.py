"""The records of mathematical answers: their shapes, values, and how gold shapes their reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from hashlib import sha256

from feedback_friction.reading.mathematics import evaluate
from feedback_friction.reading.mathematics.exact import Exact, TooHardError, exact
from feedback_friction.reading.mathematics.exact import key as exact_key
from feedback_friction.reading.mathematics.nodes import Node, Number, Sum
from feedback_friction.reading.mathematics.scalar import without_text

_MAX_KEY = 240


class Kind(StrEnum):
    """The shapes of answers."""

    VALUE = "value"
    PERCENT = "percent"  # value holds the number before the sign
    SET = "set"  # parts in braces
    LIST = "list"  # parts without brackets
    TUPLE = "tuple"  # parts in brackets: tuples, vectors, intervals
    UNION = "union"  # parts are intervals or sets
    MATRIX = "matrix"  # parts are rows of kind tuple
    RESIDUE = "residue"  # parts are the residue and the modulus
    EQUATION = "equation"  # parts are its two sides
    BASE = "base"  # value holds the digits; parts[0] is the base
    TEXT = "text"
    RAW = "raw"


@dataclass(frozen=True)
class Value:
    """A formula, and what is known of its value."""

    node: Node

    @cached_property
    def exact(self) -> Exact | None:
        """The exact value (``exact.exact``), None where it is too hard."""
        try:
            return exact(self.node)
        except TooHardError:
            return None

    @cached_property
    def samples(self) -> tuple[complex, ...] | None:
        """Values at sample points; see ``evaluate.samples``."""
        return evaluate.samples(self.node)

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The variables in it."""
        return evaluate.symbols(self.node)

    @property
    def rational(self) -> Fraction | None:
        """The value, where it is a rational number."""
        return self.exact if isinstance(self.exact, Fraction) else None

    @property
    def decimal(self) -> tuple[Fraction, int] | None:
        """Value and number of decimals, where the formula is one numeral with a decimal point."""
        node, sign = self.node, 1
        if isinstance(node, Sum) and len(node.terms) == 1:
            sign, node = (-1 if node.terms[0][0] else 1), node.terms[0][1]
        if isinstance(node, Number) and node.decimals:
            return sign * node.value, node.decimals
        return None


def bounded(key: str) -> str:
    """A key, cut to a digest where it is long."""
    if len(key) <= _MAX_KEY:
        return key
    digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{key[: _MAX_KEY // 2]}...{digest}"


def squeezed(text: str) -> str:
    """A text without spaces, as the key of what is not understood any further."""
    plain = without_text(text).replace(" ", "")
    return plain if "\\" in plain else plain.casefold()


@dataclass(frozen=True)
class Answer:
    """One answer as it was read."""

    kind: Kind  # its shape
    written: str  # its key, where that is not its value's
    source: str  # the cleaned text that it was read from
    value: Value | None = None  # its number or formula, where the kind has one
    parts: tuple[Answer, ...] = ()  # what it is made of, where the kind has parts
    brackets: str = ""  # the two brackets of a tuple or an interval, e.g. ``"[)"``.
    # for each side of an equation, whether it is but the name of what is asked for
    named: tuple[bool, ...] = ()
    # of gold, whether the question asks for its unit, so that no other will do
    in_unit: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was read; does not work out a value's key."""
        return self.kind is not Kind.VALUE and not self.written

    @cached_property
    def key(self) -> str:
        """Canonical text; equal keys mean the same answer. A value's may take computer algebra."""
        if self.kind is not Kind.VALUE or self.value is None:
            return bounded(self.written)
        exact = self.value.exact
        return bounded(squeezed(self.source) if exact is None else exact_key(exact))


@dataclass(frozen=True, slots=True)
class Context:
    """What the gold answer tells about how to read the others."""

    # Latin letters that gold uses as symbols; they are then no units
    letters: frozenset[str] = frozenset()
    words: bool = False  # gold is in words
    equation: bool = False  # gold is an equation; without one, what an unknown is said to be counts
    number: bool = False  # gold is one rational number, so that a comma may be a decimal comma
    whole: bool = False  # gold is a whole number, so that Roman numerals are numbers
    unit: bool = False  # gold has a unit that others may stand for
    asked: str = ""  # the question without spaces: what stands in it may be the unknown


NO_CONTEXT = Context()
TREE = "tree:"  # before a pickled formula, where the text for a proof may be LaTeX as well


@dataclass(frozen=True, slots=True)
class Statement:
    """The text of a stated answer, the rule that found it, and where it begins and ends."""

    text: str
    rule: str
    start: int
    end: int = 0

    def moved(self, by: int, rule: str = "") -> Statement:
        """The same in a text that begins so much earlier, perhaps by another rule."""
        return replace(self, start=self.start + by, rule=rule or self.rule)
