"""The value that a last sentence gives: "The probability is 1/9.", "There are 5 such numbers."

A sentence gives a value where it says that something *is* it, or where it has one number alone.
Operands ("add 3 and 2"), numbers of steps, and what a reason only mentions ("because 25 + 25 = 50")
are no answers. A sentence that was cut off, asks, or denies gives none.
"""

from __future__ import annotations

import re

from feedback_friction.reading.labels import is_label
from feedback_friction.reading.mathematics.answer import Answer, Context, Kind, Statement
from feedback_friction.reading.mathematics.read import read
from feedback_friction.reading.mathematics.reals import IN_WORDS
from feedback_friction.reading.mathematics.units import with_unit
from feedback_friction.reading.number_words import (
    NUMBER_WORDS,
    ORDINALS,
    number_words,
    numeral_value,
)
from feedback_friction.reading.standing import DENIAL, NOT_BUT, is_given

_LONGEST = 600  # characters of a reply's end that are read
_LONGEST_VALUE = 240
_MOST_UNIT_WORDS = 3  # after a value that a reply may have been cut off behind

_FAREWELL = re.compile(
    r"(?i)(?:^|(?<=[.!?\n]))[\s*_]*(?:i hope (?:it|this|that)|let me know|please|feel free|if"
    r" you have|thank|is there anything|\$?\\(?:black)?square\b|\$?\\(?:qed|Box)\b"
    r"|this completes|hope this|note that (?:this|the answer)|(?:any|would you like)\b)[^\n]*$"
)
# So are last words on what is the answer no more: "Not 54.", "(My earlier answer was 54.)"
_BYGONE = re.compile(
    r"(?<=[.!\n*$])[^\w\n.!?]*(?:not(?=\s[$\d])|(?:previous|original|initial)ly|before,|earlier"
    r"|my (?:\w+ )?(?:previous|earlier|former|original|last|old)|i (?:previously|originally"
    r"|initially|earlier)|the (?:earlier|previous|former))\b(?=[^\n?]*\d)(?![^\n]*\b(?:right"
    r"|correct|stands?|keep|kept|sure|still|indeed|but|so|now|and)\b)[^\n?]*$",
    re.I,
)
# A paragraph at the end that checks, or notes something, and draws no conclusion from it.
_CHECKS = (
    r"(?:(?:sanity |quick )?check|verif(?:ication|ying)|note|remark|to (?:verify"
    r"|(?:double-)?check|confirm)"
    r"|(?:(?:we|you|i) can|let(?:'s| us| me)) (?:also |quickly )?(?:verify|check|confirm))\b"
)
_CHECK = re.compile(
    rf"(?is)\n[ \t]{{0,8}}(?:[-*_]{{3,}}\s{{1,4}})?[*_#>(\s-]{{0,8}}{_CHECKS}(?!.*\b(?:so|therefore"
    rf"|thus|hence|answers?"
    r"|instead|fail\w*|wrong|incorrect|mistake|error|but|however|actually|only)\b).{0,400}\Z"
)
_SENTENCE = re.compile(
    r"(?:(?<![Ff]ig)(?<!\b[Ee]q)(?<!\b[Ee]qn)(?<!\b[Tt]hm)(?<!\b[Ss]ec)[.!?][*_)\"']{0,3}"
    r"|:\*{0,2})\s+|\n+|。"
)
_REASON = re.compile(
    r"(?i)[,;]?\s(?:because|since|as (?:it|the|we|there)|given that|for (?:the|which)|unlike"
    r"|whereas|while|compared (?:to|with)|in contrast to)\s|,\s(?:after|before)\s[a-z]+ing\s"
    r"|,\swhere\s|,\swhich\s(?:agree|match|confirm|differ|contradict|is (?:consistent|different))"
    r"|,\s(?:so|and)\s(?:the|both)\s(?:left|right|sides)\b|(?<=[\d*]):\s(?=[^\d=]+$)"
    r"|(?<=[a-z]):\s(?=\d+\s(?:in|from|for|of)\s)|,?\s\(?(?:or )?(?:approximately|about|roughly"
    r"|≈)(?=\s?[\d$\\])(?=[^$]*(?:\$[^$]*\$[^$]*)*$)"
)
_ASIDE = re.compile(
    r"(?<=[\w$%*°])\s\((?![^()]*\b(?:mod|base|no|not|or|actually|wrong|before (?:the|any|adding)"
    r"|without|excluding)\b)(?=[^()=]*[A-Za-z])[^()=]{1,60}\)([.!]?\s*)$"
)
_TOTAL = re.compile(
    r"(?i)\W*(?:(?:a total of|exactly|only|just|in total,?|hence,?|thus,?|so,?|therefore,?)\s)?"
)
# "12 rather than 11": what it is not comes last.
_CONTRAST = re.compile(
    r",?\s\(?(?:rather than|instead of|as opposed to|(?:and )?not(?=[^,;:]*[\d\\$])(?!.*\bbut\b))\s"
    r"(?:[^,;:]{1,40}?|[^,;:$]{0,20}\$[^$]{1,40}\$)\)?([.!]?\s*)$",
    re.I,
)
_BELIEF = re.compile(
    r"(?i),\s(?:i (?:believe|think|guess|suppose)|if i['’]m not mistaken)[.!\s*]*$"
)
_SO = re.compile(r"(?i),\s(?:and\s)?(?:so|hence|thus|therefore)\s")
_CONCLUDES = re.compile(
    r"(?:^|[.!?:$)\]]\s{0,4}|\n\s*)[*_]{0,2}(?:Therefore|Thus|Hence|So|Finally|In conclusion"
    r"|Consequently|Accordingly|We conclude|It follows|In total|Altogether|In summary|Overall|As a"
    r" result|∴|Final [Aa]nswer)\b"
)
_NO_STATEMENT = re.compile(
    rf"(?i){DENIAL}|\b(?:can't|add|subtract|multiply|divide|should|let|step|suppose|assume|unless"
    r"|whether|approximately|about|roughly|nearly|almost|close to|at least|at most|between|if"
    r"|(?:less|more|greater|smaller|larger|fewer|higher|lower) than|exceeds?|doubt|first|next"
    r"|compute|consider|partial|previous|earlier|twice|(?:check|test|reject|retract|withdraw"
    r"|discard|try|tried|substitut|plug|overlook|forg[eo]t|miss|ignor|neglect|omit|mistake|error"
    r"|slip)\w*|take back)\b"
)
_SAID = re.compile(
    r"(?i)(?:\b(?:is|are|was|were|be|equals?|equal to|get|gets|gives?|obtain|have|has|found|find(?:"
    r" that)?|(?:I'd|I would|I) say|(?:stick|go)(?:ing)? with|yields?|becomes|(?:it|that|answer"
    r"|result|value|sum|product)['’]s|leaves(?: (?:us|me|you))?(?: with)?|left with|(?:a|the) total"
    r" of|total to|makes|totals?|by|comes to|amounts to|simplif(?:y|ies) to|reduces to)\b"
    r"|[:=])[*_\s`]{0,60}(?:(?:equal to|exactly|simply|only|just|then|therefore|thus|now|a total of"
    r"|given by|actually|really|indeed|in fact|precisely|the number)\s)?[*_`]{0,2}$"
)
_THERE_ARE = re.compile(
    r"(?i)\b(?:there (?:are|is|will be|were)|has|have|takes?|needs?|contains?)\s(?:(?:only"
    r"|exactly|a total of|just)\s)?[*_]{0,2}$"
)
_NUMBER = (
    r"[-−+]?[$€£]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+|\s\d{1,3}/\d{1,3}"
    r"|\s?[½¼¾⅓⅔⅛])?(?:\s?(?:%|°(?:\s?[CF]\b)?|π|√\d+))?(?![\w.]*\d)"
)
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_RANKS = "|".join(ORDINALS)
_NAME_BEFORE = re.compile(r"\b[A-Z][a-z]+\s$")
_RANKED = re.compile(
    r"(?:\s(?=[A-Za-z])|(?!\s[A-Za-z]))([A-Za-z]*)(?![A-Za-z]|\s(?:is|was)\s(?!(?:it|right"
    r"|correct|the (?:answer|one))\b))"
)
_ONE_OF_LIST = rf"(?:\$[^$\n]{{1,60}}\$|(?<![\w^_.(/\\]){_NUMBER})"
_VALUE = re.compile(
    rf"(?P<set>(?i:{IN_WORDS.pattern.removeprefix('(?i)')}))"
    rf"|(?P<list>{_ONE_OF_LIST}(?:,\s?{_ONE_OF_LIST}){{0,8}},?\s(?:and|or)\s{_ONE_OF_LIST})"
    rf"|\$\$?(?!\d[\d,.]*(?:\s(?![-+*/=^\\]\s?[^$\s])|$))(?P<dollar>[^$\n]{{1,240}}?)\$\$?"
    rf"|\\\((?P<paren>.{{1,240}}?)\\\)|\\\[(?P<bracket>.{{1,240}}?)\\\]"
    rf"|(?P<tuple>[(\[{{]\s?[-−\d.]+(?:\s?,\s?[-−\d./]+){{1,5}}\s?[)\]}}])"
    r"|(?<![\w^_.(/\\])(?P<raw>[-−]?\d{0,4}\\(?:[dt]?frac\{[^{}\n]{1,20}\}|sqrt)\{[^{}\n]{1,20}\})"
    rf"|(?<![\w^_.(/\\,])(?P<ordinal>\d{{1,9}})(?:st|nd|rd|th)(?![\w-])"
    rf"|(?<![\w^_.(/\\])(?<!\d:)(?P<number>{_NUMBER})(?![-−][A-Za-z0-9]|:\d)"
    r"|(?<![\w-])(?P<roman>[MDCLXVI]{2,15})(?![\w'-])"
    rf"|(?<![\w-])(?i:the\s)(?P<rank>{_RANKS})(?![\w-])"
    rf"|(?<![\w-])(?P<words>(?:(?i:half\sa)\s)?(?i:{_WORDS})"
    rf"(?:[- ](?i:(?:and\sa\s|(?:in|out\sof|and)\s)?(?:{_WORDS}))){{0,5}})(?![\w-])"
)
_TAIL = re.compile(r"(?:[\s*_]+(?![\d])[^\d\s=<>+*/$\\]{1,20}){0,14}[\s*_.!。)\"'`}\]\ue000]*$")
_CUT_TAIL = re.compile(
    r"(?i)\b(?:and|then|so|but|the|of|to|or|which|with|a|an|that|is|are|by|for|in|from|we|times"
    r"|plus|minus)\s*$"
)
_SOME_OF = re.compile(
    r"\s+of\s(?:the|these|those|them|your|my|our|its|his|her|their)\b"
    r"(?:\s\w+){0,4}?\s(?:is|are|was|were|has|have|had|can|must|do|does|did)\b"
)
_ONE_OF = re.compile(r"\s+of\s(?:these|those|several|many|the\s\w+s)\b")  # "It is one of those."
_OPERATOR = re.compile(
    r"\s*(?:[+/^×·÷]|\*(?!\*)|[-−](?=\s?[\d(])|\\(?:times|cdot|div)|=|\b(?:times(?=\s?[\d$\\(])"
    r"|plus|minus|divided)\b)"
)
# A formula in delimiters that says itself what something is: "so $x = 5$".
_STATES = re.compile(
    r"(?i)(?:^|[,:;]|\b(?:and|so|thus|hence|therefore|that|then|is|get|gives?|have|obtain|find"
    r"|implies))\s*$"
)
# What stands before an equals sign, outside of delimiters, back to the last word.
_LEFT = re.compile(r"(?:(?<![A-Za-z])[A-Za-z](?![A-Za-z])|[\d.+*/^()=·√π\s−-]){1,60}=\s*$")
# These values are of something else, unless the question asks for that.
_NOT_ASKED = (
    (re.compile(r"(?i)\b(?:left|right)(?:[- ]hand)? side\b.*$"), "side"),
    (re.compile(r"(?i)\b(?:start|end|begin)s? (?:in|with|by) (?:a )?$"), "digit"),
    (re.compile(r"(?i)\b(?:the|a|another|my|your) (?:student|pupil|classmate|friend|teacher|book"
                r"|key) (?:got|gets|sa[iy]\w*|answer\w*|wrote|claim\w*|found|gave|gives|has"
                r"|had)\b.*$"), ""),
)  # fmt: skip
_COUNTS_OTHERS = re.compile(
    r"(?i)\s(?:[a-z]+\s)?(\w{2,9}er(?=\sthan)|digit|zero|decimal|place|more|fewer|less)(?:e?s)?\b"
)
_DAY = re.compile(
    r"(?i)\b(?:\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?)?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
    r"|dec)[a-z]*\.?,?\s(?:\d{1,2}(?:st|nd|rd|th)?,?\s)?(?:of\s)?(?=\d{4}\b)"
)
_IN_TEN = re.compile(r"(?i)\s\(?in\s(?:base\s(?:10|ten)|decimal(?:\snotation)?)\b\)?(?=[\s.,!]|$)")
_CLAUSES = re.compile(r"(?i);\s|,\s(?:and|but|while|whereas)\s|\sand\s(?=the\s)")
_WORD = re.compile(r"(?!(?:The|It|In|So)\b)[A-Z][a-z]{2,}|\b[a-z]{4,}")
_SPEAKS_OF_ALL = re.compile(
    r"(?i)\b(?:so|therefore|thus|hence|its?|this|that|fact|total|answer|result|sum|we|i)\b"
)
_BEFORE_OPERATOR = re.compile(
    r"(?:[+/^×·÷−]|(?<!\*)\*|\s-|\\(?:times|cdot|div)|\b(?:times|plus|minus|by))\s*$"
)


