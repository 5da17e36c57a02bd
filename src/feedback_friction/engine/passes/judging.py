"""Has a judge label the unsolved trials of a run, through the run's own journal.

Every answer of the judge is kept in the journal before it is read, so that labelling again costs
nothing, and labelling on after an interruption costs only what is missing.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feedback_friction.analysis.journal import open_journal, read_run
from feedback_friction.engine.journal.rows import now, storable
from feedback_friction.engine.models.model_options import parse_options
from feedback_friction.engine.models.price_list import load_prices
from feedback_friction.engine.models.registry import ModelSettings, is_student, parse_spec
from feedback_friction.engine.run.caller import Caller
from feedback_friction.engine.run.launch import opened
from feedback_friction.engine.run.runner import Note, Progress, Watch, Watched, run_pool
from feedback_friction.errors import UsageError
from feedback_friction.labels import (
    Label,
    Labels,
    RawCategory,
    TrialKey,
    fold,
    sample,
    unsolved_trials,
)
from feedback_friction.options import Options, declared, option
from feedback_friction.problem import Problem
from feedback_friction.protocol.error_category import (
    ASKED_AT_MOST,
    MAX_TOKENS,
    ROUNDS,
    Annotation,
    Case,
    Round,
    annotate,
)
from feedback_friction.settings import JUDGE_OPTIONS, JUDGE_URLS, PRICES, TIMEOUT
from feedback_friction.tasks.catalog import get_page

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Annotating(Options):
    """What is asked for."""

    judge_model: str = option("", "Who judges.", metavar="MODEL")
    judge_base_urls: tuple[str, ...] = declared((), JUDGE_URLS)
    judge_options: tuple[str, ...] = declared((), JUDGE_OPTIONS)
    sample: int | None = option(
        None, "Label at most this many trials of each condition.", metavar="N", least=1
    )
    rounds: int = option(ROUNDS, "Rounds that the judge reads.", least=1)
    seed: int = option(0, "Seed of the sample.")
    max_tokens: int = option(MAX_TOKENS, "The judge's reply at most, reasoning included.", least=1)
    concurrency: int = option(64, "Maximum number of requests in flight.", least=1)
    timeout: float | None = declared(None, TIMEOUT)
    prices: Path | None = declared(None, PRICES)

    @property
    def annotator(self) -> str:
        """The name of the labels: the model's, and the number of rounds where it is not usual.

        Labels of other rounds are another annotator's, so that they never mix.
        """
        if self.rounds == ROUNDS:
            return self.judge_model
        return f"{self.judge_model} ({self.rounds} rounds)"


@dataclass(slots=True)
class Tally:
    """What became of one condition's trials."""

    unsolved: int = 0  # trials that can be labelled
    sampled: int = 0  # those that were to be
    failed: int = 0  # those whose calls failed; they have no label
    unreadable: int = 0  # those labelled "unknown" because no answer could be read
    raw: Counter[str] = field(default_factory=Counter)  # number of labels by raw category

    @property
    def labelled(self) -> int:
        """Trials that have a label now."""
        return self.raw.total()


@dataclass(frozen=True, slots=True)
class Annotated:
    """What came of it: a tally by condition, what was paid for, and why calls failed."""

    annotator: str
    simulated: bool
    tallies: dict[str, Tally]
    progress: Progress

    @property
    def failed(self) -> int:
        """Trials without a label because calls failed."""
        return sum(tally.failed for tally in self.tallies.values())

    @property
    def left(self) -> int:
        """Trials that were to be labelled and were not reached."""
        return sum(each.sampled - each.labelled - each.failed for each in self.tallies.values())


