"""Trains the network on dialogues that it makes as it goes; writes checkpoints and a log."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from random import Random

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from training.dialogues import examples, held_out
from training.network import Network, Shape
from training.vocabulary import PAD, Vocabulary

Encoded = tuple[list[int], int]  # token ids, and how many of them are the prompt


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        minutes: wall time; the learning rate falls to zero at its end.
        answers: share of the time in which only first attempts are learnt, without feedback.
        tokens: tokens of a step, padding included.
        longest: longer dialogues are left out.
        warm_up: steps in which the learning rate rises.
        matrices: peak learning rate of the matrices in the layers (Muon).
        others: peak learning rate of embedding and norms (AdamW).
        seed: of the weights and the dialogues.
    """

    minutes: float
    answers: float = 0.45
    tokens: int = 6_144
    longest: int = 1024
    warm_up: int = 50
    matrices: float = 0.02
    others: float = 0.003
    seed: int = 0


class Batches(IterableDataset[tuple[Tensor, Tensor]]):
    """Dialogues of about one length together, so that little is padding."""

    def __init__(self, vocabulary: Vocabulary, schedule: Schedule, first_attempts: float) -> None:
        self.vocabulary, self.schedule = vocabulary, schedule
        self.first_attempts = first_attempts

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        seed = self.schedule.seed
        rng, source = Random(seed), examples(seed, held_out(), self.first_attempts)
        while True:
            pool = [self.vocabulary.example(each) for each in islice(source, 4_000)]
            pool = sorted(
                (each for each in pool if len(each[0]) <= self.schedule.longest), key=_size
            )
            batches = list(self._cut(pool))
            rng.shuffle(batches)
            yield from (self._padded(batch) for batch in batches)

    def _cut(self, pool: Sequence[Encoded]) -> Iterator[list[Encoded]]:
        batch: list[Encoded] = []
        for each in pool:
            if batch and (len(batch) + 1) * len(each[0]) > self.schedule.tokens:
                yield batch
                batch = []
            batch.append(each)

    def _padded(self, batch: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
        """Ids, and the ids to predict, -100 where nothing is to be learnt."""
        length = max(len(ids) for ids, _ in batch)
        inputs = torch.full((len(batch), length), self.vocabulary.id(PAD))
        targets = torch.full((len(batch), length), -100)
        for row, (ids, prompt) in enumerate(batch):
            inputs[row, : len(ids)] = torch.tensor(ids)
            targets[row, prompt - 1 : len(ids) - 1] = torch.tensor(ids[prompt:])
        return inputs, targets


def _size(encoded: Encoded) -> int:
    return len(encoded[0])


def train(folder: Path, schedule: Schedule) -> None:
    """Train, and leave ``network.pt`` and ``log.csv`` in the folder."""
    torch.manual_seed(schedule.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vocabulary = Vocabulary.counted()
    network = Network(Shape(len(vocabulary))).to(device)
    optimizers = _optimizers(network, schedule)
    network.compile(dynamic=True)
    answers, dialogues = (
        iter(DataLoader(Batches(vocabulary, schedule, share), batch_size=None, num_workers=1))
        for share in (1.0, 0.5)
    )
    begun, seen, step = time.monotonic(), 0, 0
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.csv").open("w", newline="") as file:
        log = csv.writer(file, lineterminator="\n")
        log.writerow(("step", "minutes", "tokens", "rate", "loss", "right"))
        losses: list[tuple[float, float]] = []
        while (share := (time.monotonic() - begun) / 60 / schedule.minutes) < 1:
            inputs, targets = (
                each.to(device) for each in next(answers if share < schedule.answers else dialogues)
            )
            rate = min(1.0, (step + 1) / schedule.warm_up, 1.6 * (1 - share))
            losses.append(_step(network, optimizers, inputs, targets, rate))
            seen, step = seen + int((inputs != vocabulary.id(PAD)).sum()), step + 1
            if step % 20 == 0:
                loss, right = (sum(each) / len(losses) for each in zip(*losses, strict=True))
                minutes = (time.monotonic() - begun) / 60
                log.writerow(
                    (step, f"{minutes:.2f}", seen, f"{rate:.3f}", f"{loss:.4f}", f"{right:.4f}")
                )
                file.flush()
                losses.clear()
            if step % 500 == 0:
                _save(network, vocabulary, folder)
    _save(network, vocabulary, folder)


def _save(network: Network, vocabulary: Vocabulary, folder: Path) -> None:
    checkpoint = {
        "shape": asdict(network.shape),
        "sentences": vocabulary.fixed,
        "weights": network.state_dict(),
    }
    torch.save(checkpoint, folder / "network.pt")


def _optimizers(network: Network, schedule: Schedule) -> list[torch.optim.Optimizer]:
    matrices = [
        weight
        for name, weight in network.named_parameters()
        if weight.dim() == 2 and "embed" not in name
    ]
    others = [
        weight
        for name, weight in network.named_parameters()
        if weight.dim() != 2 or "embed" in name
    ]
    return [
        torch.optim.Muon(
            matrices,
            lr=schedule.matrices,
            momentum=0.95,
            weight_decay=0.01,
            adjust_lr_fn="original",
        ),
        torch.optim.AdamW(others, lr=schedule.others, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def _step(
    network: Network,
    optimizers: Sequence[torch.optim.Optimizer],
    inputs: Tensor,
    targets: Tensor,
    rate: float,
) -> tuple[float, float]:
    """One step; the loss per token, and the share of tokens that were predicted."""
    with torch.autocast(inputs.device.type, torch.bfloat16):
        wanted = targets >= 0
        logits = network.logits(network(inputs)[wanted])
    loss = functional.cross_entropy(logits.float(), targets[wanted])
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("peak", group["lr"])
            group["lr"] = group["peak"] * rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    right = (logits.argmax(-1) == targets[wanted]).float().mean()
    assert math.isfinite(loss.item())
    return loss.item(), right.item()
