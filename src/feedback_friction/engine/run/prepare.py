"""From settings to conditions: whatever can be wrong with a command is found here.

No call has been paid for by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from feedback_friction.engine.models.price_list import Prices, load_prices
from feedback_friction.engine.models.providers.provider_table import Asked, refuse_untaken
from feedback_friction.engine.models.registry import ModelSettings, digests, parse_spec
from feedback_friction.engine.run.budget import check_priced
from feedback_friction.engine.run.conditions import WHOLE, Condition, Part, parse_part
from feedback_friction.engine.run.frozen_sets import frozen_conditions, read_frozen
from feedback_friction.engine.run.guidance import (
    form_prompts,
    read_guidance,
    recommends_nothing,
    with_policy,
)
from feedback_friction.engine.run.python_objects import files_of, load_file, remember
from feedback_friction.engine.run.run_directory import configuration, fingerprint
from feedback_friction.engine.run.seats import Seat, seat_for, seats, specs_of
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import attributed, parse_mode
from feedback_friction.modes import BINARY, SOLVER, Mode
from feedback_friction.policy import Learnt
from feedback_friction.problem import Problem
from feedback_friction.protocol.form_writers import check_forms, written_by_model
from feedback_friction.protocol.suits import check_hints, check_mode, for_task
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Models, Plan, Selection, Settings
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.fewshot import with_examples
from feedback_friction.tasks.graders import allow, is_rubric, with_rubrics
from feedback_friction.tasks.page import Page
from feedback_friction.ways import (
    CHECK,
    PLAIN,
    History,
    Solve,
    parse_history,
    parse_sampling,
    parse_solve,
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that can start: nothing about the command itself is wrong."""

    settings: Settings
    conditions: tuple[Condition, ...]
    prices: Prices
    config: Mapping[str, Any]
    seats: Mapping[Seat, ModelSettings] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """The problems that are run here, of a run split over machines."""
        return parse_part(self.settings.operation.part)

    @property
    def slug(self) -> str:
        """A directory name for the run: the same command gives the same name."""
        digest = hashlib.sha256(repr(sorted(self.config.items())).encode()).hexdigest()[:8]
        tasks = "+".join(self.settings.tasks)
        models = "+".join(dict.fromkeys(self.settings.models.solver))
        solver = "".join(c if c.isalnum() or c in "-._+" else "-" for c in models)
        part = "" if self.part == WHOLE else f"-part-{self.part.number}-of-{self.part.of}"
        return f"{tasks[:60]}-{solver[:40]}-{digest}{part}"


def prepare(
    settings: Settings, *, calls: bool = True, guidance: Mapping[str, Any] | None = None
) -> Prepared:
    """Check a command and load its problems.

    Args:
        calls: whether models will be asked; if not, they need not be there.
        guidance: what a run that is opened again kept of its files of policies and prompts.

    Raises:
        UsageError: anything in it is wrong; one line.
    """
    models, selection = settings.models, settings.selection
    if selection.task_file is not None:
        load_file(selection.task_file)
    if selection.grader is not None:
        allow(selection.grader)
    remember(files_of(selection))
    frozen = read_frozen(settings.frozen) if settings.frozen else None
    if frozen is not None:
        _check_frozen(settings)
        settings = replace(settings, tasks=settings.tasks or frozen.tasks)
    _check_selection(settings)
    specs = specs_of(models) if calls else []
    parse_part(settings.operation.part)
    for spec in specs:
        parse_spec(spec)
    seated = seats(settings)
    modes = _modes(settings)
    given = read_guidance(settings.prompts, modes, guidance or {})
    modes = [with_policy(mode, given) for mode in modes]
    conditions: list[Condition] = []
    fingerprints: dict[str, Any] = {}
    notes: list[str] = []
    if frozen is not None:
        conditions = frozen_conditions(settings, frozen, _plans(settings, [BINARY]))
        for each in {each.label: each for each in conditions}.values():
            alike = [other.problems for other in conditions if other.label == each.label]
            problems = list({problem.id: problem for problem in chain(*alike)}.values())
            fingerprints[each.label] = fingerprint(problems, each.task)
    for name in dict.fromkeys(settings.tasks if frozen is None else ()):
        page = get_page(name)
        problems = load_problems(page, selection)
        task, note = with_examples(page, selection, problems)
        task = with_rubrics(task, problems)
        notes += [note] if note else []
        notes += _without_effect(settings, modes, task, problems)
        fingerprints[name] = fingerprint(problems, task)
        own = _given_to(modes, models, page.task, problems)
        conditions += [
            _condition(settings, solver, page, task, plan, problems)
            for solver in dict.fromkeys(models.solver)
            for plan in _plans(settings, own)
        ]
    requests = form_prompts(given)
    conditions = [
        replace(each, plan=replace(each.plan, form_requests=requests)) for each in conditions
    ]
    _check_providers(settings, conditions)
    prices = load_prices(settings.operation.prices)
    check_priced(settings.operation, prices, _models_paid(models, conditions))
    notes += [
        f"{name}: its data could not tell which form is best" for name in recommends_nothing(given)
    ]
    config = configuration(
        settings, seated, fingerprints, digests(specs), given, frozen.digest if frozen else ""
    )
    return Prepared(settings, tuple(conditions), prices, config, seated, tuple(notes))


