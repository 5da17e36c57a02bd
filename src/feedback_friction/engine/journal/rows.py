"""Records to rows of the journal and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from feedback_friction.engine.journal.keys import Key
from feedback_friction.engine.models.price_list import Cost
from feedback_friction.engine.models.remote.chat_reply import is_answer
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import (
    Aside,
    Attempt,
    Completion,
    Generate,
    Reply,
    Trial,
    Usage,
)

Row = dict[str, Any]
Place = tuple[str, str]  # task and id of a problem


@dataclass(slots=True)
class Seen:
    """What was seen of a problem: calls, the tokens that they wrote, attempts of ended trials."""

    calls: int = 0
    tokens: int = 0
    attempts: list[int] = field(default_factory=list)


def insert(db: sqlite3.Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows, replacing those with the same primary key; the table's name is ours.

    All rows have the columns of the first one, in its order.
    """
    if rows:
        db.executemany(_insertion(table, tuple(rows[0])), [tuple(row.values()) for row in rows])


@cache  # by position and made once: naming the columns anew costs a third of a row
def _insertion(table: str, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})"


def storable(text: str) -> str:
    """Text as SQLite can keep it: lone surrogates, which UTF-8 cannot encode, are replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def as_json(value: object) -> str:
    """A value as JSON text."""
    return orjson.dumps(value).decode()


def now() -> str:
    """The time in UTC as ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def completion_row(
    key: Key, model: str, request: Generate, completion: Completion, cost: Cost, is_warm: bool
) -> Row:
    """The row of a completion that came now; ``is_warm``: the temperature was sent."""
    occasion, usage = request.occasion, completion.usage
    return {
        "key": key,
        "task": occasion.problem.task,
        "problem_id": occasion.problem.id,
        "epoch": occasion.epoch,
        "iteration": occasion.iteration,
        "role": request.role,
        "model": model,
        "server_model": completion.model,
        "temperature": request.temperature if is_warm else None,
        "seed": request.seed,
        "replies": as_json(
            [
                [
                    storable(r.text),
                    r.finish_reason,
                    r.mean_logprob,
                    r.reasoning and storable(r.reasoning),
                ]
                for r in completion.replies
            ]
        ),
        **_usage(usage),
        "cost_usd": cost,
        "seconds": completion.seconds,
        "finished": now(),
    }


def token_rows(key: Key, completion: Completion) -> list[Row]:
    """The rows of the tokens that a completion's replies came with."""
    return [
        {
            "key": key,
            "reply": number,
            "tokens": as_json([[storable(t.text), t.logprob, t.id] for t in reply.tokens]),
        }
        for number, reply in enumerate(completion.replies)
        if reply.tokens
    ]


def read_completion(row: Sequence[Any]) -> Completion:
    """A completion from (replies, four token counts, seconds, server model, failures).

    A prompt of no tokens is one that the server did not count, or that was refused, which is free.
    """
    said, prompt, completed, cached, reasoning, seconds, model, failures = row
    replies = tuple(Reply(*reply) for reply in orjson.loads(said))
    unknown = int(prompt == 0 and any(map(is_answer, replies)))
    usage = Usage(prompt, completed, cached, reasoning, unknown)
    return Completion(replies, usage, seconds, model, failures or 0)


def attempt_rows(condition: str, trial: Trial, costs: Sequence[Cost]) -> list[Row]:
    """The rows of a trial's attempts; ``costs`` has one entry an attempt, its feedback included."""
    return [
        attempt_row(condition, trial.problem.id, trial.epoch, attempt, cost)
        for attempt, cost in zip(trial.attempts, costs, strict=True)
    ]


def aligned_rows(condition: str, trial: Trial) -> list[Row]:
    """The rows of what the feedback repeats from the solver's own work."""
    return [
        {
            "condition": condition,
            "problem_id": trial.problem.id,
            "epoch": trial.epoch,
            "iteration": attempt.iteration,
            "texts": as_json([storable(text) for text in attempt.feedback.aligned]),
        }
        for attempt in trial.attempts
        if attempt.feedback and attempt.feedback.aligned
    ]


def choice_rows(condition: str, trial: Trial) -> list[Row]:
    """The rows of the forms that were chosen in a trial."""
    where = (condition, trial.problem.id, trial.epoch)
    return [
        {
            **_place(where),
            "iteration": attempt.iteration,
            "form": choice.form,
            "propensity": choice.propensity,
            "repeats": choice.repeat,
            "reason": choice.reason,
            "state": as_json(choice.state),
        }
        for attempt in trial.attempts
        if attempt.feedback is not None and (choice := attempt.feedback.choice) is not None
    ]


