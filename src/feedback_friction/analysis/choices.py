"""The forms of feedback that runs chose, each with the state before it and what came of it.

By the standard library alone.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feedback_friction.analysis.journal import answer_text, open_journal, rows_if
from feedback_friction.analysis.stats.clusters import clustered_share
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.errors import UsageError
from feedback_friction.forms import FORMS
from feedback_friction.policy import State

_CHOICES = """
    SELECT c.*, k.task, k.digits, k.solver, k.feedback, k.iterations,
           a.prediction, a.choices,
           b.prediction AS answer, b.choices AS order_now, b.is_correct AS right_next,
           d.is_correct AS right_later, t.status,
           a.feedback_prompt_tokens + a.feedback_completion_tokens AS writing,
           b.prompt_tokens + b.completion_tokens AS answering
    FROM choices c
    JOIN conditions k USING (condition)
    JOIN attempts a USING (condition, problem_id, epoch, iteration)
    JOIN trials t USING (condition, problem_id, epoch)
    LEFT JOIN attempts b ON (b.condition, b.problem_id, b.epoch) =
        (c.condition, c.problem_id, c.epoch)
        AND b.iteration = c.iteration + 1 AND b.verdict != 'undecided'
    LEFT JOIN attempts d ON (d.condition, d.problem_id, d.epoch) =
        (c.condition, c.problem_id, c.epoch)
        AND d.iteration = c.iteration + 2 AND d.verdict != 'undecided'
    WHERE t.status IN ('solved', 'unsolved', 'stopped')
    ORDER BY c.rowid
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """One form that was chosen."""

    run: int  # position of the run directory
    condition: str  # the condition's id, with its ``task``, ``digits``, ``solver`` and ``feedback``
    task: str
    digits: int | None
    solver: str
    feedback: str
    problem: str  # id of the problem; decisions of one problem depend on each other
    epoch: int
    form: str  # what was chosen, with which ``propensity``, in which ``state``
    propensity: float
    state: State
    predicted: float  # chance of a repeated answer that was predicted
    right: bool  # whether the next attempt is right; one that a model refused is not
    # whether one of the next two is; None where the trial had no second one left
    right_later: bool | None
    # whether the next attempt gives the same answer; None without a next attempt
    repeated: bool | None
    tokens: int  # read and written to write the feedback and to make the next attempt

    @property
    def is_drawn(self) -> bool:
        """Whether another form could have been chosen in this state."""
        return self.propensity < 1


def read_choices(directories: Sequence[Path]) -> list[Decision]:
    """The decisions of runs whose outcome is known, in the order of the runs.

    Trials that failed or have not ended are left out; one that a model stopped by refusing counts
    as not solved.
    """
    found = []
    for run, directory in enumerate(directories):
        with open_journal(directory) as db:
            found += [
                _decision(run, row)
                for row in rows_if(db, "choices", _CHOICES)
                if row["right_next"] is not None or row["status"] == "stopped"
            ]
    return found


def _decision(run: int, row: sqlite3.Row) -> Decision:
    before, after = (
        answer_text(row[answer], row[choices])
        for answer, choices in (("prediction", "choices"), ("answer", "order_now"))
    )
    names = ("condition", "task", "digits", "solver", "feedback", "epoch", "form")
    return Decision(
        run=run,
        **{name: row[name] for name in names},
        problem=row["problem_id"],
        propensity=float(row["propensity"]),
        state=_state(row["state"]),
        predicted=float(row["repeats"]),
        right=bool(row["right_next"]),
        right_later=_later(row),
        repeated=None if row["right_next"] is None else before is not None and before == after,
        tokens=(row["writing"] or 0) + (row["answering"] or 0),
    )


def _state(text: str) -> State:
    """A state as the journal keeps it."""
    try:
        return State(**json.loads(text))
    except (TypeError, ValueError) as error:
        raise UsageError(f"the journal is damaged: '{text[:60]}' is not a state") from error


def _later(row: sqlite3.Row) -> bool | None:
    if row["iteration"] + 2 >= row["iterations"]:
        return None  # also where the next one is right, so that what is left out is left to chance
    if row["right_next"] or row["right_later"] is not None:
        return bool(row["right_next"] or row["right_later"])
    return False if row["status"] == "stopped" else None


@dataclass(frozen=True, slots=True)
class Given:
    """The form of one feedback, as a trial's reader is told of it."""

    form: str  # what was chosen, and with which ``propensity``
    propensity: float
    why: str  # what it was chosen on, in words: the draw, the rung, or what was predicted
    repeats: float  # predicted chance that the next answer is the last again
    state: str  # the solver before the feedback, in words

    @property
    def facts(self) -> tuple[str, ...]:
        """All but the form, each as a few words."""
        return (
            self.why,
            f"propensity {self.propensity:.2f}",
            f"repetition predicted at {self.repeats:.2f}",
            f"state: {self.state}",
        )