def conclusion(text: str, context: Context) -> Statement | None:
    """The value that a concluding last sentence gives."""
    body, offset = _body(text)
    cut = body.rfind("\n\n")
    while cut > 0 and body[:cut].rstrip(" *_").endswith(":"):
        cut = body.rfind("\n\n", 0, cut)
    found = _last_sentence(body, context) if _CONCLUDES.search(body[cut + 1 :]) else None
    return found and found.moved(offset, "conclusion")


def closing(text: str, context: Context) -> Statement | None:
    """The value that the last sentence of a text gives, or None."""
    body, offset = _body(text)
    found = _last_sentence(body, context)
    return found and found.moved(offset)


def _body(text: str) -> tuple[str, int]:
    """The end of a text without words of farewell, and where it begins."""
    text = text.rstrip()
    for words in (_FAREWELL, _BYGONE):
        last = words.search(text, max(0, len(text) - 200))
        text = text[: last.start()].rstrip() if last and last.start() > 0 else text
    offset = max(0, len(text) - _LONGEST)
    check = _CHECK.search(text, offset + 1)
    return text[offset : check.start() if check else None].rstrip(), offset


def _last_sentence(body: str, context: Context) -> Statement | None:
    start = 0
    for end in _SENTENCE.finditer(body):
        if end.end() < len(body) and body[end.end() :].strip(" *_.}\"'"):
            start = start if end[0].startswith(":") else end.end()
    sentence = body[start:]
    if sentence.rstrip(" *_\"').").endswith("?"):
        return None
    sentence = _on_what_is_asked(sentence, context)
    reason = _REASON.search(sentence)
    cut = reason.start() if reason else 0
    clause = sentence[:cut] if cut > 10 or _VALUE.search(sentence, 0, cut) else sentence
    clause = _ASIDE.sub(r"\1", _CONTRAST.sub(r"\1", _BELIEF.sub(".", clause)))
    found = _given(clause, context)
    turn = 0
    if found is None:
        turn = max((each.end() for each in _SO.finditer(clause)), default=0)
        found = _given(clause[turn:], context) if turn else None
    return found and found.moved(start + turn)


