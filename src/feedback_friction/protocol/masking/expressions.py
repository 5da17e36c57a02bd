"""The gate for mathematics: the gold answer in every form in which the grader would take it.

What is looked for is not a list of spellings but a value: every side, term, factor, bracketed
group, list and number word of the feedback is read as the grader reads an answer, and masked if it
is equal to gold. So 3/4 goes as ``\\frac34``, ``.75``, ``75\\%``, "three quarters",
``\\frac{6}{8}`` and ``1 - \\frac14``.

A value can also be there by chance. These rules say what stays:

- numerals are whole: 42 in 1420, 4.2 or 42nd is not 42, and 3 in 3:30 is not 3;
- a *common* number, which is a whole number below 100 or a fraction of two numbers below 10, stays
  where it is part of a larger value: exponent, index, argument of a function or root, numerator or
  denominator, coefficient (``5x``, ``5\\sqrt2``); a common whole number also as the constant in a
  formula with variables (``x + 5 = 2y``). Any other number goes wherever it stands;
- a common whole number stays in "step 5", "case 5", "#5", "equation (5)", "5-digit" and as the
  number of a list item;
- "one" stays as a pronoun and article ("one of them", "no one"), "half" unless it is stated ("is
  half"), a third or a quarter unless something follows that it is a part of;
- short words ("no", "even") and single letters that are the answer stay unless they are stated as
  one: in a box, alone in a formula, in bold or brackets, after "is", "graph", "option", ...

An operand goes (``3 + [masked] = 8``), as it does in the paper's masking. Out of scope are other
languages, digits one by one ("two, zero, four"), and what has to be worked out from instructions
("add two to three", "the same without the minus sign").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import pairwise

from feedback_friction.grading.expression import equal, grade_expression
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.expression_words import (
    Target,
    find_literal,
    find_numbers,
    find_several,
    find_spoken,
    find_wording,
)
from feedback_friction.protocol.masking.formulas import Formulas, Kind, Side
from feedback_friction.protocol.masking.gate import MASK, Match, Matcher, mask, stretches
from feedback_friction.protocol.masking.quoted import quoted, unquoted
from feedback_friction.protocol.records import Masked
from feedback_friction.reading.mathematics.answer import Kind as Shape
from feedback_friction.reading.mathematics.answer import Statement
from feedback_friction.reading.mathematics.equality import same
from feedback_friction.reading.mathematics.read import read
from feedback_friction.reading.mathematics.statement import last_statement


def mask_expression(problem: Problem, text: str) -> Masked:
    """Feedback on a problem whose answer is a mathematical expression, masked and audited.

    Raises:
        RunStoppedError: only where the comparing process cannot be started at all.
    """
    return masked_by(problem, text, matchers, grade_expression)


def masked_by(
    problem: Problem,
    text: str,
    finders_of: Callable[[Target], Sequence[Matcher]],
    grade: Callable[[Problem, str], Verdict],
) -> Masked:
    """Feedback without gold and aliases, by what looks for one of them and the task's grader."""
    targets = tuple(
        Target.of(gold, problem.question)
        for gold in dict.fromkeys((problem.gold, *problem.aliases))
    )
    question = quoted(problem.question, (problem.gold, *problem.aliases))
    finders = [unquoted(each, question) for target in targets for each in finders_of(target)]
    stated = unquoted(partial(_stated, problem=problem, targets=targets, grade=grade), question)
    masked = mask(text, finders, [stated])
    leaks = (masked.text[start:end] for start, end, _ in stated(masked.text))
    return Masked(masked.text, masked.spans, tuple(dict.fromkeys(leaks)))


@lru_cache(maxsize=4)  # the last repetition of the mask and the audit see the same text
def _stated(
    text: str,
    problem: Problem,
    targets: tuple[Target, ...],
    grade: Callable[[Problem, str], Verdict],
) -> tuple[Match, ...]:
    """What the grader takes for gold of the whole text, and what it reads as gold in any part.

    The computer algebra system is asked of the whole text alone: one question may take long.
    """
    found: list[Match] = []
    verdict = grade(problem, text)
    if verdict.is_correct or verdict.is_undecided:
        statement = last_statement(text, targets[0].context)
        found += _place_of(text, statement) if statement else ()
    for start, end in stretches(text):
        for target in targets:
            stated = last_statement(text[start:end], target.context)
            if stated and target.hits(stated.text):
                for first, last, form in _place_of(text[start:end], stated):
                    if not target.is_label(text, start + first, start + last):  # after "Fig."
                        found.append((start + first, start + last, form))
    return tuple(found)


