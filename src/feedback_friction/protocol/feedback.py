"""Feedback on an attempt, written in the way of its mode and masked before the solver sees it.

What a mode is, and what each reveals, is said in ``modes``. For tasks whose page says so
(multiplication), guidance that knows the worked solution is preceded by that solution, masked.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

from feedback_friction.forms import parse_form
from feedback_friction.grading.verdict import Outcome
from feedback_friction.modes import BINARY, Mode
from feedback_friction.problem import Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.episode import Episode, asked
from feedback_friction.protocol.form_writers import form_text, writer_of
from feedback_friction.protocol.masking.quoted import parted
from feedback_friction.protocol.mislead import mislead_request, misleading, slipped, suggestion
from feedback_friction.protocol.records import (
    Aside,
    Attempt,
    Effect,
    Feedback,
    Generate,
    Mask,
    Masked,
    Message,
)
from feedback_friction.protocol.state import state_of
from feedback_friction.protocol.task import Task

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"[0-9]+")
Donate = Callable[[Mode], Generator[Effect, Any, Feedback]]


def write_feedback(episode: Episode, donate: Donate) -> Generator[Effect, Any, Feedback | None]:
    """The feedback on the latest attempt, masked; None in a mode that gives none.

    Args:
        donate: for placebo, has another problem's feedback written in the mode that it is given.

    Raises:
        Refused: the model that writes refuses for good (context length, content filter).
    """
    mode, latest = episode.mode, episode.latest
    if mode.writer == "nobody":
        return None
    if mode.writer == "donor":
        return (yield from _placebo(mode, latest.problem, donate))
    wrote = yield from _written(episode)
    raw = prompts.render(prompts.ATTRIBUTED[mode.attribution], feedback=wrote.raw)
    for earlier in episode.attempts[:-1]:  # said before of the same problem, it needs no new mask
        known = earlier.feedback
        if known and known.raw == raw and earlier.problem == latest.problem:
            return replace(
                known,
                usage=wrote.usage,
                seconds=wrote.seconds,
                asides=wrote.asides,
                choice=wrote.choice,
            )
    masked: Masked = yield Mask(latest.problem, raw)
    replies = [attempt.reply.text for attempt in episode.attempts]
    leaks, aligned = parted(latest.problem, raw, masked, replies)
    return replace(
        wrote,
        mode=mode.name,
        raw=raw,
        text=masked.text,
        leaks=leaks,
        masked_spans=len(masked.spans),
        aligned=aligned,
    )


def feedback_request(episode: Episode) -> Generate | None:
    """What the loop asks the model that writes the feedback on the latest attempt.

    None where no model is asked about this problem: for a fixed text, a program's, a donor's.
    """
    about = _about(episode)
    if about.mode.writer not in ("model", "form") or not about.attempts:
        return None
    first = next(_written(about), None)
    return first if isinstance(first, Generate) else None


def _written(episode: Episode) -> Generator[Effect, Any, Feedback]:
    """The text of a mode that writes about this problem, before the gate."""
    mode, task, latest = episode.mode, episode.task, episode.latest
    if mode.writer == "part":
        return _draft(part(episode))
    if mode.writer == "noise":
        wrote = yield from _written(_about(episode))
        if not is_corrupted(episode):
            return wrote
        right = Aside("corrupted", wrote.raw)
        return replace(wrote, raw=corrupted(episode, wrote.raw), asides=(right,))
    if mode.writer == "late":
        return (yield from _late(episode))
    if mode.writer == "form":
        return (yield from _formed(episode))
    if mode.misleads:
        return (yield from _misleading(episode))
    if mode.writer == "model":
        messages = feedback_messages(
            task,
            episode.attempts,
            sees_solution=mode.sees_solution,
            sees_answer=mode.sees_answer,
        )
        wrote = yield from _asked(episode.writer_request(messages))
        if task.shows_solution and mode.sees_solution:
            return replace(wrote, raw=f"{latest.problem.solution or ''}\n\n{wrote.raw}".strip())
        return wrote
    if mode.write is not None:
        return _draft(_own(mode, episode.attempts))
    return _draft(_from_program(mode, task, latest))


def _draft(text: str, **more: Any) -> Feedback:
    """A text before the gate, with what it took and what is kept beside it."""
    return Feedback("", text, "", **more)


def _own(mode: Mode, attempts: tuple[Attempt, ...]) -> str:
    """What a function of a user's own writes."""
    assert mode.write is not None
    text = mode.write(attempts[-1].problem, attempts)
    if not isinstance(text, str):
        raise TypeError(f"feedback '{mode.name}' must return a text, not {type(text).__name__}")
    return text


