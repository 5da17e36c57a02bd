"""The records of mathematical answers: their shapes, values, and how gold shapes their reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from feedback_friction.reading.mathematics import evaluate
from feedback_friction.reading.mathematics.exact import Exact, TooHardError, exact
from feedback_friction.reading.mathematics.nodes import Node, Number, Sum


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


@dataclass(frozen=True)
class Answer:
    """One answer as it was read.

    Attributes:
        kind: its shape.
        key: canonical text; equal keys mean the same answer.
        source: the cleaned text that it was read from.
        value: its number or formula, where the kind has one.
        parts: what it is made of, where the kind has parts.
        brackets: the two brackets of a tuple or an interval, e.g. ``"[)"``.
        in_unit: of gold, whether the question asks for its unit, so that no other will do.
        named: for each side of an equation, whether it is but the name of what is asked for.
    """

    kind: Kind
    key: str
    source: str
    value: Value | None = None
    parts: tuple[Answer, ...] = ()
    brackets: str = ""
    named: tuple[bool, ...] = ()
    in_unit: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What the gold answer tells about how to read the others.

    Attributes:
        letters: Latin letters that gold uses as symbols; they are then no units.
        words: gold is in words.
        equation: gold is an equation; without one, what an unknown is said to be counts.
        number: gold is one rational number, so that a comma may be a decimal comma.
        whole: gold is a whole number, so that Roman numerals are numbers.
        unit: gold has a unit that others may stand for.
        asked: the question without spaces: what stands in it may be the unknown.
    """

    letters: frozenset[str] = frozenset()
    words: bool = False
    equation: bool = False
    number: bool = False
    whole: bool = False
    unit: bool = False
    asked: str = ""


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
