"""Where a reply in prose states its answer.

Models that are asked for a bare answer write bare answers, sentences, a chain of thought with the
answer in its last line, or an answer with an explanation below it. The statements of a reply are,
in the order in which they count:

1. what says so itself: ``\\boxed{...}``, "the answer is ...", "Answer: ...", a correction ("wait,
   ..."), or that there is another possibility; the last one first;
2. phrases without a verb, such as a bare answer in a line of its own; the last one first. Names in
   adjacent lines or list items are one statement, a list. Descriptions ("the largest gland") come
   after names;
3. sentences; the last one first, those that speak of what the question speaks of before others.

The last 20,000 characters of a reply are read, several times what a reply of 2,000 tokens has; the
time is linear in them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from feedback_friction.reading.clauses import LONGEST, Clause, clauses_of
from feedback_friction.reading.lexicon import ASKING, FOCUS, NOT_THIS_ANSWER
from feedback_friction.reading.reply import ANSWER, closing_brace, final_part, signed
from feedback_friction.reading.standing import is_asserted
from feedback_friction.reading.words import words

_READ = 20_000  # characters of a reply that are read, from its end


ALTERNATIVE = re.compile(
    r"\b(?:could|might|may|can|would) also be\b|\balternatively\b"
    r"|\bor (?:maybe|perhaps|possibly|else|even)\b"
    r"|\banother (?:possibility|option|candidate|guess|possible)\b"
    r"|\beither\b[^.!?\n]{1,100}\bor\b|\bone of (?:these|the following|them)\b",
    re.I,
)
# What makes the rest of its clause something other than an assertion.
UNASSERTED = re.compile(
    r"\b(?:whether|if(?! (?:i\b|my\b|memory))|unsure|uncertain|(?<!\bno )(?<!little )doubt\w*"
    r"|wonder\w*|unlikely"
    r"|not (?:sure|certain|confident|think|believe|know|convinced)"
    r"|(?:don|doesn|didn|can|couldn|won|wouldn)'t|cannot|unable to|impossible"
    r"|instead of|rather than|anything but|other than|rul(?:e|es|ed|ing) out|exclud\w*|eliminat\w*"
    r"|reject\w*|tempted|(?:people|many|some|others|most)(?: \w+){0,2} (?:say|think|believe"
    r"|assume|claim|guess|answer))\b",
    re.I,
)

_QUOTES = str.maketrans("‘’‚′´`“”„″«»\u00a0\u202f", '\'\'\'\'\' """"""  ')
_SPACES = re.compile(r"[ \t\f\v]{2,}")
_BLANK_LINES = re.compile(r"\n(?: ?\n){2,}")
_BLOCK_TAG = re.compile(
    r"</?(?:answer|final|response|think|p|br|li|ul|ol|div)\b[^<>\n]{0,40}>", re.I
)
_INLINE_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]{0,9}>")
_LATEX_TEXT = re.compile(r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf)|emph)\{([^{}\n]*)\}")
_BOXED = re.compile(r"\\(?:boxed|fbox|framebox)\s{0,5}\{")
_LINE_MARK = re.compile(r"^[ \t]*[#>][#> \t]*", re.M)
_NEXT_QUESTION = re.compile(r"^[ \t]*(?:Question|Q)[ \t]*\d*[ \t]*[:.]", re.M)
_EXPLANATION = re.compile(
    r"^[ \t]*\(?(?:brief |short )?(?:explanations?|reasoning|rationale|notes?|justification"
    r"|sources?|references?|context|background|details|clarification|confidence)\b[^\n:]{0,20}:",
    re.M | re.I,
)
_CLAUSE_START = re.compile(r"[\n.;,!?]|\bbut\b|\bhowever\b", re.I)
_MARKER = re.compile(
    r"\b(?:answers?|solution|response|guess|conclusion)\b"
    r"(?:\s+(?:to|for|of|here|that|which|you|we|in)\b[^\n.:;!]{0,160}?)?"
    r"[\"')\]]{0,3}\s{0,5}"
    r"(?:(?P<copula>is|was|are|were|would be|should be|must be|may be|might be|could be|will be"
    r"|has to be|remains|becomes)\b\s{0,5}:?|'s\s|[:=→]|->)"
    rf"|{ANSWER}[\s:]{{0,9}}",
    re.I,
)
_HEADING = re.compile(
    r"^\W{0,5}(?:the )?(?:final |correct |short |my )?answer\W{0,5}$", re.I | re.M
)
# After an answer: what it is not, and the verb that ends a sentence in other languages.
_BESIDE = re.compile(
    r";\s|,?\s(?:rather than|instead of|as opposed to)\s|(?:です|입니다|이다|\sहै)(?=[。.।!\s]|$)",
    re.I,
)
_CORRECTION = re.compile(
    r"\W{0,3}(?:(?:no(?! (?!it|he|she|that|this|they)\w+ (?:is|was|are|were)\b)|wait|oh|sorry"
    r"|correction|actually|(?:or )?rather|instead|apologies|i meant?"
    r"|make that|scratch that|not quite"
    r"|on (?:second thoughts?|reflection)|upon reflection)\b[\s,:.—-]*)+",
    re.I,
)
_CONFESSES = re.compile(
    r"(?:i|that|this|it|my \w+|the \w+)(?: \w+){0,4} (?:(?:mis|over)\w+|wrong|incorrect"
    r"|(?:a |an )?(?:mistake|error|slip)|mixed (?:it|them|that|these|those|things) up)"
    r"[^A-Z]{0,60}$",
    re.I,
)


_LABELLED = re.compile(r"\W{0,3}([^\W_][\w ']{1,30}):\s+(\S.*)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A stretch of a reply that may state the answer."""

    # the answer itself for "boxed" and "answer is"; a clause for "phrase" and "sentence"; several
    # names for "list"
    text: str
    kind: str  # one of those five


