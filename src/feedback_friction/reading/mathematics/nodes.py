"""The syntax tree of a formula: what ``formula`` parses and all else computes with."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from feedback_friction.reading.numerals import Base, Numeral


@dataclass(frozen=True, slots=True)
class Number:
    """A numeral; ``decimals`` counts the digits after its point, None for recurring decimals.

    Of a numeral whose base is open, ``value`` is its plainest reading and ``numeral`` what is
    written.
    """

    value: Fraction
    decimals: int | None = 0
    numeral: Numeral | None = None

    @property
    def digits(self) -> str:
        """The number without separators or leading zeros, as it is written."""
        return self.numeral.digits if self.numeral else str(self.value)

    @property
    def marked(self) -> Base | None:
        """The base that is written with it."""
        return self.numeral.marked if self.numeral else None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A variable or a named constant (``pi``, ``e``, ``i``, ``oo``)."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms, each with True where it is subtracted."""

    terms: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors, each with True where it is divided by."""

    factors: tuple[tuple[bool, Node], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """A base to an exponent."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Root:
    """A root of a whole degree of at least 2."""

    degree: int
    radicand: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one or two arguments; ``log`` has its base first."""

    name: str
    arguments: tuple[Node, ...]


Node = Number | Symbol | Sum | Product | Power | Root | Call


def parts(node: Node) -> tuple[Node, ...]:
    """The formulas that a formula is made of."""
    match node:
        case Sum(signed) | Product(signed):
            return tuple(part for _, part in signed)
        case Power(base, exponent):
            return base, exponent
        case Root(_, radicand):
            return (radicand,)
        case Call(_, arguments):
            return arguments
        case _:
            return ()
