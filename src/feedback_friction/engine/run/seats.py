"""The models of a run, each in its seat: solvers, the feedback writer, the judge.

A run with one solver has the seats ``solver``, ``feedback`` and ``judge``; one with several has a
seat for each, ``solver MODEL``; so with several feedback writers, ``feedback MODEL``. A word of
``--base-url`` or ``--solver-option`` that begins with ``MODEL=`` is for that solver alone. A URL
without it is for every solver that has a server and no URL of its own; an option without it is for
all of them.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from feedback_friction.engine.models.model_options import ModelOptions, parse_options
from feedback_friction.engine.models.registry import (
    ModelSettings,
    is_gguf,
    is_own,
    is_student,
)
from feedback_friction.errors import UsageError
from feedback_friction.settings import Models, Settings, addressed

Seat = str


def seat_of(role: str, solver: str, taken: Container[Seat]) -> Seat:
    """The seat of a speaker in the trials of a condition with that solver."""
    own = f"{role} {solver}"
    return own if own in taken else role


def seats(settings: Settings) -> dict[Seat, ModelSettings]:
    """By seat, the models that are asked for, with their servers and options.

    Raises:
        UsageError: options or servers that are wrong, or are for a model that is not there.
    """
    models = settings.models
    for flag, words, spec, needed in (
        ("--feedback-option", models.feedback_options, models.feedback_model, "feedback"),
        ("--judge-option", models.judge_options, models.judge_model, "judge"),
    ):
        if words and not spec:
            raise UsageError(f"{flag} needs --{needed}-model")
    found = _solvers(settings)
    found |= _teachers(settings)
    if models.judge_model is not None:
        options = parse_options(models.judge_options, "--judge-option")
        found["judge"] = _seated(settings, models.judge_model, models.judge_base_urls, options)
    return found


def _seated(
    settings: Settings, spec: str, urls: tuple[str, ...], options: ModelOptions
) -> ModelSettings:
    operation = settings.operation
    return ModelSettings(spec, urls, operation.concurrency, operation.timeout, options)


def _solvers(settings: Settings) -> dict[Seat, ModelSettings]:
    models = settings.models
    solvers = tuple(dict.fromkeys(models.solver))
    urls = addressed(models.base_urls, solvers, "--base-url")
    words = addressed(models.options, solvers, "-M")
    found = {}
    for solver in solvers:
        options = parse_options(
            (*words[""], *words[solver]),
            "-M",
            reasoning_tokens=models.reasoning_tokens,
            reasoning_effort=models.reasoning_effort,
            sends_temperature=settings.plan.temperature is not None,
        )
        shared = urls[""] if len(solvers) == 1 or _has_server(solver) else ()
        seat = "solver" if len(solvers) == 1 else f"solver {solver}"
        found[seat] = _seated(settings, solver, urls[solver] or shared, options)
    if urls[""] and not any(each.base_urls == urls[""] for each in found.values()):
        raise UsageError(
            f"--base-url {urls[''][0]} serves no solver: each has its own server, or needs none"
        )
    return found


def _teachers(settings: Settings) -> dict[Seat, ModelSettings]:
    models = settings.models
    teachers = tuple(dict.fromkeys(models.feedback_model))
    urls = addressed(models.feedback_base_urls, teachers, "--feedback-base-url")
    words = addressed(models.feedback_options, teachers, "--feedback-option")
    found = {}
    for teacher in teachers:
        options = parse_options(
            (*words[""], *words[teacher]),
            "--feedback-option",
            sends_temperature=settings.plan.feedback_temperature is not None,
        )
        seat = taught_by(teacher, teachers)
        found[seat] = _seated(settings, teacher, urls[teacher] or urls[""], options)
    return found


def taught_by(teacher: str, teachers: Sequence[str]) -> Seat:
    """The seat of a feedback writer: one alone is named alone."""
    return "feedback" if len({*teachers}) == 1 else f"feedback {teacher}"


def _has_server(solver: str) -> bool:
    return not (is_student(solver) or is_gguf(solver) or is_own(solver))


def specs_of(models: Models) -> list[str]:
    """The models of a run, each once."""
    named = (*models.solver, *models.feedback_model, models.judge_model)
    return [each for each in dict.fromkeys(named) if each]
