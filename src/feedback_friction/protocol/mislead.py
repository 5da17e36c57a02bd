"""Feedback that argues for one particular wrong answer: by a program, else by a model.

The wrong answer is chosen by a program, and proved wrong by the task's own grader before anybody
argues for it: the digits of a product with one of them changed, another option, or another
problem's answer. It stays the same from round to round, unless the solver has made it its own.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any

from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol import history, prompts
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.records import Aside, Effect, Generate, Grade, Message
from feedback_friction.protocol.task import Task

MOST_TRIED = 50  # candidates that are graded before there is no wrong answer to argue for


def by_program(task: Task, problems: Sequence[Problem]) -> bool:
    """Whether a program can mislead about every one of a task's problems."""
    return task.mislead is not None or all(problem.choices for problem in problems)


def suggestion(episode: Episode) -> Generator[Effect, Any, str | None]:
    """A wrong answer that is not the latest attempt's; None where none is found."""
    latest = episode.latest
    known = latest.aside("suggested")  # when a prompt is reproduced from the journal
    if known is not None:
        return known.text
    problem, rng = latest.problem, episode.rng("suggest")
    for answer in islice(_candidates(problem, episode.others, rng), MOST_TRIED):
        if answer == latest.verdict.prediction:
            continue
        verdict: Verdict = yield Grade(problem, episode.task.state_answer(problem, answer))
        if verdict.outcome is Outcome.WRONG:
            return answer
    return None


def _candidates(problem: Problem, others: Sequence[Problem], rng: random.Random) -> Iterator[str]:
    if problem.choices:
        # by the texts, so that a shuffle of the choices leaves the suggestion what it was
        texts = sorted(problem.choices)
        rng.shuffle(texts)
        yield from (LETTERS[problem.choices.index(text)] for text in texts)
    elif problem.operands:
        while True:
            yield slipped(problem.gold, rng)
    else:
        yield from (others[at].gold for at in rng.sample(range(len(others)), len(others)))


def slipped(digits: str, rng: random.Random) -> str:
    """A number with one digit changed, and no leading zero that it did not have."""
    place = rng.randrange(len(digits))
    known = "0123456789" if digits.isdecimal() else "0123456789ABCDEF"
    kept = digits[place].upper()
    others = [digit for digit in known if digit != kept and (place or digit != "0")]
    return digits[:place] + rng.choice(others) + digits[place + 1 :]


def named(problem: Problem, answer: str) -> str:
    """An answer as feedback names it: of an option its letter and its text."""
    if problem.choices:
        return f"({answer}) {problem.choices[LETTERS.index(answer)]}"
    return answer


def misleading(episode: Episode) -> Generator[Effect, Any, tuple[str, tuple[Aside, ...]]]:
    """A program's misleading text, and what it suggests.

    A right line of the work is called wrong where the task can find one; else the wrong answer is
    named. Where there is no wrong answer to name, the attempt is only called wrong.
    """
    latest, mislead = episode.latest, episode.task.mislead
    if mislead is not None:
        rng = episode.rng("mislead", latest.iteration)
        line = mislead(latest.problem, latest.reply.text, rng)
        if line is not None:
            return line.text, (Aside("suggested", line.value),)
    answer = yield from suggestion(episode)
    if answer is None:
        return prompts.BINARY_WRONG, ()
    text = prompts.render(prompts.SUGGESTED, answer=named(latest.problem, answer))
    return text, (Aside("suggested", answer),)


def mislead_request(episode: Episode, answer: str) -> Generate:
    """What a model is asked that is to argue for a wrong answer; the right one is not shown."""
    latest = episode.latest
    question = episode.task.ask(latest.problem)
    request = prompts.render(
        prompts.MISLEAD_REQUEST,
        number=latest.iteration + 1,
        answer=named(latest.problem, answer),
    )
    parts = [prompts.headed("Problem", question), *history.transcript(episode.attempts), request]
    messages = (Message("system", prompts.MISLEAD_SYSTEM), Message("user", "\n\n".join(parts)))
    return episode.writer_request(messages, "mislead")
