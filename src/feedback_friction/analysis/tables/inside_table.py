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
from feedback_friction.analysis.stats.clusters import cluster_means, share_of_trials
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.paired import sign_flip
from feedback_friction.analysis.table import Row
from feedback_friction.analysis.tables.inside_cuts import knockout, taken_by_cell
from feedback_friction.analysis.tables.inside_samples import (
    ALL,
    FLIPS,
    TEST,
    groups,
    mean,
    measured,
    p_value,
    tested,
    which,
)
from feedback_friction.analysis.tables.probe_table import Findings, findings

_NEAR = ("kl", "kl_tuned")

# --- attention -----------------------------------------------------------------------------------


@tested("segment text, layer int, head int, share float, weight float, beyond estimate", TEST)
def attention(runs: Runs) -> Iterator[Row]:
    """Mean weight of a reply's rows on each segment, less its share of the tokens that they see.

    One row a condition, outcome, segment, layer and head; ``head`` null is the mean over heads.
    Tests are of those means, and in all attempts of the heads on the feedback.
    """
    for _, about, places in groups(runs, "inside:plain"):
        for segment in dict.fromkeys(name for _, x in places for name in x["segments"]):
            yield from _attended(about | {"segment": segment}, places)


def _attended(about: Row, places: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[Row]:
    mine = [
        (problem, np.array(x["attention"])[..., at], x["share"][at])
        for problem, x in places
        if about["segment"] in x["segments"]
        for at in [x["segments"].index(about["segment"])]
    ]
    depth, heads = mine[0][1].shape
    share = mean([(problem, size) for problem, _, size in mine]).value
    told = about["segment"].startswith("feedback") and about["outcome"] == ALL
    for layer in range(depth):
        for head in (None, *range(heads)):
            beyond = [
                (problem, float(w[layer].mean() if head is None else w[layer, head]) - size)
                for problem, w, size in mine
            ]
            found = mean(beyond)
            yield about | {
                "layer": layer, "head": head, "share": share, "weight": found.value + share,
                "beyond": found, "n": found.n, "family": (about["segment"], head is None),
                "p": p_value(beyond) if head is None or told else math.nan,
            }  # fmt: skip


# --- lens ----------------------------------------------------------------------------------------


@tested(
    "layer int, margin estimate, ahead float",
    TEST,
    "tuned estimate, n_tuned int, kl float, kl_tuned float",
)
def lens(runs: Runs) -> Iterator[Row]:
    """By layer, the margin of the right answer over the repeated one where the two part.

    ``margin`` is read by the logit lens, at all places. ``tuned`` is read by the tuned lens, at
    ``n_tuned`` problems of the half that did not fit it; ``kl`` and ``kl_tuned`` are there the
    divergence, in nats, of what the last layer predicts from what either lens reads. Null where no
    lens could be fitted. ``p`` and ``holm`` are of ``margin``.
    """
    fitted = {which(each): each.found for each in findings(runs, "inside:tuned")}
    for each, about, places in groups(runs, "inside:plain"):
        mine = fitted.get(which(each), {})
        held = [(key[0], x) for key, x in mine.items() if about["outcome"] in (ALL, x["outcome"])]
        read = [(problem, x["lens"]) for problem, x in places if x["lens"]]
        for layer in range(len(read[0][1]) if read else 0):
            sample = [(problem, margins[layer]) for problem, margins in read]
            ahead = float(np.mean([value > 0 for _, value in sample]))
            row = {"layer": layer, "ahead": ahead} | measured("margin", sample)
            yield about | row | _tuned(held, layer)


def _tuned(held: Sequence[tuple[str, Mapping[str, Any]]], layer: int) -> Row:
    """What the tuned lens reads of a layer, and how near both lenses come to the last one."""
    if not held:
        return {}
    found = mean([(problem, x["tuned"][layer]) for problem, x in held if x["tuned"]])
    near = {name: mean([(problem, x[name][layer]) for problem, x in held]).value for name in _NEAR}
    return {"tuned": found, "n_tuned": found.n, **near}


# --- replies generated again ----------------------------------------------------------------------


@tested("scope text, taken_up estimate, repeated estimate, lost estimate", TEST)
def replies(runs: Runs) -> Iterator[Row]:
    """What becomes of the feedback when the reply is generated again under a cut, greedily.

    One row a condition, outcome of the recorded reply, scope and segment: shares ``taken_up`` and
    ``repeated``, and ``lost``, the share taken up without a cut less with it, paired by problem.
    """
    return _written(runs, "inside:replies", "scope")


@tested("arm text, taken_up estimate, repeated estimate, lost estimate", TEST)
def steering(runs: Runs) -> Iterator[Row]:
    """A direction added, and its controls, on the half of the problems that did not choose it.

    ``lost`` is the share right without steering less with it: below 0 is a cure among repeated
    trials; among attempts ``right at first`` above 0 is harm.
    """
    written = _written(runs, "inside:steering", "arm")
    return (row for row in written if row["outcome"] != ALL)


def _written(runs: Runs, probe: str, called: str) -> Iterator[Row]:
    for _, about, places in groups(runs, probe):
        arms: dict[str, list[tuple[str, float, float, float]]] = defaultdict(list)
        for problem, x in places:
            for arm, shares in _shares(x["wrote"]).items():
                arms[arm].append((problem, *shares))
        for arm, found in arms.items():
            yield about | {called: arm} | _row(found)


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
    lost, counts = cluster_means((problem, each) for problem, _, _, each in found)
    return {
        "taken_up": share_of_trials((problem, up) for problem, up, _, _ in found),
        "repeated": share_of_trials((problem, again) for problem, _, again, _ in found),
        "lost": mean_difference(lost, counts),
        "n": len(lost),
        "p": sign_flip(np.array(lost), np.random.default_rng(0), FLIPS),
    }


# --- attribution and patching --------------------------------------------------------------------


@tested("method text, segment text, worth estimate", TEST, "agreement estimate, gap float")
def attribution(runs: Runs) -> Iterator[Row]:
    """Input x gradient and integrated gradients of the margin's scores, by segment.

    ``agreement``: Spearman's correlation over the segments of a place between a method and what a
    cut of the segment in all layers takes from the margin, mean over problems. ``gap``: how far
    integrated gradients are, on average, from adding up as they should; beside a small margin, a
    large gap says that the path's steps are too coarse for this network to be read.
    """
    cut = {which(each): each.found for each in findings(runs, "inside:knockout")}
    for each, about, places in groups(runs, "inside:attribution"):
        gaps = [math.fsum(x["ig"]) - (x["margin"] - x["margin_empty"]) for _, x in places]
        gap = float(np.mean(np.abs(gaps)))
        for method in ("ixg", "ig"):
            own = {"method": method, "family": method, "gap": gap if method == "ig" else None}
            agree = _agreement(each, cut.get(which(each), {}), method, about["outcome"])
            for segment in dict.fromkeys(name for _, x in places for name in x["segments"]):
                sample = [
                    (problem, x[method][x["segments"].index(segment)])
                    for problem, x in places
                    if segment in x["segments"]
                ]
                row = {"segment": segment, "agreement": agree} | measured("worth", sample)
                yield about | own | row


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


@tested("layer int, segment text, base float, donor float, gained estimate", TEST)
def patching(runs: Runs) -> Iterator[Row]:
    """What states of a corrected trial, put into another of the same problem, add to the margin.

    One row a condition of the patched trial, outcome, layer and segment; ``base`` and ``donor`` are
    the mean margins of both trials as they are.
    """
    for _, about, places in groups(runs, "inside:patching"):
        margins = {name: float(np.mean([x[name] for _, x in places])) for name in ("base", "donor")}
        for cell in dict.fromkeys(name for _, x in places for name in x["cells"]):
            sample = [
                (problem, x["cells"][cell] - x["base"])
                for problem, x in places
                if cell in x["cells"]
            ]
            where, _, segment = cell.partition("/")
            place = {"layer": int(where.split()[1]), "segment": segment}
            yield about | margins | place | measured("gained", sample)


# --- what a terminal shows -----------------------------------------------------------------------

# table -> of which part of the command it is, how it is made, and its title
TABLES: dict[str, tuple[str, Callable[[Runs], pl.DataFrame], str]] = {
    "inside_replies": ("replies", replies, "Replies regenerated under a cut, shares"),
    "inside_knockout": ("knockout", knockout, "What a cut takes from log-probabilities, nats"),
    "inside_attention": (
        "attention", attention, "Attention on the feedback beyond its share of tokens",
    ),
    "inside_lens": ("lens", lens, "Margin of right over repeated by layer, scores"),
    "inside_attribution": (
        "attribution", attribution, "Worth to that margin by gradients, scores",
    ),
    "inside_patching": (
        "patching", patching, "What states of a corrected trial add to the margin, scores",
    ),
    "inside_steering": (
        "steering", steering, "Steered, on the other half of the problems, shares",
    ),
}  # fmt: skip
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
