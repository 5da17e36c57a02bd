"""The one gate between feedback and solver: what every kind of answer shares.

A kind of answer (letters, aliases, expressions, numbers) brings two things:

- **matchers**, ``Matcher = Callable[[str], Iterable[Match]]``: given a readable view of the text,
  each yields ``(start, end, form)``: offsets into that view, and a short name of the form
  ("plain", "words", "latex", ...).
- **candidates** for the audit, ``Candidates = Callable[[str], Iterable[tuple[int, int]]]``: given
  the masked text as it is, they yield offsets of every stretch that could be read as an answer,
  found without looking at the gold answer. ``accepts`` is the task's own grader:
  ``lambda stretch: grade(problem, stretch).is_correct``.

and composes them::

    masked = mask(text, matchers)                         # Masked, leaks not yet looked for
    leaks = audit(masked.text, candidates, accepts)
    return gate(text, matchers, candidates, accepts)      # both at once, and what leaks is masked

What the core promises, whatever the matchers do:

- ``mask(mask(x).text).text == mask(x).text``: matching is repeated until nothing is found, so a
  match that only shows once its neighbour is masked does not wait for a second call. Text that
  goes on matching repetition after repetition is no language and is masked whole ("unsettled"),
  so that hostile text costs linear time.
- An existing ``[masked]`` is never matched: a match that overlaps one is dropped, and so is an
  empty match. Matchers see the marks as they stand, and may use them as context.
- Overlapping matches become one span with the form of the longest; offsets of a ``Span`` are
  offsets into the text as it was given.
- Text without a match comes back as the same string object.

Matchers do not see the text as it was written but its ``View``: full-width, Arabic-Indic and
mathematical digits are ASCII, every space within a line is " ", hyphens and minus signs are "-",
apostrophes are "'", zero-width and other invisible characters are gone, superscripts read "^12"
and subscripts "_16". A matcher that wants more (case folded, accents gone) makes its own view of
that: ``inner = View.folded(text, fold)``, matches ``inner.text``, yields ``inner.span(a, b)``.

The core takes linear time; matchers must too (no nested quantifiers over the same characters).
Out of scope: letters of other scripts that merely look like Latin ones.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise

from feedback_friction.protocol.records import Masked, Span

MASK = "[masked]"

Match = tuple[int, int, str]
Matcher = Callable[[str], Iterable[Match]]
Candidates = Callable[[str], Iterable[tuple[int, int]]]
Accepts = Callable[[str], bool]
Fold = Callable[[str], str]

_MOST_WORK = 4_000_000  # characters matched in all repetitions; feedback needs two repetitions

# Letters of scripts without spaces (or with endings written on): no word ends where they begin.
UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# Everything but printable ASCII and its white space: text without these is its own view.
_UNUSUAL = re.compile(r"[^\t\n\r\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class View:
    """A text made easy to match, with the way back to the original."""

    text: str  # the text to match on
    length: int  # length of the original
    # for each character of ``text``, the offset in the original of the character that it came from
    # (never decreasing); None where the two texts have equal offsets
    origin: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of the original that ``text[start:end]`` came from, for start < end.

        Invisible characters within the stretch and right after it belong to it.
        """
        if self.origin is None:
            return start, end
        after = self.origin[end] if end < len(self.text) else self.length
        return self.origin[start], max(after, self.origin[end - 1] + 1)

    @classmethod
    def plain(cls, text: str) -> View:
        """The view that matchers are given (see the module's docstring)."""
        return _plain(text)

    @classmethod
    def folded(cls, text: str, fold: Fold) -> View:
        """A view in which each character is replaced by what ``fold`` makes of it ("" drops it)."""
        known = {char: fold(char) for char in set(text)}
        if all(len(shown) == 1 for shown in known.values()):
            return cls("".join([known[char] for char in text]), len(text))
        parts: list[str] = []
        origin = array("I")
        for at, char in enumerate(text):
            shown = known[char]
            parts.append(shown)
            origin.extend([at] * len(shown))
        return cls("".join(parts), len(text), origin)


