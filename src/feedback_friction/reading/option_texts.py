"""The options of a problem, and a reply's text, in the form in which the two are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from feedback_friction.problem import LETTERS
from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.reply import ANSWER, final_part, signed

LONGEST = 400  # characters of an option's text that are compared; longer texts by their beginning

_PLAIN = (
    {ord(c): "'" for c in "‘’‚′´`"}
    | {ord(c): '"' for c in "“”„″«»「」『』"}
    | {ord(c): " " for c in "\u00a0\u2002\u2003\u2009\u202f\u3000"}
    | {ord(c): "-" for c in "‐‑‒–—―−－"}
    | {ord(c): None for c in "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f\u20e3"}
    | {ord(wide): chr(ord(wide) - 0xFEE0) for wide in map(chr, range(0xFF01, 0xFF5F))}
    | {ord(c): "(" for c in "【〔［〖"}
    | {ord(c): ")" for c in "】〕］〗"}
    | {ord("。"): ". ", ord("、"): ",", ord("→"): ">", ord("⇒"): ">"}
)
for _first in (0x24B6, 0x24D0, 0x1F150, 0x1F170, 0x1F130):  # circled, squared, regional letters
    _PLAIN |= {_first + n: f"({letter})" for n, letter in enumerate(LETTERS)}
for _first in range(0x1D400, 0x1D670, 52):  # bold, italic, script ... mathematical letters
    _PLAIN |= {_first + n: letter for n, letter in enumerate(LETTERS)}

_TAG = re.compile(r"<(?:(/?)(?:final_)?answer|\|?/?[A-Za-z_]{1,20}\|?\s?/?)>", re.IGNORECASE)
_LATEX = re.compile(
    r"\\(?:(?:text\w{0,10}|math(?:rm|bf|sf|it|tt|bb|cal|normal)|operatorname|displaystyle|left|right"
    r"|big|Big|bf|rm|hspace|emph)(?![A-Za-z])|[()\[\]!]|([,;: ]|q?quad(?![A-Za-z])))|\$"
)
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*")
# Each begins with its mark, so that the search leaps from one mark to the next.
_STARS = re.compile(r"\*(?:\*+|(?<![0-9A-Za-z)\]}]\*)(?=\S)|(?<=\S\*)(?![0-9A-Za-z(\[{\\]))")
_UNDERSCORES = re.compile(r"_(?:(?<![\w\\]_)_*(?=[A-Za-z0-9($\"'])|(?<=[\w).:!?\"'$]_)_*(?![\w{]))")
_HEADING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]+(?=[A-Za-z(]))", re.MULTILINE)


def _untagged(tag: re.Match[str]) -> str:
    if tag[1] is not None:
        return "\n" if tag[1] else "\nanswer: "
    return "\n" if tag[0][:3].lower() == "<br" else ""


def readable(text: str) -> str:
    """The text without what only dresses it: Markdown, LaTeX wrappers, tags, wide letters.

    Reasoning that a server left in the reply is no part of the answer.
    """
    text = signed(final_part(text), letters=True)
    if not text.isascii():
        text = text.translate(_PLAIN)
    if "<" in text:
        text = _TAG.sub(_untagged, text)
    if "\\" in text:
        text = _LATEX.sub(lambda command: " " if command[1] else "", _BOX.sub(" boxed", text))
    elif "$" in text:
        text = text.replace("$", "")
    if "`" in text:
        text = text.replace("`", "")
    if "*" in text:
        text = _STARS.sub("", text)
    if "_" in text:
        text = _UNDERSCORES.sub("", text)
    if "#" in text or ">" in text:
        text = _HEADING.sub("", text)
    return _LOCAL.sub(_local, text) if ANSWER in text else text


# The letters that translated questions offer, right after a cue.
LOCAL_LETTERS = dict(zip("أابجدهঅবডঢ", "AABCDEABCD", strict=True))
_LOCAL = re.compile(rf"({ANSWER}[\s(\[*]{{0,40}})([{''.join(LOCAL_LETTERS)}])(?=[\s)\].*]|$)")


def _local(found: re.Match[str]) -> str:
    return found[1] + LOCAL_LETTERS[found[2]]


_DEGREES = re.compile(r"\s*\^\s*\{?\s*\\(?:circ|degree)\b\s*\}?|\\degree\b")
_NOT_CONTENT = re.compile(r"[\s{}\\\"']+")
_AROUND_SIGN = re.compile(r"\s*([+\-*/=<>^,()\[\]|~%])\s*")
_LETTER_IN_BRACKETS = re.compile(r"\(([a-z])\)")
_ARTICLE = r"(?:the|that|an?(?!\s+(?:and|or|only)\b))"
_FRINGE = re.compile(rf"^(?:[\s:;,(\[]|\.(?!\d))*(?:{_ARTICLE}\s+)?|[\s.;,]+$")


def folded(text: str, *, strict: bool = False) -> str:
    """An option's text in the form in which two are compared; expects readable text.

    Letter case, quotes, braces, articles, and space around signs do not count, unless ``strict``.
    """
    if strict:
        return " ".join(text.split())
    if "\\" in text:
        text = _DEGREES.sub("°", text).replace("\\times", "×")
    text = _LETTER_IN_BRACKETS.sub(r"\1", _NOT_CONTENT.sub(" ", text.casefold()))
    return _AROUND_SIGN.sub(r"\1", _FRINGE.sub("", text))


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a problem, ready to be compared."""

    letters: str  # the letters offered
    # folded text -> letter, longest first; "" where several options have that text
    texts: dict[str, str]
    # the first (up to three) letters or digits of those texts; empty where one has none
    starts: frozenset[str]
    choices: tuple[str, ...]  # the texts as the problem has them
    longest: int  # length of the longest option's text, as shown
    lettered: bool  # some option's text begins with a letter that stands alone, as "A and D" does
    parts: bool  # some option's text labels its parts "a)", so that a small letter is no answer
    strict: bool  # two options differ in nothing that counts otherwise
    asked: frozenset[str]  # the words of the question, their first letters (``stems``)

    def at(self, text: str, start: int = 0) -> tuple[str, int]:
        """The option whose whole text stands at ``start``, and how much is left after it.

        What is left is counted in characters of the folded text, of which no more is looked at
        than an option's text could take.
        """
        first = _FIRST.match(text, start)
        if self.starts and (first is None or first[1].casefold() not in self.starts):
            return "", 0
        tail = folded(
            text[start : start + 2 * min(self.longest, LONGEST) + _MARGIN], strict=self.strict
        )
        for option, letter in self.texts.items():
            if tail.startswith(option) and _TEXT_ENDS.match(tail, len(option)):
                return letter, len(tail) - len(option)
        return "", 0

    def is_text(self, text: str, letter: str) -> bool:
        """Whether this is the text of that option."""
        return letter != "" and self.whole(text) == letter

    def whole(self, text: str) -> str:
        """The letter of the option with exactly this text, else ``""``."""
        return (
            self.texts.get(folded(text, strict=self.strict)[:LONGEST], "")
            if len(text) <= 2 * LONGEST
            else ""
        )

    def ending(self, text: str) -> str:
        """The letter of the option whose whole text ``text`` ends in, else ``""``."""
        head = folded(text[-2 * LONGEST :], strict=self.strict)
        for option, letter in self.texts.items():
            if head.endswith(option) and not head[: -len(option)][-1:].isalnum():
                return letter
        return ""