def _on_what_is_asked(sentence: str, context: Context) -> str:
    """Of two clauses with a value each, the first where it alone speaks of what is asked.

    "Violins have four strings; guitars have six."
    """
    joint = _CLAUSES.search(sentence)
    if joint is None or not context.asked:
        return sentence
    first, last = sentence[: joint.start()], sentence[joint.end() :]
    if not (_VALUE.search(first) and _VALUE.search(last) and is_given(first, "")):
        return sentence
    if _SPEAKS_OF_ALL.search(last):
        return sentence
    asked = context.asked.lower()
    one, other = (
        {stem for word in _WORD.findall(part) if (stem := word.lower().rstrip("s")) in asked}
        for part in (first, last)
    )
    return f"{first}." if one - other and not other - one else sentence


def _given(clause: str, context: Context) -> Statement | None:
    """The value that a clause says something is; else its only number."""
    clause = _IN_TEN.sub(_blank, NOT_BUT.sub(_blank, clause))
    if "year" in context.asked.lower():
        clause = _DAY.sub(_blank, clause)
    values = [
        value
        for value in _VALUE.finditer(clause)
        if not is_label(clause, value.start(), value.end(), context.asked)
        and not _counts_some(clause, value, context)
        and _is_rank(clause, value, context)
        and _is_asked(clause, value, context)
    ]
    for value in reversed(values):
        before, after = clause[: value.start()], clause[value.end() :]
        states = _STATES.search(before) if _is_set_off(value) and "=" in value[0] else None
        said = states or _SAID.search(before) or _THERE_ARE.search(before)
        if not said or not _is_end(after):
            continue
        if _BEFORE_OPERATOR.search(before) or not is_given(before, after):
            return None
        if value.lastgroup == "list":
            return _listed(value, before, context)
        left = _LEFT.search(before)
        whole = read(f"{left[0]}{value[0]}", context) if left else None
        return None if whole and whole.kind is Kind.EQUATION else _readable(value, context)
    free = [
        each
        for each in values
        if _is_set_off(each)
        or not (
            _OPERATOR.match(clause, each.end()) or _BEFORE_OPERATOR.search(clause[: each.start()])
        )
    ]
    alone = len(free) == len(values) == 1 and not _NO_STATEMENT.search(clause)
    if not alone or free[0].lastgroup == "list" or not _is_end(clause[free[0].end() :]):
        return None
    value = free[0]
    if not is_given(clause[: value.start()], clause[value.end() :]):
        return None
    ended = clause.rstrip(" *_\"')").endswith((".", "!")) or _TOTAL.fullmatch(
        clause, 0, value.start()
    )
    return (
        _readable(value, context) if ended or value.lastgroup not in ("number", "words") else None
    )


