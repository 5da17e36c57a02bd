"""Whether what a text states still stands at its end.

Replies after feedback are full of answers that nobody gives any more: retracted ("Upon reflection,
this is wrong"), supposed ("if the star were light, the answer would be (A)"), quoted ("my claim
'the answer is (A)' was a slip"), given at first ("I thought that the answer was A"), asked. Order
in the text decides before the kind of statement does: what is said last, and not taken back,
stands.

Each look goes a bounded way around the statement.
"""

from __future__ import annotations

import re

_FAR = 240  # characters before and after a statement that are looked at

_SENTENCE_START = re.compile(r"[.!?;]['\")*\]]{0,3}\s+|\n")
_SENTENCE_END = re.compile(r"[.!?]['\")*\]]{0,3}(?=\s|$)|\n")

# Before a statement, in its sentence: it is not what the writer says now.
_NOT_NOW = re.compile(
    r"\b(?:at first(?: (?:glance|sight))?|on (?:first|the surface)|initially|originally|previously"
    r"|earlier|formerly|mistakenly|wrongly|erroneously|incorrectly|before(?: that)?,|i (?:had |have"
    r" )?(?:first |initially |once |just |originally |previously |earlier |already |wrongly "
    r"|mistakenly |incorrectly )*(?:thought|believed|assumed|guessed|claimed|said|stated|wrote"
    r"|answered|concluded|gave|chose|was tempted)|(?:my|the|our|your) (?:\w+ )?(?:claim|assertion"
    r"|statement|suggestion)|my (?:first|initial|previous|earlier|original|last|prior|old|wrong"
    r"|incorrect|mistaken)|you(?:'ve| have| had)? (?:said|claimed|answered|wrote|stated|suggested"
    r"|concluded|say|claim|chose|picked)|(?:one|some|people|many|students?|you|nobody"
    r"|no one|who) (?:might|may|could|would)(?:(?=\s$)|(?: \w+)? (?:think|say|believe|guess"
    r"|conclude|answer|argue|suggest|expect|suspect|object))|(?:(?:every|some|no)(?:one|body)"
    r"|no one|people|they|some|many|most|others|students?)(?: \w+){0,2} (?:said|thought|(?:say"
    r"|think|believe|claim|guess|answer|assume|conclude)(?:e?s|e?d)?)"
    r"|(?:is|was|been) (?:said|claimed|believed|thought|assumed) (?:that|to)"
    r"|tempt(?:ing|ed)|misconceptions?|myth|(?<!\bno )(?<!little )doubt(?:ful)?"
    r" (?:that|it|the|this|whether)|(?:unlikely|improbable|false|untrue|impossible|incorrect|wrong"
    r"|not (?:clear|certain|sure|true|likely|obvious|convinced|saying|claiming|the case))"
    r" (?:that|whether)|(?:not|\w+n['’]t|cannot) (?:\w+ )?(?:confirm|agree|believe|think|say|claim"
    r"|accept)|refuse to|(?:student|else|friend|book)['’]s(?=\s(?:\w+\s)?$)"
    r"|(?:told|tells?) (?:me|us)|contrary to|no longer|retract|withdraw|take back"
    r"|(?:problem|question) (?:states|says|tells)|we (?:are|were) (?:given"
    r"|told))\b",
    re.I,
)
_SEEMING = re.compile(
    r"\b(?:(?:first|once|earlier|before),? (?:i|we) |(?:instead of|rather than)\b"
    r"|(?:it|this) (?:may|might|would|could|first)? ?(?:seems?|seemed|looks?|looked|appears?"
    r"|appeared)(?: at first| initially| as (?:if|though)| that)\b)",
    re.I,
)
# After a value, where Japanese, Korean, Bengali and Hindi deny: "not this but", "not this".
_NO_BENGALI = r"\u09a8[\u09af\u09df]\u09bc?"  # in either way to write its second letter
NOT_IT = (
    r"(?:(?:では|じゃ)なく(?:て)?|(?:은|는|이|가)?\s?아니라"
    rf"|\s?(?:{_NO_BENGALI}|नहीं)(?:,?\s(?:বরং|बल्कि)|(?=,)))"
)
DENIED_AFTER = (
    r"(?=\s?[^\x00-\x7f])"  # quickly no, in English
    r"(?:(?:は|が)?(?:では|じゃ)(?:あり|な[いく])|(?:は|が)(?:間違|誤|不正解|違)"
    rf"|(?:은|는|이|가)?\s?(?:아니|아닙|아님|틀)|{_NO_BENGALI}|না(?!\w)|নহে|ভুল|नहीं|गलत|ग़लत"
    r"|(?:项|選項|选项)?(?:是|并|都)?(?:错|不(?:对|正确|是)|有误))"
)
_SUPPOSED = re.compile(
    r"\b(?:if(?! (?:i|we) (?:had|have|must|were|was) to)|suppose|supposing|assume|assuming"
    r"|were (?:it|the|this|we)|had (?:it|the|this|we|i\b)"
    r"|unless|whether|provided|imagine|in case|otherwise)\b",
    re.I,
)
# "if x = 2, then y = 5, so ..." supposes no more
_SO = re.compile(r"(?<!if )\b(?:so|therefore|thus|hence|which means|but)\b", re.I)
_TURN = re.compile(
    r"\b(?:but|yet|however|though|although|now(?! see that my)|instead|rather|actually|so|therefore"
    r"|thus|hence|then)\b|[:;—]|, (?:it|this|the (?:answer|correct|right|true|final)) ",
    re.I,
)
_QUOTE = re.compile(r"[\"“”«»]")
_OWN_QUOTE = re.compile(
    r"\b(?:claim|said|wrote|stated|answer(?:ed)?|state(?:ment)?|earlier|previous|was|slip"
    r"|mistake)\b",
    re.I,
)