def with_letters(text: str, options: Options, *, ranks: bool = False) -> tuple[str, list[int]]:
    """A text with "(B)" where it has option B's words, and where each of its characters was.

    With ``ranks`` also where it has B's place: "neither the first nor the second".
    """
    pattern, letters = _named(options.choices, ranks)
    parts: list[str] = []
    origin: list[int] = []
    done = 0
    for found in pattern.finditer(text) if letters else ():
        letter = letters[found[1].casefold()]
        parts += [text[done : found.start()], f"({letter})"]
        origin += [*range(done, found.start()), *[found.start()] * 2, found.end() - 1]
        done = found.end()
    return "".join([*parts, text[done:]]), [*origin, *range(done, len(text) + 1)]


@lru_cache(maxsize=4096)
def _named(choices: tuple[str, ...], ranks: bool) -> tuple[re.Pattern[str], dict[str, str]]:
    """Options that are words, and no words of judgement: a pattern for all, and their letters."""
    letters: dict[str, str] = {}
    for letter, choice in zip(LETTERS, choices, strict=False):
        said = choice.strip(" .").casefold()
        if _PLAIN_WORDS.fullmatch(said) and not _JUDGES.search(said):
            letters[said] = "" if said in letters else letter
    letters = {said: letter for said, letter in letters.items() if letter}
    either = "|".join(map(re.escape, sorted(letters, key=len, reverse=True)))
    if ranks:
        places = dict(zip(ORDINALS, LETTERS[: len(choices)], strict=False))
        places["last"] = LETTERS[len(choices) - 1]
        either += rf"{'|' * bool(either)}(?:{'|'.join(places)}){_RANK_ENDS}"
        letters = places | letters
    return re.compile(rf"(?<!\w)(?:(?:the|an?)\s)?({either})(?!\w|-\w)", re.IGNORECASE), letters


