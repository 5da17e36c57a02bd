"""The loop: one problem, solved again and again with feedback, as a pure generator of effects.

It yields ``Generate``, ``Grade``, ``Mask`` and ``Attempted``, is sent a ``Completion``, a
``Verdict``, a ``Masked`` and None, and returns a ``Trial``. It reads no clock, opens no socket and
draws only from seeded generators, so that sending it the same values gives the same trial: resuming
a run is replaying its journal through this function.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from feedback_friction.modes import PLACEBO, Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import Episode, Refused, asked
from feedback_friction.protocol.feedback import write_feedback
from feedback_friction.protocol.history import binary_hint, solver_messages, written
from feedback_friction.protocol.records import (
    Aside,
    AsideKind,
    Attempt,
    Attempted,
    Completion,
    Effect,
    Feedback,
    Generate,
    Mask,
    Masked,
    Trial,
)
from feedback_friction.protocol.sampling import draw
from feedback_friction.protocol.solving import (
    View,
    checked,
    next_messages,
    thought_request,
)
from feedback_friction.protocol.state import in_view
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Plan
from feedback_friction.ways import CLEAN, PLAIN

MOST_STRANGERS = 20  # asked for an attempt that names nothing of a problem's answer


def trial(
    problem: Problem,
    task: Task,
    plan: Plan,
    epoch: int = 0,
    others: Sequence[Problem] = (),
    begun: Sequence[Attempt] = (),
) -> Generator[Effect, Any, Trial]:
    """Run one trial.

    Args:
        problem: the problem as loaded.
        epoch: number of the repetition; other epochs draw other replies.
        others: the task's problems, from which placebo feedback takes its donors.
        begun: attempts that were made elsewhere, each with its feedback: the trial asks for one
            more, and for no feedback.
    """
    episode = Episode(problem, task, plan, epoch, tuple(begun), others)
    donors, strangers = donor_order(episode, "donors"), donor_order(episode, "foreign")
    given: list[Feedback] = []
    stood_in: list[Aside] = []

    def donate(source: Mode) -> Generator[Effect, Any, Feedback]:
        feedback = yield from _donated_feedback(episode.under(source), donors)
        given.append(feedback or _again(given, PLACEBO.name))
        return given[-1]

    def stand_in() -> Generator[Effect, Any, tuple[Aside, ...]]:
        if plan.history.sight != "foreign" or not plan.mode.shows_history:
            return ()
        shown = yield from _stand_in(episode, strangers)
        stood_in.append(shown or _again(stood_in, "history foreign"))
        return (stood_in[-1],)

    for each in begun:
        yield Attempted(each)
    took = Completion(())  # by the solver, to write to itself
    end = len(begun) + 1 if begun else plan.iterations
    try:
        if begun:
            episode, took = yield from _think(episode)
        while episode.iteration < end:
            made = yield from _attempt(episode)
            if took.replies:
                usage, seconds = made.usage + took.usage, made.seconds + took.seconds
                made = replace(made, usage=usage, seconds=seconds)
            episode = episode.with_attempt(made)
            yield Attempted(episode.latest)
            verdict = episode.latest.verdict
            if verdict.is_correct and not plan.mode.challenges:
                return Trial(problem, epoch, episode.attempts, "solved")
            if verdict.is_undecided:  # nobody may be told that it is wrong
                return Trial(problem, epoch, episode.attempts, "undecided", verdict.rule)
            if episode.iteration < end:
                feedback = yield from write_feedback(episode, donate)
                asides = (yield from stand_in()) + (feedback.asides if feedback else ())
                episode = episode.told(feedback, asides)
                episode, took = yield from _think(episode)
    except Refused as refused:
        return Trial(problem, epoch, episode.attempts, "stopped", str(refused))
    solved = any(each.verdict.is_correct for each in episode.attempts)  # challenged, it goes on
    return Trial(problem, epoch, episode.attempts, "solved" if solved else "unsolved")


def _think(episode: Episode) -> Generator[Effect, Any, tuple[Episode, Completion]]:
    """What the solver writes to itself before its next attempt, kept beside the latest one."""
    writes = episode.plan.solve is not PLAIN
    if not writes or (request := thought_request(view := next_view(episode))) is None:
        return episode, Completion(())
    said = yield from asked(request)
    kind: AsideKind = "notes" if view.solve.replaces else "restated"
    aside = Aside(kind, said.replies[0].text.strip() or prompts.NOTHING_WRITTEN)
    return episode.told(episode.latest.feedback, (aside,)), said


def _attempt(episode: Episode) -> Generator[Effect, Any, Attempt]:
    """One answer and its verdict; raises ``Refused`` when the model will not answer."""
    view = next_view(episode)
    made = yield from draw(episode, view.problem, next_messages(view))
    return (yield from checked(view, made))


def attempt_request(episode: Episode) -> Generate:
    """What the loop asks the solver for the next attempt, first draw: the exact prompt."""
    request = next(_attempt(episode))
    assert isinstance(request, Generate)  # an attempt begins with a draw
    return request


def next_view(episode: Episode) -> View:
    """What the solver may be shown for its next attempt.

    Where its history was just reset, it writes nothing to itself.
    """
    plan, attempts, seen = episode.plan, episode.attempts, episode.problem
    if plan.shuffle and attempts:
        seen = seen.shuffled(episode.rng("shuffle", episode.iteration))
    shown, is_reset = in_view(attempts) if plan.mode.shows_history else ((), False)
    hint = binary_hint(seen, attempts) if plan.binary_hint and shown else ""
    history = CLEAN if is_reset else plan.history
    plain = solver_messages(episode.task, seen, shown, history, hint, asserts=plan.mode.asserts)
    solve = plan.solve if shown and not is_reset else PLAIN
    return View(episode, seen, shown, plain, hint, solve)


def donor_order(episode: Episode, purpose: str) -> Iterator[Problem]:
    """The other problems in random order, drawn lazily: most trials need none, few need many."""
    used: set[int] = set()
    others, rng = episode.others, episode.rng(purpose)
    while len(used) < len(others):
        index = rng.randrange(len(others))
        if index not in used:
            used.add(index)
            if others[index].id != episode.problem.id:
                yield others[index]


def _donated_feedback(
    episode: Episode, donors: Iterator[Problem]
) -> Generator[Effect, Any, Feedback | None]:
    """The feedback that the next donor's wrong first attempt got; None when no donor is left.

    A donor's first attempt and the feedback on it are what its own trial asks for too, so they
    cost nothing where that trial runs.
    """
    while (donor := (yield from _wrong_first(episode, donors))) is not None:
        try:
            feedback = yield from write_feedback(donor, _no_donor)
            return replace(feedback, donor=donor.problem.id) if feedback else None
        except Refused:
            continue
    return None


def _wrong_first(
    episode: Episode, donors: Iterator[Problem]
) -> Generator[Effect, Any, Episode | None]:
    """The next donor's trial up to its first attempt, if that is wrong; None when none is left."""
    for problem in donors:
        donor = episode.of(problem)
        try:
            attempt = yield from _attempt(donor)
        except Refused:
            continue
        if not (attempt.verdict.is_correct or attempt.verdict.is_undecided):
            return donor.with_attempt(attempt)
    return None


def _stand_in(episode: Episode, donors: Iterator[Problem]) -> Generator[Effect, Any, Aside | None]:
    """Another problem's wrong first attempt that names nothing of this problem's answer.

    Where the next few donors all do, the first of them, masked; None when no donor is left.
    """
    masked_one = None
    for _ in range(MOST_STRANGERS):
        donor = yield from _wrong_first(episode, donors)
        if donor is None:
            break
        masked: Masked = yield Mask(episode.problem, written(donor.latest))
        shown = Aside("stand-in", masked.text, donor.problem.id)
        if not masked.spans and not masked.leaks:
            return shown
        masked_one = masked_one or shown
    return masked_one


_Given = TypeVar("_Given", Feedback, Aside)


def _again(given: Sequence[_Given], what: str) -> _Given:
    """What donors gave is used again in turn: with few wrong problems they run out."""
    if not given:
        raise Refused(f"{what}: no other problem has a wrong first answer")
    donors = len({each.donor for each in given})
    return given[len(given) - donors]


def _no_donor(source: Mode) -> Generator[Effect, Any, Feedback]:
    raise AssertionError("a placebo's source is never a placebo")
