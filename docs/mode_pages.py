"""A section a feedback mode, made from its value and from what it says of an example.

What a mode tells a solver is taken from the loop itself: the feedback on a wrong attempt of the
shipped frozen set, or, where a model writes it, what the model is asked.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

from feedback_friction.engine.run.frozen_sets import CORE, read_frozen
from feedback_friction.mode_names import parse_mode
from feedback_friction.modes import (
    ADAPTIVE,
    BINARY,
    DELAY,
    HINT,
    MODES,
    NOISY,
    PARTIAL,
    PLACEBO,
    RETRY,
    TUTOR,
    Mode,
)
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.feedback import write_feedback
from feedback_friction.protocol.frozen import Item
from feedback_friction.protocol.records import Attempted, Effect, Feedback, Generate
from feedback_friction.protocol.suits import for_task
from feedback_friction.protocol.task import work_of
from feedback_friction.settings import Plan
from feedback_friction.tasks.catalog import get_page

_DOSES = {PARTIAL.name: ":0.5", NOISY.name: ":1", DELAY.name: ":1"}
_ITEMS = read_frozen(CORE).items


def mode_pages() -> str:
    """All modes, a section each."""
    return "\n".join("\n".join(_section(mode)) for mode in MODES.values())


def _section(mode: Mode) -> Iterator[str]:
    yield f"## {mode.name}\n"
    end = "" if mode.purpose.endswith("?") else "."
    yield f"{mode.purpose[:1].upper()}{mode.purpose[1:]}{end}\n"
    yield f"| written by | {mode.by} |\n|---|---|"
    yield f"| the writer sees | {_seen_by_writer(mode)} |"
    yield f"| the solver sees | {_seen_by_solver(mode)} |"
    after = "goes on for `--rounds` rounds" if mode.challenges else "ends"
    yield f"| after a right answer | {after} |"
    yield f"| control | {_control(mode)} |\n"
    yield from _words(mode)


def _seen_by_writer(mode: Mode) -> str:
    if mode.writer in ("nobody", "fixed"):
        return "nothing"
    if mode.writer == "donor":
        return "another problem, and the wrong first attempt at it"
    if mode.writer == "form":
        return "the problem, the attempts, and what the chosen form needs"
    if mode.writer in ("noise", "late"):
        return "what the mode that it is applied to sees"
    if mode.writer == "part":
        return "the worked solution or the hints"
    if mode.writer == "question":
        return "the problem: the hint was written with it"
    known = ["the problem", "the attempts"]
    known += ["the gold answer"] if mode.sees_answer and not mode.misleads else []
    known += ["the worked solution"] if mode.sees_solution else []
    return ", ".join(known)


def _seen_by_solver(mode: Mode) -> str:
    if not mode.shows_history:
        return "the first prompt again"
    request = "find what went wrong" if mode.asserts else "consider the feedback"
    return f'its attempts as `--history` shows them, the masked feedback, "{request}"'


def _control(mode: Mode) -> str:
    if mode.controls_for:
        return f"is one itself, for {mode.controls_for}"
    if mode.challenges:
        return "right feedback on wrong answers; together they give d' and the criterion"
    if mode.dose is not None or mode.name in _DOSES:
        return f"the same mode at other doses; `{RETRY.name}`, `{BINARY.name}`"
    own = f"`{PLACEBO.name}:{mode.name}`, " if mode.can_be_donated else ""
    return f"{own}`{RETRY.name}`, `{BINARY.name}`"


def _words(mode: Mode) -> Iterator[str]:
    if not mode.shows_history or mode is ADAPTIVE:
        return
    wanted = HINT.name if mode is HINT else TUTOR.name
    item, other = [each for each in _ITEMS if each.mode == wanted][:2]
    name = f"{mode.name}{_DOSES.get(mode.name, '')}"
    said, is_asked = _said(parse_mode(name, has_feedback_model=True), item, other)
    yield "The end of the writer's prompt:\n" if is_asked else f"Example (`{name}`):\n"
    yield "\n".join(f"> {line}".rstrip() for line in said.replace("*", r"\*").splitlines()) + "\n"


def _said(mode: Mode, item: Item, other: Item) -> tuple[str, bool]:
    """What the mode says of an item's attempt, or asks a model for; whether it is the latter."""
    task, problems = get_page(item.problem.task).task, [item.problem, other.problem]
    attempts = tuple(replace(each, feedback=None) for each in item.attempts)
    if mode.writer == "late":  # two attempts, so that there is an earlier one
        attempts = (*item.attempts, replace(attempts[0], iteration=1))

    def donate(source: Mode) -> Generator[Effect, Any, Feedback]:
        yield from ()
        given = other.attempts[0].feedback
        assert given is not None
        return given

    plan = Plan(mode=for_task(mode, task, problems))
    episode = Episode(item.problem, task, plan, attempts=attempts, others=problems)
    steps = write_feedback(episode, donate)
    try:
        effect = next(steps)
        while not isinstance(effect, Generate):
            assert not isinstance(effect, Attempted)  # feedback is about one
            effect = steps.send(work_of(task, effect)())
    except StopIteration as stop:
        return stop.value.text, False
    return effect.messages[-1].content.rpartition("### ")[2], True
