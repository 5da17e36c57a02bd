"""``python -m training train|export|replies|curves|core``."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def main() -> None:
    """Make the small language model and the frozen set that ship with the package."""


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--seed", default=0, show_default=True, help="Of the weights and the dialogues.")
def train(folder: Path, seed: int) -> None:
    """Train; leaves the model, own.pt, and the logs in FOLDER."""
    from training.train import Schedule
    from training.train import train as run

    run(folder, Schedule(seed=seed))


@main.command()
@click.argument("checkpoint", type=FILE)
@click.argument("folder", type=FOLDER)
def export(checkpoint: Path, folder: Path) -> None:
    """Write the model of CHECKPOINT to FOLDER in the format of Hugging Face, and as GGUF."""
    from training.export import export as run

    run(checkpoint, folder)


@main.command()
def core() -> None:
    """Write the frozen set that ships with the package."""
    from training.core import main as run

    run()


@main.command()
@click.argument("file", type=FILE)
def replies(file: Path) -> None:
    """Write what transformers replies with the shipped weights to FILE: llama.cpp is held to it."""
    from training.replies import write

    write(file)


@main.command()
@click.argument("folder", type=FOLDER)
@click.argument("picture", type=FILE)
def curves(folder: Path, picture: Path) -> None:
    """Draw the loss and the share of tokens predicted from the logs in FOLDER."""
    from training.curves import draw

    draw(folder, picture)


main()