@lru_cache(maxsize=1024)
def matchers(target: Target) -> tuple[Matcher, ...]:
    """What looks for one gold answer in the view of a text."""
    if target.gold.kind is Shape.TEXT or target.letter is not None:
        return (lambda text: find_wording(text, target),)
    return (
        lambda text: find_values(text, target),
        lambda text: find_numbers(text, target),
        lambda text: find_spoken(text, target),
        lambda text: find_several(text, target),
        lambda text: find_literal(text, target),
        lambda text: find_unread(text, target),
    )


_DELIMITED = re.compile(
    r"\$\$?([^$]{1,600})\$\$?|\\\(([^\n]{1,600}?)\\\)|\\\[(.{1,600}?)\\\]", re.DOTALL
)
_SIDE = re.compile(r"[^=≈<>]+")
_MOST_QUESTIONS = 6
_SEVERAL = re.compile(r"one (?:of|more|case|step)\b", re.IGNORECASE)


def find_unread(text: str, target: Target) -> Iterator[Match]:
    """Matrices, and formulas that only a computer algebra system reads: a few are put to it."""
    asked = 0
    for formula in _DELIMITED.finditer(text) if "\\" in text else ():
        if target.gold.kind is Shape.MATRIX and target.hits(formula[formula.lastindex or 0]):
            yield *formula.span(formula.lastindex or 0), "matrix"
        for side in _SIDE.finditer(text, *formula.span(formula.lastindex or 0)):
            said = read(side[0], target.context)
            if said.kind is not Shape.RAW or MASK in side[0] or same(target.gold, said) is not None:
                continue
            if asked == _MOST_QUESTIONS:
                return
            asked += 1
            found, _ = equal(target.gold, said)
            if found is None:  # hidden as if it were gold; and one such question is enough
                asked = _MOST_QUESTIONS
            if found is not False:
                yield *side.span(), "unread"


def _place_of(text: str, statement: Statement) -> Iterator[Match]:
    """Where a statement stands in the text."""
    form = "sentence" if statement.rule in ("sentence", "revised") else "stated"
    at = text.find(statement.text, statement.start)
    at = at if at >= 0 else text.rfind(statement.text)
    if form == "sentence" and at >= 0 and _SEVERAL.match(text, at):
        return  # it counts nothing; elsewhere in the text such words say nothing of the statement
    if at >= 0:
        yield at, at + len(statement.text), form
    else:  # several boxes, read as one answer
        yield min(statement.start, len(text) - 1), len(text), form


def find_values(text: str, target: Target) -> Iterator[Match]:
    """Sides, terms, factors, groups and lists that are equal to gold."""
    finder = _Finder(Formulas(text), target)
    for first, last, form in finder.ranges():
        yield finder.offsets(first, last, form)


