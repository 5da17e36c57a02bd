"""A syntax tree as JSON, for the process that proves: nothing is left to be read again."""

from __future__ import annotations

from feedback_friction.reading.mathematics.algebra import MAX_BITS, TooHardError
from feedback_friction.reading.mathematics.nodes import (
    Call,
    Node,
    Number,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
)

Tree = list[object]
TREE = "tree:"  # before a tree, where text may be LaTeX as well


def tree(node: Node) -> Tree:
    """The tree as nested lists, each with the kind of its node first.

    Raises:
        TooHardError: for a numeral of more than ``MAX_BITS`` bits, such as ``1e5000`` is.
    """
    match node:
        case Number(value, _):
            if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
                raise TooHardError("size")  # str() refuses integers of more than 4,300 digits
            return ["number", str(value.numerator), str(value.denominator)]
        case Symbol(name):
            return ["symbol", name]
        case Sum(terms):
            return ["sum", *([subtracted, tree(term)] for subtracted, term in terms)]
        case Product(factors):
            return ["product", *([inverse, tree(factor)] for inverse, factor in factors)]
        case Power(base, exponent):
            return ["power", tree(base), tree(exponent)]
        case Root(degree, radicand):
            return ["root", str(degree), tree(radicand)]
        case Call(name, arguments):
            return ["call", name, *map(tree, arguments)]
