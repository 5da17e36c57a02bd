"""What each page shows, read from a run: the values that its template is filled with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from feedback_friction.errors import UsageError
from feedback_friction.labels import read_labels
from feedback_friction.view.index import Cell, cells_of, neighbours, read_grid
from feedback_friction.view.labelling import label_view
from feedback_friction.view.pages import Arm, arms, cautions
from feedback_friction.view.shelf import Run
from feedback_friction.view.trial_page import TrialText, read_trial
from feedback_friction.view.wanted import FLAGS, OUTCOMES, Beside, Wanted


class Place(NamedTuple):
    """A trial in an address: number of its condition, its problem and its repetition."""

    at: int
    problem: str
    epoch: int


def overview(run: Run, root: str) -> dict[str, Any]:
    """A run's conditions with their numbers so far."""
    results = run.refreshed()
    solvers = dict.fromkeys(each.condition.solver for each in results)
    tasks = dict.fromkeys(each.condition.task for each in results)
    link = f"{root}runs/{quote(run.name)}/"
    return {
        "name": run.name,
        "about": " · ".join([*tasks, *solvers]),
        "link": link,
        "arms": arms(results, link),
        "cautions": cautions(results),
    }


def strange_arm(run: Run, root: str, arm: int) -> Arm:
    """A condition of a run as another run's page names it."""
    found = overview(run, root)["arms"][arm - 1]
    return Arm(0, f"{run.name}: {found.name}", found.result, found.link)


def run_page(
    run: Run, root: str, wanted: Wanted, others: Sequence[dict[str, Any]], second: Arm | None
) -> dict[str, Any]:
    """A run's conditions, and a page of its problems.

    Args:
        others: the other runs, as ``overview`` tells of them.
        second: the condition of another run that is wanted beside its own.
    """
    shown = overview(run, root)
    own = {arm.number: arm for arm in shown["arms"]} | ({0: second} if second else {})
    chosen = [own[number] for number in wanted.shown(arm.number for arm in shown["arms"])]
    grid = read_grid(run.db, wanted, [arm.number for arm in chosen])
    tasks = {arm.result.condition.task for arm in shown["arms"]}
    return {
        **shown,
        "cautions": cautions([arm.result for arm in own.values()]),
        "outcomes": OUTCOMES,
        "flags": FLAGS,
        "wanted": wanted,
        "page": min(wanted.page, grid.pages),
        "shown": chosen,
        "second": second,
        "there": f"{root}runs/{quote(wanted.beside.run)}/" if wanted.beside else "",
        "back": Wanted(beside=Beside(chosen[0].number, run.name)),
        "grid": grid,
        "strangers": [
            (each["name"], [(Beside(arm.number, each["name"]), arm.name) for arm in found])
            for each in others
            if (found := [a for a in each["arms"] if a.result.condition.task in tasks])
        ],
    }


def trial_page(run: Run, root: str, wanted: Wanted, place: Place, *, blind: bool) -> dict[str, Any]:
    """A trial, and another condition's trial of the same problem beside it where one is wanted.

    A condition of another run is not read here; see ``same_problem``.

    Args:
        blind: whether labels stay unseen, because the reader is to label.

    Raises:
        UsageError: there is no such trial.
    """
    shown, at = overview(run, root), place.at
    by_number = {arm.number: arm for arm in shown["arms"]}
    if at not in by_number:
        raise UsageError("no such condition in this run")
    cells = cells_of(run.db, place.problem, place.epoch, by_number[at].result.condition.condition)
    if at not in cells:
        raise UsageError("no such trial in this run yet")
    beside = wanted.beside or Beside(0)
    pages = _Links(shown["link"], wanted, place)
    before, after = neighbours(run.db, wanted, cells[at], wanted.shown(by_number))
    second = beside.arm if not beside.run and beside.arm in {*cells} - {at} else 0
    return {
        **shown,
        **_column(run, by_number[at], cells[at], pages),
        "wanted": wanted,
        "before": before and pages.neighbour(before),
        "after": after and pages.neighbour(after),
        "across": [_arm(by_number[arm], cell, pages) for arm, cell in cells.items() if arm],
        "elsewhere": (),
        "other": _column(run, by_number[second], cells[second], pages) if second else None,
        "labels": () if blind else _labels(run, cells[at]),
    }