def joined(text: str, options: Options) -> str:
    """A text with "(B)" where B's text stands after its letter in a sentence: "not B. Neon".

    The point ends no sentence there. Lines of a list stay as they are.
    """
    within_lines = "\n" in text.strip()

    def letter(found: re.Match[str]) -> str:
        begins = not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
        return found[0] if begins and within_lines else f"({found[1]})"

    return _labelled(options.choices).sub(letter, text)


def valued(text: str, options: Options) -> str:
    """A short text with "(B)" where it has the text of option B, and that has a figure in it."""

    def letter(found: re.Match[str]) -> str:
        named = options.whole(found[0])
        return f"({named})" if named else found[0]

    return _figures(options.choices).sub(letter, text) if len(text) <= LONGEST else text


@lru_cache(maxsize=4096)
def _figures(choices: tuple[str, ...]) -> re.Pattern[str]:
    shown = sorted((readable(choice).strip(" .") for choice in choices), key=len, reverse=True)
    # "2" may be the second one, too.
    either = "|".join(
        re.escape(text)
        for text in shown
        if re.search(r"\d", text) and not (text.isdecimal() and int(text) <= len(shown))
    )
    return re.compile(rf"(?<![\w.,/^-])(?:{either or '(?!)'})(?![\w%^]|[.,/-]\d)")


@lru_cache(maxsize=4096)
def _labelled(choices: tuple[str, ...]) -> re.Pattern[str]:
    """Each option's letter, with its text after it."""
    shown = [readable(choice).strip(" .") for choice in choices]
    either = "|".join(
        rf"(?<={letter}[.):]\s){re.escape(text)}"
        for letter, text in zip(LETTERS, shown, strict=False)
        if text
    )
    return re.compile(
        rf"(?<![A-Za-z0-9_'(])([A-Z])[.):]\s(?i:{either or '(?!)'})(?![A-Za-z0-9_%]|[.,]\d)"
    )


# What may follow a place in a list, or end it; "first, the units" is no place.
_RANK_ENDS = (
    r"(?=,?\s(?:and|or|nor)\s|,\s(?:the\s)?(?:\w+(?:st|nd|rd|th)|last)\b|[.;]|$"
    r"|\s(?:options?|choices?|answers?|ones?|is|are|fits?|works?|holds?)\b)"
)
_PLAIN_WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '-]){2,60}")
_JUDGES = re.compile(
    r"\b(?:true|false|yes|no|not|none|all|both|neither|only|correct|incorrect|right|wrong|options?"
    r"|choices?|answers?|it|is|are|cannot)\b"
)
_MARGIN = 40
# The first letters or digits that count when a text is folded.
_FIRST = re.compile(rf"\W{{0,40}}(?:{_ARTICLE}\s+\W{{0,20}})?(\w{{1,3}})", re.IGNORECASE)
_TEXT_ENDS = re.compile(
    r"$|\s?[.;!?)\]:](?:\s|$)|(?<=[a-z]{3})\(|\s[a-z](?:$|[.;!?])"
    r"|,?\s?(?:because|since|as|which|so|but|for|given|due|based"
    r"|i (?:think|believe|guess|(?:m|am) (?:sure|certain|confident))|contrary)\b"
)
_LETTERED = re.compile(r"\(?[A-Z](?![A-Za-z0-9])")
_PARTS = re.compile(r"(?:^|\s)\(?[a-z]\)")


def stems(text: str) -> list[str]:
    """The words of a text in small letters, by their beginning: "increases" as "increased"."""
    return [word[:6] for word in re.findall(r"[^\W_]+", text.lower())]


@lru_cache(maxsize=4096)
def options_of(choices: tuple[str, ...], question: str = "") -> Options:
    """The options with these texts, in the order shown, of a question."""
    shown = [readable(choice).strip() for choice in choices]
    strict = len(set(map(folded, shown))) < len(set(shown))
    texts: dict[str, str] = {}
    for letter, option in zip(LETTERS, shown, strict=False):
        text = folded(option, strict=strict)[:LONGEST]
        if text:
            texts[text] = "" if text in texts else letter
    firsts = [_FIRST.match(text.casefold()) for text in (*texts, *filter(None, shown))]
    return Options(
        letters=LETTERS[: len(choices)],
        texts=dict(sorted(texts.items(), key=lambda item: -len(item[0]))),
        starts=frozenset(first[1] for first in firsts if first) if all(firsts) else frozenset(),
        choices=choices,
        longest=max(map(len, shown)),
        lettered=any(len(text) > 2 and _LETTERED.match(text) for text in shown),
        parts=any(_PARTS.search(text) for text in shown),
        strict=strict,
        asked=frozenset(stems(question)),
    )
