"""Grading mathematical expressions, as MATH-500 asks for them.

The last statement of an answer in the reply (``reading.mathematics``) is read
and compared with the gold answer: first as numbers, formulas, sets,
intervals, ... in exact arithmetic, which settles nearly all replies; what that leaves open goes to
math-verify in a worker process with a time limit (``worker``). An answer is correct when one of
the two shows it equal to gold. Not shown equal is wrong, and so are sums and integrals that were
left to be worked out where gold is not one. Where the worker ran out of time or memory the verdict
is undecided.
"""

from __future__ import annotations

import pickle
import re

from feedback_friction.grading.verdict import Verdict
from feedback_friction.grading.worker import UNDECIDED, Comparison, symbolically
from feedback_friction.problem import Problem
from feedback_friction.reading.mathematics.answer import TREE, Answer, Kind
from feedback_friction.reading.mathematics.equality import same
from feedback_friction.reading.mathematics.latex import clean
from feedback_friction.reading.mathematics.nodes import parts
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.mathematics.statement import last_statement

MAX_SYMBOLIC = 4000  # characters of an expression that is compared symbolically


def grade_expression(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply to a problem whose answer is a mathematical expression.

    Args:
        problem: ``gold`` (and ``aliases``, each as good) in LaTeX or plain notation.
        response: the reply; any text, of any length.

    Returns:
        A verdict whose prediction is a canonical form: ``"1/2"`` for ``\\frac12`` and ``0.5``.
        Its rule names how the answer was stated, and what decided where exact arithmetic did not
        ("symbolic", "timeout", ...).

    Raises:
        RunStoppedError: only where the comparing process cannot be started at all.
    """
    gold, context = context_of(problem.gold, problem.question)
    statement = last_statement(response, context)
    if statement is None:
        return Verdict.none()
    answer = read(statement.text, context)
    if answer.is_empty:
        return Verdict.none("empty")
    correct, how = equal(gold, answer)
    for alias in () if correct else problem.aliases:
        other, reading = context_of(alias, problem.question)
        found, why = equal(other, read(statement.text, reading))
        if found or correct is not None:  # one open comparison leaves the answer open
            correct, how = found, why
        if correct:
            break
    if correct and repeats(problem, gold, answer):
        return Verdict.none("repeats the question")
    rule = f"{statement.rule}, {how}" if how else statement.rule
    return Verdict.of(correct, prediction(problem, gold, answer), rule)


def repeats(problem: Problem, gold: Answer, answer: Answer) -> bool:
    """Whether an answer equal to gold is the very formula in the question: "Simplify 6/8."."""
    if not (answer.value and gold.value) or answer.value.node == gold.value.node:
        return False
    if not parts(answer.value.node) or answer.key == answer.source.replace(" ", ""):
        return False  # a numeral, or as simple as it gets: 7/2
    formula = " ?".join(map(re.escape, answer.source.replace(" ", "")))
    whole = rf"(?<![\w+*/^({{\\-])(?<![+*/^-] ){formula}(?! ?[+*/^-]|\w)"
    return re.search(whole, clean(problem.question)) is not None


def equal(gold: Answer, answer: Answer) -> tuple[bool | None, str]:
    """Whether an answer is shown equal to gold, and what more than exact arithmetic decided.

    None where the comparison ran out of time or memory, or was neither refuted nor proved.
    """
    how: list[str] = []

    def ask(left: Answer, right: Answer) -> bool | None:
        written = _written(left, right)
        if max(map(len, written)) > MAX_SYMBOLIC:
            how.append("too long: not shown equal")
            return False
        found = symbolically(*written)
        how.append(found.value if found in UNDECIDED else "symbolic")
        return None if found in UNDECIDED else found is Comparison.EQUAL

    known = same(gold, answer, ask)
    return known, next((why for why in how if why != "symbolic"), "symbolic" if how else "")


def _written(gold: Answer, answer: Answer) -> tuple[str, str]:
    """Both for the process that proves: as they were understood here, where they were."""
    if gold.value and answer.value and gold.kind is answer.kind:
        one, other = (f"{TREE}{pickle.dumps(v.node).hex()}" for v in (gold.value, answer.value))
        return one, other
    return gold.source, answer.source


def prediction(problem: Problem, gold: Answer, answer: Answer) -> str:
    """The canonical form of an answer among the answers to this problem.

    Where a percentage is asked for, "25" and "25%" are one answer; elsewhere 25% is 1/4.
    """
    if answer.kind is Kind.PERCENT and answer.value is not None:
        asked = gold.kind is Kind.PERCENT or "percent" in problem.question.lower()
        rational = answer.value.rational
        if asked or rational is None:
            return answer.key.removesuffix("%")
        return str(rational / 100)
    if answer.kind is Kind.LIST and gold.kind is Kind.TUPLE:
        return "(" + ",".join(part.key for part in answer.parts) + ")"
    if answer.kind is gold.kind is Kind.BASE and answer.key.split("_")[1] == gold.key.split("_")[1]:
        return answer.key.split("_")[0]
    return answer.key
