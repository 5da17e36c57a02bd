"""Words that lead to the statement of an option: what follows "answer is", what is "the answer".

Everything here works on readable text (``options.readable``), given as it is and in small letters
of the same length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from feedback_friction.grading.choice_forms import by_value, whole_value
from feedback_friction.reading.option_texts import LONGEST, Options
from feedback_friction.reading.reply import ANSWER
from feedback_friction.reading.standing import DENIED_AFTER, NOT_IT, is_asserted

_FAR = 160  # characters around a cue that a rule may look at


@dataclass(frozen=True, slots=True)
class Said:
    """A statement: a letter, or "" for several or one taken back; its rule; where it ends."""

    letter: str
    rule: str
    end: int = 0


BE = (
    r"(?:is|are|was|be|being|remains|becomes|(?:would|will|should|must|has\sto|have\sto|could|might"
    r"|may|can\sonly|seems\sto|appears\sto|turns\sout\sto|ought\sto|to)\sbe)"
)
ADVERB = (
    r"(?:(?:most\s)?(?:likely|probably|clearly|therefore|thus|hence|indeed|definitely|certainly"
    r"|actually|simply|then|still|now|in\sfact|obviously|again|rather|instead)\s+)"
)
_GOOD_WORDS = [
    *("correct", "right", "best", "closest", "nearest", "final", "proper", "appropriate"),
    *("accurate", "likely", "probable", "plausible", "suitable", "fitting", "reasonable", "valid"),
]
_GOOD = rf"(?:{'|'.join(_GOOD_WORDS)})"
_NOUN = (
    r"(?:answer|option|choice|alternative|selection|pick|letter|statement|response|match|fit|one)"
)
_IS = rf"{BE}\b(?:\s+{ADVERB}{{1,2}}(?=\S))?\s*:?"
_NOT_BUT = r"(?:\s*\bnot\s[^.\n]{1,60}?\bbut\b(?:\srather|\sinstead)?)?"


@dataclass(frozen=True, slots=True)
class _Cue:
    """What must follow a word for it to lead to a statement."""

    rule: str  # the rule's name
    lead: re.Pattern[str]  # what stands between the word and the statement, in small letters
    # the statement may be a bare letter or an option's text whatever the lead says; else only where
    # it names an option by a noun ("the best choice is C")
    open: bool = True


_ANSWER = _Cue(
    "answer is",
    re.compile(
        r"s?(?!\w)(?:(?:\s+(?!(?:not|if|is|isn't|are|cannot|can't|never|neither|won't|couldn't"
        r"|wouldn't|shouldn't)\b)[a-z0-9'#]+){0,6}?(?:,\s(?:after|upon|then)\s[^.,;\n]{1,40},)?"
        rf"\s*\"?(?:\s{_IS}|'s\s){_NOT_BUT}"
        r"|\s?\([a-z]{4,8}\)\s?:?|\s?\"?\s?[:=>\n-]|\?\s)"
    ),
)
_ADJECTIVE = _Cue(
    "answer is", re.compile(rf"\s+(?:[a-z'-]+\s+){{0,4}}?(?:{_IS}{_NOT_BUT}|{_NOUN}\s?:)"), False
)
_PICKED = _Cue("picked", re.compile(r"(?:ing|ed)?\b(?:\s+(?:with|for|on))?"))
_CUES = (
    {"boxed": _Cue("boxed", re.compile(r"\s*(?=\{)")), "answer": _ANSWER}
    | dict.fromkeys([*_GOOD_WORDS, "my", "our", "selected", "chosen"], _ADJECTIVE)
    | {"letter": _Cue("answer is", re.compile(r"\sis(?:\s?:)?"))}
    | dict.fromkeys(
        [
            *("choose", "choosing", "chose", "pick", "select", "opt for", "settle on"),
            *("go with", "going with", "went with", "stick with", "sticking with"),
            *("go for", "going for", "went for"),
        ],
        _PICKED,
    )
    | dict.fromkeys(
        ["答案", "正确选项", "最佳选项", "故选", "应选", "因此选", "所以选", "我选"],
        _Cue("answer is", re.compile(r"择?(?:应该|应当|应)?(?:是|为|选)?")),
    )
    | {
        ANSWER: _Cue(
            "answer is",
            re.compile(
                r"\s{0,80}(?:(?:quindi|dunque|entonces|portanto|donc|also|jadi)\s)?(?:(?:la|le|el|die|das|der|il|lo|[oa](?!\s(?:o|e|ou)\s)|option|opción|opção"
                r"|opzione|alternativa|réponse|respuesta|resposta|risposta|antwort|lettre|letra|lettera|buchstabe|pilihan|opsi|huruf|herufi"
                rf"|chaguo)\s){{0,2}}(?:\(?[a-z]\)?{NOT_IT}[,\s]{{0,3}})?"
            ),
        )
    }
)
# Alternatives that each begin with a letter of their own are searched for fast.
_WORD = re.compile("|".join(map(re.escape, _CUES)))
_SOMEBODY = re.compile(
    r"(?:(?<!\bhad\s)\b(?:i|we)|'d|'ll|'m|\blet's|\blet\sus|\b(?:should|must|will|would|therefore|thus|so|hence))"
    r"\s+(?:(?!not\b|never|had|can|don't|didn't|won't|initially|originally|previously"
    r"|first)[a-z]+\s+)?$"
)
_NOT_CUE = re.compile(
    r"(?:\b(?:if|whether|suppos\w+|assum\w+|unless|than|least|less|wrong|incorrect|previous|earlier"
    r"|initial|first|original|prior|former|last|another|other|next|second|tempting|common|not|your)"
    rf"|n't|(?:student|else|friend)'s)\s+(?:(?:the|that|an?|my|our)\s+){{0,2}}(?:{_GOOD}\s+)?$"
)
# Before a cue of another language.
_NOT_FOREIGN = re.compile(
    r"(?:之前|先前|以前|此前|上次|上一次|原来|原先|前面|刚才|最初|初始|错误)(?:给出|回答|选择)?的?\s?$"
    r"|\b(?:si|se|wenn|falls|jika|kama)\s$|(?:如果|假如|もし|만약|إذا|यदि|अगर|যদি)[^、,，。.]{0,20}$"
)
_EARLIER = re.compile(
    r"\b(?:previous|earlier|initial|prior|original|first|former|wrong|incorrect|least"
    r"|(?:claim|assertion|statement|suggestion|belief|view|guess) that)\b"
)
_MODAL = re.compile(r"\b(?:would|could|might|may)\b")
CONDITION = re.compile(r"\W{0,3}(?:only\s)?(?:if|had|were)\b")
_HAS_NOUN = re.compile(rf"\b{_NOUN}s?\b")


def stated_within(text: str, small: str, start: int, end: int, options: Options) -> Said | None:
    """The last statement whose cue begins before ``end`` and not before ``start``."""
    words = list(_WORD.finditer(small, start, end + 10))
    for word in reversed(words):
        at = word.start()
        if at >= end or (at and small[at - 1].isalnum() and small[at].isascii()):
            continue
        said = _after(text, small, word, options) or _before(text, small, word, options)
        if said is not None:
            return said
    return None


def _after(text: str, small: str, word: re.Match[str], options: Options) -> Said | None:
    """What the words after a cue state."""
    cue = _CUES[word[0]]
    lead = cue.lead.match(small, word.end())
    if lead is None:
        return None
    free = cue.open or _HAS_NOUN.search(lead[0]) is not None
    token = _TOKEN.match(text, lead.end())
    said = _letter(text, token, options, cue.rule, bare=free) if token else None
    if said is None and free:
        find = _boxed_text if cue.rule == "boxed" else _text
        said = find(text, lead.end(), options, cue.rule)
    if said is None or (token and _MODAL.search(lead[0]) and CONDITION.match(text, token.end())):
        return None
    if not _leads(small, word, lead, cue):
        return None
    modal = _MODAL.search(lead[0]) is not None
    stands = is_asserted(text, word.start(), said.end or lead.end(), supposed=not modal)
    return said if stands or said.rule == "taken back" else None


def _leads(small: str, word: re.Match[str], lead: re.Match[str], cue: _Cue) -> bool:
    """Whether a cue leads to a statement: no condition, no earlier answer, no one else's."""
    before = max(0, word.start() - 40)
    if _EARLIER.search(lead[0]) or _NOT_CUE.search(small, before, word.start()):
        return False
    if not word[0].isascii() and _NOT_FOREIGN.search(small, before, word.start()):
        return False
    return cue is not _PICKED or _SOMEBODY.search(small, before, word.start()) is not None


