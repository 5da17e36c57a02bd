"""Inside a model to which feedback never meant anything: the knock-out must find nothing.

A network smaller than abacus is trained for some minutes on its dialogues, but all feedback in them
is another problem's, drawn at random. What few second attempts become right cannot owe that to the
feedback. In a run of its own, with the tutor's right feedback, cutting the feedback must lose no
more corrections than cutting as many other tokens, and move the margin of right over wrong no
further than both controls do: the rule to which networks of random weights are held.

``--folder`` keeps the model and the run, and goes on from what is there. Needs torch.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.common import Figure, exactly, script
from benchmarks.inside import CONTROLLED, LEVEL, beyond_controls
from feedback_friction.analysis.frames import Runs, load_runs
from feedback_friction.analysis.tables import inside_table
from feedback_friction.analysis.tables.inside_cuts import knockout
from feedback_friction.analysis.tables.inside_samples import ALL
from feedback_friction.api import run as make_run
from feedback_friction.inside.start import look_inside
from training.dialogues import SHUFFLED
from training.export import export
from training.train import Schedule, train

SIZES = {"hidden": 128, "layers": 3, "heads": 4, "head": 32, "inner": 256}


def measure(
    *, answers: int = 400, trials: int = 800, problems: int = 200, sample: int = 120,
    folder: str = "",
) -> list[Figure]:  # fmt: skip
    """Train the model, have it answer with feedback, and look into it."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(folder or name)
        start = time.process_time()
        schedule = Schedule(answers=answers, trials=trials, own=0, tokens=4096)
        train(base / "training", schedule, SHUFFLED, **SIZES)
        trained = time.process_time() - start
        model = base / "shuffled"
        if not model.is_dir():
            export(base / "training" / "own.pt", model)
        file = (model / "abacus.gguf").rename(model / "shuffled.gguf") \
            if (model / "abacus.gguf").is_file() else model / "shuffled.gguf"  # fmt: skip
        make_run(
            tasks=["decimal_multiplication"], digits=2, limit=problems, solver=f"gguf/{file}",
            feedback=["tutor"], iterations=2, max_tokens=200, out=base / "run",
        )  # fmt: skip
        looked = look_inside(
            base / "run", str(file), ["knockout", "replies"], sample=sample, layers=[0]
        )
        runs = load_runs([base / "run"])
        return [
            Figure("training, of the processor", trained / 60, "minutes"),
            Figure("second attempts looked into", len(looked.found.places)),
            *_found(runs),
        ]


def _found(runs: Runs) -> list[Figure]:
    wrote = {
        row["scope"]: row for row in inside_table.replies(runs).to_dicts() if row["outcome"] == ALL
    }
    cut = wrote["all/feedback"]
    figures = [
        Figure("right second attempts", 100 * wrote["none"]["taken_up"], "%"),
        *(
            Figure(f"corrections lost by the cut of {what}: {side}", 100 * wrote[arm][name], "%")
            for what, arm in (("feedback", "all/feedback"), ("other tokens", "elsewhere/feedback"))
            for side, name in (("value", "lost"), ("from", "lost_low"), ("to", "lost_high"))
        ),
    ]
    contrasts = {
        row["scope"]: row
        for row in knockout(runs).to_dicts()
        if row["outcome"] == ALL and row["segment"] == "feedback" and row["of"] == "margin"
    }
    shown = {
        "corrections": cut["lost"] > 0 and cut["p"] < LEVEL,
        "margin": beyond_controls(contrasts),
    }
    figures += [
        Figure(f"margin taken, {scope}: {side}", contrasts[scope][name], "nats")
        for scope in CONTROLLED
        for side, name in (("value", "taken"), ("from", "taken_low"), ("to", "taken_high"))
    ]
    return [*figures, exactly("false findings", ", ".join(x for x in shown if shown[x]), "")]


if __name__ == "__main__":
    script(measure)
