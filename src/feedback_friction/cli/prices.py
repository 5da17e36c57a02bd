"""``friction prices``: what models cost, by which list, and how to have a newer one."""

from __future__ import annotations

import datetime
import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from feedback_friction.engine.models.price_list import Prices, kept_file, load_prices, refresh

_WIDTH = 80


@click.command("prices")
@click.argument("words", nargs=-1, metavar="[WORD...]")
@click.option("--prices", type=click.Path(path_type=Path), help="A list of your own.")
@click.option(
    "--refresh",
    "newer",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use this list for all future runs: in our format, or LiteLLM's "
    "model_prices_and_context_window.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
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
    if as_json:
        rows = {name: asdict(price) for name, price in models.items()}
        click.echo(json.dumps({"as_of": found.as_of, "sources": found.sources, "models": rows}))
        return
    _print(Prices(found.as_of, models, found.sources))


def _print(prices: Prices) -> None:
    table = Table(pad_edge=False, show_edge=False)
    table.add_column("model", overflow="fold", ratio=1)
    for name in ("input", "cached", "output", "reasoning"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, price in sorted(prices.models.items()):
        reasoning = price.output if price.reasoning is None else price.reasoning
        amounts = (price.input, price.cached_input, price.output, reasoning)
        table.add_row(name, *(f"{amount:.4g}" for amount in amounts))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDTH)
    console.print(table)
    sources = f", from {', '.join(prices.sources)}" if prices.sources else ""
    console.print(f"US dollars per million tokens, as of {prices.as_of}{sources}", soft_wrap=True)
