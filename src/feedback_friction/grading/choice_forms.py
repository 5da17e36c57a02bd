"""Options named in other forms than a statement by letter or text.

- after a change of mind, or where all earlier statements are supposed, quoted or taken back:
  "Revised: (B)", "which leaves (B)", "So it is B.", "Neon it is.";
- by a value: "0.5" for the option 1/2, "I get 9. Wait, no: 10.";
- by truth values, for options such as "True, False": "Statement 1 is true, but Statement 2 is not";
- by elimination: all other options are called wrong;
- by mention: one sentence that says an option's text and no more: "It must be neon."
"""

from __future__ import annotations

import re
from functools import lru_cache

from feedback_friction.problem import LETTERS
from feedback_friction.reading.mathematics.answer import Context
from feedback_friction.reading.mathematics.equality import same
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.mathematics.statement import last_statement
from feedback_friction.reading.number_words import NUMBER_WORDS, number_words
from feedback_friction.reading.option_texts import Options, folded
from feedback_friction.reading.standing import retractions

_LONGEST_VALUE = 120
_FAR = 3000  # characters of its end that are read for judgements on all options
_TAIL = 600  # characters of a reply's end that weak forms are looked for in

# --- after a change of mind -----------------------------------------------------------------------

_ITEM = (
    r"(?:(?i:option|choice|answer|letter)\s+)?[\"'(\[*]{0,3}"
    r"(?P<letter>[A-Z])(?![A-Za-z0-9_'])[\"')\]*]{0,3}"
)
_SETTLES = re.compile(
    r"(?:(?i:\b(?:so(?!\s(?:is|are|was)\b)|therefore|thus|hence|then|leaves?|leaving|it(?:'s|\sis|\smust\sbe"
    r"|\sshould\sbe|\shas\sto\sbe"
    r"|\swould\sbe)|that(?:'s|\sis)|this\sis|which\sis|revised|corrected|updated|correction"
    r"|rather|instead|stay(?:ing)?\swith|(?:look|thoughts?|reflection|feedback),?"
    r"|not\s\(?[A-Z]\)?,?\sbut|(?:switch|chang)\w*\s(?:my\sanswer\s)?(?:from\s\(?[A-Z]\)?\s)?to"
    r"|actually|make\sthat|i\smean|i(?:'d|\swould)\ssay|choose|pick|select|go(?:ing)?\swith|remains|now"
    r"|final(?:ly)?)\b)"
    r"(?:\s(?i:answer|choice|option|it(?:'s|\sis|\smust\sbe)|is|the|with|only|me|us|we|to"
    r"|answer:))*"
    rf"|>)[\s:,]{{0,4}}{_ITEM}"
)
# "B it is", "B instead of A", "B is the only one that fits"
_IT_IS = re.compile(
    r"(?:^|(?i:\b(?:yes|no|well|ok(?:ay)?|fine|hmm|right|so|then|hence|thus),\s)"
    rf"|(?<!\band)(?<!\bor)(?<!,)[\s,;:]){_ITEM}(?=\sit\s(?:is|(?:must|has\sto|should)\sbe)\b(?!\snot\b)"
    r"|,?\s(?:not|instead\sof|rather\sthan)\s(?i:option\s|choice\s)?\(?[A-Z](?![A-Za-z'])"
    r"|\swins\b|\sis\sthe\sonly\s(?:one|option|choice)\b)"
)
_ALONE = re.compile(rf"(?:(?<=[.!?:;\n])|(?<=[a-z],)(?=\s?\()|^)\s*{_ITEM}\s*[.!]?\s*(?=\n|$)")
_AT_ONCE = re.compile(rf"[\s,:;.]{{1,4}}{_ITEM}(?=[.!,;]|\s*$)")
_ENDS = re.compile(
    r"\s*(?:[.!,;]|$|\n|\s(?:instead|because|since|as|which|then|after|that|it(?!\s(?:is|was)\snot))\b)"
)
_TEXT_IT_IS = re.compile(
    r"(?:^|[.!?;:,\n])\s*(?P<text>[^.!?;:,\n]{1,120}?),?\s+(?:it\s(?:is|must\sbe|was)|is\s(?:it"
    r"|right|correct))\s*(?=[.!,\n]|$)"
)
_ANEW = re.compile(r"\b(?:not|isn't|wasn't|never|nor)\s(?:(?!\b(?:but|so)\b)[^.]){0,24}$", re.I)


