"""Which run and which training follows which, each in a directory of its own.

    seed-S/before             the solver on the held-out problems
    seed-S/draws              the solver on the training problems
    seed-S/METHOD/U/rows.jsonl, rows.md, model/    what update U trained on, and the trained solver
    seed-S/METHOD/U/draws     the trained solver on the training problems, for the next update
    seed-S/METHOD/after       the trained solver on the held-out problems

A run resumes from its journal; a training's folder is there whole or not at all, and is not made
again where it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from feedback_friction.bridges.card import card
from feedback_friction.bridges.turns import Selected
from feedback_friction.distill.asked import FIRST, Asked
from feedback_friction.distill.train import FILE, trained
from feedback_friction.distill.training_rows import rows_for
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import parse_mode
from feedback_friction.options import changed
from feedback_friction.settings import Settings
from feedback_friction.ways import GREEDY
from feedback_friction.writing import write_jsonl, write_text

Run = Callable[[Prepared, Path], None]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Arm:
    """A method's solvers before and after, on the same held-out problems."""

    method: str  # of ``Asked.arms``
    seeds: tuple[int, ...]  # that were trained
    pairs: tuple[tuple[Path, Path], ...]  # for each seed, the run before and the run after
    rows: tuple[int, ...]  # for each seed, the different rows that the last update trained on


def check(settings: Settings) -> None:
    """Refuse what cannot be distilled, before anything is asked."""
    solvers = settings.models.solver
    if len(solvers) != 1 or not solvers[0].startswith("gguf/"):
        raise UsageError("distill trains one solver on this machine: --solver gguf/...")
    if settings.selection.split != "all":
        raise UsageError("distill splits the problems itself: --held-out sets the share")
    if not 0 < settings.selection.held_out < 1:
        raise UsageError("--held-out must leave problems on both sides: between 0 and 1")
    modes = [parse_mode(name, has_feedback_model=True) for name in settings.feedback]
    if not any(mode.informs for mode in modes):
        raise UsageError("distill needs feedback on own attempts, such as tutor or hint")


def distilled(settings: Settings, asked: Asked, out: Path, run: Run, tell: Tell) -> list[Arm]:
    """Run, train and run again; whatever is there already is kept.

    Args:
        run: carries out a prepared run in a directory, or resumes it.
        tell: told of what is under way, one line each.

    A method that finds nothing to train on with a seed is left out of that seed, and said so.

    Raises:
        UsageError: something in it is wrong, or no method found anything to train on.
        RunStoppedError: a run stopped; resumable.
    """
    found: dict[str, list[tuple[int, tuple[Path, Path], int]]] = {each: [] for each in asked.arms}
    for number in range(asked.seeds):
        seed = settings.plan.seed + number
        own, folder = changed(settings, seed=seed), out / f"seed-{seed}"
        tell(f"seed {seed}: before")
        run(prepare(changed(own, split="held-out")), folder / "before")
        run(prepare(_draws(own, asked)), folder / "draws")
        for method in asked.arms:
            solver, count = _updated(own, asked, method, folder, run, tell)
            if not count:
                tell(f"seed {seed}: {method} has nothing to train on, and is left out")
                continue
            tell(f"seed {seed}: {method}, after")
            after = folder / method / "after"
            run(prepare(changed(own, split="held-out", solver=(solver,))), after)
            found[method].append((seed, (folder / "before", after), count))
    if not any(found.values()):
        raise UsageError(
            "no wrong answer became right after feedback: there is nothing to train on; "
            "more --draws, more --iterations or an easier task may help"
        )
    return [Arm(method, *zip(*each, strict=True)) for method, each in found.items() if each]


def _updated(
    settings: Settings, asked: Asked, method: str, folder: Path, run: Run, tell: Tell
) -> tuple[str, int]:
    """Train a solver as often as asked; the solver, and the rows of the last update (0: none)."""
    [solver], draws, count = settings.models.solver, folder / "draws", 0
    for update in range(1, asked.updates + 1):
        place = folder / method / str(update)
        now = _trained(settings, asked, method, solver, draws, place, tell)
        if not now:
            break
        count, solver = now, f"gguf/{place / 'model' / FILE}"
        draws = place / "draws"
        if update < asked.updates:
            run(prepare(_draws(changed(settings, solver=(solver,)), asked)), draws)
    return solver, count


def _trained(
    settings: Settings,
    asked: Asked,
    method: str,
    solver: str,
    draws: Path,
    place: Path,
    tell: Tell,
) -> int:
    """One update; returns how many different rows it trained on, 0 where there are none."""
    file, seed = place / "rows.jsonl", settings.plan.seed
    if (place / "model" / FILE).is_file():
        with file.open("rb") as lines:
            return sum(1 for _ in lines)
    selected, left_out = Selected("train", settings.selection.held_out), Counter[str]()
    rows = rows_for(method, draws, selected, seed, left_out)
    if not rows:
        return 0
    place.mkdir(parents=True, exist_ok=True)
    write_jsonl(rows, file)
    form = "sft" if method == FIRST else method
    about = card(draws, form, len(rows), selected, left_out)
    if form == "sft":  # the loss is to be the reply's alone
        about = about.replace("`messages`", "`prompt` and `completion`")
    if method == FIRST:
        about += "\nThe control of a distillation: right first answers, without any feedback.\n"
    write_text(about, file.with_suffix(".md"))
    tell(f"seed {seed}: {method}, training on {len(rows)} rows")
    trained(method, solver, rows, place / "model", asked, seed, settings.plan.max_tokens)
    return len(rows)


def _draws(settings: Settings, asked: Asked) -> Settings:
    """The settings of the trials that training sets are made of."""
    return changed(
        settings,
        epochs=asked.draws,
        sampling=(GREEDY.name,),  # at the temperature of the draws
        feedback=_needed(settings.feedback, asked.arms),
        temperature=asked.draw_temperature,
        split="train",
    )


def _needed(feedback: Sequence[str], arms: Sequence[str]) -> tuple[str, ...]:
    """The modes whose trials a method trains on: controls are the rejected side of pairs."""
    return tuple(
        name
        for name in feedback
        if "dpo" in arms or parse_mode(name, has_feedback_model=True).informs
    )
