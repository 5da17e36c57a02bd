"""The gate for the multiplication tasks.

What is masked, as in Jiang et al. 2025:

- decimal: the product, and the four partial products of the split of both factors at one place,
  ``a_hi*b_hi, a_hi*b_lo, a_lo*b_hi, a_lo*b_lo`` with ``a = a_hi + a_lo`` and ``a_hi`` a multiple of
  1,000 (else only an addition is left). The study's factors have five digits; where the longer one
  has 3 or 4, the split is at the hundreds, and where it has 1 or 2, at the tens (``split_place``);
- hexadecimal: the product alone, which is also the last intermediate sum of the worked solution.
  Partial products, shifted or not, and the other intermediate sums stay.

Each in every form that ``written`` knows, and the product in the other base too: 5781709410 is also
0x1589DE262, and DCB2096CA also 59242485450. In base 10 a product of fewer than six digits in base
16 is looked for only where it is marked as that ("0x69C", "69Ch"): 1600 is 640 in base 16, 2989 is
"bad".

What stays, so that feedback keeps its sense: the factors and the parts that they are split into,
even where a partial product is equal to one (b_lo = 1), and partial products below the place of the
split (1,000, 100 or 10), and ten: zero and what is done in the head hide nothing, and such numbers
are counts, carries, places and step numbers too. Of 47 * 36 = 1692, the numbers 1200, 240, 210 and
42 are masked; of 41 * 32 neither 2 nor 30, of 42 * 35 not 10.
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

from feedback_friction.grading.number import canonical, grade_number
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.gate import (
    LINE,
    Match,
    Matcher,
    View,
    audit,
    between_marks,
    innermost,
    mask,
)
from feedback_friction.protocol.masking.written import (
    digits_of,
    find_digits,
    find_scaled,
    find_words,
    flattened,
)
from feedback_friction.protocol.records import Masked
from feedback_friction.reading.numerals import NO_WORD, Base

_SPLIT_PLACES = (10, 100, 1000)
_TEN = 10  # the base that places and shifts are spoken of by
_MANY_HEX_DIGITS = 6  # from which a number in base 16 is no other number and no word by chance
_LONGEST_STRETCH = 2000  # characters of a line that is graded whole; its numbers are in any case


def split_place(*factors: int) -> int:
    """The power of ten at which decimal factors are split: 10, 100 or 1,000.

    Half of the longer factor's digits, rounded up, are the low part, and never more than three: at
    the thousands for 5 and 6 digits, as in the study, at the hundreds for 3 and 4, at the tens for
    2. Three digits are split at the hundreds and not at the tens, for 400 * 600, 400 * 28, 73 * 600
    and 73 * 28 are harder to guess than 470 * 620, 470 * 8, 3 * 620 and 3 * 8, and only one number
    in a hundred, not in ten, has no low part.
    """
    longest = max(len(str(factor)) for factor in factors)
    return _SPLIT_PLACES[min((longest + 1) // 2, len(_SPLIT_PLACES)) - 1]


def split(first: int, second: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Each factor's high and low part, which add up to it; a part may be 0."""
    place = split_place(first, second)
    return (first - first % place, first % place), (second - second % place, second % place)


def partial_products(first: int, second: int) -> tuple[int, ...]:
    """The partial products of the split that are masked, each once.

    Without those below the place of the split, ten, and those equal to a factor or a part of one.
    """
    firsts, seconds = split(first, second)
    products = dict.fromkeys(a * b for a in firsts for b in seconds)
    place, stays = split_place(first, second), _factors_and_parts(first, second)
    return tuple(p for p in products if p >= place and p != _TEN and p not in stays)


def _factors_and_parts(*factors: int) -> frozenset[int]:
    """The factors, their parts, and the high parts without their zeros."""
    if not factors:
        return frozenset()
    place = split_place(*factors)
    halves = (divmod(factor, place) for factor in factors)
    return frozenset(factors).union(*((high, place * high, low) for high, low in halves))


def mask_decimal(problem: Problem, text: str) -> Masked:
    """Feedback on a decimal multiplication, masked and audited.

    Args:
        problem: ``gold`` in base 10; ``operands`` as in the question (without them, only the
            product is masked).
        text: the feedback.

    Raises:
        ValueError: ``gold`` or an operand is not a whole number; on no text whatever.
    """
    return _masked(problem, text, 10)


def mask_hex(problem: Problem, text: str) -> Masked:
    """The same of a hexadecimal multiplication, with ``gold`` and ``operands`` in base 16."""
    return _masked(problem, text, 16)


def _masked(problem: Problem, text: str, base: Base) -> Masked:
    masked = mask(text, (number_matcher(problem.gold, problem.operands, base),))
    return replace(masked, leaks=number_leaks(problem.gold, masked.text, base))


