"""The sides of equations and inequalities: what is a name, a number, a variable, a bound."""

from __future__ import annotations

import re
from fractions import Fraction

from feedback_friction.reading.mathematics.answer import Answer, Kind
from feedback_friction.reading.mathematics.exact import Expr, difference, is_real, key


def by_name(pair: tuple[str, Answer]) -> tuple[bool, str]:
    """Latin letters before Greek ones, as in (x, y), (m, n) and (r, theta)."""
    return pair[0].startswith("\\"), pair[0]


BELOW = {"\\le": "[", "<": "("}
ABOVE = {"\\le": "]", "<": ")"}
MIRROR = {"]": "[", ")": "(", "[": "]", "(": ")"}


def difference_of(small: Answer, large: Answer) -> Expr | None:
    """``small - large``, where both are exact; None where it is the same for all variables."""
    left, right = (side.value.exact if side.value else None for side in (small, large))
    if left is None or right is None:
        return None
    found = difference(left, right)
    return None if found is None or isinstance(found, Fraction) or not found.free_symbols else found


def lead(sides: Expr) -> Expr:
    """The rational factor of one term of a difference, always of the same."""
    factors = sides.as_coefficients_dict()
    return factors[max(factors, key=str)]


def linear_bound(small: Answer, large: Answer) -> tuple[Fraction, bool] | None:
    """Where ``small < large`` turns, for one variable to the first power, and whether its
    coefficient is positive: x is then below the bound."""
    sides = difference_of(small, large)
    line = sides.as_poly() if sides else None
    if line is None or len(line.gens) != 1 or line.degree() != 1:
        return None
    slope, offset = line.all_coeffs()
    if not (line.gens[0].is_Symbol and slope.is_Rational and offset.is_Rational):
        return None
    bound = -offset / slope
    return Fraction(int(bound.p), int(bound.q)), bool(slope > 0)


def order_key(parts: list[Answer], signs: list[str]) -> str | None:
    """An inequality as "sum < 0", up to a positive factor."""
    sides = difference_of(*parts) if len(parts) == 2 else None
    return f"{key(sides / abs(lead(sides)))}{signs[0]}0" if sides else None


_SCRIPT = r"'{0,3}(?: ?_ ?(?:\{[^{}]{1,20}\}|\w))?'{0,3}"
_NAME = re.compile(
    rf"(?:[A-Za-z]|\\[A-Za-z]+|[A-Z][A-Za-z]{{1,9}}|[A-Za-z]{{3,12}}){_SCRIPT}"  # x, x_1, AB, area
    # f(2), P(A or B); but x(x + 1) is a product
    rf"|(?:[f-hA-Zp-s]|\\[A-Za-z]+|gcd|lcm|max|min|deg|dim|[Vv]ar|Pr|det|\\text"
    rf" ?\{{[^{{}}]{{1,60}}\}})"
    rf"{_SCRIPT}(?:\^ ?\{{?-?\d\}}?)? ?\((?:[^()]|\([^()]{{0,40}}\)){{1,60}}\)"
    rf"|\( ?\\?[A-Za-z]+{_SCRIPT}(?: ?, ?\\?[A-Za-z]+{_SCRIPT}){{1,7}} ?\)"  # (x, y)
    r"|\| ?[A-Z]{1,3} ?\||E ?\[[^\[\]=]{1,40}\]"
)
_SEGMENTS = re.compile(r"(?:\\(?:frac|angle|triangle|overline|vec|widehat|mathrm)|[A-Z{}:/_ ()])+")
_VARIABLE = re.compile(r"(?!(?:pi|e|i|oo)$)[A-Za-z]+'*(?:_\w{1,8})?|abs\([A-Za-z]\w{0,5}\)")
_SUBSCRIPT = re.compile(r"_ ?(?:\{[^{}]{1,12}\}|\w)")
_FIGURES = re.compile(r"\d")


def is_name(side: str) -> bool:
    """Whether a side of an equation is but a name: ``x``, ``f(2)``, ``AB``, ``(x, y)``, words."""
    text = side.strip()
    if _NAME.fullmatch(text):
        return text not in ("\\pi", "e", "i", "\\infty", "\\reals")
    if _SEGMENTS.fullmatch(_SUBSCRIPT.sub("", text)) and any(char.isalpha() for char in text):
        return True
    return "\\text" in text and _FIGURES.search(text) is None


_ASSIGNED = re.compile(r" ?((?:\\?[A-Za-z]+)(?:_\{?\w{1,4}\}?)?) ?=(?!=)")


def assignment(text: str) -> str | None:
    """The variable that ``x = 5`` assigns."""
    match = _ASSIGNED.match(text)
    return match[1] if match else None


def is_variable(answer: Answer) -> bool:
    exact = answer.value.exact if answer.value else None
    return exact is not None and _VARIABLE.fullmatch(key(exact)) is not None


def is_number(answer: Answer) -> bool:
    exact = answer.value.exact if answer.value else None
    if exact is None:
        return answer.kind is Kind.VALUE and answer.value is not None and bool(answer.value.samples)
    return is_real(exact)


def is_interval(answer: Answer) -> bool:
    return answer.kind is Kind.TUPLE and len(answer.parts) == 2
