"""The search for the first error of an attempt."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.problem import Problem
from feedback_friction.protocol.task import Told
from feedback_friction.reading.mathematics.nodes import Number, Sum
from feedback_friction.tasks.tutor import digitwork
from feedback_friction.tasks.tutor.chains import Chain, read_chains
from feedback_friction.tasks.tutor.column_sums import Columns
from feedback_friction.tasks.tutor.conclusion import close
from feedback_friction.tasks.tutor.equations import check
from feedback_friction.tasks.tutor.finding import Finding, render, told, without_numbers
from feedback_friction.tasks.tutor.ledger import Ledger
from feedback_friction.tasks.tutor.lines import read_lines
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.steps import Steps
from feedback_friction.tasks.tutor.verify import judged, numbers_in, numbers_of_sum


def find_error(problem: Problem, attempt: str) -> Finding:
    """The first thing that is wrong with an attempt at a multiplication.

    Args:
        problem: with ``operands`` and ``gold``.
        attempt: the solver's reply; of more than 40,000 characters the first are read.

    Raises:
        ValueError: the problem's gold is not the product of its operands.
    """
    question = Question.of(problem)
    lines = read_lines(attempt, question.base)
    chains = read_chains(lines)
    ledger = Ledger(question, _explained(chains, question), _taken_away(chains))
    columns, steps = Columns(lines, ledger), Steps(question)
    in_steps = steps.first_error(lines, chains)
    ledger.explained |= columns.numbers | steps.results.keys()
    candidates = (
        _in_equations(chains, ledger),
        in_steps,
        columns.first_error(),
        digitwork.first_error(lines, question),
    )
    found = [finding for finding in candidates if finding is not None]
    if found:
        return min(found, key=lambda finding: (finding.line or 0, finding.column))
    ledger.results |= columns.results | steps.results
    return close(question, attempt, lines, ledger)


def tutor(problem: Problem, attempt: str) -> str:
    """Feedback on an attempt, right by construction, without the answer.

    Neither the product nor, in base 10, a right partial product of the split that the task's mask
    goes by stands in it: what the mask would hide is left out. What is quoted has spaces around its
    signs, × for multiplication and … for numbers left out: "470 × 8 = 3860", "… + … + 3784 = 9".
    Errors as ``find_error``.
    """
    return render(_tellable(problem, attempt))


def diagnose(problem: Problem, attempt: str) -> Told:
    """What ``tutor`` says, in its parts."""
    return told(_tellable(problem, attempt))


def _tellable(problem: Problem, attempt: str) -> Finding:
    finding = find_error(problem, attempt)
    reveals = Question.of(problem).reveals(render(finding))
    return without_numbers(finding) if reveals else finding


def first_wrong(problem: Problem, attempt: str) -> str | None:
    """What the attempt says where it is first wrong; None where no line is. Errors as above."""
    return find_error(problem, attempt).quote or None


def _in_equations(chains: Sequence[Chain], ledger: Ledger) -> Finding | None:
    taken_back = _taken_back(chains, ledger.question)
    for index, chain in enumerate(chains):
        found = check(chain, ledger, index in taken_back)
        if found is not None:
            return found
    return None


def _explained(chains: Sequence[Chain], question: Question) -> set[str]:
    """Numbers that the attempt accounts for anywhere: results, and parts of a right split."""
    numbers: set[str] = set()
    for chain in chains:
        for pair in judged(chain, question.base):
            if not pair.holds:
                continue
            for side, other in ((pair.left, pair.right), (pair.right, pair.left)):
                terms = numbers_of_sum(other.expression)
                if side.number is None:
                    continue
                digits = side.number.digits
                if terms is None:
                    inside = {numeral.digits for numeral in numbers_in(other.expression)}
                    numbers |= {digits} - inside  # a number times one accounts for nothing
                elif question.is_part(digits):
                    numbers.update(terms)
                elif side is pair.right:
                    numbers.add(digits)
    return numbers


def _taken_away(chains: Sequence[Chain]) -> set[str]:
    """The numbers that are subtracted in any difference."""
    sums = (piece.expression for chain in chains for piece in chain.pieces)
    return {
        term.digits
        for expression in sums
        if isinstance(expression, Sum)
        for subtracted, term in expression.terms
        if subtracted and isinstance(term, Number)
    }


def _taken_back(chains: Sequence[Chain], question: Question) -> set[int]:
    """The chains of which the left side is worked out rightly later, and the result is not used."""
    right: set[str] = set()
    later: set[str] = set()
    found: set[int] = set()
    for index in range(len(chains) - 1, -1, -1):
        chain = chains[index]
        left = " ".join(token.text for token in chain.pieces[0].tokens)
        stated = {token.text for piece in chain.pieces[1:] for token in piece.tokens}
        if len(chain.pieces) > 1 and all(pair.holds for pair in judged(chain, question.base)):
            right.add(left)
        elif left in right and not any(text.isalnum() and text in later for text in stated):
            found.add(index)
        later |= stated | {token.text for token in chain.pieces[0].tokens}
    return found
