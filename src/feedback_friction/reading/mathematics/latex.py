"""LaTeX, Unicode and plain notation brought to one spelling, without reading its meaning.

Every step is a linear scan. What a formula says is for ``formula``; here ``\\dfrac`` becomes
``\\frac``, ``−`` becomes ``-``, ``10{,}000`` becomes ``10000``, and what only sets type goes.
"""

from __future__ import annotations

import re
from bisect import bisect_right

_UNICODE = {
    "\u2212": "-", "\u2013": "-", "\u2010": "-", "\u2011": "-", "\ufe63": "-", "\uff0d": "-",
    "×": r"\cdot ", "·": r"\cdot ", "∙": r"\cdot ", "⋅": r"\cdot ", "÷": "/", "∕": "/", "⁄": "/",
    "π": r"\pi ", "∞": r"\infty ", "√": r"\sqrt ", "∛": r"\sqrt[3]", "°": r"^\circ ",
    "∖": r"\setminus ", "¢": r"\text{ cents}", "⟨": r"\langle ", "⟩": r"\rangle ",
    "≡": r"\equiv ", "≤": r"\le ", "≥": r"\ge ", "≠": r"\ne ",
    "±": r"\pm ", "∓": r"\mp ", "≈": r"\approx ",
    "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∅": r"\emptyset ", "θ": r"\theta ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "λ": r"\lambda ",
    "μ": r"\mu ", "φ": r"\phi ", "ω": r"\omega ", "ℝ": r"\reals ", "′": "'", "’": "'",
    "½": " 1/2", "¼": " 1/4", "¾": " 3/4", "⅓": " 1/3", "⅔": " 2/3", "⅕": " 1/5", "⅖": " 2/5",
    "⅗": " 3/5", "⅘": " 4/5", "⅙": " 1/6", "⅛": " 1/8", "⅜": " 3/8", "⅝": " 5/8", "⅞": " 7/8",
    "€": "", "£": "", "\u200b": "", "\ufeff": "",
    "\u2061": "", "\u2062": "", "\xa0": " ", "\u2009": " ", "\u202f": " ", "\u2002": " ",
}  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_RAISED_RUN = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_LOWERED_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉]+")
_CONTROLS = {chr(code): "" for code in range(32) if chr(code) not in "\t\n\r"}
_TABLE = str.maketrans(_UNICODE | _CONTROLS)

_SAME = {
    r"\dfrac": r"\frac", r"\tfrac": r"\frac", r"\cfrac": r"\frac", r"\dbinom": r"\binom",
    r"\tbinom": r"\binom", r"\leq": r"\le", r"\leqslant": r"\le", r"\geq": r"\ge",
    r"\geqslant": r"\ge", r"\neq": r"\ne", r"\lt": "<", r"\gt": ">", r"\times": r"\cdot",
    r"\ast": r"\cdot", r"\div": "/", r"\degree": r"^\circ", r"\lbrace": r"\{",
    r"\rbrace": r"\}", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", r"\mid": "|",
    r"\bigcup": r"\cup", r"\iff": r"\iff", r"\varnothing": r"\emptyset", r"\arcsin": r"\arcsin",
    r"\implies": r"\Rightarrow", r"\to": r"\Rightarrow", r"\rightarrow": r"\Rightarrow",
    r"\lbrack": "[", r"\rbrack": "]", r"\colon": ":", r"\lor": r"\text{ or }",
    r"\textdegree": r"^\circ", r"\backslash": r"\setminus", r"\smallsetminus": r"\setminus",
    r"\cent": r"\text{ cents}", r"\textcent": r"\text{ cents}", r"\Z": r"\integers",
    r"\R": r"\reals", r"\reals": r"\reals", r"\Reals": r"\reals", r"\ldotp": ".",
}  # fmt: skip
_TYPESETTING = (
    r"left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle limits "
    r"scriptstyle quad qquad thinspace medspace space rm bf it tt mathstrut middle nonumber"
)
_DROPPED = frozenset("\\" + name for name in _TYPESETTING.split())
_TEXT = frozenset(
    "\\" + name
    for name in (
        "text", "textbf", "textit", "textrm", "textsf", "texttt", "textnormal", "mbox", "hbox",
        "mathrm", "mathbf", "mathit", "mathsf", "operatorname", "mathcal", "mathbb", "boldsymbol",
        "emph", "underline", "bm",
    )
)  # fmt: skip

