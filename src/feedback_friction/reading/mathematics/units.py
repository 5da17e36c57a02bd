"""Units of measurement: an answer in another unit than gold's is another answer."""

from __future__ import annotations

import re

# A unit's names between bars, the shortest first. What is not here is forgiven, as none is.
_NAMES = (
    "mm millimeter millimetre|cm centimeter centimetre|m meter metre|km kilometer kilometre|in inch"
    " inche|ft foot feet|yd yard|mi mile|mg milligram|g gram|kg kilogram|oz ounce|lb pound lbs|ml"
    " milliliter millilitre|l liter litre|sec second s|min minute|hr hour h|day|week|month|year"
    "|cent|dollar"
)
_UNITS = {each: names.split()[0] for names in _NAMES.split("|") for each in names.split()}
_LAST = re.compile(
    r"\d[\s\\,~]*(?:\\(?:text|mathrm|mbox)\s*\{\s*)?([A-Za-z]+)(?:\^?\{?[23]\}?)?[\s.}]*$"
)


def units_differ(one: str, other: str) -> bool:
    """Whether two answers name units, each as its last word, and not the same."""
    if one[-1:].isdigit() or other[-1:].isdigit():  # as nearly all do; quicker than the pattern
        return False
    left, right = _unit(one), _unit(other)
    return left is not None and right is not None and left != right


def _unit(text: str) -> str | None:
    found = _LAST.search(text)
    if found is None:
        return None
    word = found[1] if len(found[1]) == 1 else found[1].lower()
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))
