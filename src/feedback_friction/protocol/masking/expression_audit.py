"""Stretches of masked feedback that could be read as a stated answer, for the audit.

Found without knowing the gold answer, and by other means than the mask's own: formulas between
delimiters and what relation signs, commas and line breaks part them into; boxes; bold and code;
what follows "=" or "is"; and numerals in prose.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_LONGEST = 600
_DELIMITERS = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_OPENERS = re.compile(r"(?<!\\)\$\$?|\\\[|\\\(")
_BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
_BRACE = re.compile(r"[{}]")
_PARTS = re.compile(
    r"\\(?:le|leq|ge|geq|lt|gt|approx|equiv|implies|Rightarrow|rightarrow|to|quad|qquad)(?![A-Za-z])"
    r"|\\\\|\\text\{[^{}]{0,60}\}|[=<>≤≥≈&,;\n]"
)
_MARKED = re.compile(r"\*\*([^*\n]{1,80})\*\*|`([^`\n]{1,80})`|(?<!\*)\*([^*\n]{1,80})\*(?!\*)")
_STATED = re.compile(
    r"\b(?:is|are|be|equals|equal to|gives|get|answer:?)\s+(?:exactly |simply |just )?"
    r"([A-Za-z-]+(?: [A-Za-z-]+){0,4})(?=[.,;:!?)\n]|$)"
)
_AFTER_SIGN = re.compile(r"[=≈]\s*([^=≈\n$]{1,60}?)(?=[.,;:!?)]?(?:\s|$))")
_NUMERAL = re.compile(
    r"(?<![\w.^{/:\\])(?<!\d,)(?<![\w)}\]][-−–])(?<![A-Za-z]\()(?<![-−–+*/×·] )[-−]?"
    r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:/\d+)?"
    r"(?:\s?\\?%)?(?![\w/:^{]|[.,]\d|-[A-Za-z]| [-+*/×·] \S)"
)

_AROUND = " \t\n:,;*_"

IsLabel = Callable[[str, int, int], bool]


def candidates(text: str, is_label: IsLabel) -> Iterator[tuple[int, int]]:
    """Offsets of the stretches; a numeral that only names a step is none (``is_label``)."""
    for start, end in _all(text):
        stretch = text[start:end]
        start += len(stretch) - len(stretch.lstrip(_AROUND))
        end -= len(stretch) - len(stretch.rstrip(_AROUND + ".\\"))
        if start < end and not (text[start:end].isdigit() and is_label(text, start, end)):
            yield start, end


def _all(text: str) -> Iterator[tuple[int, int]]:
    spans = list(_spans(text))
    for start, end in [*spans, *_boxes(text)]:
        yield start, end
        at = start
        for match in _PARTS.finditer(text, start, end):
            yield at, match.start()
            at = match.end()
        yield at, end
    for match in _MARKED.finditer(text):
        yield match.span(match.lastindex or 0)
    for pattern in (_STATED, _AFTER_SIGN):
        for match in pattern.finditer(text):
            yield match.span(1)
    done = 0
    for start, end in [*spans, (len(text), len(text))]:
        for match in _NUMERAL.finditer(text, done, start):
            yield match.span()
        done = max(done, end)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Contents of delimited formulas, in order."""
    closers = dict(_DELIMITERS)
    at = 0
    while (opener := _OPENERS.search(text, at)) is not None:
        closer = closers[opener[0]]
        end = text.find(closer, opener.end(), opener.end() + _LONGEST)
        while closer == "$" and end > 0 and text[end - 1] == "\\":
            end = text.find(closer, end + 1, opener.end() + _LONGEST)
        if end < 0:
            at = opener.end()
            continue
        yield opener.end(), end
        at = end + len(closer)


def _boxes(text: str) -> Iterator[tuple[int, int]]:
    for box in _BOX.finditer(text):
        depth = 1
        for brace in _BRACE.finditer(text, box.end(), box.end() + _LONGEST):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                yield box.end(), brace.start()
                break
