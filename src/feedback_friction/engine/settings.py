"""What a user may ask of a run: what decides its results, and how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from feedback_friction.engine.budget import Limits
from feedback_friction.errors import UsageError
from feedback_friction.modes import (
    BINARY,
    GREEDY,
    TRANSCRIPT,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the results of a run; a run directory holds one such configuration.

    The fields are the options of ``friction run``; the defaults are the paper's.
    """

    tasks: tuple[str, ...]
    solver: str
    feedback: tuple[str, ...] = (BINARY.name,)
    feedback_model: str | None = None
    judge_model: str | None = None
    sampling: tuple[str, ...] = (GREEDY.name,)
    iterations: int = 10
    epochs: int = 1
    seed: int = 0
    data: Path | None = None
    columns: tuple[str, ...] = ()
    limit: int | None = None
    fraction: float | None = None
    stratify: str | None = None
    examples: Path | None = None
    digits: int = 5
    history: tuple[str, ...] = (TRANSCRIPT.name,)
    temperature: float = 0.0
    top_p: float | None = None
    max_tokens: int = 2000
    feedback_temperature: float = 0.0
    feedback_max_tokens: int = 5000
    logprobs: bool = False
    shuffle: bool = False
    binary_hint: bool = False
    reasoning_tokens: int | None = None
    reasoning_effort: str | None = None
    options: tuple[str, ...] = ()
    feedback_options: tuple[str, ...] = ()
    judge_options: tuple[str, ...] = ()
    sends_temperature: bool = True
    sends_feedback_temperature: bool = True


OPTION_FIELDS = (
    "reasoning_tokens",
    "reasoning_effort",
    "options",
    "feedback_options",
    "judge_options",
    "sends_temperature",
    "sends_feedback_temperature",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """How a run is carried out, without influence on its results.

    Attributes:
        base_urls: OpenAI-compatible servers of the solver; several are replicas.
        feedback_base_urls: the same for the feedback model.
        judge_base_urls: the same for the judge model.
        concurrency: requests in flight at most.
        timeout: seconds that a request may take in all; None grows with the longest reply.
        prices: a price list instead of the package's.
        budget: what the run may pay for in all.
    """

    base_urls: tuple[str, ...] = ()
    feedback_base_urls: tuple[str, ...] = ()
    judge_base_urls: tuple[str, ...] = ()
    concurrency: int = 256
    timeout: float | None = None
    prices: Path | None = None
    budget: Limits = field(default_factory=Limits)


def check_numbers(settings: Settings, operation: Operation) -> None:
    """Refuse numbers that no run can have.

    Raises:
        UsageError: one is out of its bounds.
    """
    at_least_one = {
        "--iterations": settings.iterations,
        "--epochs": settings.epochs,
        "--concurrency": operation.concurrency,
        "--max-tokens": settings.max_tokens,
        "--feedback-max-tokens": settings.feedback_max_tokens,
    }
    for option, value in at_least_one.items():
        if value < 1:
            raise UsageError(f"{option} must be at least 1, not {value}")
    operation.budget.check()
    for option, temperature in (
        ("--temperature", settings.temperature),
        ("--feedback-temperature", settings.feedback_temperature),
    ):
        if not 0 <= temperature <= 2:
            raise UsageError(f"{option} must be from 0 to 2, not {temperature}")
