"""What a call costs: prices by model, from one data file that says of when it is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Usage

Cost = float | None  # US dollars; None where the price is not known
PER = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens; cached input is the part of the input that was cached."""

    input: float
    cached_input: float
    output: float

    def of(self, usage: Usage) -> float:
        """What some tokens cost, in US dollars; reasoning tokens are part of the output."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        return (
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + usage.completion_tokens * self.output
        ) / PER


@dataclass(frozen=True, slots=True)
class Prices:
    """A price list, and its date."""

    as_of: str
    models: dict[str, Price]

    def cost(self, model: str, usage: Usage) -> Cost:
        """What some tokens of a model cost; None when its price is not known, or their number.

        A simulation is free, and so is a model on this machine; earlier versions ran pocket/….
        """
        if model.startswith(("student/", "gguf/", "pocket/")):
            return 0.0
        price = self.models.get(model)
        return price.of(usage) if price and not usage.unknown else None


def load_prices(file: Path | None = None) -> Prices:
    """The price list of the package, or of a file with the same form.

    Raises:
        UsageError: the file cannot be read or has another form.
    """
    try:
        if file is None:
            text = resources.files(__package__).joinpath("prices.json").read_bytes()
        else:
            text = file.read_bytes()
        return _parse(orjson.loads(text))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"cannot read the prices in {file}: {_said(error)}; wanted: "
            '{"as_of": "2025-06-01", "models": {"openai/NAME": '
            '{"input": 0.4, "cached_input": 0.1, "output": 1.6}}}'
        ) from error


def _parse(data: Any) -> Prices:
    models = {
        name: Price(
            _amount(name, price["input"]),
            _amount(name, price.get("cached_input", price["input"])),
            _amount(name, price["output"]),
        )
        for name, price in data["models"].items()
    }
    return Prices(str(data["as_of"]), models)


def _amount(model: str, value: Any) -> float:
    amount = float(value)
    if not 0 <= amount < float("inf"):
        raise ValueError(f"the price of {model} must be at least 0, not {value}")
    return amount


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)
