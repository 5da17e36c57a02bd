"""What of a run is asked for: filters, search and page, as they stand in the address of the page.

A link therefore says all that is on the page, and the browser's own back and forward work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

from feedback_friction.analysis.journal import ENDED, IN_FLIGHT
from feedback_friction.errors import UsageError

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

LONGEST_TEXT = 200  # characters of a search
_MOST_PAGES = 1_000_000


class Choice(NamedTuple):
    """Something to filter by: its name on the page, and what a row of ``cells`` has to meet.

    ``{arms}`` stands for the numbers of the conditions that are shown.
    """

    title: str
    sql: str


OUTCOMES = {
    "first": Choice("solved at once", "(status = 'solved' AND solved_at = 0)"),
    "later": Choice("solved after feedback", "(status = 'solved' AND solved_at > 0)"),
    "unsolved": Choice("unsolved", "status = 'unsolved'"),
    "stopped": Choice("stopped", "status = 'stopped'"),
    "undecided": Choice("undecided", "status = 'undecided'"),
    "failed": Choice("failed", "status = 'failed'"),
    "flight": Choice("not ended", f"status = '{IN_FLIGHT}'"),
}
FLAGS = {
    "same": Choice("same wrong answer again", "wrong > answers"),
    "none": Choice("no answer", "no_answer > 0"),
    "cut": Choice("cut off", "cut_off > 0"),
    "leak": Choice("leak", "leaks > 0"),
    "differ": Choice(
        "conditions differ",
        "(place, epoch) IN (SELECT place, epoch FROM cells WHERE arm IN ({arms})"
        f" AND status IN {ENDED} GROUP BY place, epoch HAVING min(solved) < max(solved))",
    ),
}


class Beside(NamedTuple):
    """A condition that stands beside another one: its number, and its run where that is another.

    In an address it is ``3``, or ``3@run``.
    """

    arm: int
    run: str = ""

    def __str__(self) -> str:
        return f"{self.arm}@{self.run}" if self.run else str(self.arm)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter, and what is shown of what passes it."""

    arms: tuple[int, ...] = ()  # numbers of the conditions to show; none is all
    outcomes: tuple[str, ...] = ()  # how a trial may have ended; none is any
    flags: tuple[str, ...] = ()  # what must have happened in it, all of it
    text: str = ""  # in its problem, replies, answers or feedback; ASCII letters of either case
    page: int = 1  # of the grid
    beside: Beside | None = None  # beside a trial; a column of the grid, too, if of another run

    @property
    def narrows(self) -> bool:
        """Whether some trials of the shown conditions may not match."""
        return bool(self.outcomes or self.flags or self.text)

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as it stands in an address, without the page."""
        found = [("arm", str(arm)) for arm in self.arms]
        found += [("is", name) for name in self.outcomes]
        found += [("has", name) for name in self.flags]
        found += [("q", self.text)] if self.text else []
        return [*found, *([("beside", str(self.beside))] if self.beside else [])]

    def query(self, **more: object) -> str:
        """The filter as a query, with more parameters after it."""
        return urlencode([*self.pairs(), *((name, str(value)) for name, value in more.items())])

    def at(self, page: int) -> Wanted:
        """The same on another page."""
        return replace(self, page=page)

    def with_beside(self, beside: Beside | None) -> Wanted:
        """The same with another condition beside, or with none."""
        return replace(self, beside=beside)

    def shown(self, there: Iterable[int]) -> list[int]:
        """The numbers of the conditions that are shown; 0 is that of another run."""
        own = list(there)
        chosen = [arm for arm in own if arm in self.arms] or own
        return [*chosen, *([0] if self.beside and self.beside.run else [])]


def read_wanted(query: QueryParams) -> Wanted:
    """The filter in an address."""
    text = query.get("q", "").strip()
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"a search has at most {LONGEST_TEXT} characters")
    return Wanted(
        tuple(whole_number(each, "arm") for each in query.getlist("arm")),
        _known(query.getlist("is"), OUTCOMES, "is"),
        _known(query.getlist("has"), FLAGS, "has"),
        text,
        max(1, whole_number(query.get("page", "1"), "page")),
        _beside(query.get("beside", "")),
    )


def _beside(given: str) -> Beside | None:
    number, _, run = given.partition("@")
    arm = whole_number(number or "0", "beside")
    return Beside(arm, run) if arm else None


def whole_number(text: str, name: str) -> int:
    """A number from an address."""
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= _MOST_PAGES):
        raise UsageError(f"'{name}' in the address must be a whole number, not {text[:40]!r}")
    return int(text)


def _known(given: Iterable[str], there: dict[str, Choice], name: str) -> tuple[str, ...]:
    for each in given:
        if each not in there:
            raise UsageError(f"'{name}={each[:40]}' in the address; allowed: {', '.join(there)}")
    return tuple(given)
