"""Options named in other forms than a statement by letter or text.

- after a change of mind, or where all earlier statements are supposed, quoted or taken back:
  "Revised: (B)", "which leaves (B)", "So it is B.", "Neon it is.";
- by a value: "0.5" for the option 1/2, "I get 9. Wait, no: 10.";
- by mention: one sentence that says an option's text and no more: "It must be neon."
"""

from __future__ import annotations

import re
from functools import lru_cache

from feedback_friction.grading.choice_elimination import DENIED_BEFORE
from feedback_friction.problem import LETTERS
from feedback_friction.reading.lexicon import GRAMMAR
from feedback_friction.reading.mathematics.answer import Context
from feedback_friction.reading.mathematics.equality import same
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.mathematics.statement import last_statement
from feedback_friction.reading.number_words import NUMBER_WORDS, number_words
from feedback_friction.reading.option_texts import Options, folded, stems, with_letters
from feedback_friction.reading.standing import retractions

_LONGEST_VALUE = 120
SENTENCES = re.compile(r"(?<=[.!?;])(?<!i\.e\.)(?<!e\.g\.)\s+|\n+")
_TAIL = 600  # characters of a reply's end that weak forms are looked for in

# --- after a change of mind -----------------------------------------------------------------------

_ITEM = (
    r"(?:(?i:option|choice|answer|letter)\s+)?[\"'(\[*]{0,3}"
    r"(?P<letter>[A-Z])(?![A-Za-z0-9_'])[\"')\]*]{0,3}"
)
_SETTLES = re.compile(
    r"(?:(?i:\b(?:so(?!\s(?:is|are|was)\b)|therefore|thus|hence|then|leaves?|leaving|it(?:'s|\sis|\smust\sbe"
    r"|\sshould\sbe|\shas\sto\sbe"
    r"|\swould\sbe)|that(?:'s|\sis)|this\sis|which\sis|revised|corrected|updated|correction|edit"
    r"|rather|instead|stay(?:ing)?\swith|settle\sfor|maintain|points?\sto|in\sfavou?r\sof|(?:look|thoughts?|reflection|feedback),?"
    r"|not\s\(?[A-Z]\)?,?\sbut|(?:(?:switch|chang|revis|return|revert)\w*|\bback)\s(?:my\sanswer\s)?(?:from\s\(?[A-Z]\)?\s)?to"
    r"|actually|make\sthat|i\smean|i(?:'d|\swould)?\ssay|choose|pick|select|guess|(?:right|correct)(?=:)|go(?:ing)?\swith|remains|now|just|only"
    r"|(?:should|must)\shave\s(?:been|chosen|picked|said)"
    r"|final(?:ly)?)\b)"
    r"(?:\s(?i:answer|choice|option|it(?:'s|\sis|\smust\sbe)|is|the|with|only|me|us|we|to"
    r"|answer:))*"
    rf"|>)[\s:,]{{0,4}}{_ITEM}"
)
# "B it is", "B instead of A", "B is the only one that fits"
_IT_IS = re.compile(
    r"(?:^|(?i:\b(?:yes|no|well|ok(?:ay)?|fine|hmm|right|so|then|hence|thus),\s)"
    rf"|\b[Bb]etween\s[^.,]{{1,40}},\s|(?<!\band)(?<!\bor)(?<!,)[\s,;:]){_ITEM}(?=\sit\s(?:is|(?:must|has\sto|should)\sbe)\b(?!\snot\b)"
    r"|,?\s(?:and\snot|not|instead\sof|rather\sthan)\s(?i:option\s|choice\s)?\(?[A-Z](?![A-Za-z'])"
    r"|\swins\b|\sis\s(?:the\s)?(?:better|best)\b|\sis\sthe\sonly\s(?:one|option|choice)\b)"
)
_ALONE = re.compile(rf"(?:(?<=[.!?:;\n])|(?<=[a-z],)(?=\s?\()|^)\s*{_ITEM}\s*[.!]?\s*(?=\n|$)")
_AT_ONCE = re.compile(rf"[\s,:;.]{{1,4}}{_ITEM}(?=[.!,;]|\s*$)")
_ENDS = re.compile(
    r"\s*(?:[.!,;]|$|\n|\s(?:instead|because|since|as|which|then|after|that|it(?!\s(?:is|was)\snot))\b"
    r"|\s(?:holds|fits|works)(?=\s?[.!;]))"
)
_TEXT_IT_IS = re.compile(
    r"(?:^|[.!?;:,\n])\s*(?P<text>[^.!?;:,\n]{1,120}?),?\s+(?:it\s(?:is|must\sbe|was)|is\s(?:it"
    r"|right|correct))\s*(?=[.!,\n]|$)"
)


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
            if letter not in options.letters or not ends or _lists(text, found.start()):
                continue
            if not DENIED_BEFORE.search(text[max(0, at - 30) : at]) and at > best[1]:
                best = letter, at
    at_once = _AT_ONCE.match(text, start) if anew and best[1] < 0 else None
    if at_once and at_once["letter"] in options.letters:
        best = at_once["letter"], at_once.start("letter")
    for found in _TEXT_IT_IS.finditer(text, start):
        letter = options.whole(found["text"]) or options.ending(found["text"])
        if letter and found.start("text") > best[1] and not _DENIES.search(found["text"].lower()):
            best = letter, found.start("text")
    return best


