"""The exact prompts of a trial, reproduced from its run by the loop itself, and proved.

What a call is known by in the journal is a digest of the model, its options, every message and all
parameters (``keys.call_key``). A reproduced prompt that has the digest of a completion that was
paid for is the one that was sent, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from feedback_friction.analysis.journal import open_journal
from feedback_friction.engine.journal.keys import Key, call_key
from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.passes.reopen import read_attempts, reopen
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.launch import wanted_models
from feedback_friction.engine.run.prepare import Prepared
from feedback_friction.engine.run.seats import seat_of
from feedback_friction.errors import UsageError
from feedback_friction.protocol.feedback import feedback_request
from feedback_friction.protocol.records import Generate
from feedback_friction.protocol.solving import check_request, second_request, thought_request
from feedback_friction.protocol.trial import attempt_request, next_view


@dataclass(frozen=True, slots=True)
class Sent:
    """A prompt of a trial."""

    # of the attempt that it asks for, on which it asks for feedback, or for which the solver writes
    # something to itself
    iteration: int
    # the messages and parameters; of an attempt drawn several times, the first draw's
    request: Generate
    proved: bool  # whether the journal has a completion of exactly this request


class Prompts:
    """The prompts of a run's trials.

    Attributes:
        run: the run as it was made.
        conditions: its conditions.
    """

    def __init__(self, directory: Path) -> None:
        """Reopen a run.

        Raises:
            UsageError: its data are gone or have changed, so that its prompts cannot be reproduced.
        """
        self._directory = directory
        self.run: Prepared = reopen(directory, calls=False)
        self.conditions = self.run.conditions
        digests: dict[str, str] = self.run.config.get("digests", {})
        self._identities = {}
        for seat, each in wanted_models(self.run).items():
            # Calls of a file on this machine are known by the file's digest.
            name = f"{each.spec}@{digests[each.spec]}" if each.spec in digests else each.spec
            self._identities[seat] = identity_of(name, each.options)

    def of(self, condition: str, problem_id: str, epoch: int) -> tuple[Sent, ...]:
        """The prompts of a trial in their order: for each attempt, then for its feedback.

        Raises:
            UsageError: the run has no such trial, or its journal cannot be read.
        """
        asked = next((each for each in self.run.conditions if each.id == condition), None)
        if asked is None:
            raise UsageError(f"the run has no condition '{condition}'")
        return self.sent(list(self._requests(asked, problem_id, epoch)), asked.solver)

    def sent(self, requests: Sequence[Generate], solver: str) -> tuple[Sent, ...]:
        """Requests in the trials of a solver, each with whether it was paid for.

        Raises:
            UsageError: the journal cannot be read.
        """
        with open_journal(self._directory) as db:
            paid = "SELECT 1 FROM completions WHERE key = ?"
            return tuple(
                Sent(
                    request.occasion.iteration,
                    request,
                    db.execute(paid, (self.key(request, solver),)).fetchone() is not None,
                )
                for request in requests
            )

    def key(self, request: Generate, solver: str) -> Key:
        """What a call in the trials of a solver is known by in the journal."""
        return call_key(
            self._identities[seat_of(request.speaker, solver, self._identities)], request
        )

    def _requests(self, asked: Condition, problem_id: str, epoch: int) -> Iterator[Generate]:
        problem = next((each for each in asked.problems if each.id == problem_id), None)
        if problem is None:
            raise UsageError(f"the run has no problem '{problem_id}'")
        attempts = read_attempts(self._directory, asked, problem, epoch)
        begun = len(asked.begun.get(problem_id, ()))  # made elsewhere: nothing was sent for them
        for number, attempt in enumerate(attempts[begun:], begun):
            before = asked.episode(problem, epoch, attempts[:number])
            view = next_view(before)
            words = thought_request(view)
            if words is not None:
                yield words
            yield attempt_request(before)
            if attempt.aside("check") is not None:
                yield check_request(view, attempt)
            if attempt.aside("first-try") is not None:
                yield second_request(view, attempt)
            if attempt.feedback is not None:  # whoever wrote it saw the attempt without it
                told = feedback_request(before.with_attempt(replace(attempt, feedback=None)))
                if told is not None:
                    yield told
