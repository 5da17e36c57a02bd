"""Grading answers in words by alias, in sentences too (TriviaQA; PopQA without a judge; custom).

TriviaQA's own script compares the whole prediction with every alias after normalisation. So does
this grader first. A reply that is more than an alias is read statement by statement
(``reading.prose``), and the first that states an answer decides. A stated answer is right when it
begins with an alias, an article and a short description aside ("the film Sunset Boulevard"), and
what follows neither makes it another entity ("New York Times", "Nile crocodile"), nor lists another
guess ("Paris, London, or Rome"). A sentence without such a form answers with the one name or number
that it adds to the question ("Sunset Boulevard was directed by Billy Wilder").

A statement that is negated ("not Paris"), only mentioned ("I am not sure whether it is Paris") or
a refusal ("I don't know") states no answer; where nothing else does, the verdict is no-answer. A
list of guesses is a wrong answer, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice

from feedback_friction.grading.naming import Accepted
from feedback_friction.grading.sentences import (
    IT_IS,
    THE_X_IS,
    compared,
    first_sentence,
    focuses,
    head,
    in_brackets,
    introduced,
    is_description,
    is_disowned,
    is_name,
    is_number_word,
    joined,
    name_runs,
    part_about,
    segment,
    turned,
)
from feedback_friction.grading.verdict import Verdict
from feedback_friction.problem import Problem
from feedback_friction.reading.lexicon import FOCUS, GRAMMAR, PLACES, SCALES
from feedback_friction.reading.prose import ALTERNATIVE, UNASSERTED, Statement, statements
from feedback_friction.reading.standing import DENIAL
from feedback_friction.reading.words import (
    MONTHS,
    Word,
    key,
    normalized,
    without_articles,
    words,
)

_WHOLE = 2000  # a longer reply is never compared with an alias as a whole
_MOST_STATEMENTS = 200  # read before a reply is taken to state nothing

_HEDGE = re.compile(
    r"(?:\W*\b(?:that|most likely|likely|probably|possibly|perhaps|maybe|definitely|certainly"
    r"|simply|just|indeed|actually|therefore|thus|then|still|also|called|named|known as"
    r"|(?:i )?(?:think|believe|guess|suppose)|i'd say|it is|it's|it was|is|was)\b)*"
    r"(?:(?![-−]\d)[^\w&])*",
    re.I,
)
_OPENING = re.compile(
    r"(?:(?![-−]\d)\W)*"
    r"(?:(?:so|therefore|thus|hence|then|and|well|actually|now|in fact|in conclusion|finally)"
    r"\b,?\s+|(?:based on|after|upon|given|according to|considering)\b[^,.\n]{1,80},\s+"
    r"|(?P<place>(?:in|on|at|during)\b[^,.\n]{1,80},\s+)"
    r"|i(?:'ll|'d)? (?:now |still |also |would |will |do )?(?:think|believe"
    r"|guess|suspect|suppose|say|recall|answer|choose|pick|go with"
    r"|am (?:fairly |pretty |quite |very )?(?:sure|certain|confident))\s+(?:that\s+)?)*",
    re.I,
)
_NO_STATEMENT = re.compile(
    r"\W*(?:not )?(?:(?:in)?correct|wrong|right|mistaken|inaccurate|accurate|true|false)\b\W*"
    r"(?:$|because|as|since|and|but|so)",
    re.I,
)
_REFUSAL = re.compile(
    r"\b(?:(?:do not|don't|cannot|can't|can not|could not|couldn't|unable to|not able to)"
    r" (?:\w+ ){0,2}?(?:know|determine|answer|find|provide|identify|recall|say|tell|verify|confirm"
    r"|access|give)|no idea|not (?:enough|sufficient) (?:information|context)|insufficient"
    r" (?:information|context)|(?:is|are|remains?) (?:unknown|unclear|not (?:known|clear|given))"
    r"|need more (?:information|context)|not (?:sure|certain)|unsure)\b"
    r"|^\W*(?:unknown|unclear|n/?a|none|no answer|not (?:known|applicable|available|given))\W*$",
    re.I,
)
_EARLIER = re.compile(
    r"\b(?:previous|earlier|first|initial|last|wrong|incorrect)(?:ly)? (?:\w+ ){0,2}?"
    r"(?:answers?|guess|attempts?|responses?)\b"
    r"|\bi (?:\w+ ){0,2}(?:said|answered|stated|gave|guessed|thought|believed|assumed)\b"
    r"|\bmistak\w+",
    re.I,
)
_NEGATION = re.compile(
    r"\b(?:not(?! until\b)|never|no|neither|nor|without|except|unlike|besides)\b|n't\b", re.I
)
_DENIAL = re.compile(rf"(?:not(?! until\b)|neither|never|none|no longer)\b|(?!not){DENIAL}", re.I)
_BUT = re.compile(r"\b(?:but|rather|instead)\b(?: (?:it is|it's|it was|rather))?", re.I)
# After a number, what is said about it: "in 1989, 28 years after it was built in 1961".
_REMARK = re.compile(
    r",\s+(?:(?!(?:and|but|so|then|or|no|not|wait|oh|sorry|i|it|actually|rather|maybe|perhaps)\b)[a-z]|\d+\s\w+\s(?:after|before|later)\b)"
)
# After a name, what is said about it: in lower case after a comma.
_SAID_OF_NAME = re.compile(r",\s+[a-z]")
_TAG = re.compile(r",\s(?:(?:is|was|did|does|do|are|were)n't\s\w+|right|no)\?\s*$", re.I)
_YES_OR_NO = {("yes",), ("no",)}
_OPEN = {"which", "what", "who", "whose", "where", "when", "how", "name"}
_SAYS = re.compile(
    r"\W*(?:(?:absolutely|certainly|definitely|well)\W+)?(yes|no)\b(?=\W*$|\W{0,3}[,:—–-])"
    r"(?!.*\byour?\b)",
    re.I,
)
_JOINT = re.compile(
    r"[\"')]?(?:,?\s(?:an?|the)\s(?:[a-z]+\s){1,3}?|\s)"
    r"(?:was |is )?(?:written |directed |painted |composed )?(?:by|in|from)\s"
)


def grade_text(problem: Problem, response: str) -> Verdict:
    """The verdict on a reply to a question whose answer is a name, a word or a number.

    Args:
        problem: ``gold`` and ``aliases`` are accepted; the question tells which names are new.
        response: the reply as the model wrote it.

    Returns:
        The prediction is the stated answer, normalised (``words.normalized``); of a right answer
        it is the part that is an alias. Rules: "alias" (the whole reply), "boxed", "answer is",
        "phrase", "sentence", "list of guesses"; without an answer "nothing found", "negated",
        "not asserted", "refusal", "earlier answer" or "masked".
    """
    answers = _accepted(problem.gold, problem.aliases, problem.question)
    if len(response) <= _WHOLE:
        said = key(response)
        if answers.says(response) or (answers.has(said) and said not in answers.keys):
            return Verdict.of(True, " ".join(said), "alias")
    reader = _Reader(answers)
    # Whether nothing else is an answer; "Yes" is a band too.
    decides = answers.keys <= _YES_OR_NO and not answers.asked & _OPEN
    nothing = Verdict.none()
    for statement in islice(statements(response, problem.question), _MOST_STATEMENTS):
        verdict = reader.read(statement)
        so = verdict.prediction in ("yes", "no") and verdict.rule != "sentence"
        if verdict.prediction is not None and (so or not decides):
            return verdict
        if verdict.prediction is None and nothing.rule == "nothing found":
            nothing = verdict
    if decides and (said_so := _SAYS.match(response)):
        word = said_so[1].lower()
        return Verdict.of((word,) in answers.keys, word, "first word")
    return nothing


@lru_cache(maxsize=1024)
def _accepted(gold: str, aliases: tuple[str, ...], question: str) -> Accepted:
    return Accepted(gold, aliases, question)


class _Reader:
    """Reads statements against the accepted answers to one question."""

    def __init__(self, answers: Accepted):
        self.answers = answers
        self.numeric = any(map(is_number_word, (alias[0] for alias in answers.keys)))

    def read(self, statement: Statement) -> Verdict:
        """The verdict on one statement; without a prediction where it states no answer."""
        if statement.kind == "list":
            return self._list(statement.text)
        if statement.kind == "sentence":
            return _unless_disowned(self._sentence(statement.text), statement.text)
        verdict = self._stated(statement.text, statement.kind)
        if statement.kind == "boxed":
            return verdict
        if statement.kind == "phrase" and not verdict.is_correct:
            # What looks like a phrase may have a verb that the lexicon does not know.
            sentence = self._sentence(statement.text)
            verdict = sentence if sentence.is_correct else verdict
        return _unless_disowned(verdict, statement.text)

    def _list(self, text: str) -> Verdict:
        if all(key(part) in self.answers.keys for part in text.split(" / ")):
            return Verdict.of(True, normalized(text.rpartition(" / ")[2]), "phrase")
        return Verdict.of(False, normalized(text), "list of guesses")

    def _stated(self, raw: str, rule: str) -> Verdict:
        """The verdict on text that stands where an answer is stated."""
        said = key(raw)
        if self.answers.says(raw):
            return Verdict.of(True, " ".join(said), rule)
        text = raw[_match_end(_HEDGE, raw) :]
        if not said or not words(text) or _NO_STATEMENT.match(text):
            return Verdict.none()
        if said == ("masked",):
            return Verdict.none("masked")
        found = self.answers.begins(raw)
        if not found or not found.first:  # "Never Let Me Go" denies nothing
            if UNASSERTED.match(text):
                return Verdict.none("not asserted")
            if _DENIAL.match(text):
                return self._instead(text, rule)
            found = self.answers.begins(text) or self.answers.begins(introduced(text))
        if found and found.tail == "end":
            return Verdict.of(True, found.alias, rule)
        author = self._by(text)
        if author is not None:
            return Verdict.of(True, author, rule)
        if self.answers.has(turned(text)):
            return Verdict.of(True, " ".join(turned(text)), rule)
        if _REFUSAL.search(text):
            return Verdict.none("refusal")
        if (found and found.tail == "list") or ALTERNATIVE.search(first_sentence(text)):
            return Verdict.of(False, normalized(first_sentence(text)), "list of guesses")
        return Verdict.of(False, head(introduced(text)) or head(text) or " ".join(said), rule)

    def _by(self, text: str) -> str | None:
        """The alias that follows what the question has itself: "Hamlet" by Shakespeare."""
        joint = _JOINT.search(text[:200])
        before = without_articles(words(text[: joint.start()])) if joint else []
        work = [word for word in before if not word.is_number and word.norm != "no"]
        if joint is None or not work or not self.answers.asks_for(work):
            return None
        found = self.answers.begins(text[joint.end() :])
        return found.alias if found and found.tail == "end" else None

    def _instead(self, text: str, rule: str) -> Verdict:
        """The verdict on "not Paris but Rome": what stands after the denial, if anything does."""
        but = _BUT.search(text)
        return self._stated(text[but.end() :], rule) if but else Verdict.none("negated")

    def _sentence(self, raw: str) -> Verdict:
        """The verdict on a sentence that does not say that it states an answer."""
        text = raw[self._opening(raw) :]
        text = _TAG.sub(".", text)
        if self.numeric:
            text = part_about(text, self.answers.asked, lambda part: self._numbers(words(part)))
        if text.rstrip().endswith("?"):
            return Verdict.none()
        if "[masked]" in text:
            return Verdict.none("masked")
        for pattern, reason in ((_REFUSAL, "refusal"), (_EARLIER, "earlier answer")):
            if pattern.search(text):
                return Verdict.none(reason)
        if UNASSERTED.search(text):
            return Verdict.none("not asserted")
        if (winner := compared(text, self.answers.asked)) is not None:
            return self._stated(winner, "sentence") if winner else Verdict.none("not asserted")
        for start, decides in focuses(text):
            if decides and self.answers.is_other(words(text[:start])):
                return Verdict.none("not asserted")
            focus = text[start:]
            found = self.answers.begins(focus)
            denied = _DENIAL.match(focus) and not (found and found.first)
            if denied or (found and _NEGATION.search(segment(text, start)[0])):
                return Verdict.none("negated")
            if found and found.tail == "end":
                return Verdict.of(True, found.alias, "sentence")
            if found and found.tail == "list":
                return Verdict.of(False, normalized(first_sentence(focus)), "list of guesses")
            if found and found.tail == "negated":
                return Verdict.none("negated")
            if decides and _NO_STATEMENT.match(focus):
                return Verdict.none()
            if decides and not found and is_name(focus):
                return Verdict.of(False, head(focus), "sentence")
        # In the whole: "on the 20th of July, 1969" does not open with "on the 20th of July,".
        return self._date(raw) or self._added(text)

    def _opening(self, raw: str) -> int:
        """How long the opening of a sentence is, without a place or year that may be the answer."""
        opening = _OPENING.match(raw)
        if opening is None:
            return 0
        said = words(opening["place"] or "")
        answers = self.answers.is_in(said) or (self.numeric and self._numbers(said))
        return opening.start("place") if answers else opening.end()

    def _added(self, text: str) -> Verdict:
        """The verdict by the one name, or the one number, that a sentence adds to the question."""
        found = words(text)
        if not found:  # "&" alone, the word "and", opens a sentence that never comes
            return Verdict.none()
        number = self._number(found, text)
        if number:
            return number
        names = [run for run in name_runs(found, text) if not self.answers.asks_for(run)]
        names = [run for run in names if not in_brackets(text, run[0].start)] or names
        if names:
            remark = _SAID_OF_NAME.search(text, names[0][-1].end)
            names = [run for run in names if not remark or run[0].start < remark.start()]
        if len(names) > 1:
            names = [run for run in names if not is_description(run, found)]
            kind = [run for run in names if any(w.norm in self.answers.which for w in run)]
            names = kind if len(kind) == 1 else names  # "Which Apollo mission"
            names = names[:1] + [run for run in names[1:] if joined(run) not in PLACES]
        if len(names) != 1:
            wrong = Verdict.of(False, normalized(text), "sentence")
            return wrong if names else self._plain_word(found, text)
        start = names[0][0].start
        if self.answers.is_apart(found, found.index(names[0][0])):
            return Verdict.none("not asserted")
        after = self.answers.begins(text[start:])
        if any(map(_NEGATION.search, segment(text, start))):
            return Verdict.none("negated")
        if self.answers.is_outdone(text[names[0][-1].end :].lstrip()):
            return Verdict.none("not asserted")
        if after and after.tail == "end":
            return Verdict.of(True, after.alias, "sentence")
        return Verdict.of(False, joined(names[0]), "sentence")

    def _date(self, text: str) -> Verdict | None:
        """The verdict on a sentence that has an accepted date, or answer of words and numbers."""
        found = words(text) if any(map(_is_full, self.answers.keys)) else []
        for index, word in enumerate(found):
            dated = word.norm in MONTHS or word.is_number
            if dated and not self.answers.is_apart(found, index):
                after = self.answers.begins(text[word.start :])
                said = after.alias.split() if after and after.tail == "end" else []
                if _is_full(said) and not any(map(_NEGATION.search, segment(text, word.start))):
                    return Verdict.of(True, " ".join(said), "sentence")
        return None

    def _number(self, found: Sequence[Word], text: str) -> Verdict | None:
        """Where the answer is a number: the verdict by the one number that a sentence adds."""
        added = self._numbers(found) if self.numeric else []
        added = [word for word in added if not in_brackets(text, word.start)] or added
        added = added[:1] if len({word.norm for word in added}) == 1 else added
        remark = _REMARK.search(text, added[0].end) if added else None
        added = [word for word in added if not remark or word.start < remark.start()]
        if len(added) != 1:
            return None
        word = added[0]
        following = next((other for other in found if other.start > word.start), None)
        if any(map(_NEGATION.search, segment(text, word.start))):
            return Verdict.none("negated")
        if self.answers.is_apart(found, found.index(word)):
            return Verdict.none("not asserted")
        scaled = following is not None and following.norm in SCALES | {"bc"}
        scaled = scaled or re.match(r"[-/–]\d", text[word.end : word.end + 2]) is not None
        right = (word.norm,) in self.answers.keys and not scaled
        return Verdict.of(right, word.norm, "sentence")

    def _numbers(self, found: Sequence[Word]) -> list[Word]:
        """The numbers that words add to the question; years alone where there are any."""
        asked = self.answers.asked
        added = [word for word in found if is_number_word(word.norm) and word.norm not in asked]
        return [word for word in added if len(word.norm) == 4 and word.norm.isdigit()] or added

    def _plain_word(self, found: Sequence[Word], text: str) -> Verdict:
        """The verdict on a sentence without names: an alias where a sentence puts its point."""
        several = self.numeric and len({word.norm for word in self._numbers(found)}) > 1
        it_is = IT_IS.match(text) or THE_X_IS.match(text)
        begins = it_is.end() if it_is else 0
        points = FOCUS | (self.answers.asked - GRAMMAR)
        for index, word in enumerate(found):
            if index and word.start >= begins and found[index - 1].norm in points and not several:
                if self.answers.is_apart(found, index):
                    return Verdict.none("not asserted")
                after = self.answers.begins(text[word.start :])
                if after and after.tail == "end" and not _NEGATION.search(text):
                    return Verdict.of(True, after.alias, "sentence")
        if it_is and 0 < len(words(text[it_is.end() :])) <= 4 and not _NEGATION.search(text):
            return Verdict.of(False, head(text[it_is.end() :]), "sentence")
        return Verdict.none()


def _unless_disowned(verdict: Verdict, text: str) -> Verdict:
    """A right answer, or none where what stands right around it says that it is none."""
    said = (verdict.prediction or "").split() if verdict.is_correct else []
    place = said and re.search(r"\W+".join(map(re.escape, said)), text, re.I)
    if place and is_disowned(text, *place.span()):
        return Verdict.none("not asserted")
    return verdict


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def _is_full(said: Sequence[str]) -> bool:
    """Whether words are a date or more, which no number in them could be meant without."""
    return len(said) > 2 or (len(said) == 2 and any(word in MONTHS for word in said))
