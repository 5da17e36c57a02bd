"""Whole numbers as models write them, in base 10 and base 16.

``plain`` takes the dress off a reply: LaTeX, Markdown, HTML and the typographic forms of digits,
signs and spaces, so that what follows deals with one writing only::

    \\( 19{,}365 \\times 10^{2} \\)   ->   19,365 × 10^2
    **0xDCB2_096CA**                 ->   0xDCB2_096CA
    (\\text{DCB2096CA})_{16}          ->   (DCB2096CA)‹16›

``read`` then reads one numeral at a place of the plain text. Every pattern is linear.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Base = Literal[10, 16]

LONGEST = 200  # digits of a number that are kept; no task has more than a tenth of that
NO_WORD = 8  # letters from a to f alone: "facade" and "effaced" are words, nothing longer is
_FURTHEST = 1000  # exponents beyond this are not written out

HEX_MARK, DEC_MARK = "‹16›", "‹10›"

_SAME = (
    dict.fromkeys("✕✖⨯⋅·∙∗＊", "×")
    | dict.fromkeys("−﹣－", "-")
    | dict.fromkeys("÷∕⁄", "/")
    | dict.fromkeys("⇒⟶⟹➜➔⇨", "→")
    | dict.fromkeys("≃≅≒∼", "≈")
    | dict.fromkeys("’‘ʼ′", "'")
    | dict.fromkeys("—―", "–")
    | {"＝": "=", "\u2028": "\n", "\u2029": "\n", "\x85": "\n"}
)
_ABOVE = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_BELOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

# What is replaced, in this order: a text that must occur, for speed; the pattern; the replacement.
# A command's name ends where its letters end.
_PLAIN: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (needle, re.compile(pattern), by)
    for needle, pattern, by in (
        ("<su", r"<su(b|p)>\s{0,5}(\w{1,20})\s{0,5}</su\1>", r"_\1{\2}"),
        ("_b{", r"_b\{", "_{"),
        ("_p{", r"_p\{", "^{"),
        ("<br", r"<br\s{0,5}/?>", "\n"),
        ("&times;", r"&times;", "×"),
        (">", r"[-=]>", "→"),
        ("\\\\", r"\\\\(?=[A-Za-z])", r"\\"),
        ("\\\\", r"\\\\(?:\[[^\]\n]{0,20}\])?", "\n"),
        ("\\", r"\\(?:(?:long)?[rR]ightarrow|to|implies|mapsto|leadsto)(?![A-Za-z])", "→"),
        ("\\", r"\\(?:times|cdot|ast)(?![A-Za-z])|\\\*", "×"),
        ("\\", r"\\(?:approx|simeq|sim)(?![A-Za-z])", "≈"),
        ("\\", r"\\div(?![A-Za-z])", "/"),
        ("\\", r"\\equiv(?![A-Za-z])", "≡"),
        ("\\", r"\\neq?(?![A-Za-z])", "≠"),
        ("\\", r"\\[lc]?dots(?![A-Za-z])", "…"),
        ("\\", r"\\(?:hline|midrule|cline\s{0,5}\{[^{}\n]{0,20}\})", "\n----\n"),
        (
            "\\",
            r"\\(?:left|right|[bB]ig+[lr]?|displaystyle|textstyle|limits|nonumber|notag"
            r"|phantom\s{0,5}\{[^{}\n]{0,40}\})(?![A-Za-z])|\\!",
            "",
        ),
        ("{", r"\{\s{0,5},\s{0,5}\}", ","),
        ("", r"\\[,;:> ]|~|\\(?:q?quad|enspace|thinspace|space)(?![A-Za-z])", " "),
        ("\\", r"\\(?:text)?color\s{0,5}\{\w{1,20}\}", ""),
        (
            "\\",
            r"\\(?:text(?:bf|it|tt|rm|sf|normal)?|math(?:rm|bf|tt|sf|it|normal)|operatorname\*?"
            r"|mbox|hbox|fbox|boxed|emph|bm|boldsymbol|underline|overline|underbrace)(?![A-Za-z])",
            "",
        ),
        ("\\", r"\\(?:begin|end)\s{0,5}\{[^{}\n]{0,40}\}(?:\{[^{}\n]{0,40}\})?", " "),
        ("", r"\\?\$|\\[()\[\]]|&", " "),
        ("\\", r"\\([_#%])", r"\1"),
        ("_", r"_[\s{]{0,5}(?:16|hex\w{0,8}|sixteen|H)[\s}]{0,5}(?![0-9A-Za-z_])", HEX_MARK),
        ("_", r"_[\s{]{0,5}(?:10|dec\w{0,8}|ten)[\s}]{0,5}(?![0-9A-Za-z_])", DEC_MARK),
        ("^", r"\^\s{0,5}\{\s{0,5}([+-]?[0-9]{1,20})\s{0,5}\}", r"^\1"),
        ("^", r"\^\s{0,5}\{([^{}\n]{1,60})\}", r"^(\1)"),
        ("", r"[{}`]", ""),
        ("**", r"(?<=[0-9)])\*\*(?=[0-9(])", "^"),
        ("", r"\*\*|(?<![0-9A-Za-z_])__(?!_)|(?<!_)__(?![0-9A-Za-z_])", ""),
        ("*", r"(?<=[0-9A-F)])(\s?)\*(\s?)(?=[0-9A-F(])", r"\1×\2"),
        ("*", r"(?m)^([ \t]{0,20})\*(?=\s)", r"\1•"),
        ("*", r"\*", ""),
        ("(", r"\((?:in )?(?:base[- ]?(?:16|sixteen)|hex(?:adecimal)?)\)", HEX_MARK),
        ("(", r"\((?:in )?(?:base[- ]?(?:10|ten)|dec(?:imal)?)\)", DEC_MARK),
        ("‹", r"\(\s{0,3}([0-9A-Fa-f_, ]{1,60})\)\s{0,3}(?=‹1[06]›)", r"\1"),
        ("‹", r"[ \t]{1,20}(?=‹1[06]›)", ""),
    )
)
_DRESS = re.compile(r"[\\<>&~{}$_^*`(‹]")


def plain(text: str) -> str:
    """The text in one writing: digits, signs and line ends as ASCII where there is a choice.

    ``×`` multiplies, ``→ ≈ ≠ ≡ …`` stay as they are, bases read ``‹16›`` and ``‹10›`` after their
    number, bullets are ``•``. Linear in the length of the text.
    """
    if not text.isascii():
        text = re.sub("[⁰¹²³⁴-⁹]+", lambda run: "^" + run[0].translate(_ABOVE), text)
        text = re.sub("[₀-₉]+", lambda run: f"_{{{run[0].translate(_BELOW)}}}", text)
        text = text.translate({ord(char): _fold(char) for char in set(text) if ord(char) > 126})
    if _DRESS.search(text) is None:
        return text
    for needle, pattern, by in _PLAIN:
        if needle in text:
            text = pattern.sub(by, text)
    return text


def _fold(char: str) -> str:
    if char in _SAME:
        return _SAME[char]
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category == "Zs":
        return " "
    if category == "Cf":
        return ""
    wide = unicodedata.decomposition(char).startswith(("<wide>", "<font>"))
    return unicodedata.normalize("NFKC", char) if wide else char


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it stands in plain text."""

    # offsets of all of it, base mark and prefix included
    start: int
    end: int
    # canonical: no sign, separators or leading zeros, upper case; a fraction that is not zero is
    # part of it (``"3.5"``)
    digits: str
    # the base that stands with it ("0x", "_{16}", "h", "(hex)", "_{10}"), else None
    marked: Base | None = None
    regular: bool = True  # False where its separators do not stand between groups of equal length


