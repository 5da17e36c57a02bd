"""The alias that a stated answer begins with, and what the words after it make of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from feedback_friction.grading.sentences import SENTENCE_END, describes, first_sentence
from feedback_friction.reading.answer_keys import keys
from feedback_friction.reading.lexicon import (
    APART,
    ASKING,
    CAPITALS,
    COMPARED,
    FINITE,
    FOLLOWS,
    GRAMMAR,
    NAMING,
    NEW_CLAUSE,
    NO_NAME,
    NUMBERS,
    OCCUPATIONS,
    PARTICLES,
    PLACES,
    RELATED,
    STARTERS,
    STATES,
    TITLES,
)
from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.prose import ALTERNATIVE
from feedback_friction.reading.words import (
    ARTICLES,
    Word,
    initials,
    is_named,
    key,
    named_at,
    normalized,
    words,
)

# The answer ends here; a list of guesses goes on; it is part of another name; it is denied.
Tail = Literal["end", "list", "other", "negated"]

_DENIED = re.compile(
    r"(?:\w+ )?(?:not|never|no longer)\b|\w+n't\b"
    r"|(?:is|was|are|were|seems?)\s(?:\w+\s){0,2}(?:wrong|incorrect|mistaken|false|impossible|unlikely"
    r"|out|excluded|rejected)\b|(?:is|was)\smy\s(?:first|initial|previous|earlier|last|original)\b",
    re.I,
)
# Right after a name, in answer to who won or was first.
_OUTDONE = re.compile(
    r"(?:(?:came|finished|was|is|placed|ranks?) (?:in )?(?:only )?(?:the )?"
    r"(?P<place>second|third|fourth|fifth|last|runner)|(?P<lost>lost) (?:to|in|the))\b",
    re.I,
)
_CHOICE = re.compile(r"\b(?:or|not|never|but|no)\b|n't\b|\?", re.I)
_WHICH = ("which", "what")
_OTHER = frozenset(
    (*ORDINALS[1:], "next", "last", "previous", "former", "other", "another", "opposite")
)
_REGION = re.compile(
    r"(?:[A-Z][\w'-]+\s){0,3}(?:[A-Z]\w+shire|Sussex|Essex|Kent|Midlands|Surrey|Norfolk|Suffolk|Devon|Dorset"
    r"|Cornwall|Cumbria|Durham|Somerset|Yorkshire|Northumberland|Middlesex|Merseyside|Bavaria|Saxony"
    r"|Tuscany|Lombardy|Sicily|Catalonia|Andalusia|Normandy|Brittany|Provence|Punjab|Kerala)"
    r"|(?:County|Province of|State of|Republic of)\s[A-Z]\w+(?:\s[A-Z]\w+)?"
    r"|(?:[A-Z][\w'-]+\s){1,3}(?:County|Province|Prefecture|District|Oblast|Region|State|Islands?)"
    r"|ACT|NSW|QLD|VIC|ON|QC|BC|AB|MB|SK|NS|NB|A[KLRZ]|C[AOT]|DE|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]"
    r"|UT|V[AT]|W[AIVY]"
)


@dataclass(frozen=True, slots=True)
class Found:
    """An alias at the beginning of a stated answer."""

    alias: str  # its words
    tail: Tail  # what follows it
    first: bool  # whether nothing but an article precedes it


class Accepted:
    """The accepted answers to one question, as they occur in prose."""

    def __init__(self, gold: str, aliases: tuple[str, ...], question: str):
        self.keys = keys(gold, aliases)
        self.joined = frozenset("".join(alias) for alias in self.keys)
        self.names = frozenset().union(*map(initials, (gold, *aliases)))
        self.longest = max((len(alias) for alias in self.keys), default=0)
        asks = words(question)
        self.asked = frozenset(word.norm for word in asks)
        self.which = frozenset(two.norm for one, two in pairwise(asks) if one.norm in _WHICH)
        # "Which river" is answered by "the River Thames" and "Thames River" too.
        self.kind = self.which - (
            FINITE | ARTICLES | PARTICLES | {w.norm for w in asks if w.capital}
        )
        self.named = any(word.capital for word in asks[1:])
        self.person = bool(self.asked & {"who", "whom"} or self.which & (OCCUPATIONS | TITLES))
        # Who is a writer may be a painter too.
        self.listed = bool(self.asked & {"occupation", "profession", "job"})
        # "It" and "He" are words of English where a sentence begins with them.
        self.common = {(word,) for word in GRAMMAR} & self.keys
        # "IT" and "IS" are words of English unless they are written in capitals.
        self.acronyms = frozenset(
            key(alias)[0]
            for alias in (gold, *aliases)
            if alias.isupper() and len(key(alias)) == 1 and key(alias)[0] in GRAMMAR
        ) - {key(gold)[0] for _ in (1,) if len(key(gold)) == 1 and not gold.isupper()}

    def has(self, said: tuple[str, ...]) -> bool:
        """Whether these words are an alias; spaces and hyphens aside ("SpiderMan")."""
        if said in self.keys or "".join(said) in self.joined:
            return True
        return any(is_named(said, name, self.person) for name in self.names)

    def asks_for(self, run: Sequence[Word]) -> bool:
        """Whether the question has all these words itself."""
        return all(word.norm in self.asked for word in run)

    def says(self, raw: str) -> bool:
        """Whether a text is an alias and no more; "No." is not NO, the code of a country."""
        said = key(raw)
        return said in self.keys and (
            raw.isupper() or said[0] not in self.acronyms or len(said) > 1
        )

    def is_in(self, found: Sequence[Word]) -> bool:
        """Whether an alias stands among words, at a capital or a number."""
        return any(
            (word.capital or word.is_number) and self._alias_at(found, at)
            for at, word in enumerate(found)
        )

    def is_other(self, subject: Sequence[Word]) -> bool:
        """Whether a subject names another than the question asks for: "The second largest is"."""
        return not _OTHER.isdisjoint({word.norm for word in subject} - self.asked)

    def tells_other(self, found: Sequence[Word]) -> bool:
        """Whether a verb of the question goes on to another name: "recorded Tusk", not Rumours."""
        passed = ARTICLES | self.asked
        objects = [word for word in found[1:] if word.norm not in passed][:1]
        return (
            self.named
            and found[0].norm in self.asked - GRAMMAR
            and any(word.capital and not word.is_number for word in objects)
        )

    def is_outdone(self, rest: str) -> bool:
        """Whether what follows a name says that it was second or lost, which nobody asked."""
        outdone = _OUTDONE.match(rest)
        return outdone is not None and outdone[outdone.lastgroup or 0].lower() not in self.asked

    def begins(self, text: str) -> Found | None:
        """The alias that text begins with, an article, a title and a description aside."""
        begins = self._begins(text)
        others = {word.norm for word in words(first_sentence(text))} & RELATED
        if begins or not self.listed or others or _CHOICE.search(first_sentence(text)):
            return begins
        parts = re.split(r",\s(?:and\s)?|\sand\s", first_sentence(text))
        found = filter(None, map(self._begins, parts))
        return next((one for one in found if one.tail == "end"), None)

    def _begins(self, text: str) -> Found | None:
        found = words(text[:300])
        for index, word in enumerate(found[:7]):
            match = self._alias_at(found, index)
            if match and len(match[0]) == 1 and match[0][0] in self.acronyms:
                match = match if text[word.start : match[1].end].isupper() else None
            if match and match[0] in self.common:
                first = index == 0 and match[1] is word
                match = match if _is_meant(text, match[1], first=first) else None
            if match and self.is_apart(found, index):
                return None
            if match:
                alias, last = match
                first = all(before.norm in ARTICLES for before in found[:index])
                is_title = last.norm in TITLES or not last.capital
                of_name = _OF_NAME if is_title else _OF_THE_NAME
                other = len(alias) == 1 and of_name.match(text, last.end)
                return Found(
                    " ".join(alias), "other" if other else self._tail(text, last.end), first
                )
            if not describes(found, index) and word.norm not in ARTICLES | self.kind:
                return None
        return None

    def is_apart(self, found: Sequence[Word], index: int) -> bool:
        """Whether what stands before a name makes it another: "near York", "the wife of ...".

        It does not where the question asks so, or has the name that the sentence begins with.
        """
        at = index - 1
        while at >= 0 and (
            found[at].norm in ARTICLES | TITLES
            or (found[at].norm == "of" and at and found[at - 1].norm in NAMING)
            or found[at].norm in NAMING
        ):
            at -= 1
        of = at > 0 and found[at].norm in ("of", "to", "from")
        at -= of
        is_number = found[index].is_number or found[index].norm in NUMBERS
        others = RELATED | APART if of else COMPARED | APART if is_number else APART
        if at < 0 or found[at].norm not in others - self.asked:
            return False
        asked = any(w.capital and w.norm in self.asked - NO_NAME - ARTICLES for w in found[:at])
        return is_number or not asked

    def _alias_at(self, found: Sequence[Word], index: int) -> tuple[tuple[str, ...], Word] | None:
        """The longest alias whose words begin at ``index``, and its last word."""
        best = None
        parts: list[str] = []
        for word in found[index:]:
            if len(parts) >= self.longest:
                break
            if word.norm in ARTICLES:
                if parts and (*parts, word.norm) in self.keys:
                    best = (*parts, word.norm), word
                continue
            parts.append(word.norm)
            if tuple(parts) in self.keys:
                best = tuple(parts), word
        end = 0 if best else named_at(found, index, self.names, self.person)
        return (tuple(word.norm for word in found[index:end]), found[end - 1]) if end else best

    def _tail(self, text: str, at: int) -> Tail:
        """What the text after an alias makes of it."""
        for _ in range(8):
            rest = text[at:]
            step = self._after(rest)
            if isinstance(step, str):
                return step
            at += step
        return "other"

    def _after(self, rest: str) -> Tail | int:
        """The kind of what follows, or how many characters can be passed over."""
        ended = SENTENCE_END.match(rest)
        if ended:
            following = rest[ended.end() :].lstrip()
            guess = "?" in ended[0] and following
            return (
                "list" if guess or re.match(r"(?:or|alternatively)\b", following, re.I) else "end"
            )
        if re.match(r"'s\b|[:/.,'-]\d", rest):
            return "other"
        bare = rest.lstrip("\"')]} \t")
        if not words(bare[:200]):
            return "end"
        if ALTERNATIVE.search(first_sentence(bare)):
            return "list"
        skipped = len(rest) - len(bare)
        if bare[0] in "([":
            return self._bracketed(bare, skipped)
        if bare[0] in "/;":
            return self._another(bare, 1, skipped)
        if bare[0] in ":\n":
            return "end"
        if bare[0] in ",—–" or re.match(r"-+\s", bare):
            return self._remark(bare, skipped)
        if skipped and rest[:skipped].strip(" \t") == "" and not bare[0].isalnum():
            return "other"
        return self._word_after(bare, skipped) if skipped else "other"

    def _bracketed(self, bare: str, skipped: int) -> Tail | int:
        close = bare.find("]" if bare[0] == "[" else ")")
        if close < 0:
            return "end"
        inside = bare[1:close]
        choice = re.match(r"(?:or|possibly|maybe|perhaps|alternatively)\b", inside, re.I)
        if choice and key(inside[choice.end() :]) not in self.keys:
            return "list"
        return skipped + close + 1

    def _another(self, bare: str, width: int, skipped: int) -> Tail | int:
        """After a separator: another alias can be passed over, anything else is another guess."""
        found = words(bare[width : width + 300])
        while found and found[0].norm in ARTICLES:
            found = found[1:]
        match = self._alias_at(found, 0) if found else None
        return skipped + width + match[1].end if match else "list"

    def _remark(self, bare: str, skipped: int) -> Tail | int:
        """A comma or dash begins a remark, a qualification ("Paris, France") or the next guess."""
        rest = bare[1:].lstrip("- ")
        width = len(bare) - len(rest)
        word = words(rest[:60])[:1]
        if not word or not rest[0].isalnum():
            return "end"
        if word[0].norm in ("or", "and") and rest[:2] != "OR":
            return self._joined(bare, width, skipped)
        if not word[0].capital:
            return "list" if word[0].norm in ("maybe", "perhaps", "possibly") else "end"
        segment = re.split(r"[,.;:!?(\n]", rest, maxsplit=1)[0]
        inside = words(segment)
        passed = skipped + width + len(segment)
        if word[0].norm in TITLES and re.match(r"\w+ of\b", segment):
            return "end"  # "John, King of England"
        if key(segment) in self.keys or self.asks_for(inside):
            return passed
        place = normalized(segment)
        if place in STATES and not CAPITALS.isdisjoint(self.joined):
            return "other"  # "Rome, Georgia"
        if word[0].is_number or place in PLACES or _REGION.fullmatch(segment.strip()):
            return passed
        remark = any(not w.capital and w.norm not in PARTICLES | ARTICLES for w in inside)
        if remark and not {"or", "and"} & {w.norm for w in inside}:
            return "end"
        return "list"

    def _joined(self, bare: str, width: int, skipped: int) -> Tail | int:
        """After "or" and "and": another guess, unless it is an alias or a new clause."""
        word = words(bare[width : width + 60])[0]
        following = words(bare[width + word.end : width + word.end + 60])[:1]
        if word.norm == "and" and following and following[0].norm in NEW_CLAUSE:
            return "end"
        if word.norm == "and" and bare[0] == "," and _has_verb(bare[width + word.end :]):
            return "end"
        if word.norm == "and" and self.listed:
            return "end"
        return self._another(bare, width + word.end, skipped)

    def _word_after(self, bare: str, skipped: int) -> Tail | int:
        """A word right after the alias: part of another name, or the sentence going on."""
        word = words(bare[:200])[0]
        if word.norm in ("or", "and"):
            return self._joined(bare, 0, skipped)
        if word.capital:
            return "end" if word.norm in self.kind else "other"
        if _DENIED.match(bare) or self.is_outdone(bare):
            return "negated"
        goes_on = word.norm in FOLLOWS or word.norm in self.asked or word.norm.endswith("ed")
        goes_on = goes_on and word.norm != "hundred"
        if self.tells_other(words(re.split(r"[,;]", bare[:120], maxsplit=1)[0])):
            return "negated"
        return "end" if goes_on else "other"


_OF_NAME = re.compile(r"\s+of\s+(?:the\s+)?[A-Z]")
_OF_THE_NAME = re.compile(r"\s+of\s+the\s+[A-Z]")
_CLOSES = re.compile(
    r"[\"')\]]|\s*(?:$|[.!?:;(\n])|,?\s+(?:by|from|starring|directed|written|\d+)\b"
)


def _is_meant(text: str, word: Word, *, first: bool) -> bool:
    """Whether a word of grammar stands for the answer: "It" by King, but not "It is by Tolkien"."""
    if not word.capital:
        return False
    if not first or _CLOSES.match(text, word.end):
        return True
    pronoun = word.norm in STARTERS | ASKING | {"as", "be"}
    return not pronoun and re.match(r"\s+(?:is|was|has|had)\b", text[word.end :]) is not None


def _has_verb(text: str) -> bool:
    """Whether a clause follows, no name alone: ", and Domesday Book followed in 1086"."""
    return any(
        word.norm in FINITE or (word.norm.endswith("ed") and not word.capital)
        for word in words(re.split(r"[,.;:!?(\n]", text, maxsplit=1)[0])
    )
