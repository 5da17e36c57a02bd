"""The option that is left where a reply calls all others wrong, and which ones it calls so."""

from __future__ import annotations

import re

from feedback_friction.reading.number_words import SMALL_NUMBERS
from feedback_friction.reading.option_texts import Options

_FAR = 3000  # characters of a reply's end that are read for judgements on all options
# Right before a letter, it says that the option is not the answer.
DENIED_BEFORE = re.compile(
    r"(?:\b(?:not|never|neither|nor|nothing)|n't)\s(?:(?!\b(?:but|so)\b|,\s(?:it|that)\b)[^.;]){0,24}$",
    re.I,
)

_LISTED = r"(?:(?:option|choice|answer)s?\s)?\(?[A-Z]\)?(?![A-Za-z0-9_'])"
_LIST = (
    rf"{_LISTED}(?:(?:\s?,\s?(?:and\s|or\s|nor\s)?|\s(?:and|or|nor|to|through)\s|/|\s?-\s?)"
    rf"{_LISTED}){{0,9}}"
)
_MANY = r"(?:first|last|top|bottom)\s(?:two|three|four|five)"
_BAD = (
    r"(?:incorrect|wrong|false|eliminated|ruled\sout|excluded|not\s(?:correct|right|true|the)"
    r"|correct(?<=not\sbe correct)|out\b)"
)
_ELIMINATED = re.compile(
    r"(?:\b(?:eliminat\w+|(?:rul|cross|str[iu][kc]|scratch)\w*\so(?:ut|ff)|exclud\w+|discard\w*|reject\w*"
    r"|dismiss\w*|drop|ignore|not|neither|none\sof|can(?:not|'t)\sbe)|\b(?:is|are|was)n't)\s"
    r"(?:the\s|options?\s|choices?\s|both\s)*"
    rf"(?P<after>{_LIST}|{_MANY}"
    r"(?:\s(?:options|choices|answers|ones)\b|(?=[.,;!]|\s(?:works?|fits?|holds?|is|are)\b|$)))"
    rf"|(?<![A-Za-z0-9])(?P<before>{_LIST}|{_MANY})\s(?:(?:is|are|can\sbe|cannot\sbe|can't\sbe|must\sbe"
    rf"|seem)\s?(?:all\s|both\s|clearly\s|also\s)*{_BAD}|fails?\b"
    r"|(?:is|are)n't\s(?:right|correct|it)\b|do(?:es)?(?:\snot|n't)\s(?:fit|work|apply|hold|match)\b)"
    rf"(?:,?\s(?:and\s|but\s)?so\s(?:is|are)\s(?P<so>{_LIST}))?"
    rf"|\bneither\s(?P<neither>{_LIST})\s(?:is|fits?|works?|holds?)\b",
    re.I,
)
_ALL_BUT = re.compile(
    r"""
    (?i: \b(?:eliminat\w+|rul\w+\sout|exclud\w+|discard\w*|reject\w*|dismiss\w*|cross\w*\sout)
       \s(?:all|every\w*|any\w*) (?:\s(?:the|other|of))* (?:\s(?:options?|choices?|answers?))?
       \s(?:except|but|besides|other\sthan|apart\sfrom)(?:\sfor)?(?:\s(?:option|choice))?\s )
      \(?(?P<kept>[A-Z])(?![A-Za-z]|\)?,?\s(?:and|or)\s\(?[A-Z]\b)
    | (?i: \bnone\s (?:of\sthe\sothers?\b[^.,;\n]{0,30}\s(?:except|but)(?:\sfor)?
       |(?:of\sthem\s)?but)\s )
      \(?(?P<save>[A-Z])(?![A-Za-z])
    | (?i: \b(?:all|every\w*|any\w*)\b (?:\s(?:the|other|of))* (?:\s(?:options?|choices?|answers?))?
       \s(?:except|but|besides|other\sthan|apart\sfrom)(?:\sfor)?(?:\s(?:option|choice))?\s )
      \(?(?P<but>[A-Z])\)? (?i: \s[^.\n]{0,30}
       \b(?:wrong|incorrect|false|eliminated|excluded|ruled\sout|fails?) )
    | (?i: \bonly\s(?:option\s|choice\s)? ) \(?(?P<only>[A-Z])\)?
      \s(?i: fits|works|remains|matches|holds|satisf\w+|makes\ssense
        |is\san?(?=\s[^.\n]{1,60}\.?\s*\Z)
        |(?:is|can\sbe|must\sbe)\s(?:correct|right|left|true|consistent|possible|plausible)) \b
    """,
    re.VERBOSE,
)
_LETTER = re.compile(r"[A-Z](?<![A-Za-z0-9][A-Z])(?![A-Za-z0-9_'])")
_KEPT = re.compile(r"(?:\b(?:not|never|cannot)|n't)\s(?:\w+\s)?$", re.I)
_RANGE = re.compile(r"([A-Z])\)?(?:\s(?:to|through)\s|\s?-\s?)\(?([A-Z])(?![A-Za-z])")
_FEW = re.compile(r"[tpm]\s(?:two|three|four|five)\b")  # the first three, the last two


def eliminated(text: str, options: Options) -> tuple[frozenset[str], list[tuple[int, int]]]:
    """The letters that a text calls wrong, and the lists in which it does."""
    letters: set[str] = set()
    spans = []
    for found in _ELIMINATED.finditer(text):
        if found["after"] and _KEPT.search(text, max(0, found.start() - 20), found.start()):
            continue  # "you cannot eliminate A"
        for group in (name for name, said in found.groupdict().items() if said):
            letters |= _listed(found[group], options.letters)
            spans.append(found.span(group))
    return frozenset(letters), spans


def _listed(text: str, letters: str) -> set[str]:
    """The letters of a list: "A, C and D", "B through D", "the first three options"."""
    if many := re.match(r"(first|last|top|bottom)\s(\w+)", text, re.I):
        count = SMALL_NUMBERS.index(many[2].lower())
        return set(letters[:count] if many[1].lower() in ("first", "top") else letters[-count:])
    named = [one for one in _LETTER.findall(text) if one in letters]
    for first, last in _RANGE.findall(text):
        named += letters[letters.find(first) : letters.find(last) + 1]
    return set(named)


def by_elimination(text: str, options: Options) -> str:
    """The option that is left where all others are called wrong; "" where several are left."""
    text = text[-_FAR:]
    for found in _ALL_BUT.finditer(text):
        letter = found[found.lastgroup or 0]
        if letter in options.letters and not DENIED_BEFORE.search(text[: found.start()]):
            return letter
    unnamed = set(options.letters).difference(_LETTER.findall(text))
    if len(unnamed) > 1 and not _RANGE.search(text) and not _FEW.search(text):
        return ""
    left = set(options.letters) - eliminated(text, options)[0]
    return left.pop() if len(left) == 1 and len(options.letters) > 2 else ""
