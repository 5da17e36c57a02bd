"""The transformer computes what a plain one does, and the same bits in any company."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pocket_reference
from feedback_friction.engine.models.pocket.exact import UnboundedError
from feedback_friction.engine.models.pocket.folder import read_shape, read_weights
from feedback_friction.engine.models.pocket.grids import Weights
from feedback_friction.engine.models.pocket.memory import BLOCK, Pool, Prefixes
from feedback_friction.engine.models.pocket.transformer import Span, Transformer
from pocket_folders import write_folder

SHAPES = {
    "one group": {},
    "two groups": {"num_key_value_heads": 2},
    "a group a head, scores apart": {
        "num_key_value_heads": 4,
        "head_dim": 32,
        "tie_word_embeddings": False,
    },
    "odd sizes": {"hidden_size": 52, "num_hidden_layers": 3, "intermediate_size": 70},
    "one layer": {"num_hidden_layers": 1},
}

STATM = Path("/proc/self/statm")


def load(folder):
    shape = read_shape(folder)
    return shape, read_weights(folder, shape)


@pytest.fixture(scope="module", params=SHAPES)
def model(request, tmp_path_factory):
    shape, weights = load(write_folder(tmp_path_factory.mktemp("model"), **SHAPES[request.param]))
    return shape, weights, Weights(shape, weights)


def tokens_of(shape, count, seed=0):
    return np.random.default_rng(seed).integers(0, shape.vocabulary, count).tolist()


def opened(pool, tokens):
    """A new memory with pages for so many tokens."""
    memory = pool.open()
    memory.reserve(tokens)
    return memory


def alone(weights, tokens, cuts=()):
    """Scores of the last token's successor, the tokens in chunks that end at the cuts."""
    transformer, start = Transformer(weights), 0
    memory = opened(transformer.pool, len(tokens))
    for end in (*cuts, len(tokens)):
        scores = transformer.scores([Span(memory, start, tokens[start:end], end == len(tokens))])
        start = end
    return scores[0]


