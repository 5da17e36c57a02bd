"""A last sentence that says the answer in so many words: "I'd go with 5.", "So, C it is."

These words say the same whatever is asked, so that every grader knows them. What they give is a
number, a formula or an option's letter: names and words have readers of their own.
"""

from __future__ import annotations

import re

_LAST = 300  # characters of a reply that its last sentence is looked for in

_MARK = r"[*_\"'`(\[]{0,3}"
_VALUE = (
    rf"{_MARK}(?:\$[^$\n]{{1,80}}\$|\\\((?:[^\\\n]|\\(?!\))){{1,80}}\\\)"
    r"|\\[dt]?frac\{[^{}\n]{1,20}\}\{[^{}\n]{1,20}\}"
    r"|[-−]?(?:0[xX])?(?=[\dA-Z])[\dA-F][\dA-F,_']{0,60}(?:\.\d{1,30})?(?:/\d{1,9})?%?"
    rf"|(?i:option\s){_MARK}[A-J])(?![A-Za-z0-9]){_MARK}[)\]]?"
)
_ANY = r"[^.;:?\n]{1,60}?"
_OPENING = (
    r"(?:so|therefore|thus|hence|then|finally|yes|no|indeed|still|again|ok(?:ay)?|well|wait|oops"
    r"|hmm|sorry|actually|definitely|certainly|clearly|probably|most likely|in short|in summary"
    r"|to summari[sz]e|in conclusion|conclusion|let me (?:double[- ]check|see)|(?:after|upon"
    rf"|based on|given|with|considering|despite|having|instead of|rather than) {_ANY}"
    rf"|{_ANY} (?:can['’]?t|cannot) be right)"
    r"(?:[,:]| [—–-]|(?<=so)|(?<=thus)|(?<=hence)|(?<=still)|(?<=ok)|(?<=ly))\s+"
)
_IS = r"(?:is|must be|has to be|should be|ought to be|would be|can only be|becomes|stays|remains)"
_ADVERBS = r"(?: (?:still|now|also|indeed|clearly|actually|therefore|simply|just|only|again))*"
_SAYS = (
    rf"i(?:['’](?:d|ll|m)| would| will| can| do| am| have to| must)?{_ADVERBS} (?:say|answer|choose"
    r"|pick|select|go(?:ing)? with|mean|meant|keep|stick(?:ing)? (?:with|to)|settl(?:e|ing)"
    r" (?:on|for))|let['’]s go with|what (?:we|i) (?:want|need) is"
    rf"|i(?:['’](?:d|ll)| would| will| must| have to)?{_ADVERBS}"
    rf" (?:change|revise|correct|update|switch) {_ANY} to"
    rf"|(?:it|this|that)(?:['’]s| {_IS}| turns out to be){_ADVERBS}"
    r"|(?:the|my|our)(?: (?:correct|right|final|only|best|new|revised|updated|corrected|true"
    r"|exact))* (?:answer|result|product|value|option|choice|number|one|possibility|guess"
    rf"|conclusion)(?: (?:left|(?:we|i) (?:want|need|get|seek)))? {_IS}{_ADVERBS}"
    rf"|the answer changes from {_ANY} to"
    rf"|(?:the answer (?:is|was) |it(?: is|['’]s) )?not {_ANY},? but(?: rather)?"
    rf"|(?:the answer|it) (?:isn['’]t|is not) {_ANY}[,;] (?:it['’]s|it is|but)"
    r"|(?:(?:my|the) )?final answer"
)
# Work says this of a step, too, but not where it is all that a reply says.
_GETS = (
    rf"(?:i|we|you){_ADVERBS} (?:get|got|obtain|have|find|arrive at|end up with)"
    r"|(?:(?:this|that|which|it|(?:re)?comput\w+|(?:re)?calculat\w+|correct\w+)(?: \w+)? )?"
    r"(?:gives|yields|leads to|makes)(?: (?:us|me))?"
)
_END = (
    rf"(?:,? (?:then|it is|instead(?: of {_ANY})?|as before|rather than {_ANY}|not {_ANY}"
    rf"|is (?:correct|right|(?:the|my|our) (?:\w+ )?answer)))?[.!*_\"'`)\s]*\Z"
)
_LAST_SENTENCE = re.compile(
    r"(?:\A|(?<=[.!?:]\s)|(?<=\n))[\s*_]{0,4}"
    # "The answer is" itself is left to the graders: each reads more after it than a value.
    r"(?!(?i:(?:so|thus|hence|therefore),? )?(?i:(?:the|my) (?:\w+ )?answer is (?![a-z.…])))"
    rf"(?P<said>(?i:(?:{_OPENING}){{0,3}}(?:{_SAYS})|(?:{_OPENING}){{1,3}}))"
    rf"[:\s]{{0,3}}(?:(?:\.\.\.|…)\s?)?(?P<value>{_VALUE})(?i:{_END})"
)
_ONLY_SENTENCE = re.compile(
    rf"\A(?P<said>(?i:(?:{_OPENING}){{0,3}}(?:{_GETS})))\s(?P<value>{_VALUE})(?i:{_END})"
)


def last_words(text: str) -> re.Match[str] | None:
    """The last sentence of a text where it says the answer: groups ``said`` and ``value``."""
    found = _ONLY_SENTENCE.match(text) if len(text) <= _LAST else None
    return found or _LAST_SENTENCE.search(text, max(0, len(text) - _LAST))
