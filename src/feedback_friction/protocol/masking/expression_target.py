"""A gold answer as a mask looks for it: what equals it, and where it may stand by chance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from feedback_friction.protocol.masking.gate import MASK
from feedback_friction.reading.labels import is_label
from feedback_friction.reading.mathematics import answer as answers
from feedback_friction.reading.mathematics.answer import Answer, Context
from feedback_friction.reading.mathematics.equality import alike
from feedback_friction.reading.mathematics.nodes import Sum
from feedback_friction.reading.mathematics.read import context_of, read

_LONGEST = 300
_COMMON_WHOLE = 100
_COMMON_PART = 10

_NUMERAL = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Target:
    """One accepted answer."""

    gold: Answer
    context: Context

    @classmethod
    def of(cls, gold: str, question: str = "") -> Target:
        """The target for an answer as the data set writes it; the question may ask for its unit."""
        return _target(gold, question)

    @cached_property
    def number(self) -> Fraction | None:
        """The gold number, where gold is one rational number (of a percentage: before the sign)."""
        numeric = (answers.Kind.VALUE, answers.Kind.PERCENT)
        return self.gold.value.rational if self.gold.value and self.gold.kind in numeric else None

    @property
    def is_whole(self) -> bool:
        """Whether gold is a whole number."""
        return self.number is not None and self.number.denominator == 1

    @property
    def is_common(self) -> bool:
        """Whether gold is a number that formulas are full of."""
        if self.number is None:
            return False
        top, bottom = abs(self.number.numerator), self.number.denominator
        return top < (_COMMON_WHOLE if bottom == 1 else _COMMON_PART) and bottom < _COMMON_PART

    @property
    def terms(self) -> int:
        """How many terms gold has."""
        node = self.gold.value.node if self.gold.value else None
        return len(node.terms) if isinstance(node, Sum) and self.number is None else 1

    @cached_property
    def letter(self) -> str | None:
        """The capital letter that gold is, e.g. of a graph."""
        key = self.gold.key
        return key if len(key) == 1 and key.isalpha() and key.isupper() else None

    def hits(self, text: str) -> bool:
        """Whether a text says gold, for all that exact arithmetic and samples can tell."""
        if len(text) > _LONGEST or MASK in text:
            return False
        if _NUMERAL.fullmatch(text):
            return self._is_numeral(text)
        read_as = read(text, self.context)
        return bool(read_as.key) and alike(self.gold, read_as)

    def _is_numeral(self, text: str) -> bool:
        if self.number is None:
            return alike(self.gold, read(text, self.context))
        value = Fraction(text)
        percent = self.gold.kind is answers.Kind.PERCENT
        if value == self.number or (percent and 100 * value == self.number):
            return True
        return "." in text and alike(self.gold, read(text, self.context))  # 0.333333 for 1/3

    def is_label(self, text: str, start: int, end: int) -> bool:
        """Whether a common whole number names something: "step 5", "equation (5)", "$5$-gon"."""
        common = self.is_common and self.is_whole
        return common and is_label(text, start, end, self.context.asked)


@lru_cache(maxsize=1024)
def _target(gold: str, question: str) -> Target:
    return Target(*context_of(gold, question))
