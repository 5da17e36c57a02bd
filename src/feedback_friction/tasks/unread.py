"""What a grader cannot read in a file of replies, and how such replies look.

Replies that state no answer are put together by their shape: their last line, with numbers, letters
and words as signs. A shape that comes often is a way of answering that the prompt does not ask for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from feedback_friction.grading.cut import graded
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Reply
from feedback_friction.protocol.task import Task

_LONGEST = 60  # characters of a line that make its shape
_SIGNS = (
    (re.compile(r"\d+(?:[.,]\d+)*"), "9"),
    (re.compile(r"(?<![^\W\d_])[A-Z](?![^\W\d_])"), "X"),
    (re.compile(r"(?:[^\W\d_]+['’-]?)+(?:\s+(?:[^\W\d_]+['’-]?)+)*"), "words"),
)


@dataclass(frozen=True, slots=True)
class Graded:
    """Replies by outcome; of those without an answer each shape, its count, and a last line."""

    verdicts: Counter[Outcome]
    shapes: tuple[tuple[str, int, str], ...]


def grade_replies(
    task: Task, problems: Mapping[str, Problem], replies: Iterable[tuple[str, Reply]]
) -> Graded:
    """Grade replies, each with the id of its problem."""
    verdicts, shapes = Counter[Outcome](), Counter[str]()
    examples: dict[str, str] = {}
    for problem, reply in replies:
        verdict = graded(task.grade, problems[problem], reply.text, cut_off=reply.is_cut_off)
        verdicts[verdict.outcome] += 1
        if verdict.outcome is Outcome.NO_ANSWER:
            line = last_line(reply.text)
            shapes[shape(line)] += 1
            examples.setdefault(shape(line), line)
    found = tuple((each, times, examples[each]) for each, times in shapes.most_common())
    return Graded(verdicts, found)


def last_line(reply: str) -> str:
    """The last line that is not blank."""
    return next((line.strip() for line in reversed(reply.splitlines()) if line.strip()), "")


def shape(line: str) -> str:
    """A line with its numbers, single letters and words as signs: "words: (X)", "words 9"."""
    if not line:
        return "nothing"
    line = line[:_LONGEST]
    marks = {"9": "\0", "X": "\1", "words": "\2"}
    for pattern, sign in _SIGNS:
        line = pattern.sub(marks[sign], line)
    for sign, mark in marks.items():
        line = line.replace(mark, sign)
    return " ".join(line.split())