# Negative circled, negative squared and regional indicator letters, which NFKC leaves alone.
_LETTER_SYMBOLS = ((0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))
_SAME = (
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u02b9\u02bb\u02bc\u2032\u00b4\uff07", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\uff02", '"')
    | dict.fromkeys("\u2044\u2215", "/")
    | dict.fromkeys("\u2028\u2029\x85\x0b\x0c", "\n")
    # Arabic thousands and decimal separators, and the ideographic comma and full stop.
    | {"\u066c": ",", "\u066b": ".", "\u060c": ",", "\u3001": ",", "\u3002": "."}
)


@lru_cache(maxsize=65536)
def _shown(char: str) -> str:
    """One character as the view shows it, whatever stands around it."""
    if char in _SAME:
        return _SAME[char]
    if unicodedata.category(char) in ("Cc", "Cf", "Me") or "\ufe00" <= char <= "\ufe0f":
        return ""
    decimal = unicodedata.decimal(char, None)
    if decimal is not None:
        return str(decimal)
    for first, count in _LETTER_SYMBOLS:
        if first <= ord(char) < first + count:
            return chr(ord("A") + ord(char) - first)
    return "".join(_SAME.get(part, part) for part in unicodedata.normalize("NFKC", char))


@lru_cache(maxsize=65536)
def _raised(char: str) -> str:
    """``"^"`` for a superscript digit or sign, ``"_"`` for a subscript one, else nothing."""
    kind, _, _ = unicodedata.decomposition(char).partition(" ")
    mark = {"<super>": "^", "<sub>": "_"}.get(kind, "")
    return mark if mark and _shown(char) in "0123456789+-" else ""


@lru_cache(maxsize=8)  # the last repetition of the mask and the audit see the same text
def _plain(text: str) -> View:
    parts: list[str] = []
    origin = array("I")
    done = 0
    for run in _UNUSUAL.finditer(text):
        start = run.start()
        parts.append(text[done:start])
        origin.extend(range(done, start))
        before = text[start - 1] if start else ""  # the visible character before
        for at, char in enumerate(run[0], start):
            shown = _in_context(char, before)
            parts.append(shown)
            origin.extend([at] * len(shown))
            before = char if shown else before
        done = run.end()
    if not done:
        return View(text, len(text))
    parts.append(text[done:])
    origin.extend(range(done, len(text)))
    return View("".join(parts), len(text), origin)


def _in_context(char: str, before: str) -> str:
    """One unusual character as the view shows it after the visible character ``before``."""
    mark = _raised(char)
    if mark:
        shown = _shown(char)
        return shown if before and _raised(before) == mark else mark + shown
    after_number = before != "" and before.isnumeric()
    if after_number and unicodedata.category(char) == "Mn":  # digits struck through or underlined
        return ""
    shown = _shown(char)
    # "1¾" is a mixed number: read on its own, the fraction would turn it into "13/4".
    return f" {shown}" if after_number and "/" in shown else shown