def number_leaks(gold: str, masked_text: str, base: Base) -> tuple[str, ...]:
    """Numbers and lines of a masked text that the grader takes for the gold number.

    Each is graded as a reply of its own, as the end of "The answer is" and in a box.

    A number equal to the gold number has its digits in a row, whatever stands between them and
    whatever zeros or exponent follow: text without them is not graded, which is most text.
    """
    digits = canonical(gold, base).translate(_NO_SIGNS).lstrip("0")
    row = digits.rstrip("0")

    def accepts(stretch: str) -> bool:
        # In a box small letters are digits: "add" is ADD there, and nowhere else.
        replies = _REPLIES[:2] if _is_word(digits.lower()) and not stretch.isupper() else _REPLIES
        long_enough = len(stretch) >= len(digits) or _POWER.search(stretch) is not None
        return (
            long_enough
            and len(stretch) <= _LONGEST_STRETCH
            and _has_row(stretch, row, base)
            and any(grade_number(gold, reply.format(stretch), base).is_correct for reply in replies)
        )

    if not _has_row(masked_text, row, base):
        return ()
    return innermost(audit(masked_text, lambda text: _stretches(text, base, len(row)), accepts))


def _has_row(text: str, row: str, base: Base) -> bool:
    """Whether the digits stand in the text with no other digit among them."""
    return row in digits_of(flattened(View.plain(text).text), base)


_NO_SIGNS = str.maketrans("", "", "-.")
_POWER = re.compile(r"[eE^×*x]")
_REPLIES = ("{}", "The answer is {}.", r"\boxed{{{}}}")
_APART = r"(?:[^\w+=^/×÷*<>%\n]|_|\*(?! )){1,12}"
_EXPONENT = r"(?:[eE][+-]?[0-9]{1,9}|\s?[×x*]\s?10\s?(?:\^|\*\*)\s?[{(]?[+-]?[0-9]{1,9}[})]?)?"
_START, _END = r"(?<![0-9A-Za-z])(?<![0-9][.,/])", r"(?![0-9A-Za-z]|\.[0-9])"
_HEX = r"(?<![0-9A-Za-z])(?:0[xX])?[0-9A-Fa-f]+[hH]?(?![0-9A-Za-z])"
# A number as far as its separators reach: within a word, and across blanks and marks.
_STRETCHES = {
    base: [
        re.compile(rf"{_START}{number}(?:{apart}{number})*{rest}") for apart in ("[,.'_]", _APART)
    ]
    for base, number, rest in ((10, "[0-9]+", f"{_EXPONENT}{_END}"), (16, _HEX, ""))
}


def _stretches(text: str, base: Base, shortest: int) -> Iterator[tuple[int, int]]:
    """Stretches of a masked text that may be read as a number or as stating one."""
    view = View.plain(text)
    flat = flattened(view.text)
    for pattern in _STRETCHES[base]:
        for found in pattern.finditer(flat):
            start, end = found.span()
            if end - start >= shortest:
                yield view.span(start, end)
    for line in LINE.finditer(text):
        yield from between_marks(text, *line.span())


@lru_cache(maxsize=1024)
def number_matcher(gold: str, operands: tuple[str, ...], base: Base) -> Matcher:
    """What looks for a whole number in both bases, and for the partial products that are masked.

    In a decimal task a number of few digits in base 16 is left alone where it is not marked as
    such, since it may be a decimal number or a word.
    """
    factors = [int(operand, base) for operand in operands]
    product = int(gold, base)
    hexadecimal = f"{product:X}"
    if base == 10:
        secrets = (product, *(partial_products(*factors) if factors else ()))
        shown = {f"{each:d}" for each in _factors_and_parts(*factors)}
    else:
        secrets = () if product == 16 else (product,)  # "base 16" stays
        shown = {f"{each:X}" for each in factors}
    decimals = tuple(dict.fromkeys(map(str, secrets)))
    is_marked_only = base == 10 and len(hexadecimal) < _MANY_HEX_DIGITS

    def find(text: str) -> Iterator[Match]:
        flat = flattened(text)
        yield from find_digits(flat, decimals, 10)
        for match in find_digits(flat, (hexadecimal,), 16):
            may_be_other = is_marked_only or _is_word(text[match[0] : match[1]])
            if not may_be_other or _is_marked(flat, match):
                yield match
        yield from find_scaled(flat, decimals, 10, shown)
        if not is_marked_only:
            yield from find_scaled(flat, (hexadecimal,), 16, shown)
        yield from find_words(flat, decimals)

    return find


_MARKED = re.compile(r"0[xX][^\n]*|[^\n]*[hH]")
_BASE_AFTER = re.compile(r"[\s)}$]{0,4}_\s?\{?\s?(?:16|hex)|\s?\((?:base[ -]?16|hex)", re.I)


def _is_word(digits: str) -> bool:
    """Whether digits of base 16 in small letters may be a word: "add", "facade"."""
    return digits.isalpha() and not digits.isupper() and len(digits) < NO_WORD


def _is_marked(flat: str, match: Match) -> bool:
    """Whether a number is marked as one in base 16, before or after it."""
    start, end, _ = match
    return bool(_MARKED.fullmatch(flat, start, end) or _BASE_AFTER.match(flat, end))