def statements(response: str, question: str) -> Iterator[Statement]:
    """The statements of a reply, the one that counts most first.

    Args:
        response: the reply as the model wrote it.
        question: the question that it answers; tells which sentences speak of the matter.
    """
    text = _readable(response)
    clauses = list(clauses_of(text))
    yield from reversed(_explicit(text, clauses))
    about = {word.norm for word in words(question) if len(word.norm) > 2} - ASKING
    about = {_stem(word) for word in about}
    if own := _labelled(clauses, about):
        yield Statement(own, "answer is")
        clauses = [clause for clause in clauses if not _LABELLED.match(clause.text)]
    groups = _groups(clause for clause in clauses if clause.is_phrase)
    sentences = [clause for clause in clauses if not clause.is_phrase]
    if groups and len(groups[-1]) > 1:  # a list, from which the sentences below it choose
        below = [clause for clause in sentences if clause.start > groups[-1][-1].start]
        yield from (Statement(clause.text, "sentence") for clause in reversed(below))
    yield from _phrases(groups)
    near = [_speaks_of(clause, about) for clause in sentences]
    for wanted in (True, False):
        for clause, speaks in zip(reversed(sentences), reversed(near), strict=True):
            if speaks is wanted:
                yield Statement(clause.text, "sentence")


def _labelled(clauses: Sequence[Clause], about: Collection[str]) -> str:
    """What stands behind the one label of several that the question has: "Director: ..."."""
    labelled = [found for clause in clauses if (found := _LABELLED.match(clause.text))]
    labels = [{_stem(w.norm) for w in words(found[1]) if w.norm not in FOCUS} for found in labelled]
    own = [
        found[2]
        for found, label in zip(labelled, labels, strict=True)
        if label and label <= {*about}
    ]
    return own[0] if len(labelled) > 1 == len(own) else ""


def _speaks_of(clause: Clause, about: Collection[str]) -> bool:
    """Whether a clause speaks of the matter of a question, given by the stems of its words."""
    stems = [_stem(word.norm) for word in clause.words]
    said = stems[0] == "the" and stems[2:3] in (["is"], ["was"]) and stems[1] in about
    return said or sum(stem in about for stem in stems) >= 2


def _stem(norm: str) -> str:
    """The beginning of a word, which "painted" and "painter" share."""
    return norm if norm.isdigit() else norm[:5]


def _readable(response: str) -> str:
    """The reply without reasoning tags, Markdown and LaTeX marks, and what follows the answer."""
    text = response[-_READ:]
    if len(response) > _READ:  # begin with a whole line or sentence, not with half of "not Paris"
        text = [*re.split(r"\n|[.!?] ", text, maxsplit=1), ""][1]
    text = signed(_SPACES.sub(" ", final_part(text)), names=True)
    if text.isupper() and len(text) > 20:  # capitals tell names from other words only among others
        text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_QUOTES)
    text = text.replace("`", "").replace("*", "").replace("$", "").replace("\r", "\n")
    text = text.replace("_", " ")
    text = _BLANK_LINES.sub("\n\n", _SPACES.sub(" ", text))
    if "<" in text:
        text = _INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", text))
    text = _LINE_MARK.sub("", _LATEX_TEXT.sub(r"\1", text))
    for cut in (_NEXT_QUESTION, _EXPLANATION):
        found = cut.search(text)
        if found and any(word for word in words(text[: min(found.start(), 2000)])):
            text = _cut(text, found.start(), cut is _EXPLANATION)
    return text


