"""Whether two answers mean the same, as far as that is cheap to say for sure."""

from __future__ import annotations

import re
from cmath import isfinite
from collections.abc import Sequence
from fractions import Fraction

from feedback_friction.grading.mathematics import latex
from feedback_friction.grading.mathematics.algebra import TooHardError
from feedback_friction.grading.mathematics.answer import Answer, Kind, Value
from feedback_friction.grading.mathematics.evaluate import differ
from feedback_friction.grading.mathematics.scalar import symbol_letters, wording

_SETS = frozenset({Kind.SET, Kind.LIST})
_NUMBERS = frozenset({Kind.VALUE, Kind.PERCENT, Kind.BASE})
_MANY = frozenset({Kind.SET, Kind.LIST, Kind.TUPLE, Kind.UNION, Kind.MATRIX})
_ENOUGH_DIGITS = 6
_MOST_PLACES = 12
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
_COMMAND = re.compile(r"\\(?:begin|end) ?\{[a-z]+\}|\\[A-Za-z]+")
_VARIABLE = re.compile(r"[A-Za-df-hj-z]")
_UNEVALUATED = re.compile(
    r"\\(?:sum|prod|int|iint|oint|lim|cdots|ldots|dots|phantom|boxed)(?![a-z])"
)


def same(gold: Answer, other: Answer) -> bool | None:
    """True or False where it is certain, None where a computer algebra system may know more.

    ``gold`` comes first: a percent sign, a base or a variable that only one of the two names is
    forgiven, and what gold leaves open decides how the other is taken.
    """
    if not other.key:
        return False
    if gold.key == other.key:
        return True
    if gold.kind is Kind.TEXT:
        return gold.key == wording(other.source)
    if gold.kind is Kind.EQUATION or other.kind is Kind.EQUATION:
        return _equations(gold, other)
    if gold.kind in _NUMBERS and other.kind in _NUMBERS:
        return _numbers(gold, other)
    if gold.kind in _MANY and other.kind in _MANY:
        return _collections(gold, other)
    kinds = {gold.kind, other.kind}
    if other.kind is Kind.TEXT or (kinds & _MANY and Kind.RAW not in kinds):
        return False
    if _UNEVALUATED.search(other.source) and not _UNEVALUATED.search(gold.source):
        return False
    return None if _may_be_formula(gold, other) else False


def _may_be_formula(gold: Answer, other: Answer) -> bool:
    """Whether text that was not read might still be a formula that is equal to gold."""
    if other.kind is not Kind.RAW:
        return True
    if not latex.is_balanced(other.source):
        return False
    plain = _COMMAND.sub(" ", other.source)
    if _WORDS.search(plain) and not _WORDS.search(gold.source):
        return False
    numeric = gold.value is not None and not symbol_letters(gold.source)
    return not (numeric and _VARIABLE.search(plain)) and any(char.isalnum() for char in plain)


def alike(gold: Answer, other: Answer) -> bool:
    """Whether nothing tells two answers apart: equal, or formulas with the same sample values."""
    verdict = same(gold, other)
    if verdict is not None or gold.value is None or other.value is None:
        return bool(verdict)
    left, right = gold.value.samples, other.value.samples
    return left is not None and right is not None and not differ(left, right)


def _numbers(gold: Answer, other: Answer) -> bool | None:
    left, right = gold.value, other.value
    if left is None or right is None:
        return None
    if Kind.BASE in (gold.kind, other.kind):
        # 1011 for 1011_2: the base was given in the question. 11 for 1011_2 is another numeral.
        digits = gold.kind is Kind.BASE and other.kind is Kind.VALUE
        return digits and same(gold.parts[0], other)
    if gold.kind is other.kind:
        return _values(left, right)
    # One of the two has a percent sign: 25 and 1/4 both say 25%.
    same_number = _values(left, right)
    if same_number is not False:
        return same_number
    percent, plain = (left, right) if gold.kind is Kind.PERCENT else (right, left)
    if percent.rational is None or plain.rational is None:
        return None if plain.exact is None or percent.exact is None else False
    return percent.rational == 100 * plain.rational


def _values(gold: Value, other: Value) -> bool | None:
    left, right = gold.exact, other.exact
    if left is not None and right is not None:
        try:
            if left.equals(right):
                return True
        except TooHardError:
            return None
        if left.is_decided and right.is_decided:
            return _rounded(gold, other) or _rounded(other, gold)
    if gold.samples is not None and other.samples is not None:
        if _rounded(gold, other) or _rounded(other, gold):
            return True
        if differ(gold.samples, other.samples):
            return False
    return None


def _rounded(exact: Value, other: Value) -> bool:
    """Whether ``other`` is a decimal that gives ``exact`` to all its decimals, six at least."""
    decimal = other.decimal
    if decimal is None or exact.decimal is not None or exact.samples is None:
        return False
    value, places = decimal
    if not _ENOUGH_DIGITS <= places <= _MOST_PLACES:
        return False
    if abs(value) * 10**places < 10 ** (_ENOUGH_DIGITS - 1):  # fewer significant digits
        return False
    number = exact.samples[0]
    if exact.rational is not None:
        return _gives(exact.rational, value, Fraction(1, 10**places))
    constant = all(sample == number for sample in exact.samples) and number.imag == 0
    if not isfinite(number):
        return False
    return constant and _gives(Fraction(number.real), value, Fraction(1, 10**places))


def _gives(exact: Fraction, decimal: Fraction, unit: Fraction) -> bool:
    """Whether a decimal is a number rounded, or cut off, at its last place."""
    if exact * decimal < 0:
        return False
    left_over = (abs(exact) - abs(decimal)) / unit
    return Fraction(-1, 2) <= left_over < 1


def _collections(gold: Answer, other: Answer) -> bool | None:
    if len(gold.parts) != len(other.parts):
        return False
    kinds = {gold.kind, other.kind}
    if kinds <= _SETS or kinds == {Kind.UNION}:
        return _unordered(gold.parts, other.parts)
    if kinds == {Kind.TUPLE, Kind.LIST}:
        plain = "()" in (gold.brackets, other.brackets)
        return plain and _ordered(gold.parts, other.parts)
    if len(kinds) != 1:
        return False
    if gold.brackets != other.brackets and (gold.kind is Kind.MATRIX or len(gold.parts) == 2):
        return False
    return _ordered(gold.parts, other.parts)


def _ordered(gold: Sequence[Answer], other: Sequence[Answer]) -> bool | None:
    verdicts = [same(left, right) for left, right in zip(gold, other, strict=True)]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _unordered(gold: Sequence[Answer], other: Sequence[Answer]) -> bool | None:
    """Whether each element has its own partner in the other collection."""
    left = list(other)
    undecided = False
    for element in gold:
        verdicts = [same(element, candidate) for candidate in left]
        if True in verdicts:
            left.pop(verdicts.index(True))
        elif None in verdicts:
            undecided = True
        else:
            return False
    return None if undecided else True


def _equations(gold: Answer, other: Answer) -> bool | None:
    """Two equations by their sides; with one of them, its right side counts."""
    if gold.kind is other.kind:
        verdict = _ordered(gold.parts, other.parts)
        return True if verdict else None
    if gold.kind is Kind.EQUATION:
        return same(gold.parts[1], other)
    return same(gold, other.parts[1])