def attempt_row(condition: str, problem_id: str, epoch: int, attempt: Attempt, cost: Cost) -> Row:
    """The row of one attempt; ``cost`` is that of the answer, and of its feedback if it has any."""
    reply, verdict, feedback = attempt.reply, attempt.verdict, attempt.feedback
    feedback_usage = _usage(feedback.usage if feedback else Usage())
    return {
        "condition": condition,
        "problem_id": problem_id,
        "epoch": epoch,
        "iteration": attempt.iteration,
        "response": storable(reply.text),
        "reasoning": reply.reasoning and storable(reply.reasoning),
        "finish_reason": reply.finish_reason,
        "prediction": verdict.prediction and storable(verdict.prediction),
        "verdict": verdict.outcome.value,
        "rule": verdict.rule,
        "is_correct": int(verdict.is_correct),
        "gold": attempt.problem.gold,
        "choices": as_json(attempt.problem.choices),
        "feedback": storable(feedback.text) if feedback else None,
        "feedback_raw": storable(feedback.raw) if feedback else None,
        "feedback_donor": feedback.donor if feedback else None,
        "masked_spans": feedback.masked_spans if feedback else 0,
        "leaks": as_json([storable(leak) for leak in feedback.leaks] if feedback else []),
        "mean_logprob": reply.mean_logprob,
        "temperature": attempt.temperature,
        "draws": attempt.draws,
        **_usage(attempt.usage),
        **{f"feedback_{name}": tokens for name, tokens in feedback_usage.items()},
        "cost_usd": cost,
        "seconds": attempt.seconds,
        "feedback_seconds": feedback.seconds if feedback else 0.0,
    }


def aside_rows(condition: str, trial: Trial) -> list[Row]:
    """The rows of what belongs to a trial's attempts beside reply and feedback."""
    return [
        {
            **_place((condition, trial.problem.id, trial.epoch)),
            "iteration": attempt.iteration,
            "kind": aside.kind,
            "text": storable(aside.text),
            "donor": aside.donor,
        }
        for attempt in trial.attempts
        for aside in attempt.asides
    ]


Asides = dict[tuple[str, int, int], tuple[Aside, ...]]


def read_asides(db: sqlite3.Connection, condition: str) -> Asides:
    """By problem, epoch and iteration, the asides of a condition's attempts."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'asides'").fetchone():
        return {}  # a journal of an earlier version
    found: Asides = {}
    for row in db.execute("SELECT * FROM asides WHERE condition = ? ORDER BY rowid", (condition,)):
        place = (row["problem_id"], row["epoch"], row["iteration"])
        found[place] = (*found.get(place, ()), Aside(row["kind"], row["text"], row["donor"]))
    return found


def trial_row(
    where: tuple[str, str, int], status: str, reason: str, attempts: int, finished: str
) -> Row:
    """The row of a trial that ended; ``where`` is its condition, problem and epoch."""
    return {
        **_place(where),
        "status": status,
        "reason": reason,
        "attempts": attempts,
        "finished": finished,
    }


def error_row(where: tuple[str, str, int], error: str, happened: str) -> Row:
    """The row of a failure; ``where`` is the condition or what was asked, problem and epoch."""
    return {**_place(where), "error": error, "happened": happened}


def _place(where: tuple[str, str, int]) -> Row:
    return dict(zip(("condition", "problem_id", "epoch"), where, strict=True))


def problem_row(problem: Problem, prompt: str) -> Row:
    """The row of a problem; ``prompt`` is the question as the solver reads it."""
    return {
        "task": problem.task,
        "problem_id": problem.id,
        "question": storable(problem.question),
        "prompt": storable(prompt),
        "gold": problem.gold,
        "aliases": as_json(problem.aliases),
        "choices": as_json(problem.choices),
        "solution": problem.solution and storable(problem.solution),
        "subject": problem.subject,
        "level": problem.level,
        "s_pop": problem.s_pop,
        "o_pop": problem.o_pop,
    }


def calls_row(where: tuple[str, str, int], calls: Sequence[Completion]) -> Row:
    """The row that counts a trial's calls."""
    condition, problem_id, epoch = where
    return {
        "condition": condition,
        "problem_id": problem_id,
        "epoch": epoch,
        "calls": len(calls),
        "retried": sum(call.failures > 0 for call in calls),
    }


def cluster_row(problem: Problem) -> Row:
    """The row of a problem that shares its source with others."""
    return {
        "task": problem.task,
        "problem_id": problem.id,
        "cluster": problem.cluster and storable(problem.cluster),
    }


def _usage(usage: Usage) -> Row:
    """The columns of a usage; no tokens at all where some of its calls were not counted."""
    if usage.unknown:
        usage = Usage()
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
    }
