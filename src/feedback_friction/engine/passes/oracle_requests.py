"""Runs an oracle: a command checked, its requests asked many at once, every draw in the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedback_friction.engine.journal.rows import Row, Where
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.launch import opened_for
from feedback_friction.engine.run.prepare import Prepared, prepare
from feedback_friction.engine.run.runner import Note, Progress, Watch, run_jobs
from feedback_friction.errors import UsageError
from feedback_friction.modes import BINARY
from feedback_friction.options import filled, options_of
from feedback_friction.problem import Problem
from feedback_friction.protocol.oracle_draws import Draw, OraclePlan, oracle
from feedback_friction.protocol.records import Status
from feedback_friction.settings import Decoding, Settings
from feedback_friction.ways import GREEDY

KIND = "oracle"

# What an oracle never does is no part of what its directory is made with.
_CONFIG = (
    "tasks", "solver", "judge_model", "seed", "limit", "fraction", "stratify", "digits",
    "temperature", *options_of(Decoding), "max_tokens", "logprobs", "solver_options",
    "judge_options", "problems",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PreparedOracle:
    """An oracle that can start: nothing about the command itself is wrong."""

    # the models, the task and its problems; its condition's feedback mode is never used
    run: Prepared
    plan: OraclePlan  # how the draws are made

    @property
    def condition(self) -> Condition:
        """The task, its problems and its grader."""
        return self.run.conditions[0]

    @property
    def slug(self) -> str:
        """A directory name: the same command gives the same name."""
        return f"oracle-{self.run.slug}"


def prepare_oracle(settings: Settings, *, ks: Sequence[int] = (), **drawing: Any) -> PreparedOracle:
    """Check a command and load its problems.

    Args:
        settings: one task, the solver, and how it is sampled; fields about feedback are not used.
        ks: the k for which pass@k is wanted.
        drawing: options of ``OraclePlan``.

    Raises:
        UsageError: anything in it is wrong; one line.
    """
    solvers = dict.fromkeys(settings.models.solver)
    if len(solvers) > 1:
        raise UsageError(f"an oracle takes one solver, not {len(solvers)}")
    plan = replace(filled(OraclePlan, drawing), sampled=settings.plan)
    if settings.plan.temperature == 0 and plan.draws > 1:
        raise UsageError("an oracle at temperature 0 draws the same reply again and again")
    if ks and plan.until_solved:
        raise UsageError(
            "--k cannot go with --until-solved: pass@k needs all draws of every problem"
        )
    for k in ks:
        if not 1 <= k <= plan.draws:
            raise UsageError(
                f"--k {k} is impossible with {plan.draws} draws a problem (--attempts x --gens); "
                f"allowed: 1 to {plan.draws}"
            )
    run = prepare(replace(settings, feedback=(BINARY.name,), sampling=(GREEDY.name,)))
    kept = {name: run.config[name] for name in _CONFIG if name in run.config}
    own = {name: getattr(plan, name) for name in ("attempts", "gens", "until_solved")}
    return PreparedOracle(replace(run, config={"kind": KIND, **kept, **own}), plan)


@dataclass(frozen=True, slots=True)
class OracleJob:
    """Some requests about a problem: one, or with ``until_solved`` all of them in turn."""

    problem: Problem
    requests: tuple[int, ...]


async def execute_oracle(
    prepared: PreparedOracle, directory: Path, command: list[str], watch: Watch, notice: Note
) -> Progress:
    """Run an oracle in a directory, or resume it.

    Raises:
        UsageError: the directory or a server cannot be used as asked; no call was made.
        RunStoppedError: the run stopped itself; resumable.
    """
    condition, plan = prepared.condition, prepared.plan
    async with opened_for(prepared.run, directory, command, notice) as caller:
        journal = caller.journal
        journal.add_problems(condition.problems, condition.task.ask)
        every = list(_jobs(condition.problems, plan))
        drawn = journal.drawn()
        left = [job for job in every if not _is_done(job, drawn, plan)]

        async def work(job: OracleJob) -> Status:
            verdicts = []
            for request in job.requests:  # kept one by one, so that an unfinished run tells them
                steps = oracle(job.problem, condition.task, plan, request)
                draws = await caller.drive(steps, condition.task)
                rows = [_row(condition.label, job.problem, draw) for draw in draws]
                await journal.add("oracle_draws", rows)
                verdicts += [draw.verdict for draw in draws]
                if any(verdict.is_correct for verdict in verdicts):
                    return "solved"
            undecided = any(verdict.is_undecided for verdict in verdicts)
            return "undecided" if undecided else "unsolved"

        def where(job: OracleJob) -> Where:
            return KIND, job.problem.id, 0

        return await run_jobs(caller, left, work, where, watch, done=len(every) - len(left))


def _jobs(problems: Sequence[Problem], plan: OraclePlan) -> Iterator[OracleJob]:
    """Problem by problem, so that a server's prefix cache serves the question to all requests."""
    for problem in problems:
        if plan.until_solved:
            yield OracleJob(problem, tuple(range(plan.attempts)))
        else:
            yield from (OracleJob(problem, (number,)) for number in range(plan.attempts))


def _is_done(
    job: OracleJob, drawn: Mapping[tuple[str, int], Collection[str]], plan: OraclePlan
) -> bool:
    """Whether a job's draws are all there and decided, or one of them solved the problem.

    A job that is not done runs from its first request, whose replies are there already.
    """
    found = [drawn.get((job.problem.id, request), ()) for request in job.requests]
    if plan.until_solved and any("correct" in verdicts for verdicts in found):
        return True
    return all(verdicts and "undecided" not in verdicts for verdicts in found)


def _row(task: str, problem: Problem, draw: Draw) -> Row:
    reply, verdict = draw.reply, draw.verdict
    return {
        "task": task,
        "problem_id": problem.id,
        "draw": draw.number,
        "request": draw.request,
        "response": reply.text,
        "finish_reason": reply.finish_reason,
        "prediction": verdict.prediction,
        "verdict": verdict.outcome.value,
        "rule": verdict.rule,
        "mean_logprob": reply.mean_logprob,
        "tokens": draw.tokens,
    }
