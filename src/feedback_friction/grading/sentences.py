"""Parts of a sentence that answers in words: where its answer may stand, and its names."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence

from feedback_friction.reading.clauses import abbreviates
from feedback_friction.reading.lexicon import (
    FINITE,
    FOLLOWS,
    HIGHER,
    LINKS,
    NAMING,
    NO_NAME,
    NUMBERS,
    OCCUPATIONS,
    PARTICLES,
    TITLES,
)
from feedback_friction.reading.number_words import ORDINALS
from feedback_friction.reading.standing import DENIAL
from feedback_friction.reading.words import (
    ARTICLES,
    Word,
    is_number,
    key,
    normalized,
    without_articles,
    words,
)

SENTENCE_END = re.compile(r"[\"')\]]*[.!?…]+[\"')\]]*(?:\s|$)")
_HEAD_END = re.compile(r"[,;:(\[—\n]|\s-+\s|\s(?:who|which|that|because|since)\s")
IT_IS = re.compile(
    r"\W*(?:it|this|that|he|she|they|these|those|there|here|answer)(?:'s|'re|\s+(?:is|was|are|were"
    r"|(?:would|must|should|may|might|could|has to|will) be|became|remains))\s+",
    re.I,
)
THE_X_IS = re.compile(
    r"\W*(?:the|his|her|its|their|this|that|my|an?)\s[^,.\n]{1,120}?\s"
    r"(?:is|was|are|were|(?:would|must|should) be)\s+(?:called |named |known as )?",
    re.I,
)
KNOWN_AS = re.compile(
    r"\b(?:(?:better|also|otherwise|now|popularly|commonly|professionally) known as|a\.?k\.?a\.?"
    r"|alias)\s",
    re.I,
)
_CALLED = re.compile(r"\b(?:called|named|known as|dubbed|termed|entitled)\s", re.I)
_BY = re.compile(r"\b\w+(?:ed|en|wn|un|ng|ade|uilt|et|ought|ept|eft)\s+by\s+", re.I)


def _sentence_end(text: str) -> int:
    """Where the first sentence of a text ends, its full stop excluded."""
    for found in SENTENCE_END.finditer(text):
        if not abbreviates(text, found.start()):
            return found.start()
    return len(text)


def first_sentence(text: str) -> str:
    return text[: _sentence_end(text)]


def head(text: str) -> str:
    """The answer that a phrase begins with, normalised, its description left out."""
    sentence = first_sentence(text)
    end = _HEAD_END.search(sentence)
    said = sentence[: end.start()] if end and words(sentence[: end.start()]) else sentence
    found = words(said)
    index = 0
    while index < min(len(found), 7) and describes(found, index):
        index += 1
    if index < len(found) and found[index].capital:
        said = said[found[index].start :]
    return normalized(said) or normalized(text)


def describes(found: Sequence[Word], index: int) -> bool:
    """Whether the word at ``index`` may precede a name that it describes: "the 1950 film ..."."""
    word = found[index]
    following = found[index + 1] if index + 1 < len(found) else word
    if word.norm in TITLES | ARTICLES or (word.norm in HIGHER and following.norm in TITLES):
        return True
    if word.norm in OCCUPATIONS and (following.capital or following.norm == "and"):
        return True
    if word.norm == "and" and index and found[index - 1].norm in OCCUPATIONS:
        return following.norm in OCCUPATIONS
    if word.capital and following.norm in OCCUPATIONS and not following.capital:
        return word.norm not in LINKS | NO_NAME  # "Czech composer", "NASA astronaut"
    if word.norm == "of":
        return index > 0 and found[index - 1].norm in NAMING
    if word.is_number or word.norm in NUMBERS:
        return not (following.is_number or following.norm in NUMBERS)
    other = word.norm in LINKS or word.norm in FINITE or word.norm == "t"  # the t of "isn't"
    return not word.capital and not other and not word.norm.endswith("ing")


def name_runs(found: Sequence[Word], text: str) -> list[list[Word]]:
    """Runs of capitalised words and numbers, particles within included ("Lord of the Rings")."""
    runs: list[list[Word]] = []
    pending: list[Word] = []  # particles that belong to the run if a capital follows
    for at, word in enumerate(found):
        joins = bool(runs) and re.fullmatch(
            r"[\s.'&-]{1,3}", text[_end(runs, pending) : word.start]
        )
        if word.capital and (word.norm not in NO_NAME or (at and word.norm in ORDINALS)):
            if joins:
                runs[-1] += [*pending, word]
            else:
                runs.append([word])
            pending = []
        elif joins and word.norm in PARTICLES and len(pending) < 3:
            pending.append(word)
        else:
            pending = []
            if runs and runs[-1]:
                runs.append([])
    # "London-based" is no name
    return [run for run in runs if run and not re.match(r"-[a-z]", text[run[-1].end :][:2])]


def _end(runs: Sequence[Sequence[Word]], pending: Sequence[Word]) -> int:
    last = pending[-1:] or runs[-1][-1:]
    return last[0].end if last else 0


def introduced(text: str) -> str:
    """What follows an introduction: "the 16th president, ...", "looking again: ..."."""
    for mark in (":", ","):
        before, _, after = text.partition(mark)
        found = without_articles(words(before[:200]))
        plain = [word for word in found if not word.capital or word.norm[:1].isdigit()]
        if words(after[:200]) and any(
            not word.is_number and word.norm not in LINKS for word in plain
        ):
            return after
    return ""


def in_brackets(text: str, at: int) -> bool:
    """Whether an offset stands in brackets: the years of "Bach (1685-1750)"."""
    return text.rfind("(", 0, at) > text.rfind(")", 0, at)


def turned(text: str) -> tuple[str, ...]:
    """The words of "Lincoln, Abraham" in the usual order; none for anything else."""
    last, _, first = text.partition(",")
    is_name = any(map(str.isalpha, last)) and first and "," not in first and len(text) < 100
    return key(f"{first} {last}") if is_name else ()


def joined(run: Sequence[Word]) -> str:
    return " ".join(word.norm for word in run)


def is_description(run: Sequence[Word], found: Sequence[Word]) -> bool:
    """Whether a name only describes the word after it: "the African country of Mali"."""
    after = next((word for word in found if word.start >= run[-1].end), None)
    verb = after is not None and (after.norm in FOLLOWS or after.norm.endswith("ed"))
    return after is not None and not after.capital and not verb and after.norm not in LINKS


def is_number_word(norm: str) -> bool:
    return norm in NUMBERS or is_number(norm)


def is_name(focus: str) -> bool:
    """Whether a stated answer is, description aside, a name or a number."""
    found = words(focus[:300])
    for index, word in enumerate(found[:7]):
        if word.capital and word.norm not in ARTICLES and word.norm not in NO_NAME:
            return True
        if not describes(found, index):
            return False
    return False


def focuses(text: str) -> Iterator[tuple[int, bool]]:
    """Where a sentence may put its answer, and whether another name there is another answer."""
    for pattern in (IT_IS, THE_X_IS):
        found = pattern.match(text)
        if found:
            yield found.end(), True
    for pattern in (_BY, KNOWN_AS, _CALLED):
        for found in pattern.finditer(text):
            yield found.end(), False
    yield 0, False


def segment(text: str, at: int) -> tuple[str, str]:
    """The part of a sentence between the commas around ``at``: what is before, what is after."""
    start = max(text.rfind(mark, 0, at) for mark in ",;:") + 1
    ends = [end for end in (text.find(mark, at) for mark in ",;:") if end >= 0]
    return text[start:at], text[at : min(ends, default=len(text))]


# --- sentences of several parts, of which one speaks of what was asked ----------------------------

# A number in a sentence of the one is no answer to a question of the other.
_HAPPENS = (
    frozenset({"begin", "began", "begun", "start", "started", "born"}),
    frozenset(
        {"end", "ended", "ending", "finish", "finished", "complete", "completed", "died", "die"}
    ),
)
_SPAN = re.compile(
    r"\b(?:from|between)\s([^,;.\d]{0,20}\d{4})\s(?:to|until|till|through|and|-|–)\s([^,;.\d]{0,20}\d{4})\b",
    re.I,
)


def part_about(text: str, asked: Collection[str], states: Callable[[str], object]) -> str:
    """The part of a sentence that speaks of what happened in the question; all, where it is one.

    Args:
        asked: the words of the question.
        states: whether a part may state the answer.
    """
    own = next((each for each in _HAPPENS if not each.isdisjoint(asked)), frozenset[str]())
    if not own:
        return text
    if span := _SPAN.search(text):
        return f"{text[: span.start()]}in {span[1 + _HAPPENS.index(own)]}{text[span.end() :]}"
    parts = [part for part in re.split(r",?\s(?:and|but|then)\s", text) if states(part)]
    said = [{word.norm for word in words(part)} for part in parts]
    near = [part for part, each in zip(parts, said, strict=True) if each & own]
    foreign = frozenset().union(*_HAPPENS) - own - frozenset(asked)
    other = all(each & foreign for each in said)
    return near[0] if len(near) == 1 else "" if parts and not near and other else text


# "X is larger than Y" answers what the largest is.
_COMPARED = re.compile(
    r"(?P<one>[^,;:]{1,80}?)\s(?:is|are|was|were)\s(?:(?:much|far|even|slightly)\s)?(?P<how>[a-z]+)er\sthan\s"
)
_LARGE = frozenset({"larg", "bigg", "great"})


def compared(text: str, asked: Collection[str]) -> str | None:
    """What "X is larger than Y" names where the question asks for the largest.

    Empty where it compares otherwise; None where nothing is compared, or no such thing asked.
    """
    found = _COMPARED.match(text)
    most = {word[:-3] for word in asked if word.endswith("est")}
    if not found or not most:
        return None
    if found["how"] not in (most if most.isdisjoint(_LARGE) else most | _LARGE):
        return ""
    none = re.match(r"(?:no|none|nothing)\b", found["one"], re.I)
    return text[found.end() :] if none else found["one"]


# Right before an answer, and right after it: it is not what the writer says now.
_DISOWNED = re.compile(
    rf"{DENIAL}[^,;.]{{0,3}}$|\b(?:cross out|delete|disagree with|refuse to|forget|ignore|retract"
    r"|withdraw|strike|scratch|reject|too (?:quick|hasty) to|wrongly|erroneously|mistakenly|no way"
    r"|assume|suppose|false that|nobody|earlier claim|(?:student|friend|classmate|feedback|hint)"
    r"(?: \w+)? (?:answered|said|says|hints|suggests))\b[^.;:]{0,30}$"
    r"|\b(?:wrong|incorrect|earlier|previous|initial)(?:ly)?(?: \w+)?:?[\s\"']*$"
    r"|(?:student|else)['’]s answer:?[\s\"']*$|\bnot the answer:\s*$",
    re.I,
)
_REFUTED = re.compile(
    r"\W{0,3}\s(?:is|was|must be|would be|has to be) (?:an? )?(?:close|trap|common|wrong"
    r"|incorrect|invalid|false|mistake|error)\b"
    r"|\W{0,3}\sbefore\W*$",
    re.I,
)


def is_disowned(text: str, start: int, end: int) -> bool:
    """Whether what stands right around an answer in a text says that it is none."""
    return bool(_DISOWNED.search(text[:start]) or _REFUTED.match(text, end))
