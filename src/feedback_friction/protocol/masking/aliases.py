"""The gate for answers in words: the gold answer and its aliases (TriviaQA, PopQA, custom).

What is masked, compared word by word as the grader compares (``reading.words``: case, accents,
punctuation, articles within, "&" and initials do not matter):

- every alias, whatever stands between its words (space, hyphen, line break, quotes, emphasis), in
  the plural, before "'s", run together ("SunsetBoulevard") or letter by letter ("S-u-n-s-e-t");
- a number in digits and in words ("7", "seven", "1,234");
- a distinctive part of a gold name ("Wilder", "Billy" of "Billy Wilder"): capitalised, at least
  four letters, no common word of names ("Street", "World") and not in the question. The grader
  takes no surname for the name, so no audit would find it, but it gives the answer away.

What stays, because it is innocent:

- an alias within a longer word or number ("Mali" in "Malian", "42" in "1420" and "3.42");
- a word of grammar, although it is an alias ("It", "US", "The Who", "Yes"), and a single letter:
  it is masked only in quotes or emphasis, after "the answer is", in capitals where the alias is in
  capitals, and capitalised within a sentence ("the novel It"; never "I");
- "one" as a pronoun ("one of them", "this one"), the numbers of list items, and of steps and
  attempts ("step 2"): a gap in a numbering would give the number away.

Out of scope: words derived from an answer ("Parisian"), translations, anagrams and first letters.
The audit grades sentences, quotations, capitalised runs, numbers and words, with the same innocent
words and numbers left out; what it takes for the answer all the same is masked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise

from feedback_friction.grading.text import grade_text
from feedback_friction.problem import Problem
from feedback_friction.protocol.masking.gate import UNSPACED, Match, gate
from feedback_friction.protocol.masking.innocent import IN_NAMES, is_pronoun
from feedback_friction.protocol.masking.written import find_words, flattened
from feedback_friction.protocol.records import Masked
from feedback_friction.reading.answer_keys import keys
from feedback_friction.reading.labels import is_label
from feedback_friction.reading.lexicon import GRAMMAR, PARTICLES
from feedback_friction.reading.number_words import number_words
from feedback_friction.reading.words import ARTICLES, Word, initials, key, named_at, words

Key = tuple[str, ...]

_SHORTEST_PART = 4  # letters of a part of a name that is masked on its own
_SHORTEST_ACROSS = 5  # letters of an alias that is found in other words than its own ("bat man")
_SHORTEST_PLURAL = 3
_SHORTEST_SINGULAR = 6  # letters of an alias that is found without its final s ("Beatle")
_WIDEST_GAP = 20  # characters between two words of one alias
_MOST_WORDS = 60
_NUMBER_WORDS = 5  # of an answer that is a number below a thousand

# The number of a list item belongs to its sentence.
_SENTENCE = re.compile(r"(?:\d{1,3}[.)][ \t])?[^.!?\n]+(?:\.(?=\w)[^.!?\n]*)*[.!?]?")
_QUOTED = re.compile(r"\"[^\"\n]{1,120}\"|\*{1,3}[^*\n]{1,120}\*{1,3}|\([^()\n]{1,120}\)")
_CAPITALS = re.compile(
    r"\b[A-Z][\w.&'-]{0,40}"
    r"(?:\s(?:(?:of|the|and|de|la|von|van)\s){0,2}[A-Z][\w.&'-]{0,40}){0,5}"
)
_WORD = re.compile(r"\w{1,60}(?:[.,'/:-]\w{1,60}){0,6}")

_UNSPACED = re.compile(rf"^[{UNSPACED}]{{2,40}}$")
_YEAR = re.compile(r"(?:1\d|20)\d\d$")
_NUMERAL = re.compile(rf"\d+(?=\b|st|nd|rd|th|[{UNSPACED}])")
_ONE = re.compile(r"\bone\b", re.I)
_STATED = re.compile(
    r"\banswer\s{1,3}(?:is|was|should be|would be|must be)\s{1,3}[\"'*(]{0,4}\Z"
    r"|\banswer\s{0,2}[:=][\s\"'*(]{0,6}\Z",
    re.I,
)
_CLOSES = re.compile(r"[\"'*)]{0,4}\s{0,3}(?:[.!?,;\n]|\Z)")
_SENTENCE_START = re.compile(r"(?:\A|[.!?:;\n])[\s\"'*()-]{0,10}\Z")


def mask_aliases(problem: Problem, text: str) -> Masked:
    """Feedback masked and audited.

    Args:
        problem: ``gold`` and ``aliases`` are masked; words of the question are no parts of a name.
        text: the feedback.
    """
    answers = _answers(problem.gold, problem.aliases, problem.question)
    finders = (answers.find, answers.find_in_words, answers.find_forms)
    return gate(text, finders, _candidates, answers.accepts, [answers.find_common])


@dataclass(frozen=True, slots=True)
class _Entry:
    """An alias run together: the name of the form, and where its own words end in it."""

    form: str
    ends: set[tuple[int, ...]] = field(default_factory=set)


class _Answers:
    """The accepted answers to one question, as they occur in feedback."""

    def __init__(self, gold: str, aliases: tuple[str, ...], question: str):
        accepted = keys(gold, aliases)
        self.common = frozenset(
            each[0] for each in accepted if len(each) == 1 and _is_common(each[0])
        )
        self.acronyms = frozenset(
            key(alias)[0]
            for alias in (gold, *aliases)
            if alias.isupper() and len(alias) > 1 and len(key(alias)) == 1
        ) - {key(alias)[0] for alias in (gold, *aliases) if key(alias) and not alias.isupper()}
        ordinary = accepted - {(word,) for word in self.common}
        numbers = {each: _number(each) for each in accepted}
        self.numbers = sorted({number for number in numbers.values() if number})
        plain = {each for each in ordinary if numbers[each] is None or each[0].isdecimal()}
        turned = {each for alias in (gold, *aliases) for each in _turned(alias)}
        self.entries = _entries(plain | turned | {(number,) for number in self.numbers})
        self.prefixes = frozenset(
            whole[:end] for whole in self.entries for end in range(1, len(whole) + 1)
        )
        forms = [each for alias in (gold, *aliases) for each in _UNSPACED.findall(alias)]
        forms += [rf"(?<![\w'])'{year[2:]}(?![\w'])" for year in self.numbers if _YEAR.match(year)]
        self.forms = re.compile("|".join(forms)) if forms else None
        self.stated = Problem("", "", question, gold, aliases)
        fuller = (each for each in aliases if _is_fuller(each, gold))  # Rembrandt van Rijn
        self.parts = frozenset().union(*(_parts(each, question) for each in (gold, *fuller)))
        self.names = frozenset().union(*map(initials, (gold, *aliases)))
        kept = tuple(alias for alias in (gold, *aliases) if key(alias) in ordinary)
        self.audited = Problem("", "", question, "", kept)

    def accepts(self, stretch: str) -> bool:
        """Whether the grader takes a stretch for the answer, innocent numbers left out."""
        plain = stretch
        for start, end in reversed(list(_innocent(stretch))):
            plain = f"{plain[:start]}_{plain[end:]}"
        return grade_text(self.audited, plain).is_correct

    def find(self, text: str) -> Iterator[Match]:
        """Every stretch of a view that is the answer."""
        found = words(text)
        done = -1
        for index, word in enumerate(found):
            if word.start < done:
                continue
            match = self._alias_at(text, found, index)
            if match is None and (end := named_at(found, index, self.names, True)):
                match = word.start, found[end - 1].end, "name"
            if match is None and word.norm in self.common and self._is_meant(text, word):
                match = word.start, word.end, "alias"
            if match is None and word.capital and word.norm in self.parts:
                match = word.start, word.end, "part"
            if match:
                yield match
                done = match[1]

    def find_in_words(self, text: str) -> Iterator[Match]:
        """Every stretch of a view that is the answer as a number in words."""
        for start, end, _ in find_words(flattened(text), self.numbers) if self.numbers else ():
            if not text[start:end].isdigit() and not is_pronoun(text, start, end):
                yield start, end, "number"

    def find_forms(self, text: str) -> Iterator[Match]:
        """Answers in scripts without spaces, whatever stands around them, and years cut short."""
        for found in self.forms.finditer(text) if self.forms else ():
            yield *found.span(), "alias"

    def find_common(self, text: str) -> Iterator[Match]:
        """Every word of grammar that is an answer, where the grader takes one for it."""
        if self.common and grade_text(self.stated, text).is_correct:
            yield from ((w.start, w.end, "graded") for w in words(text) if w.norm in self.common)

    def _alias_at(self, text: str, found: Sequence[Word], index: int) -> Match | None:
        """The longest alias whose words begin at ``index``."""
        best: Match | None = None
        taken: list[Word] = []
        whole = ""
        for word in found[index : index + _MOST_WORDS]:
            gap = text[taken[-1].end : word.start] if taken else ""
            if len(gap) > _WIDEST_GAP or ";" in gap:
                break
            if word.norm in ARTICLES and whole + word.norm not in self.prefixes:
                if not taken:
                    break
                continue
            whole += word.norm
            taken.append(word)
            if whole not in self.prefixes:
                break
            entry = self.entries.get(whole)
            if entry and _is_whole(text, taken, entry) and not _only_counts(text, taken):
                best = taken[0].start, word.end, entry.form
        return best

    def _is_meant(self, text: str, word: Word) -> bool:
        """Whether a word of grammar stands for the answer here."""
        start, end = word.start, word.end
        before, after = text[max(0, start - 40) : start], text[end : end + 12]
        if before[-1:] and before[-1] in "\"'*_(" and before[-1].replace("(", ")") == after[:1]:
            return True
        if _STATED.search(before) and _CLOSES.match(after):
            return True
        shown = text[start:end]
        if word.norm in self.acronyms:
            return shown.isupper()
        begins = word.norm in GRAMMAR | PARTICLES and _SENTENCE_START.search(before)
        return shown[0].isupper() and word.norm != "i" and not begins


@lru_cache(maxsize=1024)
def _answers(gold: str, aliases: tuple[str, ...], question: str) -> _Answers:
    return _Answers(gold, aliases, question)


def _is_common(word: str) -> bool:
    return word in GRAMMAR or (len(word) <= 2 and word.isalpha())


def _entries(accepted: Collection[Key]) -> Mapping[str, _Entry]:
    """Every way in which the answers are written, by what they are when run together."""
    entries: dict[str, _Entry] = {}

    def add(form: str, *parts: str) -> None:
        ends = tuple(accumulate(len(part) for part in parts))[:-1]
        entries.setdefault("".join(parts), _Entry(form)).ends.add(ends)

    for each in sorted(filter(any, accepted)):
        add("alias", *each)
        last, length = each[-1], len("".join(each))
        if last.isalpha() and length >= _SHORTEST_PLURAL:
            add("plural", *each[:-1], f"{last}s")
            add("plural", *each[:-1], f"{last}es")
        if re.search("[^s]s$", last) and last.isalpha() and length >= _SHORTEST_SINGULAR:
            add("singular", *each[:-1], last[:-1])
    return entries


def _turned(alias: str) -> Iterator[Key]:
    """A name as in an index: "Wilder, Billy"."""
    found = words(alias)
    if (
        2 <= len(found) <= 4
        and "(" not in alias
        and all(w.capital and len(w.norm) > 1 for w in found)
    ):
        yield found[-1].norm, *(word.norm for word in found[:-1])


def _number(each: Key) -> str | None:
    """The digits of an accepted answer that is a whole number, written in digits or in words."""
    if len(each) == 1 and each[0].isdecimal():
        return each[0].lstrip("0") or "0"
    value = number_words(" ".join(each)) if len(each) <= _NUMBER_WORDS else None
    whole = value is not None and 0 <= value < 1000 and value.denominator == 1
    return str(value) if whole else None


def _is_fuller(alias: str, gold: str) -> bool:
    """Whether an alias goes on from the gold name with one that a particle begins."""
    own, said = key(gold), key(alias)
    return said[: len(own)] == own and not PARTICLES.isdisjoint(said[len(own) :])


def _parts(gold: str, question: str) -> frozenset[str]:
    """The words of a name that give it away on their own."""
    found = [word for word in words(gold) if word.norm not in ARTICLES]
    asked = {word.norm for word in words(question)}
    return frozenset(
        word.norm
        for word in found
        if len(found) > 1
        and word.capital
        and word.norm.isalpha()
        and len(word.norm) >= _SHORTEST_PART
        and word.norm not in IN_NAMES
        and word.norm not in asked
    )


def _is_whole(text: str, taken: Sequence[Word], entry: _Entry) -> bool:
    """Whether the words are the alias's own, or other words that can only be the alias."""
    ends = tuple(accumulate(len(word.norm) for word in taken))
    if ends[:-1] in entry.ends or all(len(word.norm) == 1 for word in taken):
        return True
    gaps = [text[one.end : two.start] for one, two in pairwise(taken)]
    if gaps[-1:] == ["'"]:  # "Wilder's" is no plural
        return False
    if not any(" " in gap or "\n" in gap for gap in gaps):
        return True
    return ends[-1] >= _SHORTEST_ACROSS and not any(word.norm in GRAMMAR for word in taken)


def _only_counts(text: str, taken: Sequence[Word]) -> bool:
    """Whether a number is that of a step or a list item, or part of a time or a fraction."""
    word = taken[0]
    if len(taken) > 1 or not word.is_number:
        return False
    in_longer = _LONGER.search(text[max(0, word.start - 2) : word.end + 2]) is not None
    return in_longer or is_label(text, word.start, word.end)


_LONGER = re.compile(r"^\d[/:]|[/:]\d$")


def _innocent(text: str) -> Iterator[tuple[int, int]]:
    """Where a number is a label, and "one" a pronoun."""
    for pattern, is_innocent in ((_NUMERAL, is_label), (_ONE, is_pronoun)):
        for found in pattern.finditer(text):
            if is_innocent(text, *found.span()):
                yield found.span()


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Stretches that could be read as an answer: sentences, quotations, names, words."""
    left_out = {end for _, end in _innocent(text)}
    for pattern in (_SENTENCE, _QUOTED):
        for found in pattern.finditer(text):
            yield found.span()
    seen: set[str] = set()
    for pattern in (_CAPITALS, _WORD):
        for found in pattern.finditer(text):
            if found[0] not in seen and found.end() not in left_out:
                seen.add(found[0])
                yield found.span()
