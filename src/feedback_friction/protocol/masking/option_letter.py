"""Where a text names an option by its letter, and where the same letter is something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from feedback_friction.grading.choice_languages import NOUN
from feedback_friction.protocol.masking.gate import SENTENCE, Match, Matcher
from feedback_friction.reading.option_texts import LOCAL_LETTERS

_OPEN = r"[\"'*_`(\[{$]{0,6}"
_CLOSE = r"[\"'*_`)\]}$]{0,6}"
_NOUN = (
    r"(?i:\b(?:options?|choices?|answers?|letters?|alternatives?|selections?|responses?"
    rf"|distractors?|{NOUN})|答案|选项|故选|应选|选择)"
)
_PICK = (
    r"(?:(?i:\b(?:choos(?:e|es|ing)|chose|chosen|pick(?:ed|s|ing)?|select(?:ed|s|ing)?|go(?:ing)?\swith"
    r"|went\swith|opt(?:ed|ing)?\sfor|reconsider(?:ed|ing)?|revisit(?:ed|ing)?|circle[ds]?|mark(?:ed)?"
    r"|eliminat(?:e|es|ed|ing)|rul(?:e|es|ed|ing)\sout|discard(?:ed|ing)?|reject(?:ed|ing)?"
    r"|(?:choos(?:e|ing)|decid(?:e|ing)|distinguish(?:ing)?|torn)\sbetween))|(?:^|[.!?:]\s)Between)"
)
_CUE = (
    r"(?i:\b(?:answer|correct|right|best|closest|final)\b[^.!?\n]{0,40}?(?:\b(?:is|be(?:en)?|was|to)\b|:)"
    r"\s?(?:(?:actually|clearly|therefore|indeed|likely|simply|not|instead|probably|in\sfact)\s)?)"
)
_AND = (
    r"\s?(?:,\s?(?:and|or|nor)\s|,|/|;|&|\b(?:and|or|nor|versus|vs\.?|to|through|over|than)\b|-)\s?"
)
_ITEM = rf"{_OPEN}[A-Z](?![A-Za-z0-9_]){_CLOSE}[.)]?"
_LIST = rf"(?:(?:both|either|neither)\s)?{_ITEM}(?:{_AND}(?:(?:option|choice)\s)?{_ITEM}){{0,9}}"
_JUDGED = (
    r"(?:\s(?:also|actually|clearly|therefore|indeed|still|simply|just|really|definitely|likely"
    r"|probably|in\sfact))?(?:\s(?:the|an?|our|your))?(?:\s(?:most|more|only|single|next))?"
    r"\s(?:correct|incorrect|right|wrong|best|better|true|false|answer|closest|accurate|inaccurate"
    r"|appropriate|valid|invalid|plausible|tempting|likely|unlikely|option|choice|one|out(?!\sof)|ruled\sout"
    r"|eliminated)\b"
)
_VERDICT = (
    r"(?:is|isn't|are|aren't|seems|appears|being|as|remains|(?:would|wouldn't|cannot|can't|could|might|may|must"
    rf"|should)\s(?:not\s)?be)(?:\snot)?{_JUDGED}"
)
_JUDGING = re.compile(
    r"\b(?:answer\w*|options?|choices?|choos\w*|chose\w*|select\w*|pick\w*|correct\w*|incorrect\w*"
    r"|alternatives?|distractors?|eliminat\w*|rul\w+\sout|letters?|reconsider\w*|revisit\w*"
    r"|compar\w+|best|tempting|key|expected|wanted|go\sfor|try|look\w*\sat|dismiss\w*|overlook\w*"
    r"|ought|instead|rather\sthan|satisf\w+|too\searly|chang(?:e|ed|ing)\s(?:it\s)?to|switch\w*|stick\w*"
    r"|want|left\swith|namely|of\scourse|were\sright|solution\s(?:arrives|ends))\b",
    re.IGNORECASE,
)

# What follows a letter that stands for an option; after "A" and "I" most words mean otherwise.
_ENDS = r"(?:$|[.,;:!?)](?!\d)|\n|\s?-\s|\s\(|/|\s?\[masked\])"
_AFTER_A_OR_I = (
    r"(?:is|and|or|nor|as|because|since|but|which|instead|rather|does|describes|states|says)"
)
_AFTER = (
    r"(?:is|are|was|were|as|and|or|nor|but|because|since|with|which|that|if|in|on|at|for|to|from|by"
    r"|of|not|instead|rather|than|over|while|when|where|would|could|should|might|may|must|can|cannot"
    r"|does|doesn't|did|didn't|has|have|seems|appears|looks|describes|states|says|suggests|claims"
    r"|focuses|refers|represents|corresponds|implies|involves|includes|addresses|explains|mentions"
    r"|fits|matches|also|only|more|less|better|best|correctly|incorrectly|directly|being|still|here"
    r"|too|again|first|carefully|closely|before|after|either|itself|gives|captures|reflects)"
)

# What a letter is that stands after such a word: a name, a kind, a place, a thing in a formula.
_KIND = (
    r"(?i:\b(?:vitamins?|points?|fig(?:ure)?s?|fig\.|tables?|phases?|types?|class(?:es)?|groups?"
    r"|hepatitis|influenza|sections?|parts?|cases?|steps?|models?|panels?|plans?|compan(?:y|ies)"
    r"|firms?|teams?|sets?|matri(?:x|ces)|vectors?|events?|genes?|alleles?|blood|countr(?:y|ies)"
    r"|persons?|players?|process(?:es)?|states?|species|samples?|box(?:es)?|lines?|nodes?|vert(?:ex"
    r"|ices)|angles?|sides?|appendix|grades?|schedules?|titles?|articles?|amendments?|let|variables?"
    r"|constants?|coefficients?|functions?|elements?|atoms?|carbon|factors?|rings?|chains?|bands?"
    r"|electrodes?|cells?|objects?|bod(?:y|ies)|blocks?|particles?|charges?|regions?|areas?|zones?"
    r"|stages?|levels?|categor(?:y|ies)|layers?|rooms?|machines?|programs?|strings?|symbols?|units?"
    r"|bonds?|premises?|part(?:y|ies)|stores?|products?|goods?|funds?|banks?|projects?|investments?"
    r"|stocks?|cit(?:y|ies)|clauses?|rules?|theorems?|lemmas?|keys?|scales?|major|minor|chords?"
    r"|field|matrices|values?\sof|magnitude\sof|degrees|protein|receptors?|drugs?|patients?))"
)
_KIND_BEFORE = re.compile(
    rf"{_KIND}[\s-]{{1,2}}(?:[A-Z]\s?(?:,|\band\b|\bor\b)\s?){{0,3}}[*_$]{{0,2}}$"
)
_FORMULA_BEFORE = re.compile(
    r"(?:[\d°+=/^<>|∧∨⊃→·×≈~\\_&]\s?|\s\*\s|[A-Za-z0-9]-|[A-Z]\.|\\[,;: ]|[A-Za-z]\([^()\n]{0,30})$"
)
_FORMULA_AFTER = re.compile(
    r"\s?(?:[+=/^<>|∧∨⊃→·×≠≤≥≈~&]|\*\s)|[(_\d]|'(?!s\b)|-[\w]|\s?\\(?!\)|\])|\s-\s?\d"
)
_SPECIES = re.compile(
    r"\.\s?(?:coli|elegans|melanogaster|subtilis|difficile|thaliana|pylori|influenzae|albicans"
    r"|anthracis|lamblia|botulinum|perfringens|tetani|sapiens|aegypti|histolytica|cereus|burgdorferi"
    r"|gondii|diphtheriae|trachomatis|jejuni|neoformans|faecalis|rerio|habilis|erectus)\b"
)
_NAME_BEFORE = re.compile(
    r"\b(?!Option|Choice|Answer|Letter|The|But|And|Or|So|Not)[A-Z][a-z]{2,}\s$"
)
_NAME_AFTER = re.compile(r"\.\s[A-Z][a-z]")
_ROMAN = re.compile(r"(?:,|\s(?:and|or))\s*(?:I{2,3}|IV|V)\b")
_DOLLARS = re.compile(r"\$\s?$")

# "degrees Celsius (C)": an abbreviation that a text introduces; few questions go beyond J.
_ABBREVIATED = {
    "A": r"amp(?:ere)?s?|adenine|alanine",
    "B": r"boron|magnetic field",
    "C": r"celsius|centigrade|coulombs?|carbon|capacitance|cytosine|concentration",
    "D": r"deuterium|debyes?",
    "E": r"energy|electric field",
    "F": r"farads?|fluorine|force|fahrenheit|faraday",
    "G": r"guanine|gauss|gibbs free energy|gibbs energy",
    "H": r"hydrogen|enthalpy|henr(?:y|ies)|hamiltonian",
    "I": r"iodine|current|inertia|intensity",
    "J": r"joules?",
}


@lru_cache(maxsize=1024)
def letter_matcher(
    letter: str, *, nouns: tuple[str, ...] = (), named_in_question: bool = False
) -> Matcher:
    """A matcher for the letter of the right option.

    Args:
        letter: a capital letter.
        nouns: what the question calls its options, in the plural: "statements", "processes".
        named_in_question: the question calls something by this letter, so that the bare letter is
            masked only where its form says that it is an option.
    """
    forms = _forms(letter)
    bare = bare_letter(letter)
    own = "".join(rf"|(?i:\b(?:{noun}|{noun[:-1]}|{noun.removesuffix('es')}))\s" for noun in nouns)
    called = rf"{_NOUN}(?:\s(?:is|was|are|be|of)|是|为)?[\s:#=-]{{0,3}}{own}"
    named = re.compile(rf"(?:{called}){_LIST}|(?<!\w)\({_ITEM}(?:{_AND}{_ITEM}){{1,9}}\)")
    chosen = re.compile(rf"(?:{_PICK}\s|{_CUE}){_LIST}")

    def find(text: str) -> Iterator[Match]:
        for form, pattern in forms:
            for found in pattern.finditer(text):
                start, end = found.span("letter")
                if _holds(text, start, end, letter, form):
                    yield start, end, form
        for form, pattern in (("named", named), ("chosen", chosen)):
            for found in pattern.finditer(text):
                for one in bare.finditer(text, found.start(), found.end()):
                    if _is_option(text, *one.span(), letter, named=form == "named"):
                        yield *_with_brackets(text, *one.span()), form
        if not named_in_question:
            yield from _in_doubt(text, letter)

    return find


def _in_doubt(text: str, letter: str) -> Iterator[Match]:
    """Bare letters in sentences that judge, unless something says that they are no options."""
    for sentence in SENTENCE.finditer(text):
        if _JUDGING.search(sentence[0]) is None:
            continue
        for one in bare_letter(letter).finditer(text, *sentence.span()):
            start, end = one.span()
            if _is_option(text, start, end, letter) and not _is_other(text, start, end):
                yield *_with_brackets(text, start, end), "in doubt"


def is_judged(text: str, start: int, end: int) -> bool:
    """Whether a stretch stands in a sentence that judges, or says that it is an option itself."""
    if _JUDGING.search(text, start, end):
        return True
    first = max(text.rfind(mark, 0, start) for mark in ".!?\n") + 1
    sentence = SENTENCE.match(text, first)
    said = sentence[0] if sentence else ""
    return _JUDGING.search(said) is not None or re.search(r"\bright\b", said) is not None


@lru_cache(maxsize=64)
def bare_letter(letter: str) -> re.Pattern[str]:
    """The letter where it stands alone, whatever it stands for."""
    return re.compile(rf"(?<![A-Za-z0-9_\\]){letter}(?![A-Za-z0-9_])")


@lru_cache(maxsize=64)
def is_abbreviation(letter: str) -> re.Pattern[str]:
    """What stands before a letter in brackets that abbreviates it: a unit, an element."""
    return re.compile(rf"\b(?:{_ABBREVIATED.get(letter, '(?!)')})\s$", re.IGNORECASE)


def _forms(letter: str) -> list[tuple[str, re.Pattern[str]]]:
    """Forms that say by themselves that a letter names an option; group "letter" is masked."""
    small = letter.lower()
    local = "".join(each for each, other in LOCAL_LETTERS.items() if other == letter) or "\0"
    dots = "" if letter in "AI" else "?"  # "A [masked]": an article
    patterns = {
        "bracketed": rf"(?<![\w\]}}])(?P<letter>\(\s?[*_`\"']{{0,3}}{letter}[*_`\"']{{0,3}}\s?\))",
        "label": rf"^[ \t>*•#-]*(?:\d{{1,2}}[.)]\s)?[*_(\[]{{0,3}}(?P<letter>{letter}(?:\)|(?="
        rf"[.:\]]|[*_]{{1,3}}[.:)])))(?!\.\d)(?=.?[\s*_]|.?$)",
        "label in a line": rf"(?<=[\s,;:*])(?P<letter>{letter}\))(?=\s)",
        "beside a mask": rf"(?<![A-Za-z0-9_\\])(?P<letter>{letter})[.):,]{dots}\s?"
        rf"[\"'(*_`]{{0,3}}\[masked\]",
        "marked": rf"(?<![\w*_`\"'])(?:\*{{1,3}}|_{{1,3}}|`|\"|')(?P<letter>\(?{letter}\)?)"
        rf"[.,:]?(?:\*{{1,3}}|_{{1,3}}|`|\"|')(?![\w*])",
        "boxed": rf"\\f?box(?:ed)?\s?\{{\s?(?:\\[a-z]+\s?\{{?\s?){{0,2}}"
        rf"(?P<letter>\(?\s?{letter}\s?\)?)(?!\w)",
        "verdict": rf"(?<![A-Za-z0-9_\\])(?P<letter>{letter}){_CLOSE}\s{_VERDICT}",
        "asked": r"(?i:\b(?:is|are|was|could|can|may|might|must|should|would|why\snot)n?'?t?)\s"
        rf"(?P<letter>{letter})(?:\snot)?(?:\sbe)?{_JUDGED}",
        "small": rf"(?i:\b(?:option|choice)\s|\banswer\sis\s|\banswer:\s?)[\"'*]{{0,3}}"
        rf"(?P<letter>\({small}\)" + (rf"|{small}(?![\w'])" if letter not in "AI" else "") + ")",
        "small, chosen": rf"(?:{_CUE}|(?i:\bans\.\s|\b(?:switch(?:ed|ing)?|chang(?:e|ed|ing)"
        r"(?:\s(?:it|(?:your|the)\sanswer))?"
        r"|go(?:ing)?\swith|pick(?:ing)?|choos(?:e|ing))(?:\sto)?\s))[\"'*(]{0,3}"
        rf"(?P<letter>{small})[\"'*)]{{0,3}}(?=[.!?;]?\s*$|[.,!?;]\s|\s(?:instead|over|rather)\b)",
        "cell": rf"(?<=\|)\s{{0,3}}(?P<letter>{letter})(?=\s{{0,3}}\|)",
        "local": rf"(?<![\w\u0900-\u09ff])(?P<letter>\(?[{local}]\)?)(?![\w\u0900-\u09ff])",
        "ticked": rf"(?<![A-Za-z0-9_\\])(?P<letter>{letter})(?![A-Za-z0-9_])[^\w\n✗✘❌×]{{0,12}}"
        "[✓✔✅☑]",
        "tick": rf"[✓✔✅☑][^\w\n]{{0,8}}(?P<letter>{letter})(?![A-Za-z0-9_'])",
    }
    return [(form, re.compile(pattern, re.MULTILINE)) for form, pattern in patterns.items()]


def _holds(text: str, start: int, end: int, letter: str, form: str) -> bool:
    """Whether a form means an option in its place."""
    before = text[max(0, start - 30) : start]
    if form == "bracketed":
        return is_abbreviation(letter).search(before) is None
    if form == "label":
        return not (
            _SPECIES.match(text, end) or (letter == "I" and re.search(r"^II[.)]", text, re.M))
        )
    if form == "label in a line":
        return before.rfind("(") <= before.rfind(")")
    if form == "marked":
        return not (_KIND_BEFORE.search(before[:-1]) or re.match(r"\W{1,4}field\b", text[end:]))
    if form == "verdict":
        return not (_KIND_BEFORE.search(before) or _FORMULA_BEFORE.search(before))
    return True


def _is_option(text: str, start: int, end: int, letter: str, *, named: bool = False) -> bool:
    """Whether what stands around a bare letter lets it be an option's; named: it is called one."""
    if _FORMULA_AFTER.match(text, end) or _SPECIES.match(text, end):
        return False
    follows = _FOLLOWS_A_OR_I if letter in "AI" else _FOLLOWS
    if (letter in "AI" or not named) and not follows.match(text, end):
        return False
    before = text[max(0, start - 30) : start]
    if _NAME_BEFORE.search(before) and _NAME_AFTER.match(text, end):
        return False
    return not (_FORMULA_BEFORE.search(before) or (letter == "I" and _ROMAN.match(text, end)))


def _is_other(text: str, start: int, end: int) -> bool:
    """Whether what stands before a bare letter says what it is: "vitamin", "let", "$"."""
    before = text[max(0, start - 30) : start]
    return bool(_KIND_BEFORE.search(before) or _DOLLARS.search(before))


def _with_brackets(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch with the round brackets right around it, if there are any."""
    if text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        return start - 1, end + 1
    return start, end


_FOLLOWS = re.compile(rf"{_CLOSE}(?:{_ENDS}|'s\b|\s{_AFTER}\b)")
_FOLLOWS_A_OR_I = re.compile(rf"{_CLOSE}(?:{_ENDS}|\s{_AFTER_A_OR_I}\b)")
