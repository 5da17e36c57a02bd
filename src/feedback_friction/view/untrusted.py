"""Untrusted text made ready to be looked at: harmless characters, and what changed from a text.

The page puts every text in as a text node, so nothing here is about markup; it is about what a
text node can still do: reorder what stands around it, hide, or be too long to compare.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

LONGEST = 200_000  # characters of a text that are shown; what is left out is said
MOST_WORDS = 1_500  # that are compared one by one, on either side; more count as rewritten
LITTLE_IN_COMMON = 0.3  # below this share of common words, marks would only be noise

Change = Literal["same", "added", "removed"]
Kind = Literal["first", "same", "edited", "rewritten"]

# Controls but tab and line feed, zero-width and direction marks, lone surrogates, separators that
# break lines in some places only.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text, and whether it is new, gone, or as before."""

    change: Change
    text: str

    @property
    def length(self) -> int:
        """Characters."""
        return len(self.text)


@dataclass(frozen=True, slots=True)
class Difference:
    """A text against the one before it."""

    # ``first`` without one before, ``same``, ``edited`` (the parts say where), or ``rewritten``
    # (hardly anything in common, or too long to compare word by word)
    kind: Kind
    parts: tuple[Part, ...]  # the text in order, with what was removed where it stood


def visible(text: str) -> str:
    """The text with invisible characters shown by number, e.g. ``⟨U+202E⟩``.

    Line ends become line feeds; what exceeds ``LONGEST`` is replaced by a line that says so.
    """
    shown = harmless(text[:LONGEST].replace("\r\n", "\n"))
    if len(text) > LONGEST:
        shown += f"\n[{len(text) - LONGEST:,} more characters are not shown here]"
    return shown


def harmless(text: str) -> str:
    """The text with invisible characters shown by number, whatever its length."""
    # not a symbol such as U+2400: few fonts have those
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def difference(before: str | None, after: str) -> Difference:
    """What changed from one text to the next, by words; both as ``visible`` gives them."""
    whole = (Part("same", after),)
    if before is None:
        return Difference("first", whole)
    if before == after:
        return Difference("same", whole)
    old, new = _WORD.findall(before), _WORD.findall(after)
    head = alike_at_first(old, new)
    tail = alike_at_first(old[head:][::-1], new[head:][::-1])
    old_middle, new_middle = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(old_middle), len(new_middle)) > MOST_WORDS:
        return Difference("rewritten", whole)
    middle = list(_compare(old_middle, new_middle))
    kept = [*new[:head], *(part.text for part in middle if part.change == "same")]
    kept += new[len(new) - tail :]
    if 2 * len("".join(kept)) < LITTLE_IN_COMMON * (len(before) + len(after)):
        return Difference("rewritten", whole)
    parts = [
        Part("same", "".join(new[:head])),
        *middle,
        Part("same", "".join(new[len(new) - tail :])),
    ]
    return Difference("edited", tuple(part for part in parts if part.text))


def alike_at_first(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the beginning that both have in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def _compare(old: list[str], new: list[str]) -> list[Part]:
    """The parts by words; words that change with nothing but space between them change as one."""
    parts: list[Part] = []
    removed, added = "", ""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
        before, after = "".join(old[i1:i2]), "".join(new[j1:j2])
        inside = removed or added
        if tag != "equal" or (inside and not after.strip() and i2 < len(old) and j2 < len(new)):
            removed, added = removed + before, added + after
            continue
        parts += [Part("removed", removed), Part("added", added), Part("same", after)]
        removed, added = "", ""
    return [*parts, Part("removed", removed), Part("added", added)]
