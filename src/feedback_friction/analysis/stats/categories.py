"""Why a trial stays unsolved: six raw categories, folded into three."""

from __future__ import annotations

from enum import StrEnum


class RawCategory(StrEnum):
    """What an annotator may answer (the study's six categories, in our words)."""

    IMPOSSIBLE = "impossible"
    TOO_COMPLICATED = "too complicated"
    FEEDBACK_WRONG = "feedback wrong"
    FEEDBACK_NOT_FOLLOWED = "feedback not followed"
    STYLE_OR_FORMAT = "style or format"
    UNKNOWN = "unknown"


class Category(StrEnum):
    """The three categories that are reported."""

    RESISTANCE = "resistance"
    QUALITY = "quality"
    OTHER = "other"


_FOLD = {
    RawCategory.IMPOSSIBLE: Category.OTHER,
    RawCategory.TOO_COMPLICATED: Category.OTHER,
    RawCategory.FEEDBACK_WRONG: Category.QUALITY,
    RawCategory.FEEDBACK_NOT_FOLLOWED: Category.RESISTANCE,
    RawCategory.STYLE_OR_FORMAT: Category.OTHER,
    RawCategory.UNKNOWN: Category.OTHER,
}


def fold(raw: RawCategory) -> Category:
    """The reported category of a raw one.

    Feedback that was right and not followed is resistance, feedback that was wrong or of no help is
    feedback quality, and everything else is other. The study names six and three categories
    without printing which becomes which: this reading is ours.
    """
    return _FOLD[raw]