# Before a value: says no, in the languages that cues are known in.
DENIAL = (
    r"(?:\b(?:not|never|cannot|nicht|kein\w*|não|nao|non|bukan|pas|no\s(?:es|son|era|vale|pued\w+)"
    r"|jibu\ssi|не|(?:isn|aren|wasn|weren|can|couldn|won|wouldn|don|doesn|didn|shouldn)t)\b|n['’]t\b"
    r"|ليس|不是|不(?:等于|为)|并非|\ue000\s*si\b)"
)

NOT_BUT = re.compile(
    r"(?i)(?:\bnot|n['’]t)\s[^.,;\n]{1,30}?,?\sbut\s(?:rather\s|instead\s)?|\b(?:nicht|no\ses"
    r"|non\sè|não\sé|pas|bukan)\s[^.;\n]{1,30}?,?\s(?:sondern|sino|ma|mas|mais|tetapi)\s|\b(?:chang"
    r"|revis|updat|correct|switch)\w*\s[^.;\n]{0,25}?from\s[^.;\n]{1,20}?\sto\s"
    r"|[\d.,/]{1,20}\sshould\s(?:have\sbeen|be|read)\s"
    rf"|[\d.,]{{1,30}}{NOT_IT}[、,\s]*|不是[^。\n]{{1,30}}?[，,]?而是"
)
# Right before a value, it says another thing than that something is the value.
_DENIED = re.compile(
    rf"(?i)(?:{DENIAL}(?!\sonly)|\b(?:case|(?<!no )(?<!little )doubt|reject|refuse|neither|disagree"
    rf"|anything but|nobody|no one|no way|scratch|strike|delete|cross out|too (?:quick|hasty) to"
    rf"|mistaken in|exclude|rul(?:e|es|ed|ing) out|no \w{{1,12}} such that"
    r"|(?:[wc]ould|might) have (?:been|got\w*|had|found|given|obtained)|(?:overlook|forg[eo]t"
    r"|miss|ignor|neglect|omit)\w*)\b)(?:(?!\bbut\b|:\s[a-z])[^,;]){0,30}$|(?:[<>≤≥≠≈]=?"
    r"|\\(?:[lg]eq?|n(?:e|eq)|[lg]t|approx)(?![a-z])|\b(?:before|after|prior to|up to|within|beyond"
    r"|below|above|under|over|near|around|about|roughly|approximately|nearly|almost|close to|at"
    r" (?:least|most)|twice|half of|double|(?:later|earlier|more|less|fewer|greater|smaller|larger"
    r"|bigger|higher|lower|other) than|(?:weniger|mehr|größer|kleiner|höher) als|(?:menos|más|mais)"
    r" (?:de|que|do que)|(?:mayor|menor|maior)(?: do)? que|(?:moins|plus)(?: grand| petit)? (?:de"
    r"|que)|(?:meno|più|maggiore|minore) d[ie]|(?:kurang|lebih)(?: \w+)? dari|start(?:s|ed|ing)?"
    r" from|divisible by|differ(?:s|ent)? from|except(?: for)?|apart from|(?:multiple|factor"
    r"|divisor|power)s? of)\s)[\s$(]*$|\b(?:wrong|incorrect|false|previous|earlier|initial|original"
    r"|old|former|not the)[\s_](?:answer|result|guess|attempt)s?"
    r"(?:\s(?:is|was|would be))?[\s:*_\"']*$"
)
_POSED = re.compile(
    r"(?i)\b(?:(?:false|untrue|wrong|incorrect|impossible) (?:that|to|for)"
    r"|(?:suppos|assum)\w+|let(?:'?s| us| me)?|if(?! (?:we|you|one|i)\b)|whether|unless"
    r"|(?:try|tried|test|check|plug|substitut|verif|reject|discard)\w*(?! that\b))\b"
    r"(?![^,;:]*\b(?:then|so|gives?|get|gets|have|yields?|shows?|confirms?|find|finds)\b)[^,;:]*$"
)
_YOURS = re.compile(
    r"(?i)\b(?:your (?:\w+ ){0,2}(?:answer|result|value|solution)\b[^,;:]*$"
    r"|(?:student['’]?s|(?:some|any)(?:one|body)(?: else)?['’]s) (?:\w+ ){0,2}"
    r"(?:answer|result|value|solution)\b[^,;:]*:?[\s*_]*$)"
    r"|^\W*(?:earlier|initially|previously|incorrect|wrong|what (?:i|you) \w+(?: \w+)?):\W*$"
)
# After a value: it is none.
_REFUTED = re.compile(
    r"(?i)^,?\s?\(?(?:still |but )?(?:before (?:the|any|adding|carr)|without (?:the|any|adding)"
    r"|excluding|not (?:yet|counting|including))"
    rf"|^\s?(?:{DENIED_AFTER}|[^,;:.]*{DENIAL}|(?:more|less|fewer|greater|smaller|larger) than\b"
    r"|(?:below|above|short of|squared|cubed|off|leads nowhere|(?:is|was)"
    r" (?:my|an?|just a) (?:old|previous|earlier|first|initial|original) answer|(?:is|was) (?:\S+"
    r" ){1,3}(?:guess|attempt))\b)|\btoo (?:high|low|big|small|large|many|few|much)\b"
    r"|\b(?:extraneous|an? (?:trap|common error)|reject\w*|incorrect|wrong|false"
    r"|impossible|invalid|mistaken|discarded|fails?"
    r"|falsch|faux|fausse|incorrect[ao]|incorreto|errad[ao]|sbagliat[ao]|equivocad[ao]|salah|makosa"
    r"|excluded|contradict\w*|absurd|ruled out|inconsistent|unlikely|no (?:real )?solution|(?:does"
    r" not|doesn['’]t|cannot|can['’]t) (?:work|satisfy|fit|hold|solve|be|check)|to (?:check"
    r"|consider|try|test|examine)|what (?:i|you) (?:had|got|said|gave|wrote))\b"
)

