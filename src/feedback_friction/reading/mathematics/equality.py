"""Whether two answers mean the same: exactly where that is cheap, else as far as a court can tell.

``same`` decides by itself whatever exact arithmetic decides, and takes structures apart (lists,
tuples, sets of reals, equations). What is left are pairs of values, and of texts that it cannot
read; those it hands to ``ask``, behind which is computer algebra, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from feedback_friction.reading.mathematics import latex, reals
from feedback_friction.reading.mathematics.answer import Answer, Kind, Value
from feedback_friction.reading.mathematics.evaluate import differ, far
from feedback_friction.reading.mathematics.exact import equal
from feedback_friction.reading.mathematics.scalar import symbol_letters, wording
from feedback_friction.reading.mathematics.units import ratio, units_differ

Ask = Callable[[Answer, Answer], bool | None]

_SETS = frozenset({Kind.SET, Kind.LIST})
_NUMBERS = frozenset({Kind.VALUE, Kind.PERCENT, Kind.BASE, Kind.RESIDUE})
_ALL_OF = frozenset({Kind.UNION, Kind.TUPLE, Kind.SET})
_MANY = frozenset({Kind.SET, Kind.LIST, Kind.TUPLE, Kind.UNION, Kind.MATRIX})
_ENOUGH_DIGITS = 6
_MOST_PLACES = 12  # that samples in floating point can tell
LONGEST_DECIMAL = 100
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
_COMMAND = re.compile(r"\\(?:begin|end) ?\{[a-z]+\}|\\[A-Za-z]+")
_ORDER = re.compile(r"\\[lg]e(?![a-z])|[<>]")
_VARIABLE = re.compile(r"[A-Za-df-hj-z]")
_UNEVALUATED = re.compile(
    r"\\(?:sum|prod|int|iint|oint|lim|cdots|ldots|dots|phantom|boxed)(?![a-z])"
)


def _nobody(gold: Answer, other: Answer) -> bool | None:
    return None


def same(gold: Answer, other: Answer, ask: Ask = _nobody) -> bool | None:
    """True or False where it is certain, None where nothing shows either.

    Args:
        gold: the answer that the data set gives: a percent sign, a base, a modulus or a variable
            that only one of the two names is forgiven, and what gold leaves open decides how the
            other is taken.
        other: the answer that a reply gives.
        ask: tells whether two values, or two answers that could not be read, are equal.
    """
    if other.is_empty or _far_apart(gold, other):
        return False
    if gold.key == other.key:
        return not units_differ(gold.source, other.source)
    if gold.kind is Kind.TEXT:
        return gold.key == wording(other.source)
    if gold.kind is Kind.EQUATION or other.kind is Kind.EQUATION:
        return _equations(gold, other, ask)
    if gold.kind in _NUMBERS and other.kind in _NUMBERS:
        if units_differ(gold.source, other.source):
            return _in_other_unit(gold, other)
        return _numbers(gold, other, ask)
    if gold.kind in _ALL_OF and other.kind in _ALL_OF and gold.kind is not other.kind:
        found = _sets_of_reals(gold, other)
        if found is not None:
            return found
    if gold.kind in _MANY and other.kind in _MANY:
        return _collections(gold, other, ask)
    kinds = {gold.kind, other.kind}
    if other.kind is Kind.TEXT or (kinds & _MANY and Kind.RAW not in kinds):
        return False
    if _UNEVALUATED.search(other.source) and not _UNEVALUATED.search(gold.source):
        return False
    return ask(gold, other) if _may_be_formula(gold, other) else False


def _far_apart(gold: Answer, other: Answer) -> bool:
    """Whether two values are so different that no more needs to be known of the other one."""
    one, two = gold.value, other.value
    if one is None or two is None or not gold.kind is other.kind is Kind.VALUE:
        return False
    if one.exact is None or one.samples is None or two.samples is None:
        return False
    return far(one.samples, two.samples) and not units_differ(gold.source, other.source)


def _may_be_formula(gold: Answer, other: Answer) -> bool:
    """Whether text that was not read might still be a formula that is equal to gold."""
    if "\\boxed" in gold.source + other.source:  # several answers in one text
        return False
    if ":" in gold.source + other.source:  # ratios and times of day are what they are
        return False
    if other.kind is not Kind.RAW:
        return True
    ordered = gold.value is not None and _ORDER.search(other.source)  # no number is an inequality
    if ordered or not latex.is_balanced(other.source):
        return False
    plain = _COMMAND.sub(" ", other.source)
    if _WORDS.search(plain) and not _WORDS.search(gold.source):
        return False
    numeric = gold.value is not None and not symbol_letters(gold.source)
    return not (numeric and _VARIABLE.search(plain)) and any(char.isalnum() for char in plain)


def alike(gold: Answer, other: Answer) -> bool:
    """Whether one gives the other away: equal, the same sample values, or many of its decimals."""
    if gold.value and other.value and _rounded(gold.value, other.value):
        return True
    return bool(same(gold, other, _alike))


def _alike(gold: Answer, other: Answer) -> bool | None:
    if gold.value is None or other.value is None:
        return None
    left, right = gold.value.samples, other.value.samples
    return left is not None and right is not None and not differ(left, right)


def _numbers(gold: Answer, other: Answer, ask: Ask) -> bool | None:
    left, right = gold.value, other.value
    if left is None or right is None:
        return None
    if other.key.endswith("_10") and gold.kind is Kind.VALUE and other.parts:
        return same(gold, other.parts[0], ask)
    if Kind.BASE in (gold.kind, other.kind):
        # 1011 for 1011_2: the base was given in the question. 11 for 1011_2 is another numeral.
        digits = gold.kind is Kind.BASE and other.kind is Kind.VALUE
        return digits and same(gold.parts[0], other, ask)
    if Kind.RESIDUE in (gold.kind, other.kind):
        return _residues(gold, other, ask)
    same_number = _values(gold, other, ask)
    if gold.kind is other.kind or same_number is not False:
        return same_number
    # One of the two has a percent sign: 25 and 1/4 both say 25%.
    percent, plain = (left, right) if gold.kind is Kind.PERCENT else (right, left)
    if percent.rational is None or plain.rational is None:
        return None if plain.exact is None or percent.exact is None else False
    return percent.rational == 100 * plain.rational


def _in_other_unit(gold: Answer, other: Answer) -> bool:
    """Whether as much is said in another unit of the same quantity, where no unit is asked for."""
    left = gold.value.rational if gold.value else None
    right = other.value.rational if other.value else None
    if gold.in_unit or left is None or right is None or gold.kind is not other.kind:
        return False
    return left == right * (ratio(gold.source, other.source) or 0)


def _residues(gold: Answer, other: Answer, ask: Ask) -> bool | None:
    """Residues of one modulus by their difference; with one modulus alone, the residue counts."""
    if gold.kind is not other.kind:
        left, right = (answer.parts[0] if answer.parts else answer for answer in (gold, other))
        return same(left, right, ask)
    (left, modulus), (right, of) = gold.parts, other.parts
    numbers = [part.value.rational if part.value else None for part in (left, right, modulus, of)]
    if None in numbers:
        return None
    one, two, size, other_size = (Fraction(number or 0) for number in numbers)
    return size == other_size and bool(size) and (one - two) % size == 0


def _values(gold: Answer, other: Answer, ask: Ask) -> bool | None:
    one, two = gold.value, other.value
    assert one is not None
    assert two is not None
    left, right = one.exact, two.exact
    if left is not None and left == right:
        return True
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return _rounded(two, one)
    if one.samples is not None and two.samples is not None:
        if _rounded(two, one):
            return True
        if differ(one.samples, two.samples):
            return False
    known = None if left is None or right is None else equal(left, right)
    return ask(gold, other) if known is None else known


def _rounded(exact: Value, other: Value) -> bool:
    """Whether ``other`` is a decimal that gives ``exact`` to all its decimals, six at least.

    With gold as the decimal a convention, not a proof: a data set that writes a number out to so
    many places means that number. The other way round it proves nothing, and gives gold away.
    """
    decimal = other.decimal
    if decimal is None or exact.decimal is not None or exact.samples is None:
        return False
    value, places = decimal
    most = LONGEST_DECIMAL if exact.rational is not None else _MOST_PLACES
    if not _ENOUGH_DIGITS <= places <= most:
        return False
    if abs(value) * 10**places < 10 ** (_ENOUGH_DIGITS - 1):  # fewer significant digits
        return False
    number = exact.samples[0]
    if exact.rational is not None:
        return _gives(exact.rational, value, Fraction(1, 10**places))
    constant = all(sample == number for sample in exact.samples) and number.imag == 0
    finite = abs(number.real) < 10**15
    return constant and finite and _gives(Fraction(number.real), value, Fraction(1, 10**places))


def _gives(exact: Fraction, decimal: Fraction, unit: Fraction) -> bool:
    """Whether a decimal is a number rounded, or cut off, at its last place."""
    if exact * decimal < 0:
        return False
    left_over = (abs(exact) - abs(decimal)) / unit
    return Fraction(-1, 2) <= left_over < 1


def _sets_of_reals(gold: Answer, other: Answer) -> bool | None:
    """Whether two are the same set of reals; None where one of them is no such set."""
    left, right = reals.as_set(gold), reals.as_set(other)
    return None if left is None or right is None else bool(left == right)


def _collections(gold: Answer, other: Answer, ask: Ask) -> bool | None:
    kinds = {gold.kind, other.kind}
    if len(gold.parts) != len(other.parts):
        return kinds == {Kind.UNION} and bool(_sets_of_reals(gold, other))
    pairs = all(part.kind is Kind.TUPLE for answer in (gold, other) for part in answer.parts)
    if kinds <= _SETS or kinds == {Kind.UNION} or (kinds <= _SETS | {Kind.UNION} and pairs):
        return _unordered(gold.parts, other.parts, ask)
    if kinds in ({Kind.TUPLE, Kind.LIST}, {Kind.TUPLE, Kind.MATRIX}):
        tuple_, rest = (gold, other) if gold.kind is Kind.TUPLE else (other, gold)
        if rest.kind is Kind.MATRIX:  # a column is a vector
            cells = [part.parts[0] for part in rest.parts if len(part.parts) == 1]
            if len(cells) != len(tuple_.parts) or (tuple_.brackets == "[]" and len(cells) < 3):
                return False
            left, right = (tuple_.parts, cells) if tuple_ is gold else (cells, tuple_.parts)
            return _ordered(left, right, ask)
        return tuple_.brackets == "()" and _ordered(gold.parts, other.parts, ask)
    if len(kinds) != 1:
        return False
    if gold.brackets != other.brackets and (gold.kind is Kind.MATRIX or len(gold.parts) == 2):
        return False
    return _ordered(gold.parts, other.parts, ask)


def _ordered(gold: Sequence[Answer], other: Sequence[Answer], ask: Ask) -> bool | None:
    return _all(same(left, right, ask) for left, right in zip(gold, other, strict=True))


def _all(verdicts: object) -> bool | None:
    """False where one is false, else None where one is open."""
    found = list(verdicts)  # type: ignore[call-overload]
    if False in found:
        return False
    return None if None in found else True


def _unordered(gold: Sequence[Answer], other: Sequence[Answer], ask: Ask) -> bool | None:
    """Whether each element has its own partner in the other collection."""
    left = list(other)
    undecided = False
    for element in gold:
        verdicts = [same(element, candidate) for candidate in left]
        if True not in verdicts:
            verdicts = [
                same(element, candidate, ask) if verdict is None else verdict
                for candidate, verdict in zip(left, verdicts, strict=True)
            ]
        if True in verdicts:
            left.pop(verdicts.index(True))
        elif None in verdicts:
            undecided = True
        else:
            return False
    return None if undecided else True


def _equations(gold: Answer, other: Answer, ask: Ask) -> bool | None:
    """Two equations by their sides; one of them against a value, where it says what an unknown is.

    ``other`` is an equation here only where it does not (``read`` takes the value there).
    """
    if gold.kind is other.kind:
        verdict = _ordered(gold.parts, other.parts, ask)
        return True if verdict else ask(gold, other)
    for is_name, value in zip(gold.named, gold.parts[::-1], strict=False):
        if is_name:
            return same(value, other, ask)
    return False
