"""What is wrong with an attempt in which no single line is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from feedback_friction.grading.number import Stated, extract
from feedback_friction.tasks.tutor.accounts import account_for
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.ledger import Ledger
from feedback_friction.tasks.tutor.lines import LONGEST, Line
from feedback_friction.tasks.tutor.question import Question

_CHECKED = "No line is found wrong by itself, but "


def close(question: Question, attempt: str, lines: Sequence[Line], ledger: Ledger) -> Finding:
    """The finding on an attempt after its lines have been checked."""
    stated = extract(attempt, question.base, question.problem.operands)
    if stated is None:
        return _unanswered(attempt, lines, ledger)
    if stated.digits == question.problem.gold:
        return Finding(Kind.NONE, "The stated answer is right.")
    return (
        _in_wrong_base(question, stated)
        or _without_work(question, stated, ledger)
        or _wrongly_converted(question, ledger)
        or _not_the_own_result(question, stated, lines, ledger)
        or _not_the_last_result(question, stated, lines, ledger)
        or _incomplete(question, stated, ledger)
        or Finding(Kind.RESULT, f"{_CHECKED}{_impossible(question, stated.digits)}")
    )


def _unanswered(attempt: str, lines: Sequence[Line], ledger: Ledger) -> Finding:
    if not ledger.checked and not ledger.results:
        return Finding(Kind.NO_ANSWER, "There is neither an answer nor work that can be checked.")
    if not lines[-1].cut or len(attempt) > LONGEST:
        why = "The work states no final answer. Nothing in it is found wrong so far."
        return Finding(Kind.NO_ANSWER, why)
    why = "The work ends before it states an answer. Nothing in it is found wrong so far."
    return Finding(Kind.UNFINISHED, why)


def _in_wrong_base(question: Question, stated: Stated) -> Finding | None:
    if question.base == 10:
        return None
    if stated.digits.endswith("(base 10)"):
        return Finding(Kind.BASE, "The answer is given in base 10. It has to be in base 16.")
    if stated.digits == str(question.product):
        return Finding(Kind.BASE, "The answer is written in base 10. It has to be in base 16.")
    first, second = question.factors
    if (first + second).isdigit() and stated.digits == str(int(first) * int(second)):
        why = "The answer is what the factors would give if they were decimal numbers."
        return Finding(Kind.BASE, f"{why} They are in base 16.")
    return None


def _without_work(question: Question, stated: Stated, ledger: Ledger) -> Finding | None:
    if ledger.checked or ledger.results.keys() - {stated.digits}:
        return None
    why = f"There is no work that can be checked, and {_impossible(question, stated.digits)}"
    return Finding(Kind.NO_WORK, why)


def _wrongly_converted(question: Question, ledger: Ledger) -> Finding | None:
    """The right product in base 10, and another number in base 16."""
    line = ledger.results.get(str(question.product))
    if question.base == 10 or line is None:
        return None
    why = f"The answer is not the number of line {line} of your work, converted to base 16."
    return Finding(Kind.CONVERSION, why)


def _lines_with(stated: Stated, lines: Sequence[Line]) -> list[int]:
    """The lines in which the answer stands; the last one, where it stands in none."""
    found = [line.number for line in lines for t in line.tokens if t.text == stated.digits]
    return found or [lines[-1].number]


def _not_the_own_result(
    question: Question, stated: Stated, lines: Sequence[Line], ledger: Ledger
) -> Finding | None:
    """An answer that the work has not led to: it first stands after the last long result."""
    at = min(_lines_with(stated, lines))
    known = {*question.factors, *ledger.base_10}
    before = {
        digits: number
        for digits, number in ledger.results.items()
        if number <= at and len(digits) >= len(stated.digits) - 2 and digits not in known
    }
    if stated.digits in question.factors or not before or stated.digits in before:
        return None
    why = (
        "The answer that you state does not occur in your work before you state it. The last "
        f"result before it, in line {max(before.values())}, is another number."
    )
    return Finding(Kind.ANSWER, why, at, stated.digits)


def _not_the_last_result(
    question: Question, stated: Stated, lines: Sequence[Line], ledger: Ledger
) -> Finding | None:
    """An answer that is a factor, or an earlier result of work that comes to the product."""
    right = question.write(question.product) in ledger.results
    last = max(ledger.results.values(), default=0)
    if not (right or stated.digits in question.factors):
        return None
    if not last or ledger.results.get(stated.digits) == last:
        return None
    why = f"The answer that you state is not the last result of your work, that of line {last}."
    return Finding(Kind.ANSWER, why, max(_lines_with(stated, lines)), stated.digits)


def _incomplete(question: Question, stated: Stated, ledger: Ledger) -> Finding | None:
    """What accounts for the answer to the unit."""
    if not re.fullmatch("[0-9A-F]+", stated.digits):
        return None
    return account_for(int(stated.digits, question.base), ledger)


def _impossible(question: Question, digits: str) -> str:
    """A sentence by which anyone can see that a number is not the product; true by calculation."""
    base = question.base
    if not re.fullmatch("[0-9A-F]+", digits):
        return "the answer is not a whole number in the right base."
    answer, (first, second) = int(digits, base), question.values
    if answer % base != first * second % base:
        return (
            "the last digit of the result cannot be right: look at the last digits of the factors."
        )
    most = len(question.factors[0]) + len(question.factors[1])
    if not most - 1 <= len(digits) <= most:
        return "the result has too many or too few digits for a product of such factors."
    for modulus, name, test in _TESTS[base]:
        if answer % modulus != first * second % modulus:
            return (
                f"{test} shows that the result is wrong: divided by {name}, the remainders of the "
                "factors, multiplied, do not give the remainder of the result."
            )
    return "the result is not the product of the two factors."


# By base: a modulus, its name, and what the test is called.
_TESTS = {
    10: (
        (9, "nine", "casting out nines"),
        (11, "eleven", "the test by eleven"),
        (7, "seven", "the test by seven"),
        (13, "thirteen", "the test by thirteen"),
    ),
    16: (
        (15, "fifteen", "the digit sum"),
        (17, "seventeen", "the test by seventeen"),
        (7, "seven", "the test by seven"),
        (11, "eleven", "the test by eleven"),
    ),
}