def _counts_some(clause: str, value: re.Match[str], context: Context) -> bool:
    """Whether a number only tells some of several apart: "one of the cases", "World War Two"."""
    if value.lastgroup == "roman" and not (context.whole and numeral_value(value[0])):
        return True
    if value.lastgroup not in ("words", "roman"):
        return False
    named = value[0][0].isupper() and _NAME_BEFORE.search(clause, 0, value.start())
    one = value[0].lower() == "one"
    no_one = one and clause[: value.start()].lower().endswith("no ")
    some = _ONE_OF.match(clause, value.end()) if one else None
    return bool(named) or no_one or bool(some or _SOME_OF.match(clause, value.end()))


def _is_rank(clause: str, value: re.Match[str], context: Context) -> bool:
    """Whether an ordinal ranks what the question asks for, if it is one: "the 12th floor"."""
    if value.lastgroup not in ("ordinal", "rank"):
        return True
    noun = _RANKED.match(clause, value.end())
    name = noun[1].lower() if noun else "-"
    return context.whole and (not name or (len(name) > 2 and name in context.asked.lower()))


def _listed(value: re.Match[str], before: str, context: Context) -> Statement | None:
    """Several values that are said to be what is asked for: "The roots are 1 and 2."."""
    if re.search(r"(?i)\bare\W*$", before) is None:
        return None
    text = re.sub(r",?\s(?:and|or)\s", ", ", value["list"]).replace("$", "")
    answer = read(text, context)
    return Statement(text, "sentence", value.start()) if _is_understood(answer) else None


