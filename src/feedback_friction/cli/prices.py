"""``friction prices``: what models cost, by which list, and how to have a newer one."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from pathlib import Path

import click

from feedback_friction.cli.click_options import JSON, PATH
from feedback_friction.cli.grid import print_json, print_rows
from feedback_friction.engine.models.price_list import Prices, kept_file, load_prices, refresh
from feedback_friction.errors import UsageError


@click.command("prices")
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option("--prices", type=PATH, help="A list of your own.")
@click.option(
    "--refresh",
    "newer",
    type=PATH,
    metavar="FILE",
    help="Use this list for all future runs: in our format, or LiteLLM's "
    "model_prices_and_context_window.json.",
)
@JSON
def command(words: tuple[str, ...], prices: Path | None, newer: Path | None, as_json: bool) -> None:
    """List the prices used for cost, of models whose names contain every WORD.

    Prices are in US dollars per million tokens. For a model that is not in the list no cost is
    computed, and --budget-usd is refused.
    """
    if newer is not None:
        refresh(newer, datetime.datetime.now(datetime.UTC).date().isoformat())
        click.echo(f"kept in {kept_file()}", err=True)
    found = load_prices(prices)
    models = {
        name: price for name, price in found.models.items() if all(word in name for word in words)
    }
    if words and not models:
        raise UsageError(f"no model with {' and '.join(words)} in its name is in the price list")
    if as_json:
        rows = {name: asdict(price) for name, price in models.items()}
        print_json({"as_of": found.as_of, "sources": found.sources, "models": rows})
        return
    _print(Prices(found.as_of, models, found.sources))


def _print(prices: Prices) -> None:
    rows = []
    for name, price in sorted(prices.models.items()):
        reasoning = price.output if price.reasoning is None else price.reasoning
        amounts = (price.input, price.cached_input, price.output, reasoning)
        rows.append((name, *(f"{amount:.4g}" for amount in amounts)))
    print_rows(("model", "input", "cached", "output", "reasoning"), rows, texts=1)
    sources = f", from {', '.join(prices.sources)}" if prices.sources else ""
    click.echo(f"US dollars per million tokens, as of {prices.as_of}{sources}")
