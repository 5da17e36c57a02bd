"""Numbers that only name something: "step 5", "Lemma 5", "equation (5)", "use (5)", "5-gon"."""

from __future__ import annotations

import re

_NOUNS = (
    r"(?:step|(?:sub)?case|part|problem|question|equation|eqn?|inequality|figure|fig|line|iteration"
    r"|attempt|sec(?:tion)?|chapter|method|theorem|thm|lemma|corollary|proposition|definition|axiom"
    r"|rule|exercise|item|phase|stage|page|paragraph|example|row|column|bullet|claim|formula"
    r"|condition|scenario|observation|remark|version|statement|sentence|option|table|clause"
    r"|hint(?!\s?:)"  # "Hint: 7" gives a value, "Hint 7" is the seventh
    r"|fact|property|constraint|appendix|footnote|slide|lesson|lecture|grade"
    # German, French, Spanish, Portuguese, Italian, Indonesian, Swahili
    r"|schritt|zeile|aufgabe|seite|gleichung|fall|étape|ligne|cas|paso|línea|linea|ejercicio|caso"
    r"|passo|linha|etapa|passaggio|riga|langkah|baris|halaman|hatua)"
)
# These may be a verb, or what the number is the value of: "try 7", "the point 7".
_AT = r"(?:at|in|on|of|see|since|after|before)\s"
_AMBIGUOUS = r"(?:try|test|note|round|reply|response|turn|comment|point|draft|revision|trial)"
_LABEL = re.compile(
    r"(?:^|[^A-Za-z])(?<!this )(?<!that )(?<!which )(?<!either )(?<!any )(?<!each )(?<!every )"
    r"(?<!next )(?<!last )(?<!final )(?<!previous )(?<!first )(?<!second )(?<!third )(?<!same )"
    rf"(?P<noun>{_NOUNS}|{_AT}{_AMBIGUOUS}|(?<!#)#(?![#\s])|nos?\.)s?"
    r"[.:]?\s*(?:number|no\.?)?\s*[#(*$]{0,4}(?:\d{1,3}[)*]{0,2}\s*(?:,|and|or|to|through|-|&)+\s*"
    r"[(#]?){0,6}$",
    re.I,
)
_CITED = re.compile(
    r"(?:\b(?i:use|using|see|recall|apply|applying|combine|combining)|\b(?:By|From))\s"
    r"(?:\(\d{1,3}\)\s?(?:,\sand|,|and|or|with)\s?){0,4}\($"
)
_CLOSES = re.compile(r"\)(?!\s?[=<>≤≥+*/×^-])")
_EQUATED = re.compile(r"\s*\$?\s*(?:[=<>≤≥≈]|\\(?:le|ge|approx)(?![a-z]))")
_NAME_AFTER = re.compile(r"(?:\$|\\\))?(?:-[A-Za-z]{2}|(?:st|nd|rd|th)\b)")
_LINE_START = re.compile(r"(?:^|\n)[ \t>*#_(-]{0,8}$")
_LIST_ITEM = re.compile(r"(?:[.)]|\*\*[.):]?|[.)]\*\*):?[ \t*]+(?!(?:is|was)\b)\S")


def is_label(text: str, start: int, end: int, asked: str = "") -> bool:
    """Whether the number at a place of a text names something, and says no value.

    Args:
        text: all of it.
        start, end: offsets of the number.
        asked: the question without spaces: of "Onwhichpage", "page 5" says the value.
    """
    if _NAME_AFTER.match(text, end) or text[max(0, start - 1) : start] == "第":
        return True
    before = text[max(0, start - 60) : start]
    named = _LABEL.search(before)
    if named and not _EQUATED.match(text, end):
        noun = named["noun"].lower().rpartition(" ")[2]
        return not any(f"{word}{noun}" in asked.lower() for word in ("which", "what"))
    if _CITED.search(before) and _CLOSES.match(text, end):
        return True
    return bool(_LINE_START.search(before) and _LIST_ITEM.match(text, end))
