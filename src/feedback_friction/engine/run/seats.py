"""The models of a run, each in its seat: solvers, the feedback writer, the judge.

A run with one solver has the seats ``solver``, ``feedback`` and ``judge``; one with several has a
seat for each, ``solver MODEL``; so with several feedback writers, ``feedback MODEL``. A word of
``--base-url`` or ``--solver-option`` that begins with ``MODEL=`` is for that solver alone. A URL
without it is for every solver that has a server and no URL of its own; an option without it is for
all of them.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from feedback_friction.engine.models.model_options import parse_options
from feedback_friction.engine.models.registry import ModelSettings, is_gguf, is_own, is_student
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
    models, plan = settings.models, settings.plan
    for flag, words, spec, needed in (
        ("--feedback-option", models.feedback_options, models.feedback_model, "feedback"),
        ("--judge-option", models.judge_options, models.judge_model, "judge"),
    ):
        if words and not spec:
            raise UsageError(f"{flag} needs --{needed}-model")
    solvers = _seated(
        settings,
        "solver",
        models.solver,
        ("--base-url", models.base_urls),
        ("-M", models.options),
        reasoning_tokens=models.reasoning_tokens,
        reasoning_effort=models.reasoning_effort,
        sends_temperature=plan.temperature is not None,
    )
    teachers = _seated(
        settings,
        "feedback",
        models.feedback_model,
        ("--feedback-base-url", models.feedback_base_urls),
        ("--feedback-option", models.feedback_options),
        sends_temperature=plan.feedback_temperature is not None,
    )
    judges = _seated(
        settings,
        "judge",
        (models.judge_model,) if models.judge_model else (),
        ("--judge-base-url", models.judge_base_urls),
        ("--judge-option", models.judge_options),
    )
    return solvers | teachers | judges


def _seated(
    settings: Settings,
    role: str,
    specs: Sequence[str],
    urls: tuple[str, tuple[str, ...]],
    words: tuple[str, tuple[str, ...]],
    **given: Any,
) -> dict[Seat, ModelSettings]:
    """The models of a role.

    Args:
        urls: the flag of its servers, and what it was given.
        words: the same for its options.
        given: further arguments of ``parse_options``.
    """
    names, operation = tuple(dict.fromkeys(specs)), settings.operation
    servers, options = (addressed(each, names, flag) for flag, each in (urls, words))
    found = {}
    for name in names:
        has_server = not (is_student(name) or is_gguf(name) or is_own(name))
        shared = servers[""] if len(names) == 1 or has_server else ()
        found[seat_for(role, name, names)] = ModelSettings(
            name,
            servers[name] or shared,
            operation.concurrency,
            timeout=operation.timeout,
            options=parse_options((*options[""], *options[name]), words[0], **given),
        )
    if names and servers[""] and not any(each.base_urls == servers[""] for each in found.values()):
        raise UsageError(
            f"{urls[0]} {servers[''][0]} serves no {role}: each has its own server, or needs none"
        )
    return found


def seat_for(role: str, name: str, names: Sequence[str]) -> Seat:
    """The seat of one of a role's models: one alone has the role's."""
    return role if len({*names}) == 1 else f"{role} {name}"


def specs_of(models: Models) -> list[str]:
    """The models of a run, each once."""
    named = (*models.solver, *models.feedback_model, models.judge_model)
    return [each for each in dict.fromkeys(named) if each]
