"""Improves the prompt of a form of feedback: GEPA searches on training problems, others decide.

GEPA (Agrawal et al. 2025, arXiv 2507.19457) shows a model some rounds under the present prompt and
has it write a better one; what is not worse on those rounds is tried on more, and the best by
problem are improved further. Here a round is one-step uptake: a wrong first answer, the form's
feedback, the next answer. Half of the wrong first answers are the search's; on the other half the
old prompt and the best new one are compared, and nothing else is done with them.

Every completion is in the journal before it is used, and the search is a function of them and of
the seed: the same command goes on where an interrupted one ended.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from feedback_friction.engine.models.base import ModelError
from feedback_friction.engine.models.model_options import parse_options
from feedback_friction.engine.models.registry import ModelSettings, is_student, parse_spec
from feedback_friction.engine.run.caller import Caller, Drained
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.launch import opened_for
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Note, Progress, Watch, Watched
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.forms import EXPLAIN, FORMS, Form, parse_form
from feedback_friction.options import Options, option
from feedback_friction.problem import Problem
from feedback_friction.protocol.form_writers import writer_of
from feedback_friction.protocol.improvement import Round, reflection
from feedback_friction.protocol.prompts import FORM_REQUESTS
from feedback_friction.protocol.records import Trial
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Settings
from feedback_friction.ways import GREEDY

KIND = "improvement"
FEWEST = 10  # wrong first answers on either side
BATCH = 3  # rounds that a reflection reads; GEPA's own number
CHECKED = 8  # the search tries a prompt on one in this many of its rounds
MOST_CHECKED = 30
REFLECTION = "reflection"  # the seat of a model of its own

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Improving(Options):
    """What is asked for, beside what a run is asked for."""

    form: str = option(
        EXPLAIN.name,
        f"Whose prompt: {', '.join(name for name in FORMS if name in FORM_REQUESTS)}; "
        "explain:model where a program would write it.",
        metavar="FORM",
    )
    budget_rounds: int = option(
        200,
        "Rounds that the search may take: feedback, and the next attempt.",
        metavar="N",
        least=10 * BATCH,
    )
    reflection_model: str | None = option(
        None, "Who writes new prompts.  [who writes the feedback]", metavar="MODEL"
    )
    reflection_base_urls: tuple[str, ...] = option(
        (),
        "Reflection model's server; repeatable.",
        flag="--reflection-base-url",
        metavar="URL",
        part="operation",
    )
    reflection_options: tuple[str, ...] = option(
        (),
        "A further request field for the reflection model.",
        flag="--reflection-option",
        metavar="KEY=VALUE",
        part="model",
    )
    reflection_max_tokens: int = option(2000, "Limit on a new prompt.", least=1)


@dataclass(frozen=True, slots=True)
class PreparedImprovement:
    """An improvement that can start: nothing about the command itself is wrong."""

    run: Prepared  # models, task and problems, with one condition, whose mode is the form
    asked: Improving  # the rest of the command
    form: Form  # the form
    reflector: str  # who writes new prompts, as a speaker

    @property
    def condition(self) -> Condition:
        """The task, its problems and the form."""
        return self.run.conditions[0]

    @property
    def prompt(self) -> str:
        """The prompt that is improved."""
        given = dict(self.condition.plan.form_requests)
        return given.get(self.form.base, FORM_REQUESTS[self.form.base])

    @property
    def reflection_model(self) -> str:
        """Who writes new prompts, as a model."""
        return self.asked.reflection_model or str(self.condition.feedback_model)

    @property
    def slug(self) -> str:
        """A directory name: the same command gives the same name."""
        return f"improve-{self.run.slug}"

    @property
    def most_reflections(self) -> int:
        """New prompts that can be asked for: each is preceded by a batch of rounds."""
        return self.asked.budget_rounds // BATCH

    @property
    def most_calls(self) -> int:
        """Calls that all of it can take: a round takes two, feedback and attempt."""
        problems = len(self.condition.problems)
        held_out = -(-problems // 2)
        rounds = self.asked.budget_rounds + 2 * held_out
        return problems + 2 * rounds + self.most_reflections


@dataclass(frozen=True, slots=True)
class Improved:
    """What came of it."""

    problems: int  # problems asked
    missed: int  # first answers that were wrong
    old: str  # the prompt as it was
    new: str  # the best that the search found; the old one where it found none better
    tried: int  # prompts that were written
    unusable: int  # those of them that could not be used
    rounds: int  # that the search took
    trained: int  # problems that the search used
    # by problem, the round under the old prompt and under the new one; empty where there is no new
    # one
    held_out: tuple[tuple[Round, Round], ...]


def prepare_improvement(settings: Settings, asked: Improving) -> PreparedImprovement:
    """Check a command and load its problems.

    Raises:
        UsageError: anything in it is wrong; one line.
    """
    form = parse_form(asked.form)
    if form.base not in FORM_REQUESTS:
        allowed = ", ".join(FORM_REQUESTS)
        raise UsageError(f"'{form.name}' is not written by a model; allowed: {allowed}")
    models = settings.models
    for what, several in (
        ("task", settings.tasks),
        ("solver", models.solver),
        ("feedback model", models.feedback_model),
        ("history", settings.history),
    ):
        if len({*several}) > 1:
            raise UsageError(f"a prompt is improved for one {what}, not {len({*several})}")
    plan = replace(settings.plan, iterations=2)
    run = prepare(
        replace(settings, feedback=(form.name,), sampling=(GREEDY.name,), epochs=1, plan=plan)
    )
    condition = run.conditions[0]
    _check_problems(form, condition)
    spec = asked.reflection_model or condition.feedback_model
    if spec is None or is_student(spec):
        raise UsageError(f"{spec} is simulated and writes no prompts; give --reflection-model")
    options = parse_options(asked.reflection_options, "--reflection-option")
    if asked.reflection_model is None:
        if asked.reflection_options or asked.reflection_base_urls:
            flag = "option" if asked.reflection_options else "base-url"
            raise UsageError(f"--reflection-{flag} needs --reflection-model")
        speaker, seats = condition.plan.mode.speaker, run.seats
    else:
        parse_spec(spec)
        operation, urls = settings.operation, asked.reflection_base_urls
        seat = ModelSettings(
            spec, urls, operation.concurrency, timeout=operation.timeout, options=options
        )
        speaker, seats = REFLECTION, {**run.seats, REFLECTION: seat}
    config = {
        "kind": KIND,
        **run.config,
        "budget_rounds": asked.budget_rounds,
        "reflection_model": spec,
        "reflection_max_tokens": asked.reflection_max_tokens,
        **({"reflection_options": options.as_dict()} if asked.reflection_options else {}),
    }
    run = replace(run, config=config, seats=seats)
    return PreparedImprovement(run, asked, form, speaker)


def _check_problems(form: Form, condition: Condition) -> None:
    """Refuse a form that no model writes here, and problems that are too few."""
    task, problems = condition.task, condition.problems
    for each in problems:
        writer = writer_of(form, task, each, problems)
        if writer != "model":
            raise UsageError(
                f"'{form.name}' on '{each.id}' is written from {_SOURCES[str(writer)]}, not by a "
                f"model; allowed: {form.base}:model"
            )
    if len(problems) < 2 * FEWEST:
        raise UsageError(
            f"{len(problems)} problems are too few: {FEWEST} wrong first answers are needed to "
            f"search on and {FEWEST} to decide on"
        )


_SOURCES = {
    "program": "the task's tutor",
    "hints": "the question's hints",
    "answers": "the answers so far",
    "solution": "the worked solution",
    "other": "another problem",
}


class Search(Watched):
    """Rounds and reflections of an improvement, made through a caller.

    Attributes:
        caller: makes the calls.
        progress: counts first answers and rounds.
    """

    def __init__(self, prepared: PreparedImprovement, caller: Caller) -> None:
        """Prepare; nothing is asked yet."""
        total = len(prepared.condition.problems) + prepared.asked.budget_rounds
        super().__init__(caller, Progress(caller.spent, total))
        self.tried = self.unusable = self.rounds = 0
        self._prepared = prepared

    async def first(self) -> list[Trial]:
        """The wrong first answers, in the order of the problems."""
        trials = await self._trials(self._prepared.condition.problems, iterations=1)
        return [each for each in trials if each.status == "unsolved"]

    async def under(self, prompt: str, problems: Sequence[Problem]) -> list[Round]:
        """A round of each problem under a prompt."""
        base = self._prepared.form.base
        requests = {**dict(self._prepared.condition.plan.form_requests), base: prompt}
        trials = await self._trials(
            problems, iterations=2, form_requests=tuple(sorted(requests.items()))
        )
        return [Round(each) for each in trials]

    async def _trials(self, problems: Sequence[Problem], **changes: Any) -> list[Trial]:
        condition = self._prepared.condition
        plan = replace(condition.plan, **changes)

        async def one(problem: Problem) -> Trial:
            steps = trial(problem, condition.task, plan, 0, condition.problems)
            self.progress.running += 1
            try:
                found = await self.caller.drive(steps, condition.task, solver=condition.solver)
            finally:
                self.progress.running -= 1
            self.progress.count(found.status)
            return found

        return await together([one(each) for each in problems])

    async def reflect(self, text: str) -> str:
        """What the reflection model writes."""
        prepared = self._prepared
        request = reflection(
            text,
            self.tried,
            prepared.form,
            prepared.reflector,
            prepared.condition.plan,
            prepared.asked.reflection_max_tokens,
            prepared.condition.problems[0],
        )
        self.tried += 1
        [found] = await together([self.caller.complete(request, prepared.condition.solver)])
        return found.replies[0].text


async def together(work: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """All results, in order; one call that failed for good stops the whole, to be resumed.

    A search cannot leave a round out: resumed, it would go another way. Of several errors the one
    that says most about the whole is raised: an interrupt, a stop, a drain, then a failed call.
    """
    found = await asyncio.gather(*work, return_exceptions=True)
    wrong = [each for each in found if isinstance(each, BaseException)]
    for kind in (asyncio.CancelledError, RunStoppedError, Drained, ModelError, BaseException):
        first = next((each for each in wrong if isinstance(each, kind)), None)
        if first is not None and kind is ModelError:
            raise RunStoppedError(str(first)) from first
        if first is not None:
            raise first
    return [each for each in found if not isinstance(each, BaseException)]


def parted(missed: Sequence[Trial], seed: int) -> tuple[list[Problem], list[Problem]]:
    """Problems to search on, and as many to decide on, at random."""
    problems = [each.problem for each in missed]
    if len(problems) < 2 * FEWEST:
        raise UsageError(
            f"{len(problems)} first answers are wrong: {FEWEST} are needed to search on and "
            f"{FEWEST} to decide on; give more problems"
        )
    random.Random(f"{seed}:{KIND}").shuffle(problems)
    half = len(problems) // 2
    return problems[:half], problems[half:]


async def execute_improvement(
    prepared: PreparedImprovement, directory: Path, command: list[str], watch: Watch, notice: Note
) -> Improved:
    """Improve a prompt in a directory, or resume it.

    Raises:
        UsageError: the directory or a server cannot be used as asked, or too few first answers are
            wrong.
        RunStoppedError: it stopped itself; resumable.
        Drained: it was interrupted, or its budget is spent; resumable.
    """
    from feedback_friction.engine.passes.gepa import search

    async with opened_for(prepared.run, directory, command, notice) as caller:
        work = Search(prepared, caller)
        watch(work)
        missed = await work.first()
        training, held_out = parted(missed, prepared.condition.plan.seed)
        best = await search(prepared, work, training)
        pairs: list[tuple[Round, Round]] = []
        if best != prepared.prompt:
            work.progress.total = work.progress.ended + 2 * len(held_out)
            old = await work.under(prepared.prompt, held_out)
            pairs = list(zip(old, await work.under(best, held_out), strict=True))
        return Improved(
            len(prepared.condition.problems),
            len(missed),
            prepared.prompt,
            best,
            work.tried,
            work.unusable,
            work.rounds,
            len(training),
            tuple(pairs),
        )
