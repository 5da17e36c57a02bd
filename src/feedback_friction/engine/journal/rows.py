"""Records to rows of the journal and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from feedback_friction.engine.journal.keys import Key
from feedback_friction.engine.models.price_list import Cost
from feedback_friction.engine.models.remote.chat_reply import is_answer
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Attempt, Completion, Generate, Reply, Trial, Usage

Row = dict[str, Any]
Place = tuple[str, str]  # task and id of a problem
Where = tuple[str, str, int]  # a trial: condition (or what was asked), problem id, epoch
TOKENS = ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
_OF_PROBLEM = ("question", "gold", "solution", "subject", "level", "s_pop", "o_pop")


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
        values = [tuple(map(storable, row.values())) for row in rows]
        db.executemany(_insertion(table, tuple(rows[0])), values)


@cache  # once for each table: building the statement costs a third of a row
def _insertion(table: str, names: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(names))
    return f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})"


def storable(value: Any) -> Any:
    """A value as SQLite can keep it: lone surrogates, which UTF-8 cannot encode, are replaced."""
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def as_json(value: object) -> str:
    """A value as JSON text, without lone surrogates."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=asdict)
        return str(storable(text))


def now() -> str:
    """The time in UTC as ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# --- calls ---------------------------------------------------------------------------------------


def completion_row(
    key: Key, model: str, request: Generate, completion: Completion, cost: Cost, is_warm: bool
) -> Row:
    """The row of a completion that came now; ``is_warm``: the temperature was sent."""
    occasion = request.occasion
    replies = [[r.text, r.finish_reason, r.mean_logprob, r.reasoning] for r in completion.replies]
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
        "replies": as_json(replies),
        **_usage(completion.usage),
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
            "tokens": as_json([[t.text, t.logprob, t.id] for t in reply.tokens]),
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


def _usage(usage: Usage) -> Row:
    """The columns of a usage; no tokens at all where some of its calls were not counted."""
    return {name: 0 if usage.unknown else getattr(usage, name) for name in TOKENS}


# --- trials --------------------------------------------------------------------------------------


def trial_tables(
    condition: str, trial: Trial, costs: Sequence[Cost], calls: Sequence[Completion]
) -> dict[str, list[Row]]:
    """By table, the rows of a trial that ended.

    Args:
        costs: one an attempt, its feedback included.
        calls: those that the trial used; empty where they are not known.
    """
    where = (condition, trial.problem.id, trial.epoch)
    rows: dict[str, list[Row]] = {
        "trials": [trial_row(where, trial.status, trial.reason, len(trial.attempts))],
        "attempts": [],
        "asides": [],
        "aligned": [],
        "choices": [],
        "calls": [],
    }
    for attempt, cost in zip(trial.attempts, costs, strict=True):
        place, feedback = {**_place(where), "iteration": attempt.iteration}, attempt.feedback
        rows["attempts"].append(attempt_row(where, attempt, cost))
        rows["asides"] += [{**place, **asdict(aside)} for aside in attempt.asides]
        if feedback and feedback.aligned:
            rows["aligned"].append({**place, "texts": as_json(feedback.aligned)})
        if feedback and (choice := feedback.choice):
            chosen = {
                "form": choice.form,
                "propensity": choice.propensity,
                "repeats": choice.repeat,
                "reason": choice.reason,
                "state": as_json(choice.state),
            }
            rows["choices"].append({**place, **chosen})
    if calls:
        retried = sum(call.failures > 0 for call in calls)
        rows["calls"].append({**_place(where), "calls": len(calls), "retried": retried})
    return rows


def attempt_row(where: Where, attempt: Attempt, cost: Cost) -> Row:
    """The row of one attempt; ``cost`` is that of the answer, and of its feedback if it has any."""
    reply, verdict, feedback = attempt.reply, attempt.verdict, attempt.feedback
    feedback_usage = _usage(feedback.usage if feedback else Usage())
    return {
        **_place(where),
        "iteration": attempt.iteration,
        "response": reply.text,
        "reasoning": reply.reasoning,
        "finish_reason": reply.finish_reason,
        "prediction": verdict.prediction,
        "verdict": verdict.outcome.value,
        "rule": verdict.rule,
        "is_correct": int(verdict.is_correct),
        "gold": attempt.problem.gold,
        "choices": as_json(attempt.problem.choices),
        "feedback": feedback.text if feedback else None,
        "feedback_raw": feedback.raw if feedback else None,
        "feedback_donor": feedback.donor if feedback else None,
        "masked_spans": feedback.masked_spans if feedback else 0,
        "leaks": as_json(feedback.leaks if feedback else ()),
        "mean_logprob": reply.mean_logprob,
        "temperature": attempt.temperature,
        "draws": attempt.draws,
        **_usage(attempt.usage),
        **{f"feedback_{name}": tokens for name, tokens in feedback_usage.items()},
        "cost_usd": cost,
        "seconds": attempt.seconds,
        "feedback_seconds": feedback.seconds if feedback else 0.0,
    }


def trial_row(where: Where, status: str, reason: str, attempts: int) -> Row:
    """The row of a trial that ended now."""
    ended = {"status": status, "reason": reason, "attempts": attempts, "finished": now()}
    return {**_place(where), **ended}


def error_row(where: Where, error: str) -> Row:
    """The row of a failure that happened now."""
    return {**_place(where), "error": error, "happened": now()}


def _place(where: Where) -> Row:
    condition, problem_id, epoch = where
    return {"condition": condition, "problem_id": problem_id, "epoch": epoch}


# --- problems ------------------------------------------------------------------------------------


def problem_row(problem: Problem, prompt: str) -> Row:
    """The row of a problem; ``prompt`` is the question as the solver reads it."""
    return {
        "task": problem.task,
        "problem_id": problem.id,
        "prompt": prompt,
        "aliases": as_json(problem.aliases),
        "choices": as_json(problem.choices),
        **{name: getattr(problem, name) for name in _OF_PROBLEM},
    }


def cluster_row(problem: Problem) -> Row:
    """The row of a problem that shares its source with others."""
    return {"task": problem.task, "problem_id": problem.id, "cluster": problem.cluster}
