"""The search for the first error of an attempt, and the same words about a line that is right."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache

from feedback_friction.problem import Problem
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.task import Misled, Step, Told
from feedback_friction.reading.mathematics.nodes import Number, Sum
from feedback_friction.tasks.tutor.chains import Chain, read_chains
from feedback_friction.tasks.tutor.column_sums import Columns
from feedback_friction.tasks.tutor.conclusion import close
from feedback_friction.tasks.tutor.diagnosis import check
from feedback_friction.tasks.tutor.finding import (
    Finding,
    Kind,
    quoted,
    render,
    told,
    without_numbers,
    written,
)
from feedback_friction.tasks.tutor.ledger import Ledger
from feedback_friction.tasks.tutor.lines import Line, read_lines
from feedback_friction.tasks.tutor.question import Question
from feedback_friction.tasks.tutor.steps import Steps, wrong_digits
from feedback_friction.tasks.tutor.verify import (
    Pair,
    factors_of,
    judged,
    numbers_in,
    numbers_of_sum,
)

_TRIES = 20

Judged = list[tuple[Chain, list[Pair]]]


@lru_cache(maxsize=16)  # one attempt is read for its words, its step and its right lines
def _read(attempt: str, question: Question) -> tuple[list[Line], Judged]:
    """The lines of an attempt, and its chains with their pairs, each judged."""
    lines = read_lines(attempt, question.base)
    return lines, [(chain, judged(chain, question.base)) for chain in read_chains(lines)]


def find_error(problem: Problem, attempt: str) -> Finding:
    """The first thing that is wrong with an attempt at a multiplication.

    Args:
        problem: with ``operands`` and ``gold``.
        attempt: the solver's reply; of more than 40,000 characters the first are read.

    Raises:
        ValueError: the problem's gold is not the product of its operands.
    """
    question = Question.of(problem)
    lines, chains = _read(attempt, question)
    ledger = Ledger(question, _explained(chains, question), _taken_away(chains))
    columns, steps = Columns(lines, ledger), Steps(question)
    in_steps = steps.first_error(lines, [chain for chain, _ in chains])
    ledger.explained |= columns.numbers | steps.results.keys()
    candidates = (
        _in_equations(chains, ledger),
        in_steps,
        columns.first_error(),
        wrong_digits(lines, question),
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
    return diagnose(problem, attempt).text


def diagnose(problem: Problem, attempt: str) -> Told:
    """What ``tutor`` says, in its parts."""
    finding = find_error(problem, attempt)
    reveals = Question.of(problem).reveals(render(finding))
    return told(without_numbers(finding) if reveals else finding)


def first_wrong(problem: Problem, attempt: str) -> str | None:
    """What the attempt says where it is first wrong; None where no line is. Errors as above."""
    return find_error(problem, attempt).quote or None


def wrong_step(problem: Problem, attempt: str) -> Step | None:
    """The equation that the tutor's feedback on an attempt is about, as numbers.

    None where it is about something else (a missing part, a sum without its terms), and where the
    left side has no single value. Errors as ``find_error``.
    """
    finding, question = find_error(problem, attempt), Question.of(problem)
    for pair in _pairs(attempt, question):
        first, wrong = pair.right.tokens[0], pair.right.number
        if pair.holds is False and (first.line, first.start) == (finding.line, finding.column):
            worth = pair.values.get(question.base, frozenset())
            if wrong is None or len(worth) != 1:
                return None
            left = tuple(token.text for token in pair.left.tokens)
            return Step(left, wrong.digits, question.write(min(worth)))
    return None


def mislead(problem: Problem, attempt: str, rng: random.Random) -> Misled | None:
    """A right line of an attempt at a multiplication, called wrong, with a wrong value for it.

    The value is neither the product nor a right partial product, and what the task's mask would
    hide is left out. None where no line is right, or none can be named without such a number.
    Errors as ``find_error``.
    """
    question = Question.of(problem)
    pairs = [
        pair
        for pair in _pairs(attempt, question)
        if pair.holds is True and pair.left.number is None and pair.right.number is not None
    ]
    rng.shuffle(pairs)
    # Products first.
    for pair in sorted(pairs, key=lambda pair: factors_of(pair.left.expression) is None):
        expression, stated = pair.left.expression, pair.right.number
        assert expression is not None
        assert stated is not None
        tries = (slipped(stated.digits, rng) for _ in range(_TRIES))
        value = next((each for each in tries if each not in question.secrets), None)
        if value is not None:
            is_product = factors_of(expression) is not None
            kind, what = (Kind.PRODUCT, "product") if is_product else (Kind.SUM, "sum")
            why = f"The {what} is wrong. {written(question, expression)} is {value}."
            text = render(Finding(kind, why, quote=quoted(question, pair.left, pair.right)))
            return Misled(text, value)
    return None


def _pairs(attempt: str, question: Question) -> Iterator[Pair]:
    return (pair for _, pairs in _read(attempt, question)[1] for pair in pairs)


# --- what the whole attempt tells about a line ----------------------------------------------------


def _in_equations(chains: Judged, ledger: Ledger) -> Finding | None:
    taken_back = _taken_back(chains)
    found = (
        check(chain, pairs, ledger, index in taken_back)
        for index, (chain, pairs) in enumerate(chains)
    )
    return next((finding for finding in found if finding is not None), None)


def _explained(chains: Judged, question: Question) -> set[str]:
    """Numbers that the attempt accounts for anywhere: results, and parts of a right split."""
    numbers: set[str] = set()
    for pair in (pair for _, pairs in chains for pair in pairs if pair.holds):
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


def _taken_away(chains: Judged) -> set[str]:
    """The numbers that are subtracted in any difference."""
    sums = (piece.expression for chain, _ in chains for piece in chain.pieces)
    return {
        term.digits
        for expression in sums
        if isinstance(expression, Sum)
        for subtracted, term in expression.terms
        if subtracted and isinstance(term, Number)
    }


def _taken_back(chains: Sequence[tuple[Chain, list[Pair]]]) -> set[int]:
    """The chains of which the left side is worked out rightly later, and the result is not used."""
    right: set[str] = set()
    later: set[str] = set()
    found: set[int] = set()
    for index, (chain, pairs) in reversed([*enumerate(chains)]):
        left = [token.text for token in chain.pieces[0].tokens]
        stated = {token.text for piece in chain.pieces[1:] for token in piece.tokens}
        if pairs and all(pair.holds for pair in pairs):
            right.add(" ".join(left))
        elif " ".join(left) in right and not any(map(str.isalnum, stated & later)):
            found.add(index)
        later |= stated.union(left)
    return found