def _given_to(
    modes: Sequence[Mode], models: Models, task: Task, problems: Sequence[Problem]
) -> list[Mode]:
    """The modes as a task has them, once for each teacher; refuses one that it cannot have."""
    own = [
        taught
        for mode in modes
        for taught in _taught(for_task(mode, task, problems), models, task, problems)
    ]
    for mode in own:
        check_mode(mode, task)
        check_hints(mode, problems)
        chooser = mode.written_as.chooser
        if isinstance(chooser, Learnt) and task.name not in chooser.tasks:
            learnt = ", ".join(chooser.tasks)
            raise UsageError(f"'{mode.name}' was learnt on {learnt}, not on {task.name}")
        check_forms(chooser.forms if chooser else (), task, problems)
    if len(problems) < 2 and any(mode.writer == "donor" for mode in own):
        raise UsageError(f"feedback mode 'placebo' needs at least two problems of {task.name}")
    return own


def _check_frozen(settings: Settings) -> None:
    """Refuse what a frozen set decides by itself, or has not."""
    if settings.feedback != (BINARY.name,) or settings.models.feedback_model:
        raise UsageError("--frozen brings its own feedback: use it without --feedback")
    strange = [name for name in settings.history if parse_history(name).sight == "foreign"]
    if strange:
        raise UsageError(
            f"--history {strange[0]} needs other problems' attempts; --frozen makes none"
        )
    if len(settings.sampling) > 1 or parse_sampling(settings.sampling[0]).reject:
        raise UsageError("--frozen asks once: use it with one sampling, and without rejection")
    if settings.selection != Selection(seed=settings.selection.seed):
        raise UsageError("--frozen brings its own problems: name its tasks to run a part of it")


def _check_selection(settings: Settings) -> None:
    """Refuse tasks and files that do not go together."""
    if not settings.tasks:
        raise UsageError("no task given; 'friction tasks' lists them")
    if not settings.models.solver:
        raise UsageError("no solver given; give one with --solver, as provider/name")
    if settings.operation.workers is not None and settings.operation.ray is None:
        raise UsageError("--workers needs --ray: it sets the number of parts on a cluster")
    if settings.selection.grader is not None and {*settings.tasks} != {"custom"}:
        raise UsageError("--grader needs the task custom; the others have their own graders")
    if settings.selection.columns and settings.selection.data is None:
        raise UsageError("--map needs --data: it names the columns of a file")
    if settings.selection.data is not None and len(set(settings.tasks)) > 1:
        raise UsageError("--data takes one task; run each task with its own file")


def _modes(settings: Settings) -> list[Mode]:
    """The modes that a command names, each in the words of everyone it is attributed to."""
    has_feedback_model = bool(settings.models.feedback_model)
    named = [
        parse_mode(name, has_feedback_model=has_feedback_model)
        for name in dict.fromkeys(settings.feedback)
    ]
    found = [
        attributed(mode, who) if mode.shows_history and mode.attribution == "none" else mode
        for mode in named
        for who in dict.fromkeys(settings.attribution)
    ]
    refused = next((mode for mode in found if mode.challenges), None)
    rejecting = [name for name in settings.sampling if parse_sampling(name).reject]
    if refused is not None and (rejecting or settings.plan.binary_hint):
        what = f"--sampling {rejecting[0]}" if rejecting else "--binary-hint"
        raise UsageError(
            f"{what} treats every earlier answer as wrong, but '{refused.name}' goes on after "
            "a right one; use it without"
        )
    checking = [name for name in settings.solve if parse_solve(name).thought == CHECK.thought]
    if checking and rejecting:
        raise UsageError(
            f"--solve {checking[0]} may answer once more, also with an old answer, but "
            f"--sampling {rejecting[0]} accepts only new answers; use one of them"
        )
    return list({mode.name: mode for mode in found}.values())


def _check_providers(settings: Settings, conditions: Sequence[Condition]) -> None:
    """Refuse what the models' providers do not take, as far as the command asks for it."""
    models, plan = settings.models, settings.plan
    heat = any(each.plan.sampling.heat for each in conditions)
    if heat and plan.temperature is None:
        raise UsageError("--temperature none sends none, so heat cannot raise it; omit heat")
    if plan.feedback_temperature is None and not models.feedback_model:
        raise UsageError(
            "--feedback-temperature none needs --feedback-model; --temperature none is the solver's"
        )
    asked = Asked(plan.solver_temperature, heat, plan.decoding, plan.asks_logprobs)
    writing = Asked(plan.writer_temperature)
    for solver in models.solver:
        refuse_untaken(solver, asked)
        if solver in {each.feedback_model for each in conditions}:
            refuse_untaken(solver, writing)
    for teacher in models.feedback_model:
        refuse_untaken(teacher, writing)