def _is_end(after: str) -> bool:
    """Whether a sentence ends after a value: with its unit, or, closed, with some words more."""
    if not _TAIL.fullmatch(after) or _CUT_TAIL.search(after):
        return False
    closed = after.rstrip(" *_\"')}\ue000").endswith((".", "!"))
    return closed or ("," not in after and len(after.split()) <= _MOST_UNIT_WORDS)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _is_asked(clause: str, value: re.Match[str], context: Context) -> bool:
    """Whether a value may be of what is asked for: no count of digits, no difference, nor"
    " another's answer."""
    before, asked = clause[: value.start()], context.asked.lower()
    counted = _COUNTS_OTHERS.match(clause, value.end())
    if counted and counted[1].lower() not in asked and "digit" not in asked:
        return False
    return not any(
        found and (noun or found[0].split()[1]) not in asked
        for found, noun in ((words.search(before), noun) for words, noun in _NOT_ASKED)
    )


def _is_set_off(value: re.Match[str]) -> bool:
    return value.lastgroup in ("dollar", "paren", "bracket")


def _readable(value: re.Match[str], context: Context) -> Statement | None:
    text = value[value.lastgroup or 0].strip()
    if text[0] == "{" and value.lastgroup == "tuple":
        text = f"\\{text[:-1]}\\}}"
    if value.lastgroup in ("number", "words") and context.unit:
        end = value.end(value.lastgroup)
        number = number_words(text) if value.lastgroup == "words" else None
        unit = value.string[end : with_unit(value.string, end)]
        text = f"{text if number is None else number}{unit}"
    answer = read(text, context)
    if answer.is_empty or len(text) > _LONGEST_VALUE or not _is_understood(answer):
        return None
    return Statement(text, "sentence", value.start(value.lastgroup or 0))


def _is_understood(answer: Answer) -> bool:
    if answer.kind in (Kind.TEXT, Kind.RAW):
        return answer.kind is Kind.RAW and "\\" in answer.source
    return all(_is_understood(part) for part in answer.parts)
