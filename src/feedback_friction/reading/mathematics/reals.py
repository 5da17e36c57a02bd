"""Sets of real numbers, by sympy: unions, differences, points, all of R."""

from __future__ import annotations

import re
from fractions import Fraction

from feedback_friction.reading.mathematics.answer import Answer, Kind
from feedback_friction.reading.mathematics.exact import Expr, is_real, key, library

EVERYTHING = "(-oo,oo)"

_SIGNED = {
    "": EVERYTHING, "positive": "(0,oo)", "negative": "(-oo,0)", "nonnegative": "[0,oo)",
    "nonpositive": "(-oo,0]", "nonzero": "(-oo,0)\\cup (0,oo)",
}  # fmt: skip
_NUMBER = r"\$?-?\d{1,9}(?:/\d{1,9})?\$?"
IN_WORDS = re.compile(
    r"(?i)(?P<all>\b(?:the\s*)?set\s*of\s*(?:all\s*)?|\b(?:all|every"
    r"|any)\s*(?:of\s*)?)?(?:\bthe\s*)?"
    r"(?P<sign>(?:positive|non-?\s?negative|negative|non-?\s?positive|non-?\s?zero)\s*)?"
    r"(?:reals\b|(?<=any )real\b|real\s*(?:numbers?|values?|x)\b(?:\s*x\b)?)"
    r"(?:,?\s*(?:except|other\s*than|but|apart\s*from|excluding|besides|without)(?:\s*for)?"
    rf"\s*(?P<gone>{_NUMBER}(?:(?:\s*,|\s*and)+\s*{_NUMBER}){{0,5}})(?![\w^/]))?"
)


def in_words(found: re.Match[str]) -> str:
    """What ``IN_WORDS`` found, in signs: "all real numbers except 2"."""
    whole = _SIGNED[re.sub(r"[\s-]", "", (found["sign"] or "").lower())]
    gone = re.findall(r"-?\d+(?:/\d+)?", found["gone"] or "")
    return whole + (f"\\setminus\\{{{','.join(gone)}\\}}" if gone else "")


def as_set(answer: Answer) -> Expr | None:
    """The set of reals that an answer is; None where it is none, or its bounds are too hard."""
    try:
        return _set(answer)
    except Exception:  # no such set, or bounds that the library cannot put in order
        return None


def _set(answer: Answer) -> Expr:
    sympy = library()
    if answer.kind is Kind.SET:
        return sympy.FiniteSet(*map(_bound, answer.parts))
    if answer.kind is Kind.UNION:
        return sympy.Union(*map(_set, answer.parts))
    if answer.kind is not Kind.TUPLE or answer.brackets[0] not in "([":
        raise ValueError(answer.kind)
    lower, upper = map(_bound, answer.parts)
    if not lower <= upper:
        raise ValueError("no interval")
    return sympy.Interval(lower, upper, answer.brackets[0] == "(", answer.brackets[1] == ")")


def _bound(answer: Answer) -> Expr:
    value = answer.value.exact if answer.value and answer.kind is Kind.VALUE else None
    if value is None or not is_real(value):
        raise ValueError("no number")
    return library().sympify(value)


def without(whole: Answer, gone: Answer) -> str | None:
    """The numbers of one set that are not in another; None where one of the two is no such set."""
    left, cut = as_set(whole), as_set(gone)
    return None if left is None or cut is None else _written(left - cut)


def common(sets: list[Answer]) -> str | None:
    """The numbers that are in all of some sets; None where there are none."""
    found = [as_set(each) for each in sets]
    both = None if None in found else library().Intersection(*found)
    return None if both is None or both.is_empty is not False else _written(both)


def _written(found: Expr) -> str:
    """A set as the text of an answer."""
    sympy = library()
    if isinstance(found, sympy.Union):
        return "\\cup".join(map(_written, found.args))
    if isinstance(found, sympy.FiniteSet):
        return "\\{" + ",".join(map(_number, found.args)) + "\\}"
    if not isinstance(found, sympy.Interval):
        return "\\emptyset"
    opening, closing = "(" if found.left_open else "[", ")" if found.right_open else "]"
    return f"{opening}{_number(found.start)},{_number(found.end)}{closing}"


def _number(value: Expr) -> str:
    return key(Fraction(int(value.p), int(value.q)) if value.is_Rational else value)
