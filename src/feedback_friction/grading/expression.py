"""Grading mathematical expressions, as MATH-500 asks for them.

The last statement of an answer in the reply (``mathematics.statement``) is read
(``mathematics.answer``) and compared with the gold answer: first as numbers, formulas, sets,
intervals, ... in exact arithmetic, which settles nearly all replies; what that leaves open goes to
math-verify in a worker process with a time limit (``worker``). An answer is correct when one of
the two shows it equal to gold. Not shown equal is wrong, and so are sums and integrals that were
left to be worked out where gold is not one. Where the worker ran out of time or memory the verdict
is undecided.
"""

from __future__ import annotations

from feedback_friction.grading.mathematics.algebra import TooHardError
from feedback_friction.grading.mathematics.answer import Answer, Kind
from feedback_friction.grading.mathematics.compare import same
from feedback_friction.grading.mathematics.reading import context_of, read
from feedback_friction.grading.mathematics.render import latex
from feedback_friction.grading.mathematics.statement import last_statement
from feedback_friction.grading.verdict import Verdict
from feedback_friction.grading.worker import UNDECIDED, Comparison, symbolically
from feedback_friction.problem import Problem

MAX_SYMBOLIC = 300  # characters of an expression that is compared symbolically


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
    gold, context = context_of(problem.gold)
    statement = last_statement(response, context)
    if statement is None:
        return Verdict.none()
    answer = read(statement.text, context)
    if not answer.key:
        return Verdict.none("empty")
    correct, how = equal(gold, answer)
    for alias in () if correct else problem.aliases:
        other, reading = context_of(alias)
        found, why = equal(other, read(statement.text, reading))
        if found or correct is not None:  # one open comparison leaves the answer open
            correct, how = found, why
        if correct:
            break
    rule = f"{statement.rule}, {how}" if how else statement.rule
    # All that was shown equal to gold is one answer, whatever its form.
    return Verdict.of(correct, prediction(problem, gold, gold if correct else answer), rule)


def accepts(problem: Problem, text: str, *, symbolic: bool = True) -> bool:
    """Whether a text, taken as a stated answer, would be graded correct.

    Args:
        problem: the problem.
        text: the bare answer, without words around it.
        symbolic: ask a worker process where exact arithmetic leaves the question open.
    """
    for accepted in (problem.gold, *problem.aliases):
        gold, context = context_of(accepted)
        answer = read(text, context)
        if (equal(gold, answer)[0] if symbolic else same(gold, answer)) is True:
            return True
    return False


def equal(gold: Answer, answer: Answer) -> tuple[bool | None, str]:
    """Whether an answer is shown equal to gold, and what more than exact arithmetic decided.

    None where the comparison ran out of time or memory.
    """
    known = same(gold, answer)
    if known is not None:
        return known, ""
    try:
        written = _as_latex(gold, answer)
    except TooHardError:  # a short text may stand for a long number: 1e5000
        return False, "too long: not shown equal"
    if max(len(gold.source), len(answer.source)) > MAX_SYMBOLIC:
        return False, "too long: not shown equal"
    found = symbolically(*written)
    if found in UNDECIDED:
        return None, found.value
    return found is Comparison.EQUAL, "symbolic"


def _as_latex(gold: Answer, answer: Answer) -> tuple[str, str]:
    """Both as math-verify shall read them: as they were understood here, where they were."""
    if gold.kind is answer.kind is Kind.VALUE and gold.value and answer.value:
        return latex(gold.value.node), latex(answer.value.node)
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
