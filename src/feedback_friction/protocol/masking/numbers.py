"""The gate for the multiplication tasks.

What is masked, as in Jiang et al. 2025:

- decimal: the product, and the four partial products of the split at the thousands,
  ``a_hi*b_hi, a_hi*b_lo, a_lo*b_hi, a_lo*b_lo`` with ``a = a_hi + a_lo`` and ``a_hi`` a multiple of
  1,000 (else only an addition is left);
- hexadecimal: the product alone, which is also the last intermediate sum of the worked solution.
  Partial products, shifted or not, and the other intermediate sums stay.

Each in every form that ``digits``, ``powers`` and ``spelled`` know, and the product in the other
base too: 5781709410 is also 0x1589DE262, and DCB2096CA also 59242485450.

What stays, so that feedback keeps its sense: the factors and the parts that they are split into,
even where a partial product is equal to one (b_lo = 1), and partial products below 1,000: zero and
what is done in the head hide nothing, and such numbers are counts, carries and step numbers too.
The product is always masked, even if it is equal to a factor.

Out of scope: what has to be worked out ("5,781,709,000 + 410", "19 * 12 = 228, then six zeros",
the last digits, digits named by their place), other languages, bases other than 10 and 16, and
partial products in base 16.

The audit grades what is left of the text with ``grading.number``: every number as far as its
separators reach, and every line between marks. An expression is no leak, for the grader takes none
for the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from feedback_friction.grading.number import grade_number
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.digits import RUN, Base, find_digits, flattened, opening
from feedback_friction.protocol.masking.gate import MASK, Match, Matcher, View, audit, mask
from feedback_friction.protocol.masking.powers import find_scaled
from feedback_friction.protocol.masking.spelled import find_spelled, find_words
from feedback_friction.protocol.records import Masked

_SMALLEST_PARTIAL = 1000
_LONGEST_STRETCH = 2000  # characters of a line that is graded whole; its numbers are in any case


def partial_products(first: int, second: int) -> tuple[int, ...]:
    """The partial products of the split at the thousands that are masked, each once.

    Without those below 1,000 and those equal to a factor or to a part of one.
    """
    (high, low), (other_high, other_low) = (divmod(factor, 1000) for factor in (first, second))
    products = dict.fromkeys(
        a * b for a in (1000 * high, low) for b in (1000 * other_high, other_low)
    )
    stays = _factors_and_parts(first, second)
    return tuple(p for p in products if p >= _SMALLEST_PARTIAL and p not in stays)


def _factors_and_parts(*factors: int) -> frozenset[int]:
    parts = (divmod(factor, 1000) for factor in factors)
    return frozenset(factors).union(*((high, 1000 * high, low) for high, low in parts))


def mask_decimal(problem: Problem, text: str) -> Masked:
    """Feedback on a decimal multiplication, masked and audited.

    Args:
        problem: ``gold`` in base 10; ``operands`` as in the question (without them, only the
            product is masked).
        text: the feedback.

    Raises:
        ValueError: ``gold`` or an operand is not a whole number; on no text whatever.
    """
    masked = mask(text, (_decimal_matcher(problem.gold, problem.operands),))
    return replace(masked, leaks=number_leaks(problem.gold, masked.text, 10))


def mask_hex(problem: Problem, text: str) -> Masked:
    """Feedback on a hexadecimal multiplication, masked and audited.

    Args:
        problem: ``gold`` and ``operands`` in base 16.
        text: the feedback.

    Raises:
        ValueError: ``gold`` or an operand is not a whole number in base 16; on no text whatever.
    """
    masked = mask(text, (_hex_matcher(problem.gold, problem.operands),))
    return replace(masked, leaks=number_leaks(problem.gold, masked.text, 16))


def number_leaks(gold: str, masked_text: str, base: Base) -> tuple[str, ...]:
    """Numbers and lines of a masked text that the grader takes for the gold number.

    Each is graded as a reply of its own, as the end of "The answer is" and in a box.

    A number equal to the gold number has its digits in a row, whatever stands between them and
    whatever zeros or exponent follow: text without them is not graded, which is most text.
    """
    digits = f"{int(gold, base):X}" if base == 16 else str(int(gold))
    row = digits.rstrip("0")

    def accepts(stretch: str) -> bool:
        long_enough = len(stretch) >= len(digits) or _POWER.search(stretch) is not None
        return (
            long_enough
            and len(stretch) <= _LONGEST_STRETCH
            and _has_row(stretch, row, base)
            and any(
                grade_number(gold, reply.format(stretch), base).is_correct for reply in _REPLIES
            )
        )

    if not _has_row(masked_text, row, base):
        return ()
    leaks = audit(masked_text, lambda text: _stretches(text, base, len(row)), accepts)
    return tuple(leak for leak in leaks if not any(part != leak and part in leak for part in leaks))


def _has_row(text: str, row: str, base: Base) -> bool:
    """Whether the digits stand in the text with no other digit among them."""
    flat = flattened(View.plain(text).text)
    if base == 10:
        return row in flat.digits
    begins = opening(row).search(flat.text) is not None
    return begins and row in "".join(RUN[16].findall(flat.text)).upper()


_POWER = re.compile(r"[eE^×*x]")
_REPLIES = ("{}", "The answer is {}.", r"\boxed{{{}}}")
_APART = r"(?:[^\w+=^/×÷*<>%\n]|_|\*(?! )){1,12}"
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,9}|\s?[×x*]\s?10\s?(?:\^|\*\*)\s?[{(]?[+-]?[0-9]{1,9}[})]?)?"
_START, _END = r"(?<![0-9A-Za-z])(?<![0-9][.,])", r"(?![0-9A-Za-z]|\.[0-9])"
_HEX = r"(?<![0-9A-Za-z])(?:0[xX])?[0-9A-Fa-f]+[hH]?(?![0-9A-Za-z])"
# A number as far as its separators reach: within a word, and across blanks and marks.
_STRETCHES: dict[Base, tuple[re.Pattern[str], ...]] = {
    10: (
        re.compile(rf"{_START}[0-9]+(?:[,.'_][0-9]+)*{_EXPONENT}{_END}"),
        re.compile(rf"{_START}[0-9]+(?:{_APART}[0-9]+)*{_EXPONENT}{_END}"),
    ),
    16: (
        re.compile(rf"{_START}{_HEX}(?:[,.'_]{_HEX})*"),
        re.compile(rf"{_START}{_HEX}(?:{_APART}{_HEX})*"),
    ),
}
_LINE = re.compile(r"[^\n]+")


def _stretches(text: str, base: Base, shortest: int) -> Iterator[tuple[int, int]]:
    """Stretches of a masked text that may be read as a number or as stating one."""
    view = View.plain(text)
    flat = flattened(view.text).text
    for pattern in _STRETCHES[base]:
        for found in pattern.finditer(flat):
            start, end = found.span()
            if end - start >= shortest:
                yield view.span(start, end)
    for line in _LINE.finditer(text):
        start = line.start()
        for part in line[0].split(MASK):
            yield start, start + len(part)
            start += len(part) + len(MASK)


@lru_cache(maxsize=4096)
def _decimal_matcher(gold: str, operands: tuple[str, ...]) -> Matcher:
    factors = [int(operand) for operand in operands]
    partials = partial_products(*factors) if factors else ()
    product = int(gold)
    decimals = dict.fromkeys((str(product), *map(str, partials)))
    shown = frozenset(map(str, _factors_and_parts(*factors)))
    return _matcher(tuple(decimals), f"{product:X}", shown)


@lru_cache(maxsize=4096)
def _hex_matcher(gold: str, operands: tuple[str, ...]) -> Matcher:
    product = int(gold, 16)
    shown = frozenset(f"{int(operand, 16):X}" for operand in operands)
    return _matcher((str(product),), f"{product:X}", shown)


def _matcher(decimals: tuple[str, ...], hexadecimal: str, shown: frozenset[str]) -> Matcher:
    """Finds numbers given in base 10 and one given in base 16."""

    def find(text: str) -> Iterator[Match]:
        flat = flattened(text)
        yield from find_digits(flat, decimals, 10)
        yield from find_digits(flat, (hexadecimal,), 16)
        yield from find_scaled(flat, decimals, 10, shown)
        yield from find_scaled(flat, (hexadecimal,), 16, shown)
        yield from find_words(flat, decimals)
        yield from find_spelled(flat, (*decimals, hexadecimal))

    return find
