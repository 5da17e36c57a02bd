"""A last sentence that says the answer in so many words: "I'd go with 5.", "So, C it is."

These words say the same whatever is asked, so that every grader knows them. What they give is a
number, a formula, an option's letter or a name in capitals; other words have readers of their own.
"""

from __future__ import annotations

import re

_LAST = 300  # characters of a reply that its last sentence is looked for in
_CLOSING = frozenset(".!*_)]}$`\"'”")

_MARK = r"[*_\"'`(\[]{0,3}"
_VALUE = (
    rf"{_MARK}(?:\$[^$\n]{{1,80}}\$|\\\((?:[^\\\n]|\\(?!\))){{1,80}}\\\)"
    r"|\\[dt]?frac\{[^{}\n]{1,20}\}\{[^{}\n]{1,20}\}"
    r"|[-−]?(?:0[xX])?(?=[\dA-Z])[\dA-F][\dA-F,_']{0,60}(?:\.\d{1,30})?(?:/\d{1,9})?%?"
    rf"|(?i:option\s){_MARK}[A-J]|[GHJ]|(?<=[(*])I(?=[)*]))(?![A-Za-z0-9]){_MARK}[)\]]?"
)
_PROPER = r"[A-ZÀ-Þ0-9][\w'’.&-]{0,30}"
_PARTICLE = r"of|the|and|d[aei]|del|van|von|der|den|la|les?|el|al|for|in|on|to|a"
_NAME = (
    r"(?!(?:I|It|This|That|He|She|They|We|You|There|My|Yes|No|The answer)\b)[*_\"'“`(]{0,3}"
    rf"{_PROPER}(?: (?:{_PROPER}|{_PARTICLE})){{0,7}}[\"'”*_`)]{{0,3}}"
)
_ANY = r"[^.;:?\n]{1,60}?"
_OPENING = (
    r"(?:(?:∴|result|so|therefore|thus|hence|then|finally|yes|no|indeed|still|again|ok(?:ay)?|well"
    r"|wait|oops|hmm|ah|right|of course|sorry|actually|definitely|certainly|clearly|probably"
    r"|most likely|good catch|my mistake|got it|understood|i see|thanks?|thank you"
    r"|in (?:short|summary|conclusion|that case)|to summari[sz]e|conclusion"
    r"|as (?:i said|before|i said before)|once (?:again|more)|no change"
    r"|let me (?:double[- ]check|see)|let me (?:fix|correct) (?:that|this|it|myself)|i repeat"
    r"|i(?:['’]m| am) (?:sure|certain)|i have not changed my mind"
    r"|(?:my|the) answer (?:does not change|has not changed|is unchanged)"
    rf"|not(?! the answer) (?:[^\s.]{{1,40}}|[^.,;:\n]{{1,40}})"
    rf"|(?:if )?{_ANY} (?:can['’]?t|cannot) be right"
    rf"|(?:if )?{_ANY} (?:is|was) (?:wrong|incorrect|not right))"
    r"(?:[,:.;!](?: and| but)?| [—–-]|(?<=so)|(?<=thus)|(?<=hence)|(?<=then)|(?<=still)|(?<=ok)"
    r"|(?<=∴)|(?<=tely)|(?<=inly)|(?<=arly)|(?<=bly)|(?<=kely)|(?<=ally))"
    r"|(?:after|upon|based on|given|with|considering|despite|having|following|using|correcting"
    r"|contrary to|instead of|rather than|not(?! the answer))"
    rf" {_ANY}(?:[,:;]| [—–-]))\s+"
)
_IS = r"(?:is|must be|has to be|should be|ought to be|would be|can only be|becomes|stays|remains)"
_ADVERBS = (
    r"(?: (?:still|now|also|really|indeed|clearly|actually|therefore|simply|just|only|again))*"
)
_SAYS = (
    rf"i(?:['’](?:d|ll|m)| would| will| can| do| am| have to| must)?{_ADVERBS} (?:say|answer|choose"
    r"|pick|select|submit|guess|reckon|bet|insist on|go(?:ing)? with|mean|meant|keep|stay with"
    r"|stick(?:ing)? (?:with|to)|settl(?:e|ing) (?:on|for)"
    r"|(?:think|believe|guess|suppose|bet)(?: that)? it(?:['’]s| is))"
    rf"|(?:choos|select|submitt|pick)ing|(?:chang|revis|correct|updat|switch)ing {_ANY} to"
    rf"|i(?:['’]m| am) (?:now )?(?:confident|certain|sure) that it(?:['’]s| is)"
    rf"|i (?:previously|first) said {_ANY}[,;](?: but)? (?:now|i now)(?: i)? say"
    r"|let['’]s go with|what (?:we|i) (?:want|need) is"
    rf"|i(?:['’](?:d|ll)| would| will| must| have to)?{_ADVERBS}"
    rf" (?:change|revise|correct|update|switch) {_ANY} to"
    rf"|(?:it(?:['’]s| {_IS}| turns out to be)|(?:this|that) (?:must|has to|should) be){_ADVERBS}"
    r"|(?:the|my|our)(?: (?:correct|right|final|only|best|new|revised|updated|corrected|true"
    r"|exact))* (?:answer|result|product|value|option|choice|number|one|possibility|guess"
    rf"|pick|conclusion)(?: (?:left|(?:we|i) (?:want|need|get|seek)))?(?: {_IS}{_ADVERBS}|(?=:))"
    rf"|the answer changes from {_ANY} to"
    rf"|(?:the answer (?:is|was) |it(?: is|['’]s) )?not {_ANY},? but(?: rather)?"
    rf"|(?:the answer|it) (?:isn['’]t|is not) {_ANY}[,;] (?:it['’]s|it is|but)"
    r"|(?:(?:my|the) )?final answer|(?:which )?mak(?:es|ing) the answer"
    r"|(?![^→>\n]*(?:\\times|\\cdot|[×|]|\s[+*x]\s))[^.;:?\n]{1,40}?\s?(?:→|->)"
    r"|previous(?: answer)?: [^\n]{1,40}\n(?:new(?: answer)?|corrected):"
)
# Work says this of a step, too, but not where a reply has no work.
_GETS = (
    rf"(?:using {_ANY} )?(?:i|we|you){_ADVERBS} (?:get|got|obtain|have|find|arrive at|end up with)"
    r"|(?:(?:this|that|which|it|(?:re)?comput\w+|(?:re)?calculat\w+|correct\w+)(?: \w+)? )?"
    r"(?:gives|yields|leads to|makes)(?: (?:us|me))?"
)
_WORK = re.compile(r"[\d=×+$\\]|\b[B-HJ]\b")
_POLITE = (
    r"i hope (?:this|that|it) helps?|(?:please )?(?:let me know|feel free)|thank(?:s| you)"
    r"|if you have|would you like"
)
_COURTESY = re.compile(
    rf"(?:(?<=[.!)*\"'\n])\s+(?:{_POLITE}|i apologi[sz]e)|\n\s*(?:{_POLITE}))\b[^\n]*\s*\Z", re.I
)
_LETTER = re.compile(rf"{_MARK}(?i:option\s)?{_MARK}[A-J]{_MARK}[)\]]?,?")
_REMARK = (
    rf",? (?:then|it is|instead(?: of {_ANY})?|as before|as the answer|rather than {_ANY}"
    rf"|\(?not {_ANY}\)?|(?:because|since) {_ANY}|i (?:think|believe|guess)"
    rf"|{_IS} (?:correct|right|what i get(?: now)?|(?:the|my|our) (?:\w+ )?answer))"
)
_END = r"(?:[.!*_\"'`)]\s*)*\Z"
_START = r"(?:\A|(?<=[.!?:]\s)|(?<=\n))[\s*_]{0,4}"


