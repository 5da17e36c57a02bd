"""A cure: the way from repeated to corrected, as a direction added while the model writes.

The direction of a layer is the mean state at the prompt's last token before corrected attempts,
less that before repeated ones. Layer and strength are chosen on the training half of the problems
alone, by the share of repeated trials that become right; the other half tells what they are worth,
beside the same with the sign turned, with random directions of the same norm, and with directions
from shuffled labels. So is attention raised to the feedback's tokens, without a direction.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from feedback_friction.inside.attending import Cut
from feedback_friction.inside.network import Arm

STRENGTHS = (1.0, 2.0, 4.0)  # times the direction
RAISED = (1.0, 2.0, 3.0)  # nats
RANDOM, SHUFFLED = 5, 3  # draws of the controls
FEWEST = 2  # trials of each outcome in the training half

Labelled = Mapping[str, tuple[bool, Tensor]]  # by place: corrected or not, states (layers, width)


def direction(labelled: Labelled) -> Tensor:
    """Mean state of the corrected less that of the repeated, by layer: shape (layers, width)."""
    yes = torch.stack([states for corrected, states in labelled.values() if corrected])
    no = torch.stack([states for corrected, states in labelled.values() if not corrected])
    return yes.mean(0) - no.mean(0)


def enough(labelled: Labelled) -> bool:
    """Whether there are trials of both outcomes to make a direction from."""
    yes = sum(corrected for corrected, _ in labelled.values())
    return min(yes, len(labelled) - yes) >= FEWEST


def name_of(labelled: Labelled) -> str:
    """A digest of what a direction is made from: another one is another experiment."""
    parts = "\n".join(f"{name} {yes}" for name, (yes, _) in sorted(labelled.items()))
    return hashlib.sha256(parts.encode()).hexdigest()[:8]


def candidates(made: Tensor, layers: Sequence[int], told: Sequence[int]) -> dict[str, Arm]:
    """What is tried on the training half: every layer and strength, and attention raised."""
    found = {
        f"layer {layer} x{strength:g}": Arm({layer: strength * made[layer]})
        for layer in layers
        for strength in STRENGTHS
    }
    return found | {f"raised {nats:g}": Arm(cut=Cut(tuple(told), raised=nats)) for nats in RAISED}


def chosen(solved: Mapping[str, Sequence[bool]], kind: str) -> str | None:
    """The candidate of a kind that solves most; of equals the first, which is the weakest.

    Args:
        solved: by candidate, one a trial of the training half.
        kind: how the names of its candidates begin.
    """
    mine = [name for name in solved if name.startswith(kind) and solved[name]]
    return max(mine, key=lambda name: sum(solved[name]), default=None)


def trials_of(
    labelled: Labelled, name: str | None, raised: str | None, told: Sequence[int]
) -> dict[str, Arm]:
    """What is tried on the other half, with all controls.

    Args:
        labelled: the training half.
        name: the candidate chosen, as ``candidates`` names it.
        raised: the same of attention raised; left out where there is no feedback to attend to.
    """
    arms = {"none": Arm()}
    if name is not None:
        layer, strength = int(name.split()[1]), float(name.rpartition("x")[2])
        made = direction(labelled)[layer]
        arms["steered"] = Arm({layer: strength * made})
        arms["turned"] = Arm({layer: -strength * made})
        for number in range(RANDOM):
            rng = torch.Generator().manual_seed(number)
            drawn = torch.randn(made.shape, generator=rng).to(made)
            arms[f"random {number}"] = Arm({layer: strength * drawn * (made.norm() / drawn.norm())})
        for number in range(SHUFFLED):
            other = direction(_shuffled(labelled, number))[layer]
            arms[f"shuffled {number}"] = Arm({layer: strength * other})
    if raised is not None and told:
        nats = float(raised.split()[1])
        arms["raised"] = Arm(cut=Cut(tuple(told), raised=nats))
    return arms


def _shuffled(labelled: Labelled, number: int) -> Labelled:
    labels = [corrected for corrected, _ in labelled.values()]
    random.Random(number).shuffle(labels)
    return {
        name: (label, states)
        for label, (name, (_, states)) in zip(labels, labelled.items(), strict=True)
    }
