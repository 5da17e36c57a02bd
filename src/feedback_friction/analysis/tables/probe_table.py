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
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import has_table, open_journal
from feedback_friction.analysis.stats.arrays import FloatArray, IntArray
from feedback_friction.analysis.stats.association import spearman
from feedback_friction.analysis.stats.buckets import bucketed, equal_width
from feedback_friction.analysis.stats.clusters import share_of_trials
from feedback_friction.analysis.stats.entropy import chao_shen_entropy, plug_in_entropy
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.tables.shared_columns import (
    SETTING_SCHEMA,
    Row,
    conditions,
    frame,
    setting,
    spread,
    spread_schema,
)

ENTROPY_WIDTH = 0.2  # nats, as in the study
BUCKETS = 10
ESTIMATES = {"plug-in": plug_in_entropy, "corrected": chao_shen_entropy}

Place = tuple[str, int, int]  # problem id, epoch, iteration
Schema = dict[str, type[pl.DataType]]
_COUNTS: Schema = {"n": pl.Int64, "missing": pl.Int64}


@dataclass(frozen=True, slots=True)
class Findings:
    """What one probe with one kind of settings found in one condition.

    Attributes:
        about: the columns that say which condition and settings.
        found: by place, the value.
        first: shape (problems, epochs): the iteration at which each trial was solved.
        ids: the problems in the order of ``first``.
        attempts: by place, the attempt's row.
    """

    about: Row
    found: Mapping[Place, Mapping[str, Any]]
    first: IntArray
    ids: Sequence[str]
    attempts: Mapping[Place, Row]

    def has_feedback(self, place: Place) -> bool:
        """Whether the attempt at a place got feedback."""
        return self.attempts[place]["feedback_length"] is not None


def findings(runs: Runs, probe: str) -> Iterator[Findings]:
    """What a probe found, by condition and settings, in the order of the runs."""
    by_run = {run: _read(runs, run, probe) for run in range(len(runs.directories))}
    for condition, ids, first in conditions(runs):
        mine = by_run[condition["run"]].get(condition["condition"])
        if not mine:
            continue
        rows = runs.attempts.filter(
            pl.col("run") == condition["run"], pl.col("condition") == condition["condition"]
        )
        attempts = {
            (row["problem_id"], row["epoch"], row["iteration"]): row
            for row in rows.iter_rows(named=True)
        }
        for settings, found in sorted(mine.items()):
            # A trial that ran again since may have ended otherwise: its places are gone.
            there = {place: value for place, value in found.items() if place in attempts}
            about = setting(condition) | {"settings": settings}
            yield Findings(about, there, first, ids, attempts)


def _read(runs: Runs, run: int, probe: str) -> dict[str, dict[str, dict[Place, Any]]]:
    """By condition and settings, the findings of a run; none in a journal that has no probes."""
    found: dict[str, dict[str, dict[Place, Any]]] = defaultdict(lambda: defaultdict(dict))
    with open_journal(runs.directories[run]) as db:
        if not has_table(db, "probes"):
            return {}
        for row in db.execute("SELECT * FROM probes WHERE probe = ?", (probe,)):
            place = row["problem_id"], row["epoch"], row["iteration"]
            found[row["condition"]][row["settings"]][place] = json.loads(row["value"])
    return found


_ABOUT: Schema = SETTING_SCHEMA | {"settings": pl.String}


# --- semantic entropy ----------------------------------------------------------------------------


def entropy(runs: Runs) -> pl.DataFrame:
    """Gain by semantic entropy after the first feedback, in buckets of 0.2 nats.

    One row a condition, ``estimate`` ("plug-in", the study's, or "corrected" for unseen answers)
    and bucket. ``gain`` is (final - initial) / (1 - initial) of the probed trials; as all of them
    were wrong at first, it is the share that was solved later. ``few``: under 10 problems.
    """
    rows: list[Row] = []
    for each in findings(runs, "entropy"):
        for name, (values, gained, trials) in _entropies(each).items():
            edges = equal_width(values, ENTROPY_WIDTH)
            for bucket in bucketed(values, gained, trials, edges):
                counts = {"problems": bucket.problems, "few": bucket.few}
                rows.append(
                    each.about
                    | {"estimate": name, "low": bucket.low, "high": bucket.high}
                    | spread("gain", bucket.share)
                    | counts
                    | {"missing": _unprobed_firsts(each)}
                )
    schema = _ABOUT | {"estimate": pl.String, "low": pl.Float64, "high": pl.Float64}
    ending: Schema = {"problems": pl.Int64, "few": pl.Boolean, "missing": pl.Int64}
    return frame(rows, schema | spread_schema("gain") | ending)


def entropy_summary(runs: Runs) -> pl.DataFrame:
    """Does entropy predict gain: mean entropy and Spearman, one row a condition and estimate."""
    rows: list[Row] = []
    for each in findings(runs, "entropy"):
        for name, (values, gained, trials) in _entropies(each).items():
            if len(values) < 2:
                continue
            rows.append(
                each.about
                | {"estimate": name, "mean_entropy": float(values.mean())}
                | spread("spearman_gain", spearman(values, gained / trials))
                | {"n": len(values), "missing": _unprobed_firsts(each)}
            )
    schema = _ABOUT | {"estimate": pl.String, "mean_entropy": pl.Float64}
    return frame(rows, schema | spread_schema("spearman_gain") | _COUNTS)


