"""Finds a whole number in a text, however it is written.

With digits: "5781709410", "5,781,709,410", "5 781 709 410", "5{,}781{,}709{,}410",
"57**8**1709410", "5-7-8-1-7-0-9-4-1-0", "0005781709410.00"; in base 16 also "0xDCB2096CA",
"DCB2_096CAh". Digit by digit: "five seven eight one ...". Scaled: "5.78170941e9",
"10^9 * 5.78170941", "5781709.41 thousand"; in base 16 "A9A0325 * 16^2". In words: "five billion
seven hundred ...", "5 billion 781 million 709 thousand 410"; other languages are out of scope.

Six digits or more are looked for with any separators at all: that they follow each other by chance
is out of the question. Fewer are looked for as one word or in regular groups only. A number is
never found inside a longer one: not "42" in "1420", "42,000", "4.2", "42.5", "42e3", not
"781,709,410" in "5,781,709,410". Only what is exactly equal counts: "5.78 billion" stays.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

from feedback_friction.protocol.masking.gate import Match
from feedback_friction.reading.number_words import SMALL_NUMBERS, spelled_numbers
from feedback_friction.reading.numerals import Base

_MANY_DIGITS = 6
_FEWEST_SPELLED = 4
_LONGEST = 100  # characters before a number that are looked at for groups that go on

# --- markup --------------------------------------------------------------------------------------

# Markup that may stand between two digits of one number, and the operators written as macros.
_MARKUP = re.compile(
    r"\\(?:(?:text)?color\{\w{1,20}\}|[hv]?phantom\{[^{}\n]{0,40}\})"
    r"|\\(?:[A-Za-z]+|[^A-Za-z0-9])"
    r"|</?[A-Za-z][^<>\n]{0,60}>"
    r"|&(?:[A-Za-z]{2,8}|#x?[0-9A-Fa-f]{2,6});"
    r"| (?:and|then)(?= )"
)
_OPERATORS = {
    r"\times": "×",
    r"\cdot": "×",
    r"\ast": "×",
    r"\div": "÷",
    r"\frac": "÷",
    r"\to": "→",
    "<sup>": "^",
    "&times;": "×",
    "&lt;": "<",
    "&gt;": ">",
}


@lru_cache(maxsize=4)  # the gate's last repetition and the audit see the same text
def flattened(view: str) -> str:
    """A view in small letters, ready to be searched for numbers, with every offset as it was.

    Macros, tags, entities and the words "and" and "then" are blanks; macros that calculate are one
    operator sign and blanks.
    """
    text = _MARKUP.sub(lambda found: _OPERATORS.get(found[0], " ").ljust(len(found[0])), view)
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if char.isascii() else char for char in text)  # "İ" would be two


# --- digit by digit ------------------------------------------------------------------------------

_DIGITS: dict[Base, str] = {10: "0-9", 16: "0-9a-f"}
_NAMES = {name: str(digit) for digit, name in enumerate(SMALL_NUMBERS[:10])} | {"oh": "0"}
_RUN = {
    base: re.compile(rf"(?<![a-z0-9])(?:{'|'.join(_NAMES)})(?![a-z0-9])|[{digits}]+")
    for base, digits in _DIGITS.items()
}
# Between digits of one number: anything but letters and what calculates or compares. An asterisk
# with spaces around it multiplies, any other is emphasis.
_GAP = re.compile(r"(?:[^\w+=^/×÷·⋅∙∗<>%≈≠→⇒*]|_|\*(?! )|(?<! )\*(?= )){1,40}")
_GROUP_GAP = re.compile(r"\{?(?:[,'_]|[ ~]{1,2})\}?")
_IN_GROUP = re.compile(r"[0-9]\{?[,'_]\}?\Z"), re.compile(r"\{?[,'_]\}?[0-9]{3}(?![0-9])")
_PREFIX = re.compile(r"(?<![0-9a-z])0x\Z")
_WORD_GOES_ON = re.compile("[a-gi-z]|h[0-9a-z]")
# Before a number: no fraction's point, and in base 10 no letters of a number in base 16.
_BEFORE: dict[Base, re.Pattern[str]] = {
    10: re.compile(r"[0-9]\.\Z|(?<![0-9a-z])[0-9a-f]*[a-f]\Z"),
    16: re.compile(r"[0-9]\.\Z"),
}
# After it: no fraction but zeros, no exponent but zero, no letters of a number in base 16.
_ZEROS = r"\.0+(?![0-9])|,0{1,2}(?![0-9])|(?!\.[0-9]+(?![0-9a-z]))"
_AFTER: dict[Base, re.Pattern[str]] = {
    10: re.compile(
        rf"(?:{_ZEROS}(?![0-9a-f]{{1,20}}(?![0-9a-z])))(?:e[+-]?0+(?![0-9a-z])|(?!e[+-]?0*[1-9]))"
    ),
    16: re.compile(rf"(?:{_ZEROS})(?:h(?![0-9a-z]))?"),
}


@lru_cache(maxsize=8)  # most texts have none of the numbers looked for
def digits_of(flat: str, base: Base) -> str:
    """All digits of a flattened text in order, in capitals, those that are named included.

    In base 16 the letters of words are digits, too.
    """
    return "".join([_NAMES.get(run, run) for run in _RUN[base].findall(flat)]).upper()


def find_digits(flat: str, targets: Iterable[str], base: Base) -> Iterator[Match]:
    """Where one of the numbers stands, digit by digit.

    Args:
        flat: the flattened text.
        targets: digits without leading zeros, in upper case.
        base: which characters are digits.

    Yields:
        ``(start, end, form)``; form is "plain", "grouped" (regular groups), "separated" or
        "spelled".
    """
    digits = digits_of(flat, base)
    present = [target for target in targets if target in digits]
    runs = list(_RUN[base].finditer(flat)) if present else []
    begins = [0, *accumulate(len(_NAMES.get(run[0], run[0])) for run in runs)]
    for target in present:
        at = digits.find(target)
        while at >= 0:
            first = bisect_right(begins, at) - 1
            last = bisect_left(begins, at + len(target))
            if begins[last] == at + len(target) and not digits[begins[first] : at].strip("0"):
                found = _checked(flat, runs[first:last], base, len(target))
                if found is not None:
                    yield found
            at = digits.find(target, begins[first + 1])


def _checked(flat: str, runs: Sequence[re.Match[str]], base: Base, length: int) -> Match | None:
    """The match that runs of digits make; None where they are no number or part of a longer one."""
    start, end = runs[0].start(), runs[-1].end()
    before, after = flat[max(0, start - _LONGEST) : start], _AFTER[base].match(flat, end)
    gaps = [flat[one.end() : two.start()] for one, two in pairwise(runs)]
    if after is None or _BEFORE[base].search(before) or not all(map(_GAP.fullmatch, {*gaps})):
        return None
    prefix = _PREFIX.search(before)
    if base == 16 and length < _MANY_DIGITS:
        # "答案是6FF2": no word of another script goes on in Latin letters
        in_word = before[-1:].isascii() and before[-1:].isalpha() and not prefix
        if in_word or _WORD_GOES_ON.match(flat, end):
            return None
    form = _form(flat, runs, gaps, base, length)
    return (start - 2 * bool(prefix), after.end(), form) if form else None


def _form(
    flat: str, runs: Sequence[re.Match[str]], gaps: Sequence[str], base: Base, length: int
) -> str:
    """How a number is written; "" where its runs of digits are not one, or go on."""
    start, end = runs[0].start(), runs[-1].end()
    if any(run[0] in _NAMES for run in runs):
        return "spelled" if length >= _FEWEST_SPELLED else ""
    if not gaps:
        longer = base == 10 and end - start <= 3 and _IN_GROUP[1].match(flat, end)
        after_group = base == 10 and end - start == 3 and _IN_GROUP[0].search(flat[:start][-8:])
        return "" if longer or after_group else "plain"
    if gaps[-1] == "." and gaps.count(".") == 1:  # "5781.709410" is a decimal fraction
        return ""
    first, *sizes = [len(run[0]) for run in runs]
    size = sizes[0] if len({*gaps}) == len({*sizes}) == 1 and first <= sizes[0] else 0
    grouped = size > 2 and _GROUP_GAP.fullmatch(gaps[0])
    if length < _MANY_DIGITS and not grouped and {*gaps} != {"_"}:
        return ""
    if size and _goes_on(flat, start, end, first == size, gaps[0], f"[{_DIGITS[base]}]", size):
        return ""
    return "grouped" if size > 1 else "separated"


def _goes_on(
    flat: str, start: int, end: int, may_precede: bool, gap: str, digit: str, size: int
) -> bool:
    """Whether the same regular grouping goes on beyond a number: "15,781,709,410".

    Groups of zeros before it are none of a longer number; "a", "be" and "add" are words.
    """
    group = f"(?=[a-f]*[0-9]){digit}" if not gap.strip() else digit
    joint = re.escape(gap)
    after = rf"(?!_1[06](?![0-9a-z_])){joint}{group}{{{size}}}(?![0-9a-z])"
    if re.compile(after).match(flat, end):
        return True
    before = rf"(?<![0-9a-z])(?:{group}{{1,{size}}}{joint})+\Z"
    found = re.search(before, flat[max(0, start - _LONGEST) : start]) if may_precede else None
    return found is not None and re.search("[1-9a-f]", found[0]) is not None


# --- times a power of the base -------------------------------------------------------------------

_SCALES = (
    {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
    | {"k": 3, "m": 6, "mn": 6, "b": 9, "bn": 9}
    | {"lakh": 5, "crore": 7}
)
_TIMES = r"[\s}\])$*`_~]{0,12}(?:[×x·⋅∙∗]|(?<!\*)\*(?!\*))[\s{\[($*`_~]{0,12}"
# 10^9 or a one with zeros.
_FACTOR = (
    r"1(?:[06][\s}]{0,6}(?:\^|\*\*)\s{0,6}(?P<open>[{(])?\s{0,6}"
    r"(?P<power>\+?[0-9]{1,3})(?![0-9])(?(open)\s{0,6}[})])"
    r"|(?P<round>[0, '_{}]*0)(?![0-9a-z]|,[0-9]{3}(?![0-9])))"
)
_EXPONENT = r"e(?P<exponent>[+-]?[0-9]{1,3})(?![0-9a-z])"
_SCALE = (
    rf"[\s}}\])$*`_~]{{0,12}}-?[\s{{]{{0,12}}(?P<scale>{'|'.join(_SCALES)})s?(?![a-z])"
    # "2 billion 5 hundred thousand" goes on
    r"(?!,?[\s-]{1,8}(?:[0-9]{1,3}|[a-z]{3,9})[\s-]{1,8}(?:hundred|thousand|million))"
)


def _scaled(digit: str, scales: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A run of digits with what it is multiplied by after it, and before it."""
    gap = r"[,.'_ {}~]"
    # All of it, or nothing: possessive quantifiers keep a wrong end in Python 3.11.2.
    run = rf"(?=(?P<run>[{digit}](?:[{digit}]|{gap}{{1,6}}(?=[{digit}])){{0,79}}))(?P=run)"
    return (
        re.compile(rf"(?<![{digit}]){run}(?:{_TIMES}{_FACTOR}{scales})"),
        re.compile(rf"(?<![0-9a-z.]){_FACTOR}{_TIMES}{run}"),
    )


