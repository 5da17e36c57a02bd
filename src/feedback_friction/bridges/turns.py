"""The turns of a recorded run: every attempt with the exact prompt that asked for it.

Prompts are reproduced by the loop itself and proved by the journal (``engine.passes.sent``). What
training sets are made of comes from here, problem by problem, with all conditions of a problem
together.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from feedback_friction.analysis.journal import open_journal, rows_if
from feedback_friction.engine.passes.reopen import Prompts, read_trials
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.protocol.records import Attempt, Message, Token, Trial
from feedback_friction.protocol.state import answer_key
from feedback_friction.protocol.trial import attempt_request
from feedback_friction.split import HELD_OUT, Split, takes


@dataclass(frozen=True, slots=True)
class Selected:
    """Which problems may leave a run."""

    split: Split = "train"
    held_out: float = HELD_OUT  # share of the problems, in [0, 1)

    def takes(self, task: str, problem_id: str) -> bool:
        """Whether a problem is among them."""
        return takes(self.split, task, problem_id, self.held_out)


@dataclass(frozen=True, slots=True)
class Turn:
    """One attempt and what asked for it."""

    condition: Condition
    trial: Trial
    number: int  # its place in the trial, from 0
    messages: tuple[Message, ...]  # the prompt, byte for byte as it was sent
    tokens: tuple[Token, ...] = ()  # of its reply, where the run kept them

    @property
    def attempt(self) -> Attempt:
        """The attempt."""
        return self.trial.attempts[self.number]

    @property
    def informed(self) -> bool:
        """Whether it followed feedback on the solver's own attempt."""
        return self.number > 0 and self.condition.plan.mode.informs

    @property
    def corrected(self) -> bool:
        """Whether it is right after such feedback."""
        return self.informed and self.attempt.verdict.is_correct

    @property
    def repeats(self) -> bool:
        """Whether it is wrong with an answer that an earlier attempt gave."""
        key = answer_key(self.attempt.problem, self.attempt.verdict)
        return key is not None and not self.attempt.verdict.is_correct and key in self.refuted

    @property
    def refuted(self) -> tuple[str, ...]:
        """The different wrong answers of the attempts before it, in their order."""
        keys = [answer_key(each.problem, each.verdict) for each in self._earlier]
        return tuple(dict.fromkeys(key for key in keys if key is not None))

    @property
    def leaked(self) -> bool:
        """Whether feedback that it followed gave the answer away."""
        return any(each.feedback and each.feedback.leaks for each in self._earlier)

    @property
    def _earlier(self) -> tuple[Attempt, ...]:
        return self.trial.attempts[: self.number]


def read_turns(directory: Path, selected: Selected, left_out: Counter[str]) -> Iterator[list[Turn]]:
    """The turns of a run's ended trials: those of one problem and epoch at a time.

    Args:
        left_out: counts the attempts that do not leave the run, by the reason.

    Raises:
        UsageError: the directory is no run of trials, or its problems are gone or have changed.
    """
    prompts = Prompts(directory)
    with open_journal(directory) as db:
        paid = {row["key"] for row in db.execute("SELECT key FROM completions")}
        kept = _kept_tokens(db)
    by_problem: dict[tuple[str, str, int], list[tuple[Condition, Trial]]] = {}
    for condition in prompts.conditions:
        for trial in read_trials(directory, condition):
            place = (condition.label, trial.problem.id, trial.epoch)
            by_problem.setdefault(place, []).append((condition, trial))
    for (label, problem_id, _), trials in by_problem.items():
        if not selected.takes(label, problem_id):
            left_out["of a problem outside the split"] += sum(len(t.attempts) for _, t in trials)
            continue
        turns: list[Turn] = []
        for condition, trial in trials:
            for turn, key in _turns(prompts, condition, trial):
                if turn.leaked:
                    left_out["after feedback that gave the answer away"] += 1
                elif key not in paid:
                    left_out["whose prompt the journal does not prove"] += 1
                else:
                    told = kept.get(key, {}).get(turn.attempt.reply.text, ())
                    turns.append(replace(turn, tokens=told))
        if turns:
            yield turns


def _kept_tokens(db: sqlite3.Connection) -> dict[bytes, dict[str, tuple[Token, ...]]]:
    """By call, the tokens of its replies, by their text; none in journals of earlier versions."""
    query = "SELECT t.*, c.replies FROM tokens t JOIN completions c USING (key)"
    found: dict[bytes, dict[str, tuple[Token, ...]]] = {}
    for row in rows_if(db, "tokens", query):
        text = json.loads(row["replies"])[row["reply"]][0]
        tokens = tuple(Token(*each) for each in json.loads(row["tokens"]))
        found.setdefault(row["key"], {})[text] = tokens
    return found


def _turns(prompts: Prompts, condition: Condition, trial: Trial) -> Iterator[tuple[Turn, bytes]]:
    for number in range(len(trial.attempts)):
        before = condition.episode(trial.problem, trial.epoch, trial.attempts[:number])
        request = attempt_request(before)
        yield (
            Turn(condition, trial, number, request.messages),
            prompts.key(request, condition.solver),
        )
