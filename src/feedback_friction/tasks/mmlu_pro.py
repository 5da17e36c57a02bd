"""MMLU-Pro: multiple choice with up to ten options, in 14 categories.

Source: https://huggingface.co/datasets/TIGER-Lab/MMLU-Pro, split test, 12,032 questions (Wang et
al. 2024); the paper used 10%. Examples: the 5 of the same category in split validation, with their
worked answers.
Licence: MIT (the authors' repository: Apache-2.0).

A row (of our own making)::

    {"question_id": 1, "question": "Which unit measures electric charge?", "options": ["volt",
     "ampere", "coulomb", "ohm", "farad"], "answer": "C", "answer_index": 2, "cot_content": "A: "
     "Let's think step by step. Charge is current times time, an ampere second, which is called a "
     "coulomb. The answer is (C).", "category": "physics", "src": "own"}
"""

from __future__ import annotations

from functools import partial

from feedback_friction.grading.choice import grade_choice
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.letters import mask_letters
from feedback_friction.protocol.task import Task
from feedback_friction.tasks import fields
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows
from feedback_friction.tasks.multiple_choice import SYSTEM, ask, state_answer, state_gold
from feedback_friction.tasks.page import Examples, Page, Row, RowError

NAME = "mmlu_pro"
SOURCE = Source("TIGER-Lab/MMLU-Pro", "test", revision="b189ec765aa7ed75c8acfea42df31fdae71f97be")
EXAMPLES = Source(SOURCE.id, "validation", SOURCE.revision)


def to_problem(row: Row) -> Problem:
    """A row as a problem; raises ``RowError``."""
    options = fields.choices(row, "options")
    gold = LETTERS[fields.integer(row, "answer_index", 0, len(options) - 1)]
    if fields.text(row, "answer") != gold:
        raise RowError("answer", f"is not {gold}, which answer_index names")
    return Problem(
        id=fields.text(row, "question_id"),
        task=NAME,
        question=fields.text(row, "question"),
        gold=gold,
        choices=options,
        solution=_worked(row),
        subject=fields.text(row, "category"),
    )


def _worked(row: Row) -> str | None:
    """The worked answer without its label; test rows have none."""
    worked = fields.optional_text(row, "cot_content")
    return worked.removeprefix("A:").strip() or None if worked else None


def answer(problem: Problem) -> str:
    """What an example answers: its worked answer, which ends in "The answer is (X)."."""
    return problem.solution or state_gold(problem)


def _row(number: int, category: str, question: str, index: int, worked: str, *options: str) -> Row:
    return {
        "question_id": number,
        "question": question,
        "options": list(options),
        "answer": LETTERS[index],
        "answer_index": index,
        "cot_content": worked,
        "category": category,
        "src": "own",
    }


FIXTURE: tuple[Row, ...] = (
    _row(
        1,
        "physics",
        "Which unit measures electric charge?",
        2,
        "A: Let's think step by step. Charge is current times time, an ampere second, which is "
        "called a coulomb. The answer is (C).",
        *("volt", "ampere", "coulomb", "ohm", "farad"),
    ),
    _row(
        2,
        "math",
        "How many diagonals does a convex decagon have?",
        9,
        "",
        *("10", "20", "25", "30", "40", "45", "50", "70", "90", "35"),
    ),
    _row(
        3,
        "law",
        "A promise without consideration is usually",
        4,
        "",
        "enforceable in every court",
        "a crime",
        "a tort",
        "voidable by either side at any time before it is performed",
        "not enforceable as a contract",
        "a lease",
    ),
    _row(
        4,
        "economics",
        "The price of a good falls and the quantity demanded stays the same. Its demand is",
        0,
        "",
        *("perfectly inelastic", "unit elastic", "perfectly elastic", "elastic"),
    ),
    _row(
        5,
        "biology",
        "Which organelle makes most of the ATP of an animal cell?",
        8,
        "",
        *("nucleus", "ribosome", "lysosome", "Golgi apparatus", "vacuole"),
        *("cell wall", "peroxisome", "centriole", "mitochondrion", "chloroplast"),
    ),
    _row(
        6,
        "philosophy",
        "Who wrote the Critique of Pure Reason?",
        1,
        "",
        *("David Hume", "Immanuel Kant", "John Locke"),
    ),
)

PAGE = Page(
    task=Task(
        name=NAME,
        system=SYSTEM,
        ask=ask,
        grade=grade_choice,
        mask=mask_letters,
        state_answer=state_answer,
        slow=True,
    ),
    title="MMLU-Pro",
    source=str(SOURCE),
    licence="MIT",
    size=12_032,
    grader="choice",
    to_problem=to_problem,
    rows=lambda _: load_rows(SOURCE),  # 12,032
    fixture=FIXTURE,
    cached=partial(is_cached, SOURCE),
    examples=Examples(str(EXAMPLES), lambda _: load_rows(EXAMPLES), answer, by_subject=True),
)