# After a statement: it is taken back.
_BACK = (
    r"(?:(?:this|that|it|which|my (?:\w+ )?(?:answer|claim|result|work)|the (?:above|previous)(?:"
    r" \w+)?|(?:the|my) (?:\w+ )?(?:answer|result))(?:'s| is| was| seems| must be| can['’]?t be|"
    r" cannot be| would be)(?: (?:actually|clearly|also|indeed|simply|just|not quite|in fact"
    r"|obviously|plainly|all))* (?:wrong|incorrect|mistaken|false|(?:not |(?<=n['’o]t be ))(?:right"
    r"|correct|true)|impossible|an? (?:error|mistake|slip)|based on an?|off|right\?|correct\?"
    r"|inconsistent|contradict\w+)|(?:is|was|are) (?:wrong|incorrect|mistaken|an? (?:slip|mistake"
    r"|error))|(?:i|we) (?:made|see|found|notice|spot)(?: now)?(?: that)?(?: i made)? (?:a|an|my"
    r"|the) (?:\w+ )?(?:slip|mistake|error)|(?:i|we) (?:was|were) (?:wrong|mistaken)|scratch that"
    r"|strike that|correction\b|let me (?:correct|revise|fix|redo)|(?:i|we) (?:must|should|need to"
    r"|have to|will|'ll)? ?(?:(?:retract|withdraw|take back)(?:\b(?: \w+){0,4}"
    r" ?[$(\\]{0,3}-?\d[\d.,/]*)?|correct|revise|change)\b|i take (?:that|this|it) back|on"
    r" (?:second thoughts?|(?:closer|further|deeper) (?:look|inspection|reflection)|reflection)"
    r"|upon (?:\w+ )?(?:reflection|review|inspection)|no[,:;.!—-]+ ?(?:wait|it|that|the|this"
    r"|actually|so)?|oops|(?:but |oh,? |no,? |hmm,? )?wait\b|hold on|sorry\b|revised\b|corrected\b"
    r"|updated\b|my mistake|apologies|make that|edit:|i mean\b|rather,|or rather\b|not"
    r" quite(?=\s?[,:.;!—-])|actually,|→|⇒|->)"
)
_WRONG = re.compile(
    rf"[}}$)\\*\"']{{0,5}}\s?{DENIED_AFTER}|"
    r"[}$)\\*\"'.]{0,5},?\s(?:(?:that|which) (?:i|you) (?:\w+ ){1,3})?(?:which )?"
    r"(?:would (?:be|have been) [\w ]{0,30}\b(?:if|had|unless|were)\b|(?:is|was) (?:wrong"
    r"|incorrect|not (?:right|correct"
    r"|the (?:right |correct )?answer))|(?:is|was) what (?:i|you) (?:said|wrote|gave|had))\b"
    # in the next sentence
    r"|[)\]}*\"'.]{0,5}\s+(?:(?:up)?on (?:\w+ )?(?:reflection|review),? |(?:but|no|wait|sorry),? )?"
    r"(?:this|that|it) (?:is|was) (?:wrong|incorrect|not (?:right|correct))\b"
    r"(?! (?:to|for|only|in|if)\b)",
    re.I,
)
_ONLY_IF = re.compile(r"\bwould (?:be|have been) [^.;\n]{1,60}?\b(?:if|unless|had|were)\b", re.I)
# After a statement, the last words of all: "... no wait, that is wrong."
_WITHDRAWN = re.compile(
    r"[^\n]{0,80}\b(?:no|wait|but|actually|hmm|oh|sorry)\b[^.\n]{0,20}\b(?:that|this|it)"
    r"(?:'s| is| was) (?:wrong|incorrect|mistaken|not (?:right|correct))[.!\s]*",
    re.I,
)
# "The answer is 5. Let me recheck: ...; the sum is 6." (without a word of error between them)
_RECHECKS = re.compile(
    r"(?i)[.!?;\n]\W*(?:let(?:'s| me| us) |i(?:'ll| will) |to )?"
    r"(?:re-?(?:check|do|calculat|comput|add)|double-? ?check)(?:ing|ed?)?\b"
)
# Of small letters: where case is ignored, each word is tried in every way, at thrice the time.
_RETRACTS = re.compile(rf"(?:^|[\s(*_\"'—-]){_BACK}")


