"""Recovery: the analysis finds the student's known parameters, in at least 93 of 100 seeded runs.

A student of known uptake and repetition rate is taken through real trials (prompts, grader, mask),
and the analysis estimates from the trials what it was told. Counted is how often the 95% interval
holds the truth; a sound interval does in 95 of 100 runs, give or take 2.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from benchmarks.common import Figure, at_least, script
from feedback_friction.analysis.stats.arrays import UNSOLVED, IntArray
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.analysis.stats.survival import hazard
from feedback_friction.analysis.stats.transitions import Answer, Move, transitions
from feedback_friction.engine.models.student import StudentModel
from feedback_friction.mode_names import parse_mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Generate, Grade, Mask, Trial
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Plan, Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.ways import parse_sampling

MODES = ("binary", "self", "process", "strong")
ITERATIONS = 6
REPEAT = 0.7


def measure(*, runs: int = 100, count: int = 100) -> list[Figure]:
    """Take a student through seeded runs, and count how often its parameters are recovered."""
    task = get_page("decimal_multiplication").task
    hits: dict[str, int] = {}

    def judge(name: str, estimate: Estimate, truth: float) -> None:
        hits[name] = hits.get(name, 0) + estimate.interval.contains(truth)

    for seed in range(runs):
        drawn = selected(count, seed)
        for mode in MODES:
            done = trials("student/resistant=0,blurt=0", mode, task, drawn, seed)
            truth = parse_mode(mode, has_feedback_model=True).uptake
            judge(f"{mode}: uptake, from the second attempt", _second(done), truth)
            judge(f"{mode}: uptake, from all retries", corrected(done), truth)
        done = trials(f"student/resistant=1,silent=0,repeat={REPEAT}", "binary", task, drawn, seed)
        repetition = transitions([answers(each) for each in done]).repetition
        judge("repetition rate", repetition, REPEAT)
    least = 0.93 * runs
    return [at_least(name, held, least, f"of {runs}") for name, held in hits.items()]


def selected(count: int, seed: int) -> list[Problem]:
    page = get_page("decimal_multiplication")
    return load_problems(page, Selection(limit=count, seed=seed))


def trials(spec: str, mode: str, task: Task, problems: Sequence[Problem], seed: int) -> list[Trial]:
    """The trials of a student that is solver and feedback writer, at a temperature above 0."""
    model = StudentModel(spec)
    plan = Plan(
        parse_mode(mode, has_feedback_model=True),
        parse_sampling("greedy"),
        iterations=ITERATIONS,
        seed=seed,
        temperature=0.7,
    )

    async def one(problem: Problem) -> Trial:
        steps = trial(problem, task, plan)
        try:
            effect = next(steps)
            while True:
                if isinstance(effect, Generate):
                    effect = steps.send(await model.generate(effect))
                elif isinstance(effect, Grade):
                    effect = steps.send(task.grade(effect.problem, effect.response))
                elif isinstance(effect, Mask):
                    effect = steps.send(task.mask(effect.problem, effect.text))
                else:
                    effect = steps.send(None)
        except StopIteration as stop:
            done: Trial = stop.value
            return done

    async def everyone() -> list[Trial]:
        return [await one(problem) for problem in problems]

    return asyncio.run(everyone())


def first_solved(done: Sequence[Trial]) -> IntArray:
    """Shape (problems, 1): the iteration at which each trial was solved."""
    return np.array(
        [[len(each.attempts) - 1 if each.status == "solved" else UNSOLVED] for each in done],
        dtype=np.int64,
    )


def answers(done: Trial) -> list[Answer]:
    """What a trial answered, attempt by attempt."""
    return [(each.verdict.prediction, each.verdict.is_correct) for each in done.attempts]


def _second(done: Sequence[Trial]) -> Estimate:
    """Hazard of correction at the second attempt."""
    return hazard(first_solved(done), ITERATIONS)[1]


def corrected(done: Sequence[Trial]) -> Estimate:
    """Share of all retries that are right."""
    moves = transitions([answers(each) for each in done])
    return next(each.share for each in moves.shares if each.move is Move.CORRECT)


if __name__ == "__main__":
    script(measure)
