"""Where a text gives the right option's text, in the forms in which it is the same text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from feedback_friction.protocol.masking.expression_words import Target, find_numbers
from feedback_friction.protocol.masking.expressions import find_values
from feedback_friction.protocol.masking.gate import UNSPACED, Match, Matcher, View
from feedback_friction.reading.mathematics.answer import Kind

_WRAPPERS = re.compile(
    r"\\(?:text\w{0,6}|math(?:rm|bf|sf|it|tt)|operatorname|left|right|displaystyle)(?![a-z])"
    r"|\\[,;:!()\[\] ]"
)
# A hyphen is a minus sign before a number or a formula, and before a word that no word precedes.
_TOKEN = re.compile(
    r"\\[a-z]+|\d+(?:[.,]\d+)*|(?<!\w)\.\d+|[^\W\d_]+(?:'[^\W\d_]+)?"
    r"|(?P<minus>-(?=\s*[\d(\\])|(?<![^\W\d_])-(?=[^\W\d_]))|[^\w\s]|_"
)
_IDLE = frozenset(".,;:!?'\"`*_$\\(){}[]~-")  # signs that make no difference to a text
_BETWEEN = r"(?:[\s.,;:!?'\"`*_$\\(){}\[\]~-]|\\[a-z]{1,10}){0,8}"
_APART = r"(?:[\s.,;:!?'\"`*_$\\(){}\[\]~-]|\\[a-z]{1,10}){1,8}"
_ARTICLES = frozenset(["the", "a", "an"])
_NO_NOUNS = frozenset(["and", "or", "only"])  # "A and B": no article

_COMMON = frozenset(
    re.findall(
        r"\w+",
        "true false yes no none both neither all never always sometimes same equal zero one two "
        "three four five six seven eight nine ten positive negative neutral increase increases "
        "increased decrease decreases decreased constant unchanged higher lower high low left "
        "right up down more less greater smaller larger random normal error valid invalid correct "
        "incorrect",
    )
)
_WRAP_OPEN, _WRAP_CLOSE = r"[\"'*_`(\[{$]", r"[\"'*_`)\]}$]"
_ANSWER_BEFORE = re.compile(
    r"(?:\b(?:answer|options?|choices?|conclusion|(?:correct|right|best)\s\w+)\b[^.!?\n]{0,40}?"
    r"(?:\b(?:is|are|be|as|to)\b|[:=])"
    r"|\b(?:should|must|would|will|has\sto|have\sto|needs?\sto|ought\sto)\s(?:actually\s)?be"
    r"|\b(?:therefore|thus|hence|so),?\s(?:it(?:'s|\sis|\swas)|this\sis)"
    r"|\b(?:choose|select|pick|go\swith)|\[masked\][).:,]?)"
    rf"\s?(?:(?:the|that|actually|indeed|simply|instead)\s){{0,2}}{_WRAP_OPEN}{{0,4}}$"
)
_ANSWER_AFTER = re.compile(
    rf"{_WRAP_CLOSE}{{0,4}}\s?(?:is|would\sbe|seems|was)\s(?:\w+\s)?(?:the\s)?(?:most\s|best\s)?"
    r"(?:correct|right|answer|best|closest|appropriate)\b"
)
_VALUE_BEFORE = re.compile(
    r"(?:[=≈≅]|\b(?:is|are|be|was|equals?|equal\sto|gets?|got|gives?|giving|obtain(?:s|ed|ing)?"
    r"|yields?|makes?|finds?|found|(?:comes?|came|works?)\s(?:out\s)?(?:to|as|at)|answer|result|total|simplif(?:y|ies)\sto|reduces?\sto|rounds?\sto|closer?\sto"
    r"|(?:value|answer|result|total|sum|remainder|determinant|product)\sof))"
    rf"\s?(?:(?:about|approximately|exactly|roughly|only|just|not)\s)?{_WRAP_OPEN}{{0,4}}$"
)
_NO_VALUE_AFTER = re.compile(r"\s?(?:[/^+×·]|\*\s?\d|-\s?\d|x\s?\d)")
_Around = tuple[re.Pattern[str], re.Pattern[str]]
_WRAPPED = re.compile(rf"{_WRAP_OPEN}$"), re.compile(_WRAP_CLOSE)
# Numbers stand in brackets, braces and dollar signs for other reasons too.
_MARKED = re.compile(r"(?:[\"'*_`]|boxed\s?\{)$"), re.compile(r"[\"'*_`}]")
_LONGEST_VALUE = 120
_IN_RUN = re.compile(f"[{UNSPACED}]")  # a word whose ends no space shows
_NEAR = 80  # characters before a stretch that say what it is

_Gives = Callable[[str, int, int], bool]


def text_matcher(text: str, others: tuple[str, ...], question: str) -> Matcher | None:
    """A matcher for an option's text; None where the text has nothing to match.

    Args:
        text: the right option's text.
        others: the texts of the other options.
        question: the question's text.
    """
    pattern = text_pattern(text)
    if pattern is None:
        return None
    longer = [
        other_pattern
        for other in others
        if pattern.search(_fold(other)) and (other_pattern := text_pattern(other)) is not None
    ]
    gives = _rule(text, pattern, question)

    def find(view: str) -> Iterator[Match]:
        inner = view_for(text, view)
        folded = inner.text
        taken = [other.span() for each in longer for other in each.finditer(folded)]
        for found in pattern.finditer(folded):
            start, end = found.span()
            if gives(folded, start, end) and not _is_within(start, end, taken):
                yield *inner.span(start, end), "text"

    return find


def value_matcher(text: str) -> Matcher | None:
    """A matcher for an option that is a number or a formula, in any writing; None for others."""
    if len(text) > _LONGEST_VALUE:
        return None
    target = Target.of(text.replace("\\$", "").replace("$", "").strip(" ."))
    is_set = target.gold.kind in (Kind.TUPLE, Kind.UNION, Kind.SET)  # lists may be of words
    if not (target.gold.value or is_set) or target.letter or target.gold.key.isalpha():
        return None

    def find(view: str) -> Iterator[Match]:
        for start, end, form in (*find_values(view, target), *find_numbers(view, target)):
            if not target.is_common or _is_value(view, start, end):
                yield start, end, form

    return find


def _is_within(start: int, end: int, stretches: list[tuple[int, int]]) -> bool:
    """Whether a stretch is a part of one of those, which are in order for each pattern."""
    return any(
        first <= start and end <= last and last - first > end - start for first, last in stretches
    )


def view_for(text: str, view: str) -> View:
    """The view in small letters in which an option's text is looked for.

    Letters of scripts without spaces part words there, unless the text has such letters itself.
    """
    parts = not view.isascii() and _IN_RUN.search(text) is None
    return View.folded(view, _parted if parts else str.casefold)


def _parted(char: str) -> str:
    return " " if _IN_RUN.match(char) else char.casefold()


@lru_cache(maxsize=1024)
def text_pattern(text: str) -> re.Pattern[str] | None:
    """A pattern for a text, on a folded view: spacing, punctuation and dress do not count."""
    tokens = _tokens(text)
    if not tokens or (len(tokens) == 1 and len(tokens[0][0]) == 1 and tokens[0][0].isalpha()):
        return None
    article = r"(?:(?:the|an?)\s)?" if _fold(text).split()[0] in _ARTICLES else ""
    body = ""
    for at, (token, joined) in enumerate(tokens):
        if at:
            apart = tokens[at - 1][0][-1].isalnum() and token[0].isalnum() and not joined
            body += _APART if apart else _BETWEEN
        body += _token_pattern(token, last=at == len(tokens) - 1)
    if text.rstrip(" .$").endswith("}"):
        body += r"(?:\s?\})*"
    first, last = tokens[0][0][0], tokens[-1][0][-1]
    return re.compile((article and r"(?<!\w)") + article + _left(first) + body + _right(last))


def _fold(text: str) -> str:
    """A text as matchers see it, in small letters and without LaTeX wrappers."""
    return View.plain(_WRAPPERS.sub(" ", text)).text.casefold()


def _tokens(text: str) -> list[tuple[str, bool]]:
    """The words, numbers and signs that make a text what it is, without an article.

    With each comes whether it follows the one before without anything between.
    """
    folded = _fold(text)
    tokens = []
    end = -1
    for found in _TOKEN.finditer(folded):
        if found["minus"] or found[0] not in _IDLE:
            tokens.append((found[0], found.start() == end))
            end = found.end()
    if len(tokens) > 1 and tokens[0][0] in _ARTICLES:
        after, joined = tokens[1]
        return tokens if joined or after in _NO_NOUNS else tokens[1:]
    return tokens


def _token_pattern(token: str, *, last: bool) -> str:
    """A pattern for one token: thousands with or without commas, a last noun in either number."""
    if token[0].isdigit() or (token[0] == "." and len(token) > 1):
        return _number_pattern(token)
    if token == "\\frac":
        return r"\\[dt]?frac"
    if last and token.isalpha() and len(token) > 3:
        if token.endswith("s") and not token.endswith("ss"):
            return f"{re.escape(token[:-1])}s?"
        return f"{re.escape(token)}(?:e?s)?"
    return re.escape(token)


def _number_pattern(token: str) -> str:
    if not re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*(?:\.\d+)?", token):
        return re.escape(token)
    whole, _, decimals = token.replace(",", "").partition(".")
    if whole in ("", "0") and decimals:
        return rf"0?\.{decimals}"
    head = len(whole) % 3
    groups = [whole[:head]] * bool(head) + [whole[at : at + 3] for at in range(head, len(whole), 3)]
    if not decimals.strip("0"):
        return ",?".join(groups) + r"(?:\.0+)?"
    return ",?".join(groups) + rf"\.{decimals}"


def _left(char: str) -> str:
    if char.isdigit() or char == ".":
        return r"(?<![\w.,^-])"
    if _IN_RUN.match(char):
        return ""
    return r"(?<![\w\\])" if char.isalpha() else r"(?<![\w)])" if char == "-" else ""


def _right(char: str) -> str:
    if char.isdigit():
        return r"(?![\w%]|[.,]\d)"
    return r"(?!\w)" if char.isalpha() and not _IN_RUN.match(char) else ""


def _rule(text: str, pattern: re.Pattern[str], question: str) -> _Gives:
    """How much it takes for a stretch with that text to give the answer."""
    tokens = [token for token, _ in _tokens(text)]
    word = tokens[0] if len(tokens) == 1 else ""
    brief = word or (len(tokens) <= 3 and any(token[-1].isdigit() for token in tokens))
    asked = bool(brief) and pattern.search(_fold(question)) is not None
    if re.fullmatch(r"\d*\.?\d*", "".join(tokens).lstrip("-")):
        return _is_value if asked or sum(map(str.isdigit, word or tokens[-1])) <= 2 else _always
    short = 0 < len(word) <= (1 if _IN_RUN.match(word) else 2)
    return _is_answer if asked or word in _COMMON or short else _always


def _always(text: str, start: int, end: int) -> bool:
    return True


def _is_answer(text: str, start: int, end: int, around: _Around = _WRAPPED) -> bool:
    """Whether the text around a stretch gives it as the answer, by words, signs or a line."""
    before = text[max(0, start - _NEAR) : start]
    if _ANSWER_BEFORE.search(before) or _ANSWER_AFTER.match(text, end):
        return True
    if around[0].search(before) and around[1].match(text, end):
        return True
    return _is_line(text, start, end)


def _is_value(text: str, start: int, end: int) -> bool:
    """Whether the text around a number gives it as a result."""
    before = text[max(0, start - _NEAR) : start]
    result = _VALUE_BEFORE.search(before) and not _NO_VALUE_AFTER.match(text, end)
    return bool(result) or _is_answer(text, start, end, _MARKED)


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether a stretch is a line of its own, apart from punctuation and marks."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    rest = text[first:start] + text[end : last if last >= 0 else len(text)]
    return len(rest) < 40 and not any(map(str.isalnum, rest.replace("[masked]", "")))