def _lists(text: str, at: int) -> bool:
    """Whether "then" goes on with a list there: "A is the largest, then B"."""
    if not re.match(r"(?i)then\b", text[at : at + 5]) or text[max(0, at - 2) : at] != ", ":
        return False
    sentence = re.split(r"[.!?\n]", text[:at])[-1]
    return re.search(r"(?i)\b(?:if|not|neither|since|as|because)\b|n't", sentence) is None


# --- by value -------------------------------------------------------------------------------------

_VALUE = re.compile(
    rf"[\s:=]{{0,4}}(?P<value>[-−+]?(?:[\d.\\(]|[a-z]\b|(?i:{'|'.join(NUMBER_WORDS)})\b)"
    r"[^\n]{0,120})"
)
# Before a value in a sentence of one: "So x = ", "The angle comes to ", "Not 1/4 but ".
_NAMED_VALUE = re.compile(
    r"""
    (?:(?i:so|thus|hence|therefore|about|approximately|roughly),?\s)?
    (?: (?: (?:(?!(?i:in|not|never|nobody|no|if|when|your|previous|earlier|first|initial|wrong)\s)
               [A-Za-z\d-]+\s){1,6}?
            (?: (?:is|equals|must\sbe|should\sbe|has\sto\sbe|gets?|got|find|obtain|has|have)\s
              | (?:comes|works|turns|amounts?|sums?|adds?\sup)\s(?:out\s)?(?:to\sbe|to|as|at)\s )
            (?:equal\sto\s|about\s|exactly\s|therefore\s|:\s)?
          | (?i:it's|not\s[^,;\s]{1,20},?\sbut)\s )?
        (?:[A-Za-z]\s?=\s?)?
    )
    """,
    re.VERBOSE,
)
CONTRAST = re.compile(r",?\s(?:and\s)?(?:not|rather\sthan|instead\sof)\s[^,;]*$")
_CONCLUDES = re.compile(r"[,;]\s(?:so|hence|thus|therefore|that\sis|i\.e\.),?\s")
_SPOKEN = {"plus": "+", "minus": "-", "times": "*", "divided by": "/", "percent": "%"}
_SPOKEN |= {"per cent": "%"}
_SPOKEN_WORD = re.compile(rf"\b(?:{'|'.join(_SPOKEN)})\b", re.I)
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_VALUE_ENDS = re.compile(
    r"[.;!?](?=\s|$)|,\s|\s(?:because|since|which|so|as|and|or|is|for)\b|\n|\s\("
)