# --- the option named after a cue ---------------------------------------------------------------

_TOKEN = re.compile(
    r"[\s\"':=>.…~{}-]{0,12}"
    r"((?i:(?:the\s|an?\s)?(?:option|choice|letter|answer|alternative|number)s?[\s:#]{0,3}|选项))?"
    r"([\s\"'(\[{]{0,6})([A-Za-z])(?![A-Za-z0-9_])(\s?[)\]}])?"
)
# What may follow a letter that stands without brackets: an article or an initial is none.
_BARE_END = re.compile(
    r"[)\]}\"\s]*(?:$|\n|[.,;:!?|/&<](?!\d)|-?>|(?<=\s)(?:-\s(?![A-Z]\b)|[^\w\s+*/^=<>|\\-])"
    r"|\s?[\u0600-\u06ff\u0900-\u09ff\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af])|'(?![a-z])"
    r"|\s+(?:because|since|as|which|with|and|or|but|if|is|was|due|based|given|by|when|while"
    r"|although|though|even|from|for|instead|rather|not|over|where|so|assuming|after|in|on|at|to"
    r"|would|should|seems|represents|states|says|describes|corresponds|matches)\b"
)
# A small letter counts only where its sentence ends, and no "a" that a reply was cut off after.
_SMALL_END = re.compile(r"(?<!\sa)[)\]}\"']*(?:\.?\s*$|\.\s|\n)")
_MORE = re.compile(
    r"[)\]}\"\s]*(?:(?:,|/|&|\band\b|\bor\b|\bas\swell\sas\b|\bplus\b|\b(?:o|y|e|ou|et|oder|und"
    r"|atau|dan|au)\b|和|或|与|及|または|か|と|또는|অথবা|বা|या|أو)[\s/{}]*){1,3}"
    r"(?:(?:also|either|both|possibly|even|maybe|option|choice|answer)\s+){0,2}"
    r"([\"'(\[{]{0,4})([A-Z])(?![A-Za-z0-9_'])(\s?[)\]}])?"
)
_MORE_LATER = re.compile(r"\b(?:or|and)\s+(?:option\s|choice\s)?\(([A-Z])\)")
_APART = re.compile(
    r"\b(?:not|because|since|rather|than|unlike|instead|neither|nor|over|which|as|while|whereas"
    r"|where|but|eliminat\w+|rul\w+|both|between|that|when|so)\b"
)
_DENIED = re.compile(
    r"\s+(?:is|are|was)(?:n't|\s+(?:not|incorrect|invalid|wrong|false))\b"
    rf"|[)\]\"'\s]{{0,3}}{DENIED_AFTER}|[)\]\"'\s]{{1,3}}before[;,.]"
)
_TAKEN_BACK = re.compile(
    r"\b(?:this|that|it|which|these)\s+(?:is|was|are)(?:\s+(?:incorrect|wrong|invalid)|(?:n't"
    r"|\s+not)"
    r"\s+(?:(?:the|an?|one|in|really)\s+){0,2}(?:correct|right|answers?|best|options?|among|exact"
    r"|listed|of\sthe|possible|valid|given|provided|available))\b"
)
_NONE_OF_THEM = re.compile(r"\W{0,9}none\sof\s(?:the|these|them|those)\b", re.IGNORECASE)
_REASON = re.compile(r"\b(?:because|since|as|rather|unlike|whereas|while|not)\b")
_NEXT_ITEM = re.compile(r"[^\n]{0,400}\n\s{0,9}(?:[-•]\s*)?[\"'(\[]?[A-Z][)\].:]")
_BOX = re.compile(r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,99}\}){0,99}\}){0,400}\}")
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)|\n")


