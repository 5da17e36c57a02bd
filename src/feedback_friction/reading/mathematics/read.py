"""What a stated answer says: numbers, formulas, sets, intervals, matrices, equations, words.

``read`` turns the text of an answer into an ``Answer``, whose ``key`` is equal for texts that
cheaply prove to mean the same: ``\\frac12``, ``0.5`` and ``1/2`` all have the key ``"1/2"``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from feedback_friction.reading.mathematics import latex, reals, scalar
from feedback_friction.reading.mathematics.answer import (
    NO_CONTEXT,
    Answer,
    Context,
    Kind,
    Value,
    bounded,
)
from feedback_friction.reading.mathematics.structures import Reader, stripped, valued, words
from feedback_friction.reading.mathematics.units import apart, names_unit, unit_of
from feedback_friction.reading.number_words import number_words, numeral_value

MAX_LENGTH = 2000

# Where an answer holds: "x + 1, x \ne 2", "2n + 1, where n is an integer". It is no part of it.
_CONDITION = re.compile(
    r"""
    (?<=\S)\s*
    (?: , \s* | (?:,\s*)? (?:\\text\s?\{\s*)? \b(?:for|where|when|if|with|provided(?:\sthat)?)\b
        (?:\s(?:all|any|every|some))? \s*\}?\s* )
    \$? (?: [A-Za-z] \s*(?:\\neq?(?![a-z])|≠|!=) \s* -?[\w.\\{}/]{1,40}
      | (?:integer\s)?[A-Za-z]\s(?:is|\\in)\s(?:an?\s|any\s)?
        (?:\w+\s)?(?:integer|number|constant|\\mathbb\{?[ZNRQ]\}?) )
    \$? [\s.]* $
    """,
    re.VERBOSE,
)


# "]1, 2]" is (1, 2]
_OUTWARD = re.compile(
    r"(?:(?<![\w)\]}])|(?<=cup)|(?<=\\in))(?:\\left"
    r" ?)?(?P<low>[\[\]])(?P<ends>[^\[\](),;=]{1,60}[,;][^\[\](),;=]{1,60}?)"
    r"(?:\\right ?)?(?P<high>[\[\]])"
)
_UNIT_VECTOR = re.compile(
    r"\\(?:math(?:bf|rm)|textbf|boldsymbol|bm|(?:wide)?hat|vec) ?\{?\s?"
    r"(?:\\(?:mathbf|hat) ?\{\s?)?\\?([ijk])(?:math)?(?![a-z]) ?\}{0,2}"
)
_COMPONENT = r"\s*([+-]?[^+\-ijk,=]{0,40})"
_COMPONENTS = re.compile(
    rf"[\s$]*(?:\S{{1,20}}\s?=)?{_COMPONENT}i{_COMPONENT}j(?:{_COMPONENT}k)?[\s.$]*"
)
_TRANSPOSED = re.compile(r"(?<=[)\]])\s?\^\s?\{?\s?(?:T|\\top)(?![A-Za-z])\s?\}?(?=[\s.$]*$)")
# "100 °C" where a number is asked for.
_TEMPERATURE = re.compile(
    r"(?<=\d)\s*(?:\\,)?(?:°|\^\s?\{?\s?\\circ\s?\}?)\s?(?:\\(?:text"
    r"|mathrm)\s?\{)?\s?[CF]\s?\}?(?=[\s.$)]*$)"
)
# A decimal comma where one number is asked for: one or two digits after it, or more than three.
_COMMA = re.compile(r"(?<![\d.,])(\d{1,12}),(\d{1,2}|\d{4,12})(?=\D*$)(?![,.])")
_IN_BRACKETS = re.compile(r"(?:\\left)?\((\d{1,3}(?:,\d{3})+)(?:\\right)?\)")  # no pair there
_TWICE = re.compile(r"\s*(\d{1,3}(?:,\d{3})+|\d{1,15})\s?\(([A-Za-z][A-Za-z -]{1,80})\)[\s.]*")


@lru_cache(maxsize=8192)
def read(text: str, context: Context = NO_CONTEXT) -> Answer:
    """Read the text of an answer; text that is not understood becomes words or a raw answer.

    Args:
        text: LaTeX, plain or mixed notation, as it was stated. Beyond ``MAX_LENGTH`` characters
            it is not read.
        context: what the gold answer tells about the others.
    """
    if len(text) > MAX_LENGTH:
        return Answer(Kind.RAW, bounded(text), text[:MAX_LENGTH])
    twice = _TWICE.fullmatch(text)
    if twice and number_words(twice[2]) == Fraction(twice[1].replace(",", "")):
        text = twice[1]
    if not context.words and (said := _real_set(text)):
        text = said
    if context.whole and (numeral := numeral_value(scalar.without_text(text).strip(" .$*"))):
        text = str(numeral)
    text = apart(text) if context.unit else text
    if context.number and "," in text:
        text = _COMMA.sub(r"\1.\2", _IN_BRACKETS.sub(r"\1", text))
    if context.number:
        text = _TEMPERATURE.sub("", text)
    if "]" in text or "[" in text:
        text = _OUTWARD.sub(
            lambda m: m[1].replace("]", "(") + m["ends"] + m["high"].replace("[", ")"), text
        )
    text = _TRANSPOSED.sub("", _vector(text) if "j" in text else text)
    cleaned = stripped(latex.clean(_CONDITION.sub("", text)))
    if context.words:
        return words(cleaned)
    return Reader(context).shape(scalar.unwrapped(cleaned), 0)


def _vector(text: str) -> str:
    """The components of ``4\\mathbf{i} - \\mathbf{j} + 2\\mathbf{k}`` in brackets; else the"
    " text."""
    plain = _UNIT_VECTOR.sub(r"\1", text.replace("\\,", " "))
    vector = _COMPONENTS.fullmatch(plain)
    if vector is None or (plain == text and vector[3] is None):
        return text
    parts = [part.strip("+ ") for part in vector.groups() if part is not None]
    return f"({','.join(part if part.strip('-') else f'{part}1' for part in parts)})"


