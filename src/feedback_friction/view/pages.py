"""From what was read to HTML: the templates, and the words and marks that they use.

Every text that goes into a page is escaped (Jinja's autoescape) and passes ``harmless``, so that
what a model wrote is neither markup nor able to reorder or hide what stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from feedback_friction.analysis.journal import IN_FLIGHT
from feedback_friction.caveats import caveats
from feedback_friction.view.index import Cell, Numbers
from feedback_friction.view.trial_page import MASK
from feedback_friction.view.untrusted import harmless, visible

WIDTH, HEIGHT = 120, 32  # of a curve, in its own units
_SYMBOLS = {"stopped": "■", "undecided": "?", "failed": "!", IN_FLIGHT: "…"}


class Arm(NamedTuple):
    """A condition as the page names it."""

    number: int  # in the run, from 1; 0 for another run's that is shown beside them
    name: str  # its feedback, and what else tells it from the others of the run
    result: Numbers
    link: str  # address of its problems


def arms(results: Sequence[Numbers], link: str = "") -> list[Arm]:
    """The conditions of a run, each with a name no longer than it takes to tell them apart."""
    conditions = [each.condition for each in results]
    varying = [
        name
        for name in ("task", "solver", "sampling", "history")
        if len({getattr(each, name) for each in conditions}) > 1
    ]
    names = [
        " · ".join(getattr(each, name) for name in ("feedback", *varying)) for each in conditions
    ]
    return [
        Arm(number, name, result, f"{link}?arm={number}")
        for number, (name, result) in enumerate(zip(names, results, strict=True), 1)
    ]


def cautions(results: Sequence[Numbers]) -> list[str]:
    """What must be said beside the numbers of a run."""
    return caveats({each.condition.solver: bool(each.condition.simulated) for each in results})


def symbol(cell: Cell) -> str:
    """What became of a trial, in a sign and at most two words."""
    if cell.solved_at is not None:
        return f"✓ {cell.solved_at + 1}"
    if cell.status in _SYMBOLS:
        return (
            f"{_SYMBOLS[cell.status]} {cell.status if cell.status != IN_FLIGHT else cell.attempts}"
        )
    if not cell.wrong:
        return "✕ no answer"
    if cell.answers == 1:
        return "✕ same" if cell.wrong > 1 else "✕ 1 answer"
    return f"✕ {cell.answers} answers"


def kind(cell: Cell) -> str:
    """The class of a cell, for its colour."""
    if cell.solved_at is not None:
        return "first" if cell.solved_at == 0 else "later"
    return "unsolved" if cell.status == "unsolved" else "open"


def words(cell: Cell) -> str:
    """What became of a trial, in words."""
    attempts = f"{cell.attempts} attempt{'' if cell.attempts == 1 else 's'}"
    if cell.solved_at is not None:
        said = [f"solved at attempt {cell.solved_at + 1}"]
    else:
        said = [f"{'not ended' if cell.status == IN_FLIGHT else cell.status} after {attempts}"]
    counted = (
        (cell.wrong, _wrong(cell)),
        (cell.no_answer, f"{cell.no_answer} without an answer"),
        (cell.cut_off, f"{cell.cut_off} cut off"),
        (cell.leaks, f"{cell.leaks} feedback texts with a leak"),
    )
    said += [each for count, each in counted if count]
    return ", ".join([*said, *([cell.reason] if cell.reason else [])])


def _wrong(cell: Cell) -> str:
    """How many wrong attempts, and how many answers they gave."""
    if cell.wrong < 2:
        return "1 wrong"
    answers = "the same answer" if cell.answers == 1 else f"{cell.answers} different answers"
    return f"{cell.wrong} wrong, {answers}"


def percent(share: float) -> str:
    """A share in whole per cent, or nothing where there is none."""
    return "" if share != share else f"{100 * share:.0f}%"


def curve(result: Numbers) -> dict[str, str]:
    """A condition's accuracy by attempt, from 0 at the bottom to 1 at the top.

    Returns:
        The points of the ``line``, and of the ``area`` of its interval.
    """
    count = len(result.curve)
    across = [round(WIDTH * k / max(1, count - 1), 1) for k in range(count)]

    def points(shares: Sequence[float]) -> list[str]:
        return [f"{x},{HEIGHT * (1 - y):.1f}" for x, y in zip(across, shares, strict=True)]

    high, low = [each.high for each in result.curve], [each.low for each in result.curve]
    area = [*points(high), *reversed(points(low))]
    line = points([each.value for each in result.curve])
    return {"line": " ".join(line), "area": " ".join(area)}


def pieces(text: str, leaks: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """A text in stretches: plain, ``masked`` (the mask was here) or ``leak`` (what it missed)."""
    known = [re.escape(each) for each in sorted(leaks, key=len, reverse=True) if each]
    found = re.compile("|".join([re.escape(MASK), *known]))
    at = 0
    for hit in found.finditer(text):
        if hit.start() > at:
            yield "", text[at : hit.start()]
        yield ("masked" if hit[0] == MASK else "leak"), hit[0]
        at = hit.end()
    if at < len(text):
        yield "", text[at:]


def _finalize(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment() -> Environment:
    """The templates, with every text escaped and without invisible characters."""
    made = Environment(
        loader=PackageLoader("feedback_friction.view"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (symbol, kind, words, percent, curve, pieces, visible):
        made.filters[function.__name__] = function
    return made
