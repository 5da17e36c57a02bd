"""The slips that the model itself makes, to learn from."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random

from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.records import Generate, Occasion
from feedback_friction.ways import TRANSCRIPT
from training.dialogues import PAGE, OwnError, attempted, factors, held_out, problem_of
from training.export import FILE, write_folder
from training.network import Network
from training.vocabulary import Vocabulary

ASKED, TEMPERATURE, LONGEST = 10_000, 0.7, 160
AT_ONCE, CONTEXT = 32, 512


def own_errors(network: Network, vocabulary: Vocabulary, seed: int) -> list[OwnError]:
    """Slips in first attempts at problems that are not held out, drawn by llama.cpp."""
    with tempfile.TemporaryDirectory() as name:
        write_folder(network, vocabulary, Path(name))
        return asyncio.run(_wrong(Path(name) / FILE, seed))


async def _wrong(file: Path, seed: int) -> list[OwnError]:
    rng, without = Random(f"own:{seed}"), held_out()
    asked = [factors(rng, without) for _ in range(ASKED)]
    served = ModelOptions(extra={"slots": AT_ONCE, "context": CONTEXT})
    model = open_models({"solver": ModelSettings(f"gguf/{file}", options=served)})["solver"]
    try:
        await model.check()
        found = await asyncio.gather(*(_attempt(model, *pair) for pair in asked))
    finally:
        await model.close()
    return [each for each in found if each is not None]


async def _attempt(model: Model, first: int, second: int) -> OwnError | None:
    problem = problem_of(first, second)
    messages = solver_messages(PAGE.task, problem, (), TRANSCRIPT)
    occasion = Occasion(problem, 0, 0, "binary")
    request = Generate(
        "solver", "solver", messages, TEMPERATURE, LONGEST, first * 1000 + second, occasion
    )
    text = (await model.generate(request)).replies[0].text.strip()
    slip = text and text != str(attempted(first, second))
    return (first, second, text) if slip and not PAGE.task.grade(problem, text).is_correct else None