def _real_set(text: str) -> str:
    """The set of reals that a whole text names in words, in signs; "" for another text."""
    said = reals.IN_WORDS.fullmatch(scalar.without_text(text).strip(" .$"))
    return reals.in_words(said) if said else ""


def read_gold(text: str, asked: str = "") -> Answer:
    """Read a gold answer: one that is a single text command says words, not symbols."""
    cleaned = latex.clean(text)
    inner = scalar.only_text(cleaned)
    if inner is not None and _real_set(inner):
        return read(inner)
    if inner is not None and sum(char.isalpha() for char in inner) > 1:
        value = scalar.spelled(inner)
        return words(cleaned) if value is None else valued(Value(value), cleaned)
    plain = read(text)
    if "=" not in text or plain.kind in (Kind.SET, Kind.LIST, Kind.TUPLE):
        return plain
    equation = read(text, Context(equation=True, asked=asked))
    return equation if equation.kind is Kind.EQUATION else plain


@lru_cache(maxsize=1024)
def context_of(gold: str, question: str = "") -> tuple[Answer, Context]:
    """The gold answer as read, and how to read other answers to the same problem."""
    asked = "".join(latex.clean(question).split()) if question else ""
    answer = read_gold(gold, asked)
    in_words = answer.kind is Kind.TEXT
    value = answer.value.rational if answer.value and answer.kind is Kind.VALUE else None
    whole = value is not None and value.denominator == 1
    unit = value is not None and unit_of(answer.source) is not None
    letters = frozenset() if in_words or unit else scalar.symbol_letters(answer.source)
    if unit and names_unit(question, answer.source):
        answer, unit = replace(answer, in_unit=True), False
    number = value is not None or answer.kind is Kind.PERCENT
    return answer, Context(
        letters, in_words, answer.kind is Kind.EQUATION, number, whole, unit, asked
    )