def _cut(text: str, at: int, keep_markers: bool) -> str:
    """The text up to an explanation, unless the answer is only marked after it."""
    if keep_markers and not _MARKER.search(text, 0, at) and _MARKER.search(text, at):
        return text
    return text[:at]


def _explicit(text: str, clauses: Sequence[Clause]) -> list[Statement]:
    """Statements that say that they are one, in the order of the text."""
    found = [
        *(
            (box.start(), Statement(_braced(text, box.end()), "boxed"))
            for box in _BOXED.finditer(text)
        ),
        *(
            (mark.start(), Statement(_stated(text, mark.end()), "answer is"))
            for pattern in (_MARKER, _HEADING)
            for mark in pattern.finditer(text)
            if pattern is _HEADING or _asserts(text, mark)
        ),
    ]
    corrects = False  # the clause before was a correction that named nothing: "No, I was wrong."
    for clause in clauses:
        cue = _CORRECTION.match(clause.text)
        said = clause.text[cue.end() if cue else 0 :]
        if said and (cue or corrects):
            corrects = _CONFESSES.match(said) is not None
            kind = "phrase" if clause.is_phrase else "sentence"
            found += [] if corrects else [(clause.start, Statement(said, kind))]
        elif ALTERNATIVE.search(clause.text):
            found.append((clause.start, Statement(clause.text, "list")))
    return [statement for _, statement in sorted(found, key=lambda pair: pair[0])]


def _braced(text: str, start: int) -> str:
    """What stands between the brace before ``start`` and its partner."""
    end = closing_brace(text, start - 1, LONGEST + 1)
    return text[start : end if end >= 0 else start + LONGEST]


def _stated(text: str, start: int) -> str:
    """The rest of the line, or the next line with a word in it."""
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    rest = _BESIDE.split(text[start : min(end, start + LONGEST)], maxsplit=1)[0]
    if words(rest) or end == len(text):
        return rest
    following = text[end : end + LONGEST].lstrip()
    return following.partition("\n")[0]


def _asserts(text: str, mark: re.Match[str]) -> bool:
    """Whether "answer is" is about this answer, and in an assertion."""
    before = text[max(0, mark.start() - 120) : mark.start()]
    cut = 0
    for boundary in _CLAUSE_START.finditer(before):
        cut = boundary.end()
    clause = before[cut:]
    last = clause.split()[-1:] or [""]
    if last[0].lower() in NOT_THIS_ANSWER or UNASSERTED.search(clause):
        return False
    if not is_asserted(text, *mark.span()) or re.search(r"(?i)\bnot the\s*$", clause):
        return False
    past = (mark["copula"] or "").lower() in ("was", "were")
    mine = last[0].lower() in ("my", "your") or re.search(r"\b(?:gave|given|said)\b", mark[0])
    return not (past and mine)


def _groups(phrases: Iterable[Clause]) -> list[list[Clause]]:
    """Phrases in their order, neighbours together."""
    groups: list[list[Clause]] = []
    for phrase in phrases:
        if groups and _neighbours(groups[-1][-1], phrase):
            groups[-1].append(phrase)
        else:
            groups.append([phrase])
    return groups


def _phrases(groups: Sequence[Sequence[Clause]]) -> Iterator[Statement]:
    """Phrases from the last to the first, names before descriptions; neighbours as a list."""
    described = [len(group) == 1 and group[0].is_description for group in groups]
    for wanted in (False, True):
        for group, is_description in zip(reversed(groups), reversed(described), strict=True):
            if is_description is wanted:
                yield _as_statement(group)


def _neighbours(one: Clause, other: Clause) -> bool:
    """Whether two phrases are entries of one list."""
    if not (one.alone and other.alone):
        return False
    if one.item and other.item:
        return True
    return other.line == one.line + 1 and one.is_name and other.is_name


def _as_statement(group: Sequence[Clause]) -> Statement:
    if len({tuple(word.norm for word in clause.words) for clause in group}) == 1:
        return Statement(group[-1].text, "phrase")
    return Statement(" / ".join(clause.text.strip() for clause in group)[:LONGEST], "list")