def settled(text: str, start: int, options: Options, *, anew: bool = True) -> tuple[str, int]:
    """The option that a text settles on last from ``start`` on, and where; "" for none.

    Args:
        text: readable text.
        start: where to begin.
        options: the options.
        anew: something was taken back before, so that a letter alone in a sentence is an answer.
    """
    start = max(start, len(text) - _TAIL)
    best = ("", -1)
    for pattern in (_SETTLES, _IT_IS, _ALONE) if anew else (_SETTLES, _IT_IS):
        for found in pattern.finditer(text, start):
            letter, at = found["letter"], found.start("letter")
            ends = pattern is _IT_IS or _ENDS.match(text, found.end())
            if letter not in options.letters or not ends:
                continue
            if not _ANEW.search(text[max(0, at - 30) : at]) and at > best[1]:
                best = letter, at
    at_once = _AT_ONCE.match(text, start) if anew and best[1] < 0 else None
    if at_once and at_once["letter"] in options.letters:
        best = at_once["letter"], at_once.start("letter")
    for found in _TEXT_IT_IS.finditer(text, start):
        letter = options.whole(found["text"]) or options.ending(found["text"])
        if letter and found.start("text") > best[1]:
            best = letter, found.start("text")
    return best


# --- by value -------------------------------------------------------------------------------------

_VALUE = re.compile(
    rf"[\s:=]{{0,4}}(?P<value>[-−+]?(?:[\d.\\(]|[a-z]\b|(?i:{'|'.join(NUMBER_WORDS)})\b)"
    r"[^\n]{0,120})"
)
_NAMED_VALUE = re.compile(r"(?:(?i:so|thus|hence|therefore),?\s)?(?:[A-Za-z]\s?=\s?)?")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_VALUE_ENDS = re.compile(
    r"[.;!?](?=\s|$)|,\s|\s(?:because|since|which|so|as|and|or|is|for)\b|\n|\s\("
)


def by_value(text: str, at: int, choices: tuple[str, ...]) -> str:
    """The letter of the one option that is equal to the value at a place of a text, else ""."""
    found = _VALUE.match(text, at)
    if found is None or len(choices) < 2:
        return ""
    end = _VALUE_ENDS.search(found["value"])
    value = found["value"][: end.start() if end else None].strip(" .$")
    listed = end is not None and re.match(r",\s*[-\d(\\]", end.string[end.start() :])
    words = _WORDS.search(value) and number_words(value) is None
    return "" if listed or words else letter_of_value(value, choices)


def whole_value(text: str, options: Options) -> str:
    """The letter of the one option that a text of nothing but a value is equal to, else ""."""
    text = text.strip().strip("$").rstrip(". ")
    if len(text) > _LONGEST_VALUE or "\n" in text or text.startswith("("):
        return ""
    value = text.removeprefix(named[0]) if (named := _NAMED_VALUE.match(text)) else text
    words = _WORDS.search(value) and number_words(value) is None
    return "" if words else letter_of_value(value, options.choices)


@lru_cache(maxsize=2048)
def letter_of_value(value: str, choices: tuple[str, ...]) -> str:
    """The letter of the one option that is this value in another writing, else ""."""
    if not value or len(value) > _LONGEST_VALUE:
        return ""
    letters = []
    for letter, choice in zip(LETTERS, choices, strict=False):
        if len(choice) > _LONGEST_VALUE:
            return ""
        gold, context = context_of(choice.strip(" .$"))
        if gold.value is None and not gold.parts:
            return ""
        if same(gold, read(value, context)) is True:
            letters.append(letter)
    return letters[0] if len(letters) == 1 else ""


@lru_cache(maxsize=2048)
def _reading(choices: tuple[str, ...]) -> Context | None:
    """How a value among these options is read; None where one of them is none."""
    read_as = [context_of(choice.strip(" .$")) for choice in choices]
    valued = all(gold.value is not None and gold.source[-1:] != ")" for gold, _ in read_as)
    return read_as[0][1] if valued else None