def by_value(text: str, at: int, options: Options) -> str:
    """The letter of the one option that is equal to the value at a place of a text, else ""."""
    found = _VALUE.match(text, at)
    if found is None or len(options.choices) < 2:
        return ""
    end = _VALUE_ENDS.search(found["value"])
    value = found["value"][: end.start() if end else None]
    listed = end is not None and re.match(r",\s*[-\d(\\]", end.string[end.start() :])
    return "" if listed else _letter_of(value, options)


def whole_value(text: str, options: Options) -> str:
    """The letter of the one option that a text of nothing but a value is equal to, else ""."""
    *others, text = SENTENCES.split(text.strip()[-_LONGEST_MENTION:])
    *before, text = _CONCLUDES.split(CONTRAST.sub("", text.strip("$").rstrip(". ")))
    if others and not before and not (_NAMED_VALUE.match(text) or [""])[0].strip():
        return ""  # after other sentences, a value alone may be anything
    if len(text) > _LONGEST_VALUE or "\n" in text or text.startswith("("):
        return ""
    value = text.removeprefix(named[0]) if (named := _NAMED_VALUE.match(text)) else text
    return _letter_of(value, options)


def _letter_of(said: str, options: Options) -> str:
    """The letter of the one option that a value in figures or words is.

    A unit is its own, or one that the question asks for.
    """
    value, choices = _in_figures(said), options.choices
    if value.endswith("%") and not any("%" in choice for choice in choices):
        value = f"{value.rstrip('% ')}/100"
    letter = letter_of_value(value, choices)
    unit = letter and number_words(value) is None and value[-1:].isalpha() and " " in value
    if unit and options.asked.issuperset(stems(value.rpartition(" ")[2])):
        return letter
    return "" if unit and not _UNIT.search(choices[LETTERS.index(letter)]) else letter


_BRACED = re.compile(r"\{([^\W\d_]+)\}")  # a unit that stood in \text
_UNIT = re.compile(r"[^\W\d_]|[°$€£]")


def _in_figures(value: str) -> str:
    """A value with words in figures: "11 plus x", "ninety degrees"; "" where others are left."""
    value = _SPOKEN_WORD.sub(lambda word: _SPOKEN[word[0].lower()], _bare(value))
    words = _WORDS.findall(value)
    if not words or number_words(value) is not None:
        return value
    number, _, unit = value.rpartition(" ")
    if unit.lower() in GRAMMAR or not unit.isalpha():
        return ""
    spelled = number_words(number)
    return value if len(words) == 1 else f"{spelled} {unit}" if spelled is not None else ""


def _bare(value: str) -> str:
    """A value without what stands around it; the point of ".5" is its own."""
    value = value.strip(" $").rstrip(".").rstrip(" $")
    return value if "\\" in value else _BRACED.sub(r"\1", value)


@lru_cache(maxsize=2048)
def letter_of_value(value: str, choices: tuple[str, ...]) -> str:
    """The letter of the one option that is this value in another writing, else ""."""
    if not value or len(value) > _LONGEST_VALUE:
        return ""
    letters = []
    for letter, choice in zip(LETTERS, choices, strict=False):
        if len(choice) > _LONGEST_VALUE:
            return ""
        gold, context = context_of(_bare(choice))
        if gold.value is None and not gold.parts:
            return ""
        if same(gold, read(value, context)) is True:
            letters.append(letter)
    return letters[0] if len(letters) == 1 else ""


@lru_cache(maxsize=2048)
def _reading(choices: tuple[str, ...]) -> Context | None:
    """How a value among these options is read; None where one of them is none."""
    read_as = [context_of(_bare(choice)) for choice in choices]
    valued = all(gold.value is not None and gold.source[-1:] != ")" for gold, _ in read_as)
    return read_as[0][1] if valued else None


def by_correction(text: str, options: Options) -> str:
    """The option that a short text gives after it takes something back: "9. Wait, no: 10."."""
    back = retractions(text) if len(text) <= _LONGEST_MENTION else []
    if not back:
        return ""
    if found := _LAST_OF_ALL.fullmatch(text, back[-1]):
        return found["letter"] if found["letter"] in options.letters else ""
    context = _reading(options.choices)
    statement = last_statement(text, context) if context else None
    return letter_of_value(statement.text, options.choices) if statement else ""