_SCALED: dict[Base, tuple[re.Pattern[str], re.Pattern[str]]] = {
    10: _scaled("0-9", f"|{_EXPONENT}|{_SCALE}"),
    16: _scaled("0-9a-f", ""),
}
# Where a run of digits may be several numbers.
_APART = re.compile(r"(?:[,.'_{}~]* [,.'_ {}~]*|,(?![0-9a-f]{3}(?![0-9a-f])))(?=[0-9a-f])")


def find_scaled(
    flat: str, targets: Iterable[str], base: Base, shown: Collection[str] = ()
) -> Iterator[Match]:
    """Where one of the numbers stands as another number times a power of the base.

    Args:
        flat: the flattened text.
        targets: digits without leading zeros, in upper case.
        base: which characters are digits, and what "10" means.
        shown: digits of numbers whose products with each other stay: in "77970 * 10000" as in the
            question, nobody has multiplied anything yet.

    Yields:
        ``(start, end, "scaled")`` over number and factor.
    """
    present = [each for each in targets if each.strip("0") in digits_of(flat, base)]
    wanted = {int(target, base) for target in present} - {0}
    after, before = _SCALED[base]
    for found in after.finditer(flat) if wanted else ():
        for start in (0, *(cut.end() for cut in _APART.finditer(found["run"]))):
            if _is_one_of(wanted, found["run"][start:], found, base, shown):
                yield found.start("run") + start, found.end(), "scaled"
                break
    for found in before.finditer(flat) if wanted else ():
        ends = [*(cut.start() for cut in _APART.finditer(found["run"])), len(found["run"])]
        for end in reversed(ends):
            if _is_one_of(wanted, found["run"][:end], found, base, shown):
                yield found.start(), found.start("run") + end, "scaled"
                break


