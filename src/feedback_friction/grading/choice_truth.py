"""Options that say which of several statements are true: "True, False", "I and II only".

A reply names one of them by what it says of each statement: "The first is false, the second true",
"Only Statement 2 holds", "III fails; the other two hold", or by the list alone: "I and II".
"""

from __future__ import annotations

import re
from functools import lru_cache

from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.option_texts import Options, stems
from feedback_friction.reading.references import PLACES

_FAR = 3000  # characters of a reply's end that are read
_MOST = 5  # statements

_NUMBERS = {word: at for word, at in PLACES.items() if at < _MOST} | {"a": 0, "b": 1}
_NUMBERS |= {f"{at + 1}": at for at in range(_MOST)}
_ROMAN = r"(?:III|II|IV|I|V)"
_AND = r"(?:,?\s(?:and|or|nor|&)\s|,\s?)"
_ROMANS = rf"{_ROMAN}(?!\w|'|\.\w)(?:{_AND}{_ROMAN}(?!\w|')){{0,4}}"
_NUMBER = rf"(?:[1-5](?!\w|\.\d)|(?-i:{_ROMAN})\b|(?:iii?|i|one|two|three|four|five|[ab])\b)"
_SUBJECT = re.compile(
    rf"""
    (?P<only>\b(?:only|just)\s(?:the\s)?)? (?P<nor>\bneither\s)?
    (?: \b(?:statements?|claims?|assertions?|propositions?)\s
        (?P<nouned> {_NUMBER} (?:{_AND}(?:(?:statement|claim)\s)?{_NUMBER}){{0,4}} )
      | \b[sp](?P<short>[1-5])\b
      | \b(?P<ordinal>{"|".join(ORDINALS[:_MOST])}|former|latter)\b(?:\s(?:statement|claim|one)\b)?
      | (?<![\w'])(?P<bare>(?-i:{_ROMANS})|[1-5](?=\)?\s?:|(?:\sis|\))\s(?:true|false)\b))
      | \b(?P<all> both|neither|all(?:\s(?:two|three|four|five))?|none)\b
        (?:\sof\s(?:them|these|the)\b)?(?:\s?(?:statements?|claims?|of\sthem)\b)?
      | \b(?:the\s)?(?P<rest>others?|rest)\b(?:\s(?:one|two|three|statements?)\b)*
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SAID = re.compile(
    r"""
    [\s,:*"')]{0,3}
    (?: (?:(?-i:(?!that\b)[a-z'-]+\s)){0,3}? (?:is|are|was|were|must\sbe|seems?|would\sbe)\s )?
    (?:(?:also|both|all|actually|clearly|indeed|therefore|only|always)\s){0,2}
    (?: (?P<true> (?:true|correct|right|valid|t)\b | holds?\b | works\b )
      | (?P<false> (?:not\s|n't\s)?(?:false|incorrect|wrong|untrue|invalid|f)\b
          | (?:not\s(?:always\s)?|isn't\s|aren't\s)(?:true|correct|right|valid)\b
          | fails?\b | (?:does|do)(?:\snot|n't)\shold\b | cannot\sbe\strue\b )
      | (?P<not> (?:is|are|does|do)(?:\snot|n't)\b | not\b )
      | (?P<same> (?:is|are|does|do)(?=\s?[.;,!]|\s?$) )
    )
    (?!\s?\?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OWN = re.compile(
    r"\s(?:is|are)\s(?:an?\s)?((?!(?:not|true|false|(?:in)?correct|wrong|right)\b)[a-z]+)\b"
)
_INVERTED = frozenset(stems("false incorrect untrue"))
_NEGATED = re.compile(r"not\b|n't|isn't|aren't|do|cannot", re.IGNORECASE)
# Between what was said last and a subject: what follows is not said, or not for sure.
_UNSAID = re.compile(
    r"\b(?:if|whether|suppos\w+|assum\w+|unless|doubt\w*|deny|not|never|n't|either|or|may|might"
    r"|earlier|previous|said|thought|claim\w*|nobody|(?:is|are|does)(?:\sthe)?(?=\s*$))\b|n't\b",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"\W*(?:(?:so|thus|therefore|hence|it\sis|it's|the\sanswer\sis|answer:?)[\s,:]+)*\W{0,3}"
    r"(?P<first>true|false|t|f)\b\W{0,4}(?:(?:and|then)\W{1,3})?(?P<second>true|false|t|f)\b\W*",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\W*(?i:(?:so|thus|therefore|hence|it\sis|it's|the\sanswer\sis|answer:?|only|just|both|both\sof"
    rf"|statements?)[\s,:]+)*(?:(?P<list>{_ROMANS}|[1-5](?:{_AND}[1-5]){{1,4}})(?:\sonly)?"
    r"|(?P<every>(?i:all\s(?:two|three|four|five|of\s(?:the|them|these)(?:\sstatements)?)|both)))[.!)\"']*\s*"
)


def by_truth(text: str, options: Options) -> int | None:
    """The place of the option that a text says by truth values; None where it says none."""
    sets = _sets(options.choices)
    inverted = _PAIR.fullmatch(options.choices[0]) is None and _INVERTED & options.asked
    if not sets or inverted:  # "Which are false?" is answered by what is false
        return None
    size = max(2, *(1 + max(each, default=0) for each in sets))
    said = _told(text[-_FAR:], size, options.asked)
    true = {at for at in said if said[at]} if len(said) == size else None
    return sets.index(frozenset(true)) if true is not None and true in sets else None


@lru_cache(maxsize=4096)
def _sets(choices: tuple[str, ...]) -> tuple[frozenset[int], ...]:
    """The statements that each option calls true; none where an option says something else."""
    sets = []
    for choice in choices:
        pair, numerals = _PAIR.fullmatch(choice), re.fullmatch(_OPTION, choice.strip(" ."))
        if pair is not None:
            values = (pair["first"], pair["second"])
            sets.append(frozenset(at for at, value in enumerate(values) if value[0] in "Tt"))
        elif numerals is not None:
            none = numerals["none"] or choice.lower().startswith("neither")
            sets.append(frozenset() if none else frozenset(_places(numerals["list"])))
        else:
            return ()
    return tuple(sets) if len(set(sets)) == len(sets) > 1 and any(sets) else ()


_OPTION = re.compile(
    rf"(?i:both\s|only\s|neither\s)?(?P<list>{_ROMANS})(?i:\sonly)?|(?P<none>(?i:none|neither)\b.{{0,20}})"
)


def _told(text: str, size: int, asked: frozenset[str]) -> dict[int, bool]:
    """What a text says of each statement that it speaks of, the last word first."""
    if pair := _PAIR.fullmatch(text):
        return {at: pair[name][0] in "Tt" for at, name in enumerate(("first", "second"))}
    alone = _LIST.fullmatch(text)
    if alone is not None and alone["every"]:
        return dict.fromkeys(range(size), True)
    listed = _places(alone["list"]) if alone is not None else []
    if listed and max(listed) < size and (len(listed) > 1 or "only" in text.lower()):
        return {at: at in listed for at in range(size)}
    told: dict[int, bool] = {}
    last = True  # what was said of the statement before
    done = 0
    for found in _SUBJECT.finditer(text):
        own = _OWN.match(text, found.end())  # "II is prime", where the question asks that
        is_own = own is not None and asked.issuperset(stems(own[1]))
        said = _SAID.match(" is true") if is_own else _SAID.match(text, found.end())
        if said is None:
            continue
        before = re.split(r"[.;!?\n]", text[done : found.start()])[-1]
        done = own.end() if own and is_own else said.end()
        if _UNSAID.search(before):
            continue
        if found["bare"] == "I" and said[0].strip().lower() in ("hold", "do", "do not"):
            continue  # the pronoun
        value = bool(said["true"]) if said["true"] or said["false"] else last != bool(said["not"])
        if said["true"] or said["false"]:
            last = value != bool(_NEGATED.match(said["false"] or ""))
        value = value != bool(found["nor"] or (found["all"] or "").lower() in ("neither", "none"))
        named = _of(found, told, size)
        told |= dict.fromkeys(named, value)
        if found["only"]:
            told |= {at: not value for at in range(size) if at not in named}
    return {at: value for at, value in told.items() if at < size}


def _of(found: re.Match[str], told: dict[int, bool], size: int) -> list[int]:
    """The statements that a subject names."""
    if found["all"]:
        return [*range(size)]
    if found["rest"]:
        return [at for at in range(size) if at not in told]
    names = found["nouned"] or found["short"] or found["ordinal"] or found["bare"]
    return _places(names)


def _places(names: str) -> list[int]:
    return [_NUMBERS[name] for name in re.findall(r"\w+", names.lower()) if name in _NUMBERS]
