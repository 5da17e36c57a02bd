"""Whether the partial products of an attempt are all that the question needs."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.tasks.tutor.ledger import Ledger
from feedback_friction.tasks.tutor.question import Question

Pair = tuple[str, str]

_MOST = 200  # partial products that are looked at


def parts_that_do_not_add_up(products: Sequence[Pair], question: Question) -> str | None:
    """What is wrong if one factor is multiplied by parts that are not the other factor."""
    for factor in question.factors:
        if not all(factor in pair for pair in products):
            continue
        parts = [pair[1] if pair[0] == factor else pair[0] for pair in products]
        other = question.other(factor)
        total = sum(int(part, question.base) for part in parts)
        if other is not None and total != int(other, question.base):
            return f"The numbers that {factor} is multiplied by do not add up to {other}."
    return None


def left_out(products: Sequence[Pair], question: Question) -> str | None:
    """Which product of parts is missing, if the parts are right and some product is not there."""
    pairs = dict.fromkeys(products[:_MOST])
    firsts = list(dict.fromkeys(first for first, _ in pairs))
    seconds = list(dict.fromkeys(second for _, second in pairs))
    sums = [sum(int(part, question.base) for part in parts) for parts in (firsts, seconds)]
    if sorted(sums) != sorted(question.values):
        return None
    missing = [(one, two) for one in firsts for two in seconds if (one, two) not in pairs]
    if not missing:
        return None
    one, two = missing[0]
    return f"The product of the parts {one} and {two} is left out."


def amount_missing(missing: int, question: Question, ledger: Ledger) -> str | None:
    """What a result lacks, or has too much of, if it is exactly one partial product.

    Args:
        missing: the product less the result.
        question: the question.
        ledger: all that the attempt says.
    """
    for leaf in ledger.leaves[:_MOST]:
        value = int(leaf.result, question.base) if question.has_digits(leaf.result) else None
        is_sum = ledger.summed or value != question.product - missing
        if value and value == missing and is_sum and leaf.result not in ledger.summed:
            return f"the result of line {leaf.line} is missing from what is added up."
        if value and value == -missing:
            return f"the sum is too large by exactly the result of line {leaf.line}."
    done = {frozenset(leaf.factors) for leaf in ledger.leaves}
    first, second = (ledger.parts.get(factor, (factor,)) for factor in question.factors)
    for one in first[:_MOST]:
        for two in second[:_MOST]:
            worth = int(one, question.base) * int(two, question.base)
            if worth and worth == missing and frozenset((one, two)) not in done:
                return f"the product of the parts {one} and {two} is missing."
    return None