def _patterns(
    value: str, start: str = _START
) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A last sentence of a reply without work, one that says a value, one that begins with it."""
    only = (
        rf"{start}(?P<said>(?i:(?:{_OPENING}){{0,3}}(?:{_GETS})))\s(?P<value>{value})"
        rf"(?i:(?:{_REMARK})?{_END})"
    )
    last = (
        # "The answer is" itself is left to the graders: each reads more after it than a value.
        rf"{start}(?!(?i:(?:so|thus|hence|therefore),? )?"
        r"(?i:(?:the|my) (?:\w+ )?answer is (?![a-z.…])))"
        rf"(?P<said>(?i:(?:{_OPENING}){{0,3}}(?:{_SAYS})|(?:{_OPENING}){{1,3}}))"
        rf"[:\s]{{0,3}}(?:(?:\.\.\.|…)\s?)?(?P<value>{value})(?i:(?:{_REMARK})?{_END})"
    )
    first = rf"{start}(?P<said>)(?P<value>{value})(?i:{_REMARK}{_END})"
    return re.compile(only), re.compile(last), re.compile(first)


_OF_VALUES, _OF_NAMES = _patterns(_VALUE), _patterns(_NAME, rf"(?<![A-Z]\.\s){_START}")


def last_words(text: str, *, letters: bool = False, names: bool = False) -> re.Match[str] | None:
    """The last sentence of a text where it says the answer: groups ``said`` and ``value``.

    Args:
        text: a reply.
        letters: take letters of options alone.
        names: take names, too.
    """
    only, last, first = _OF_NAMES if names else _OF_VALUES
    at, end = max(0, len(text) - _LAST), len(text.rstrip())
    courtesy = _COURTESY.search(text, at)
    end = courtesy.start() if courtesy else end
    if text[end - 1 : end] not in _CLOSING and not letters:
        # Perhaps cut off in a number; one sentence is taken to be whole.
        return None if at else only.match(text, 0, end) or last.match(text, 0, end)
    found = None if at else only.search(text, 0, end)
    if found and _WORK.search(text, 0, found.start()):
        found = None
    found = found or last.search(text, at, end)
    if letters:
        found = found or first.match(text, 0, end)
        return found if found and _LETTER.fullmatch(found["value"]) else None
    return found or first.search(text, at, end)