def mask(text: str, matchers: Sequence[Matcher], last: Sequence[Matcher] = ()) -> Masked:
    """Replace whatever the matchers find with ``[masked]``, until they find nothing more.

    Args:
        text: feedback as it was written.
        matchers: what looks for the answer; see the module's docstring.
        last: more of them, asked only where those find nothing more.

    Returns:
        The masked text with the spans that were replaced; ``leaks`` is empty (see ``audit``).
    """
    spans: list[Span] = []
    current = View(text, len(text))
    for _ in range(max(4, min(64, _MOST_WORK // (len(text) + 1)))):
        found = _found(current.text, matchers) or _found(current.text, last)
        if not found:
            return Masked(current.text, tuple(spans))
        spans += [Span(*current.span(each.start, each.end), each.form) for each in found]
        spans.sort(key=lambda span: span.start)
        current = _with_marks(text, spans)
    return Masked(MASK, (Span(0, len(text), "unsettled"),))


def audit(masked_text: str, candidates: Candidates, accepts: Accepts) -> tuple[str, ...]:
    """Stretches of masked text that the task's own grader would accept as the gold answer.

    Args:
        masked_text: text that passed ``mask``.
        candidates: offsets of stretches that could be read as an answer.
        accepts: whether the grader takes such a stretch, alone, for the gold answer.

    Returns:
        The accepted stretches as they are written, each once, in order of appearance.
    """
    first: dict[str, int] = {}
    for start, end in candidates(masked_text):
        if _is_clear(masked_text, start, end):
            stretch = masked_text[start:end]
            first[stretch] = min(start, first.get(stretch, start))
    return tuple(sorted(filter(accepts, first), key=first.__getitem__))


def gate(
    text: str,
    matchers: Sequence[Matcher],
    candidates: Candidates,
    accepts: Accepts,
    last: Sequence[Matcher] = (),
) -> Masked:
    """Mask the text and audit what is left of it; what the audit finds is masked, too."""
    masked = mask(text, matchers, last)
    leaks = audit(masked.text, candidates, accepts)
    if leaks:
        masked = mask(text, (*matchers, partial(_find_stretches, innermost(leaks))), last)
        leaks = audit(masked.text, candidates, accepts)
    return Masked(masked.text, masked.spans, leaks)


def innermost(leaks: Collection[str]) -> tuple[str, ...]:
    """Leaks without those that another one is a part of."""
    return tuple(leak for leak in leaks if not any(part != leak and part in leak for part in leaks))


def _find_stretches(stretches: Iterable[str], text: str) -> Iterator[Match]:
    """Where stretches of a text as it was written stand in its view."""
    for stretch in stretches:
        shown = View.plain(stretch).text
        start = text.find(shown)
        while start >= 0:
            yield start, start + len(shown), "graded"
            start = text.find(shown, start + len(shown))


SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?!\s|$))+[.!?]*")
LINE = re.compile(r"[^\n]+")
_MARK = re.compile(re.escape(MASK))


def stretches(text: str) -> Iterator[tuple[int, int]]:
    """Whatever could be read as a reply by itself: all, sentences, lines, two lines in a row."""
    yield 0, len(text)
    for found in SENTENCE.finditer(text):
        if len(found[0].strip()) > 3:  # "2." and "C." begin lists and names
            yield found.span()
    lines = [found.span() for found in LINE.finditer(text) if not found[0].isspace()]
    yield from lines
    yield from ((start, end) for (start, _), (_, end) in pairwise(lines))


def between_marks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A stretch without the marks in it."""
    for mark in _MARK.finditer(text, start, end):
        yield start, mark.start()
        start = mark.end()
    yield start, end


def _is_clear(text: str, start: int, end: int) -> bool:
    """Whether a stretch holds something and overlaps no mark."""
    around = len(MASK) - 1
    return start < end and MASK not in text[max(0, start - around) : end + around]


def _found(text: str, matchers: Sequence[Matcher]) -> list[Span]:
    """What the matchers find: overlaps merged, in order, clear of the marks in the text."""
    view = View.plain(text)
    spans = [
        Span(*view.span(start, end), form)
        for matcher in matchers
        for start, end, form in matcher(view.text)
        if start < end
    ]
    return _merged([span for span in spans if _is_clear(text, span.start, span.end)])


def _merged(spans: list[Span]) -> list[Span]:
    """Overlapping spans as one, which takes the form of the longest."""
    merged: list[Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        size = span.end - span.start
        if not merged or span.start >= merged[-1].end:
            merged.append(span)
            longest = size
            continue
        whole = merged[-1]
        form = span.form if size > longest else whole.form
        longest = max(size, longest)
        merged[-1] = Span(whole.start, max(whole.end, span.end), form)
    return merged


def _with_marks(text: str, spans: Sequence[Span]) -> View:
    """The text with each span (in order, none overlapping) replaced by ``[masked]``."""
    parts: list[str] = []
    origin = array("I")
    done = 0
    for span in spans:
        parts += [text[done : span.start], MASK]
        origin.extend(range(done, span.start))
        origin.extend([span.start] * len(MASK))
        done = span.end
    origin.extend(range(done, len(text)))
    return View("".join([*parts, text[done:]]), len(text), origin)
