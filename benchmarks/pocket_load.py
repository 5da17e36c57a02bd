"""A process that does nothing but load a pocket model and serve it: what ``pocket`` measures.

Prompts are random tokens, and no token ends a reply, so that every reply has the length asked for.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import ThreadpoolController

from feedback_friction.engine.models.pocket.engine import Engine
from feedback_friction.engine.models.pocket.folder import find, read_shape, read_weights
from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.orders import Order


def run(model: str, sequences: int, prompt: int, reply: int, repeats: int) -> dict[str, float]:
    """Serve so many sequences at once, several times.

    Args:
        model: ``pocket/NAME``.
        prompt: tokens of each prompt.
        reply: tokens of each reply.

    Returns:
        The best of the repeats: prompt tokens a second; when prompts are known, tokens of replies
        a second; and how many it would be if the matrix products alone took time.
    """
    folder = find(model.partition("/")[2])
    shape = read_shape(folder)
    weights = Weights(shape, read_weights(folder, shape))
    engine = Engine(weights, frozenset())
    drawn = random.Random(0)
    reading, writing, multiplying = [], [], []
    for repeat in range(repeats):
        prompts = [
            tuple(drawn.randrange(shape.vocabulary) for _ in range(prompt))
            for _ in range(sequences)
        ]
        reading.append(_seconds(engine, [Order(each, (repeat,), 1) for each in prompts]))
        orders = [Order(each, (repeat,), reply, 1.0) for each in prompts]
        writing.append(_seconds(engine, orders))
        multiplying.append(_products(weights, sequences, min(sequences, engine.threads)))
    engine.close()
    return {
        "prompt_tokens_per_second": sequences * prompt / min(reading),
        "tokens_per_second": sequences * reply / min(writing),
        "products_per_second": sequences / min(multiplying),
    }


def _seconds(engine: Engine, orders: list[Order]) -> float:
    began = time.perf_counter()
    for each in [engine.submit(order) for order in orders]:
        each.result()
    return time.perf_counter() - began


def _products(weights: Weights, sequences: int, threads: int, steps: int = 20) -> float:
    """Seconds of a step's products of weights, rows shared out to threads as the engine does."""
    matrices = [weights.head.matrix]
    for layer in weights.layers:
        matrices += [
            each.matrix for each in (layer.attend, layer.output, layer.widen, layer.narrow)
        ]
    rows = [np.ones((sequences // threads, len(matrix))) for matrix in matrices]

    def work() -> None:
        for _ in range(steps):
            for row, matrix in zip(rows, matrices, strict=True):
                row @ matrix

    with ThreadpoolController().limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as go:
        began = time.perf_counter()
        for each in [go.submit(work) for _ in range(threads)]:
            each.result()
        return (time.perf_counter() - began) / steps


def main() -> None:
    """Parse the command line, run, and print the speeds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--sequences", type=int, default=64)
    parser.add_argument("--prompt", type=int, default=200)
    parser.add_argument("--reply", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    print(json.dumps(run(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
