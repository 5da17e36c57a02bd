"""Conversations from a log of inspect_ai: other people's evaluations with several attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import one_line
from feedback_friction.bridges.replies import Replies, Said, Talk
from feedback_friction.errors import UsageError, reason
from feedback_friction.extras import need
from feedback_friction.problem import Problem

SUFFIX = ".eval"


def read_eval(file: Path, problems: Sequence[Problem], ask: Callable[[Problem], str]) -> Replies:
    """The conversations of a log, by model, problem and epoch.

    Every message of the model that says something is an attempt; what a user says after it is what
    it was told. A sample belongs to the problem of its id, else to the one whose question its
    input holds.

    Raises:
        UsageError: inspect_ai is missing, the file is no log, or a sample is of no problem.
    """
    need("providers", "inspect_ai")
    from inspect_ai.log import read_eval_log

    try:
        log = read_eval_log(str(file))
    except OSError as error:
        raise UsageError(f"cannot read {file}: {reason(error)}") from error
    # A damaged file raises whatever its zip, its compression or its JSON does.
    except Exception as error:
        raise UsageError(f"cannot read {file}: {one_line(error)}") from error
    found: dict[tuple[str, int], Talk] = {}
    for sample in log.samples or ():
        if sample.error is None:
            problem = _problem(file, sample, problems, ask)
            talk = _talk(sample.messages)
            if talk:
                found[problem.id, sample.epoch - 1] = talk
    if not found:
        raise UsageError(f"{file} holds no sample with a reply")
    return {log.eval.model: found}


def _problem(
    file: Path, sample: Any, problems: Sequence[Problem], ask: Callable[[Problem], str]
) -> Problem:
    parts = [sample.input] if isinstance(sample.input, str) else [m.text for m in sample.input]
    text = "\n\n".join(parts)
    for problem in problems:
        if str(sample.id) == problem.id:
            return problem
    asked = [each for each in problems if ask(each) in text] or [
        each for each in problems if each.question in text
    ]
    if len(asked) != 1:
        raise UsageError(
            f"{file}: sample '{sample.id}' matches no problem by its id, and its input has the "
            f"question of {len(asked) or 'none'}; give the questions with --data"
        )
    return asked[0]


def _talk(messages: Sequence[Any]) -> Talk:
    said: list[Said] = []
    for message in messages:
        if message.role == "assistant" and message.text.strip():
            said.append(Said(message.text))
        elif message.role == "user" and said:
            told = "\n\n".join(each for each in (said[-1].told, message.text) if each)
            said[-1] = Said(said[-1].reply, told)
    return tuple(said)
