"""What an attempt says: chains of equal expressions, and products that it only names.

A chain is what stands between "=" signs: "9 × 3 = 27 + 2 = 29" has three pieces. Where the text
around a piece may change what it means ("the sum of 5 and 12 × 3 = ..."), the piece is marked as
uncertain, and nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from feedback_friction.reading.mathematics.formula import parse_tokens
from feedback_friction.reading.mathematics.nodes import Node, Number
from feedback_friction.reading.numerals import Numeral
from feedback_friction.tasks.tutor.lines import EQUAL_WORDS, UNKNOWN, Line, Token, in_signs

_SIGNS = frozenset("+-×/^()")
_LONGEST_PIECE = 2_000  # tokens
_MOST_TAILS = 12  # lines that an equation may go on in

# Words after which an expression stands for itself. After others ("of", "to", "by") it may be a
# part of something larger.
_MAY_PRECEDE_TEXT = (
    "break split down decompose rewrite expand express number factor calculate calculating compute "
    "computing multiply multiplying so thus therefore then is have get that gives hence now first "
    "second third next finally add adding step find evaluate since because where know write sum "
    "product total result be as into us equals means see do does multiplication addition subtract "
    "subtracting"
)
_MAY_PRECEDE = frozenset(_MAY_PRECEDE_TEXT.split())
_PUNCTUATION = frozenset(":;,.→–|•=!#>-")
# Words after a number that make it another one.
_SCALES_TEXT = (
    "thousand thousands million millions billion billions trillion hundred hundreds lakh crore "
    "tens ones units mod modulo remainder r rem or percent % … dozen k m e x carry carried"
)
_SCALES = frozenset(_SCALES_TEXT.split())


@dataclass(frozen=True, slots=True)
class Piece:
    """One side of an equation."""

    tokens: tuple[Token, ...]  # what it is made of
    expression: Node | None  # what they mean, None if they are no whole expression
    certain: bool = True  # whether it stands for itself

    @property
    def line(self) -> int:
        """The source line where it ends."""
        return self.tokens[-1].line

    @property
    def number(self) -> Number | None:
        """The number, where it is nothing else."""
        return self.expression if isinstance(self.expression, Number) else None


@dataclass(frozen=True, slots=True)
class Chain:
    """Pieces that are said to be equal; a single one is only named."""

    pieces: tuple[Piece, ...]  # at least one
    asserted: bool  # whether its lines assert what they say
    shifts: bool  # whether its lines speak of shifting or places, or it is read from a table
    # whether the attempt ends where the last piece does, so that it may be cut off
    open: bool = False
    # what the last piece may go on with, for lines after it that begin with a sign: the tokens of
    # the first such line, of the first two, and so on
    tails: tuple[tuple[Token, ...], ...] = ()

    @property
    def line(self) -> int:
        """The source line where it begins."""
        return self.pieces[0].tokens[0].line


def parse(tokens: Sequence[Token]) -> Node | None:
    """The expression that all of the tokens make up, or None; an unknown is multiplied unseen."""
    parts: list[tuple[str, Numeral | None, bool]] = []
    end = -1
    for token in tokens:
        if token.text == UNKNOWN:
            parts += [("(", None, False), (token.text, token.numeral, False), (")", None, False)]
        else:
            parts.append((token.text, token.numeral, token.start != end))
        end = token.end
    return parse_tokens(parts)


def read_chains(lines: Sequence[Line]) -> list[Chain]:
    """The chains of an attempt in order."""
    return [chain for tokens, of_all in _joined(lines) for chain in _chains(tokens, of_all)]


def _joined(lines: Sequence[Line]) -> Iterator[tuple[list[Token], Chain]]:
    """The tokens of lines that are read as one, with what is true of every chain in them."""
    tokens: list[Token] = []
    asserted, shifts = True, False
    for index, line in enumerate(lines):
        tokens += in_signs(line.tokens)
        asserted, shifts = asserted and line.asserted, shifts or line.shifts
        following = lines[index + 1 : index + 1 + _MOST_TAILS]
        if following and _goes_on(tokens, following[0]):
            continue
        yield tokens, Chain((), asserted, shifts, not following, tuple(_tails(line, following)))
        tokens, asserted, shifts = [], True, False


def _goes_on(tokens: Sequence[Token], following: Line) -> bool:
    if not following.tokens or not tokens:
        return False
    if following.tokens[0].text == "=":
        return True
    return tokens[-1].text in ("=", "+", "×") and not following.item


def _tails(line: Line, following: Sequence[Line]) -> Iterator[tuple[Token, ...]]:
    """What a line may go on with: the calculations that the next lines begin with a sign for."""
    tail: list[Token] = []
    number = line.number
    for after in following:
        if not after.tokens or after.tokens[0].text not in "+-×/^)" or after.number > number + 1:
            return
        number = after.number
        run = list(takewhile(lambda token: token.numeral or token.text in _SIGNS, after.tokens))
        tail += run
        yield tuple(tail)
        if len(run) < len(after.tokens):
            return


def _chains(tokens: Sequence[Token], of_all: Chain) -> Iterator[Chain]:
    at = 0
    previous_equal = False
    while at < len(tokens):
        end, runs = _run(tokens, at)
        if runs:
            before = tokens[at - 1].text if at else ""
            after = tokens[end].text if end < len(tokens) else ""
            last = end >= len(tokens)
            pieces = _pieces(runs, before, after, previous_equal)
            if pieces:
                yield replace(
                    of_all,
                    pieces=pieces,
                    shifts=of_all.shifts or _in_table(tokens[at:end]),
                    open=last and of_all.open,
                    tails=of_all.tails if last else (),
                )
            previous_equal = len(runs) > 1
        elif tokens[at].text not in ("and", ","):
            previous_equal = False
        at = max(end, at + 1)


def _in_table(tokens: Sequence[Token]) -> bool:
    """Whether a cell and the next are read as an equation; a third may tell of zeros to add."""
    return any(token.text == "|" for token in tokens)


def _run(tokens: Sequence[Token], at: int) -> tuple[int, list[list[Token]]]:
    """The runs of numbers and signs from a place on, parted by "=", and where they end."""
    runs: list[list[Token]] = [[]]
    end = at
    while end < len(tokens):
        token = tokens[end]
        if token.numeral is not None or token.text in _SIGNS:
            if _starts_anew(runs[-1], token):
                break
            runs[-1].append(token)
        elif runs[-1] and (token.text == "=" or _means_equal(tokens, end, runs)):
            runs.append([])
        else:
            break
        end += 1
    while runs and not runs[-1]:
        runs.pop()
    return end, runs


def _starts_anew(run: Sequence[Token], token: Token) -> bool:
    """Whether two numbers, or a number and a spaced bracket, stand side by side."""
    if not run:
        return False
    before = run[-1]
    if token.text == UNKNOWN:
        return before.text == UNKNOWN
    if before.numeral is not None:
        return token.numeral is not None or (token.text == "(" and before.end != token.start)
    return before.text == ")" and token.numeral is not None


def _means_equal(tokens: Sequence[Token], at: int, runs: Sequence[Sequence[Token]]) -> bool:
    """Whether a word or an arrow between a calculation (a dash is none) and a number is "="."""
    if tokens[at].text not in EQUAL_WORDS or len(runs) > 1 or at + 1 >= len(tokens):
        return False
    following, beyond = tokens[at + 1].numeral, tokens[at + 2].text if at + 2 < len(tokens) else ""
    if following is None or len(following.digits) < 3 or beyond in _SIGNS | {"="}:
        return False
    if tokens[at].text == "|" and beyond not in ("|", ""):
        return False
    return any(t.text in "+×" or (t.text == "-" and t.end > t.start + 1) for t in runs[0])


def _pieces(
    runs: Sequence[Sequence[Token]], before: str, after: str, follows_equation: bool
) -> tuple[Piece, ...]:
    certain = _stands_alone(before, follows_equation)
    pieces: list[Piece] = []
    for index, run in enumerate(runs):
        tokens = _without_loose_brackets(run, index == 0, index == len(runs) - 1)
        sign = tokens[0].text if tokens and index == 0 and tokens[0].text in ("+", "-") else ""
        bullet = sign == "-" and not before and len(tokens) > 1 and _spaced(tokens)
        tokens = tokens[bool(sign) :]
        if not tokens:
            continue
        expression = parse(tokens) if len(tokens) <= _LONGEST_PIECE else None
        sure = index > 0 or (certain and (not sign or bullet))
        if index == len(runs) - 1:
            sure = sure and not _changes(after)
        pieces.append(Piece(tuple(tokens), expression, sure))
    return tuple(pieces)


def _spaced(tokens: Sequence[Token]) -> bool:
    return tokens[0].end < tokens[1].start


def _changes(after: str) -> bool:
    """Whether what follows a number makes it another one."""
    return after in _SCALES or (after in _SIGNS and after != "(") or after.isdigit()


def _stands_alone(before: str, follows_equation: bool) -> bool:
    if not before or before in _PUNCTUATION or before in _MAY_PRECEDE:
        return True
    return before == "and" and follows_equation


def _without_loose_brackets(run: Sequence[Token], is_first: bool, is_last: bool) -> list[Token]:
    """The run without a bracket that opened before it or closes after it."""
    depth = sum((token.text == "(") - (token.text == ")") for token in run)
    start, end = 0, len(run)
    while is_first and depth > 0 and start < end and run[start].text == "(":
        start, depth = start + 1, depth - 1
    while is_last and depth < 0 and start < end and run[end - 1].text == ")":
        end, depth = end - 1, depth + 1
    return list(run[start:end])