_LAST_OF_ALL = re.compile(rf"[\s,:;.]{{1,4}}(?:it(?:'s|\sis)\s)?{_ITEM}[.!]?\s*")


# --- by mention -----------------------------------------------------------------------------------

_LONGEST_MENTION = 400  # characters of a reply
_ONE_SENTENCE = re.compile(
    r"""
    (?: (?:so|then|thus|hence|therefore|well|i|we|think|believe|guess|would|say|that|it|it's|its
       |this|must|has|to|should|is|be|was|probably|surely|clearly|definitely|obviously|most
       |likely|el|la|le|les|los|las|il|lo|os?|as|der|die|das|es|ist|est|é|è|c'est) [,\s]+ )*
    (?P<said> [^.!?\n]{1,120}? )
    (?: です|だ|입니다|이다|\sहै|\sहैं)?
    (?: ,?\s?(?:obviously|clearly|surely|probably|definitely|of\scourse
       |i\s(?:think|believe|guess)) )?
    [.!।]?
    """,
    re.VERBOSE,
)


_DENIES = re.compile(
    r"\b(?:one option|cannot|opposite|not|never|neither|if|whether|unlike|except)\b|n['\s]t\b"
)


def by_mention(text: str, options: Options) -> str:
    """The option whose text, one word more aside, is all that a reply of one sentence says."""
    if len(text) > _LONGEST_MENTION:
        return ""
    text = folded(text.strip(), strict=options.strict)
    found = _ONE_SENTENCE.fullmatch(text)
    said = found["said"] if found else ""
    return (
        options.texts.get(said)
        or options.texts.get(said.rpartition(" ")[0])
        or options.texts.get(_OF_ALL.sub(r"\1 of the above", said.removesuffix(" are true")))
        or _with_remark(text, options)
    )


def _with_remark(text: str, options: Options) -> str:
    """The option that a sentence begins with, before a remark: "Neon, of course"."""
    head, _, remark = text.rstrip(".!").partition(",")
    said = _ONE_SENTENCE.fullmatch(head)
    letter = options.texts.get(said["said"], "") if said else ""
    others = any(other in remark for other, named in options.texts.items() if named != letter)
    plain = re.match(r"[^\W\d]", remark) and not _OTHER_MATTER.search(remark)
    return letter if plain and not others and not retractions(remark) else ""


_OF_ALL = re.compile(
    r"^(all|none) of (?:them|these|those|the above)(?: (?:is|are) (?:true|correct|right)| holds?)?$"
)
_OTHER_MATTER = re.compile(
    r"[.!?\n]|\b(?:not|but|although|though|however|or|unlike|hand|mean|no|if)\b|n't"
)


_NAMED = re.compile(r"\(([A-Z])\)")
# Beside the question's own words, a sentence that answers it may have these.
_PLAIN = frozenset(
    stems(
        "a an the it this that they these is are was were be of in by for to so thus hence then"
        " therefore must has have should would will answer correct right called"
        " known as at on its and clearly definitely probably likely most of course"
    )
)


def by_question(text: str, options: Options) -> str:
    """The option that a sentence adds to the question: "Plants take up carbon dioxide."."""
    if len(text) > _LONGEST_MENTION or not options.asked or options.asked & _NEGATED:
        return ""
    named, _ = with_letters(text, options)
    for sentence in reversed(SENTENCES.split(named.strip())[-4:]):
        letters = set(_NAMED.findall(sentence))
        rest = stems(_NAMED.sub(" ", sentence))
        if (
            len(letters) == 1
            and letters <= {*options.letters}
            and "?" not in sentence
            and _PLAIN.union(options.asked).issuperset(rest)
        ):
            back = retractions(named, named.index(sentence) + len(sentence))
            return "" if back or not rest else letters.pop()
    return ""


_NEGATED = frozenset(
    stems("not never except least false incorrect wrong no neither untrue unlikely")
)
