"""Runs written by hand: the journal's own writer, answers by script, no model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.run_directory import claim, locked
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt, Feedback, Reply, Status, Trial, Usage
from feedback_friction.ways import parse_history
from toys import TASK, plan

RIGHT, NOTHING = "right", None
IN_FLIGHT = "in flight"  # as the last answer: the trial has not ended
# Answers in order; "failed"; "stopped:" or "refused:" (without an attempt) and a reason.
Script = Sequence[str | None] | str
Arm = Mapping[tuple[str, int], Script]  # (problem id, epoch) -> what became of the trial


def verdict(answer: str | None) -> Verdict:
    if answer is NOTHING:
        return Verdict.none()
    return Verdict.of(answer == RIGHT, answer, "script")


def write_run(
    directory: Path,
    arms: Mapping[str, Arm],
    *,
    problems: int = 4,
    iterations: int = 3,
    epochs: int = 1,
    solver: str = "student/default",
    task: str = "decimal_multiplication",
    digits: int | None = 5,
    reply: str = "I say {answer}.",
    feedback: str = "Look again.",
    leaks: tuple[str, ...] = (),
    subject: str = "s",
    temperature: float = 0.7,
    finish_reason: str = "stop",
    choices: tuple[str, ...] = (),
    **more: Any,
) -> Path:
    """Write a run; a trial that is not named never ran.

    Args:
        arms: by "mode", "mode, sampling" or "mode, sampling, history".
    """
    histories = {name.split(", ")[2] for name in arms if name.count(", ") == 2}
    asked = [
        replace(
            Problem(f"p{number}", task, f"Question {number}?", RIGHT, choices=choices),
            subject=f"{subject}{number % 2}",
        )
        for number in range(problems)
    ]
    command = ["friction", "run", task, "--solver", solver]

    async def write() -> None:
        async with Journal(directory) as journal:
            journal.add_problems(asked, lambda problem: problem.question)
            for name, trials in arms.items():
                mode, *rest = name.split(", ")
                strategy, history = [*rest, *("greedy", "transcript")[len(rest) :]]
                shown = parse_history(history)
                condition = Condition(
                    task, TASK, plan(mode, strategy, iterations=iterations, history=shown), solver,
                    None, "script", epochs, asked, digits,
                    by_history=bool(histories),
                )  # fmt: skip
                journal.add_now("conditions", [condition.row()])
                for (problem, epoch), script in trials.items():
                    if script == "failed":
                        await journal.add_failure(condition.id, problem, epoch, "no server")
                        continue
                    in_flight = script[-1] == IN_FLIGHT
                    script = script[:-1] if in_flight else script
                    made = _trial(asked[int(problem[1:])], epoch, script, iterations, mode)
                    if in_flight:
                        for attempt in made.attempts:
                            told = replace(attempt, feedback=None)
                            journal.add_attempt(condition.id, problem, epoch, told, 0.0)
                        continue
                    await journal.add_trial(condition.id, made, [0.0] * len(made.attempts))

    def _trial(problem: Problem, epoch: int, script: Script, iterations: int, mode: str) -> Trial:
        reason = ""
        if isinstance(script, str):
            how, _, reason = script.partition(":")
            script = ("wrong",) if how == "stopped" else ()
        attempts = []
        for number, answer in enumerate(script):
            told = None
            if answer != RIGHT and number < iterations - 1 and mode != "retry":
                told = Feedback(mode, feedback, feedback, leaks, 1)
            attempts.append(
                Attempt(
                    number,
                    problem,
                    Reply(
                        reply.format(answer=answer), finish_reason=finish_reason, mean_logprob=-0.5
                    ),
                    verdict(answer),
                    temperature,
                    usage=Usage(10, 5),
                    feedback=told,
                )
            )
        solved: Status = "solved" if script and script[-1] == RIGHT else "unsolved"
        return Trial(problem, epoch, tuple(attempts), "stopped" if reason else solved, reason)

    with locked(directory):
        config = {"tasks": [task], "solver": solver, "seed": 7, "epochs": epochs}
        operation = {"prices": None, "prices_as_of": "2026-01-01", **more}
        claim(directory, config, operation, command)
        asyncio.run(write())
    return directory


def trials(*scripts: Script, epoch: int = 0) -> dict[tuple[str, int], Script]:
    """The trials of p0, p1, ... in one epoch."""
    return {(f"p{number}", epoch): script for number, script in enumerate(scripts)}
