"""The slips that the model itself makes, to learn from."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random

from feedback_friction.engine.models.pocket.model import PocketModel
from feedback_friction.modes import TRANSCRIPT
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.records import Generate, Occasion
from training.dialogues import PAGE, OwnError, attempted, factors, held_out, problem_of
from training.export import write_folder
from training.network import Network
from training.vocabulary import Vocabulary

ASKED, TEMPERATURE, LONGEST = 10_000, 0.7, 160


def own_errors(network: Network, vocabulary: Vocabulary, seed: int) -> list[OwnError]:
    """Slips in first attempts at problems that are not held out, drawn by the package's engine."""
    with tempfile.TemporaryDirectory() as name:
        write_folder(network, vocabulary, Path(name))
        model = PocketModel(f"pocket/{name}")
    return asyncio.run(_wrong(model, seed))


async def _wrong(model: PocketModel, seed: int) -> list[OwnError]:
    rng, without = Random(f"own:{seed}"), held_out()
    asked = [factors(rng, without) for _ in range(ASKED)]
    try:
        found = await asyncio.gather(*(_attempt(model, *pair) for pair in asked))
    finally:
        await model.close()
    return [each for each in found if each is not None]


async def _attempt(model: PocketModel, first: int, second: int) -> OwnError | None:
    problem = problem_of(first, second)
    messages = solver_messages(PAGE.task, problem, (), TRANSCRIPT)
    occasion = Occasion(problem, 0, 0, "binary")
    request = Generate(
        "solver", "solver", messages, TEMPERATURE, LONGEST, first * 1000 + second, occasion
    )
    text = (await model.generate(request)).replies[0].text.strip()
    slip = text and text != str(attempted(first, second))
    return (first, second, text) if slip and not PAGE.task.grade(problem, text).is_correct else None
