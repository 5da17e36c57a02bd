"""Sets of real numbers as disjoint intervals in order: unions, differences, points, all of R."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from feedback_friction.reading.mathematics.answer import Answer, Kind, Value
from feedback_friction.reading.mathematics.nodes import Number, Sum, Symbol

_OPENING, _CLOSING = {"(": False, "[": True}, {")": False, "]": True}


@dataclass(frozen=True, slots=True)
class Interval:
    """All numbers between two bounds; ``least`` and ``most`` are the bounds as floats."""

    lower: Answer
    has_lower: bool
    upper: Answer
    has_upper: bool
    least: float
    most: float


def infinity(sign: int) -> Answer:
    """An infinite bound."""
    node = Symbol("oo") if sign > 0 else Sum(((True, Symbol("oo")),))
    key = "oo" if sign > 0 else "-oo"
    return Answer(Kind.VALUE, key, "\\infty" if sign > 0 else "-\\infty", Value(node))


def rational(value: Fraction) -> Answer:
    """A rational bound."""
    return Answer(Kind.VALUE, str(value), str(value), Value(Number(value)))


def _interval(lower: Answer, has_lower: bool, upper: Answer, has_upper: bool) -> Interval | None:
    least, most = _number(lower), _number(upper)
    if least is None or most is None or least > most:
        return None
    return Interval(lower, has_lower, upper, has_upper, least, most)


def _number(bound: Answer) -> float | None:
    """A bound as a float; None where it has no single real value."""
    if bound.key in ("oo", "+oo", "-oo"):
        return -math.inf if bound.key[0] == "-" else math.inf
    samples = bound.value.samples if bound.value and bound.kind is Kind.VALUE else None
    if not samples or any(sample != samples[0] for sample in samples) or samples[0].imag:
        return None
    return samples[0].real


def everything() -> Answer:
    """All real numbers."""
    bounds = (infinity(-1), infinity(1))
    return Answer(Kind.REALS, "(-oo,oo)", "\\reals", None, bounds, "()")


def intervals(answer: Answer) -> tuple[Interval, ...] | None:
    """The set of reals that an answer is, in order and disjoint; None where it is none."""
    found = _pieces(answer)
    return None if found is None else tuple(_merged(found))


def _pieces(answer: Answer) -> list[Interval] | None:
    if answer.kind in (Kind.TUPLE, Kind.REALS) and answer.brackets:
        if len(answer.parts) != 2 or answer.brackets[0] not in _OPENING:
            return None
        one = _interval(
            answer.parts[0], _OPENING[answer.brackets[0]],
            answer.parts[1], _CLOSING[answer.brackets[1]],
        )  # fmt: skip
        return None if one is None else [one]
    if answer.kind is Kind.SET:
        points = [_interval(part, True, part, True) for part in answer.parts]
        return None if None in points else [point for point in points if point]
    if answer.kind in (Kind.UNION, Kind.REALS):
        each = [_pieces(part) for part in answer.parts]
        return None if None in each else [one for some in each for one in some or ()]
    return None


def _merged(found: Sequence[Interval]) -> Iterator[Interval]:
    """In order, what overlaps or touches as one."""
    last: Interval | None = None
    for one in sorted(found, key=lambda one: (one.least, not one.has_lower, one.most)):
        if last is None:
            last = one
        elif one.least < last.most or (
            one.least == last.most and (one.has_lower or last.has_upper)
        ):
            wider = (one.most, one.has_upper) > (last.most, last.has_upper)
            upper, has_upper, most = (
                (one.upper, one.has_upper, one.most)
                if wider
                else (last.upper, last.has_upper, last.most)
            )
            last = Interval(last.lower, last.has_lower, upper, has_upper, last.least, most)
        else:
            yield last
            last = one
    if last is not None:
        yield last


def without(whole: Answer, gone: Answer, source: str) -> Answer | None:
    """The numbers of one set that are not in another; None where one of the two is no such set."""
    left, cuts = intervals(whole), intervals(gone)
    if left is None or cuts is None:
        return None
    for cut in cuts:
        left = tuple(piece for one in left for piece in _cut(one, cut))
    return united(left, source)


def _cut(one: Interval, cut: Interval) -> Iterator[Interval]:
    if cut.most < one.least or cut.least > one.most:
        yield one
        return
    below = _interval(one.lower, one.has_lower, cut.lower, not cut.has_lower)
    above = _interval(cut.upper, not cut.has_upper, one.upper, one.has_upper)
    for piece in (below, above):
        if piece and (piece.least < piece.most or (piece.has_lower and piece.has_upper)):
            yield piece


def united(pieces: Sequence[Interval], source: str) -> Answer:
    """Intervals as one answer."""
    parts = tuple(_shown(piece) for piece in pieces)
    if len(parts) == 1:
        return parts[0]
    key = "U".join(part.key for part in parts) or "{}"
    return Answer(Kind.REALS, key, source, None, parts)


def _shown(piece: Interval) -> Answer:
    brackets = ("[" if piece.has_lower else "(") + ("]" if piece.has_upper else ")")
    key = f"{brackets[0]}{piece.lower.key},{piece.upper.key}{brackets[1]}"
    return Answer(Kind.REALS, key, key, None, (piece.lower, piece.upper), brackets)