_COMMAND = re.compile(
    r"\\\\|\\(?:[A-Za-z]+\*?|[,!;: ()\[\]$%])|[$~`]|(?<![\w)}])\*\*|\*\*(?![\w({])"
)
_SPACING = {r"\,": " ", r"\;": " ", r"\:": " ", r"\ ": " ", "~": " ", r"\!": ""}
_DELIMITERS = frozenset({r"\(", r"\)", r"\[", r"\]", "$", r"\$", "`", "**"})
_SPACES = re.compile(r"\s+")
_THOUSANDS = re.compile(r"(?<![\d.])\d{1,3}(?:(?:\{,\}|, ?\\! ?|\\,|\\ |\\!,|\\;|~)\d{3})+(?!\d)")
_COMMA_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?!,?\d)")
_SPACE_THOUSANDS = re.compile(r"(?<![\d.,] )(?<![\d.,])[1-9]\d{0,2}(?: \d{3})+(?! ?[\d/])")
_NOT_DIGITS = re.compile(r"\D+")
_PHANTOM = re.compile(r"\\[hv]?phantom\{[^{}]{0,80}\}|\\hspace\*?\{[^{}]{0,20}\}")
_COLOR = re.compile(r"\\(?:text)?color ?\{[^{}]{0,30}\}")
# A font around a formula: the braces stay.
_FONT = re.compile(
    r"\\(?:math(?:bf|rm|it|sf)|boldsymbol|bm|text(?:bf|it|rm)?) ?"
    r"(?=\{\s?(?:\{|-?\s?\\(?!text)[A-Za-z]|-?\s?\\text\w*\s?\{-?\d))"
)
_REALS = re.compile(r"\\mathbb ?(?:\{ ?R ?\}|R(?![A-Za-z]))")
_NOT_EQUAL = re.compile(r"(?<=\s)!=|(?<=[A-Za-z])!=(?=\s?[-\d])|\\not ?=")
_ENDING = "(?:st|nd|rd|th)"
_ORDINAL_TEXT = rf"\\(?:text(?:rm)?|mathrm) ?\{{ ?{_ENDING} ?\}}"
_ORDINAL = re.compile(
    rf"(?<![\d.,])(\d+)(?: ?\^ ?\{{ ?(?:{_ORDINAL_TEXT}|{_ENDING}) ?\}}"
    rf"| ?\^? ?{_ORDINAL_TEXT}|{_ENDING}(?![A-Za-z]))"
)
# 0xFF and 0b101; "1011 (base 2)"; "negative 5".
_PREFIXED = re.compile(r"(?<![\w.])0(?:x(?P<x>[0-9A-Fa-f]{1,60})|b(?P<b>[01]{1,200}))(?!\w)")
_BASE_WORDS = re.compile(
    r"(?<![\w.])([0-9A-F]{1,60})[ ,]{0,2}\(?(?:in )?base[ -](\d{1,2})(?!\w)\)?"
)
_NEGATIVE = re.compile(r"(?i)(?<![\w)}])(?:negative|minus) (?=[\d\\])")
_OVER = re.compile(r"\{([^{}\\]{1,40})\\over\b([^{}\\]{1,40})\}")
_CHOOSE = re.compile(r"\{([^{}\\]{1,40})\\choose\b([^{}\\]{1,40})\}")
_COMMA_IN_BRACKETS = re.compile(r"(?:[(\[]|\\\{)[^()\[\]{}]*,")


def _with_base(match: re.Match[str]) -> str:
    return f"{match['x'].upper()}_{{16}}" if match["x"] else f"{match['b']}_{{2}}"


def _digits(match: re.Match[str]) -> str:
    return _NOT_DIGITS.sub("", match[0])