def _is_one_of(
    wanted: Collection[int], written: str, factor: re.Match[str], base: Base, shown: Collection[str]
) -> bool:
    """Whether a number times the factor is wanted.

    A single point is a decimal point. A comma before three digits groups; before more or fewer it
    may be a decimal comma. In base 16 there are no fractions.
    """
    groups = factor.groupdict()
    exponent = _exponent(groups)
    digits = re.sub("[^0-9a-f]", "", written).upper().lstrip("0")
    if groups["round"] and digits in shown and f"1{'0' * exponent}" in shown:
        return False
    last = re.search(r"([,.])([0-9a-f]+)\Z", written)
    fractions = [0]
    if last and last[1] == "." and written.count(".") == 1:
        fractions = [len(last[2])]
    elif last and last[1] == "," and len(last[2]) != 3:
        fractions = [0, len(last[2])]
    value = int(digits or "0", base) * base ** max(exponent, 0)
    places = [base ** (fraction - min(exponent, 0)) for fraction in fractions]
    return any(value == number * place for number in wanted for place in places)


def _exponent(factor: dict[str, str | None]) -> int:
    """The k of the factor base**k."""
    if factor["round"]:
        return factor["round"].count("0")
    if scale := factor.get("scale"):
        return _SCALES[scale]
    return int(factor["power"] or factor.get("exponent") or 0)


# --- in words ------------------------------------------------------------------------------------


def find_words(flat: str, targets: Iterable[str]) -> Iterator[Match]:
    """Where one of the numbers stands in words, or in groups of digits with words between them."""
    wanted = {int(target) for target in targets}
    for start, end, value in spelled_numbers(flat):
        if value in wanted and not flat[end : end + 1].isdigit():
            yield start, end, "words"
