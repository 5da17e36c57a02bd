"""What is measured at one place: attention, lens, knock-out, attribution, patching.

Each measure gives plain numbers, which the journal keeps. Log-probabilities are in nats. The margin
is the log-probability of the right way on at the parting less that of the wrong one, of all tokens
from the first in which they differ; at that first token alone it is a difference of scores.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from feedback_friction.inside.attending import Cut
from feedback_friction.inside.loading import Loaded
from feedback_friction.inside.network import Floats, Network, Read
from feedback_friction.inside.places import Place
from feedback_friction.inside.segments import FRAME, REPLY, marked_prompt, owners, segments

FEEDBACK = "feedback"  # every segment of the newest feedback
ELSEWHERE = 3  # draws of the control that cuts as many other tokens
RANDOM_SETS = 5  # draws of the control that cuts as many other heads
STEPS = 16  # of the path of integrated gradients
MOST_PATCHED = 8  # layers, unless they are named
Cells = dict[str, list[float | None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A place as the model sees it."""

    place: Place
    ids: tuple[int, ...]  # the prompt's tokens
    names: tuple[str, ...]  # of its segments; one may be in several stretches
    owner: tuple[int, ...]  # for each token, the index of its segment's name
    reply: tuple[int, ...]  # tokens
    # Of the reply up to the parting, and of either way on; none where there is no parting.
    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    parts: int = 0  # how many tokens they share; what parts them comes next

    def columns(self, name: str) -> tuple[int, ...]:
        """The positions of a segment's tokens, or of all of the newest feedback's."""
        newest = f"{FEEDBACK} {self.place.scene.iteration} "
        wanted = {
            at
            for at, each in enumerate(self.names)
            if each == name or (name == FEEDBACK and each.startswith(newest))
        }
        return tuple(at for at, owner in enumerate(self.owner) if owner in wanted)

    @property
    def replies(self) -> tuple[tuple[int, ...], ...]:
        """The sequences to be scored: the reply, and both ways on where there is a parting."""
        return (self.reply, self.right, self.wrong) if self.right else (self.reply,)


def see(loaded: Loaded, place: Place) -> Seen:
    """A place in the tokens of a model.

    Raises:
        UnmarkableError: the parts of its prompt cannot be told.
        UsageError: the chat template refuses the prompt.
    """
    text, (marked, marks) = loaded.render(place.request.messages), marked_prompt(place.scene)
    found = segments(text, loaded.render(marked), marks)
    ids, offsets = loaded.tokens(text)
    names = tuple(dict.fromkeys(each.name for each in found))
    owner = tuple(names.index(found[at].name) for at in owners(found, offsets))
    reply = tuple(loaded.tokens(place.attempt.reply.text)[0])
    at = place.parting
    if at is None:
        return Seen(place, tuple(ids), names, owner, reply)
    right, wrong = (tuple(loaded.tokens(at.prefix + way)[0]) for way in (at.right, at.wrong))
    both = zip(right, wrong, strict=False)
    parts = next((number for number, (a, b) in enumerate(both) if a != b), 0)
    if not parts and right[:1] == wrong[:1]:  # one is the beginning of the other: they never part
        return Seen(place, tuple(ids), names, owner, reply)
    return Seen(place, tuple(ids), names, owner, reply, right, wrong, parts)


def summed(seen: Seen, found: Sequence[Floats]) -> list[float | None]:
    """Log-probability of the reply, and of the right and the wrong way on from the parting."""
    ways = [_short(float(each[seen.parts :].sum())) for each in found[1:]]
    reply = _short(float(found[0].sum()))
    return [reply, *ways] if ways else [reply, None, None]


def _short(value: float) -> float:
    return float(f"{value:.6g}")


def rounded(values: Any) -> Any:
    """Numbers of any shape as lists, to six digits."""
    return [rounded(each) for each in values] if np.ndim(values) else _short(float(values))


# --- attention and lens --------------------------------------------------------------------------


def plain(network: Network, seen: Seen, read: Read) -> dict[str, Any]:
    """One pass that changes nothing: attention by segment, and the lens at the parting.

    Returns:
        ``segments`` and, for each, ``share`` of the tokens that a row of the reply sees (mean over
        rows) and by layer and head ``attention``; ``tokens`` and ``logprob`` of the reply; by layer
        ``lens``, the margin at the first token where the ways part; None without a parting.
    """
    logprobs, attention = network.plain(read, seen.reply, seen.owner, len(seen.names))
    counts = np.bincount(seen.owner, minlength=len(seen.names)).astype(np.float64)
    sizes = len(seen.ids) + np.arange(len(seen.reply))
    own = np.arange(len(seen.reply)) / sizes
    share = np.column_stack([counts[None] / sizes[:, None], own])
    return {
        "segments": [*seen.names, REPLY],
        "share": rounded(share.mean(0)),
        "attention": rounded(attention),
        "tokens": len(seen.reply),
        "logprob": _short(float(logprobs.sum())),
        "lens": rounded(lens(network, seen, read)) if seen.right else None,
    }


