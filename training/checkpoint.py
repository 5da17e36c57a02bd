"""Checkpoints: weights, sizes and vocabulary together, and what they were made with."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from training.network import Network, Shape
from training.vocabulary import Vocabulary


def save(network: Network, vocabulary: Vocabulary, settings: dict[str, Any], file: Path) -> None:
    """Write a checkpoint; it is there whole or not at all.

    Args:
        settings: what it was made with, for ``settings_of``.
    """
    checkpoint = {
        "shape": asdict(network.shape),
        "sentences": vocabulary.fixed,
        "settings": settings,
        "weights": network.state_dict(),
    }
    unfinished = file.with_suffix(".unfinished")
    torch.save(checkpoint, unfinished)
    unfinished.replace(file)


def load(file: Path) -> tuple[Network, Vocabulary]:
    """The network and the vocabulary of a checkpoint."""
    checkpoint = torch.load(file, map_location="cpu")
    network = Network(Shape(**checkpoint["shape"]))
    network.load_state_dict(checkpoint["weights"])
    return network, Vocabulary(checkpoint["sentences"])


def settings_of(file: Path) -> dict[str, Any]:
    """What a checkpoint was made with."""
    settings: dict[str, Any] = torch.load(file, map_location="cpu").get("settings", {})
    return settings
