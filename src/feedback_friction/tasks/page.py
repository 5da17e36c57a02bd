"""The shape of a task page: where the rows come from, and how a row becomes a problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Task
from feedback_friction.settings import Selection

Row = Mapping[str, object]


class RowError(Exception):
    """A row that does not follow its task's schema; the reader adds file and line."""

    def __init__(self, field: str, problem: str):
        super().__init__(f"field '{field}': {problem}")
        self.field, self.problem = field, problem


@dataclass(frozen=True, slots=True)
class Examples:
    """Where a task's few-shot examples come from."""

    source: str  # the split that they are taken from, for people
    # its rows; raises ``UsageError`` with one line when they cannot be had
    rows: Callable[[Selection], list[Row]]
    count: int = 5  # examples before each question
    by_subject: bool = False  # take them from the question's own subject


@dataclass(frozen=True, slots=True)
class Page:
    """One benchmark."""

    task: Task  # the functions that the loop needs
    title: str  # its name in tables, e.g. ``"MMLU-Pro"``
    source: str  # where the rows come from (hub id, configuration, split, revision; or "generated")
    licence: str  # licence of the data
    size: int  # number of problems in the source
    grader: str  # name of the grader, e.g. ``"number"``, ``"choice"``
    # one row in the source's schema -> Problem; raises ``RowError``
    to_problem: Callable[[Row], Problem]
    # the source's rows, for a selection without a data file; raises ``UsageError`` with one line
    # when they cannot be had
    rows: Callable[[Selection], list[Row]]
    # raises ``RowError`` for a problem that grader or mask cannot take; for problems that are not
    # made by ``to_problem``, where rows decide how they are graded
    check: Callable[[Problem], None] = lambda problem: None
    # for multiplication, the two factors in a question; None where it has none
    operands: Callable[[str], tuple[str, ...] | None] | None = None
    # whether the source's rows are on this machine; None for generated rows
    cached: Callable[[], bool] | None = None
    examples: Examples | None = None  # where few-shot examples come from; None asks zero-shot
    hints: bool = False  # whether rows may have hints
    # the rows are of our own writing: no two ask the same question, and each worked solution states
    # the answer
    own: bool = False
    # the owner of the data asks that it is not shown in public: messages name problems by their ids
    # and quote nothing
    confidential: bool = False

    @property
    def name(self) -> str:
        """The task's name on the command line."""
        return self.task.name