@pytest.mark.parametrize("count", [1, 2, 60, 300])
def test_scores_are_those_of_a_plain_transformer(model, count):
    shape, weights, ready = model
    tokens = tokens_of(shape, count)
    wanted = pocket_reference.logits(shape, weights, tokens)
    transformer = Transformer(ready, pages=1)
    memory = opened(transformer.pool, count)
    half = max(1, count // 2)
    found = [transformer.scores([Span(memory, 0, tokens[:half], True)])]
    found += [
        transformer.scores([Span(memory, at, tokens[at : at + 1], True)])
        for at in range(half, count)
    ]
    assert np.std(wanted) > 0.5  # scores that differ
    assert abs(np.concatenate(found) - wanted[half - 1 :]).max() < 1e-4


@pytest.mark.parametrize("cuts", [(1,), (5, 6, 7), (64,), tuple(range(1, 90)), (16, 48, 80)])
def test_chunks_of_a_prompt_change_no_bit(model, cuts):
    shape, _, ready = model
    tokens = tokens_of(shape, 90)
    assert np.array_equal(alone(ready, tokens, cuts), alone(ready, tokens))


def test_64_random_neighbours_change_no_bit_at_prompts_and_at_single_tokens(model):
    shape, _, ready = model
    random = np.random.default_rng(1)
    mine = tokens_of(shape, 75, seed=2)
    lengths = random.integers(1, 120, 64).tolist()
    others = [tokens_of(shape, length, seed) for seed, length in enumerate(lengths)]
    transformer = Transformer(ready)
    memories = [transformer.pool.open() for _ in others]
    memory = transformer.pool.open()
    for start, end, place in ((0, 60, 0), (60, 61, 64), (61, 62, 31), (62, 63, 7), (63, 75, 50)):
        spans = [
            Span(each, 0, tokens, bool(number % 3))
            for number, (each, tokens) in enumerate(zip(memories, others, strict=True))
        ]
        spans.insert(place, Span(memory, start, mine[start:end], True))
        for span in spans:
            span.memory.reserve(span.start + len(span.tokens))
        scored = [span for span in spans if span.scored]
        row = transformer.scores(spans)[[span.memory is memory for span in scored].index(True)]
        assert np.array_equal(row, alone(ready, mine[:end]))
        others = [tokens[:1] for tokens in others]


def test_neighbours_that_leave_and_come_change_no_bit(model):
    """Pages move into the gaps of those given back, and the pool grows."""
    shape, _, ready = model
    transformer, random = Transformer(ready, pages=2), np.random.default_rng(3)
    mine, memories = tokens_of(shape, 200, seed=2), []
    memory = transformer.pool.open()
    for at in range(0, 200, 10):
        for gone in random.permutation(len(memories))[:3]:
            memories[gone].close()
        memories = [each for each in memories if each.pages]
        memories += [opened(transformer.pool, int(random.integers(1, 150))) for _ in range(4)]
        memory.reserve(at + 10)
        spans = [Span(each, 0, tokens_of(shape, 1, at), True) for each in memories]
        found = transformer.scores([*spans, Span(memory, at, mine[at : at + 10], True)])[-1]
        assert np.array_equal(found, alone(ready, mine[: at + 10]))
        held = [page for each in (*memories, memory) for page in each.pages]
        assert sorted(held) == list(range(transformer.pool.used))
    assert transformer.pool.most > 30


def test_a_prefix_from_the_cache_changes_no_bit(model):
    shape, _, ready = model
    tokens, transformer, prefixes = tokens_of(shape, 100), Transformer(ready), Prefixes()
    first = opened(transformer.pool, 100)
    transformer.scores([Span(first, 0, tokens, False)])
    prefixes.keep(tokens, 100, first)
    again = [*tokens[:70], *tokens_of(shape, 30, seed=5)]
    blocks = prefixes.find(again, 99)
    assert len(blocks) == 70 // BLOCK
    memory = opened(transformer.pool, 100)
    for number, block in enumerate(blocks):
        memory.set_block(number, block)
    known = len(blocks) * BLOCK
    found = transformer.scores([Span(memory, known, again[known:], True)])[0]
    assert np.array_equal(found, alone(ready, again))


def test_pages_in_use_lie_together_so_that_the_rest_of_a_pool_takes_no_memory(model):
    pool = Pool(model[0], 50)
    for array in (pool.keys[:, :, :7], pool.values[:, :, :7]):
        first, end = np.lib.array_utils.byte_bounds(array)
        assert end - first == array.nbytes


@pytest.mark.skipif(not STATM.exists(), reason="nobody says how much memory a process has")
def test_the_memory_of_forgotten_prefixes_goes_back_to_the_system(tmp_path):
    shape = read_shape(write_folder(tmp_path, head_dim=64, num_hidden_layers=4))
    memory, prefixes = opened(Pool(shape, 8), 512), Prefixes()
    for number in range(64):
        prefixes.keep([number] * 512, 512, memory)
    assert prefixes.size == 64 * 2**20
    before = resident()
    prefixes.shrink(16 * 2**20)
    assert resident() < before - 40 * 2**20


def resident():
    """Bytes of memory that this process has."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


DIGEST = """
import hashlib, sys
from pathlib import Path
from test_pocket_transformer import load, step_of_many
print(hashlib.sha256(step_of_many(Path(sys.argv[1]))).hexdigest())
"""


def step_of_many(folder: Path) -> bytes:
    """The scores of 40 sequences in two steps, as bytes."""
    shape, weights = load(folder)
    transformer, parts = Transformer(Weights(shape, weights)), []
    memories = [opened(transformer.pool, 90) for _ in range(40)]
    for step in range(2):
        spans = [
            Span(memory, step * (1 + 2 * seed), tokens_of(shape, 1 + 2 * seed * (1 - step)), True)
            for seed, memory in enumerate(memories)
        ]
        parts.append(transformer.scores(spans).tobytes())
    return b"".join(parts)


# OpenBLAS has other code for other processors, with which plain sums come out otherwise.
@pytest.mark.parametrize(
    "setting",
    [
        *(f"OPENBLAS_NUM_THREADS={count}" for count in (1, 2, 3)),
        *(f"OPENBLAS_CORETYPE={kernel}" for kernel in ("Prescott", "Nehalem", "Haswell")),
    ],
)
def test_threads_and_kernels_of_blas_change_no_bit(tmp_path, setting):
    folder = write_folder(tmp_path, hidden_size=256, intermediate_size=640, head_dim=64)
    here, (name, value) = Path(__file__).parent, setting.split("=")
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, name: value, "PYTHONPATH": f"{here}:{here.parents[1]}"},
    )
    assert done.stdout.strip() == hashlib.sha256(step_of_many(folder)).hexdigest()


def test_weights_too_large_for_exact_sums_are_refused(tmp_path):
    shape, weights = load(write_folder(tmp_path))
    huge = {name: weight * 1e4 for name, weight in weights.items()}
    with pytest.raises(UnboundedError):
        Weights(shape, huge)
