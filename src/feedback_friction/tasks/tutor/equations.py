"""The first equation of an attempt that is wrong, in itself or in the numbers that it takes up."""

from __future__ import annotations

from feedback_friction.tasks.tutor.chains import Chain
from feedback_friction.tasks.tutor.diagnosis import Diagnosis, is_answer
from feedback_friction.tasks.tutor.finding import Finding, Kind
from feedback_friction.tasks.tutor.ledger import LONG, Ledger
from feedback_friction.tasks.tutor.slips import misread, split_of_a_misread, wrong_term
from feedback_friction.tasks.tutor.verify import Pair, judged, numbers_in
from feedback_friction.tasks.tutor.wording import found_at


def check(chain: Chain, ledger: Ledger, taken_back: bool = False) -> Finding | None:
    """What is wrong with a chain; what is right of it is added to the ledger.

    Args:
        chain: one chain of the attempt.
        ledger: what the attempt says before it.
        taken_back: the attempt works the same thing out again later, and rightly.
    """
    question = ledger.question
    found = misread(chain.pieces[0], ledger) if chain.asserted else None
    for pair in judged(chain, question.base):
        if found is None and chain.asserted:
            found = misread(pair.right, ledger)
        if found is None and pair.holds and chain.asserted:
            found = _wrong_base(pair, ledger)
            found = found or split_of_a_misread(pair, ledger) or wrong_term(pair, ledger)
        elif found is None and pair.holds is False and not taken_back:
            found = None if is_answer(pair, question) else Diagnosis(pair, chain, ledger).finding()
        if found is not None:
            return found
        if chain.asserted and not is_answer(pair, question):
            ledger.add(pair)
    return found


def _wrong_base(pair: Pair, ledger: Ledger) -> Finding | None:
    """Decimal arithmetic with a number that is in base 16."""
    if not pair.only_in_ten:
        return None
    for numeral in (*numbers_in(pair.left.expression), *numbers_in(pair.right.expression)):
        digits = numeral.digits
        in_sixteen = digits in ledger.base_16 and digits not in ledger.base_10
        if numeral.marked is None and in_sixteen and len(digits) >= LONG:
            why = f"That is decimal arithmetic, and {digits} is a number in base 16."
            return found_at(Kind.BASE, ledger.question, why, pair.left, pair.right)
    return None
