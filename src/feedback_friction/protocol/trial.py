"""The loop: one problem, solved again and again with feedback, as a pure generator of effects.

It yields ``Generate``, ``Grade``, ``Mask`` and ``Attempted``, is sent a ``Completion``, a
``Verdict``, a ``Masked`` and None, and returns a ``Trial``. It reads no clock, opens no socket and
draws only from seeded generators, so that sending it the same values gives the same trial: resuming
a run is replaying its journal through this function.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from feedback_friction.grading.cut import whole_words
from feedback_friction.grading.verdict import OVERRULED, Verdict
from feedback_friction.modes import PLACEBO, Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol.feedback import write_feedback
from feedback_friction.protocol.history import solver_messages, written
from feedback_friction.protocol.plan import request_seed, rng_for
from feedback_friction.protocol.records import (
    Aside,
    Attempt,
    Attempted,
    Effect,
    Feedback,
    Generate,
    Grade,
    Mask,
    Masked,
    Message,
    Occasion,
    Reply,
    Trial,
)
from feedback_friction.protocol.refusals import Refused, refusal
from feedback_friction.protocol.sampling import Drawn, draw
from feedback_friction.protocol.shuffle import binary_hint, shuffled
from feedback_friction.protocol.solving import Thinking, View, checked, next_messages, think
from feedback_friction.protocol.state import answer_key, answers_of, in_view
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
    donors = donor_order(problem, others, rng_for(plan.seed, problem, epoch, 0, 0, "donors"))
    strangers = donor_order(problem, others, rng_for(plan.seed, problem, epoch, 0, 0, "foreign"))
    given: list[Feedback] = []
    stood_in: list[Aside] = []

    def donate(source: Mode) -> Generator[Effect, Any, Feedback]:
        feedback = yield from _donated_feedback(donors, source, task, plan, epoch, others)
        given.append(feedback or _again(given, PLACEBO.name))
        return given[-1]

    def stand_in() -> Generator[Effect, Any, tuple[Aside, ...]]:
        if plan.history.sight != "foreign" or not plan.mode.shows_history:
            return ()
        shown = yield from _stand_in(problem, strangers, task, plan, epoch)
        stood_in.append(shown or _again(stood_in, "history foreign"))
        return (stood_in[-1],)

    attempts = [*begun]
    for each in begun:
        yield Attempted(each)
    thought: Thinking | None = None
    end = len(begun) + 1 if begun else plan.iterations
    try:
        if begun:
            thought = yield from _think(problem, task, plan, epoch, attempts)
        for iteration in range(len(begun), end):
            made = yield from _attempt(problem, task, plan, epoch, iteration, attempts)
            attempts.append(_after(thought, made))
            yield Attempted(attempts[-1])
            verdict = attempts[-1].verdict
            if verdict.is_correct and not plan.mode.challenges:
                return Trial(problem, epoch, tuple(attempts), "solved")
            if verdict.is_undecided:  # nobody may be told that it is wrong
                return Trial(problem, epoch, tuple(attempts), "undecided", verdict.rule)
            if iteration < end - 1:
                feedback = yield from write_feedback(
                    plan.mode, task, plan, epoch, attempts, donate, others
                )
                asides = (yield from stand_in()) + (feedback.asides if feedback else ())
                latest = attempts[-1]
                attempts[-1] = replace(latest, feedback=feedback, asides=(*latest.asides, *asides))
                thought = yield from _think(problem, task, plan, epoch, attempts)
    except Refused as refused:
        return Trial(problem, epoch, tuple(attempts), "stopped", str(refused))
    solved = any(each.verdict.is_correct for each in attempts)  # one that is challenged goes on
    return Trial(problem, epoch, tuple(attempts), "solved" if solved else "unsolved")


def _think(
    problem: Problem, task: Task, plan: Plan, epoch: int, attempts: list[Attempt]
) -> Generator[Effect, Any, Thinking | None]:
    """What the solver writes to itself before its next attempt, kept beside the latest one."""
    view = next_view(problem, task, plan, epoch, len(attempts), attempts)
    thought = yield from think(task, plan, epoch, view)
    if thought is not None:
        latest = attempts[-1]
        attempts[-1] = replace(latest, asides=(*latest.asides, thought.aside))
    return thought


def _after(thought: Thinking | None, attempt: Attempt) -> Attempt:
    """An attempt with what it took to write to itself before it."""
    if thought is None:
        return attempt
    usage, seconds = attempt.usage + thought.usage, attempt.seconds + thought.seconds
    return replace(attempt, usage=usage, seconds=seconds)


def _attempt(
    problem: Problem,
    task: Task,
    plan: Plan,
    epoch: int,
    iteration: int,
    attempts: Sequence[Attempt],
) -> Generator[Effect, Any, Attempt]:
    """One answer and its verdict; raises ``Refused`` when the model will not answer."""
    view = next_view(problem, task, plan, epoch, iteration, attempts)
    seen, messages = view.problem, next_messages(task, view)

    def ask(n: int, number: int, temperature: float) -> Generate:
        return Generate(
            role="solver",
            speaker="solver",
            messages=messages,
            temperature=temperature,
            max_tokens=plan.max_tokens,
            seed=request_seed(plan.seed, problem, epoch, iteration, number),
            occasion=Occasion(seen, epoch, iteration, plan.mode.name, tuple(attempts)),
            n=n,
            top_p=plan.top_p,
            logprobs=plan.asks_logprobs,
        )

    drawn: Drawn = yield from draw(
        plan.sampling,
        iteration,
        plan.solver_temperature,
        ask,
        lambda reply: judged(task, seen, reply),
        lambda verdict: answer_key(seen, verdict),
        {*answers_of(attempts)},
        lambda: rng_for(plan.seed, problem, epoch, iteration, 0, "choose"),
    )
    reason = refusal(drawn.reply)
    if reason:
        raise Refused(f"solver: {reason}")
    made = Attempt(
        iteration,
        seen,
        drawn.reply,
        drawn.verdict,
        plan.sampling.temperature(plan.solver_temperature, iteration),
        drawn.draws,
        drawn.usage,
        drawn.seconds,
        entropy=drawn.entropy,
    )
    return (yield from checked(plan, epoch, view, made, lambda reply: judged(task, seen, reply)))


def attempt_request(
    problem: Problem,
    task: Task,
    plan: Plan,
    epoch: int,
    iteration: int,
    attempts: Sequence[Attempt],
) -> Generate:
    """What the loop asks the solver for an attempt, first draw: the exact prompt.

    Args:
        attempts: those before it, each with its feedback.
    """
    request = next(_attempt(problem, task, plan, epoch, iteration, attempts))
    assert isinstance(request, Generate)  # an attempt begins with a draw
    return request


def next_prompt(
    problem: Problem,
    task: Task,
    plan: Plan,
    epoch: int,
    iteration: int,
    attempts: Sequence[Attempt],
) -> tuple[Problem, tuple[Message, ...]]:
    """The problem as an attempt sees it, and the prompt that asks for the attempt.

    Args:
        attempts: those before it, each with its feedback.
    """
    view = next_view(problem, task, plan, epoch, iteration, attempts)
    return view.problem, next_messages(task, view)


def next_view(
    problem: Problem,
    task: Task,
    plan: Plan,
    epoch: int,
    iteration: int,
    attempts: Sequence[Attempt],
) -> View:
    """What the solver may be shown for an attempt; where its history was just reset, it thinks not.

    Args:
        attempts: those before it, each with its feedback.
    """
    seen = problem
    if plan.shuffle and iteration > 0:
        seen = shuffled(problem, rng_for(plan.seed, problem, epoch, iteration, 0, "shuffle"))
    shown, is_reset = in_view(attempts) if plan.mode.shows_history else ((), False)
    hint = binary_hint(seen, tuple(attempts)) if plan.binary_hint and shown else ""
    history = CLEAN if is_reset else plan.history
    plain = solver_messages(task, seen, shown, history, hint, asserts=plan.mode.asserts)
    solve = plan.solve if shown and not is_reset else PLAIN
    return View(seen, tuple(shown), plain, hint, solve)


def judged(task: Task, problem: Problem, reply: Reply) -> Generator[Effect, Any, Verdict]:
    """The verdict on a reply: by the judge model where the task has one, else by its grader."""
    if task.judge is None:
        verdict: Verdict = yield Grade(problem, reply.text, reply.is_cut_off)
        return verdict
    if not reply.is_cut_off:
        return (yield from task.judge(problem, reply.text))
    stated: Verdict = yield Grade(problem, reply.text, cut_off=True)
    if stated.prediction is None or stated.rule == OVERRULED:
        return stated
    return (yield from _cut_off(task.judge(problem, whole_words(reply.text))))


def _cut_off(judging: Generator[Effect, Any, Verdict]) -> Generator[Effect, Any, Verdict]:
    """A judge's work on a reply that was cut off: what its task grades itself knows that too."""
    answer: Any = None
    while True:
        try:
            effect = judging.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict
        answer = yield replace(effect, cut_off=True) if isinstance(effect, Grade) else effect


