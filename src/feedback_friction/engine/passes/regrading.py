"""A finished run graded and masked again by the present program, without any model call.

Verdicts come from the attempts' replies, masks from the feedback before the mask. Nothing is
written here; ``verdict_layers`` keeps what was accepted.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from feedback_friction.engine.passes.reopen import read_trials
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.overruled import Verdicts, reply_key
from feedback_friction.grading.cut import graded
from feedback_friction.grading.verdict import Verdict
from feedback_friction.modes import Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.feedback import write_feedback
from feedback_friction.protocol.masking.quoted import parted_unmasked
from feedback_friction.protocol.records import JUDGED, Attempt, Effect, Feedback, Status, Trial
from feedback_friction.protocol.solving import next_messages
from feedback_friction.protocol.state import answers_of
from feedback_friction.protocol.trial import donor_order, next_view

GOES_ON = "a verdict is another now: the trial goes on when the run is resumed"


@dataclass(frozen=True, slots=True)
class Rejudged:
    """A trial and the verdicts on its attempts as they are now."""

    condition: str  # the condition's id
    trial: Trial  # as it was run
    verdicts: tuple[Verdict, ...]  # one an attempt, of those that the trial still has
    # how it ends with them
    status: Status
    reason: str
    # where later attempts would be asked for otherwise now, the last one that would not; else None
    marked: int | None

    @property
    def changed(self) -> list[tuple[Attempt, Verdict]]:
        """The attempts whose outcome or answer is another now, and their verdict."""
        pairs = zip(self.trial.attempts, self.verdicts, strict=False)
        return [(each, verdict) for each, verdict in pairs if _said(each.verdict) != _said(verdict)]

    @property
    def is_changed(self) -> bool:
        """Whether anything of it is to be written."""
        return bool(self.changed) or self.status != self.trial.status or self.marked is not None


def _said(verdict: Verdict) -> tuple[str, str | None]:
    return verdict.outcome.value, verdict.prediction


@dataclass(slots=True)
class Judge:
    """Grades replies again, each reply to a problem once."""

    overruled: Verdicts
    known: dict[bytes, Verdict] = field(default_factory=dict)

    def verdict(self, condition: Condition, attempt: Attempt) -> Verdict:
        """The verdict on an attempt now.

        A judge model is not asked again: its verdict stays, unless a person overrules it. Nor is a
        verdict taken back because this comparison ran out of time.
        """
        key = reply_key(condition.label, attempt.problem, attempt.reply.text)
        if key in self.overruled:
            return self.overruled[key]
        if condition.task.judge is not None:
            return attempt.verdict
        if key not in self.known:
            self.known[key] = graded(
                condition.task.grade,
                attempt.problem,
                attempt.reply.text,
                cut_off=attempt.reply.is_cut_off,
            )
        found = self.known[key]
        return attempt.verdict if found.is_undecided else found


def rejudged(
    directory: Path, conditions: Sequence[Condition], overruled: Verdicts
) -> Iterator[Rejudged]:
    """The trials that ended, or whose last attempt is undecided, and what changes in them.

    Raises:
        UsageError: the journal cannot be read.
    """
    judge = Judge(overruled)
    flipped = _flipped_first(directory, conditions, judge)
    for condition in conditions:
        for trial in read_trials(directory, condition, JUDGED):
            found = _rejudge(condition, trial, judge, flipped)
            if found.is_changed:
                yield found


def _rejudge(
    condition: Condition, trial: Trial, judge: Judge, flipped: set[tuple[str, str, int]]
) -> Rejudged:
    verdicts = [judge.verdict(condition, attempt) for attempt in trial.attempts]
    challenges = condition.plan.mode.challenges
    status, kept, reason = ending(trial, verdicts, condition.plan.iterations, challenges=challenges)
    marked = _asked_otherwise(condition, trial, verdicts)
    if marked is None and _donors_flipped(condition, trial, flipped):
        marked = 0
    return Rejudged(condition.id, trial, tuple(verdicts[:kept]), status, reason, marked)


def ending(
    trial: Trial, verdicts: Sequence[Verdict], iterations: int, *, challenges: bool = False
) -> tuple[Status, int, str]:
    """How a trial ends with other verdicts: status, attempts that it keeps, and the reason.

    One that would have gone on counts as failed, so that resuming the run takes it up.

    Args:
        challenges: whether it goes on after a right answer, as long as it may.
    """
    for number, verdict in enumerate(verdicts, 1):
        if verdict.is_correct and not challenges:
            return "solved", number, ""
        if verdict.is_undecided:
            return "undecided", number, verdict.rule
    if len(verdicts) >= iterations:
        solved = any(verdict.is_correct for verdict in verdicts)
        return "solved" if solved else "unsolved", len(verdicts), ""
    if trial.status == "stopped":
        return "stopped", len(verdicts), trial.reason
    return "failed", len(verdicts), GOES_ON


def _goes_on(verdict: Verdict, *, challenges: bool = False) -> bool:
    return not ((verdict.is_correct and not challenges) or verdict.is_undecided)


def _asked_otherwise(condition: Condition, trial: Trial, verdicts: Sequence[Verdict]) -> int | None:
    """The first attempt after which the trial would ask otherwise, end, or not end; else None."""
    old = trial.attempts
    goes_on = partial(_goes_on, challenges=condition.plan.mode.challenges)
    new = tuple(replace(each, verdict=verdict) for each, verdict in zip(old, verdicts, strict=True))

    def asked(attempts: tuple[Attempt, ...]) -> tuple[object, ...]:
        return _asked(condition.episode(trial.problem, trial.epoch, attempts))

    for at, (before, after) in enumerate(zip(old, new, strict=True)):
        if at == condition.plan.iterations - 1:
            return None
        if goes_on(before.verdict) != goes_on(after.verdict):
            return at
        if not goes_on(after.verdict):
            return None
        same = all(a.verdict == b.verdict for a, b in zip(old[: at + 1], new, strict=False))
        if not same and asked(old[: at + 1]) != asked(new[: at + 1]):
            return at
    return None


def _asked(episode: Episode) -> tuple[object, ...]:
    """What is asked after some attempts: of whom feedback, of the solver, and which answers go."""
    feedback: Effect | None = None
    if episode.mode.writer != "donor":
        feedback = next(write_feedback(episode, _nobody), None)
    messages = next_messages(next_view(episode))
    keys = {*answers_of(episode.attempts)}
    return feedback, messages, keys if episode.plan.sampling.reject else None


def _nobody(source: Mode) -> Generator[Effect, Any, Feedback]:
    raise AssertionError("no donor is asked for here")


# --- placebo: whose feedback was given depends on other problems' first attempts ------------------


def _flipped_first(
    directory: Path, conditions: Sequence[Condition], judge: Judge
) -> set[tuple[str, str, int]]:
    """(task, problem id, epoch) whose first attempt was wrong and is not, or the other way round.

    Empty where no condition gives other problems' feedback.
    """
    labels = {each.label for each in conditions if each.plan.mode.writer == "donor"}
    return {
        (condition.label, trial.problem.id, trial.epoch)
        for condition in conditions
        if condition.label in labels
        for trial in read_trials(directory, condition, JUDGED)
        if _goes_on(trial.attempts[0].verdict)
        != _goes_on(judge.verdict(condition, trial.attempts[0]))
    }


def _donors_flipped(condition: Condition, trial: Trial, flipped: set[tuple[str, str, int]]) -> bool:
    """Whether a problem that gave its feedback, or was passed over for it, is judged otherwise."""
    wanted = {each.feedback.donor for each in trial.attempts if each.feedback}
    if not flipped or condition.plan.mode.writer != "donor" or not wanted:
        return False
    for donor in donor_order(condition.episode(trial.problem, trial.epoch), "donors"):
        if (condition.label, donor.id, trial.epoch) in flipped:
            return True
        wanted.discard(donor.id)
        if not wanted:
            break
    return False


# --- masks ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remasked:
    """Feedback as the mask leaves it now."""

    condition: str  # the condition's id
    trial: Trial  # the trial
    attempt: Attempt  # the attempt that the feedback is on
    text: str  # the masked text now; ``attempt.feedback.text`` is what the solver was shown
    # what the audit finds now in the text that the solver was shown, and what the mask would now
    # hide in it
    leaks: tuple[str, ...]

    @property
    def is_marked(self) -> bool:
        """Whether the next attempt would be asked for otherwise."""
        assert self.attempt.feedback is not None  # as ``remasked`` makes them
        return self.text != self.attempt.feedback.text


def remasked(directory: Path, conditions: Sequence[Condition]) -> Iterator[Remasked]:
    """The feedback that the mask leaves otherwise now, or in which the audit finds other leaks.

    Raises:
        UsageError: the journal cannot be read.
    """
    for condition in conditions:
        problems = {problem.id: problem for problem in condition.problems}
        for trial in read_trials(directory, condition, JUDGED):
            for attempt in trial.attempts:
                if attempt.feedback is not None:
                    donor = problems.get(attempt.feedback.donor or "")
                    found = _remask(condition, trial, attempt, attempt.feedback, donor)
                    if found.is_marked or found.leaks != attempt.feedback.leaks:
                        yield found


def _remask(
    condition: Condition, trial: Trial, attempt: Attempt, feedback: Feedback, donor: Problem | None
) -> Remasked:
    mask, text = condition.task.mask, feedback.raw
    if donor is not None:  # masked for the problem that it was written for, first
        text = mask(donor, text).text
    text = mask(attempt.problem, text).text
    shown = mask(attempt.problem, feedback.text)
    replies = [each.reply.text for each in trial.attempts[: attempt.iteration + 1]]
    found, _ = parted_unmasked(attempt.problem, feedback.text, shown, replies)
    return Remasked(condition.id, trial, attempt, text, found)
