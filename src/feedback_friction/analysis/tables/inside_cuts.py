"""What the knock-out of ``friction inside`` took: changes of log-probabilities under each cut."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.table import Row
from feedback_friction.analysis.tables.inside_samples import TEST, Sample, groups, measured, tested

# scope -> of which cells it is the mean, and less those of which other scope
CONTRASTS = {
    "all less elsewhere": ("all", "elsewhere"),
    "top heads less random heads": ("top", "random"),
    "all less another's": ("all", "another's"),
}
CHANGES = ("reply", "right", "wrong", "margin")


@tested("scope text, layer int, head int, segment text, of text, taken estimate", TEST)
def knockout(runs: Runs) -> Iterator[Row]:
    """What a cut takes from the reply, and from the right and the repeated way on.

    One row a condition, outcome, scope, layer, head, segment and ``of``: ``reply`` is the recorded
    reply, ``right`` and ``wrong`` the tokens of either answer where they part, after what the reply
    says before, ``margin`` right less wrong. Scopes: ``all`` layers, one ``layer``, one ``head``;
    ``later``: from every token after the feedback, not from the reply alone; ``elsewhere``: as many
    other tokens; ``top`` and ``random``: sets of heads, on the half of the problems that did not
    choose them; ``another's``: another problem's feedback in the prompt, and that cut. Contrasts
    are within the place.
    """
    for _, about, places in groups(runs, "inside:knockout"):
        taken: dict[tuple[Any, ...], Sample] = defaultdict(list)
        for problem, x in places:
            for cell, changes in taken_by_cell(x["cells"]).items():
                for of, change in zip(CHANGES, changes, strict=True):
                    if change is not None:
                        taken[*cell, of].append((problem, change))
        for (scope, layer, head, segment, of), sample in taken.items():
            cell_of = {"scope": scope, "layer": layer, "head": head, "segment": segment, "of": of}
            # All layers are corrected over segments, the others over layers or heads.
            family = {"family": (scope, "" if scope == "all" else segment, of)}
            yield about | cell_of | measured("taken", sample) | family


Cell = tuple[str, int | None, int | None, str]  # scope, layer, head, segment
Changes = list[float | None]


def taken_by_cell(cells: Mapping[str, Sequence[float | None]]) -> dict[Cell, Changes]:
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
    for name, (one, other) in CONTRASTS.items():
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
