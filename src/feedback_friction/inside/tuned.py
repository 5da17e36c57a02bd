"""The tuned lens: early states, first mapped to what the output layer is used to, then read by it.

The logit lens reads the states of early layers as if they were those of the last. Here a map of
each layer, affine, is fitted first (Belrose et al., 2023, arXiv 2303.08112), by least squares as in
Din et al. (2023, arXiv 2303.09435): ridge regression of what the later layers add on the state, so
that a stronger ridge comes nearer to the logit lens. Some hundred tokens of the training half of
the problems fit it; the other half is read by it, and tells how well it fits.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from feedback_friction.inside.measures import Seen, rounded
from feedback_friction.inside.network import NOTHING, Network, Read

TOKENS = 512  # that a map is fitted on, at most
FEWEST = 200  # and at least
PLACES = 24  # that they are taken from, at most
HELD = 16  # tokens of a place by which the fit is told
FOLDS = 3  # of places, by which the ridge is chosen
RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0)  # times the mean square of a state


@dataclass(frozen=True, slots=True)
class Learnt:
    """Tokens of the training half after each layer."""

    states: Tensor  # shape (layers, tokens, width)
    places: Tensor  # shape (tokens,): the number of the place that each is of


def learners(places: Sequence[Seen]) -> list[Seen]:
    """The places whose tokens fit the maps: some, at random, where there are many."""
    order = random.Random("tuned").sample(range(len(places)), len(places))
    return [places[at] for at in sorted(order[:PLACES])]


def name_of(places: Sequence[Seen]) -> str:
    """A digest of the places that fit the maps."""
    keys = "\n".join(str(each.place.key) for each in places)
    return hashlib.sha256(keys.encode()).hexdigest()[:8]


def learn(network: Network, places: Sequence[Seen]) -> Learnt:
    """The states of tokens drawn at random from the replies; from prompts, too, if too few."""
    states, owners = [], []
    each_of = -(-TOKENS // max(1, len(places)))
    for number, seen in enumerate(places):
        line = (*seen.ids, *seen.reply[:-1])
        chosen = _drawn(seen, each_of)
        states.append(network.states(NOTHING, line)[:, chosen].cpu().float())
        owners += [number] * len(chosen)
    width = torch.cat(states, 1) if states else torch.zeros(network.depth, 0, 1)
    return Learnt(width, torch.tensor(owners))


def _drawn(seen: Seen, count: int) -> list[int]:
    rng = random.Random(f"{seen.place.key}:tuned")
    first = len(seen.ids) - 1
    written = [*range(first, first + len(seen.reply))]
    if len(written) >= count:
        return sorted(rng.sample(written, count))
    given = rng.sample(range(first), min(first, count - len(written)))
    return sorted([*given, *written])


@dataclass(frozen=True, slots=True)
class Lens:
    """The map of one layer: to a state it adds what the later layers would, by its prediction."""

    known: Tensor  # (tokens, width): the states that it was fitted on, less their mean
    worth: Tensor  # (tokens, width): what each of them adds, by its product with the state
    middle: Tensor  # (width,): the mean state
    shift: Tensor  # (width,): the mean of what is added

    def __call__(self, states: Tensor) -> Tensor:
        """Shape (rows, width), in and out."""
        return states + self.shift + (states - self.middle) @ self.known.T @ self.worth


def fit(states: Tensor, last: Tensor, ridge: float) -> Lens:
    """Ridge regression in its dual form: tokens by tokens, however wide the network is.

    Args:
        states, last: shape (tokens, width): after the layer, and after the last one.
        ridge: times the mean square of a state.
    """
    middle, added = states.mean(0), last - states
    shift = added.mean(0)
    known = states - middle
    alike = known @ known.T
    alike += ridge * alike.diagonal().mean().clamp_min(1e-12) * torch.eye(len(known))
    return Lens(known, torch.linalg.solve(alike, added - shift), middle, shift)


def lenses(learnt: Learnt) -> list[Lens]:
    """The maps of all layers but the last, each with the ridge that foresees other places best."""
    return [
        fit(states, learnt.states[-1], _ridge(states, learnt.states[-1], learnt.places))
        for states in learnt.states[:-1]
    ]


def _ridge(states: Tensor, last: Tensor, places: Tensor) -> float:
    missed = dict.fromkeys(RIDGES, 0.0)
    for fold in range(FOLDS):
        held = places % FOLDS == fold
        if held.any() and not held.all():
            for ridge in RIDGES:
                guess = fit(states[~held], last[~held], ridge)(states[held])
                missed[ridge] += float((guess - last[held]).square().sum())
    return min(RIDGES, key=lambda ridge: missed[ridge])


def read(network: Network, seen: Seen, prompt: Read, maps: Sequence[Lens]) -> dict[str, Any]:
    """A place of the other half, read by both lenses.

    Returns:
        By layer ``tuned``, the margin at the parting (None without one), and ``kl`` and
        ``kl_tuned``: the divergence in nats of what the last layer foretells from what the logit
        and the tuned lens read, mean over tokens of the reply.
    """
    rows = [seen.ids[-1], *seen.reply[: HELD - 1]]
    states = network.states(prompt, rows)
    found: dict[str, Any] = {"tuned": None}
    target = torch.log_softmax(network.scores(states[-1]), -1)
    kinds = {"kl": states, "kl_tuned": _mapped(states, maps)}
    for name, each in kinds.items():
        guess = (torch.log_softmax(network.scores(layer), -1) for layer in each)
        found[name] = rounded(
            [float((target.exp() * (target - one)).sum(-1).mean()) for one in guess]
        )
    if seen.right:
        at = network.states(prompt, [seen.ids[-1], *seen.right[: seen.parts]])[:, -1:]
        ways = (seen.right[seen.parts], seen.wrong[seen.parts])
        scores = network.scores(_mapped(at, maps)[:, 0], ways).cpu().double().numpy()
        found["tuned"] = rounded(scores[:, 0] - scores[:, 1])
    return found


def _mapped(states: Tensor, maps: Sequence[Lens]) -> Tensor:
    """States after each layer as their maps have them; the last layer's as they are."""
    early = [
        one(state.cpu().float()).to(state) for one, state in zip(maps, states[:-1], strict=True)
    ]
    return torch.stack([*early, states[-1]])