def read_given(
    db: sqlite3.Connection, condition: str, problem_id: str, epoch: int
) -> dict[int, Given]:
    """By iteration of a trial, which form its feedback has; nothing in a mode without forms."""
    rows = rows_if(
        db,
        "choices",
        "SELECT iteration, form, propensity, reason, repeats, state FROM choices"
        " WHERE condition = ? AND problem_id = ? AND epoch = ?",
        (condition, problem_id, epoch),
    )
    return {
        iteration: Given(form, propensity, reason, repeats, in_words(_state(state)))
        for iteration, form, propensity, reason, repeats, state in rows
    }


def in_words(state: State) -> str:
    """What is known of the solver, but for what is usual."""
    several = state.distinct > 1
    found = [
        (True, f"attempt {state.iteration + 1}"),
        (state.no_answer, "no answer"),
        (state.repeats, "the answer before again"),
        (state.stuck > 0, f"repeated {state.stuck} of {state.iteration} times"),
        (several, f"{state.distinct} different answers so far"),
        (state.cut_off, "cut off"),
        (state.error, f"first wrong step: {state.error}"),
        (state.logprob is not None, f"log-probability {state.logprob or 0:.2f}"),
        (state.entropy is not None, f"entropy of the answers {state.entropy or 0:.2f}"),
    ]
    return ", ".join(words for is_there, words in found if is_there)


WHENEVER = "any state"
_KINDS = (WHENEVER, "first wrong answer", "another wrong answer", "answer repeated", "no answer")


def groups_of(state: State) -> list[str]:
    """The kinds of state that effects are shown for, which a state belongs to."""
    found = [WHENEVER]
    if state.no_answer:
        found.append("no answer")
    elif state.iteration == 0:
        found.append("first wrong answer")
    else:
        found.append("answer repeated" if state.repeats else "another wrong answer")
    if state.cut_off:
        found.append("cut off")
    if state.error and not state.no_answer:
        found.append(f"error: {state.error}")
    return found


def in_form_order(names: Iterable[str]) -> list[str]:
    """Names of forms, with or without their writer, in the order of ``FORMS``."""
    order = list(FORMS)
    return sorted(names, key=lambda name: (order.index(name.partition(":")[0]), name))


def in_order(kinds: Iterable[str]) -> list[str]:
    """Kinds of state, as ``groups_of`` names them, in the order in which they are read."""
    order = {kind: place for place, kind in enumerate(_KINDS)}
    return sorted(kinds, key=lambda kind: (order.get(kind, len(order)), kind))


@dataclass(frozen=True, slots=True)
class FormGiven:
    """One form within one condition that chooses among several."""

    run: int  # position of the run directory
    task: str  # task, solver, feedback: of the condition
    solver: str
    feedback: str
    form: str  # the form
    # share of right next attempts, weighted by the inverse of the form's probability, with limits
    # clustered by problem
    right: Estimate
    repeated: Estimate  # the same of next answers that repeat the last
    tokens: float  # of a round of it: writing the feedback, and the next attempt
    n: int  # how often it was given

    def as_json(self) -> dict[str, Any]:
        """The object that ``friction results --json`` prints; a share without answers is null."""
        right, repeated = self.right.as_json(), self.repeated.as_json()
        del right["n"], repeated["n"]
        return {
            **{name: getattr(self, name) for name in ("task", "solver", "feedback", "form")},
            "right_next": right,
            "repeated_next": repeated,
            "tokens": self.tokens,
            "n": self.n,
        }


def forms_given(directories: Sequence[Path]) -> list[FormGiven]:
    """The forms of conditions that choose among several, in the order of runs and of ``FORMS``."""
    by_condition: dict[tuple[int, str], list[Decision]] = {}
    for each in read_choices(directories):
        by_condition.setdefault((each.run, each.condition), []).append(each)
    return [
        _given([each for each in group if each.form == name])
        for group in by_condition.values()
        if len(names := {each.form for each in group}) > 1
        for name in in_form_order(names)
    ]


def _given(same: Sequence[Decision]) -> FormGiven:
    first = same[0]
    answered = [each for each in same if each.repeated is not None]
    return FormGiven(
        first.run,
        first.task,
        first.solver,
        first.feedback,
        first.form,
        weighted_share(same, [each.right for each in same]),
        weighted_share(answered, [bool(each.repeated) for each in answered]),
        sum(each.tokens for each in same) / len(same),
        len(same),
    )


def weighted_share(decisions: Sequence[Decision], happened: Sequence[bool]) -> Estimate:
    """A share by the inverse of the forms' probabilities, clustered by problem."""
    sums: dict[str, tuple[float, float, int]] = {}
    for each, did in zip(decisions, happened, strict=True):
        weight = 1 / each.propensity
        yes, total, trials = sums.get(each.problem, (0.0, 0.0, 0))
        sums[each.problem] = (yes + weight * did, total + weight, trials + 1)
    if not sums:
        return Estimate(math.nan, 0.0, 1.0, 0)
    successes, weights, trials_of = zip(*sums.values(), strict=True)
    return clustered_share(successes, weights, trials_of)