def sentence_start(text: str, at: int) -> int:
    """Where the sentence that holds an offset begins, at most ``_FAR`` characters back."""
    begin = max(0, at - _FAR)
    for found in _SENTENCE_START.finditer(text, begin, at):
        begin = found.end()
    return begin


def is_asserted(text: str, start: int, end: int, *, supposed: bool = False) -> bool:
    """Whether a statement is made, in its sentence, here and now.

    Args:
        text: all of it.
        start, end: offsets of the statement, its cue included.
        supposed: let a condition pass: "if x = 2, we get \\boxed{5}".
    """
    before = text[sentence_start(text, start) : start]
    condition = None if supposed else _SUPPOSED.search(before)
    if condition and not _SO.search(before, condition.end()):
        return False
    if _is_open(_NOT_NOW, before) or _is_open(_SEEMING, before):
        return False
    if len(_QUOTE.findall(before)) % 2 and _OWN_QUOTE.search(_QUOTE.split(before)[-2]):
        return False
    if is_withdrawn(text, end) or re.search(r"\bnot\s[\s$(\\]*$", before):
        return False
    stop = _SENTENCE_END.search(text, end, end + _FAR)
    if stop is not None and stop[0][0] == "?":
        return False
    return supposed or _ONLY_IF.search(text, start, stop.start() if stop else end + _FAR) is None


def is_withdrawn(text: str, end: int) -> bool:
    """Whether a statement that ends at an offset is called wrong there, or by the last words."""
    return bool(_WRONG.match(text, end) or _WITHDRAWN.fullmatch(text, end))


def is_past(before: str) -> bool:
    """Whether what follows in its sentence is what was said once: "I previously answered"."""
    return _is_open(_NOT_NOW, before)


def is_given(before: str, after: str) -> bool:
    """Whether a value between two parts of its sentence is given for true, here and now."""
    if _is_open(_NOT_NOW, before):
        return False
    taken = any(pattern.search(before) for pattern in (_DENIED, _POSED, _YOURS))
    return not taken and _REFUTED.search(after) is None


def _is_open(words: re.Pattern[str], before: str) -> bool:
    """Whether such words stand there, and none that turn to something else after them."""
    found = words.search(before)
    return found is not None and _TURN.search(before, found.end()) is None


def retractions(text: str, start: int = 0) -> list[int]:
    """Where a text takes back what was stated before; the ends of those words, in order."""
    return [found.end() for found in _RETRACTS.finditer(_small(text), start)]


def retraction(text: str, start: int) -> int | None:
    """Where a text first takes back what was stated before ``start``; the end of those words."""
    return next((found.end() for found in _RETRACTS.finditer(_small(text), start)), None)


def rechecks(text: str, start: int = 0) -> list[int]:
    """Where a text says that it works something out once more; the ends of those words."""
    return [found.end() for found in _RECHECKS.finditer(text, start)]


def _small(text: str) -> str:
    """The text in small letters, each in its place; of a few capitals two are made."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(each.lower()[0] for each in text)
