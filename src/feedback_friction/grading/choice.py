r"""Multiple choice: which option a reply states, by letter or by the option's text.

The answer is the last statement of one. A statement is one of these; the name is the verdict's
rule, with "(text)" after it where the option was named by its text:

==============  =======================================================================
final line      the last line says no more than "(C)", "C. mitochondria" or "mitochondria"
boxed           ``\boxed{C}``, ``\boxed{\text{(C)}}``, ``\boxed{mitochondria}``
answer is       "the answer is (C)", "Answer: C", "the best choice would be **C**", "答案：C"
picked          "I'd go with C", "we'll choose option C"
is the answer   "(C) is the correct answer", "which makes (C) the best choice"
==============  =======================================================================

Only where a reply has none of them do weaker rules look, in this order:

==============  =======================================================================
first line      the first line says no more than that, and an explanation follows
last words      the last sentence says the option in words that all graders know: "We get C."
is correct      exactly one option is called correct: "Option (C) is correct because ..."
concluded       a finished reply's closing sentences end on one option: "..., which is (C).", or
                its last clause is an option's text, several words long
by truth        each statement is called true or false, for options such as "I and II only"
settled         a short reply turns to one option, by letter or text: "It's not iron. It's neon."
by elimination  all other options are called wrong
by language     another language's statement of a letter: "La opción correcta es la D."
by value        a sentence gives the value of one option: "The angle is ninety degrees."
by mention      a reply of one sentence mentions one option: "It must be mitochondria.", or a
                sentence adds one to the words of the question
==============  =======================================================================

What is no statement, so that what was stated before it stands: a letter that is not offered, a
negation ("the answer is not (B)", "(B) is incorrect"), a condition, a question, somebody's earlier
answer, a list that restates the options, and answers to further questions, with which models that
were shown examples go on. A statement of several options ("(A) or (B)"), of none of them, or one
that the same sentence takes back ("..., but this is incorrect") is an answer to nothing: the
verdict is no-answer ("several options", "none of them", "taken back"), never a guessed letter. The
article "A" and the pronoun "I" are no letters.

A letter wins over the text next to it, unless an option's text itself begins with a letter ("A and
D", "B cells", "E. coli") and stands there in full. Everything is linear in the reply: a pattern
looks a bounded way around its cue.

tests/cases/choice_labels.json holds replies of six models to MMLU-Pro, labelled by reading them.
"""

from __future__ import annotations

import re

from feedback_friction.grading.choice_cues import ADVERB, BE, CONDITION, UNSURE, Said, stated_within
from feedback_friction.grading.choice_elimination import by_elimination
from feedback_friction.grading.choice_forms import (
    CONTRAST,
    SENTENCES,
    by_correction,
    by_mention,
    by_question,
    settled,
    whole_value,
)
from feedback_friction.grading.choice_languages import by_language
from feedback_friction.grading.choice_lines import first_line, last_line
from feedback_friction.grading.choice_truth import by_truth
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.reading.last_words import last_words
from feedback_friction.reading.option_texts import (
    LONGEST,
    Options,
    folded,
    joined,
    options_of,
    readable,
    valued,
    with_letters,
)
from feedback_friction.reading.references import lettered
from feedback_friction.reading.standing import is_asserted, is_given, retraction, sentence_start

_TAIL = 120  # characters at a reply's end that are searched first: most replies end in a statement