def _formed(episode: Episode) -> Generator[Effect, Any, Feedback]:
    """The form that the mode's chooser takes for the solver's state, by who can write it."""
    task, attempts, latest = episode.task, episode.attempts, episode.latest
    chooser = episode.mode.chooser
    assert chooser is not None  # a policy's file is read before the run
    told = task.diagnose(latest.problem, latest.reply.text) if task.diagnose else None
    state = state_of(attempts, told.kind if told else "")
    choice = chooser.choose(state, episode.rng("form", latest.iteration))
    form = parse_form(choice.form)
    writer = writer_of(form, task, latest.problem, episode.others)
    if writer != "model":
        rng = episode.rng("example", latest.iteration)
        text = form_text(form, writer, attempts, told, episode.others, rng)
        return _draft(text, choice=choice)
    wanted = dict(episode.plan.form_requests).get(form.base, prompts.FORM_REQUESTS[form.base])
    messages = feedback_messages(task, attempts, wanted, sees_solution=True)
    wrote = yield from _asked(episode.writer_request(messages))
    return replace(wrote, choice=choice)


def _about(episode: Episode) -> Episode:
    """What corrupted or late feedback is made of: the words' own mode, at the time they mean.

    Without attempts where that time is before the first one; any other mode's is the episode.
    """
    mode, attempts = episode.mode, episode.attempts
    if mode.writer not in ("noise", "late"):
        return episode
    late = int(mode.dose or 0) if mode.writer == "late" else 0
    if late:
        earlier = attempts[:-late]
        attempts = (*earlier[:-1], *(replace(each, feedback=None) for each in earlier[-1:]))
    return replace(episode.under(mode.written_as), attempts=attempts)


def _late(episode: Episode) -> Generator[Effect, Any, Feedback]:
    """The feedback on an earlier attempt; before there is one, that the latest is wrong."""
    about = _about(episode)
    if not about.attempts:
        return _draft(_fixed(BINARY, episode.latest))
    wrote = yield from _written(about)
    if not episode.mode.dose:
        return wrote
    number = about.iteration
    return replace(wrote, raw=prompts.render(prompts.LATE, number=number, feedback=wrote.raw))


def _misleading(episode: Episode) -> Generator[Effect, Any, Feedback]:
    """An argument for a wrong answer, by a program or a model."""
    if episode.mode.writer == "model":
        answer = yield from suggestion(episode)
        if answer is not None:
            wrote = yield from _asked(mislead_request(episode, answer))
            return replace(wrote, asides=(Aside("suggested", answer),))
    text, asides = yield from misleading(episode)
    return _draft(text, asides=asides)


def _asked(request: Generate) -> Generator[Effect, Any, Feedback]:
    """What a model writes."""
    said = yield from asked(request)
    return _draft(said.replies[0].text.strip(), usage=said.usage, seconds=said.seconds)


def _from_program(mode: Mode, task: Task, latest: Attempt) -> str:
    if mode.writer == "program":
        assert task.tutor is not None  # held by check_mode, before the run
        return task.tutor(latest.problem, latest.reply.text)
    if mode.writer == "question":
        hints = latest.problem.hints
        return hints[min(mode.level or latest.iteration + 1, len(hints)) - 1]
    return _fixed(mode, latest)


def _fixed(mode: Mode, latest: Attempt) -> str:
    text = prompts.FIXED[mode.fixed]
    return text.no_answer if latest.verdict.outcome is Outcome.NO_ANSWER else text.wrong


def _placebo(mode: Mode, problem: Problem, donate: Donate) -> Generator[Effect, Any, Feedback]:
    """Another problem's feedback, masked for its own problem already, masked for this one too."""
    donated = yield from donate(mode.written_as)
    words = prompts.ATTRIBUTED[mode.attribution]
    raw = prompts.render(words, feedback=donated.raw)
    masked: Masked = yield Mask(problem, prompts.render(words, feedback=donated.text))
    return replace(
        donated,
        raw=raw,
        mode=mode.name,
        text=masked.text,
        leaks=masked.leaks,
        aligned=(),
        masked_spans=donated.masked_spans + len(masked.spans),
        choice=None,
    )


