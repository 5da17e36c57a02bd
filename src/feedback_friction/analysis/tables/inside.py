"""What ``friction inside`` found: tables with intervals by problem.

Groups are the attempts by what became of the feedback (``taken up``, ``repeated``, ``other``), and
``all``. An interval is Student's over the problems' means; a p-value is that the mean is 0, by
flipping signs of problems; ``holm`` corrects it over the layers, heads or segments of its own scope
and group. Changes of log-probability are in nats, without the cut less with it: what the cut takes.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.association import spearman
from feedback_friction.analysis.stats.clusters import clustered_share, student_value
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.significance import holm, sign_flip
from feedback_friction.analysis.tables.columns import (
    SETTING_SCHEMA,
    Row,
    frame,
    once,
    spread,
    spread_schema,
)
from feedback_friction.analysis.tables.probes import Findings, findings

ALL = "all"
Schema = dict[str, Any]
Sample = list[tuple[str, float]]  # problem, value
_ABOUT: Schema = {**SETTING_SCHEMA, "settings": pl.String, "outcome": pl.String}
_TEST: Schema = {"n": pl.Int64, "p": pl.Float64, "holm": pl.Float64}
_FLIPS = 10_000


def mean(sample: Sample) -> Estimate:
    """The mean over problems of their means, with Student's interval; n is the problems."""
    means = _by_problem(sample)
    n = len(means)
    if n < 2:
        value = means[0] if means else math.nan
        return Estimate(value, math.nan, math.nan, n)
    middle = float(np.mean(means))
    half = student_value(0.95, n - 1) * float(np.std(means, ddof=1)) / math.sqrt(n)
    return Estimate(middle, middle - half, middle + half, n)


def p_value(sample: Sample) -> float:
    """That the problems' means are centred on 0."""
    means = _by_problem(sample)
    if not means:
        return math.nan
    return sign_flip(np.array(means), np.random.default_rng(0), _FLIPS)


def _by_problem(sample: Sample) -> list[float]:
    found: dict[str, list[float]] = defaultdict(list)
    for problem, value in sample:
        found[problem].append(value)
    return [math.fsum(each) / len(each) for each in found.values()]


def _groups(each: Findings) -> Iterator[tuple[Row, list[tuple[str, Mapping[str, Any]]]]]:
    """By what became of the feedback, and all: the columns of a group, and its places."""
    places = [(place[0], value) for place, value in sorted(each.found.items())]
    for outcome in (ALL, *sorted({value["outcome"] for _, value in places})):
        mine = [one for one in places if outcome in (ALL, one[1]["outcome"])]
        yield each.about | {"outcome": outcome}, mine


def _tested(
    rows: list[Row], family: Callable[[Row], tuple[Any, ...]], schema: Schema
) -> pl.DataFrame:
    """Rows as a frame, with Holm's correction over each family."""
    families: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        families[family(row)].append(row)
    for mine in families.values():
        for row, value in zip(mine, holm([row["p"] for row in mine]), strict=True):
            row["holm"] = value
    return frame(rows, schema)


# --- attention -----------------------------------------------------------------------------------