def lens(network: Network, seen: Seen, read: Read) -> Floats:
    """By layer, the margin of the right way's first token at the parting; shape (layers,)."""
    rows = [read.ids[-1], *seen.right[: seen.parts]]
    states = network.states(read, rows)[:, seen.parts]
    found = network.scores(states, (seen.right[seen.parts], seen.wrong[seen.parts]))
    margins: Floats = (found[:, 0] - found[:, 1]).cpu().double().numpy()
    return margins


# --- knock-out -----------------------------------------------------------------------------------


def cuts(
    network: Network, seen: Seen, layers: Iterable[int], heads: Iterable[int]
) -> dict[str, Cut]:
    """The cuts of a place, by name.

    ``all/SEGMENT`` in all layers, ``layer L/SEGMENT`` in one, ``head L.H/feedback`` in one head of
    the layers ``heads``; ``elsewhere I/feedback`` cuts as many other tokens instead.
    """
    names = [FEEDBACK, *(each for each in seen.names if each != FRAME)]
    columns = {name: each for name in names if (each := seen.columns(name))}
    found = {f"all/{name}": Cut(each) for name, each in columns.items()}
    found |= {
        f"layer {layer}/{name}": Cut(each, ((layer, None),))
        for layer in layers
        for name, each in columns.items()
    }
    told = columns[FEEDBACK]
    found |= {
        f"head {layer}.{head}/{FEEDBACK}": Cut(told, ((layer, head),))
        for layer in heads
        for head in range(network.heads)
    }
    for number in range(ELSEWHERE):
        if other := elsewhere(seen, number):
            found[f"elsewhere {number}/{FEEDBACK}"] = Cut(other)
    return found


def elsewhere(seen: Seen, number: int) -> tuple[int, ...]:
    """As many tokens as the feedback has, beside each other where they fit; none if too few."""
    told = set(seen.columns(FEEDBACK))
    free = [at for at in range(len(seen.ids) - 1) if at not in told]
    size, rng = len(told), random.Random(f"{seen.place.key}:elsewhere:{number}")
    starts = [at for at in range(len(free) - size + 1) if free[at + size - 1] - free[at] < size]
    if starts:
        at = rng.choice(starts)
        return tuple(free[at : at + size])
    return tuple(sorted(rng.sample(free, size))) if len(free) >= size else ()


def knock_out(
    network: Network, seen: Seen, read: Read, wanted: dict[str, Cut], known: Cells
) -> Cells:
    """What the reply and both ways on are worth under each cut that is not known yet.

    Returns:
        By name, the three log-probabilities of ``summed``; ``none`` is without a cut.
    """
    left = {name: cut for name, cut in {"none": Cut(), **wanted}.items() if name not in known}
    found = network.logprobs(read, seen.replies, list(left.values()))
    return {name: summed(seen, each) for name, each in zip(left, found, strict=True)}


def later(network: Network, seen: Seen) -> Cells:
    """The cut from every token after the feedback: no way around by what stands between."""
    told = seen.columns(FEEDBACK)
    found = [
        network.logprobs_afresh(seen.ids, each, Cut(told), max(told) + 1) for each in seen.replies
    ]
    return {f"later/{FEEDBACK}": summed(seen, found)}


def another(network: Network, seen: Seen) -> Cells:
    """With another problem's feedback in the prompt: as it is, and with that cut."""
    read = network.read(seen.ids)
    found = network.logprobs(read, seen.replies, [Cut(), Cut(seen.columns(FEEDBACK))])
    return {
        f"{name}/another's {FEEDBACK}": summed(seen, each)
        for name, each in zip(("none", "all"), found, strict=True)
    }


def sets_of_heads(
    seen: Seen,
    top: Sequence[tuple[int, int]],
    drawn_from: Sequence[tuple[int, int]],
) -> dict[str, Cut]:
    """Cuts of a set of heads, and of as many others, drawn for each place separately."""
    told = seen.columns(FEEDBACK)
    found = {f"top/{FEEDBACK}": Cut(told, tuple(top))}
    others = [each for each in drawn_from if each not in set(top)]
    for number in range(RANDOM_SETS):
        rng = random.Random(f"{seen.place.key}:heads:{number}")
        if len(others) >= len(top):
            drawn = tuple(sorted(rng.sample(others, len(top))))
            found[f"random {number}/{FEEDBACK}"] = Cut(told, drawn)
    return found


