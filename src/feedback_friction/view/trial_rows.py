"""What each page shows, read from a run: the values that its template is filled with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from feedback_friction.errors import UsageError
from feedback_friction.labels import read_labels
from feedback_friction.view.index import Cell, cells_of, neighbours, read_grid
from feedback_friction.view.labelling import label_view
from feedback_friction.view.pages import Arm, arms, cautions
from feedback_friction.view.shelf import Run
from feedback_friction.view.trial_page import Shown, read_trial
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
        others: the other runs, as ``overview`` gives them.
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
    """
    shown, at = overview(run, root), place.at
    by_number = {arm.number: arm for arm in shown["arms"]}
    if at not in by_number:
        raise UsageError("no such condition in this run")
    cells = cells_of(run.db, place.problem, place.epoch, by_number[at].result.condition.condition)
    if at not in cells:
        raise UsageError("no such trial in this run yet")
    link, cell, beside = shown["link"], cells[at], wanted.beside
    before, after = neighbours(run.db, wanted, cell, wanted.shown(by_number))
    second = beside.arm if beside and not beside.run and beside.arm in {*cells} - {at} else 0
    go = partial(_trial, link, wanted)
    return {
        **shown,
        **_column(run, by_number[at], cell, link),
        "wanted": wanted,
        "before": before and go(_place(before), beside),
        "after": after and go(_place(after), beside),
        "across": [
            _arm(by_number[arm].name, each, Beside(arm), wanted, place, link)
            | {"link": go(_place(each), beside), "chosen": arm == at}
            for arm, each in cells.items()
            if arm
        ],
        "elsewhere": (),
        "other": _column(run, by_number[second], cells[second], link) if second else None,
        "labels": () if blind else _labels(run, cell),
    }


def same_problem(
    run: Run, root: str, wanted: Wanted, place: Place, problem: Shown, home: str
) -> dict[str, Any]:
    """The trials of the same problem in another run, and the one of them that is wanted beside.

    Args:
        place: the trial that they stand beside.
        problem: its problem.
        home: address of its run.
    """
    shown, column = overview(run, root), None
    found = list[dict[str, Any]]()
    for arm in shown["arms"]:
        condition = arm.result.condition
        if condition.task != problem["task"]:
            continue
        cell = cells_of(run.db, place.problem, place.epoch, condition.condition).get(arm.number)
        if cell is None:
            continue
        named = arm._replace(name=f"{run.name}: {arm.name}")
        there = _column(run, named, cell, shown["link"])
        if there["trial"]["question"] != problem["question"]:
            continue
        link = _trial(shown["link"], Wanted(), _place(cell), None)
        beside = Beside(arm.number, run.name)
        found.append(_arm(named.name, cell, beside, wanted, place, home) | {"link": link})
        if wanted.beside == beside:
            column = there
    return {"elsewhere": found, "other": column}


def _labels(run: Run, cell: Cell) -> list[dict[str, Any]]:
    """What judges and people said of a trial."""
    key = (cell.condition, cell.problem_id, cell.epoch)
    return [label_view(each) for each in read_labels(run.directory) if each.trial == key]


def _place(cell: Cell) -> Place:
    return Place(cell.arm, cell.problem_id, cell.epoch)


def _trial(link: str, wanted: Wanted, place: Place, beside: Beside | None) -> str:
    """The address of a trial that keeps the filter, with another condition beside it."""
    kept = wanted.with_beside(None if beside == Beside(place.at) else beside)
    return f"{link}trial?{kept.query(**place._asdict())}"


def _column(run: Run, arm: Arm, cell: Cell, link: str) -> dict[str, Any]:
    return {
        "arm": arm,
        "cell": cell,
        "trial": read_trial(run.db, cell.condition, cell.problem_id, cell.epoch),
        "sent": f"{link}sent?{Wanted().query(**_place(cell)._asdict())}",
    }


def _arm(
    name: str, cell: Cell, beside: Beside, wanted: Wanted, place: Place, home: str
) -> dict[str, Any]:
    """A condition to go to, or to put beside the trial at ``place`` of the run at ``home``."""
    shown = beside == wanted.beside
    is_own = beside == Beside(place.at)
    again = _trial(home, wanted, place, None if shown else beside)
    return {"name": name, "cell": cell, "shown": shown, "beside": "" if is_own else again}
