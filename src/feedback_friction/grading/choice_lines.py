"""Multiple choice: a first or last line that says no more than an option, by letter or text."""

from __future__ import annotations

import re

from feedback_friction.grading.choice_cues import Said
from feedback_friction.reading.option_texts import Options

_LONE = re.compile(
    r"[\s:>✅✔☑👉➡★⭐🎯💡-]{0,40}(?:(?i:(?:(?:final|my|revised"
    r"|corrected)\s)?(?:option|choice|answer|pick|verdict|conclusion|only|so|thus|hence|therefore"
    r"|final(?:ly)?|revised|corrected))\s*[:,]?\s*)?"
    r"([\"'(\[{]{0,4})([A-Z])([)\]}.:\"';,!]*)\s*"
)
_LED = re.compile(r"\s*(?:final|so|thus|hence|therefore|verdict|conclusion)\b", re.I)
_LABELLED = re.compile(
    r"\s*(?:[-•]\s+)?(?:(?i:option|choice)\s+)?[\"'(\[]?([A-Za-z])(?:[)\]\"'.:,]+|\s-)\s*(?=\S)"
)
_BECAUSE = re.compile(r",?\s(?:because|since)\s")
_MARGIN = 20  # characters that a line may have beside an option's text: a label, a bullet
_SAID_OF_ONE = re.compile(r"(?:is|are|was|can|cannot|can't|isn't|would|could|must|says)\b")
_BULLET = re.compile(r"^\s*[-•]\s+")


def last_line(text: str, options: Options) -> Said | None:
    """The option that the last line names, where it says nothing else."""
    body = text.rstrip()
    start = body.rfind("\n") + 1
    if len(body) - start > options.longest + _MARGIN:
        return None
    above = body[:start].rstrip()
    alone = not above or body[len(above) : start].count("\n") > 1
    letter = _line(body[start:], options, alone=alone)
    if not letter:
        return None
    item = not _LED.match(body, start) and _is_listed(above.rpartition("\n")[2], letter, options)
    return None if item else Said(letter, "final line")


def first_line(text: str, options: Options) -> Said | None:
    """The option that the first line names, before an explanation."""
    line, _, below = text.strip().partition("\n")
    letter = _line(line, options, alone=below.startswith("\n"))
    if not letter or _is_listed(below.lstrip().partition("\n")[0], letter, options):
        return None
    return Said(letter, "first line")


def _line(line: str, options: Options, *, alone: bool) -> str:
    """The letter of the option that a line names; a bare letter counts only in a line alone."""
    lone = _LONE.fullmatch(line)
    if lone is not None:
        return lone[2] if lone[2] in options.letters and (alone or lone[1] or lone[3]) else ""
    labelled = _LABELLED.match(line)
    if labelled is not None:
        said, letter = line[labelled.end() :], labelled[1].upper()
        texts = (said, _BECAUSE.split(said, maxsplit=1)[0])  # an option may have a reason in it
        if any(options.is_text(text, letter) for text in texts):
            return letter
    return _text_of(line, options)


def _text_of(line: str, options: Options) -> str:
    """The letter of the option whose text a line is, behind a bullet or not."""
    return options.whole(line) or options.whole(_BULLET.sub("", line))


def _is_listed(neighbour: str, letter: str, options: Options) -> bool:
    """Whether the line next to an option's line is an item too: the options are restated."""
    labelled = _LABELLED.match(neighbour)
    if labelled is None or _SAID_OF_ONE.match(neighbour, labelled.end()):
        return bool(_text_of(neighbour, options))
    in_order = abs(ord(labelled[1].upper()) - ord(letter)) == 1
    return in_order or options.is_text(neighbour[labelled.end() :], labelled[1].upper())