def grade_choice(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply to a multiple-choice problem.

    Args:
        problem: one with choices; its gold answer is a letter.
        response: the reply as the model wrote it.

    Returns:
        The prediction is a capital letter that is offered; no-answer where the reply states none,
        several, or takes it back.
    """
    if not problem.choices:
        return Verdict.none("no choices")
    options = options_of(problem.choices, problem.question)
    plain = readable(response)
    text = joined(lettered(plain, options), options)
    said = _stated(text, options)
    if said is not None:
        said = _revised(text, said, options) or said
    else:
        said = (
            _by_truth(plain, options)
            or _last_words(text, options)
            or first_line(text, options)
            or _called_correct(text, options)
            or _concluded(text, options)
            or _told(text, options)
            or _other_form(text, options)
        )
    if said is None:
        return Verdict.none()
    if not said.letter:
        return Verdict.none(said.rule)
    return Verdict.of(said.letter == problem.gold, said.letter, said.rule)


def _stated(text: str, options: Options) -> Said | None:
    """The last of the statements that say so themselves."""
    small = text.lower()
    if len(small) != len(text):  # a letter whose small form is longer
        small = "".join(char if len(char.lower()) > 1 else char.lower() for char in text)
    if "\nq" in small or "answers" in small or "总结" in small:
        other = _OTHER_QUESTIONS.search(small, 1)
        end = other.start() if other else 0
        said = _last_stated(text[:end], small[:end], options)
        if said is not None:
            return said
    return _last_stated(text, small, options)


def _last_stated(text: str, small: str, options: Options) -> Said | None:
    said = last_line(text, options)
    tail = max(0, len(text) - _TAIL)
    if said is None:
        said = stated_within(text, small, tail, len(text), options)
    if said is None and tail:
        said = stated_within(text, small, 0, tail, options)
    return said


def _revised(text: str, said: Said, options: Options) -> Said | None:
    """What the reply settles on after it took its last statement back."""
    if said.rule in ("final line", "first line") or not said.end:
        return None
    back = retraction(text, said.end) if said.letter else said.end
    chain = _CHAIN.match(text, said.end)
    if chain is not None and chain[1] in options.letters:
        return Said(chain[1], "revised", chain.end())
    letter, at = ("", 0) if back is None else settled(text, back, options)
    letter = letter or ("" if back is None else by_correction(text[said.end :], options))
    return Said(letter, "revised", at) if letter and letter != said.letter else None


def _last_words(text: str, options: Options) -> Said | None:
    """The option that the last sentence says in words that all graders know."""
    found = last_words(valued(_named(text, options), options), letters=True)
    letter = _CAPITAL.findall(found["value"])[-1] if found else ""
    return Said(letter, "last words") if letter and letter in options.letters else None


def _named(text: str, options: Options) -> str:
    """A short text with "(B)" for option B's words and for "option B"."""
    if len(text) > _SHORT:
        return text
    return _QUOTED.sub(r"\1", _NOUNED.sub(r"(\1)", with_letters(text, options)[0]))


def _is_given(text: str, at: int) -> bool:
    """Whether what stands before a letter in its clause does not say that it is no answer."""
    before = text[sentence_start(text, at) : at].rstrip(" ([\"'>=")
    return is_given(_CLAUSE_TURNS.split(before)[-1], "")


def _other_form(text: str, options: Options) -> Said | None:
    """The option that is named in no statement: last settled on, by elimination or by a value."""
    small = _SMALL.fullmatch(text)
    if small is not None and small[1].upper() in options.letters and not options.parts:
        return Said(small[1].upper(), "final line")
    short = len(text) <= _SHORT
    for found in filter(None, (_OPENS.match(text), _CLOSES.match(text) if short else None)):
        letter = found[found.lastindex or 0]
        if letter in options.letters and _is_given(text, found.start(found.lastindex or 0)):
            return Said(letter, "settled")
    named = _named(text, options)
    writings = dict.fromkeys((text, named))
    for said in writings:
        if _FINISHED.search(said.rstrip()[-20:]) or (short and "\n" not in said.strip()):
            letter, at = settled(said, 0, options, anew=_DENIES.search(said) is not None)
            if letter and is_asserted(said, at, at + 1) and _is_given(said, at):
                return Said(letter, "settled")
    if letter := next(filter(None, (by_elimination(said, options) for said in writings)), ""):
        return Said(letter, "by elimination")
    for form, find in _OTHER_FORMS:
        letter = find(text, options)
        plain = CONTRAST.sub("", text.rstrip(" .!\n")) if letter else ""
        if letter and is_asserted(plain, len(plain), len(plain)):
            return Said(letter, f"by {form}")
    return None


def _by_truth(text: str, options: Options) -> Said | None:
    place = by_truth(text, options)
    return None if place is None else Said(LETTERS[place], "by truth")


_OTHER_FORMS = (
    ("language", by_language),
    ("value", whole_value),
    ("mention", by_mention),
    ("mention", by_question),
    ("correction", by_correction),
)
_DENIES = re.compile(r"(?i:\bnot|n't|neither)\s[^.:\n]{1,40}\.\s|\b(?:wrong|incorrect|out)\.\s")
_FINISHED = re.compile(r"(?:[.!)*\"]|\bit (?:is|must be|has to be|should be))\Z")
_CHAIN = re.compile(r"\s*-?>\s*[\"'(\[]{0,2}([A-Z])(?![A-Za-z0-9_])")
# "B, since ..."; "I, as a model, ..." is no option.
_OPENS = re.compile(
    r"\s*(?:\(([A-Z])\)|([A-HJ-Z])),?\s(?:because|since|as\s(?:it|the|this|that|only))\s"
)
# "None of them is a mammal: D."
_CLOSES = re.compile(
    r"(?i:(?!.*\b(?:wrong|incorrect|not|out|earlier|previous|first|initial|worst|least|options?|eliminat\w+"
    r"|except|next|reject\w+|exclud\w+|you|if|or|and)\b|.*n't)[^\n?.:]{1,200}):\s\(?([A-Z])\)?[.!]?\s*\Z"
)
_SHORT = 400  # characters of a reply in which an option's text counts as its letter does
_CAPITAL = re.compile(r"[A-Z](?![A-Za-z])")
_NOUNED = re.compile(r"\b(?i:option|choice)\s\(?([A-Z])(?![A-Za-z0-9_'])\)?")
_QUOTED = re.compile(r"\"(\([A-Z]\))\"")
# "The one that does not belong is (C)."
_WHICH_NOT = re.compile(
    r"\b(?:that|which|who)\s(?:is|are|was|does|do|did|can|could|has)(?:\s?not|n't|'t)\b"
)
_CLAUSE_TURNS = re.compile(
    r"\b(?:but|so|then|hence|thus|therefore|instead"
    r"|[Ll]et(?:'s|\s(?:me|us))\s(?:go\swith|say|choose|pick|select))\b"
)
_SMALL = re.compile(
    r"\s*(?:(?i:option|choice|answer|letter)\s)?[\"'(\[*]{0,3}([a-z])[\"')\].*:]{0,3}\s*"
)


# --- weaker rules ---------------------------------------------------------------------------------

_CORRECT = re.compile(  # begins with the letter: what stands before it is looked at after it
    r"([A-Z])(?<![A-Za-z0-9_][A-Z])[\"')\].:]*\s+"
    rf"(?:(?:is|remains|must\sbe|seems|appears\sto\sbe|would\sbe)\s+{ADVERB}{{0,2}}(?:correct|right)"
    r"|fits(?=\s?[.;])|\|\s?(?i:yes|correct|right|true|✅|✔)(?=\s?[|\n]|\s?$))(?:\b|(?!\w))"
    r"(?!\s+(?:only|if|that|in|about|for|when))"
)
_COLUMN = re.compile(r"\|\s?(?:correct|right|fits|valid|answer|✅|✔)\s?\??\s?\|", re.IGNORECASE)
_NAMED = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?i:option|choice|answer)\s+([A-Z])(?![A-Za-z0-9_'])|[(\[]([A-Z])[)\].])"
)
_LEAD = re.compile(rf"(?:\b{BE}|\b(?:likely|probably|called)|:)\s+$")
_HENCE = re.compile(r"\b(?:so|thus|therefore|hence|then),?\s+$", re.IGNORECASE)
_MENTION = re.compile(r"\b(?:option|choice|answer|to|of)\s+$")
_SUPPOSED = re.compile(
    r"\b(?:if|whether|unless|suppos\w+|assum\w+|cannot|can't|could|previous|earlier|initially"
    r"|(?:wrong|incorrect|least\s\w+|last|first)\s+(?:answer|option|choice))\b",
    re.IGNORECASE,
)
_ELIMINATED = re.compile(
    r"\b(?:incorrect|wrong|false|eliminat\w+|rul\w+\sout|exclud\w+|reject\w+|unlike|except)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(rf"\bnot\b|n't|{_ELIMINATED.pattern}", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b(?:none\sof|no\s(?:correct|single|answer|option)|cannot|can't|unable|insufficient"
    r"|not\s(?:enough|possible|listed|among|provided|clear|sure|given|available))\b",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:^|\n|(?<=[.!?])\s)[^.\n]{0,80}\banswer(?:\s+is)?\s*(?:\.{2,}|…|:)?\s*$", re.IGNORECASE
)
# A model that was shown examples goes on with a next question, or sums up its answers to all.
_OTHER_QUESTIONS = re.compile(
    r"\n[ \t]*(?:question|q)[ \t]*\d*[ \t]*[:.]"
    r"|\n[^\n]{0,30}(?:\b(?:combin|summari[sz])(?:e|ing)\s[^\n]{0,30}|\bconsidering\sall\s[^\n]{0,20})"
    r"\banswers\b|\n[^\n]{0,30}总结[^\n]{0,20}(?:答案|\ue000)"
)