@once
def attention(runs: Runs) -> pl.DataFrame:
    """Mean weight of a reply's rows on each segment, less its share of the tokens that they see.

    One row a condition, outcome, segment, layer and head; ``head`` null is the mean over heads.
    Tests are of those means, and in all attempts of the heads on the feedback.
    """
    rows: list[Row] = []
    for each in findings(runs, "inside:plain"):
        for about, places in _groups(each):
            for segment in dict.fromkeys(name for _, x in places for name in x["segments"]):
                rows += _attended(about, segment, places)
    schema = _ABOUT | {"segment": pl.String, "layer": pl.Int64, "head": pl.Int64}
    schema |= {"share": pl.Float64, "weight": pl.Float64, **spread_schema("beyond"), **_TEST}
    return _tested(
        rows,
        lambda row: (*(row[name] for name in _ABOUT), row["segment"], row["head"] is None),
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
    """By layer, the margin of the right answer over the repeated one where the two part."""
    rows = []
    for each in findings(runs, "inside:plain"):
        for about, places in _groups(each):
            read = [(problem, x["lens"]) for problem, x in places if x["lens"]]
            for layer in range(len(read[0][1]) if read else 0):
                sample = [(problem, margins[layer]) for problem, margins in read]
                estimate = mean(sample)
                rows.append(
                    about
                    | {"layer": layer, **spread("margin", estimate), "n": estimate.n}
                    | {"ahead": float(np.mean([value > 0 for _, value in sample]))}
                    | {"p": p_value(sample)}
                )
    schema = _ABOUT | {"layer": pl.Int64, **spread_schema("margin"), "ahead": pl.Float64, **_TEST}
    return _tested(rows, lambda row: tuple(row[name] for name in _ABOUT), schema)


# --- knock-out -----------------------------------------------------------------------------------

# scope -> of which cells it is the mean, and less those of which other scope
_CONTRASTS = {
    "all less elsewhere": ("all", "elsewhere"),
    "top heads less random heads": ("top", "random"),
    "all less another's": ("all", "another's"),
}
CHANGES = ("reply", "right", "wrong", "margin")


@once
def knockout(runs: Runs) -> pl.DataFrame:
    """What a cut takes from the reply, and from the right and the repeated way on.

    One row a condition, outcome, scope, layer, head, segment and ``of``: ``reply`` is the recorded
    reply, ``right`` and ``wrong`` the tokens of either answer where they part, after what the reply
    says before, ``margin`` right less wrong. Scopes: ``all`` layers, one ``layer``, one ``head``;
    ``later``: from every token after the feedback, not from the reply alone; ``elsewhere``: as many
    other tokens; ``top`` and ``random``: sets of heads, on the half of the problems that did not
    choose them; ``another's``: another problem's feedback in the prompt, and that cut. Contrasts
    are within the place.
    """
    rows = []
    for each in findings(runs, "inside:knockout"):
        for about, places in _groups(each):
            taken: dict[tuple[Any, ...], Sample] = defaultdict(list)
            for problem, x in places:
                for cell, changes in _taken(x["cells"]).items():
                    for of, change in zip(CHANGES, changes, strict=True):
                        if change is not None:
                            taken[*cell, of].append((problem, change))
            for (scope, layer, head, segment, of), sample in taken.items():
                estimate = mean(sample)
                rows.append(
                    about
                    | {"scope": scope, "layer": layer, "head": head, "segment": segment, "of": of}
                    | spread("taken", estimate)
                    | {"n": estimate.n, "p": p_value(sample)}
                )
    schema = _ABOUT | {"scope": pl.String, "layer": pl.Int64, "head": pl.Int64}
    schema |= {"segment": pl.String, "of": pl.String, **spread_schema("taken"), **_TEST}
    family = (*_ABOUT, "scope", "segment", "of")
    all_layers = {"all"}  # corrected over segments, the others over layers or heads
    return _tested(
        rows,
        lambda row: tuple(
            "" if name == "segment" and row["scope"] in all_layers else row[name] for name in family
        ),
        schema,
    )


Cell = tuple[str, int | None, int | None, str]  # scope, layer, head, segment
Changes = list[float | None]


def _taken(cells: Mapping[str, Sequence[float | None]]) -> dict[Cell, Changes]:
    """By cell, the four changes; draws of a control are averaged."""
    found: dict[Cell, list[Changes]] = defaultdict(list)
    for name, after in cells.items():
        before = cells["none"]
        where, _, segment = name.partition("/")
        if segment == "another's feedback":
            before = cells["none/another's feedback"]
            where, segment = ("another's" if where == "all" else ""), "feedback"
        scope, _, place = where.partition(" ")
        layer, _, head = place.partition(".") if scope in ("layer", "head") else ("", "", "")
        if scope and name != "none":
            cell = scope, int(layer) if layer else None, int(head) if head else None, segment
            found[cell].append(_changes(before, after))
    means = {cell: [_middle(each) for each in zip(*x, strict=True)] for cell, x in found.items()}
    for name, (one, other) in _CONTRASTS.items():
        pair = [means.get((scope, None, None, "feedback")) for scope in (one, other)]
        if pair[0] is not None and pair[1] is not None:
            gaps = zip(*pair, strict=True)
            means[name, None, None, "feedback"] = [
                None if a is None or b is None else a - b for a, b in gaps
            ]
    return means


def _changes(before: Sequence[float | None], after: Sequence[float | None]) -> Changes:
    reply, right, wrong = (
        None if a is None or b is None else a - b for a, b in zip(before, after, strict=True)
    )
    margin = None if right is None or wrong is None else right - wrong
    return [reply, right, wrong, margin]


def _middle(values: Sequence[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return math.fsum(known) / len(known) if known else None


# --- replies written anew ------------------------------------------------------------------------


@once
def replies(runs: Runs) -> pl.DataFrame:
    """What becomes of the feedback when the reply is written anew under a cut, greedily.

    One row a condition, outcome of the recorded reply, scope and segment: shares ``taken_up`` and
    ``repeated``, and ``lost``, the share taken up without a cut less with it, paired by problem.
    """
    return _written(runs, "inside:knockout", "scope")


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
        for about, places in _groups(each):
            if called == "arm" and about["outcome"] == ALL:
                continue
            arms: dict[str, list[tuple[str, float, float, float]]] = defaultdict(list)
            for problem, x in places:
                for arm, shares in _shares(x["wrote"]).items():
                    arms[arm].append((problem, *shares))
            rows += [about | {called: arm} | _row(found) for arm, found in arms.items()]
    schema = _ABOUT | {called: pl.String, **spread_schema("taken_up"), **spread_schema("repeated")}
    schema |= {**spread_schema("lost"), **_TEST}
    return _tested(rows, lambda row: tuple(row[name] for name in _ABOUT), schema)


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
        "p": sign_flip(np.array(lost), np.random.default_rng(0), _FLIPS),
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
    cut = {_which(each): each.found for each in findings(runs, "inside:knockout")}
    for each in findings(runs, "inside:attribution"):
        for about, places in _groups(each):
            gap = float(np.mean([_gap(x) for _, x in places]))
            for method in ("ixg", "ig"):
                agree = _agreement(each, cut.get(_which(each), {}), method, about["outcome"])
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
    schema = _ABOUT | {"method": pl.String, "segment": pl.String, **spread_schema("worth")}
    schema |= {**_TEST, **spread_schema("agreement"), "gap": pl.Float64}
    return _tested(rows, lambda row: (*(row[name] for name in _ABOUT), row["method"]), schema)


def _gap(value: Mapping[str, Any]) -> float:
    return float(abs(math.fsum(value["ig"]) - (value["margin"] - value["margin_empty"])))


def _which(each: Findings) -> str:
    return json.dumps(each.about, sort_keys=True, default=str)


def _agreement(each: Findings, cut: Mapping[Any, Any], method: str, outcome: str) -> Estimate:
    sample = []
    for place, x in each.found.items():
        if outcome not in (ALL, x["outcome"]) or place not in cut:
            continue
        taken = _taken(cut[place]["cells"])
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
        for about, places in _groups(each):
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
    schema = _ABOUT | {"layer": pl.Int64, "segment": pl.String, "base": pl.Float64}
    schema |= {"donor": pl.Float64, **spread_schema("gained"), **_TEST}
    return _tested(rows, lambda row: tuple(row[name] for name in _ABOUT), schema)


# --- what a terminal shows -----------------------------------------------------------------------

# table -> of which part of the command it is, and how it is made
TABLES: dict[str, tuple[str, Callable[[Runs], pl.DataFrame]]] = {
    "inside_replies": ("knockout", replies),
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
