"""What gives nothing away: "one" as a pronoun, and words that many names share."""

from __future__ import annotations

import re

from feedback_friction.reading.lexicon import GRAMMAR

_PRONOUN_BEFORE = re.compile(
    r"\b(?:no|any|every|each|some|the|this|that|which|another|other|first|second|last|next|right"
    r"|wrong|correct|only|such|as|than|your|my|for|at|if|when|just|whichever|new|same)[ -]+$",
    re.I,
)
_PRONOUN_AFTER = re.compile(
    r"[ -]+(?:of|another|by|must|can|should|could|might|may|would|will|had|has|needs?|more|way|step"
    r"|to|approach|method|thing|mistake|error|place|side|that|who|whose|which|such|also|always"
    r"|cannot|issue|problem|key|important|small|other|case|possible|hand|day|time)\b|'s\b",
    re.I,
)


_POINTED_AT = re.compile(r"\b(?:these|those|your|first|last|other)[ -]+$", re.I)


def is_pronoun(text: str, start: int, end: int) -> bool:
    """Whether "one" stands for something else: "no one", "one of them"; or "two" in "these two"."""
    before = text[max(0, start - 20) : start]
    if text[start:end].lower() != "one":
        return _POINTED_AT.search(before) is not None
    return bool(_PRONOUN_BEFORE.search(before) or _PRONOUN_AFTER.match(text, end))


_A_PART = re.compile(r"a (?:third|quarter|fourth|fifth|half|tenth)", re.I)
_PART_AFTER = re.compile(r" of\b|[.,;:!?)$*]|\s*$")
_CALLED = re.compile(
    r"(?:\b(?:step|part|case|chapter|type|phase|section|figure|table|class|stage|lemma|theorem"
    r"|world war"
    r"|[A-Z][a-z]+)\s|\()$"
)


def is_called(text: str, start: int) -> bool:
    """Whether the word before a place is named by what follows: "World War Two", "Type II"."""
    return _CALLED.search(text, max(0, start - 30), start) is not None


def is_innocent(text: str, start: int, end: int) -> bool:
    """Whether a number in words is none, or only names something."""
    if _A_PART.fullmatch(text, start, end):
        return _PART_AFTER.match(text, end) is None
    return is_pronoun(text, start, end) or (text[start].isupper() and is_called(text, start))


# Words that many names share: on their own they name nothing.
_NAMES = (
    "academy adventures album american ancient angel army association avenue award bank baron "
    "battle beach bell best black blue boat book born boulevard boys bridge bright british "
    "brother brothers brown building business call captain care castle cathedral central "
    "century charles child children church city civil classic club coast cold college color "
    "colour company congress cottage council count country county court crown dance dark "
    "daughter david days dead death department desert district doctor dog double dragon dream "
    "drive duke earl early earth east eastern edition education edward eight elizabeth emperor "
    "empire english europe european evening fall family famous father federal festival field "
    "fifth film final fire first five flower football force forest fort four fourth france free "
    "french friend game garden gate general george german girl girls give glass god gold golden "
    "good government grand great green group hall hand happy head heart heaven henry high hill "
    "hills historic history holy home horse hospital hotel hour house human hundred indian "
    "institute international iron island islands james jean john joseph journey judge king "
    "kingdom kings knight lady lake land language large last late law league least left legend "
    "leisure less letter library life light line lion list literature little live living local "
    "london long lord lost louis love lower made magic main maria market marriage mary master "
    "memorial men michael middle military million minister mission model modern money moon "
    "morning mother mount mountain mountains movie museum music nation national natural nature "
    "navy next night nights nine north northern novel number ocean office old olympic one open "
    "opera order organization palace paper paradise paris park part party pass past paul peace "
    "people person peter philip place planet play point police pope port power president prime "
    "prince princess prize professional project public queen race railway rain real record red "
    "region republic return revolution richard right ring river road robert rock room rose "
    "royal saint same school science scottish second secret senate series service seven shadow "
    "ship shore short show silver simple sister small society soldier song sound south southern "
    "space sport square stadium star stars state states station steel stone stories story "
    "strait street strong study summer sun super system table tale tales temple ten theater "
    "theatre third thirty thomas thousand three thunder time times title tower town trade train "
    "tree trees trial truth twelve twenty two union united universal university upper valley "
    "victory village voice walk wall walls war water wedding week west western white whole wild "
    "william wind windows winter woman women wonder wood woods word words work world year years "
    "york young youth zero zone"
)
IN_NAMES = GRAMMAR | frozenset(_NAMES.split())
