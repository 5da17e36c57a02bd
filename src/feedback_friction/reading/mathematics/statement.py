"""Where a reply states its answer: the last statement that stands, wherever it is.

Statements are, with the names of their rules:

- ``boxed``: ``\\boxed``, ``\\fbox`` or ``\\framebox``; boxes joined by "and", "or" or commas are
  one;
- ``answer is``: "The final answer is $x = 5$", "**Answer:** 42", a heading "Answer" above a line,
  and every form that ``reading.reply.signed`` knows;
- ``revised``: after one of these was taken back, what the last sentence gives instead;
- ``conclusion``: a last sentence with "Therefore", "So", ... that gives one value;
- ``last display``: a reply that ends in displayed mathematics;
- ``bare``: a reply that is nothing but an answer;
- ``sentence``: a short reply whose last sentence gives one value (``last_sentence``).

Of boxes and "answer is" the later one that stands (``reading.standing``) counts; the others only
where there is neither. A box that a cut reply left open states nothing, nor do numbers in the midst
of work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from feedback_friction.reading.mathematics.answer import (
    NO_CONTEXT,
    Answer,
    Context,
    Kind,
    Statement,
)
from feedback_friction.reading.mathematics.formula import FUNCTIONS
from feedback_friction.reading.mathematics.last_sentence import closing, conclusion
from feedback_friction.reading.mathematics.read import read
from feedback_friction.reading.mathematics.reals import IN_WORDS
from feedback_friction.reading.number_words import NUMBER_WORDS, number_words, numeral_value
from feedback_friction.reading.reply import ANSWER, closing_brace, final_part, signed
from feedback_friction.reading.standing import is_asserted, is_withdrawn, rechecks, retractions

MAX_BOX = 30_000
_MAX_TRIES = 100
_MAX_LINE = 300
_MAX_WORDS = 6
_MAX_JOINED = 20
_SHORT = 500  # characters of a reply that may be a sentence or two
_DELIMITERS = 8  # characters that formulas are set off with, and a full stop
_KEPT = re.compile(
    r"(?i)\b(?:(?:is|was|are|seems) (?:indeed |actually |in fact )?(?:correct|right|consistent"
    r"|fine)|confirm\w*|verif\w+|checks out|as before|holds|stands)\b"
)
_PROSE = re.compile(
    r"(?i:\b(?:is|are|was|were|be|would|because|since|so|thus|hence|therefore|fails?|works?"
    r"|leads?)\b)|^I\s[a-z]{2}"
)  # a sentence, not a bare answer
_IT_IS = re.compile(
    r"(?i)\s*(?:(?:so|thus|hence|therefore),?\s)?(?:it|this|that|(?:the|his"
    r"|her)\s(?:[\w']+\s){1,5}?)\s?(?:is|was|falls on|must be|will"
    r" be)\s(?:on\s)?(?:an?\s)?(?!not\b)(?P<said>[A-Za-z]+(?:\s[A-Za-z]+){0,3})[.!\s]*"
)
# After "Wait, that's not right": another value, not "because 5^2 = 25 counts pairs twice".
_INSTEAD = re.compile(
    rf"\s?(?:[,.:;!…—–-]|[$\\(]{{0,2}}[-+]?\.?\d|(?:{'|'.join(NUMBER_WORDS)})\b)", re.I
)
_THE_WHOLE = re.compile(r"\b[Tt]he (\w+) (?:is|comes to|equals)[\s$*]*\Z")
_HEDGED = re.compile(r"(?i)\b(?:not|obtained|found by|given by|computed|between)\b|\?")

_BOX = re.compile(r"\\(?:boxed|fbox|framebox)(?![A-Za-z])\s*(?:\[[^\]\n]{0,20}\]){0,2}")
_LOOSE_BOX = re.compile(r"[^\s{}$\\.,;]+|\\[A-Za-z]+(?:\{[^{}]{0,40}\}){0,2}")
_DELIMITER = re.compile(r"\$|\\[)\]]|\n")
_EMPTY = re.compile(
    r"(?:\\[hv]?phantom\s*\{[^{}]*\}|\\(?:quad|qquad|square|checkmark|blacksquare|Box|l?dots"
    r"|text\s*\{\s*\}|[ ,;:!])|[\s{}~.?_])*|(?:\\text\s*\{)?\s*(?i:q\.?\s?e\.?\s?d\.?|(?:your "
    r"|final |the )*answer)(?: here)?\s*\}?"
)
_JOINT = re.compile(
    r"(?:[\s,$.]|\\[()\[\],; ]|\\(?:quad|qquad)|\\text\s*\{[\s,]*(?:and|or)\s*\}"
    r"|\b(?:and|or)\b|[A-Za-z](?:_\w)?\s*=)*"
)
_SAYS_JOINT = re.compile(r",|\b(?:and|or)\b")

_PHRASE = re.compile(
    r"(?i)\banswers?\b[*_]{0,3}\s?(?:to (?:the|this|our) (?:[a-z]+ )?(?:problem|question)[*_]{0,3} "
    r"|here |therefore |then ){0,2}(?:(?:is|are|equals|would be|should be|must be|will"
    r" be)\b[*_]{0,3}\s?(?:therefore|thus|then|indeed|simply|also|now)?[,:]?|[:=]|(?=\s?(?:\$"
    r"|\\\()))"
)
_SIGN = re.compile(ANSWER)
_NOT_BUT = re.compile(r"\s?not\s[^.\n]{1,40}?,?\sbut\s(?:rather\s|instead\s)?")
_HEADING = re.compile(r"(?im)^[#*_> \t]{0,8}(?:the |my )?(?:final )?answers?[*_:. \t]{0,8}$")
_DISOWNED = re.compile(
    r"(?i)\b(?:wrong|incorrect|previous|earlier|initial|original|old|common|mistaken|student'?s?"
    r"|not|if|whether|your|given|first|possible|any|every|no|long(?:er)?)"
    r"(?:[ *_]+(?:the|my|a|final|wrong|incorrect|given|numerical|stated))?[ *_]*$"
)
_OPENERS = {"$$": "$$", "$": "$", "\\(": "\\)", "\\[": "\\]"}
_OPENER = re.compile(r"\$\$|\$(?!\d[\d,.]*(?:[\s)]|$))|\\\(|\\\[")
_SENTENCE_END = re.compile(
    r"\n|[.!?](?=\s|\*|$)|[;!?。।؛؟]|，(?=[而并]?[不非])|(?:입니다|です|이다|\sहै)|,?\s(?:(?:because|since|which"
    r"|where|as|so|for|I hope|rather than|instead of|and not|not)\b|\()|,\s*(?=[\"']\w)"
    r"|,\s+(?=I(?:['’]m|\s[a-z]))|(?<!thousand)(?<!million)(?<!billion),\s+(?!(?:and|or)\b)(?=[a-z]{2})"
)
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"\s*[,}]")
_JSON_NEXT = re.compile(r",\s*(?=[\"']\w)")
_LEADING = re.compile(r"[\s*_:>`]*")
_BETWEEN_SPANS = re.compile(r"\s*(?:,\s*(?:and|or)?|and|or)\s*(?=\$|\\\()")
_DISPLAY_END = re.compile(r"(\$\$|\\\]|\\end\{(?:align|equation|gather)\*?\})[\s.]*$")
_ALIGNED = re.compile(r"\\(?:begin|end)\{(?:aligned|split|gathered)\}")
_MATHS = re.compile(r"[\d\\√π∞¼-¾⅐-⅞]|^\(?[A-Za-z](?:_\w+)?(?:\s*=|\)?$)")
_WORD = re.compile(r"[A-Za-z]+")


def last_statement(reply: str, context: Context = NO_CONTEXT) -> Statement | None:
    """The last statement of an answer, or None.

    Args:
        reply: what the model wrote; its length does not matter much (linear time).
        context: what gold tells about answers: where it is in words, words are looked for too.
    """
    text = signed(final_part(reply))
    box, phrase = _last_box(text), _last_phrase(text, context)
    found = [statement for statement in (box, phrase) if statement is not None]
    if found:
        last = max(found, key=lambda statement: statement.start)
        return _revised(text, last, context) or last
    concluded = None if context.words else conclusion(text, context)
    return concluded or _last_display(text) or _bare(text, context) or _only_sentence(text, context)


def _revised(text: str, last: Statement, context: Context) -> Statement | None:
    """What the reply gives in the place of a statement that it took back."""
    back = retractions(text, last.end)
    if not back and (again := rechecks(text, last.end)):
        found = closing(text[again[-1] :], context)
        noun = found and _THE_WHOLE.search(text, 0, again[-1] + found.start)
        whole = found if noun and noun[1] in context.asked else None
        return whole and whole.moved(again[-1], "revised")
    if not back or context.words or _KEPT.search(text, back[0]):
        return None
    if found := closing(text[back[0] :], context):
        return found.moved(back[0], "revised")
    return _given_instead(text, back[1:], context)


def _given_instead(text: str, back: Sequence[int], context: Context) -> Statement | None:
    """The value that the last sentence gives after the last words that take something back."""
    for at in islice(reversed(back), _MAX_TRIES):
        found = closing(text[at:], context) if _INSTEAD.match(text, at) else None
        if found is not None:
            return found.moved(at, "revised")
    return None


def _only_sentence(text: str, context: Context) -> Statement | None:
    """The value that a short reply gives in its last sentence."""
    if len(text) > _SHORT:
        return None
    if context.words:
        said = _IT_IS.fullmatch(text)
        return None if said is None else Statement(said["said"], "sentence", said.start("said"))
    # "I get 9. Wait, that's not right: 10."
    found = closing(text, context) or _given_instead(text, retractions(text), context)
    if found is None and not any(map(str.isdigit, text.strip().partition("\n\n")[2])):
        found = _bare(text.strip().partition("\n\n")[0], context)
        return found and found.moved(0, "first line")
    return found


def _last_box(reply: str) -> Statement | None:
    starts = [match.span() for match in _BOX.finditer(reply)][-_MAX_TRIES:]
    later: Statement | None = None
    joined: list[str] = []
    last_end = 0
    for start, inner in reversed(starts):
        found = _box_content(reply, inner)
        if found is None:
            continue
        content, end = found
        if later is None and not is_asserted(reply, start, end, supposed=True):
            continue
        if later is None:
            later, joined, last_end = Statement(content, "boxed", start), [content], end
        elif len(joined) < _MAX_JOINED and end <= later.start and _joins(reply[end : later.start]):
            later = Statement(content, "boxed", start)
            joined.insert(0, content)
        else:
            break
    if later is None:
        return None
    return Statement(", ".join(joined), "boxed", later.start, last_end)


def _joins(between: str) -> bool:
    if len(between) > 60 or _SAYS_JOINT.search(between) is None:
        return False
    return _JOINT.fullmatch(between) is not None


def _box_content(reply: str, start: int) -> tuple[str, int] | None:
    """What stands in the box whose brace opens at ``start``, and where the box ends."""
    if reply[start : start + 1] != "{":
        loose = _LOOSE_BOX.match(reply, start)
        return None if loose is None else (loose[0], loose.end())
    end = closing_brace(reply, start, MAX_BOX)
    after = end + 1
    if end < 0:  # a forgotten brace: the formula ends where its delimiter says so
        delimiter = _DELIMITER.search(reply, start, start + _MAX_LINE)
        if delimiter is None or delimiter[0] == "\n":
            return None
        end = after = delimiter.start()
    content = reply[start + 1 : end]
    return None if _is_empty(content) else (content, after)


def _is_empty(content: str) -> bool:
    return len(content) < 100 and _EMPTY.fullmatch(content) is not None


def _last_phrase(reply: str, context: Context) -> Statement | None:
    if ANSWER not in reply and "answer" not in reply.lower():
        return None  # quicker than the patterns, which most replies with a box do not need
    cues = (_PHRASE, _HEADING, _SIGN) if ANSWER in reply else (_PHRASE, _HEADING)
    ends = sorted({match.end(): match.start() for p in cues for match in p.finditer(reply)}.items())
    for end, start in islice(reversed(ends), _MAX_TRIES):
        line = reply.rfind("\n", max(0, start - 120), start) + 1 or max(0, start - 120)
        if _DISOWNED.search(reply[line:start]) or not is_asserted(reply, start, end):
            continue
        corrected = _NOT_BUT.match(reply, end)
        end = corrected.end() if corrected else end
        text = _stated(reply[end : end + _MAX_LINE], context)
        if text is not None and not is_withdrawn(reply, reply.find(text, end) + len(text)):
            return Statement(text, "answer is", start, end + len(text))
    return None


def _stated(rest: str, context: Context) -> str | None:
    """The answer that a text begins with: formulas in delimiters, or plain words and numbers."""
    begin = _LEADING.match(rest)
    rest = rest[begin.end() :] if begin else rest
    if value := _QUOTED.match(rest):
        rest = value[1]
    spans = list(_leading_spans(rest))
    if spans:
        content = ", ".join(spans)
        return None if "\\boxed" in content or _is_empty(content) else content
    if rest.startswith(("\\boxed", "\\fbox", "\\framebox")):
        return None
    end = _SENTENCE_END.search(rest)
    if end is None and len(rest) >= _MAX_LINE - 20:
        return None
    sentence = (rest[: end.start()] if end else rest).strip(" *_`:,\"'")
    for opening, closing_one in ("{}", "()", "[]"):  # of JSON, of "(Answer: 5)"
        if sentence.endswith(closing_one) and opening not in sentence:
            sentence = sentence.rstrip(f"{closing_one} \"'")
    if _is_answer(sentence, context):
        return sentence
    given = (
        None if context.words else closing(_JSON_NEXT.split(rest.partition("\n")[0])[0], context)
    )
    return None if given is None or _HEDGED.search(rest) else given.text


def _leading_spans(rest: str) -> Iterator[str]:
    """Contents of the delimited formulas at the start, as long as "and", "or", "," joins them."""
    at = 0
    while (opener := _OPENER.match(rest, at)) is not None:
        closer = _OPENERS[opener[0]]
        end = _unescaped(rest, closer, opener.end())
        if end < 0:
            return
        percent = "%" if rest[end + len(closer) :].startswith(("%", "\\%")) else ""
        yield rest[opener.end() : end].strip() + percent
        joint = _BETWEEN_SPANS.match(rest, end + len(closer))
        if joint is None:
            return
        at = joint.end()


def _unescaped(text: str, sign: str, start: int) -> int:
    """Offset of a sign that no backslash precedes, -1 if there is none."""
    end = text.find(sign, start)
    while sign[0] == "$" and end > 0 and text[end - 1] == "\\":
        end = text.find(sign, end + 1)
    return end


def _is_answer(text: str, context: Context, whole: bool = False) -> bool:
    """Whether undelimited text can be an answer: it must look like mathematics, or gold's words.

    ``whole`` asks that all of it is understood.
    """
    if not text:
        return False
    words = _WORD.findall(text)
    if context.whole and numeral_value(text):
        return True
    if context.words:
        return len(words) <= _MAX_WORDS and not text.lower().startswith(
            ("not ", "obtained", "that")
        )
    if IN_WORDS.fullmatch(text.strip(" .")):
        return True
    if _MATHS.search(text) is None and not {word.lower() for word in words} & NUMBER_WORDS:
        return False
    if number_words(text) is not None or (whole and text.lower() == "half"):
        return True
    if whole and words and text.startswith(words[0]) and not _begins_formula(words[0]):
        return False
    # A number that more words follow is stated, though not understood: "3 more than 7".
    return _is_formula(read(text, context)) or (not whole and text[0] in "0123456789-−+(\\√π")


def _begins_formula(word: str) -> bool:
    low = word.lower()
    return len(word) == 1 or low in NUMBER_WORDS | FUNCTIONS | {"sqrt", "pi", "negative", "minus"}


def _is_formula(answer: Answer) -> bool:
    if answer.kind in (Kind.TEXT, Kind.RAW):
        return False
    return all(_is_formula(part) for part in answer.parts)


def _last_display(reply: str) -> Statement | None:
    tail = reply.rstrip()[-4 * _MAX_LINE :]
    end = _DISPLAY_END.search(tail)
    if end is None:
        return None
    opener = {"$$": "$$", "\\]": "\\["}.get(end[1], "\\begin{")
    start = tail.rfind(opener, 0, end.start())
    if start < 0:
        return None
    content = tail[start + len(opener) : end.start()]
    if opener == "\\begin{":
        content = content.partition("}")[2]
    row = content
    if "matrix" not in content and "array" not in content:
        content = _ALIGNED.sub("", content)
        row = content.rstrip("\\ \n").rpartition("\\\\")[2].replace("&", "").strip()
    return None if _is_empty(row) else Statement(row, "last display", len(reply))


def _bare(reply: str, context: Context) -> Statement | None:
    text = reply.strip()
    if len(text) > _MAX_LINE or "\n" in text:
        return None
    spans = list(_leading_spans(text))
    if len(spans) == 1 and len(text) - len(spans[0]) <= _DELIMITERS:
        return Statement(spans[0], "bare", 0)
    text = text.lstrip("*_`>=→⇒ ").rstrip("*_` ").rstrip(".* ")
    if _PROSE.search(text):
        return None
    text = "1/2" if text.lower() == "half" else text
    return (
        Statement(text, "bare", 0) if len(text) < 80 and _is_answer(text, context, True) else None
    )
