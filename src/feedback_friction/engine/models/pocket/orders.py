"""What is asked of the engine, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is done at once, without influence on any reply.

    Attributes:
        sequences: that run at once, over all threads.
        prompt_tokens: of prompts, computed in one step of a thread beside its sequences.
        memory: bytes of keys and values, of running sequences and of kept prefixes together,
            unless a single sequence needs more.
        threads: None for as many as there are cores, within reason.
    """

    sequences: int = 64
    prompt_tokens: int = 128
    memory: int = 320 * 2**20
    threads: int | None = None

    @property
    def for_prefixes(self) -> int:
        """Bytes of the memory that are left to kept prefixes, whatever sequences take."""
        return self.memory // 8


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        prompt: token ids, at least one and fewer than the context.
        seeds: one for each reply.
        max_tokens: of a reply; what the context leaves may be less.
        temperature: 0 is greedy.
        top_p: above 0, at most 1.
        logprobs: whether log-probabilities are wanted.
    """

    prompt: tuple[int, ...]
    seeds: tuple[int, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    logprobs: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """One reply.

    Attributes:
        tokens: ids, the one that ended it included.
        finish: ``length`` when it reached ``max_tokens`` or the end of the context.
        mean_logprob: mean natural log-probability per token at temperature 1; None if not asked.
    """

    tokens: tuple[int, ...]
    finish: Finish
    mean_logprob: float | None


@dataclass(frozen=True, slots=True)
class Served:
    """The replies to an order, by its seeds, and how much of the prompt was known already."""

    replies: tuple[Drawn, ...]
    cached_tokens: int


class ClosedError(Exception):
    """The engine was closed, or failed: nothing more comes from it."""