class UndecidedError(Exception):
    """A reply's answer could not be compared with gold in time; its rule says which limit."""


def decided(task: Task, problem: Problem, reply: Reply) -> Generator[Effect, Any, Verdict]:
    """As ``judged``, for what has no use for an open verdict; raises ``UndecidedError``."""
    verdict = yield from judged(task, problem, reply)
    if verdict.is_undecided:
        raise UndecidedError(verdict.rule)
    return verdict


def donor_order(
    problem: Problem, others: Sequence[Problem], rng: random.Random
) -> Iterator[Problem]:
    """The other problems in random order, drawn lazily: a trial seldom needs more than a few."""
    used: set[int] = set()
    while len(used) < len(others):
        index = rng.randrange(len(others))
        if index not in used:
            used.add(index)
            if others[index].id != problem.id:
                yield others[index]


def _donated_feedback(
    donors: Iterator[Problem],
    source: Mode,
    task: Task,
    plan: Plan,
    epoch: int,
    others: Sequence[Problem],
) -> Generator[Effect, Any, Feedback | None]:
    """The feedback that the next donor's wrong first attempt got; None when no donor is left.

    A donor's first attempt and the feedback on it are what its own trial asks for too, so they
    cost nothing where that trial runs.
    """
    donor_plan = replace(plan, mode=source)
    while (attempt := (yield from _wrong_first(donors, task, donor_plan, epoch))) is not None:
        try:
            feedback = yield from write_feedback(
                source, task, donor_plan, epoch, [attempt], _no_donor, others
            )
            return replace(feedback, donor=attempt.problem.id) if feedback else None
        except Refused:
            continue
    return None


