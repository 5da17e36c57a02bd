"""Which part of a prompt each of its characters and tokens belongs to.

The protocol renders the prompt twice: as it was sent, and with a private mark on both sides of each
part. The marks say where the parts are, whatever the history's style and the chat template make of
them; without the marks, the second rendering must be the first, to the letter.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from feedback_friction.protocol.probes import Scene
from feedback_friction.protocol.records import Attempt, Message
from feedback_friction.protocol.trial import attempt_request

FRAME, SYSTEM, EXAMPLES, QUESTION, REQUEST, REPLY = (
    "frame", "system", "examples", "question", "request", "reply"
)  # fmt: skip
STEP, REST = "step", "rest"

# A plane of private characters: no text has them but to be awkward, and then it is left out.
_FIRST_MARK = 0xF0000
_MARKS = re.compile("[\U000f0000-\U000ffffd]")
_SENTENCE_ENDS = re.compile(r"[.!?][\"”»)]*\s+|\n\s*")
_NAMES_A_STEP = re.compile(r"[\"“«][^\"”»\n]{1,400}[\"”»]|\b(?:line|step) \d{1,4}\b", re.I)


class UnmarkableError(Exception):
    """The parts of a prompt cannot be told; the text says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of a prompt."""

    # ``system``, ``examples``, ``question``, ``attempt 1``, ``feedback 1 step`` (sentences that
    # name the wrong step), ``feedback 1 rest``, ``request`` (what follows the last feedback),
    # ``frame`` (the template's own tokens, and headings)
    name: str
    # its characters
    start: int
    end: int


@dataclass(slots=True)
class _Marker:
    """Puts marks around texts; the number of a mark is the place of its name."""

    names: list[str] = field(default_factory=list)

    def __call__(self, name: str, text: str) -> str:
        """The text with marks at its first and last character that is no space."""
        core = text.strip()
        if not core:
            return text
        if _MARKS.search(text):
            raise UnmarkableError("it has private characters that mark its parts")
        return self.around(name, text)

    def around(self, name: str, text: str) -> str:
        """The same for a text that may hold marks already."""
        core = text.strip()
        first = _FIRST_MARK + 2 * len(self.names)
        self.names.append(name)
        at = text.index(core)
        return f"{text[:at]}{chr(first)}{core}{chr(first + 1)}{text[at + len(core) :]}"


def marked_prompt(scene: Scene) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """The prompt of an attempt (``scene.iteration``) as the protocol writes it, with marks.

    Returns:
        The messages with the marks in them, and the marks' names in their order.

    Raises:
        UnmarkableError: a text has the marks' characters itself.
    """
    mark = _Marker()
    before = scene.before(scene.iteration)
    marked = tuple(_marked(mark, each) for each in before.attempts)
    messages = attempt_request(replace(before, attempts=marked)).messages
    head = 1 + len(scene.task.examples(scene.problem))
    question = scene.task.ask(scene.problem)
    found, asked = [], False
    for number, message in enumerate(messages):
        text = message.content
        if number >= head and not asked and question in text:
            text, asked = text.replace(question, mark(QUESTION, question), 1), True
        name = SYSTEM if number == 0 else EXAMPLES if number < head else REQUEST
        found.append(replace(message, content=mark.around(name, text)))
    return tuple(found), tuple(mark.names)


def _marked(mark: _Marker, attempt: Attempt) -> Attempt:
    number = attempt.iteration + 1
    reply = replace(attempt.reply, text=mark(f"attempt {number}", attempt.reply.text))
    feedback = attempt.feedback
    if feedback is not None:
        feedback = replace(feedback, text=mark(f"feedback {number}", feedback.text))
    asides = tuple(
        replace(each, text=mark(f"attempt {number}", each.text))
        if each.kind == "stand-in"
        else each
        for each in attempt.asides
    )
    return replace(attempt, reply=reply, feedback=feedback, asides=asides)


def segments(exact: str, marked: str, names: Sequence[str]) -> tuple[Segment, ...]:
    """The segments of a rendered prompt: they cover it in order, each character once.

    Args:
        exact: the prompt as it is sent.
        marked: the same, rendered from marked messages.
        names: of the marks.

    Raises:
        UnmarkableError: without its marks, the second is not the first.
    """
    plain: list[str] = []
    open_marks: list[str] = []
    runs: list[Segment] = []
    length = at = 0
    for found in [*_MARKS.finditer(marked), None]:
        until = found.start() if found else len(marked)
        if until > at:
            name = open_marks[-1] if open_marks else FRAME
            runs.append(Segment(name, length, length + until - at))
            plain.append(marked[at:until])
            length += until - at
        if found:
            number = ord(found.group()) - _FIRST_MARK
            if number % 2 and open_marks:
                open_marks.pop()
            elif number // 2 < len(names):
                open_marks.append(names[number // 2])
            at = found.end()
    if "".join(plain) != exact or open_marks:
        raise UnmarkableError("the chat template changes texts by what stands around them")
    return tuple(_joined(_divided(_framed(runs), exact)))


def _framed(runs: Sequence[Segment]) -> Iterator[Segment]:
    """What the protocol says before the last attempt or feedback is frame, not request."""
    last = max((n for n, each in enumerate(runs) if " " in each.name), default=-1)
    for number, each in enumerate(runs):
        yield replace(each, name=FRAME) if each.name == REQUEST and number < last else each


def _divided(runs: Iterator[Segment], text: str) -> Iterator[Segment]:
    """Feedback by sentence: those that name the wrong step, and the rest."""
    for each in runs:
        if not each.name.startswith("feedback"):
            yield each
            continue
        for start, end in sentences(text[each.start : each.end]):
            begin, until = each.start + start, each.start + end
            kind = STEP if _NAMES_A_STEP.search(text, begin, until) else REST
            yield Segment(f"{each.name} {kind}", begin, until)


def sentences(text: str) -> list[tuple[int, int]]:
    """The sentences of a text, the space after each included: they cover it."""
    ends = [found.end() for found in _SENTENCE_ENDS.finditer(text) if found.end() < len(text)]
    return list(zip([0, *ends], [*ends, len(text)], strict=True))


def _joined(runs: Iterator[Segment]) -> Iterator[Segment]:
    """Neighbours of one name are one segment."""
    for name, group in groupby(runs, key=lambda each: each.name):
        first, *more = group
        yield Segment(name, first.start, more[-1].end if more else first.end)


def owners(found: Sequence[Segment], offsets: Sequence[tuple[int, int]]) -> list[int]:
    """For each token, the index of its segment: the one of its last character.

    A token that begins with the space before a word belongs to the word.

    Args:
        found: segments that cover the text.
        offsets: the tokens' characters, as a tokenizer gives them.
    """
    ends = [each.end for each in found]
    return [min(bisect_right(ends, max(start, end - 1)), len(found) - 1) for start, end in offsets]
