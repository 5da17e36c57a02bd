"""Single numbers and words, as people dress them: units, percent, currency, number words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from feedback_friction.reading.mathematics.formula import FUNCTIONS, FormulaError, parse
from feedback_friction.reading.mathematics.nodes import Node, Number, Product
from feedback_friction.reading.number_words import NUMBER_WORDS, SCALES, number_words

_TEXT = re.compile(r"\\text ?\{([^{}]{0,200})\}")
_MATHS_IN_TEXT = re.compile(r"[\d\s.,()+\-/:%^]*\d[\d\s.,()+\-/:%^]*|\(?\s*[A-Za-z]\s*\)?")
_PERCENT = re.compile(r" ?(?:\\%|%|\\text ?\{ ?(?:percent|percentage|\\?%) ?\}|\bpercent)$")
_DEGREE = re.compile(r" ?\^ ?(?:\\circ(?![a-z])|\{ ?\\circ ?\})")
_ANGLE_FUNCTION = re.compile(r"\\?(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_UNIT_QUOTIENT = re.compile(
    r" ?\\frac ?\{ ?\\text ?\{([^{}\d]{1,40})\} ?\} ?\{ ?(?:\\text ?\{[^{}\d]{1,40}\}|[a-z])(?: ?\^"
    r" ?\{?\d\}?)? ?\}$"
)
_TEXT_LABEL = re.compile(
    r"\\text ?\{ ?(?:the |my |final |correct |our )*(?:answer|solution|result)(?: is)? ?:? ?\}"
    r" ?[:=]?(?=.)|(?:the |final )*(?:answer|solution|result)(?: is| ?:) ?(?=\S)",
    re.I,
)
_TEXT_UNIT = re.compile(r"\\text ?\{([^{}\d]{0,80})\}[ .]*(?:\^ ?\{?-?\d\}?)?[ .]*")
_EXPONENT = re.compile(r"\^ ?\{?-?\d\}?[ .]*$")
_HEDGE = re.compile(
    r"(?:\\approx|approximately|about|exactly|roughly|only|is)\s*(?=[\d\\.(-])", re.I
)
_LABELLED = re.compile(r"(?:graph|option|choice|figure|answer)[ :]*\(?([A-Z])\)?", re.I)
_ARTICLE = re.compile(r"^\s*(?:a|an|the) (?=[a-z])", re.I)
_COMMAND = re.compile(r"\\[A-Za-z]+")
_LATIN = re.compile(r"[A-Za-z]+")
_NOT_WORDING = re.compile(r"[\\^_{}=<>]|\d")

_UNIT_LETTERS = frozenset("msghLNJW")
_SHORT = "cm mm km ft in hr hrs min sec kg mg lb lbs oz ml mph kph sq cu yd mi hz kw a of to an"
_SHORT_UNITS = frozenset(_SHORT.split())
_OTHER = (
    "times plus minus over divided by more less than not squared cubed mod pi sqrt infinity half "
    "frac cdot if when where unless percent with without the each choose point factorial off"
    " short too"
)
_NOT_UNITS = frozenset(_OTHER.split()) | FUNCTIONS | NUMBER_WORDS
_MOST_UNIT_WORDS = 4
_TAIL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ./-")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A formula without its unit; ``percent`` where a percent sign followed it."""

    node: Node
    percent: bool = False


def only_text(text: str) -> str | None:
    """What a text says that is one text command and nothing else."""
    match = _TEXT.fullmatch(text.strip(" .,;"))
    return match[1] if match else None


def unwrapped(text: str) -> str:
    """The text with numerals and single letters freed from text commands: ``\\text{(113)}``."""
    label = _TEXT_LABEL.match(text)
    text = text[label.end() :].strip() if label else text
    return _TEXT.sub(lambda m: m[1] if _MATHS_IN_TEXT.fullmatch(m[1]) else m[0], text)


def without_text(text: str) -> str:
    """The text with the words of text commands standing free."""
    return _TEXT.sub(r"\1", text) if "\\text" in text else text


def wording(text: str) -> str:
    """Words as they are compared: without case, spaces, punctuation and text commands."""
    plain = without_text(text)
    labelled = _LABELLED.fullmatch(plain.strip(" ."))
    plain = _ARTICLE.sub("", labelled[1] if labelled else plain)
    plain = plain.casefold().replace("solutions", "solution")
    return "".join(char for char in plain if char not in " .,;!?\"'`*()")


