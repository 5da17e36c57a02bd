"""Units of measurement: an answer in another unit is the same where it is as much of the same."""

from __future__ import annotations

import re
from fractions import Fraction

# Of each quantity the units, with how much of the first they are, exactly, and their names. A
# month and a year are no fixed number of days. What is not here is forgiven, as none is.
_QUANTITIES = (
    "1 m meter metre|1/1000 mm millimeter millimetre|1/100 cm centimeter centimetre"
    "|1000 km kilometer kilometre|127/5000 in inch inche|381/1250 ft foot feet|1143/1250 yd yard"
    "|201168/125 mi mile",
    "1 g gram|1/1000 mg milligram|1000 kg kilogram",
    "1 oz ounce|16 lb pound lbs",
    "1 l L liter litre|1/1000 ml milliliter millilitre",
    "1 sec second s|60 min minute|3600 hr hour h|86400 day|604800 week",
    "1 month|12 year",
    "1 cent|100 dollar",
)
_UNITS = {
    name: (at, Fraction(size))
    for at, quantity in enumerate(_QUANTITIES)
    for size, *names in map(str.split, quantity.split("|"))
    for name in names
}
_NAME = r"(?P<unit>[A-Za-z]+)(?:\^?\{?(?P<power>[23])\}?)?"
_LAST = re.compile(rf"\d[\s\\,~}}]*(?:\\(?:text|mathrm|mbox)\s*\{{\s*)?"
                   rf"(?:(?P<square>square|sq\.?)\s|(?P<cubic>cubic|cu\.?)\s)?{_NAME}(?:\s?\}})?"
                   r"(?:\^?\{?(?P<outer>[23])\}?)?[\s.}]*$")  # fmt: skip
_NEXT = re.compile(r"\s?(?!in\s)([A-Za-z]+)(?![A-Za-z'-])")
_GLUED = re.compile(r"\s*([-\d.,]*\d)([A-Za-z]{1,12})[\s.]*")
_WORD = re.compile(r"[A-Za-z]+")

Unit = tuple[int, Fraction, int]  # quantity, size, power


def unit_of(text: str) -> Unit | None:
    """The unit that an answer names as its last word."""
    if text[-1:].isdigit() and "^" not in text:  # as nearly all do; quicker than the pattern
        return None
    found = _LAST.search(text)
    known = _known(found["unit"]) if found else None
    if found is None or known is None:
        return None
    power = 2 if found["square"] else 3 if found["cubic"] else found["power"] or found["outer"]
    return (*known, int(power or 1))


def _known(word: str) -> tuple[int, Fraction] | None:
    name = word if len(word) == 1 else word.lower()
    return _UNITS.get(name) or _UNITS.get(name.removesuffix("s"))


def ratio(gold: str, other: str) -> Fraction | None:
    """How many of gold's units one of the other's is; None where one of them names none.

    0 where they are units of different quantities.
    """
    one, two = unit_of(gold), unit_of(other)
    if one is None or two is None:
        return None
    if one[2] != two[2]:  # "5 cm" for an area is careless, not another number
        return Fraction(one[:2] == two[:2])
    return (two[1] / one[1]) ** one[2] if one[0] == two[0] else Fraction(0)


def units_differ(one: str, other: str) -> bool:
    """Whether two answers name units, and not the same."""
    return ratio(one, other) not in (None, 1)


def names_unit(text: str, gold: str) -> bool:
    """Whether a question names the unit of its gold answer: another is then no answer."""
    unit = unit_of(gold)
    return unit is not None and any(_known(word) == unit[:2] for word in _WORD.findall(text))


def apart(text: str) -> str:
    """A number and the unit that is written on to it, with a space between: "1500m"."""
    found = _GLUED.fullmatch(text)
    return f"{found[1]} {found[2]}" if found and _known(found[2]) else text


def with_unit(text: str, at: int) -> int:
    """Where the unit ends that follows a number which ends at a place; that place if none does."""
    found = _NEXT.match(text, at)
    return found.end() if found and _known(found[1]) else at
