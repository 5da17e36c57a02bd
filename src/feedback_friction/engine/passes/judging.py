"""Has a judge label the unsolved trials of a run, through the run's own journal.

Every answer of the judge is kept in the journal before it is read, so that labelling again costs
nothing, and labelling on after an interruption costs only what is missing.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feedback_friction.analysis.journal import open_journal, read_run
from feedback_friction.analysis.stats.categories import RawCategory, fold
from feedback_friction.engine.journal.rows import now, storable
from feedback_friction.engine.models.model_options import parse_options
from feedback_friction.engine.models.price_list import load_prices
from feedback_friction.engine.models.registry import ModelSettings, is_student, parse_spec
from feedback_friction.engine.run.caller import Caller, Spent
from feedback_friction.engine.run.runner import Progress, Watched, run_pool
from feedback_friction.engine.run.session import opened
from feedback_friction.errors import UsageError
from feedback_friction.labels import Label, Labels, TrialKey, sample, unsolved_trials
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
    """What became of one condition's trials.

    Attributes:
        unsolved: trials that can be labelled.
        sampled: those that were to be.
        failed: those whose calls failed; they have no label.
        unreadable: those labelled "unknown" because no answer could be read.
        raw: number of labels by raw category.
    """

    unsolved: int = 0
    sampled: int = 0
    failed: int = 0
    unreadable: int = 0
    raw: Counter[str] = field(default_factory=Counter)

    @property
    def labelled(self) -> int:
        """Trials that have a label now."""
        return self.raw.total()


@dataclass(slots=True)
class Annotated:
    """What came of it: a tally by condition, what was paid for, and the errors, each once."""

    annotator: str
    simulated: bool
    tallies: dict[str, Tally]
    spent: Spent
    errors: list[str] = field(default_factory=list)

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
    watch: Callable[[Watched], None] = lambda watched: None,
    notice: Callable[[str], None] = _log.warning,
) -> Annotated:
    """Label a run's unsolved trials.

    Args:
        watch: called once before the first call, with the caller, which it may drain.
        notice: shown what the user should know.

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
        asked.timeout,
        parse_options(asked.judge_options, "--judge-option"),
    )
    async with opened({"judge": judge}, directory, prices, asked.concurrency, notice) as caller:
        with Labels(directory) as labels, open_journal(directory) as db:
            if labels.kind_of(asked.annotator) == "person":
                raise UsageError(f"'{asked.annotator}' is the name of a person who labelled here")
            session = _Session(db, asked, caller, labels)
            watch(session)
            return await session.run()


class _Session(Watched):
    """One pass over the trials that are to be labelled."""

    def __init__(
        self, db: sqlite3.Connection, asked: Annotating, caller: Caller, labels: Labels
    ) -> None:
        self._db, self._asked, self._labels = db, asked, labels
        super().__init__(caller, Progress(caller.spent))
        simulated = is_student(asked.judge_model)
        self.result = Annotated(asked.annotator, simulated, {}, caller.spent)

    async def run(self) -> Annotated:
        trials = self._chosen()
        self.progress.total = len(trials)
        await run_pool(self.caller, iter(trials), self._label, self._failed, self.progress)
        return self.result

    def _chosen(self) -> list[TrialKey]:
        unsolved = unsolved_trials(self._db)
        chosen = sample(
            unsolved, lambda trial: trial.condition, self._asked.sample, self._asked.seed
        )
        tallies = self.result.tallies
        for trial in unsolved:
            tallies.setdefault(trial.condition, Tally()).unsolved += 1
        for trial in chosen:
            tallies[trial.condition].sampled += 1
        return chosen

    async def _label(self, trial: TrialKey) -> None:
        tally = self.result.tallies[trial.condition]
        case = read_case(self._db, trial, self._asked.rounds)
        steps = annotate(case, self._asked.max_tokens)
        said = await self.caller.drive(steps, get_page(trial.task).task)
        self._labels.put(self._row(trial, said))
        self.progress.count("unsolved")
        tally.raw[said.category] += 1
        tally.unreadable += said.malformed == ASKED_AT_MOST

    async def _failed(self, trial: TrialKey, reason: str) -> None:
        self.result.tallies[trial.condition].failed += 1
        self.progress.fail(reason)
        if reason not in self.result.errors:
            self.result.errors.append(reason)

    def _row(self, trial: TrialKey, said: Annotation) -> Label:
        category = fold(RawCategory(said.category)).value
        return Label(
            trial.condition,
            trial.problem_id,
            trial.epoch,
            self._asked.annotator,
            "judge",
            raw=said.category,
            category=category,
            blind=category,
            reason=storable(said.reason),
            round=said.round,
            malformed=said.malformed,
            simulated=int(self.result.simulated),
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