def _writer(
    models: Models, solver: str, mode: Mode, task: Task, problems: Sequence[Problem]
) -> str | None:
    """The model that writes a mode's feedback for a solver; None where no model does."""
    written = mode if mode.misleads else mode.written_as
    forms = written.chooser.forms if written.chooser else ()
    by_model = any(written_by_model(form, task, problems) for form in forms)
    if written.writer != "model" and not by_model:
        return None
    if written.speaker == SOLVER:
        return solver
    return written.speaker.partition(" ")[2] or models.feedback_model[0]


def _taught(mode: Mode, models: Models, task: Task, problems: Sequence[Problem]) -> Iterator[Mode]:
    """A mode once for each feedback model that writes in it."""
    teachers = tuple(dict.fromkeys(models.feedback_model))
    if mode.misleads and teachers:
        mode = replace(mode, speaker="feedback")
    written = mode if mode.misleads else mode.written_as
    by_model = _writer(models, SOLVER, mode, task, problems) is not None
    if len(teachers) < 2 or not by_model or written.speaker == SOLVER:
        yield mode
        return
    for teacher in teachers:
        yield replace(mode, speaker=seat_for("feedback", teacher, teachers))


def _plans(settings: Settings, modes: Sequence[Mode]) -> list[Plan]:
    """The grid; a mode that shows nothing of what came before is not repeated by its ways.

    A mode that challenges has as many attempts as its rounds ask for.
    """
    ways, most = _ways(settings), settings.plan.iterations
    return [
        replace(
            settings.plan,
            mode=mode,
            iterations=min(most, 1 + settings.plan.rounds) if mode.challenges else most,
            sampling=parse_sampling(sampling),
            history=history,
            solve=solve,
        )
        for mode in modes
        for sampling in dict.fromkeys(settings.sampling)
        for history, solve in (ways if mode.shows_history else [(ways[0][0], PLAIN)])
    ]


def _ways(settings: Settings) -> list[tuple[History, Solve]]:
    """Histories by what the solver does; what stands in their place is there once."""
    histories = [parse_history(name) for name in dict.fromkeys(settings.history)]
    solves = [parse_solve(name) for name in dict.fromkeys(settings.solve)]
    return [
        (history, solve)
        for solve in solves
        for history in (histories[:1] if solve.replaces else histories)
    ]


def _models_paid(models: Models, conditions: Sequence[Condition]) -> list[str]:
    """The models that the conditions call."""
    judge = models.judge_model if any(each.task.judge for each in conditions) else None
    writers = (each.feedback_model for each in conditions)
    asked = dict.fromkeys((*models.solver, *writers, judge))
    return [each for each in asked if each is not None]


def _condition(
    settings: Settings, solver: str, page: Page, task: Task, plan: Plan, problems: Sequence[Problem]
) -> Condition:
    grader, models = page.grader, settings.models
    if task.judge is not None:
        if models.judge_model is None:
            if any(map(is_rubric, problems)):
                raise UsageError(f"{page.name} is graded by a rubric, which needs --judge-model")
            task = replace(task, judge=None)
        else:
            grader = f"judge {models.judge_model}"
    return Condition(
        label=page.name,
        task=task,
        plan=plan,
        solver=solver,
        feedback_model=_writer(models, solver, plan.mode, task, problems),
        grader=grader,
        epochs=settings.epochs,
        problems=problems,
        by_history=len(_ways(settings)) > 1,
        by_teacher=len(set(models.feedback_model)) > 1,
        digits=max((len(factor) for factor in problems[0].operands), default=None),
    )


def _without_effect(
    settings: Settings, modes: Sequence[Mode], task: Task, problems: Sequence[Problem]
) -> list[str]:
    """What is asked for that does nothing, or misleads, for a task: one line each."""
    found, plan = [], settings.plan
    if (plan.shuffle or plan.binary_hint) and not any(each.choices for each in problems):
        found.append(f"{task.name} has no choices: --shuffle and --binary-hint change nothing")
    elif plan.shuffle:
        found.append(
            f"{task.name}: --shuffle moves the right option at every attempt, so a solver "
            "that always gives the same letter is right in the end; compare gains with retry's"
        )
    if settings.models.judge_model is not None and task.judge is None:
        found.append(f"{task.name} needs no judge: --judge-model changes nothing")
    is_product = any(each.operands for each in problems)
    if settings.selection.digits != Selection().digits and not is_product:
        found.append(f"{task.name} is not a multiplication: --digits changes nothing")
    bare = sum(each.solution is None for each in problems)
    for name in (each.name for each in modes if each.sees_solution and bare):
        some = "no problem" if bare == len(problems) else f"{bare} of {len(problems)} problems"
        has = "has a worked solution" if bare == len(problems) else "have no worked solution"
        found.append(f"{some} of {task.name} {has}: there {name} knows the gold answer alone")
    return found
