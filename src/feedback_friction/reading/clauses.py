"""The clauses of a reply in prose: parts of sentences, each with its line and its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feedback_friction.reading.lexicon import FINITE, PARTICLES, STARTERS
from feedback_friction.reading.words import ARTICLES, Word, words

LONGEST = 400  # characters of a statement that are read
_LONGEST_PHRASE = 12  # words
_ITEM = re.compile(r"[ \t]*(?:[-•+|]|\(?\d{1,2}[.)]|\(?[a-z]\))[ \t]+")
_SENTENCE_END = re.compile(r"[.!?…][\"')\]]{0,3}\s+(?=[\"'(\[]{0,2}[A-Z0-9])|;\s+")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'.])(?:[A-Za-z]|Mrs?|Ms|Dr|St|Ste|Jr|Sr|Mt|Ft|Prof|Gen|Col|Lt|Sgt|Capt|Rev|Hon"
    r"|No|Vol|vs|ca|e\.g|i\.e|Inc|Ltd|Co|Bros)\.$"
)
_CONCEDES = re.compile(r",?\s(?:even though|though|although)\b,?\s", re.I)
_CONCEDED_FIRST = re.compile(r"\s*(?:even though|though|although)\s[^,.;\n]{1,120},\s", re.I)
_SAYS = re.compile(
    r"(?:i|i'm|my|it|it's|that|this|the (?:\w+ )?answer|probably|perhaps|maybe)\b", re.I
)
_CLAUSE_END = re.compile(
    r"(?<!anything)(?<!nothing)(?<!all),?\s(?:but|however|yet)\b,?\s"
    r"|\s[—–-]\s(?=not\s)"
    r"|,\s(?=(?:so|hence|thus|therefore)\s(?:it|the|he|she|they|this|that)\b)"
    # "It isn't Paris, it's Rome"; but the cue of a correction ("no, it's Rome") stays with it.
    r"|(?<!\bno)(?<!\boh)(?<!wait)(?<!sorry)(?<!ally)(?<!tead),\s"
    r"(?=(?:it's|it is|it was|rather|instead|i mean|or rather|make that|scratch that)\b)",
    re.I,
)
# Politeness and certainty; but "Great Britain", "Please Please Me" and "No Doubt" are answers.
_TALK = re.compile(
    r"\W{0,3}(?:(?i:yes|no|okay|ok|sure|certainly|of course|correct|great|(?:great|good) question"
    r"|sorry|got it|understood|(?:the )?(?:final )?answer|you(?:'re| are) right)"
    r"|(?i:(?:i )?hope|let me|let's|thanks?|thank you|please|feel free|you're welcome|sure"
    r"|here(?:'s| is)|(?:my )?apologies|i apologize|sorry)(?:[\s,']{1,3}[a-z]+){0,12}"
    r"|(?:[Nn]o|[Ww]ithout (?:a|any)|[Bb]eyond (?:a|any)) doubt)\W*$"
)
_DENIES = re.compile(
    r"\W*(?:(?:no|nope|not (?:quite|really|at all)|never|wrong|incorrect|hardly|unlikely)\b(?! \w)"
    r"|i (?:doubt|(?:don't|do not) (?:think|believe))\b)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence."""

    text: str
    start: int  # its offset
    line: int  # the number of its line
    words: tuple[Word, ...]
    item: bool  # whether the line is an item of a list
    alone: bool  # whether it is all of its line

    @property
    def is_phrase(self) -> bool:
        """Whether it has no verb and asks nothing."""
        found = self.words
        return (
            len(found) <= _LONGEST_PHRASE
            and found[0].norm not in STARTERS
            and not (self.text.rstrip().endswith("?") and len(found) > 3)
            and not any(word.norm in FINITE and not word.capital for word in found)
        )

    @property
    def is_name(self) -> bool:
        """Whether it is short and, but for particles, all capitals and numbers."""
        return len(self.words) <= 6 and all(
            word.capital or word.norm in PARTICLES for word in self.words
        )

    @property
    def is_description(self) -> bool:
        """Whether it begins in lower case, articles aside."""
        for word in self.words:
            if word.norm not in ARTICLES:
                return not word.capital
        return True


def clauses_of(text: str) -> Iterator[Clause]:
    """The clauses of a text in order, without politeness and questions that are denied."""
    start = 0
    asked = None  # a clause that ends in "?": an answer, unless "No." follows
    for number, line in enumerate(text.split("\n")):
        mark = _ITEM.match(line)
        offset = mark.end() if mark else 0
        parts = list(_parts(line, offset))
        for begin, end in parts:
            found = words(line[begin : min(end, begin + LONGEST)])
            said = line[begin:end][:LONGEST]
            if asked is not None and not _DENIES.match(said):
                yield asked
            asked = None
            if found and not _TALK.match(said[:120]):
                alone = len(parts) == 1
                clause = Clause(said, start + begin, number, tuple(found), mark is not None, alone)
                if said.rstrip().endswith("?"):
                    asked = clause
                else:
                    yield clause
        start += len(line) + 1
    if asked is not None:
        yield asked


def _parts(line: str, offset: int) -> Iterator[tuple[int, int]]:
    """Offsets of the clauses of one line."""
    begin = offset
    for end in _SENTENCE_END.finditer(line, offset):
        if not abbreviates(line, end.start()):
            yield from _split(line, begin, end.end())
            begin = end.end()
    yield from _split(line, begin, len(line))


def abbreviates(text: str, at: int) -> bool:
    """Whether the full stop at ``at`` only ends an abbreviation or an initial."""
    return _ABBREVIATION.search(text[max(0, at - 8) : at + 1]) is not None


def _split(line: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    conceded = _CONCEDES.search(line, begin, end)
    if conceded is not None:  # "Newton, though Hooke": counts less than what it stands beside
        if _SAYS.match(line, conceded.end()):
            yield conceded.end(), end
        end = conceded.start()
    first = _CONCEDED_FIRST.match(line, begin, end)
    begin = first.end() if first else begin
    for joint in _CLAUSE_END.finditer(line, begin, end):
        yield begin, joint.start()
        begin = joint.end()
    yield begin, end
