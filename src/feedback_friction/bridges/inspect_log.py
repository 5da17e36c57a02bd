"""A run as logs of inspect_ai: one ``.eval`` file a condition, for its viewer and its data frames.

A sample is a trial. Its messages are the conversation as a chat, its score has one column an
attempt (``acc@1``, ``acc@2``, ...: solved by then), and each attempt is a span with its verdict,
answer, and what the mask and its audit found. Who was told what is in the messages, whatever form
of history the solver was shown: the exact prompts are those of ``friction show --prompt``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inspect_ai.event import InfoEvent, SpanBeginEvent, SpanEndEvent
from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score

from feedback_friction import __version__
from feedback_friction.analysis.accuracy_by_attempt import ConditionResult, read_results
from feedback_friction.analysis.provenance import Provenance, provenance
from feedback_friction.engine.journal.rows import now
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.errors import UsageError, reason
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt, Feedback, Trial
from feedback_friction.ways import way

SCORER = "friction"


def write_logs(directory: Path, out: Path) -> list[Path]:
    """Write a run's conditions as ``.eval`` files into a folder; returns them.

    Raises:
        UsageError: the directory is no run of trials, or the folder cannot be written.
    """
    made = provenance(directory)
    accuracy = {each.condition.condition: each for each in read_results(directory)}
    files = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for condition in reopen(directory, calls=False).conditions:
            trials = list(read_trials(directory, condition))
            log = _log(condition, made, trials, accuracy[condition.id])
            name = re.sub(r"[^\w.+-]+", "_", condition.id)[:150]
            path = out / f"{name}.eval"
            write_eval_log(log, str(path))
            files.append(path)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {reason(error)}") from error
    return files


def _log(
    condition: Condition, made: Provenance, trials: list[Trial], found: ConditionResult
) -> EvalLog:
    plan = condition.plan
    read, written = found.usage["prompt_tokens"], found.usage["completion_tokens"]
    paid = ModelUsage(input_tokens=read, output_tokens=written, total_tokens=read + written)
    return EvalLog(
        status="success",
        eval=EvalSpec(
            created=made.created or now(),
            task=f"feedback_friction/{condition.label}",
            task_args={
                "feedback": plan.mode.name,
                "sampling": plan.sampling.name,
                "iterations": plan.iterations,
                "history": way(plan.history, plan.solve),
                "feedback_model": condition.feedback_model,
            },
            dataset=EvalDataset(
                name=condition.label,
                samples=len(condition.problems),
                sample_ids=[problem.id for problem in condition.problems],
            ),
            model=condition.solver,
            config=EvalConfig(epochs=condition.epochs),
            packages={"feedback-friction": made.versions.get("feedback-friction", __version__)},
            metadata={"condition": condition.id, "command": made.command},
        ),
        stats=EvalStats(
            started_at=made.created or now(),
            completed_at=made.ended or now(),
            model_usage={condition.solver: paid},
        ),
        results=EvalResults(
            total_samples=condition.epochs * len(condition.problems),
            completed_samples=len(trials),
            scores=[
                EvalScore(
                    name=_column(k),
                    scorer=SCORER,
                    metrics={"accuracy": EvalMetric(name="accuracy", value=value)},
                )
                for k, value in enumerate(found.accuracy)
            ],
        ),
        samples=[_sample(condition, trial) for trial in trials],
    )


def _sample(condition: Condition, trial: Trial) -> EvalSample:
    problem, last = trial.problem, trial.attempts[-1]
    about = about_problem(condition, problem)
    return EvalSample(
        **about | {"metadata": about["metadata"] | {"status": trial.status}},
        epoch=trial.epoch + 1,
        messages=list(messages_of(condition, trial)),
        output=ModelOutput.from_content(condition.solver, last.reply.text),
        scores={
            SCORER: Score(
                value=scores_of(trial, condition.plan.iterations),
                answer=last.verdict.prediction,
                explanation=f"{trial.status} after {len(trial.attempts)} attempts {trial.reason}",
            )
        },
        events=[event for attempt in trial.attempts for event in _events(attempt)],
    )


def about_problem(condition: Condition, problem: Problem) -> dict[str, Any]:
    """What a sample says of its problem."""
    return {
        "id": problem.id,
        "input": condition.task.ask(problem),
        "choices": list(problem.choices) or None,
        "target": [problem.gold, *problem.aliases],
        "metadata": {"subject": problem.subject, "level": problem.level},
    }


def scores_of(trial: Trial, iterations: int) -> dict[str, float]:
    """By column, one an attempt: 1 where the problem is solved by then, else 0."""
    last = len(trial.attempts) - 1
    return {_column(k): int(trial.status == "solved" and last <= k) for k in range(iterations)}


def messages_of(condition: Condition, trial: Trial) -> Iterator[ChatMessage]:
    """The conversation as a chat, whatever form of history the solver was shown."""
    yield ChatMessageSystem(content=condition.task.system)
    yield ChatMessageUser(content=condition.task.ask(trial.problem))
    for attempt in trial.attempts:
        yield ChatMessageAssistant(content=attempt.reply.text, model=condition.solver)
        if attempt.feedback is not None:
            yield ChatMessageUser(content=attempt.feedback.text)


def _events(attempt: Attempt) -> Iterator[Any]:
    """A span an attempt, which the viewer lists in its outline."""
    name, span = f"attempt {attempt.iteration + 1}", f"attempt-{attempt.iteration}"
    yield SpanBeginEvent(id=span, name=name, span_id=span)
    yield InfoEvent(source=name, span_id=span, data=told_of(attempt))
    yield SpanEndEvent(id=span, span_id=span)


def told_of(attempt: Attempt) -> dict[str, Any]:
    """What became of an attempt, for the transcript."""
    told: dict[str, Any] = {
        "reply": attempt.reply.text,
        "verdict": attempt.verdict.outcome.value,
        "answer": attempt.verdict.prediction,
        "rule": attempt.verdict.rule,
        "temperature": attempt.temperature,
        "draws": attempt.draws,
        "finish_reason": attempt.reply.finish_reason,
    }
    if attempt.feedback is not None:
        told |= feedback_of(attempt.feedback)
    return told


def feedback_of(feedback: Feedback) -> dict[str, Any]:
    """What the solver was told, and what the mask and its audit did to it."""
    return {
        "feedback": feedback.text,
        "feedback_before_the_mask": feedback.raw,
        "masked_spans": feedback.masked_spans,
        "leaks": list(feedback.leaks),
    }


def _column(k: int) -> str:
    return f"acc@{k + 1}"
