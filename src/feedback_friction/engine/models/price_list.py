"""What a call costs: prices by model, from one list that says where it is from, and of when.

The list is the user's own (``--prices``), the one that ``friction prices --refresh`` has kept, or
that of the package, whichever of the last two is of a later day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.engine.models.llama.gguf_files import cache_dir
from feedback_friction.errors import UsageError, reason
from feedback_friction.protocol.records import Usage

Cost = float | None  # US dollars; None where the price is not known
PER = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float  # of prompts that no cache held
    cached_input: float  # of prompts from a cache
    output: float  # of replies
    # of the reasoning in replies; None where it costs what the rest of a reply does
    reasoning: float | None = None

    def of(self, usage: Usage) -> float:
        """What some tokens cost, in US dollars; the reasoning is part of the completion."""
        fresh = usage.prompt_tokens - usage.cached_tokens
        thought = min(usage.reasoning_tokens, usage.completion_tokens)
        written = usage.completion_tokens - thought
        return (
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + written * self.output
            + thought * (self.output if self.reasoning is None else self.reasoning)
        ) / PER


@dataclass(frozen=True, slots=True)
class Prices:
    """A price list, its date, and where it is from."""

    as_of: str
    models: dict[str, Price]
    sources: tuple[str, ...] = ()

    def cost(self, model: str, usage: Usage) -> Cost:
        """What some tokens of a model cost; None when its price is not known, or their number.

        A simulation is free, and so is a model on this machine; earlier versions ran pocket/….
        """
        if model.startswith(("student/", "gguf/", "pocket/")):
            return 0.0
        price = self.models.get(model)
        return price.of(usage) if price and not usage.unknown else None

    def most(self, model: str, usage: Usage) -> Cost:
        """The most that a usage can cost, however many of its tokens are reasoning."""
        price = self.models.get(model)
        if price is None:
            return self.cost(model, usage)
        dearest = max(price.output, price.reasoning or 0.0)
        return replace(price, output=dearest, reasoning=None).of(usage)


def load_prices(file: Path | None = None) -> Prices:
    """The price list of a file; without one the newer of the package's and the one kept.

    Raises:
        UsageError: the file cannot be read or has another form.
    """
    if file is not None:
        return _read(file.read_bytes, str(file))
    ours = _read(resources.files(__package__).joinpath("prices.json").read_bytes, "the package")
    kept = kept_file()
    if not kept.exists():
        return ours
    return max(ours, _read(kept.read_bytes, str(kept)), key=lambda each: each.as_of)


def kept_file() -> Path:
    """Where a refreshed list is kept."""
    return cache_dir() / "prices.json"


def refresh(file: Path, today: str) -> Prices:
    """Keep a price list for all runs to come: one of our form, or LiteLLM's list of models.

    Args:
        today: the day that a list is of which names none, as YYYY-MM-DD.

    Raises:
        UsageError: it cannot be read, has neither form, or cannot be kept.
    """
    found = _read(file.read_bytes, str(file), today)
    models = {
        name: {key: value for key, value in asdict(price).items() if value is not None}
        for name, price in found.models.items()
    }
    document = {"as_of": found.as_of, "sources": [*found.sources], "models": models}
    try:
        kept_file().parent.mkdir(parents=True, exist_ok=True)
        kept_file().write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise UsageError(f"cannot store the prices in {kept_file()}: {reason(error)}") from error
    return found


def _read(read: Callable[[], bytes], name: str, today: str | None = None) -> Prices:
    try:
        data = orjson.loads(read())
        foreign = today is not None and isinstance(data, dict) and "models" not in data
        return _litellm(data, today or "") if foreign else _parse(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else reason(error)
        raise UsageError(
            f"cannot read the prices in {name}: {said}; wanted: "
            '{"as_of": "2025-06-01", "models": {"openai/NAME": '
            '{"input": 0.4, "cached_input": 0.1, "output": 1.6}}}'
        ) from error


def _parse(data: Any) -> Prices:
    models = {
        name: _price(
            name,
            price["input"],
            price.get("cached_input", price["input"]),
            price["output"],
            price.get("reasoning"),
        )
        for name, price in data["models"].items()
    }
    return Prices(str(data["as_of"]), models, tuple(map(str, data.get("sources", ()))))


_PROVIDERS = {"gemini": "google", "azure_ai": "azureai", "together_ai": "together"}


def _litellm(data: dict[str, Any], today: str) -> Prices:
    """Its prices are by token, and its names have no provider where that is the usual one."""
    models = {}
    for name, entry in data.items():
        price = entry.get("input_cost_per_token")
        if price is None or entry.get("mode") not in ("chat", "completion", "responses"):
            continue
        cached = entry.get("cache_read_input_token_cost", price)
        thought = entry.get("output_cost_per_reasoning_token")
        theirs = str(entry["litellm_provider"])
        ours = f"{_PROVIDERS.get(theirs, theirs)}/{name.removeprefix(f'{theirs}/')}"
        models[ours] = _price(name, price, cached, entry["output_cost_per_token"], thought, PER)
    if not models:
        raise ValueError("it has no prices")
    return Prices(today, models, ("https://github.com/BerriAI/litellm",))


def _price(
    model: str, fresh: Any, cached: Any, output: Any, reasoning: Any, scale: int = 1
) -> Price:
    """A price from values of any kind; ``scale`` makes them prices of a million tokens."""
    given = [fresh, cached, output, *([] if reasoning is None else [reasoning])]
    for value in given:
        if not 0 <= float(value) < float("inf"):
            raise ValueError(f"the price of {model} must be at least 0, not {value}")
    return Price(*(scale * float(value) for value in given))