def _called_correct(text: str, options: Options) -> Said | None:
    """The one option that is called correct."""
    letters = {
        said[1]
        for said in _CORRECT.finditer(text)
        if said[1] in options.letters
        and ("|" not in said[0] or _COLUMN.search(text))
        and not UNSURE.search(text, max(0, said.start() - 40), said.start())
        and is_asserted(text, *said.span())
    }
    return Said(letters.pop(), "is correct") if len(letters) == 1 else None


def _concluded(text: str, options: Options) -> Said | None:
    """The one option on which the last or the last but one sentence of a finished reply ends."""
    body = text[-4 * LONGEST :].rstrip()
    if "nswer" in body[-20:]:
        blank = _PLACEHOLDER.search(body, max(0, len(body) - 160))
        body = body[: blank.start()].rstrip() if blank else body
    if not body.endswith((".", "!", ")", '"', "'", "]")):
        return None
    for sentence in SENTENCES.split(body)[:-3:-1]:
        named = [
            name for name in _NAMED.finditer(sentence) if (name[1] or name[2]) in options.letters
        ]
        if not named:
            if _REFUSED.search(sentence):
                return None
            continue
        letters = {name[1] or name[2] for name in named}
        start, end = named[-1].span()
        before = _WHICH_NOT.sub("", _CLAUSE_TURNS.split(sentence[:start])[-1])
        said = is_asserted(sentence, start, end, supposed=True)
        said = said and is_given(before, sentence[end:])
        meant = said and len(letters) == 1 and _is_meant(sentence, named[-1], options)
        return Said(letters.pop(), "concluded") if meant else None
    return None


