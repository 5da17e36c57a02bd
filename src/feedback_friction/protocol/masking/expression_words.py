"""A gold answer as a mask looks for it: what equals it, where it may stand by chance, and in words.

In words are spelled numbers and formulas, ratios, and answers that are words themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

from feedback_friction.protocol.masking.gate import MASK, Match
from feedback_friction.protocol.masking.innocent import is_called, is_innocent
from feedback_friction.reading.labels import is_label
from feedback_friction.reading.mathematics import answer as answers
from feedback_friction.reading.mathematics import scalar
from feedback_friction.reading.mathematics.answer import Answer, Context
from feedback_friction.reading.mathematics.equality import alike
from feedback_friction.reading.mathematics.nodes import Sum
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.mathematics.reals import IN_WORDS, in_words
from feedback_friction.reading.mathematics.units import with_unit
from feedback_friction.reading.number_words import (
    NUMBER_WORDS,
    ORDINALS,
    number_words,
    roman,
    spelled_numbers,
)

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
        return alike(self.gold, read(text, self.context))

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


# --- in words -------------------------------------------------------------------------------------

_SIGNED_NUMERAL = re.compile(
    r"(?<![\d)$}] )\b(?:negative|minus)\s+(\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?)(?![\w.,]*\d)"
)
_COMPOUND = re.compile(r"-(?!year)[A-Za-z]")
_AGE = re.compile(r"(?<![\w.,])(\d+)(?:-years?\b|yo\b|yrs?\b)")
_PERCENT = re.compile(r"[ -]?(?:percent|per cent|\\?%)")
_STATED_HALF = re.compile(
    r"\b(?:is|are|be|equals|equal to|exactly|answer:?|probability of|gives)[ *_]{1,3}(half)\b"
    r"(?![ -][a-z])",
    re.I,
)
_HALF_A = re.compile(r"\bhalf an? ([a-z]{3,})\b", re.I)
_WAYS = "(?:ways?|chances?|times|cases|outcomes|possibilities)"
_RATIO = re.compile(
    r"(?<![\w.:/^{])(\d{1,9})(?:\s?:\s?|"
    rf"\s(?:(?:{_WAYS}\s)?out of|in|to|over)\s)(\d{{1,9}})"
    r"(?![\w:/^]|[.,]\d)"
)
_ANY_WORD = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_COUNT = rf"(?:{_ANY_WORD})(?:[ -](?:{_ANY_WORD})){{0,3}}"
_WORD_RATIO = re.compile(
    rf"\b({_COUNT})\s(?:in|(?:{_WAYS}\s)?out of|to|chance in)\s(?:every\s)?({_COUNT})\b(?!-)", re.I
)
# Numbers in pairs: what must be there, the pattern, and what a pair is worth.
_ONE = rf"({_COUNT}|\d{{1,6}})"
_PAIRS = (
    ("choose", rf"\b{_ONE} choose {_ONE}\b", "\\binom{{{}}}{{{}}}"),
    ("C", r"(?<![A-Za-z\\])n?Cr?\s?\(\s?(\d+)\s?,\s?(\d+)\s?\)", "\\binom{{{}}}{{{}}}"),
    ("C_", r"(?:\{\})?[_^]\{?(\d+)\}?\s?C_\{?(\d+)\}?", "\\binom{{{}}}{{{}}}"),
    ("cent", rf"\b{_ONE} dollars?,?(?: and)? {_ONE} cents?\b", "{}+{}/100"),
)
_FIFTY_FIFTY = re.compile(r"(?<![\w.,/-])(?:fifty[- ]fifty|50[-/ ]50)(?![\w/-]|[.,]\d)", re.I)
_ORDINAL = re.compile(
    rf"(?<![\w.,/-])(?:(\d{{1,9}})(?:st|nd|rd|th)|(?i:the\s)(?P<word>{'|'.join(ORDINALS)}))"
    r"(?:(?=\s{0,2}(?:[.!?)*\n]|$))|(?=\s(?P<noun>[A-Za-z]+)))"
)
_QUANTITY = re.compile(r"(?<![\w.,])\d[\d.,]*(?=\s?[A-Za-z])")
_SPOKEN = {
    "plus": "+", "minus": "-", "negative": "-", "times": "\\cdot ", "over": "/", "squared": "^{2}",
    "cubed": "^{3}", "pi": "\\pi ", "the": "", "multiplied by": "\\cdot ", "divided by": "/",
    "twice": "2\\cdot ", "square root of": "\\sqrt", "root": "\\sqrt", "cube root of": "\\sqrt[3]",
    "to the power of": "^", "power": "", "half of": "\\frac{1}{2}",
    **{f"to the {word}": f"^{{{at}}}" for at, word in enumerate(ORDINALS, 1)},
}  # fmt: skip
_SPOKEN_WORD = re.compile(
    rf"(?:{'|'.join(sorted(_SPOKEN, key=len, reverse=True))}|[A-Za-z]+"
    r"|\d+(?:,\d{3})*(?:\.\d+)?|\\pi|π)(?![A-Za-z])",
    re.I,
)
_SPOKEN_GLUE = re.compile(r"[ \n-]{1,2}|\$? ?\$?")
_MOST_SPOKEN = 24

_STATED_BEFORE = re.compile(
    r"(?:\b(?:is|be|are|says?|answer|choose|choosing|pick|select|graph|option|choice|letter|figure"
    r"|labell?ed)\s*:?|[:=])\s*[*_\"'({$\\]{0,4}$",
    re.I,
)
_OPENED = re.compile(r"(?:[{$*\"'(\[`_]|\\\()\s?$")
_CLOSED = re.compile(r"\s?(?:[}$*\"')\]`_]|\\\))")
_ENDED = re.compile(r"\s*(?:[.,;:!?)}\]*\"'`$\\]|\n|$)|\s+is (?:the )?(?:correct|right|answer)")
_NAMED = re.compile(
    r"(?:graph|option|choice|letter|figure|labell?ed)\s*:?\s*[*_\"'({$\\]{0,4}$", re.I
)
_BETWEEN = r"[\s.,:;~\\'{}()*_-]{0,6}(?:\\text[a-z]{0,2}\s?\{)?\s{0,2}"
_COMMON_WORDS = frozenset(
    ("yes", "no", "true", "false", "none", "even", "odd", "all", "neither", "both", "zero", "one")
)
_TIME = re.compile(r"\d{1,2}:\d{2}")


def find_numbers(text: str, target: Target) -> Iterator[Match]:
    """Numbers in any other form than digits: words, ordinals, Roman numerals, ratios, units."""
    for start, end, said, form in _numbers(text, target):
        label = form == "words" and target.is_label(text, start, end)
        if not (label or (form == "words" and is_innocent(text, start, end))) and target.hits(said):
            yield start, end, form


def _numbers(text: str, target: Target) -> Iterator[tuple[int, int, str, str]]:
    """Numbers that may be gold: start, end, as a formula, and the form."""
    for match in _QUANTITY.finditer(text) if target.context.unit else ():
        end = with_unit(text, match.end())
        if end > match.end():  # "1500 m" for 1.5 km
            yield match.start(), end, text[match.start() : end], "unit"
    if ":" in target.gold.source:
        yield from _ratios(text, ":")
    if target.number is None:
        return
    for needle, pattern, formula in _PAIRS:
        for match in re.finditer(pattern, text, re.I) if needle in text else ():
            yield *match.span(), formula.format(*map(_value, match.groups())), "pair"
    for match in _SIGNED_NUMERAL.finditer(text) if target.number < 0 else ():
        yield *match.span(), f"-{match[1]}", "signed"
    for start, end, value in spelled_numbers(text):
        yield from _spelled(text, start, end, value)
    if target.is_whole:
        yield from _whole_numbers(text, target.number, target.context.asked)
    if not target.is_whole or target.gold.kind is answers.Kind.PERCENT:
        yield from _ratios(text, "/")
        yield from _halves(text, target.context.asked)


def _spelled(
    text: str, start: int, end: int, value: Fraction
) -> Iterator[tuple[int, int, str, str]]:
    """The readings of a number in words: "three quarters", "seventy-five percent"."""
    if _COMPOUND.match(text, end):
        return
    if percent := _PERCENT.match(text, end):
        yield start, percent.end(), f"({value})\\%", "percent"
    yield start, end, str(value), "words"
    if start and text[start:end].lower().startswith("minus"):
        yield start + len("minus") + 1, end, str(-value), "words"


def _whole_numbers(text: str, number: Fraction, asked: str) -> Iterator[tuple[int, int, str, str]]:
    """Ordinals, where what they rank is asked for, and the number in Roman numerals."""
    for match in _AGE.finditer(text):
        yield *match.span(1), match[1], "age"
    for match in _ORDINAL.finditer(text):
        rank = int(match[1]) if match[1] else ORDINALS.index(match["word"]) + 1
        noun = (match["noun"] or "").lower()
        if match[1] and noun in ("one", "number", "is"):  # "the 7th one"; not "the first one"
            noun = ""
        if not noun or (len(noun) > 2 and noun in asked.lower()):
            yield *match.span(), str(rank), "ordinal"
    numeral = roman(int(number))
    if len(numeral) > 1 and numeral in text:  # single letters name things
        for match in re.finditer(rf"(?<![\w.'-]){numeral}(?![\w'-])", text):
            if not is_called(text, match.start()):
                yield *match.span(), str(number), "roman"


def _value(said: str) -> Fraction | None:
    """What digits or words are worth."""
    return Fraction(said) if said.isdecimal() else number_words(said)


def _ratios(text: str, sign: str) -> Iterator[tuple[int, int, str, str]]:
    """Fractions as "3:4", "3 out of 4", "three in four", with a sign between the two numbers."""
    for pattern in (_RATIO, _WORD_RATIO):
        for match in pattern.finditer(text):
            above, below = map(_value, match.groups())
            if above is not None and below:
                part = above / below
                yield *match.span(), f"{part.numerator}{sign}{part.denominator}", "ratio"


def _halves(text: str, asked: str) -> Iterator[tuple[int, int, str, str]]:
    """One half as "fifty-fifty", and as "half" where it is stated."""
    for pattern in (_FIFTY_FIFTY, _STATED_HALF):
        for match in pattern.finditer(text):
            yield *match.span(match.lastindex or 0), "1/2", "half"
    for match in _HALF_A.finditer(text):
        if match[1].lower() in asked.lower():  # "How many grams": "half a gram"
            yield *match.span(), "1/2", "half"


_ASSIGNED = re.compile(
    r"\b([a-z]) (?:is|equals) (-?\d[\d./]*)(?:,| and|, and)+ ([a-z]) (?:is|equals)"
    r" (-?\d+(?:[./]\d+)?)"
)
_OTHER_ONE = re.compile(
    r"\bone(?: of them)?(?: \w+)? (?:is|=|equals) (-?\d[\d./]*)(?:,|;| and|, and)+"
    r" the (?:other|second)(?: one| \w+)??(?: is| =| equals)? (-?\d+(?:[./]\d+)?)",
    re.I,
)


def find_several(text: str, target: Target) -> Iterator[Match]:
    """Several in words: "all reals except 2", "x is 3 and y is 4", "one is 1, the other 2"."""
    if not target.gold.parts:
        return
    for found in IN_WORDS.finditer(text):
        if (found["all"] or found["sign"]) and target.hits(in_words(found)):
            yield *found.span(), "set"
    for pattern, formula in ((_ASSIGNED, "{}={}, {}={}"), (_OTHER_ONE, "{}, {}")):
        for found in pattern.finditer(text):
            if target.hits(formula.format(*found.groups())):
                yield *found.span(), "list"


def find_spoken(text: str, target: Target) -> Iterator[Match]:
    """Formulas read aloud: "two times the square root of three", "pi over 4", "100 plus 13"."""
    if target.gold.value is None:
        return
    for run in _spoken_runs(text):
        words = [match[0].lower() for match in run]
        signs = [at for at, word in enumerate(words) if word in _SPOKEN and word != "the"]
        unfinished = words[-1] in ("the", "half of")
        if not signs or unfinished or len(run) == 1 or len(run) > _MOST_SPOKEN:
            continue
        formula = _as_formula(words)
        if formula and target.hits(formula):
            yield run[0].start(), run[-1].end(), "words"


def _spoken_runs(text: str) -> Iterator[list[re.Match[str]]]:
    run: list[re.Match[str]] = []
    for match in _SPOKEN_WORD.finditer(text):
        low = match[0].lower()
        spoken = low in _SPOKEN or low in NUMBER_WORDS or not low.isalpha()
        variable = len(low) == 1 and low not in "ai"
        joins = low == "and" and run and run[-1][0].lower() in ("hundred", "thousand", "million")
        takes = spoken or variable or joins
        glued = run and _SPOKEN_GLUE.fullmatch(text, run[-1].end(), match.start())
        if run and not (takes and glued):
            yield run
            run = []
        run += [match] if takes else []
    if run:
        yield run


def _as_formula(words: list[str]) -> str | None:
    """The formula that words say; words of one number stand together."""
    parts: list[str] = []
    number: list[str] = []
    for word in [*words, "the"]:
        if word in NUMBER_WORDS or (word == "and" and number):
            number.append(word)
            continue
        if number:
            value = number_words(" ".join(number))
            if value is None:
                return None
            parts.append(f"{{{value}}}")
            number = []
        if word == "and":
            return None
        parts.append(_SPOKEN.get(word, f"{{{word}}}"))
    return "".join(parts)


@lru_cache(maxsize=256)
def _wording_pattern(gold: str) -> re.Pattern[str]:
    words = re.findall(r"[A-Za-z]+|\d+(?::\d+)?|[^\sA-Za-z\d.,:;~\\'{}()*_-]", gold)
    single = len(words) == 1 and len(words[0]) == 1
    body = _BETWEEN.join(re.sub("solutions?$", "solutions?", re.escape(word)) for word in words)
    if _TIME.fullmatch(words[0]):
        body = f"{re.escape(words[0])}(?:{_BETWEEN}{_BETWEEN.join(map(re.escape, words[1:]))}\\.?)?"
    flags = re.NOFLAG if single else re.IGNORECASE
    after = r"(?![A-Za-z0-9]|'[a-z]|\s?[-=+^_*/(](?!\*))" if single else r"(?![A-Za-z0-9])"
    return re.compile(rf"(?<![A-Za-z0-9\\]){body}{after}", flags)


@lru_cache(maxsize=256)
def _literal_pattern(gold: str) -> re.Pattern[str]:
    pieces = re.findall(r"\\[A-Za-z]+|\d+(?:\.\d+)?|[A-Za-z]|\S", gold)
    body = r"\s{0,3}".join(re.escape(piece) for piece in pieces)
    return re.compile(rf"(?<![A-Za-z0-9\\]){body}(?![A-Za-z0-9])")


def find_literal(text: str, target: Target) -> Iterator[Match]:
    """An answer of several parts, or one that is not understood, as the data set writes it."""
    if len(target.gold.source) > 1 and (target.gold.parts or target.gold.value is None):
        for match in _literal_pattern(target.gold.source).finditer(text):
            yield match.start(), match.end(), "literal"


def find_wording(text: str, target: Target) -> Iterator[Match]:
    """An answer that is words or a letter, wherever it is written or (if common) stated."""
    gold = target.letter or scalar.without_text(target.gold.source)
    if not any(char.isalnum() for char in gold):
        return
    common = target.letter is not None or gold.strip(" .()").lower() in _COMMON_WORDS
    for match in _wording_pattern(gold).finditer(text):
        if not common or _is_stated(text, match.start(), match.end()):
            yield match.start(), match.end(), "text"


def _is_stated(text: str, start: int, end: int) -> bool:
    """Whether a common word or a letter stands as an answer would."""
    before = text[max(0, start - 24) : start]
    if _OPENED.search(before) and _CLOSED.match(text, end):
        return True
    if _NAMED.search(before):
        return True
    return bool(_STATED_BEFORE.search(before) and _ENDED.match(text, end))
