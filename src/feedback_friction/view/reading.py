"""What each page shows, read from a run: the values that its template is filled with."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from feedback_friction.errors import UsageError
from feedback_friction.labels import read_labels
from feedback_friction.view.index import Cell, cells_of, neighbours, read_grid
from feedback_friction.view.labelling import label_view
from feedback_friction.view.pages import Arm, arms, cautions
from feedback_friction.view.shelf import Run
from feedback_friction.view.trial import TrialText, read_trial
from feedback_friction.view.wanted import FLAGS, OUTCOMES, Wanted


def overview(run: Run, root: str) -> dict[str, Any]:
    """A run's conditions with their numbers so far."""
    results = run.refreshed()
    solvers = dict.fromkeys(each.condition.solver for each in results)
    tasks = dict.fromkeys(each.condition.task for each in results)
    return {
        "name": run.name,
        "about": " · ".join([*tasks, *solvers]),
        "link": f"{root}runs/{quote(run.name)}/",
        "arms": arms(results),
        "cautions": cautions(results),
    }


def run_page(run: Run, root: str, wanted: Wanted) -> dict[str, Any]:
    """A run's conditions, and a page of its problems."""
    shown = overview(run, root)
    chosen = [arm for arm in shown["arms"] if arm.number in wanted.arms] or shown["arms"]
    grid = read_grid(run.db, wanted, [arm.number for arm in chosen])
    page = min(wanted.page, grid.pages)
    more = {"outcomes": OUTCOMES, "flags": FLAGS, "wanted": wanted, "page": page}
    return {**shown, **more, "shown": chosen, "grid": grid}


def trial_page(
    run: Run,
    root: str,
    wanted: Wanted,
    at: int,
    problem: str,
    epoch: int,
    beside: int,
    *,
    blind: bool,
) -> dict[str, Any]:
    """A trial, and another condition's trial of the same problem beside it where one is wanted.

    Args:
        at: number of the condition.
        beside: number of the other one; 0 for none.
        blind: whether labels stay unseen, because the reader is to label.

    Raises:
        UsageError: there is no such trial.
    """
    shown = overview(run, root)
    by_number = {arm.number: arm for arm in shown["arms"]}
    if at not in by_number:
        raise UsageError("no such condition in this run")
    cells = cells_of(run.db, problem, epoch, by_number[at].result.condition.condition)
    if at not in cells:
        raise UsageError("no such trial in this run yet")
    pages = _Links(shown["link"], wanted, problem, epoch, beside if beside in cells else 0)
    before, after = neighbours(run.db, wanted, cells[at])
    second = pages.beside if pages.beside != at else 0
    return {
        **shown,
        **_column(run, by_number[at], cells[at], pages),
        "wanted": wanted,
        "before": before and pages.neighbour(before),
        "after": after and pages.neighbour(after),
        "across": [_arm(by_number[arm], cell, at, pages) for arm, cell in cells.items()],
        "other": _column(run, by_number[second], cells[second], pages) if second else None,
        "labels": () if blind else _labels(run, cells[at]),
    }


def _labels(run: Run, cell: Cell) -> list[dict[str, Any]]:
    """What judges and people said of a trial."""
    key = (cell.condition, cell.problem_id, cell.epoch)
    return [label_view(each) for each in read_labels(run.directory) if each.trial == key]


class _Links:
    """Addresses of trials that keep the filter."""

    def __init__(self, link: str, wanted: Wanted, problem: str, epoch: int, beside: int) -> None:
        self._link, self._wanted = link, wanted
        self._problem, self._epoch, self.beside = problem, epoch, beside

    def trial(self, at: int, beside: int) -> str:
        """The same problem, under a condition and with another beside it."""
        more = {"beside": beside} if beside and beside != at else {}
        query = self._wanted.query(at=at, problem=self._problem, epoch=self._epoch, **more)
        return f"{self._link}trial?{query}"

    def neighbour(self, cell: Cell) -> str:
        """Another problem under the same conditions."""
        moved = _Links(self._link, self._wanted, cell.problem_id, cell.epoch, self.beside)
        return moved.trial(cell.arm, self.beside)

    def sent(self, at: int) -> str:
        """The prompts of a trial."""
        query = Wanted().query(at=at, problem=self._problem, epoch=self._epoch)
        return f"{self._link}sent?{query}"


def _column(run: Run, arm: Arm, cell: Cell, pages: _Links) -> dict[str, Any]:
    trial: TrialText = read_trial(run.db, cell.condition, cell.problem_id, cell.epoch)
    return {"arm": arm, "cell": cell, "trial": trial, "sent": pages.sent(arm.number)}


def _arm(arm: Arm, cell: Cell, at: int, pages: _Links) -> dict[str, Any]:
    chosen, shown = arm.number == at, arm.number == pages.beside
    return {
        "name": arm.name,
        "cell": cell,
        "chosen": chosen,
        "shown": shown,
        "link": pages.trial(arm.number, pages.beside),
        "beside": "" if chosen else pages.trial(at, 0 if shown else arm.number),
    }
