"""Checkpoints: weights, sizes and vocabulary together."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from training.network import Network, Shape
from training.vocabulary import Vocabulary


def save(network: Network, vocabulary: Vocabulary, file: Path) -> None:
    """Write a checkpoint."""
    checkpoint = {
        "shape": asdict(network.shape),
        "sentences": vocabulary.fixed,
        "weights": network.state_dict(),
    }
    torch.save(checkpoint, file)


def load(file: Path) -> tuple[Network, Vocabulary]:
    """The network and the vocabulary of a checkpoint."""
    checkpoint = torch.load(file, map_location="cpu")
    network = Network(Shape(**checkpoint["shape"]))
    network.load_state_dict(checkpoint["weights"])
    return network, Vocabulary(checkpoint["sentences"])