def _entropies(each: Findings) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """By estimate: each problem's mean entropy, solved trials and probed trials."""
    places = sorted(each.found)
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
    eligible = [place for place in each.attempts if place[2] == 0 and each.has_feedback(place)]
    return len(eligible) - len(each.found)


# --- familiarity ---------------------------------------------------------------------------------


def in_domain(runs: Runs) -> pl.DataFrame:
    """First and final accuracy by in-domain accuracy, in ten buckets.

    One row a condition and bucket (``low`` to ``high``); ``n`` trials.
    """
    rows: list[Row] = []
    for each in findings(runs, "in-domain"):
        known = {place[0]: value["correct"] / value["draws"] for place, value in each.found.items()}
        values = np.array([known.get(problem, np.nan) for problem in each.ids])
        edges = np.arange(BUCKETS + 1) / BUCKETS
        trials = (each.first > -2).sum(axis=1).astype(np.float64)
        initial = (each.first == 0).sum(axis=1).astype(np.float64)
        final = (each.first >= 0).sum(axis=1).astype(np.float64)
        firsts = bucketed(values, initial, trials, edges)
        finals = bucketed(values, final, trials, edges)
        for one, other in zip(firsts, finals, strict=True):
            rows.append(
                each.about
                | {"low": one.low, "high": one.high}
                | spread("initial", one.share)
                | spread("final", other.share)
                | {"problems": one.problems, "few": one.few, "n": one.share.n}
                | {"missing": len(each.ids) - len(known)}
            )
    schema = _ABOUT | {"low": pl.Float64, "high": pl.Float64}
    counts: Schema = {"problems": pl.Int64, "few": pl.Boolean}
    shares = spread_schema("initial", "final")
    return frame(rows, schema | shares | counts | _COUNTS)


# --- self-perception -----------------------------------------------------------------------------


def self_perception(runs: Runs) -> pl.DataFrame:
    """What solvers say of themselves after feedback, and what they did: one row a condition.

    ``understood``, ``updated``: share that says so, among readable answers; ``repeated``: share of
    the next attempts that give the same wrong answer again; ``repeated_though_updated``: the same
    among those that say they updated it; ``unreadable``: answers that were neither YES nor NO;
    ``n``: feedback texts asked about.
    """
    rows: list[Row] = []
    for each in findings(runs, "self-perception"):
        places = sorted(each.found)
        again = {place: _repeats(each, place) for place in places}
        said = {
            name: {place: each.found[place][name] for place in places}
            for name in ("understood", "updated")
        }
        claimed = {place: again[place] for place in places if said["updated"][place]}
        unreadable = sum(value is None for answers in said.values() for value in answers.values())
        eligible = sum(each.has_feedback(place) and _next(place) in each.attempts
                       for place in each.attempts)  # fmt: skip
        rows.append(
            each.about
            | spread("understood", _share(said["understood"]))
            | spread("updated", _share(said["updated"]))
            | spread("repeated", _share(again))
            | spread("repeated_though_updated", _share(claimed))
            | {"unreadable": unreadable, "n": len(places), "missing": eligible - len(places)}
        )
    schema = _ABOUT | spread_schema("understood", "updated", "repeated", "repeated_though_updated")
    return frame(rows, schema | {"unreadable": pl.Int64} | _COUNTS)


def _next(place: Place) -> Place:
    problem, epoch, iteration = place
    return problem, epoch, iteration + 1


def _repeats(each: Findings, place: Place) -> bool | None:
    """Whether the next attempt gives the same wrong answer; None where there is none."""
    following = each.attempts.get(_next(place))
    if following is None:
        return None
    answer = _answer(each.attempts[place])
    return not following["is_correct"] and answer is not None and answer == _answer(following)


def _answer(attempt: Row) -> str | None:
    """What an attempt answered; with choices the option's text, for their order may change."""
    prediction, choices = attempt["prediction"], json.loads(attempt["choices"])
    if prediction is not None and len(prediction) == 1 and choices:
        index = ord(prediction) - ord("A")
        return str(choices[index]) if 0 <= index < len(choices) else prediction
    return None if prediction is None else str(prediction)


# --- the reader of the feedback alone ------------------------------------------------------------


def reader(runs: Runs) -> pl.DataFrame:
    """How often a reader of the masked feedback alone names the answer: one row a condition.

    ``named`` beside ``chance``: the same reader with another problem's feedback. ``n``: feedback
    texts read.
    """
    rows: list[Row] = []
    for each in findings(runs, "reader"):
        named = {place: value["named"] for place, value in each.found.items()}
        control = {place: value["control"] for place, value in each.found.items()}
        eligible = sum(each.has_feedback(place) for place in each.attempts)
        rows.append(
            each.about
            | spread("named", _share(named))
            | spread("chance", _share(control))
            | {"n": len(named), "missing": eligible - len(named)}
        )
    shares = spread_schema("named", "chance")
    return frame(rows, _ABOUT | shares | _COUNTS)


def _share(answers: Mapping[Place, bool | None]) -> Estimate:
    """Share of yes among the known, with Wilson's interval for trials clustered by problem."""
    return share_of_trials(
        (problem, answer) for (problem, _, _), answer in answers.items() if answer is not None
    )