def _letter(
    text: str, token: re.Match[str], options: Options, rule: str, *, bare: bool
) -> Said | None:
    """The statement of a letter; without brackets it counts only where ``bare`` says so."""
    noun, _, char, closed = token.groups()
    letter, end = char.upper(), token.end()
    if letter not in options.letters or _opens_list(text, token):
        return None
    if char != letter and (options.parts or char == "i" or not _SMALL_END.match(text, end)):
        return None
    if options.lettered:
        whole, _ = options.at(text, token.start(2))
        if whole:
            return Said(whole, f"{rule} (text)")
    if not closed and not (noun or bare):
        return None
    if not closed and not _BARE_END.match(text, end):
        own, _ = options.at(text, end)
        if own != letter:
            return None
    return _judged(text, end, letter, options, rule)


_OTHERS_WRONG = re.compile(
    r"[,;]\s?(?:and\s|while\s|but\s|as\s)?\(?[A-Z]\)?(?:(?:,\s?(?:and\s)?|\sand\s"
    r"|\sor\s)\(?[A-Z]\)?){0,9}\s(?:is|are)\s(?:all\s|both\s)?(?:incorrect|wrong|false|not\b)"
    rf"|[,;、،]\s?\(?[A-Z]\)?\s?{DENIED_AFTER}"
)


