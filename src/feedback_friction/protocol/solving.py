"""What a solver does between feedback and its next answer: words to itself, in calls of its own.

``ways.Solve`` says which. All that it sees is what the next attempt's prompt holds: masked feedback
and its own attempts. What it writes is kept beside the attempt (``records.Aside``), so that a
prompt can be reproduced from the journal, and its tokens count with the attempt that it is for. A
prompt with a restatement or a check begins with the plain prompt, byte for byte, so that a server's
prefix cache serves all but the newest part; one with notes begins with the question.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Literal

from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import Episode, asked
from feedback_friction.protocol.history import asking, transcript, written
from feedback_friction.protocol.judge import judged
from feedback_friction.protocol.records import (
    Aside,
    Attempt,
    Effect,
    Generate,
    Message,
)
from feedback_friction.ways import Solve, Thought

RESTATED: Literal["restated"] = "restated"  # kinds of ``ways.Thought``, and of the asides kept
NOTES: Literal["notes"] = "notes"
CHECK: Literal["check"] = "check"
_WORD = re.compile(r"[A-Za-z]+")
# By whether the writer is blind to the feedback: what it is asked, and how its words are shown.
_RESTATING = {
    False: (prompts.RESTATE, prompts.RESTATED),
    True: (prompts.RESTATE_QUESTION, prompts.RESTATED_QUESTION),
}


@dataclass(frozen=True, slots=True)
class View:
    """What a solver may be shown for its next attempt."""

    episode: Episode
    problem: Problem  # as the attempt is to see it
    # the earlier ones; none for a first attempt, or where nothing is shown
    attempts: tuple[Attempt, ...]
    plain: tuple[Message, ...]  # the prompt of a solver that answers at once
    hint: str  # text that stands at the prompt's end, such as the choices tried and left
    solve: Solve  # what the solver does before it answers; nothing where it is shown nothing


def next_messages(view: View) -> tuple[Message, ...]:
    """The prompt for the next answer, with what the solver wrote to itself before it."""
    thought = view.solve.thought
    if thought != RESTATED and thought != NOTES:
        return view.plain
    aside = view.attempts[-1].aside(thought)
    text = aside.text if aside else prompts.NOTHING_WRITTEN
    if thought == RESTATED:
        return _followed(view.plain, prompts.render(_RESTATING[view.solve.is_blind][1], text=text))
    task, first = view.episode.task, view.attempts[0].problem
    known = prompts.render(prompts.NOTES_INTRO, notes=text)
    again = prompts.render(prompts.NOTES_AGAIN, question=task.ask(view.problem))
    return asking(task, first, task.ask(first), known, again, view.hint)


def thought_request(view: View) -> Generate | None:
    """What the solver is asked to write to itself before its next answer; None for nothing."""
    if view.solve.thought == NOTES:
        return _request(_for_notes(view), view, NOTES)
    if view.solve.thought == RESTATED:
        messages = _followed(view.plain, _RESTATING[view.solve.is_blind][0])
        return _request(messages, view, RESTATED)
    return None


def _followed(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    *before, last = messages
    return (*before, replace(last, content=f"{last.content}\n\n{text}"))


def _for_notes(view: View) -> tuple[Message, ...]:
    """The question, the notes so far, the latest attempt and, unless blind, its feedback."""
    task, first, latest = view.episode.task, view.attempts[0].problem, view.attempts[-1]
    notes = view.attempts[-2].aside("notes") if len(view.attempts) > 1 else None
    known = prompts.render(prompts.NOTES_INTRO, notes=notes.text) if notes else ""
    shown = replace(latest, feedback=None) if view.solve.is_blind else latest
    parts = (task.ask(first), known, *transcript([shown], first), prompts.NOTES_REQUEST)
    return asking(task, first, *parts)


# --- the check of a new answer -------------------------------------------------------------------


def checked(view: View, attempt: Attempt) -> Generator[Effect, Any, Attempt]:
    """The attempt after its solver has looked at it, which may have made it another.

    Args:
        attempt: the new one, not among those of the view.

    Raises:
        Refused: the model refuses for good.
    """
    if view.solve.thought != CHECK:
        return attempt
    said = yield from asked(check_request(view, attempt))
    text = said.replies[0].text
    attempt = replace(
        attempt,
        usage=attempt.usage + said.usage,
        seconds=attempt.seconds + said.seconds,
        asides=(Aside("check", text.strip() or prompts.NOTHING_WRITTEN),),
    )
    if not says_no(text):
        return attempt
    again = yield from asked(second_request(view, attempt))
    reply = again.replies[0]
    verdict = yield from judged(view.episode.task, view.problem, reply)
    return replace(
        attempt,
        reply=reply,
        verdict=verdict,
        draws=attempt.draws + 1,
        usage=attempt.usage + again.usage,
        seconds=attempt.seconds + again.seconds,
        asides=(*attempt.asides, Aside("first-try", written(attempt))),
    )


def check_request(view: View, attempt: Attempt) -> Generate:
    """What the solver is asked about an answer of its own: the same with the check's control."""
    turns = (*_tried(view, attempt), Message("user", prompts.CHECK))
    return _request(turns, view, CHECK)


def second_request(view: View, attempt: Attempt) -> Generate:
    """What asks for the answer that takes the place of one which the check does not let pass.

    Args:
        attempt: with what the check said, which its control is not shown.
    """
    turns, said = _tried(view, attempt), attempt.aside("check")
    if said is not None and not view.solve.is_blind:
        turns += (Message("user", prompts.CHECK), Message("assistant", said.text))
    turns += (Message("user", prompts.CHECKED_AGAIN),)
    request = _request(turns, view, CHECK)
    return replace(request, occasion=replace(request.occasion, thought=""))


def _tried(view: View, attempt: Attempt) -> tuple[Message, ...]:
    first = attempt.aside("first-try")
    return (*view.plain, Message("assistant", first.text if first else written(attempt)))


def says_no(text: str) -> bool:
    """Whether the first of the words yes and no in a text is no."""
    words = (word.casefold() for word in _WORD.findall(text))
    return next((word for word in words if word in ("yes", "no")), "yes") == "no"


def _request(messages: tuple[Message, ...], view: View, thought: Thought) -> Generate:
    """A request of the solver about its next attempt, or about what it does before it."""
    return view.episode.solver_request(
        messages, view.problem, shown=view.attempts, purpose=thought, thought=thought
    )
