"""Makes the frozen set that is shipped: ``python -m training core``.

400 items of ten kinds, whose data is all ours: multiplications of several sizes and bases, the
families of generated questions, primer. Of each kind 20 are wrong answers with right feedback (the
tutor's, or the question's second hint) and 20 are right answers with misleading feedback (a right
step called wrong; for primer, another question's answer argued for). The attempts are written by
programs: worked solutions, with one step wrong in those that are wrong. Everything goes through the
task's own grader and mask, and an item that does not come out as it should is not taken.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from feedback_friction.engine.models.student import write_up
from feedback_friction.engine.run.frozen_sets import write_frozen
from feedback_friction.grading.verdict import Outcome, Verdict
from feedback_friction.modes import HINT, MISLED, TUTOR
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.frozen import RULE, Item
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Reply
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import FAMILIES, get_page
from feedback_friction.tasks.page import Page

OUT = Path(__file__).parents[1] / "src/feedback_friction/tasks/core.jsonl.gz"
SEED = 2026
EACH = 20  # of a kind and of a mode
MULTIPLICATIONS = (
    ("decimal_multiplication", 2),
    ("decimal_multiplication", 3),
    ("decimal_multiplication", 4),
    ("hex_multiplication", 2),
    ("hex_multiplication", 3),
)
OPENING = "Let me work through this."
# From page, problem, the other problems, and whether it is to be wrong: an attempt's text.
Write = Callable[[Page, Problem, list[Problem], random.Random, bool], str]


def items() -> list[Item]:
    """The items, kind by kind."""
    found: list[Item] = []
    for name, digits in MULTIPLICATIONS:
        page = get_page(name)
        rows = page.rows(Selection(digits=digits, seed=SEED))[: 10 * EACH]
        found += _balanced(page, [page.to_problem(row) for row in rows], _multiplied)
    for name in FAMILIES:
        page = get_page(name)
        rows = page.rows(Selection(seed=SEED))[: 10 * EACH]
        found += _balanced(page, [page.to_problem(row) for row in rows], _worked)
    page = get_page("primer")
    asked = [page.to_problem(row) for row in page.rows(Selection())]
    random.Random(SEED).shuffle(asked)
    return found + _balanced(page, asked, _answered)


def _balanced(page: Page, problems: list[Problem], write: Write) -> list[Item]:
    """Wrong answers with right feedback from one half, right ones with wrong from the other."""
    half = len(problems) // 2
    right = _taken(_item(page, each, problems, write, wrong=True) for each in problems[:half])
    wrong = _taken(_item(page, each, problems, write, wrong=False) for each in problems[half:])
    return right + wrong


def _taken(made: Iterator[Item | None]) -> list[Item]:
    found = [item for item in made if item is not None][:EACH]
    if len(found) < EACH:
        raise ArithmeticError(f"only {len(found)} items of a kind")
    return found


def _item(
    page: Page, problem: Problem, others: list[Problem], write: Write, *, wrong: bool
) -> Item | None:
    """An item, or None where the answer or its feedback does not come out as it should."""
    rng = random.Random(f"{SEED}:{problem.task}:{problem.id}")
    task, text = page.task, write(page, problem, others, rng, wrong)
    verdict = task.grade(problem, text)
    if verdict.outcome is not (Outcome.WRONG if wrong else Outcome.CORRECT):
        return None
    told = _right(page, problem, text) if wrong else _misleading(page, problem, text, others, rng)
    if told is None:
        return None
    mode, said, suggested = told
    masked = task.mask(problem, said)
    if masked.leaks or (suggested and suggested not in masked.text):
        return None
    return Item(
        mode,
        problem,
        (
            Attempt(
                0,
                problem,
                Reply(text),
                Verdict(verdict.outcome, verdict.prediction, RULE),
                None,
                feedback=Feedback(mode, masked.text, masked.text),
                asides=(Aside("suggested", suggested),) if suggested else (),
            ),
        ),
    )


Told = tuple[str, str, str]  # mode, text, and what it argues for


def _right(page: Page, problem: Problem, text: str) -> Told | None:
    task = page.task
    if task.tutor is None:
        return HINT.name, problem.hints[1], ""
    located = task.locate is not None and task.locate(problem, text) is not None
    return (TUTOR.name, task.tutor(problem, text), "") if located else None


def _misleading(
    page: Page, problem: Problem, text: str, others: list[Problem], rng: random.Random
) -> Told | None:
    if page.task.mislead is not None:
        said = page.task.mislead(problem, text, rng)
        return (MISLED.name, said.text, said.value) if said else None
    other = rng.choice([each for each in others if each.subject == problem.subject]).gold
    if page.task.grade(problem, page.task.state_answer(problem, other)).is_correct:
        return None
    return MISLED.name, prompts.render(prompts.SUGGESTED, answer=other), other


def _multiplied(
    page: Page, problem: Problem, others: list[Problem], rng: random.Random, wrong: bool
) -> str:
    answer = problem.gold
    if wrong:
        place = rng.randrange(1, len(answer))
        digit = rng.choice([each for each in "0123456789" if each != answer[place]])
        answer = answer[:place] + digit + answer[place + 1 :]
    return write_up(problem, answer, page.task.state_answer, rng)


def _worked(
    page: Page, problem: Problem, others: list[Problem], rng: random.Random, wrong: bool
) -> str:
    family = import_module(f"feedback_friction.tasks.{page.name}").FAMILY
    if wrong:
        slip = rng.choice([-10, -2, -1, 1, 2, 10])
        return f"{OPENING}\n\n{family.attempt(problem, rng.randrange(4), slip)}"
    work = (problem.solution or "").rpartition("\n")[0]
    return f"{OPENING}\n\n{work}\n{page.task.state_answer(problem, problem.gold)}"


def _answered(
    page: Page, problem: Problem, others: list[Problem], rng: random.Random, wrong: bool
) -> str:
    alike = [each.gold for each in others if each.subject == problem.subject]
    answer = rng.choice(alike) if wrong else problem.gold
    return page.task.state_answer(problem, answer)


def main() -> None:
    """Write the set."""
    made = items()
    about = {
        "name": "core",
        "licence": "CC0",
        "made_by": "python -m training core",
        "seed": SEED,
        "attempts": "written by programs: worked solutions, one step wrong in those that are wrong",
        "feedback": "tutor or second hint on wrong answers, misleading on right ones; masked",
    }
    write_frozen(OUT, about, made)
    print(f"{len(made)} items in {OUT} ({OUT.stat().st_size:,} bytes)")