def _opens_list(text: str, token: re.Match[str]) -> bool:
    """Whether a letter in a line of its own is the first of several: a list is restated."""
    if "\n" not in text[token.start() - 1 : token.start(3)]:
        return False
    return _NEXT_ITEM.match(text, token.end()) is not None


def _judged(text: str, end: int, letter: str, options: Options, rule: str) -> Said | None:
    """The statement of ``letter``, after a look at what its sentence goes on to say."""
    rest = text[end : end + _FAR]
    stop = _SENTENCE_END.search(rest)
    if _DENIED.match(rest) or (stop and stop[0] == "?"):
        return None
    sentence = rest[: stop.start()] if stop else rest
    own, _ = options.at(text, end)
    others_wrong = _OTHERS_WRONG.match(rest)
    if others_wrong is not None and letter not in others_wrong[0]:
        return Said(letter, rule, end)
    if own != letter and _names_more(rest, sentence, letter, options.letters):
        return Said("", "several options")
    if _is_taken_back(sentence):
        return Said("", "taken back", end)
    return Said(letter, rule, end)


def _names_more(rest: str, sentence: str, letter: str, letters: str) -> bool:
    """Whether the sentence goes on to name another option beside ``letter``."""
    more = _MORE.match(rest)
    if (
        more is not None
        and more[2] != letter
        and more[2] in letters
        and (more[3] or _BARE_END.match(rest, more.end()))
    ):
        return True
    later = _MORE_LATER.search(sentence)
    return (
        later is not None
        and later[1] != letter
        and later[1] in letters
        and _APART.search(sentence, 0, later.start()) is None
    )


def _is_taken_back(sentence: str) -> bool:
    """Whether the rest of a sentence says that what it stated is wrong after all."""
    back = _TAKEN_BACK.search(sentence)
    return back is not None and _REASON.search(sentence, 0, back.start()) is None


def _text(text: str, at: int, options: Options, rule: str) -> Said | None:
    """The statement of an option by its text, right after a cue."""
    letter, left = options.at(text, at)
    if not letter and (named := by_value(text, at, options)):
        return Said(named, f"{rule} (value)", at)
    if not letter:
        return Said("", "none of them") if _NONE_OF_THEM.match(text, at) else None
    rest = text[at : at + 2 * LONGEST].partition("\n")[0]
    sentence = _SENTENCE_END.split(rest, maxsplit=1)[0] if left else ""
    if _is_taken_back(sentence):
        return Said("", "taken back", at)
    return Said(letter, f"{rule} (text)", at)


def _boxed_text(text: str, at: int, options: Options, rule: str) -> Said | None:
    """The option whose text a box holds; its content ends where its braces do."""
    box = _BOX.match(text, at)
    letter = options.whole(box[0][1:-1]) if box else ""
    if box and not letter:
        letter = whole_value(box[0][1:-1], options)
    return Said(letter, f"{rule} (text)") if letter else None


# --- "(C) is the correct answer" ----------------------------------------------------------------

