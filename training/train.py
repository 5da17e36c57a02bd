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
from typing import Literal

import click
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

from training.checkpoint import load, save, settings_of
from training.dialogues import ABACUS, Habits, OwnError, examples, held_out
from training.mistakes import own_errors
from training.network import Network, Shape
from training.vocabulary import PAD, Encoded, Vocabulary

Stage = Literal["answers", "trials", "own"]
SHARES: dict[Stage, tuple[float, ...]] = {  # of first attempts, in each kind of step
    "answers": (1.0,),
    "trials": (1.0, 0.0, 0.0, 0.0),
    "own": (1.0, 0.0, 0.0, 0.0),
}
LOGGED = 20  # steps of a line in the log
STRIDE = 16  # tokens; dialogues are padded to a multiple of it


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        answers: steps in which only first attempts are learnt, at the full rate.
        trials: steps after them, three of four on trials; from here the rate falls to zero.
        own: steps after those, many of whose trials begin with the model's own slips.
        tokens: tokens of a step, padding included.
        longest: longer dialogues are left out.
        prompts: what a token of a prompt counts, where one of the reply counts 1.
        warm_up: steps in which the learning rate rises.
        matrices: peak learning rate of the matrices in the layers (Muon).
        others: peak learning rate of embedding and norms (AdamW).
        seed: of the weights and the dialogues.
    """

    answers: int = 1_000
    trials: int = 2_600
    own: int = 1_900
    tokens: int = 8_192
    longest: int = 1_024
    prompts: float = 0.25
    warm_up: int = 50
    matrices: float = 0.02
    others: float = 0.003
    seed: int = 0

    def rate(self, stage: Stage, step: int) -> float:
        """The share of the peak learning rates at a step of a stage, from 1."""
        fall = self.trials + self.own + 1
        left = {"answers": fall, "trials": fall - step, "own": self.own + 1 - step}
        return min(1.0, step / self.warm_up) * left[stage] / fall


class Batches(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """Dialogues of about one length together, so that little is padding."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        schedule: Schedule,
        first_attempts: float,
        seed: int,
        own: Sequence[OwnError],
        habits: Habits,
    ) -> None:
        self.vocabulary, self.schedule, self.habits = vocabulary, schedule, habits
        self.first_attempts, self.seed, self.own = first_attempts, seed, own

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        rng = Random(self.seed)
        source = examples(self.seed, held_out(), self.first_attempts, self.own, self.habits)
        while True:
            pool = [self.vocabulary.example(each) for each in islice(source, 4_000)]
            short = [each for each in pool if _size(each) <= self.schedule.longest]
            batches = list(self._cut(sorted(short, key=_size, reverse=True)))
            rng.shuffle(batches)
            yield from (self._padded(batch) for batch in batches)

    def _cut(self, pool: Sequence[Encoded]) -> Iterator[Sequence[Encoded]]:
        begin = 0
        while begin < len(pool):
            rows = self.schedule.tokens // _padded_size(pool[begin])
            yield pool[begin : begin + rows]
            begin += rows

    def _padded(self, batch: Sequence[Encoded]) -> tuple[Tensor, Tensor, Tensor]:
        """Ids, the ids that follow on them, and what each of those counts: (dialogues, length)."""
        length = max(map(_padded_size, batch))
        ids = torch.full((len(batch), length), self.vocabulary.id(PAD))
        counts = torch.zeros((len(batch), length))
        for row, each in enumerate(batch):
            ids[row, : _size(each)] = torch.tensor(each.ids)
            counts[row, : _size(each)] = torch.tensor(each.learnt)
            counts[row, : each.prompt] *= self.schedule.prompts
        return ids, ids.roll(-1, 1), counts.roll(-1, 1)


def _size(encoded: Encoded) -> int:
    return len(encoded.ids)


