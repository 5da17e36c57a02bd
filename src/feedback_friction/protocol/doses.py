"""Feedback in doses: a part of a solution, corrupted at random, or late.

Draws depend on the seed, the problem and the attempt, never on the dose: what is shown or corrupted
at a lower dose is so at a higher one too, so that doses are compared on the same draws.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.records import Attempt

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"[0-9]+")


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