# --- attribution ---------------------------------------------------------------------------------


def attribution(network: Network, seen: Seen) -> dict[str, Any]:
    """Input x gradient and integrated gradients of the margin's scores, by segment.

    The path of integrated gradients goes from the vocabulary's mean embedding to the prompt's own
    (Sundararajan et al., 2017, arXiv 1703.01365), in ``STEPS`` midpoints.

    Returns:
        ``segments``, ``ixg``, ``ig``; ``margin`` and ``margin_empty`` are the scores at both ends
        of the path, whose difference the integrated gradients of all tokens should add up to.
    """
    ids = [*seen.ids, *seen.right[: seen.parts]]
    ways = seen.right[seen.parts], seen.wrong[seen.parts]
    table = network.model.get_input_embeddings()
    with torch.no_grad():
        there = table(torch.tensor([ids], device=network.device))
        empty = table.weight.mean(0).expand_as(there)
    own = torch.tensor([*seen.owner, *[len(seen.names)] * seen.parts], device=network.device)
    size = len(seen.names) + 1

    def by_segment(values: torch.Tensor) -> Floats:
        found = torch.zeros(size, dtype=torch.float64, device=network.device)
        by: Floats = found.index_add(0, own, values[0].sum(-1).double()).cpu().numpy()
        return by

    margin, slope = network.slopes(there, ways)
    start, _ = network.slopes(empty, ways)
    path = torch.zeros_like(there)
    for step in range(STEPS):
        at = empty + (there - empty) * ((step + 0.5) / STEPS)
        path += network.slopes(at, ways)[1] / STEPS
    return {
        "segments": [*seen.names, REPLY],
        "ixg": rounded(by_segment(there * slope)),
        "ig": rounded(by_segment((there - empty) * path)),
        "margin": _short(margin),
        "margin_empty": _short(start),
    }


# --- patching ------------------------------------------------------------------------------------


def patching(
    network: Network, seen: Seen, donor: Seen, layers: Sequence[int], known: dict[str, float]
) -> dict[str, Any]:
    """States of a corrected trial put into another, by layer and segment.

    A segment's last tokens are aligned, as many as both have; ``parting`` is the one token before
    the parting. What both prompts begin with alike need not be patched, nor read more than once.

    Returns:
        The margin's scores: ``base``, of the ``donor``, and by cell (``layer L/SEGMENT``) after it.
    """
    rows, given = _line(seen), _line(donor)
    shared = next(
        (at for at, (a, b) in enumerate(zip(rows, given, strict=False)) if a != b),
        min(len(rows), len(given)),
    )
    shared = min(shared, len(rows) - 1, len(given) - 1)
    from_donor = network.states(network.read_until(given, shared), given[shared:])
    pairs = {
        name: (mine, theirs)
        for name in ("parting", FEEDBACK, *(each for each in seen.names if each != FRAME), REPLY)
        if (mine := _positions(seen, name, shared)) and (theirs := _positions(donor, name, shared))
    }
    jobs = [
        (f"layer {layer}/{name}", layer, mine[-size:], theirs[-size:])
        for layer in layers
        for name, (mine, theirs) in pairs.items()
        if f"layer {layer}/{name}" not in known and (size := min(len(mine), len(theirs)))
    ]
    ways = seen.right[seen.parts], seen.wrong[seen.parts]
    donors = donor.right[donor.parts], donor.wrong[donor.parts]
    read = network.read_until(rows, shared)
    found = network.patched(read, rows[shared:], from_donor, [job[1:] for job in jobs], ways)
    base = network.patched(read, rows[shared:], from_donor, [(0, [], [])], ways)[0]
    last = network.scores(from_donor[-1, -1], donors)
    return {
        "base": _short(base),
        "donor": _short(float(last[0] - last[1])),
        "cells": known
        | {name: _short(value) for (name, *_), value in zip(jobs, found, strict=True)},
    }


def _line(seen: Seen) -> tuple[int, ...]:
    return (*seen.ids, *seen.right[: seen.parts])


def _positions(seen: Seen, name: str, shared: int) -> list[int]:
    """The positions of a segment after what is shared, counted from there."""
    end = len(seen.ids) + seen.parts
    where: Iterable[int] = seen.columns(name)
    if name == "parting":
        where = [end - 1]
    elif name == REPLY:
        where = range(len(seen.ids) - 1, end)
    return [at - shared for at in where if at >= shared]