_GROUPS_OF_THREE = r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]{1,3}(?:_[0-9]{3})+"
_DECIMAL = re.compile(
    r"(?<![A-Za-z0-9_])(?<![0-9][.,])(?<![^.]\.)(?<!\A\.)"
    r"(?:(?P<grouped>(?:" + _GROUPS_OF_THREE + r"|[0-9]{1,3}(?:'[0-9]{3})+"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){2,})(?!,?[0-9]))|(?P<odd>[0-9]+(?:,[0-9]+)+)|(?P<run>[0-9]+)"
    r"|(?<!\.)(?=\.[0-9]))(?:\.(?P<fraction>[0-9]+))?(?:[eE](?P<e>[+-]?[0-9]{1,9})(?![0-9A-Za-z])"
    r"|\s?×\s?10\s?\^\s?(?P<power>[+-]?[0-9]{1,9}))?(?![A-Za-z0-9_])(?P<mark>‹1[06]›)?"
)
_H = "[0-9A-Fa-f]"
_HEXADECIMAL = re.compile(
    r"(?<![A-Za-z0-9_\\])(?<![0-9A-Fa-f]\.)(?P<prefix>0[xX]_?)?"
    # At most as many groups as make a number of LONGEST digits: groups that do not add up to a
    # number are tried again from each of them on.
    rf"(?:(?P<grouped>{_H}{{1,3}}(?:,{_H}{{3}}){{1,67}}|{_H}{{1,4}}(?:,{_H}{{4}}){{1,67}}"
    rf"|{_H}{{1,4}}(?:_{_H}{{4}}){{1,67}}|{_H}{{1,3}}(?:_{_H}{{3}}){{1,67}})(?![,_]?[0-9A-Za-z])"
    rf"|(?P<odd>{_H}+(?:_{_H}+)+)|(?P<run>{_H}+))"
    r"(?:(?P<suffix>[hH])(?![0-9A-Za-z_])|(?![A-Za-z0-9_]))(?P<mark>‹1[06]›)?"
)


