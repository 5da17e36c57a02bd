"""Calculations in words, put into signs: "multiply 365 by 12" becomes "365 × 12"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from feedback_friction.tasks.tutor.arithmetic import Token

# Between a calculation and a number these say "=".
EQUAL_WORDS = frozenset(["is", "gives", "give", "yields", "equals", "makes", "get", "→", ":", "|"])

_MULTIPLY = ("multiply", "multiplying", "multiplied", "product")
_ADD = ("add", "adding", "sum")
_AS = ("into", "as")
_BY = ("by", "and", "with")
_LINKS = frozenset(["to", "we", "which", "this", "that", "you", "i", "it", "us", "and", ","])
_ARTICLES = frozenset(["the", "digit", "its", "of"])
_MOST_LINKS = 4


def in_signs(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of a line with "×", "+" and an equal word where words said so.

    "multiply A by the digit d", "the product of A and B": ×. "add A, B and C", "the sum of A and
    B": +, if a value follows. ", which is", ", to get": the verb alone.
    """
    signed: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        find = _PHRASES.get(token.text)
        found = find(tokens, at + 1) if find else None
        if found is not None:
            phrase, at = found
            signed += [token, *phrase]
        elif token.text in _AS and _splits(tokens, at):
            signed.append(replace(token, text="="))
            at += 1
        else:
            after_links = _verb_after(tokens, at) if token.text in _LINKS else at
            signed.append(tokens[after_links])
            at = after_links + 1
    return signed


def _splits(tokens: Sequence[Token], at: int) -> bool:
    """Whether "into" or "as" stands between a number and a sum."""
    if not 0 < at < len(tokens) - 2 or tokens[at - 1].numeral is None:
        return False
    return tokens[at + 1].numeral is not None and tokens[at + 2].text in ("+", "-")


def _pair(tokens: Sequence[Token], at: int) -> tuple[list[Token], int] | None:
    """ "A by B", "of A and B" from a place on, as "A × B", and where it ends."""
    at = _skip(tokens, at, _ARTICLES)
    if at + 1 >= len(tokens) or tokens[at].numeral is None or tokens[at + 1].text not in _BY:
        return None
    joint = at + 1
    second = _skip(tokens, joint + 1, _ARTICLES)
    if second >= len(tokens) or tokens[second].numeral is None:
        return None
    return [tokens[at], replace(tokens[joint], text="×"), tokens[second]], second + 1


def _list(tokens: Sequence[Token], at: int) -> tuple[list[Token], int] | None:
    """ "A, B and C" from a place on, as "A + B + C", where a value follows it."""
    at = _skip(tokens, at, _ARTICLES)
    phrase: list[Token] = []
    while at < len(tokens) and tokens[at].numeral is not None:
        phrase.append(tokens[at])
        joint = _skip(tokens, at + 1, frozenset({",", "and", "to", "with"}))
        if joint == at + 1 or joint >= len(tokens) or tokens[joint].numeral is None:
            at += 1
            break
        phrase.append(replace(tokens[at + 1], text="+"))
        at = joint
    verb = _verb_after(tokens, at)
    value_follows = verb < len(tokens) and (tokens[verb].text in EQUAL_WORDS | {"="})
    return (phrase, at) if len(phrase) > 2 and value_follows else None


def _verb_after(tokens: Sequence[Token], at: int) -> int:
    """The place of an equal word with a number after it, a few linking words on; else ``at``."""
    verb = _skip(tokens, at, _LINKS)
    if verb + 1 < len(tokens) and verb - at <= _MOST_LINKS:
        is_verb = tokens[verb].text in EQUAL_WORDS - {":", "|"}
        if is_verb and tokens[verb + 1].numeral is not None:
            return verb
    return at


def _skip(tokens: Sequence[Token], at: int, words: frozenset[str]) -> int:
    """The first place from ``at`` on without one of the words."""
    end = min(len(tokens), at + _MOST_LINKS + 1)
    while at < end and tokens[at].text in words:
        at += 1
    return at


_PHRASES = dict.fromkeys(_MULTIPLY, _pair) | dict.fromkeys(_ADD, _list)
