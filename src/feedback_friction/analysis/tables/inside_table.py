"""What ``friction inside`` found: tables with intervals by problem.

Groups are the attempts by what became of the feedback (``taken up``, ``repeated``, ``other``), and
``all``. An interval is Student's over the problems' means; a p-value is that the mean is 0, by
flipping signs of problems; ``holm`` corrects it over the layers, heads or segments of its own scope
and group. Changes of log-probability are in nats, without the cut less with it: what the cut takes.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.association import spearman
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.significance import sign_flip
from feedback_friction.analysis.tables.inside_cuts import knockout, taken_by_cell
from feedback_friction.analysis.tables.inside_samples import (
    ABOUT,
    ALL,
    FLIPS,
    TEST,
    groups,
    mean,
    p_value,
    tested,
    which,
)
from feedback_friction.analysis.tables.probe_table import Findings, findings
from feedback_friction.analysis.tables.shared_columns import Row, once, spread, spread_schema

_NEAR = ("kl", "kl_tuned")

# --- attention -----------------------------------------------------------------------------------


@once
def attention(runs: Runs) -> pl.DataFrame:
    """Mean weight of a reply's rows on each segment, less its share of the tokens that they see.

    One row a condition, outcome, segment, layer and head; ``head`` null is the mean over heads.
    Tests are of those means, and in all attempts of the heads on the feedback.
    """
    rows: list[Row] = []
    for each in findings(runs, "inside:plain"):
        for about, places in groups(each):
            for segment in dict.fromkeys(name for _, x in places for name in x["segments"]):
                rows += _attended(about, segment, places)
    schema = ABOUT | {"segment": pl.String, "layer": pl.Int64, "head": pl.Int64}
    schema |= {"share": pl.Float64, "weight": pl.Float64, **spread_schema("beyond"), **TEST}
    return tested(
        rows,
        lambda row: (*(row[name] for name in ABOUT), row["segment"], row["head"] is None),
        schema,
    )


def _attended(
    about: Row, segment: str, places: Sequence[tuple[str, Mapping[str, Any]]]
) -> Iterator[Row]:
    mine = [
        (problem, np.array(x["attention"])[..., at], x["share"][at])
        for problem, x in places
        if segment in x["segments"]
        for at in [x["segments"].index(segment)]
    ]
    depth, heads = mine[0][1].shape
    share = mean([(problem, size) for problem, _, size in mine]).value
    for layer in range(depth):
        for head in (None, *range(heads)):
            found = [
                (problem, float(w[layer].mean() if head is None else w[layer, head]), size)
                for problem, w, size in mine
            ]
            beyond = [(problem, weight - size) for problem, weight, size in found]
            estimate = mean(beyond)
            told = segment.startswith("feedback") and about["outcome"] == ALL
            yield about | {
                "segment": segment, "layer": layer, "head": head, "share": share,
                "weight": estimate.value + share, **spread("beyond", estimate),
                "n": estimate.n, "p": p_value(beyond) if head is None or told else math.nan,
            }  # fmt: skip


# --- lens ----------------------------------------------------------------------------------------


@once
def lens(runs: Runs) -> pl.DataFrame:
    """By layer, the margin of the right answer over the repeated one where the two part.

    ``margin`` is read by the logit lens, at all places. ``tuned`` is read by the tuned lens, at
    ``n_tuned`` problems of the half that did not fit it; ``kl`` and ``kl_tuned`` are there the
    divergence, in nats, of what the last layer foretells from what either lens reads. Null where no
    lens could be fitted. ``p`` and ``holm`` are of ``margin``.
    """
    rows = []
    fitted = {which(each): each.found for each in findings(runs, "inside:tuned")}
    for each in findings(runs, "inside:plain"):
        mine = fitted.get(which(each), {})
        for about, places in groups(each):
            held = [
                (key[0], x) for key, x in mine.items() if about["outcome"] in (ALL, x["outcome"])
            ]
            read = [(problem, x["lens"]) for problem, x in places if x["lens"]]
            for layer in range(len(read[0][1]) if read else 0):
                sample = [(problem, margins[layer]) for problem, margins in read]
                estimate = mean(sample)
                rows.append(
                    about
                    | {"layer": layer, **spread("margin", estimate), "n": estimate.n}
                    | {"ahead": float(np.mean([value > 0 for _, value in sample]))}
                    | {"p": p_value(sample), **_tuned(held, layer)}
                )
    schema = ABOUT | {"layer": pl.Int64, **spread_schema("margin"), "ahead": pl.Float64, **TEST}
    schema |= {**spread_schema("tuned"), "n_tuned": pl.Int64}
    schema |= {"kl": pl.Float64, "kl_tuned": pl.Float64}
    return tested(rows, lambda row: tuple(row[name] for name in ABOUT), schema)


def _tuned(held: Sequence[tuple[str, Mapping[str, Any]]], layer: int) -> Row:
    """What the tuned lens reads of a layer, and how near both lenses come to the last one."""
    if not held:
        return {}
    estimate = mean([(problem, x["tuned"][layer]) for problem, x in held if x["tuned"]])
    near = {name: mean([(problem, x[name][layer]) for problem, x in held]) for name in _NEAR}
    return {
        **spread("tuned", estimate), "n_tuned": estimate.n,
        **{name: found.value for name, found in near.items()},
    }  # fmt: skip


# --- replies written anew ------------------------------------------------------------------------


@once
def replies(runs: Runs) -> pl.DataFrame:
    """What becomes of the feedback when the reply is written anew under a cut, greedily.

    One row a condition, outcome of the recorded reply, scope and segment: shares ``taken_up`` and
    ``repeated``, and ``lost``, the share taken up without a cut less with it, paired by problem.
    """
    return _written(runs, "inside:replies", "scope")


@once
def steering(runs: Runs) -> pl.DataFrame:
    """A direction added, and its controls, on the half of the problems that did not choose it.

    ``lost`` is the share right without steering less with it: below 0 is a cure among repeated
    trials; among attempts ``right at first`` above 0 is harm.
    """
    return _written(runs, "inside:steering", "arm")


def _written(runs: Runs, probe: str, called: str) -> pl.DataFrame:
    rows = []
    for each in findings(runs, probe):
        for about, places in groups(each):
            if called == "arm" and about["outcome"] == ALL:
                continue
            arms: dict[str, list[tuple[str, float, float, float]]] = defaultdict(list)
            for problem, x in places:
                for arm, shares in _shares(x["wrote"]).items():
                    arms[arm].append((problem, *shares))
            rows += [about | {called: arm} | _row(found) for arm, found in arms.items()]
    schema = ABOUT | {called: pl.String, **spread_schema("taken_up", "repeated")}
    schema |= {**spread_schema("lost"), **TEST}
    return tested(rows, lambda row: tuple(row[name] for name in ABOUT), schema)


def _shares(wrote: Mapping[str, str]) -> dict[str, tuple[float, float, float]]:
    """By arm, the share of its draws that took up, that repeated, and what it lost of the first."""
    draws: dict[str, list[str]] = defaultdict(list)
    for name, outcome in wrote.items():
        where, _, segment = name.partition("/")
        kind, _, number = where.rpartition(" ")
        arm = kind if number.isdecimal() else where
        draws[f"{arm}/{segment}".strip("/")].append(outcome)
    intact = float(wrote.get("none") == "taken up")
    found = {}
    for arm, outcomes in draws.items():
        up, again = (outcomes.count(each) / len(outcomes) for each in ("taken up", "repeated"))
        found[arm] = up, again, intact - up
    return found


def _row(found: Sequence[tuple[str, float, float, float]]) -> Row:
    by: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for problem, *shares in found:
        by[problem].append(tuple(shares))  # type: ignore[arg-type]
    sums = [[math.fsum(each) for each in zip(*x, strict=True)] for x in by.values()]
    counts = [float(len(x)) for x in by.values()]
    lost = [total[2] / count for total, count in zip(sums, counts, strict=True)]
    return {
        **spread("taken_up", clustered_share([x[0] for x in sums], counts)),
        **spread("repeated", clustered_share([x[1] for x in sums], counts)),
        **spread("lost", mean_difference(lost, counts)),
        "n": len(by),
        "p": sign_flip(np.array(lost), np.random.default_rng(0), FLIPS),
    }


# --- attribution and patching --------------------------------------------------------------------


@once
def attribution(runs: Runs) -> pl.DataFrame:
    """Input x gradient and integrated gradients of the margin's scores, by segment.

    ``agreement``: Spearman's correlation over the segments of a place between a method and what a
    cut of the segment in all layers takes from the margin, mean over problems. ``gap``: how far
    integrated gradients are, on average, from adding up as they should; beside a small margin, a
    large gap says that the path's steps are too coarse for this network to be read.
    """
    rows = []
    cut = {which(each): each.found for each in findings(runs, "inside:knockout")}
    for each in findings(runs, "inside:attribution"):
        for about, places in groups(each):
            gap = float(np.mean([_gap(x) for _, x in places]))
            for method in ("ixg", "ig"):
                agree = _agreement(each, cut.get(which(each), {}), method, about["outcome"])
                for segment in dict.fromkeys(name for _, x in places for name in x["segments"]):
                    sample = [
                        (problem, x[method][x["segments"].index(segment)])
                        for problem, x in places
                        if segment in x["segments"]
                    ]
                    estimate = mean(sample)
                    rows.append(
                        about
                        | {"method": method, "segment": segment, **spread("worth", estimate)}
                        | {"n": estimate.n, "p": p_value(sample), **spread("agreement", agree)}
                        | {"gap": gap if method == "ig" else None}
                    )
    schema = ABOUT | {"method": pl.String, "segment": pl.String, **spread_schema("worth")}
    schema |= {**TEST, **spread_schema("agreement"), "gap": pl.Float64}
    return tested(rows, lambda row: (*(row[name] for name in ABOUT), row["method"]), schema)


def _gap(value: Mapping[str, Any]) -> float:
    return float(abs(math.fsum(value["ig"]) - (value["margin"] - value["margin_empty"])))


def _agreement(each: Findings, cut: Mapping[Any, Any], method: str, outcome: str) -> Estimate:
    sample = []
    for place, x in each.found.items():
        if outcome not in (ALL, x["outcome"]) or place not in cut:
            continue
        taken = taken_by_cell(cut[place]["cells"])
        pairs = [
            (worth, change)
            for name, worth in zip(x["segments"], x[method], strict=True)
            if (change := taken.get(("all", None, None, name), [None] * 4)[3]) is not None
        ]
        if len(pairs) > 2:
            worths, changes = (np.array(side) for side in zip(*pairs, strict=True))
            found = spearman(worths, changes).value
            sample += [] if math.isnan(found) else [(place[0], found)]
    return mean(sample)


@once
def patching(runs: Runs) -> pl.DataFrame:
    """What states of a corrected trial, put into another of the same problem, add to the margin.

    One row a condition of the patched trial, outcome, layer and segment; ``base`` and ``donor`` are
    the mean margins of both trials as they are.
    """
    rows = []
    for each in findings(runs, "inside:patching"):
        for about, places in groups(each):
            base, donor = (
                float(np.mean([x[name] for _, x in places])) for name in ("base", "donor")
            )
            for cell in dict.fromkeys(name for _, x in places for name in x["cells"]):
                sample = [
                    (problem, x["cells"][cell] - x["base"])
                    for problem, x in places
                    if cell in x["cells"]
                ]
                where, _, segment = cell.partition("/")
                estimate = mean(sample)
                rows.append(
                    about
                    | {"layer": int(where.split()[1]), "segment": segment}
                    | {"base": base, "donor": donor, **spread("gained", estimate)}
                    | {"n": estimate.n, "p": p_value(sample)}
                )
    schema = ABOUT | {"layer": pl.Int64, "segment": pl.String, "base": pl.Float64}
    schema |= {"donor": pl.Float64, **spread_schema("gained"), **TEST}
    return tested(rows, lambda row: tuple(row[name] for name in ABOUT), schema)


# --- what a terminal shows -----------------------------------------------------------------------

# table -> of which part of the command it is, and how it is made
TABLES: dict[str, tuple[str, Callable[[Runs], pl.DataFrame]]] = {
    "inside_replies": ("replies", replies),
    "inside_knockout": ("knockout", knockout),
    "inside_attention": ("attention", attention),
    "inside_lens": ("lens", lens),
    "inside_attribution": ("attribution", attribution),
    "inside_patching": ("patching", patching),
    "inside_steering": ("steering", steering),
}
TITLES = {
    "inside_replies": "Replies written anew under a cut, shares",
    "inside_knockout": "What a cut takes from log-probabilities, nats",
    "inside_attention": "Attention on the feedback beyond its share of tokens",
    "inside_lens": "Margin of right over repeated by layer, scores",
    "inside_attribution": "Worth to that margin by gradients, scores",
    "inside_patching": "What states of a corrected trial add to the margin, scores",
    "inside_steering": "Steered, on the other half of the problems, shares",
}
LEGEND = (
    "brackets: 95% intervals by problem; holm: p corrected over layers, heads or segments",
    "taken: without the cut less with it; of a reply given what it says before the answer",
    "--json has every row; docs/inside.md says what may be concluded",
)
_HIDDEN = ("run", "task", "digits", "solver", "sampling", "history", "simulated", "settings", "p")


def overview(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """The rows of a table that a terminal shows, without the columns that all rows share."""
    if name == "inside_knockout":
        table = table.filter(pl.col("of").is_in(["reply", "margin"]), pl.col("head").is_null())
        table = table.filter(pl.col("segment") == "feedback", pl.col("outcome") != "other")
    if name == "inside_attention":
        table = table.filter(pl.col("segment").str.starts_with("feedback"))
        table = table.filter(pl.col("head").is_null(), pl.col("outcome") == ALL)
    if name in ("inside_attribution", "inside_patching"):
        table = table.filter(pl.col("outcome") == ALL)
    return table.drop([each for each in _HIDDEN if each in table.columns])