def same_problem(
    run: Run, root: str, wanted: Wanted, place: Place, problem: TrialText, home: str
) -> dict[str, Any]:
    """The trials of the same problem in another run, and the one of them that is wanted beside.

    Args:
        place: the trial that they stand beside.
        problem: its problem.
        home: address of its run.
    """
    shown = overview(run, root)
    pages = _Links(home, wanted, place, run.name)
    own, column = _Links(shown["link"], Wanted(), place), None
    found = list[dict[str, Any]]()
    for arm in shown["arms"]:
        condition = arm.result.condition
        if condition.task != problem.task:
            continue
        cell = cells_of(run.db, place.problem, place.epoch, condition.condition).get(arm.number)
        if cell is None:
            continue
        trial = read_trial(run.db, cell.condition, cell.problem_id, cell.epoch)
        if trial.question != problem.question:
            continue
        named = arm._replace(name=f"{run.name}: {arm.name}")
        found.append({**_arm(named, cell, pages), "link": own.trial(arm.number, None)})
        if pages.beside == Beside(arm.number, run.name):
            column = {"arm": named, "cell": cell, "trial": trial, "sent": own.sent(arm.number)}
    return {"elsewhere": found, "other": column}


def _labels(run: Run, cell: Cell) -> list[dict[str, Any]]:
    """What judges and people said of a trial."""
    key = (cell.condition, cell.problem_id, cell.epoch)
    return [label_view(each) for each in read_labels(run.directory) if each.trial == key]


class _Links:
    """Addresses of trials that keep the filter."""

    def __init__(self, link: str, wanted: Wanted, place: Place, run: str = "") -> None:
        """Of a run's trials; ``run`` names another one whose conditions may stand beside."""
        self._link, self._wanted, self._place, self._run = link, wanted, place, run

    @property
    def beside(self) -> Beside | None:
        """The condition beside the trial."""
        return self._wanted.beside

    def named(self, arm: int) -> Beside:
        """A condition as it stands in an address to have it beside."""
        return Beside(arm, self._run)

    def is_at(self, arm: int) -> bool:
        """Whether that condition's trial is the one that is shown first."""
        return not self._run and arm == self._place.at

    def trial(self, at: int, beside: Beside | None) -> str:
        """The same problem, under a condition and with another beside it."""
        _, problem, epoch = self._place
        wanted = self._wanted.with_beside(None if beside == Beside(at) else beside)
        return f"{self._link}trial?{wanted.query(at=at, problem=problem, epoch=epoch)}"

    def again(self, beside: Beside | None) -> str:
        """The same trial, with another beside it."""
        return self.trial(self._place.at, beside)

    def neighbour(self, cell: Cell) -> str:
        """Another problem under the same conditions."""
        place = Place(cell.arm, cell.problem_id, cell.epoch)
        return _Links(self._link, self._wanted, place).again(self.beside)

    def sent(self, at: int) -> str:
        """The prompts of a trial."""
        query = Wanted().query(at=at, problem=self._place.problem, epoch=self._place.epoch)
        return f"{self._link}sent?{query}"


def _column(run: Run, arm: Arm, cell: Cell, pages: _Links) -> dict[str, Any]:
    trial: TrialText = read_trial(run.db, cell.condition, cell.problem_id, cell.epoch)
    return {"arm": arm, "cell": cell, "trial": trial, "sent": pages.sent(arm.number)}


def _arm(arm: Arm, cell: Cell, pages: _Links) -> dict[str, Any]:
    chosen, named = pages.is_at(arm.number), pages.named(arm.number)
    shown = named == pages.beside
    return {
        "name": arm.name,
        "cell": cell,
        "chosen": chosen,
        "shown": shown,
        "link": pages.trial(arm.number, pages.beside),
        "beside": "" if chosen else pages.again(None if shown else named),
    }
