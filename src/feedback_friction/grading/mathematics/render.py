"""A syntax tree back as LaTeX that can be read in one way only, for math-verify."""

from __future__ import annotations

from feedback_friction.grading.mathematics.algebra import MAX_BITS, TooHardError
from feedback_friction.grading.mathematics.formula import (
    GREEK,
    Call,
    Node,
    Number,
    Power,
    Product,
    Root,
    Sum,
    Symbol,
)

_BRACKETS = {
    "abs": ("\\left|", "\\right|"),
    "floor": ("\\lfloor", "\\rfloor"),
    "ceil": ("\\lceil", "\\rceil"),
}


def latex(node: Node) -> str:
    """Every factor, term and argument in brackets of its own.

    Raises:
        TooHardError: for a numeral of more than ``MAX_BITS`` bits, such as ``1e5000`` is.
    """
    match node:
        case Number(value, _):
            if max(abs(value.numerator), value.denominator).bit_length() > MAX_BITS:
                raise TooHardError("size")  # str() refuses integers of more than 4,300 digits
            if value.denominator == 1:
                return str(value.numerator)
            return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
        case Symbol(name):
            known = {"oo": "\\infty"} | {greek: f"\\{greek}" for greek in GREEK}
            head, _, subscript = name.partition("_")
            return known.get(head, head) + (f"_{{{subscript}}}" if subscript else "")
        case Sum(terms):
            return "".join(("-" if s else "+") + _in(term) for s, term in terms).removeprefix("+")
        case Product(factors):
            top = " \\cdot ".join(_in(factor) for inverse, factor in factors if not inverse) or "1"
            bottom = " \\cdot ".join(_in(factor) for inverse, factor in factors if inverse)
            return f"\\frac{{{top}}}{{{bottom}}}" if bottom else top
        case Power(base, exponent):
            return f"{{{_in(base)}}}^{{{latex(exponent)}}}"
        case Root(degree, radicand):
            return f"\\sqrt[{degree}]{{{latex(radicand)}}}"
        case Call(name, arguments):
            return _call(name, [latex(argument) for argument in arguments])


def _in(node: Node) -> str:
    """In parentheses, unless it is a sign-free atom."""
    whole = isinstance(node, Number) and node.value.denominator == 1
    if whole or isinstance(node, Symbol | Root):
        return latex(node)
    return f"\\left({latex(node)}\\right)"


def _call(name: str, arguments: list[str]) -> str:
    if name in _BRACKETS:
        opening, closing = _BRACKETS[name]
        return f"{opening} {arguments[0]} {closing}"
    if name == "factorial":
        return f"\\left({arguments[0]}\\right)!"
    if name == "binom":
        return f"\\binom{{{arguments[0]}}}{{{arguments[1]}}}"
    if len(arguments) == 2:
        return f"\\{name}_{{{arguments[0]}}}\\left({arguments[1]}\\right)"
    return f"\\{name}\\left({arguments[0]}\\right)"