def by_correction(text: str, options: Options) -> str:
    """The option whose value a short text that takes something back gives: "9. Wait, no: 10."."""
    context = _reading(options.choices) if len(text) <= _LONGEST_MENTION else None
    statement = last_statement(text, context) if context and retractions(text) else None
    return letter_of_value(statement.text, options.choices) if statement else ""


# --- by truth values ------------------------------------------------------------------------------

_FALSE = (
    r"false|incorrect|wrong|untrue|not\s(?:true|correct|right)"
    r"|isn't(?:\s(?:true|correct|right))?|does\snot\shold"
)
_TRUE = r"true|correct|right|holds|valid"
_STATEMENT = re.compile(
    r"\bstatements?\s(?P<which>1|2|i{1,2}|one|two|a|b)\b(?:\s|,|:|\*)+(?:\S+\s){0,3}?(?:is|was"
    r"|are|must\sbe)?\s*"
    rf"(?:also\s|actually\s|clearly\s|indeed\s|therefore\s)?(?P<said>{_FALSE}|{_TRUE}|not\b)"
    r"|\b(?P<first>first|second)\s(?:statement|one)\s(?:is|was)\s(?:also\s|actually\s|clearly\s"
    r"|indeed\s)?"
    rf"(?P<said2>{_FALSE}|{_TRUE}|not\b)",
    re.I,
)
_BOTH = re.compile(
    rf"\b(?P<both>both|neither)(?:\sof\sthe)?\s(?:statements?|of\sthem)?\s?(?:is|are"
    rf"|were)?\s?(?P<said>{_FALSE}|{_TRUE})",
    re.I,
)
_PAIRS = frozenset(("true,true", "false,false", "true,false", "false,true"))


def by_truth(text: str, options: Options) -> str:
    """The option "True, False" and the like that a text says; "" where it says none."""
    if set(options.texts) != _PAIRS:
        return ""
    said: dict[int, bool] = {}
    for found in _STATEMENT.finditer(text):
        which = (found["which"] or found["first"]).lower()
        false = re.fullmatch(rf"{_FALSE}|not", found["said"] or found["said2"], re.I)
        said[0 if which in ("1", "i", "one", "a", "first") else 1] = not false
    for found in _BOTH.finditer(text):
        is_false = re.fullmatch(_FALSE, found["said"], re.I) is not None
        both = is_false != (found["both"].lower() == "both")
        said = {0: both, 1: both}
    if len(said) < 2:
        return ""
    return options.texts.get(f"{said[0]},{said[1]}".lower(), "")


# --- by elimination -------------------------------------------------------------------------------

_LISTED = r"(?:(?:option|choice|answer)s?\s)?\(?[A-Z]\)?(?![A-Za-z0-9_'])"
_LIST = rf"{_LISTED}(?:(?:\s?,\s?(?:and\s|or\s|nor\s)?|\s(?:and|or|nor)\s|/){_LISTED}){{0,9}}"
_ELIMINATED = re.compile(
    r"\b(?:eliminat\w+|rul\w+\sout|exclud\w+|discard\w*|reject\w*|not|neither|none\sof)\s(?:the\s"
    rf"|options?\s|choices?\s|both\s)*"
    rf"(?P<after>{_LIST})"
    rf"|(?<![A-Za-z0-9])(?P<before>{_LIST})\s(?:is|are|can\sbe|cannot\sbe|can't\sbe|must\sbe"
    rf"|seem)\s?(?:all\s|both\s|clearly\s|also\s)*"
    r"(?:incorrect|wrong|false|eliminated|ruled\sout|excluded|not\s(?:correct|right|true|the)"
    r"|correct(?<=not\sbe correct)|out\b)",
    re.I,
)
_ALL_BUT = re.compile(
    r"""
    (?i: \b(?:eliminat\w+|rul\w+\sout|exclud\w+|discard\w*|reject\w*|dismiss\w*|cross\w*\sout)
       \s(?:all|every\w*|any\w*) (?:\s(?:the|other|of))* (?:\s(?:options?|choices?|answers?))?
       \s(?:except|but|besides|other\sthan|apart\sfrom)(?:\sfor)?(?:\s(?:option|choice))?\s )
      \(?(?P<kept>[A-Z])(?![A-Za-z])
    | (?i: \bnone\sof\sthe\sothers?\b[^.,;\n]{0,30}\s(?:except|but)(?:\sfor)?\s )
      \(?(?P<save>[A-Z])(?![A-Za-z])
    | (?i: \b(?:all|every\w*|any\w*)\b (?:\s(?:the|other|of))* (?:\s(?:options?|choices?|answers?))?
       \s(?:except|but|besides|other\sthan|apart\sfrom)(?:\sfor)?(?:\s(?:option|choice))?\s )
      \(?(?P<but>[A-Z])\)? (?i: \s[^.\n]{0,30}
       \b(?:wrong|incorrect|false|eliminated|excluded|ruled\sout|fails?) )
    | (?i: \bonly\s(?:option\s|choice\s)? ) \(?(?P<only>[A-Z])\)?
      \s(?i: fits|works|remains|matches|holds|satisf\w+|makes\ssense
        |is\s(?:correct|right|left|true|consistent|possible|plausible)) \b
    """,
    re.VERBOSE,
)
_LETTER = re.compile(r"(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9_'])")