class _Finder:
    """What in the formulas of a text is equal to gold, as ranges of tokens."""

    def __init__(self, formulas: Formulas, target: Target):
        self.formulas, self.target = formulas, target
        self.tokens = formulas.tokens

    def ranges(self) -> Iterator[tuple[int, int, str]]:
        for sides in self.formulas.regions():
            for side in sides:
                yield from self.side(side)
            if self.target.gold.parts:
                yield from self.windows(sides)
        if self.target.gold.parts:
            yield from self.groups()

    def offsets(self, first: int, last: int, form: str) -> Match:
        """Where a range of tokens stands in the text; ``\\left`` goes with its bracket."""
        start, end = self.tokens[first].start, self.tokens[last - 1].end
        before = self.formulas.text[max(0, start - 6) : start].rstrip()
        if self.tokens[first].kind is Kind.OPEN and before.endswith("\\left"):
            start -= len(self.formulas.text[max(0, start - 6) : start]) - before.rindex("\\left")
        return start, end, form

    def hits(self, first: int, last: int) -> bool:
        return first < last and self.target.hits(self.formulas.shown(first, last))

    def side(self, side: Side) -> Iterator[tuple[int, int, str]]:
        first, last = side.first, side.last
        if self.formulas.group(side) and not self.is_collection(first):
            return  # what stands in the brackets is a side itself
        for begin, end in self.readings(first, last):
            if self.hits(begin, end):
                if not self.stays(side, begin, end):
                    yield begin, end, "value"
                return
        yield from self.parts(side)

    def readings(self, first: int, last: int) -> list[tuple[int, int]]:
        """A side, and without a dash that is perhaps no minus or a point that is no factorial."""
        found = [(first, last)]
        spaced = first + 1 < last and self.tokens[first].end < self.tokens[first + 1].start
        if spaced and self.tokens[first].kind is Kind.SIGN:
            found.append((first + 1, last))
        if last - first > 1 and self.tokens[last - 1].text == "!":
            found.append((first, last - 1))
        return found

    def stays(self, side: Side, begin: int, end: int) -> bool:
        """Whether a side that is equal to gold is so by chance."""
        if not self.target.is_common:
            return False
        first, last = self.tokens[begin], self.tokens[end - 1]
        single = begin + 1 == end
        label = single and self.target.is_label(self.formulas.text, first.start, last.end)
        return side.argument or label

    def parts(self, side: Side) -> Iterator[tuple[int, int, str]]:
        """Terms and factors of a side that is not gold as a whole."""
        terms = self.formulas.terms(side.first, side.last)
        size = self.target.terms
        for at in range(len(terms) - size + 1 if size > 1 else 0):
            begin, end = terms[at][0], terms[at + size - 1][1]
            begin += self.tokens[begin].text == "+"
            if self.hits(begin, end):
                yield begin, end, "terms"
        symbolic = self.formulas.is_symbolic(side.first, side.last)
        for start, end in terms:
            begin = start
            if self.tokens[start].kind is Kind.SIGN and start > side.first:
                begin += 1  # a sign between two terms is not the second one's
            if len(terms) > 1 and self.hits(begin, end):
                if self.allows_term(side, symbolic):
                    yield begin, end, "term"
                continue
            yield from self.factors(side, begin, end, symbolic)

    def allows_term(self, side: Side, symbolic: bool) -> bool:
        if not self.target.is_common:
            return True
        return not side.argument and not (symbolic and self.target.is_whole)

    def factors(
        self, side: Side, first: int, last: int, symbolic: bool
    ) -> Iterator[tuple[int, int, str]]:
        factors = self.formulas.factors(first, last)
        for begin, end, before, after in factors:
            if len(factors) > 1 and self.hits(begin, end):
                part = "/" in (before, after)
                if not (self.target.is_common and (part or symbolic or side.argument)):
                    yield begin, end, "factor"
            elif not self.target.is_common and self.target.number is not None:
                for start, stop in self.formulas.numerals(begin, end):
                    if self.hits(start, stop):
                        yield start, stop, "numeral"

    def windows(self, sides: list[Side]) -> Iterator[tuple[int, int, str]]:
        """Lists without brackets, inequalities and equations: several sides in a row."""
        items = self.items(sides)
        size = len(self.target.gold.parts)
        for at, (first, last, links) in enumerate(items):
            if links and self.hits(first, last):
                yield first, last, "relation"
            listed = items[at : at + size]
            if any(self.hits(begin, end) for begin, end, _ in listed):
                continue
            if size > 1 and len(listed) == size and self.are_listed(listed):
                texts = [self.formulas.shown(begin, end) for begin, end, _ in listed]
                if self.target.hits(", ".join(texts)) or self.hits(first, listed[-1][1]):
                    yield first, listed[-1][1], "list"

    def items(self, sides: list[Side]) -> list[tuple[int, int, int]]:
        """Sides joined by relation signs, as ranges, with the number of signs."""
        items: list[tuple[int, int, int]] = []
        for at, side in enumerate(sides):
            gap = self.formulas.gap(sides[at - 1], side) if at else frozenset()
            if Kind.RELATION in gap and gap <= {Kind.RELATION, Kind.EDGE}:
                first, _, links = items.pop()
                items.append((first, side.last, links + 1))
            else:
                items.append((side.first, side.last, 0))
        return items

    def are_listed(self, items: list[tuple[int, int, int]]) -> bool:
        gaps = [
            {token.kind for token in self.tokens[before[1] : after[0]]}
            for before, after in pairwise(items)
        ]
        return all(Kind.LIST in gap and gap <= {Kind.LIST, Kind.EDGE} for gap in gaps)

    def groups(self) -> Iterator[tuple[int, int, str]]:
        """Bracketed tuples, sets and intervals within larger formulas."""
        for first, last in self.formulas.partner.items():
            if first < last and self.is_collection(first) and self.hits(first, last + 1):
                yield first, last + 1, "group"

    def is_collection(self, opening: int) -> bool:
        """Whether brackets belong to an answer; braces are LaTeX's own."""
        return bool(self.target.gold.parts) and self.tokens[opening].text != "{"
