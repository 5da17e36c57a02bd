"""What a grader says of a reply."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OVERRULED = "overruled"  # the rule of a verdict that a person gave


class Outcome(StrEnum):
    """Correct, wrong, nothing in the reply that could be an answer, or not decided.

    Undecided is an answer whose comparison with gold ran out of time or memory. How fast the
    machine is decides that, so it says nothing of the answer: it counts as neither right nor
    wrong, and a resume decides it anew.
    A failure of a server or of a judge is none of these: see ``engine.models.base``.
    """

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no-answer"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, what the reply was taken to answer, and which rule decided.

    Attributes:
        outcome: correct, wrong, no-answer or undecided.
        prediction: the answer found, normalised so that equal strings mean the same answer;
            None exactly when the outcome is no-answer.
        rule: short name of the rule that found or compared the answer, e.g. ``"boxed"``.
    """

    outcome: Outcome
    prediction: str | None
    rule: str

    @property
    def is_correct(self) -> bool:
        """True when the outcome is correct."""
        return self.outcome is Outcome.CORRECT

    @property
    def is_undecided(self) -> bool:
        """True when the outcome is undecided."""
        return self.outcome is Outcome.UNDECIDED

    @classmethod
    def of(cls, correct: bool | None, prediction: str, rule: str) -> Verdict:
        """A verdict on a reply that does state an answer; ``correct`` None leaves it undecided."""
        outcomes = {True: Outcome.CORRECT, False: Outcome.WRONG, None: Outcome.UNDECIDED}
        return cls(outcomes[correct], prediction, rule)

    @classmethod
    def none(cls, rule: str = "nothing found") -> Verdict:
        """A verdict on a reply in which there is no answer."""
        return cls(Outcome.NO_ANSWER, None, rule)