_THE = re.compile(rf"\b(?:the|our|my)\s+(?:(?:most|only|single)\s+)?(?:{_GOOD}\s+)?$")
_THAT_IS = re.compile(rf"s?\b(?!\s*(?:{BE}\b|:))(?:\s+{_NOUN}\b(?!\s*(?:{BE}\b|:)))?")
_SELF = frozenset(["answer", "closest", "best", "nearest"])  # stand without a noun
_VERB_BEFORE = re.compile(rf"\s+(?:(?:also\s+)?{BE}|as)\s+{ADVERB}{{0,2}}$")
_MADE = re.compile(r"\b(?:mak(?:es|ing)|made|consider|believe|deem|with)\s[^.\n]{0,20}$")
_ENDS_IN_LETTER = re.compile(
    r"(?:(?i:option|choice|answer|letter)\s+)?[\"'(\[]*(?<![A-Za-z0-9_])([A-Z])[\"')\].:,]*\s*$"
)
_LABEL = re.compile(r"(?<![A-Za-z0-9_])([A-Z])[\"')\].:]+\s")
_ONE_OF_SEVERAL = re.compile(
    r"(?<![A-Za-z0-9_])[A-Z][\"')\]]*(?:\s*[,/&]|\s+(?:and|or|nor|to)\b)[\s,]*(?:(?:and|or)\s+)?"
    r"(?:(?:option|choice)\s+)?[\"'(\[]*$"
)
_PROVIDED = re.compile(r"\b(?:if|had|unless)\b")
_OF_BEFORE = re.compile(r"s?\s(?:of|in|from)\smy\s(?:previous|earlier|first|last|initial)\b")
_POSSIBLE_ANSWERS = re.compile(r"\s+(?:answers|options|choices)\b")
UNSURE = re.compile(
    r"(?:\b(?:not|cannot|never|neither|nor|if|whether|than|unless)|n't)\b[^.,;:\n]{0,30}$"
)


def _before(text: str, small: str, word: re.Match[str], options: Options) -> Said | None:
    """What is called the answer, right before: "(C) is the correct answer"."""
    at = word.start()
    near = small[max(0, at - 40) : at]
    the = _THE.search(near) if "the" in near or "our" in near or "my" in near else None
    is_answer = the is not None and _is_answer(small, word)
    if not is_answer and not _POSSIBLE_ANSWERS.match(small, word.end()):
        return None
    end = at - len(near) + the.start() if the else at
    subject = re.split(r"[.!?]\s|\n\s*\n", text[max(0, end - _FAR) : end])[-1]
    verb = _VERB_BEFORE.search(subject)
    if verb is None and not _MADE.search(subject):
        return None
    subject = subject[: verb.start()] if verb else subject
    letter, begins = _subject(subject, options)
    if not letter or UNSURE.search(subject, 0, begins):
        return None
    if _ONE_OF_SEVERAL.search(subject, 0, begins):
        return Said("", "several options")
    stop = _SENTENCE_END.search(small, at, at + _FAR)
    asked = stop is not None and stop[0] == "?"
    mine = (the is not None and "my" in the[0]) or _OF_BEFORE.match(small, word.end())
    past = mine and verb is not None and verb[0].split()[0] == "was"
    if (
        not is_answer
        or asked
        or past
        or _PROVIDED.search(small, at, stop.start() if stop else at + _FAR)
    ):
        return None
    return Said(letter, "is the answer")


def _is_answer(small: str, word: re.Match[str]) -> bool:
    """Whether a word, with the noun after it, names what is asked for: "closest", "best choice"."""
    if word[0] not in _SELF and _CUES[word[0]] is not _ADJECTIVE:
        return False
    that = _THAT_IS.match(small, word.end())
    return that is not None and (word[0] in _SELF or len(that[0]) > 1)


def _subject(subject: str, options: Options) -> tuple[str, int]:
    """The option that a subject ends in, by letter or text, and where it begins."""
    named = _ENDS_IN_LETTER.search(subject)
    if named is not None:
        return (named[1] if named[1] in options.letters else ""), named.start()
    for label in _LABEL.finditer(subject):
        if options.is_text(subject[label.end() :], label[1]):
            return label[1], label.start()
    letter = options.ending(subject)
    own = len(options.choices[options.letters.index(letter)]) if letter else 0
    return letter, max(0, len(subject.rstrip(" \"'")) - own)