def _padded_size(encoded: Encoded) -> int:
    """Few different sizes, as every new one costs the libraries time to prepare for."""
    return -(-_size(encoded) // STRIDE) * STRIDE


def train(folder: Path, schedule: Schedule, habits: Habits = ABACUS, **sizes: int) -> None:
    """Train stage by stage, and leave a checkpoint and a log of each in the folder.

    A stage whose checkpoint is there from an earlier time (``answers.pt``) is not gone through
    again. The model is the last one, ``own.pt``.

    Args:
        habits: what the trials of the dialogues are like.
        sizes: of the network, where they are not those of ``Shape``.

    Raises:
        click.UsageError: a checkpoint that is there was made with other settings.
    """
    torch.manual_seed(schedule.seed)
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = Vocabulary.counted()
    network = Network(Shape(len(vocabulary), **sizes))
    settings = asdict(schedule) | asdict(habits) | asdict(network.shape)
    settings |= {"sentences": vocabulary.fixed}
    for stage in SHARES:
        done = folder / f"{stage}.pt"
        if not done.exists():
            wanted = stage == "own" and schedule.own > 0
            own = own_errors(network, vocabulary, schedule.seed) if wanted else []
            _stage(network, vocabulary, schedule, stage, own, habits, folder)
            save(network, vocabulary, settings, done)
        elif (made_with := settings_of(done)) != settings:
            other = sorted(each for each in settings if made_with.get(each) != settings[each])
            raise click.UsageError(
                f"{done} was made with other settings ({', '.join(other)}); use another folder"
            )
        network, vocabulary = load(done)


def _stage(
    network: Network,
    vocabulary: Vocabulary,
    schedule: Schedule,
    stage: Stage,
    own: Sequence[OwnError],
    habits: Habits,
    folder: Path,
) -> None:
    """Go through one stage with fresh optimizers and dialogues of its own."""
    network.to(device := "cuda" if torch.cuda.is_available() else "cpu")
    optimizers = _optimizers(network, schedule)
    shares, steps = SHARES[stage], getattr(schedule, stage)
    seed = len(SHARES) * schedule.seed + list(SHARES).index(stage)
    sources = {
        share: iter(
            DataLoader(Batches(vocabulary, schedule, share, seed, own, habits), None, num_workers=1)
        )
        for share in shares
    }
    begun, seen, losses = time.monotonic(), 0, []
    with (folder / f"{stage}.csv").open("w", newline="") as file:
        log = csv.writer(file, lineterminator="\n")
        log.writerow(("step", "minutes", "tokens", "rate", "loss", "right"))
        for step in range(1, steps + 1):
            batch = [each.to(device) for each in next(sources[shares[step % len(shares)]])]
            rate = schedule.rate(stage, step)
            losses.append(_step(network, optimizers, *batch, rate))
            seen += int((batch[0] != vocabulary.id(PAD)).sum())
            if step % LOGGED == 0:
                loss, right = (sum(each) / len(losses) for each in zip(*losses, strict=True))
                minutes = (time.monotonic() - begun) / 60
                log.writerow(
                    (step, f"{minutes:.2f}", seen, f"{rate:.3f}", f"{loss:.4f}", f"{right:.4f}")
                )
                file.flush()
                losses.clear()


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
    ids: Tensor,
    following: Tensor,
    counts: Tensor,
    rate: float,
) -> tuple[float, float]:
    """One step; the loss per token, and the share of the replies' tokens that were foretold."""
    learnt = counts > 0
    following, counts = following[learnt], counts[learnt]
    with torch.autocast(ids.device.type, torch.bfloat16):
        logits = network.logits(network(ids)[learnt])
    losses = functional.cross_entropy(logits.float(), following, reduction="none")
    loss = (losses * counts).sum() / counts.sum()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group.setdefault("peak", group["lr"])
            group["lr"] = group["peak"] * rate
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    right = (logits.argmax(-1) == following)[counts == 1].float().mean()
    assert math.isfinite(loss.item())
    return loss.item(), right.item()