# --- doses: a part of a solution, corrupted at random, or late ------------------------------------
#
# Draws depend on the seed, the problem and the attempt, never on the dose: what is shown or
# corrupted at a lower dose is so at a higher one too, so that doses are compared on the same draws.


def parts_of(problem: Problem) -> list[str]:
    """What a part is counted in: lines of the worked solution, its sentences, or the hints."""
    lines = [line for line in (problem.solution or "").splitlines() if line.strip()]
    if len(lines) > 1:
        return lines
    if problem.hints:
        return list(problem.hints)
    return _SENTENCE.split(problem.solution.strip()) if problem.solution else []


def part(episode: Episode) -> str:
    """What a dose shows of the worked solution or the hints; the same at every attempt."""
    mode, parts = episode.mode, parts_of(episode.latest.problem)
    assert mode.dose is not None  # a part is never asked for without a share
    count = int(mode.dose * len(parts) + 0.5)
    order = list(range(len(parts)))
    if mode.by_chance:
        episode.rng("part").shuffle(order)
    shown = [parts[at] for at in sorted(order[:count])]
    if not shown:
        return prompts.BINARY_WRONG
    return prompts.render(prompts.PART, part="\n".join(shown))


def is_corrupted(episode: Episode) -> bool:
    """Whether this feedback is among the share to corrupt."""
    dose = episode.mode.dose
    return dose is not None and episode.rng("noise", episode.latest.iteration).random() < dose


def corrupted(episode: Episode, text: str) -> str:
    """Feedback that names another step, or a wrong value; else another problem's hint or answer."""
    latest, mislead = episode.latest, episode.task.mislead
    rng = episode.rng("spoil", latest.iteration)
    if mislead is not None:
        line = mislead(latest.problem, latest.reply.text, rng)
        if line is not None:
            return line.text
    if _NUMBER.search(text):
        return _NUMBER.sub(lambda found: slipped(found[0], rng), text)
    return _another(latest, text, episode.others, rng)


def _another(latest: Attempt, text: str, others: Sequence[Problem], rng: random.Random) -> str:
    """Another problem's hint, solution, or answer: a value that is wrong here."""
    strange = [each for each in others if each.id != latest.problem.id]
    if not strange:
        return text
    other = rng.choice(strange)
    told = other.hints or ((other.solution,) if other.solution else (other.gold_text,))
    return told[min(latest.iteration, len(told) - 1)]


# --- what a model is asked -----------------------------------------------------------------------


def feedback_messages(
    task: Task,
    attempts: Sequence[Attempt],
    request: str = prompts.FEEDBACK_REQUEST,
    *,
    sees_solution: bool,
    sees_answer: bool = True,
) -> tuple[Message, ...]:
    """What the feedback generator reads.

    Args:
        request: the prompt that says what to write.

    What stays the same comes first (problem, gold, solution, earlier attempts), so that a server's
    prefix cache serves every later request of the trial.
    """
    first, latest = attempts[0].problem, attempts[-1]
    problem = latest.problem
    parts = [_problem(task, first, sees_answer=sees_answer)]
    if sees_solution and first.solution:
        parts.append(prompts.headed("Worked solution", first.solution))
    parts += history.transcript(attempts)
    if problem.choices != first.choices:
        parts.append(_problem(task, problem, sees_answer=sees_answer))
    secret = prompts.SECRET_CHOICES if problem.choices else ""
    silent = latest.verdict.outcome is Outcome.NO_ANSWER
    fault = prompts.FAULT_NO_ANSWER if silent else prompts.FAULT_WRONG
    number = latest.iteration + 1
    parts.append(prompts.render(request, number=number, fault=fault, secret=secret))
    system = prompts.FEEDBACK_SYSTEM if sees_answer else prompts.FEEDBACK_SYSTEM_ALONE
    return (Message("system", system), Message("user", "\n\n".join(parts)))


def _problem(task: Task, problem: Problem, *, sees_answer: bool) -> str:
    asked = prompts.headed("Problem", task.ask(problem))
    if not sees_answer:
        return asked
    gold = f"({problem.gold}) {problem.gold_text}" if problem.choices else problem.gold
    return f"{asked}\n\n{prompts.headed('Correct answer', gold)}"