async def annotate_run(
    directory: Path,
    asked: Annotating,
    watch: Watch = lambda watched: None,
    notice: Note = _log.warning,
) -> Annotated:
    """Label a run's unsolved trials.

    Raises:
        UsageError: the directory, the model or its server cannot be used; no call was made.
        RunStoppedError: the judge's server is gone; what was labelled is kept.
    """
    parse_spec(asked.judge_model)
    read_run(directory)
    prices = load_prices(asked.prices)
    judge = ModelSettings(
        asked.judge_model,
        asked.judge_base_urls,
        asked.concurrency,
        timeout=asked.timeout,
        options=parse_options(asked.judge_options, "--judge-option"),
    )
    async with opened({"judge": judge}, directory, prices, asked.concurrency, notice) as caller:
        with Labels(directory) as labels, open_journal(directory) as db:
            if labels.kind_of(asked.annotator) == "person":
                raise UsageError(f"'{asked.annotator}' is the name of a person who labelled here")
            return await _labelled(db, asked, caller, labels, watch)


async def _labelled(
    db: sqlite3.Connection, asked: Annotating, caller: Caller, labels: Labels, watch: Watch
) -> Annotated:
    """One pass over the trials that are to be labelled."""
    unsolved = unsolved_trials(db)
    chosen = sample(unsolved, lambda trial: trial.condition, asked.sample, asked.seed)
    tallies = {
        name: Tally(number, sampled=sum(each.condition == name for each in chosen))
        for name, number in Counter(trial.condition for trial in unsolved).items()
    }
    progress = Progress(caller.spent, len(chosen))
    found = Annotated(asked.annotator, is_student(asked.judge_model), tallies, progress)
    watch(Watched(caller, progress))

    async def label(trial: TrialKey) -> None:
        case = read_case(db, trial, asked.rounds)
        steps = annotate(case, asked.max_tokens)
        said = await caller.drive(steps, get_page(trial.task).task)
        labels.put(_row(trial, said, found))
        progress.count("unsolved")
        tallies[trial.condition].raw[said.category] += 1
        tallies[trial.condition].unreadable += said.malformed == ASKED_AT_MOST

    async def failed(trial: TrialKey, reason: str) -> None:
        tallies[trial.condition].failed += 1
        progress.fail(reason)

    await run_pool(caller, iter(chosen), label, failed, progress)
    return found


def _row(trial: TrialKey, said: Annotation, found: Annotated) -> Label:
    category = fold(RawCategory(said.category)).value
    return Label(
        trial.condition,
        trial.problem_id,
        trial.epoch,
        found.annotator,
        "judge",
        raw=said.category,
        category=category,
        blind=category,
        reason=storable(said.reason),
        round=said.round,
        malformed=said.malformed,
        simulated=int(found.simulated),
        created=now(),
    )


def read_case(db: sqlite3.Connection, trial: TrialKey, rounds: int) -> Case:
    """An unsolved trial with its first rounds, as the judge is to see it."""
    asked = db.execute(
        "SELECT * FROM problems WHERE task = ? AND problem_id = ?", (trial.task, trial.problem_id)
    ).fetchone()
    problem = Problem(
        trial.problem_id,
        trial.task,
        asked["question"],
        asked["gold"],
        aliases=tuple(json.loads(asked["aliases"])),
        choices=tuple(json.loads(asked["choices"])),
        solution=asked["solution"],
        subject=asked["subject"],
    )
    attempts: Sequence[sqlite3.Row] = db.execute(
        "SELECT response, verdict, feedback, gold, choices FROM attempts"
        " WHERE condition = ? AND problem_id = ? AND epoch = ? ORDER BY iteration LIMIT ?",
        (*trial[1:], rounds),
    ).fetchall()
    condition = db.execute(
        "SELECT solver, feedback FROM conditions WHERE condition = ?", (trial.condition,)
    ).fetchone()
    return Case(
        problem,
        asked["prompt"],
        trial.epoch,
        tuple(
            Round(
                row["response"],
                row["verdict"],
                row["feedback"],
                row["gold"],
                tuple(json.loads(row["choices"])),
            )
            for row in attempts
        ),
        (condition["solver"], condition["feedback"]),
    )