def _wrong_first(
    donors: Iterator[Problem], task: Task, plan: Plan, epoch: int
) -> Generator[Effect, Any, Attempt | None]:
    """The next donor's first attempt that is wrong; None when no donor is left."""
    for donor in donors:
        try:
            attempt = yield from _attempt(donor, task, plan, epoch, 0, ())
        except Refused:
            continue
        if not (attempt.verdict.is_correct or attempt.verdict.is_undecided):
            return attempt
    return None


def _stand_in(
    problem: Problem, donors: Iterator[Problem], task: Task, plan: Plan, epoch: int
) -> Generator[Effect, Any, Aside | None]:
    """Another problem's wrong first attempt that names nothing of this problem's answer.

    Where the next few donors all do, the first of them, masked; None when no donor is left.
    """
    masked_one = None
    for _ in range(MOST_STRANGERS):
        donor = yield from _wrong_first(donors, task, plan, epoch)
        if donor is None:
            break
        masked: Masked = yield Mask(problem, written(donor))
        shown = Aside("stand-in", masked.text, donor.problem.id)
        if not masked.spans and not masked.leaks:
            return shown
        masked_one = masked_one or shown
    return masked_one


_Given = TypeVar("_Given", Feedback, Aside)


def _again(given: Sequence[_Given], what: str) -> _Given:
    """With few wrong problems the donors run out: what they gave goes round again."""
    if not given:
        raise Refused(f"{what}: no other problem has a wrong first answer")
    donors = len({each.donor for each in given})
    return given[len(given) - donors]


def _no_donor(source: Mode) -> Generator[Effect, Any, Feedback]:
    raise AssertionError("a placebo's source is never a placebo")
