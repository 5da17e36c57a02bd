"""Graders of a user's own, for questions of a user's own.

``regex:PATTERN``
    The last match is the answer, or its first group where it has one; it is right where it is one
    of the accepted answers, whatever its case. No match is no answer.
``python:FILE.py:NAME``
    A function of (problem, reply) that returns True, False, None for no answer, or a ``Verdict``.
``rubric:TEXT``, ``rubric:@FILE``
    The judge model decides whether the reply fulfils the rubric; ``protocol.judge``.

A pattern meets text that a model wrote, and may take very long on it: the package ``regex`` stops
it by processor time, and the verdict is undecided then. Replies are read from their end.
"""

from __future__ import annotations

import runpy
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from feedback_friction.errors import UsageError, reason
from feedback_friction.extras import need
from feedback_friction.grading.text import grade_text
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.judge import judge_by_rubric
from feedback_friction.protocol.records import Effect
from feedback_friction.protocol.task import Task
from feedback_friction.tasks.page import RowError

Grader = Callable[[Problem, str], Verdict]
KINDS = ("regex", "python", "rubric")
CPU_SECONDS = 5.0
LONGEST = 20_000  # characters of a reply that a pattern reads, from its end
SHOWN = 200  # characters of a reply that stand for its answer where nothing else does


def is_own(name: str) -> bool:
    """Whether the name of a grader is one of these."""
    return name.partition(":")[0] in KINDS and ":" in name


_ALLOWED: set[str] = set()  # graders that name a file, and may


def allow(name: str) -> None:
    """Let a grader run or read the file that it names: the user has said so.

    Rows of data come from elsewhere, and may name no file of this machine.
    """
    _ALLOWED.add(name)


def _check_allowed(name: str) -> None:
    kind, _, what = name.partition(":")
    names_file = kind == "python" or (kind == "rubric" and what.strip().startswith("@"))
    if names_file and name not in _ALLOWED:
        raise RowError("grader", f"'{name}' names a file: give such a grader with --grader")


def own_grader(name: str) -> Grader:
    """The grader of that name; of a rubric what is done without a judge: nothing is decided.

    Raises:
        RowError: there is none: a pattern that is none, a file or function that is not there.
    """
    _check_allowed(name)
    kind, _, what = name.partition(":")
    if kind == "regex":
        return by_pattern(what)
    if kind == "python":
        return by_function(_function(what))
    rubric_of(name)
    return lambda problem, response: Verdict.of(None, shown(problem, response), "rubric")


@cache
def by_pattern(pattern: str) -> Grader:
    """The grader of a regular expression; raises ``RowError`` where it is none."""
    need("own", "regex")
    import regex  # type: ignore[import-untyped]

    if not pattern:
        raise RowError("grader", "the pattern is empty")
    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise RowError("grader", f"'{pattern}' is not a regular expression: {error}") from error

    def grade(problem: Problem, response: str) -> Verdict:
        try:
            found = compiled.finditer(response[-LONGEST:], timeout=CPU_SECONDS, concurrent=True)
            ends = deque(found, maxlen=1)
        except TimeoutError:
            return Verdict.of(None, "", "timeout")
        if not ends:
            return Verdict.none("no match")
        [last] = ends
        stated = (last[1] if compiled.groups else last[0]) or ""
        prediction = " ".join(stated.split()).casefold()
        if not prediction:
            return Verdict.none("empty match")
        accepted = {" ".join(each.split()).casefold() for each in (problem.gold, *problem.aliases)}
        return Verdict.of(prediction in accepted, prediction, "regex")

    return grade


def by_function(function: Callable[[Problem, str], object]) -> Grader:
    """The grader of a function of (problem, reply)."""

    def grade(problem: Problem, response: str) -> Verdict:
        said = function(problem, response)
        if isinstance(said, Verdict):
            return said
        if said is None:
            return Verdict.none("function")
        if not isinstance(said, bool):
            name = getattr(function, "__name__", "a grader")
            wanted = "True, False, None or a Verdict"
            raise TypeError(f"{name} must return {wanted}, not {type(said).__name__}")
        return Verdict.of(said, shown(problem, response), "function")

    return grade


def shown(problem: Problem, response: str) -> str:
    """What a reply is taken to answer where the grader does not say: its statement, or its end."""
    stated = grade_text(problem, response).prediction
    return stated or " ".join(response[-SHOWN:].split()).casefold()


@cache
def _function(where: str) -> Callable[[Problem, str], object]:
    file, _, name = where.rpartition(":")
    if not file:
        raise RowError("grader", f"'python:{where}' is not of the form python:FILE.py:NAME")
    found = run_file(Path(file)).get(name)
    if not callable(found):
        raise RowError("grader", f"{file} has no function '{name}'")
    function: Callable[[Problem, str], object] = found
    return function


@cache
def run_file(path: Path) -> dict[str, Any]:
    """What a Python file defines.

    Raises:
        UsageError: it cannot be read or run; one line with the reason.
    """
    try:
        return runpy.run_path(str(path), run_name=f"<friction {path.stem}>")
    except FileNotFoundError as error:
        raise UsageError(f"cannot read {path}: No such file or directory") from error
    except Exception as error:  # whatever a user's file may raise
        raise UsageError(f"{path} fails: {type(error).__name__}: {error}") from error


# --- rubrics -------------------------------------------------------------------------------------


@cache
def rubric_of(name: str) -> str:
    """The text of a rubric; raises ``RowError`` where there is none."""
    _check_allowed(name)
    text = name.partition(":")[2].strip()
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise RowError(
                "grader", f"cannot read the rubric {text[1:]}: {reason(error)}"
            ) from error
    if not text:
        raise RowError("grader", "the rubric is empty")
    return text


def is_rubric(problem: Problem) -> bool:
    """Whether a judge decides by a rubric."""
    return (problem.grader or "").startswith("rubric:")


def with_rubrics(task: Task, problems: Sequence[Problem]) -> Task:
    """The task with a judge, where a problem has a rubric; the others keep their graders."""
    if not any(map(is_rubric, problems)):
        return task
    return replace(task, judge=_judge, judges=is_rubric)


def _judge(problem: Problem, response: str) -> Generator[Effect, Any, Verdict]:
    rubric = rubric_of(problem.grader or "")
    return judge_by_rubric(problem, response, rubric, shown(problem, response))