def eliminated(text: str, options: Options) -> tuple[frozenset[str], list[tuple[int, int]]]:
    """The letters that a text calls wrong, and the lists in which it does."""
    letters: set[str] = set()
    spans = []
    for found in _ELIMINATED.finditer(text):
        group = "after" if found["after"] else "before"
        letters |= {one for one in _LETTER.findall(found[group]) if one in options.letters}
        spans.append(found.span(group))
    return frozenset(letters), spans


def by_elimination(text: str, options: Options) -> str:
    """The option that is left where all others are called wrong; "" where several are left."""
    text = text[-_FAR:]
    for found in _ALL_BUT.finditer(text):
        letter = found[found.lastgroup or 0]
        if letter in options.letters and not _ANEW.search(text[: found.start()]):
            return letter
    if sum(letter in text for letter in options.letters) < len(options.letters) - 1:
        return ""
    left = set(options.letters) - eliminated(text, options)[0]
    return left.pop() if len(left) == 1 and len(options.letters) > 2 else ""


# --- by mention -----------------------------------------------------------------------------------

_LONGEST_MENTION = 400  # characters of a reply
_ONE_SENTENCE = re.compile(
    r"""
    (?: (?:so|then|thus|hence|therefore|well|i|we|think|believe|guess|would|say|that|it|it's|its
       |this|must|has|to|should|is|be|was|probably|surely|clearly|definitely|obviously|most
       |likely) [,\s]+ )*
    (?P<said> [^.!?\n]{1,120}? )
    (?: ,?\s?(?:obviously|clearly|surely|probably|definitely|of\scourse
       |i\s(?:think|believe|guess)) )?
    [.!]?
    """,
    re.VERBOSE,
)


# "The noble gas is neon", "..., so it is neon", "only neon fits"
_TOLD = re.compile(
    r"(?:.{0,80},)?\s?only (?P<only>.{1,80}?) (?:is|was|fits|works|remains)\b.{0,60}"
    r"|.{0,100}?(?:(?<!,)\b(?:is|was|must be|would be)|,\s?(?:so|hence|thus)(?: it is)?) "
    r"(?P<said>.{1,80})"
)
_DENIES = re.compile(r"\b(?:not|never|neither|if|whether|unlike|except)\b|n't")


def by_mention(text: str, options: Options) -> str:
    """The option whose text, one word more aside, is all that a reply of one sentence says."""
    if len(text) > _LONGEST_MENTION:
        return ""
    found = _ONE_SENTENCE.fullmatch(folded(text.strip(), strict=options.strict))
    said = found["said"] if found else ""
    told = _TOLD.fullmatch(said)
    told_text = ""
    if told is not None:
        group = "said" if told["said"] else "only"
        before = said[: told.start(group)].rpartition(",")[2]
        told_text = "" if _DENIES.search(before) else told[group]
    return (
        options.texts.get(said)
        or options.texts.get(said.rpartition(" ")[0])
        or options.texts.get(told_text, "")
    )