def read(text: str, base: Base, at: int = 0) -> Numeral | None:
    """The numeral that begins exactly at a place of a plain text, or None.

    In base 16 a word counts as a numeral when it is marked, has a digit in it, is all capitals or
    too long to be English; "add", "Bad" and "0.5" are none.
    """
    if base == 10:
        found = _DECIMAL.match(text, at)
        return _decimal(found) if found else None
    found = _HEXADECIMAL.match(text, at)
    return _hexadecimal(found) if found else None


def numerals(text: str, base: Base) -> list[Numeral]:
    """All numerals of a plain text in order; see ``read``."""
    pattern, make = (_DECIMAL, _decimal) if base == 10 else (_HEXADECIMAL, _hexadecimal)
    return [numeral for found in pattern.finditer(text) if (numeral := make(found))]


def _decimal(found: re.Match[str]) -> Numeral:
    whole = re.sub("[^0-9]", "", found["grouped"] or found["odd"] or found["run"] or "")
    digits = _scaled(whole, found["fraction"] or "", found["e"] or found["power"] or "0")
    marked: Base | None = (10 if found["mark"] == DEC_MARK else 16) if found["mark"] else None
    return Numeral(found.start(), found.end(), digits, marked, found["odd"] is None)


def _scaled(whole: str, fraction: str, exponent: str) -> str:
    """``whole.fraction × 10^exponent`` written out, exactly."""
    if len(whole) + len(fraction) > LONGEST or abs(int(exponent)) > _FURTHEST:
        return f"{whole[:LONGEST]}.{fraction[:LONGEST]}e{exponent}"
    point = len(whole) + int(exponent)
    digits = whole + fraction
    before = digits[: max(point, 0)].ljust(max(point, 0), "0").lstrip("0") or "0"
    after = ("0" * max(-point, 0) + digits[max(point, 0) :]).rstrip("0")
    return f"{before}.{after}" if after else before


def _hexadecimal(found: re.Match[str]) -> Numeral | None:
    written = found["grouped"] or found["odd"] or found["run"]
    marked: Base | None = 16 if found["prefix"] or found["suffix"] else None
    if found["mark"]:
        marked = 10 if found["mark"] == DEC_MARK else 16
    if marked is None and not (
        any(char.isdigit() for char in written) or written.isupper() or len(written) >= NO_WORD
    ):
        return None
    if found.string[found.end() : found.end() + 1] == "." and _fraction_follows(found):
        return None
    digits = re.sub("[^0-9A-F]", "", written.upper()).lstrip("0") or "0"
    return Numeral(found.start(), found.end(), digits[:LONGEST], marked, found["odd"] is None)


def _fraction_follows(found: re.Match[str]) -> bool:
    following = found.string[found.end() + 1 : found.end() + 2]
    return following.isalnum() and not found["mark"]
