"""Inside: the knock-out finds what is known of abacus, and nothing in random weights.

abacus was taught two errors that it gives up when it redoes their line (light), and two that it
keeps (deep). The problems are drawn by kind: so many whose factors need light errors alone, so many
that need deep ones alone. Where they need a light one, feedback must carry the correction: replies
written anew with attention to the feedback cut lose corrections. Where they need a deep one there
is nothing to lose.

Networks of random weights (``seeds`` of them, as small as they can be, with the tokenizer of
abacus) are held to the same run. A finding is that cutting the feedback moves the margin of right
over wrong further than both controls do, to the same side of both: than cutting as many other
tokens, and than cutting another problem's feedback in its place, both with p below 0.05. At most
one network in twenty may show one. Against one control alone a random network errs more often than
that: to cut tokens moves its scores of the digits in one direction whatever the problem, and the
problems share their digits.

``--folder`` keeps the run, and goes on from what is there. Seconds are of the processor, over all
threads, so that other work on the machine counts little. Needs torch.
"""

from __future__ import annotations

import json
import resource
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.common import Figure, at_least, at_most, script
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.tables.inside_cuts import CONTRASTS, knockout
from feedback_friction.analysis.tables.inside_samples import ALL
from feedback_friction.analysis.tables.probe_table import findings
from feedback_friction.api import run as make_run
from feedback_friction.engine.models.llama.gguf_files import ABACUS
from feedback_friction.inside.start import look_inside
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.page import Row
from training.arithmetic import involved
from training.dialogues import DEEP_FACTS

LEVEL = 0.05
CONTROLLED = ("all less elsewhere", "all less another's")  # the cut beside each of its controls


def measure(
    *, each: int = 70, sample: int = 24, seeds: int = 20, held: int = 12, folder: str = ""
) -> list[Figure]:  # fmt: skip
    """Look into abacus, and into random weights held to the run of abacus."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(folder or name)
        kinds = write_problems(base / "kinds.jsonl", each)
        directory = base / "abacus"
        make_run(
            tasks=["decimal_multiplication"], digits=3, limit=len(kinds), solver="gguf/abacus",
            data=base / "kinds.jsonl", feedback=["tutor"], iterations=2, max_tokens=300,
            out=directory,
        )  # fmt: skip
        start = time.process_time()
        looked = look_inside(directory, "abacus", ["knockout", "replies"], sample=sample)
        spent = (time.process_time() - start) / len(looked.found.places)
        start = time.process_time()
        nulls = list(_nulls(directory, base, seeds, held))
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        return [
            *_truth(directory, kinds),
            *nulls,
            Figure("knock-out of a trial of abacus not known before", spent, "s"),
            Figure("all random networks not known before", time.process_time() - start, "s"),
            Figure("memory at most", most, "MB"),
        ]


def write_problems(file: Path, each: int) -> dict[str, str]:
    """Write so many problems of either kind; gives the kind of each."""
    page = get_page("decimal_multiplication")
    found: dict[str, list[tuple[str, Row]]] = {"light": [], "deep": []}
    for row in page.rows(Selection(digits=3, seed=0)):
        problem = page.to_problem(row)
        if (kind := kind_of(*map(int, problem.operands))) is not None:
            found[kind].append((problem.id, row))
    wanted = {kind: mine[:each] for kind, mine in found.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = (row for pair in zip(*wanted.values(), strict=True) for _, row in pair)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return {name: kind for kind, mine in wanted.items() for name, _ in mine}


def kind_of(first: int, second: int) -> str | None:
    """Whether a product needs light or deep errors alone; None for neither, and for both."""
    kinds = {"deep" if fact in DEEP_FACTS else "light" for fact in involved(first, second)}
    return kinds.pop() if len(kinds) == 1 else None


def _truth(directory: Path, kinds: dict[str, str]) -> Iterator[Figure]:
    """What a cut loses where the problem needs a light error, and where it needs a deep one."""
    wrote = {
        key[0]: value["wrote"]
        for found in findings(load_runs([directory]), "inside:replies")
        if not json.loads(found.about["settings"])["as_is"] and found.about["feedback"] == "tutor"
        for key, value in found.found.items()
    }
    lows = {}
    for kind in ("light", "deep"):
        mine = [each for name, each in wrote.items() if kinds[name] == kind]
        right = [_right(each, "none") for each in mine]
        yield Figure(f"{kind} errors", len(mine), "trials")
        yield Figure(f"{kind}: right with nothing cut", sum(right))
        for cut in ("all/feedback", "later/feedback", "elsewhere", "none/another's feedback"):
            gaps = [one - _right(each, cut) for one, each in zip(right, mine, strict=True)]
            found = mean_difference(gaps, [1.0] * len(gaps))
            lows[kind, cut] = found.low
            for side in ("value", "low", "high"):
                yield Figure(f"{kind}: lost under {cut}, {side}", 100 * getattr(found, side), "%")
    yield at_least("light: lower limit", 100 * lows["light", "all/feedback"], 0.01, "%")
    yield at_most("deep: lower limit", 100 * lows["deep", "all/feedback"], 0, "%")


def _right(wrote: dict[str, str], cut: str) -> float:
    """Share of the draws of an arm that are right; of a control, all whose names begin so."""
    named = [outcome for name, outcome in wrote.items() if name.startswith(cut)]
    draws = [wrote[cut]] if cut in wrote else named
    return draws.count("taken up") / len(draws) if draws else 0.0


def _nulls(directory: Path, folder: Path, seeds: int, held: int) -> Iterator[Figure]:
    """How often networks of random weights show an effect on the margin beyond a control's."""
    for seed in range(seeds):
        model = random_weights(folder / f"random-{seed}", seed)
        look_inside(
            directory, str(model), ["knockout"], sample=held, as_is=True, layers=[0, 1]
        )  # fmt: skip
    rows = [
        row
        for row in knockout(load_runs([directory])).to_dicts()
        if json.loads(row["settings"])["as_is"] and row["outcome"] == ALL
        and row["scope"] in CONTRASTS and row["of"] == "margin"
    ]  # fmt: skip
    by_network: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        by_network[row["settings"]][row["scope"]] = row
    count = len(by_network)
    for scope in CONTRASTS:
        alone = sum(each[scope]["p"] < LEVEL for each in by_network.values() if scope in each)
        yield Figure(f"random networks, {scope} alone", f"{alone} of {count}")
    found = sum(map(beyond_controls, by_network.values()))
    yield at_most(f"findings in {count} random networks", found, LEVEL * count)


def beyond_controls(contrasts: Mapping[str, Row]) -> bool:
    """Whether a cut of the feedback moves the margin further than both controls do.

    The controls are as many other tokens cut, and another problem's feedback in its place. What
    lies between the two is no finding: then the one control says that the cut takes something from
    the margin, and the other that it adds something.
    """
    both = [contrasts[scope] for scope in CONTROLLED]
    one_way = len({each["taken"] > 0 for each in both}) == 1
    return one_way and all(each["p"] < LEVEL for each in both)


def random_weights(folder: Path, seed: int) -> Path:
    """A Llama of two layers with random weights and the tokenizer of abacus."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
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
