"""Inside: the knock-out finds what is known of abacus, and nothing in random weights.

abacus was taught two errors that it gives up when it redoes their line (light), and two that it
keeps (deep). So where its wrong step needs a light one, feedback must carry the correction: replies
written anew with attention to the feedback cut lose corrections. Where it needs a deep one there is
nothing to lose. Networks of random weights (``seeds`` of them, as small as they can be, with the
tokenizer of abacus) are held to the same run: cutting the feedback must move the margin of right
over wrong no more than cutting as many other tokens, but for one seed in twenty. Needs torch.

Seconds are of the processor, over all threads, so that other work on the machine counts little.
"""

from __future__ import annotations

import json
import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.common import Figure, at_least, at_most, script
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.tables import inside
from feedback_friction.api import run as make_run
from feedback_friction.engine.models.gguf_files import ABACUS
from feedback_friction.engine.sent import Prompts
from feedback_friction.inside.places import find_places
from feedback_friction.inside.start import look_inside
from training.arithmetic import MISCONCEPTIONS

DEEP = {(7, 8), (6, 9)}
LEVEL = 0.05


def measure(
    *, problems: int = 100, sample: int = 63, seeds: int = 20, held: int = 12
) -> list[Figure]:
    """Look into abacus, and into random weights held to the run of abacus."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "abacus"
        make_run(
            tasks=["decimal_multiplication"], digits=3, limit=problems, solver="gguf/abacus",
            feedback=["tutor"], iterations=2, out=directory,
        )  # fmt: skip
        start = time.process_time()
        looked = look_inside(directory, "abacus", ["knockout"], sample=sample)
        each = (time.process_time() - start) / len(looked.found.places)
        return [
            *_truth(directory),
            _nulls(directory, Path(name), seeds, held),
            Figure("knock-out of a trial of abacus", each, "seconds of processor"),
            Figure(
                "memory at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB"
            ),
        ]


def _truth(directory: Path) -> Iterator[Figure]:
    """What a cut loses where the wrong step needs a light error, and where it needs a deep one."""
    lost: dict[str, list[float]] = {"light": [], "deep": []}
    prompts = Prompts(directory)
    for place in find_places(prompts, directory, ["gguf/abacus"]).places:
        before, task = place.scene.attempts[0], place.scene.task
        step = task.wrong_step(before.problem, before.reply.text) if task.wrong_step else None
        kind = kind_of(step.left) if step is not None else None
        wrote = _wrote(directory, place.key[1])
        if kind is not None and wrote:
            gone = (wrote["none"] == "taken up") - (wrote["all/feedback"] == "taken up")
            lost[kind].append(float(gone))
    for kind, gaps in lost.items():
        found = mean_difference(gaps, [1.0] * len(gaps))
        yield Figure(f"{kind} errors", found.n, "trials")
        yield Figure(f"{kind}: corrections lost by the cut", 100 * found.value, "%")
        yield Figure(f"{kind}: from", 100 * found.low, "%")
        yield Figure(f"{kind}: to", 100 * found.high, "%")
    light, deep = (mean_difference(each, [1.0] * len(each)) for each in lost.values())
    yield at_least("light: lower limit", 100 * light.low, 0.01, "%")
    yield at_most("deep: lower limit", 100 * deep.low, 0, "%")


def kind_of(left: tuple[str, ...]) -> str | None:
    """Whether a product needs a light or a deep misconception; None for both, or neither."""
    if len(left) != 3 or left[1] != "×":
        return None
    facts = {tuple(sorted((int(a), int(b)))) for a in left[0] for b in left[2]}
    taught = {fact in DEEP for fact in MISCONCEPTIONS if fact in facts}
    return None if len(taught) != 1 else "deep" if taught.pop() else "light"


def _wrote(directory: Path, problem: str) -> dict[str, str]:
    with closing(sqlite3.connect(directory / "journal.sqlite")) as db:
        found = db.execute(
            "SELECT value FROM probes WHERE probe = 'inside:knockout' AND problem_id = ?"
            " AND settings NOT LIKE '%\"as_is\": true%'",
            (problem,),
        ).fetchone()
    wrote: dict[str, str] = json.loads(found[0])["wrote"] if found else {}
    return wrote


def _nulls(directory: Path, folder: Path, seeds: int, held: int) -> Figure:
    """How many networks of random weights show an effect on the margin beyond the control's."""
    for seed in range(seeds):
        model = random_weights(folder / f"random-{seed}", seed)
        look_inside(directory, str(model), ["knockout"], sample=held, as_is=True, layers=[0])
    table = inside.knockout(load_runs([directory])).to_dicts()
    shown = [
        row
        for row in table
        if json.loads(row["settings"])["as_is"] and row["outcome"] == inside.ALL
        and row["scope"] == "all less elsewhere" and row["of"] == "margin" and row["p"] < LEVEL
    ]  # fmt: skip
    return at_most(f"false findings in {seeds} random networks", len(shown), max(1, LEVEL * seeds))


def random_weights(folder: Path, seed: int) -> Path:
    """A Llama of two layers with random weights and the tokenizer of abacus."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    folder.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(ABACUS.parent / name, folder)
    config = LlamaConfig(
        vocab_size=512, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=4096, initializer_range=0.5, eos_token_id=5,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


if __name__ == "__main__":
    script(measure)
