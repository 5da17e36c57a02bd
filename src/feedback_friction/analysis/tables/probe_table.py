"""What probes found beside runs: entropy, familiarity, self-perception, and the feedback's reader.

Findings made with different settings (draws, reader) stand in rows of their own, named by the
column ``settings``. ``missing`` counts the places where the probe could have looked and has not:
its calls failed, or they were left out of the sample.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import open_journal, rows_if
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.association import spearman
from feedback_friction.analysis.stats.buckets import equal_width
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.stats.entropy import chao_shen_entropy, plug_in_entropy
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.table import CONDITION, Row, conditions, rows_of, table
from feedback_friction.analysis.tables.problems import BUCKETS, bucket_rows, first_and_final

ENTROPY_WIDTH = 0.2  # nats, as in the study
ESTIMATES = {"plug-in": plug_in_entropy, "corrected": chao_shen_entropy}

Place = tuple[str, int, int]  # problem id, epoch, iteration
_FOUND = f"{CONDITION}, settings text"


@dataclass(frozen=True, slots=True)
class Findings:
    """What one probe with one kind of settings found in one condition."""

    about: Row  # the columns that say which condition and settings
    found: Mapping[Place, Mapping[str, Any]]  # by place, the value
    first: IntArray  # shape (problems, epochs): the iteration at which each trial was solved
    ids: Sequence[str]  # the problems in the order of ``first``
    attempts: Mapping[Place, Row]  # by place, the attempt's row

    def has_feedback(self, place: Place) -> bool:
        """Whether the attempt at a place got feedback."""
        return self.attempts[place]["feedback_length"] is not None

    def failed_at_first(self) -> list[Place]:
        """The first attempts that are wrong and got feedback; challenges are of right ones, too."""
        return [
            place
            for place, attempt in self.attempts.items()
            if place[2] == 0 and not attempt["is_correct"] and self.has_feedback(place)
        ]


def findings(runs: Runs, probe: str) -> Iterator[Findings]:
    """What a probe found, by condition and settings, in the order of the runs."""
    by_run = {run: _read(runs, run, probe) for run in range(len(runs.directories))}
    for condition, ids, first in conditions(runs):
        mine = by_run[condition["run"]].get(condition["condition"])
        if not mine:
            continue
        attempts = {
            (row["problem_id"], row["epoch"], row["iteration"]): row
            for row in rows_of(runs.attempts, condition).iter_rows(named=True)
        }
        for settings, found in sorted(mine.items()):
            # A trial that ran again since may have ended otherwise: its places are gone.
            there = {place: value for place, value in found.items() if place in attempts}
            yield Findings(condition | {"settings": settings}, there, first, ids, attempts)


def _read(runs: Runs, run: int, probe: str) -> dict[str, dict[str, dict[Place, Any]]]:
    """By condition and settings, the findings of a run; none in a journal that has no probes."""
    found: dict[str, dict[str, dict[Place, Any]]] = defaultdict(lambda: defaultdict(dict))
    with open_journal(runs.directories[run]) as db:
        for row in rows_if(db, "probes", "SELECT * FROM probes WHERE probe = ?", (probe,)):
            place = row["problem_id"], row["epoch"], row["iteration"]
            found[row["condition"]][row["settings"]][place] = json.loads(row["value"])
    return found


# --- semantic entropy ----------------------------------------------------------------------------


@table(
    _FOUND,
    "estimate text, low float, high float, gain estimate, problems int, few bool, missing int",
)
def entropy(runs: Runs) -> Iterator[Row]:
    """Gain by semantic entropy after the first feedback, in buckets of 0.2 nats.

    One row a condition, ``estimate`` ("plug-in", the study's, or "corrected" for unseen answers)
    and bucket. ``gain`` is (final - initial) / (1 - initial) of the probed trials that were wrong
    at first: the share that was solved later. ``few``: under 10 problems.
    """
    for each in findings(runs, "entropy"):
        for name, (values, gained, trials) in _entropies(each).items():
            about = each.about | {"estimate": name, "missing": _unprobed_firsts(each)}
            edges = equal_width(values, ENTROPY_WIDTH)
            yield from bucket_rows(about, values, edges, gain=(gained, trials))


@table(_FOUND, "estimate text, mean_entropy float, spearman_gain estimate, n int, missing int")
def entropy_summary(runs: Runs) -> Iterator[Row]:
    """Does entropy predict gain: mean entropy and Spearman, one row a condition and estimate."""
    for each in findings(runs, "entropy"):
        for name, (values, gained, trials) in _entropies(each).items():
            if len(values) > 1:
                yield each.about | {
                    "estimate": name,
                    "mean_entropy": float(values.mean()),
                    "spearman_gain": spearman(values, gained / trials),
                    "n": len(values),
                    "missing": _unprobed_firsts(each),
                }


def _entropies(each: Findings) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """By estimate: each problem's mean entropy, solved trials and probed trials."""
    places = sorted({*each.failed_at_first()} & {*each.found})
    clusters = [_clusters(each.found[place]) for place in places]
    if not clusters:
        return {}
    table = np.zeros((len(clusters), max(map(len, clusters))), dtype=np.int64)
    for row, counts in enumerate(clusters):
        table[row, : len(counts)] = counts
    position = {problem: index for index, problem in enumerate(each.ids)}
    names = [problem for problem, _, _ in places]
    solved = np.array([each.first[position[problem], epoch] >= 0 for problem, epoch, _ in places])
    _, group = np.unique(names, return_inverse=True)
    trials = np.bincount(group).astype(np.float64)
    gained = np.bincount(group, weights=solved).astype(np.float64)
    return {
        name: (np.bincount(group, weights=estimate(table)) / trials, gained, trials)
        for name, estimate in ESTIMATES.items()
    }


def _clusters(value: Mapping[str, Any]) -> list[int]:
    """Draws in each cluster; those without an answer are one of their own."""
    counts = [count for _, count in value["counts"]]
    return [*counts, value["no_answer"]] if value["no_answer"] else counts


def _unprobed_firsts(each: Findings) -> int:
    return len({*each.failed_at_first()} - {*each.found})


# --- familiarity ---------------------------------------------------------------------------------


@table(
    _FOUND,
    "low float, high float, initial estimate, final estimate, problems int, few bool, n int",
    "missing int",
)
def in_domain(runs: Runs) -> Iterator[Row]:
    """First and final accuracy by in-domain accuracy, in ten buckets.

    One row a condition and bucket (``low`` to ``high``); ``n`` trials.
    """
    for each in findings(runs, "in-domain"):
        known = {place[0]: value["correct"] / value["draws"] for place, value in each.found.items()}
        values = np.array([known.get(problem, np.nan) for problem in each.ids])
        edges = np.arange(BUCKETS + 1) / BUCKETS
        trials, initial, final = first_and_final(each.first)
        about = each.about | {"missing": len(each.ids) - len(known)}
        shares = {"initial": (initial, trials), "final": (final, trials)}
        yield from bucket_rows(about, values, edges, **shares)


# --- self-perception -----------------------------------------------------------------------------


@table(
    _FOUND,
    "understood estimate, updated estimate, repeated estimate, repeated_though_updated estimate",
    "unreadable int, n int, missing int",
)
def self_perception(runs: Runs) -> Iterator[Row]:
    """What solvers say of themselves after feedback, and what they did: one row a condition.

    Of wrong answers that got feedback and were followed by another attempt. ``understood``,
    ``updated``: share that says so, among readable answers; ``repeated``: share of the next
    attempts that give the same wrong answer again; ``repeated_though_updated``: the same among
    those that say they updated it; ``unreadable``: answers that were neither YES nor NO; ``n``:
    feedback texts asked about.
    """
    for each in findings(runs, "self-perception"):
        eligible = {
            place
            for place in each.attempts
            if each.has_feedback(place) and _next(place) in each.attempts
        }
        places = sorted(eligible & {*each.found})
        again = {place: _repeats(each, place) for place in places}
        said = {
            name: {place: each.found[place][name] for place in places}
            for name in ("understood", "updated")
        }
        claimed = {place: again[place] for place in places if said["updated"][place]}
        yield each.about | {
            "understood": _share(said["understood"]),
            "updated": _share(said["updated"]),
            "repeated": _share(again),
            "repeated_though_updated": _share(claimed),
            "unreadable": sum(
                value is None for answers in said.values() for value in answers.values()
            ),
            "n": len(places),
            "missing": len(eligible) - len(places),
        }


def _next(place: Place) -> Place:
    problem, epoch, iteration = place
    return problem, epoch, iteration + 1


def _repeats(each: Findings, place: Place) -> bool:
    """Whether the next attempt gives the same wrong answer."""
    following = each.attempts[_next(place)]
    answer = each.attempts[place]["answer"]
    return not following["is_correct"] and answer is not None and answer == following["answer"]


# --- the reader of the feedback alone ------------------------------------------------------------


@table(_FOUND, "named estimate, chance estimate, n int, missing int")
def reader(runs: Runs) -> Iterator[Row]:
    """How often a reader of the masked feedback alone names the answer: one row a condition.

    ``named`` beside ``chance``: the same reader with another problem's feedback. ``n``: feedback
    texts read.
    """
    for each in findings(runs, "reader"):
        yield each.about | {
            "named": _share({place: value["named"] for place, value in each.found.items()}),
            "chance": _share({place: value["control"] for place, value in each.found.items()}),
            "n": len(each.found),
            "missing": sum(map(each.has_feedback, each.attempts)) - len(each.found),
        }


def _share(answers: Mapping[Place, bool | None]) -> Estimate:
    """Share of yes among the known, with Wilson's interval for trials clustered by problem."""
    return share_of_trials(
        (problem, answer) for (problem, _, _), answer in answers.items() if answer is not None
    )