def _told(text: str, options: Options) -> Said | None:
    """The option whose text a reply's last clause is: "..., so ice melts."

    It is several words long, or the reply is one sentence: "The noble gas is neon."
    """
    body = text[-4 * LONGEST :].rstrip()
    *others, last = SENTENCES.split(body)
    sentence = folded(last, strict=options.strict)
    letter = options.ending(sentence)
    own = next((option for option, named in options.texts.items() if named == letter), "")
    before = sentence[: len(sentence) - len(own)]
    whole = len(own) >= _CLAUSE and " " in own and body.endswith((".", "!"))
    alone = letter and not others and len(text) <= LONGEST
    leads = (whole and _LEADS_ON.search(before)) or (alone and _LEADS_TO.search(before))
    if not leads:
        return None
    clause = _TURNS.split(before)[-1]
    told = is_given(clause, "") and not _UNTOLD.search(clause)
    return Said(letter, "concluded (text)") if told else None


_CLAUSE = 10  # characters of an option's text that is a clause of its own
_LEADS_ON = re.compile(
    r"(?:^|,|\b(?:but|so|therefore|thus|hence|then|it follows|(?:this|which|it) (?:means|implies"
    r"|shows)|(?:i|we) (?:now )?(?:conclude|see|find|know))\b)\s?"
    r"(?:that )?(?:then )?(?:the |an? )?$"
)
_LEADS_TO = re.compile(
    r"(?:(?<!,)\b(?:is|was|must be|would be)|,\s?(?:so|hence|thus)(?: it is)?) $"
)
_TURNS = re.compile(r"\bbut\b|\bhowever\b|;")
_UNTOLD = re.compile(
    r"\b(?:not|never|no|none|neither|nor|or|if|unless|whether|had|would|might|could|may|false|wrong"
    r"|incorrect|cannot|except|unlike|earlier|previous(?:ly)?|thought|first|seems?|claims?|says?|said|other"
    r"|least|why|how|answered|expect\w*|assum\w+|suppos\w+|doubt\w*|unlikely|option|you|your)\b|n['\s]t\b"
)


def _is_meant(sentence: str, named: re.Match[str], options: Options) -> bool:
    """Whether a sentence settles on the one option that it names."""
    before, after = sentence[: named.start()], sentence[named.end() :]
    if _AGAINST.search(after) or _SUPPOSED.search(before) or CONDITION.match(after):
        return False
    if _LEAD.search(before) or (_HENCE.search(before) and not after.strip(" .!")):
        return True
    if _AGAINST.search(before, max(0, len(before) - 40)) or _ELIMINATED.search(before):
        return False
    return bool(named[1] or _MENTION.search(before)) or options.at(after)[0] == named[2]