def _command(match: re.Match[str]) -> str:
    name = match[0]
    if name in _SPACING:
        return _SPACING[name]
    if name in _DELIMITERS or name in _DROPPED:
        return "" if name[0] != "\\" or not name[1:].isalpha() else " "
    if name in _TEXT:
        return r"\text"
    return _SAME.get(name, name)


def clean(text: str) -> str:
    """One spelling of the notation; spaces between words and numbers stay, single.

    Dollar signs, math delimiters, Markdown's ``**`` and backquotes, sizes, fonts and thousands
    separators go; every kind of text command becomes ``\\text``.
    """
    if not text.isprintable() or not text.isascii():
        text = _RAISED_RUN.sub(lambda m: "^{" + m[0].translate(_RAISED) + "}", text)
        text = _LOWERED_RUN.sub(lambda m: "_{" + m[0].translate(_LOWERED) + "}", text)
        text = text.translate(_TABLE)
    if "\\" in text or "{" in text:
        text = _THOUSANDS.sub(_digits, text)
        text = _FONT.sub("", text)
        text = _COLOR.sub("", _REALS.sub(r"\\reals ", text))
        text = _PHANTOM.sub(" ", text)
        text = _OVER.sub(r"\\frac{\1}{\2}", text)
        text = _CHOOSE.sub(r"\\binom{\1}{\2}", text)
    text = _ORDINAL.sub(r"\1", _NOT_EQUAL.sub(r"\\ne ", text))
    text = _BASE_WORDS.sub(r"\1_{\2}", _PREFIXED.sub(_with_base, text))
    text = _NEGATIVE.sub("-", text)
    text = _COMMAND.sub(_command, text)
    text = _SPACES.sub(" ", text).strip(" ")
    if _COMMA_IN_BRACKETS.search(text) is None:
        text = _COMMA_THOUSANDS.sub(_digits, text)
        text = _SPACE_THOUSANDS.sub(_digits, text)
    return text


_BRACKET = re.compile(r"\\[{}|]|\\[lr]angle(?![A-Za-z])|[()\[\]{}]")
_OPENING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "\\langle": "\\rangle"}
_LOOSE = {")", "]"}

Pair = tuple[int, int, str, str]  # where it opens and ends, and its two brackets


def _outer(text: str) -> list[Pair] | None:
    """The outermost pairs of brackets, None where some bracket has no partner.

    ``(`` may be closed by ``]`` and ``[`` by ``)``, as intervals are.
    """
    found: list[Pair] = []
    stack: list[re.Match[str]] = []
    for match in _BRACKET.finditer(text):
        bracket = match[0]
        if bracket in _OPENING:
            stack.append(match)
        elif bracket != "\\|":
            partner = _OPENING[stack[-1][0]] if stack else ""
            if partner != bracket and not {partner, bracket} <= _LOOSE:
                return None
            opening = stack.pop()
            if not stack:
                found.append((opening.start(), match.end(), opening[0], bracket))
    return None if stack else found


def split(text: str, separator: re.Pattern[str]) -> list[tuple[str, str]]:
    """Parts of ``text`` between separators outside all brackets, each with the separator before it.

    Brackets that do not match leave the text whole.
    """
    pairs = _outer(text) if separator.search(text) else None
    if pairs is None:
        return [("", text)]
    opens = [start for start, *_ in pairs]
    cuts = [
        cut
        for cut in separator.finditer(text)
        if not opens
        or cut.start() >= pairs[bisect_right(opens, cut.start()) - 1][1]
        or cut.start() < opens[0]
    ]
    ends = [*(cut.start() for cut in cuts), len(text)]
    starts = [("", 0), *((cut[0], cut.end()) for cut in cuts)]
    return [(sign, text[a:b]) for (sign, a), b in zip(starts, ends, strict=True)]


def is_balanced(text: str) -> bool:
    """Whether every bracket has its partner."""
    return _outer(text) is not None


def enclosed(text: str) -> tuple[str, str] | None:
    """The first and last bracket of a text that one pair of brackets encloses, else None."""
    pairs = _outer(text) if text[:1] in ("(", "[", "{", "\\") else None
    whole = pairs is not None and len(pairs) == 1 and pairs[0][:2] == (0, len(text))
    return pairs[0][2:] if pairs and whole else None