def is_wording(text: str) -> bool:
    """Whether a text that is no formula is just words."""
    plain = without_text(text)
    return _NOT_WORDING.search(plain) is None and any(char.isalpha() for char in plain)


def spelled(text: str) -> Node | None:
    """The number that words spell."""
    value = number_words(text)
    return None if value is None else Number(value)


def symbol_letters(text: str) -> frozenset[str]:
    """Latin letters that stand in a formula as symbols."""
    plain = _COMMAND.sub(" ", _TEXT.sub(" ", text))
    return frozenset(char for char in plain if char.isalpha())


def read_number(text: str, letters: frozenset[str]) -> Scalar | None:
    """The formula in a text, freed of units, percent and degree signs; None if there is none.

    Args:
        text: cleaned text without relations and lists.
        letters: letters that are symbols in this problem, and therefore not units.
    """
    text = _HEDGE.sub("", text, count=1) if _HEDGE.match(text) else text
    percent = _PERCENT.search(text)
    if percent is not None:
        node = _formula(text[: percent.start()])
        return None if node is None else Scalar(node, percent=True)
    if "circ" in text and "\\pi" not in text and _ANGLE_FUNCTION.search(text) is None:
        text = _DEGREE.sub("", text)
    labelled = _LABELLED.fullmatch(without_text(text))
    if labelled is not None:
        text = labelled[1]
    plain = without_text(text)
    if plain.strip().lower() in NUMBER_WORDS and not set(plain) <= letters:
        node = spelled(plain)  # "one" is no product of o, n and e
    else:
        node = _with_unit(text, letters) or _formula(text) or spelled(plain)
    return None if node is None else Scalar(node)


def _formula(text: str) -> Node | None:
    try:
        return parse(text)
    except FormulaError:
        return None


def _with_unit(text: str, letters: frozenset[str]) -> Node | None:
    """The formula before a unit, if a unit ends the text."""
    head, scale = _before_text_unit(text)
    if head == text:
        head, scale = _before_words(text, letters)
    if head == text or not head:
        return None
    node = _formula(head)
    if node is None:
        return None
    return node if scale == 1 else Product(((False, node), (False, Number(Fraction(scale)))))


def _before_text_unit(text: str) -> tuple[str, int]:
    quotient = _UNIT_QUOTIENT.search(text)
    head, scale = (text[: quotient.start()] if quotient else text), 1
    while (at := head.rfind("\\text")) > 0:
        match = _TEXT_UNIT.fullmatch(head, at)
        if match is None or _NOT_UNITS & set(match[1].lower().split()) - set(SCALES):
            break
        for word in match[1].lower().split():
            scale *= SCALES.get(word, 1)
        head = head[:at].rstrip(" /\\cdot") if head[:at].rstrip().endswith("\\cdot") else head[:at]
        head = head.rstrip(" /")
    return head, scale


def _before_words(text: str, letters: frozenset[str]) -> tuple[str, int]:
    """What stands before words that can only be a unit: ``204 minutes``, ``5 cm^2``."""
    stripped = _EXPONENT.sub("", text) if text[-1:].isdigit() or text[-1:] == "}" else text
    at = len(stripped)
    while at and stripped[at - 1] in _TAIL:
        at -= 1
    words, head = _LATIN.findall(stripped[at:]), stripped[:at]
    if not 1 <= len(words) <= _MOST_UNIT_WORDS or not head or head[-1] not in "0123456789})]!":
        return text, 1
    glued = stripped[at].isalpha()
    if not all(_is_unit(word, glued and k == 0, letters) for k, word in enumerate(words)):
        return text, 1
    if stripped != text and len(words) > 2:
        return text, 1
    scale = 1
    for word in words:
        scale *= SCALES.get(word.lower(), 1)
    return head, scale


def _is_unit(word: str, glued: bool, letters: frozenset[str]) -> bool:
    low = word.lower()
    if low in SCALES:
        return not glued
    if low in _NOT_UNITS or set(word) <= letters:
        return False
    if low in _SHORT_UNITS:
        return len(low) > 1 or not glued
    if len(word) == 1:
        return word in _UNIT_LETTERS and not glued
    return len(word) > 2 and word.islower() and not glued
