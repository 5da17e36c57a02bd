"""Options named by their place: "option 2", "#2", "number two", "II", "the second one", "the last".

A number names an option by its place only where no option is that number, and where what stands
around it says that an option is meant: "step 2", "a #2 pencil" and "the second law" are no options.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from feedback_friction.reading.number_words import ORDINALS, SMALL_NUMBERS, roman
from feedback_friction.reading.option_texts import Options

_FAR = 1200  # characters of its end in which a text is searched
_MOST = 10
_WORDS = SMALL_NUMBERS[1 : _MOST + 1]
_ROMANS = tuple(roman(number) for number in range(1, _MOST + 1))
PLACES = {word: at for at, word in enumerate(_WORDS)}
PLACES |= {numeral.lower(): at for at, numeral in enumerate(_ROMANS)}
PLACES |= {word: at for at, word in enumerate(ORDINALS[:_MOST])} | {"former": 0, "latter": 1}
_SHORT = 3  # words of an option that may be a number or a numeral itself

_NUMBER = rf"(?:\d{{1,2}}|{'|'.join(_WORDS)}|{'|'.join(sorted(_ROMANS, key=len, reverse=True))})"
# Without a noun, digits alone are a value: only brackets make a place of them.
_NUMERAL = rf"(?:\(\d{{1,2}}\)|\(?(?-i:{'|'.join(x for x in _ROMANS if len(x) > 1)})\)?)"
_ORDINAL = (
    rf"(?:{'|'.join(ORDINALS[:_MOST])}|\d{{1,2}}(?:st|nd|rd|th)|last|final|bottom|penultimate"
    r"|second[\s-]to[\s-]last)"
)
_NOUN = r"(?:option|choice|alternative|opci[oó]n|op[cç][aã]o|opzione|opsi|pilihan)"
_SIGN = r"(?:(?:number|no\.)\s|\#\s?)"
_AND = r"(?:\s?[,/&]\s?(?:and\s|or\s)?|\s(?:and|or|nor)\s)"
_WHOLE = r"(?![\w%]|[.,:/-]\d|\s?[%°])"
# What goes on after an option, or ends with it.
_JUDGED = r"(?:right|correct|wrong|incorrect|best|false|true|it|out|the\s\w+|tempting)\b"
_AFTER = (
    r"(?=[)\]*\"']{0,3}(?:\s*(?:$|[.,;:!?)\n])|\s(?:is|was|are|must\sbe|would\sbe|seems?|looks?)"
    rf"\s(?:\w+\s){{0,2}}{_JUDGED}|\s(?:because|since|as|but|instead|rather|again|fits?|works?"
    r"|remains?|(?:in|on|of)\s(?:the|this|these|those)\s(?:list|options|choices|four|five|ten)|and|or|wins|it\s(?:is|was|must|has|should|would))\b))"
)
_ENDS = (
    r"(?=[)\]*\"'}]{0,3}(?:\s*(?:$|[.;!?)\n]|,(?!\s?(?:and\s|or\s)?(?:the\s)?"
    rf"{_ORDINAL}))|\s(?:because|since|as|but|instead|rather|fits?|works?|remains?"
    rf"|(?:is|are)(?=\s(?:all\s)?(?:the\s)?(?:correct|right|wrong|answer|incorrect|best|out)))\b))"
)
_LEADS = (
    r"(?:\b(?:answer|option|choice|one|pick|guess|selection)(?:\s(?:is|was|would\sbe|should\sbe"
    r"|must\sbe)|:)|\b(?:choose|pick|select|go\swith|settle\son)|\bit(?:'s|\sis|\sis\snot)|\bthat\sis|\bwhich\sis"
    r"|\b(?:not|but|only|except)|boxed\s?\{)\s?"
)
_NAMED = re.compile(
    rf"\b{_NOUN}e?s?\s(?P<noun>{_SIGN}?\(?{_NUMBER}{_WHOLE}"
    rf"(?:{_AND}(?:{_NOUN}\s)?{_SIGN}?\(?{_NUMBER}{_WHOLE}){{0,9}}\)?)",
    re.I,
)
_SIGNED = re.compile(rf"(?<![\w#&])(?P<number>{_SIGN}{_NUMBER}{_WHOLE}{_AFTER})", re.I)
_RANKED = re.compile(
    rf"(?<!\bto\s)(?<!-)(?P<ordinal>(?:\bthe\s)?\b(?!final\s\w+\s?(?::|is\s\(?(?-i:[A-Z])\b)){_ORDINAL}\s(?:(?:answer\s|listed\s)?{_NOUN}"
    rf"(?:\s(?:listed|given|offered))?|answer(?:\schoice|(?=\sis\s(?:right|correct)\b))"
    rf"|one{_AFTER}|of\s(?:the|these|those)\s(?:\w+\s)?{_NOUN}s?)\b)",
    re.I,
)
_LISTED = re.compile(
    rf"\b(?:{_NOUN}|one)\s(?:(?:that|which)\s(?:is|was)\s)?listed\s(?P<listed>{_ORDINAL})\b", re.I
)
_LED = re.compile(rf"{_LEADS}(?P<led>the\s{_ORDINAL}{_ENDS}|{_NUMERAL}{_WHOLE}{_ENDS})", re.I)
# What must be there for a pattern to match: ten times quicker than the patterns, on real replies.
_RANKS = (*ORDINALS[:_MOST], "last", "final", "bottom", "penultimate", "1st", "2nd", "3rd")
_RANKS += tuple(f"{digit}th" for digit in range(10))
_NOUNS = ("option", "choice", "alternative", "opci", "opsi", "opç", "opca", "opzione", "pilihan")
_ROMAN_SIGNS = ("II", "IV", "VI", "IX")
_BRACKETED = re.compile(r"\(\d\d?\)")


def _patterns(text: str) -> Iterator[re.Pattern[str]]:
    small = text.lower()
    nouns = any(noun in small for noun in _NOUNS)
    if nouns:
        yield _NAMED
    if "#" in text or "number " in small or "no. " in small:
        yield _SIGNED
    ranked = any(rank in small for rank in _RANKS)
    if ranked and (nouns or " one" in small or " answer" in small):
        yield _RANKED
    if ranked and "listed " in small:
        yield _LISTED
    led = ranked and "the " in small
    if led or any(sign in text for sign in _ROMAN_SIGNS) or _BRACKETED.search(text):
        yield _LED


_ONLY = re.compile(
    rf"\s*[\"'\[*]{{0,3}}(?:the\s)?(?P<only>{_ORDINAL}(?:\sanswer)?"
    rf"|{_NUMERAL}|\(?(?:iii?|iv|vi{{0,3}})\)?|former|latter)"
    r"[\"')\]*]{0,3}(?:\sof\s(?:the|these|those)\s\w+(?:\s(?:option|choice)s)?)?(?:,\si\s(?:think|guess|believe))?"
    r"[.!)]{0,2}\s*",
    re.I,
)
# "Number two" is an option at the beginning of a sentence and after such words; "atom number two"
# is none.
_BEFORE_NUMBER = re.compile(
    r"(?:^|[.!?;:,(\n\"'*]\s*|\b(?:is|was|be|it's|choose|pick|select|with|for|on|at|to|not|or|and"
    r"|but|only|except|than|answer|consider|say|nor)\s)$",
    re.I,
)
_HEDGED = re.compile(
    r"\s*(?:So\s|Thus\s)?(\([A-Z]\))(?:,\sI\s(?:think|guess|believe))[.!]?\s*", re.I
)
_EACH = re.compile(rf"(?:{_SIGN}|\b|(?=\()){{0,1}}(?:\({_NUMBER}\)|\b{_NUMBER})(?!\w)", re.I)
_TOKENS = re.compile(r"\d+|[A-Za-z]+")


def references(text: str, options: Options) -> list[tuple[int, int, str]]:
    """Where options are named by their place: start, end and letter of each, in order."""
    only = _ONLY.fullmatch(text) if len(text) < 60 else None
    if only:
        letter = _letter(only["only"], options)
        return [(*only.span("only"), letter)] if letter else []
    text, cut = text[-_FAR:], max(0, len(text) - _FAR)
    found: list[tuple[int, int, str]] = []
    for pattern in _patterns(text):
        for match in pattern.finditer(text):
            kind = match.lastgroup or ""
            start, end = match.span(kind)
            if kind == "number" and not _BEFORE_NUMBER.search(text[max(0, start - 12) : start]):
                continue
            each = (
                [one.span() for one in _EACH.finditer(text, start, end)] if kind == "noun" else []
            )
            for begin, stop in each or [(start, end)]:
                if letter := _letter(text[begin:stop], options):
                    found.append((cut + begin, cut + stop, letter))
    found.sort(key=lambda one: (one[0], -one[1]))
    ends = [0, *accumulate((end for _, end, _ in found), max)]
    return [one for one, before in zip(found, ends, strict=False) if one[0] >= before]


# "B. None of the others is a gas.": a remark, beside what is stated.
_OTHERS = re.compile(
    r"[.;,]\s(?:and\s|as\s|because\s|since\s)?none\sof\sthe\s(?:others?|rest|other\s\w+)\b"
    r"(?!\s[^.;\n]{0,60}\b(?:except|but))[^.;\n]{0,80}|^\s*none\sof\sthe\s(?:others?|rest|other\s\w+)"
    r"\b[^.,;\n]{0,60},\s(?=so\b|hence|thus|therefore)",
    re.I,
)


_STATES_A_LETTER = re.compile(r"answer is:? \([A-Z]\)[.\s]*\Z")


def lettered(text: str, options: Options) -> str:
    """A readable text with letters, in brackets, where options are named by their place.

    Without remarks that none of the others is right.
    """
    if _STATES_A_LETTER.search(text, max(0, len(text) - 40)):
        return text  # the last statement decides, and most replies end in one
    if "one of the other" in text or "one of the rest" in text:
        text = _OTHERS.sub("", text)
    found = references(text, options)
    if found and _ONLY.fullmatch(text):
        return f"({found[0][2]})"
    for start, end, letter in reversed(found):
        text = f"{text[:start]}({letter}){text[end:]}"
    hedged = _HEDGED.fullmatch(text) if found else None
    return hedged[1] if hedged else text


def _letter(said: str, options: Options) -> str:
    """The letter of the option that a reference names, "" for none."""
    word = re.sub(rf"^(?:the\s|{_SIGN})+|[()]", "", said, flags=re.I).split()[0]
    if re.match(r"penultimate|\w+[\s-]to[\s-]last", re.sub(r"(?i)^the\s", "", said), re.I):
        return options.letters[-2]
    if word.lower() in ("last", "final", "bottom"):
        return options.letters[-1]
    if word.upper() in options.letters and len(word) == 1:
        return ""
    if word.lower() in ("former", "latter") and len(options.letters) != 2:
        return ""
    digits = re.match(r"\d+", word)
    at = int(digits[0]) - 1 if digits else PLACES.get(word.lower(), -1)
    if not 0 <= at < len(options.letters):
        return ""
    numeral = word.isupper() or (word.lower() in PLACES and word.lower() not in ORDINALS + _WORDS)
    names = _names(options.choices)[bool(numeral and not digits)]
    ordinal = word.lower() in ORDINALS or (digits and word[-1].isalpha())
    bare = said.strip("()") == word  # with no noun, the option's own text is what is said
    others = (each for place, each in enumerate(names) if bare or place != at)
    return "" if not ordinal and any(at + 1 in each for each in others) else options.letters[at]


@lru_cache(maxsize=4096)
def _names(choices: tuple[str, ...]) -> tuple[list[set[int]], list[set[int]]]:
    """The numbers that short options have themselves, in digits or words, and in numerals."""
    plain: list[set[int]] = []
    numerals: list[set[int]] = []
    for choice in choices:
        words = _TOKENS.findall(choice)
        words = words if len(words) <= _SHORT else []
        plain.append({int(word) for word in words if word.isdigit() and len(word) < 9})
        plain[-1] |= {PLACES[word.lower()] + 1 for word in words if word.lower() in _WORDS}
        numerals.append({PLACES[word.lower()] + 1 for word in words if word in _ROMANS})
    return plain, numerals
