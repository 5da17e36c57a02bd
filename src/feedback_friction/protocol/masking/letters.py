r"""Multiple choice: what gives the right option away, by its letter or by its text.

Let C be the right one. Its **letter** is masked

- wherever its form says that it is an option: "(C)", "[C]", "option C", "options B and C",
  "\boxed{C}", "**C**", '"C"', "C)" or "C." as a label, "C is incorrect", "the answer is C";
- where it stands bare in a sentence that judges ("correct", "choose", "answer", "eliminate", ...)
  and nothing around it says that it is something else: when in doubt, mask.

It stays where it is an article or a pronoun ("A common mistake", "I think"), a unit ("5 C",
"degrees Celsius (C)"), a part of a name ("vitamin C", "C-12", "E. coli", "B cells", "figure A",
"phase I"), a letter in a formula ("let A be", "P(A)", "A + B"), or what the question itself calls
something.

Its **text** is masked in any case, with any white space, punctuation, Markdown, LaTeX delimiters or
quotes, as a singular or plural, but not as a part of another option's longer text. Texts that say
little by themselves stay, unless the feedback gives them as the answer:

- a number of one or two digits, or one that the question uses, is masked after "=", "is", "get",
  "value of" and the like, not in "step 2" or "2 of the forces";
- a common word ("increase", "true", "positive"), and a word that the question uses, is masked after
  "answer", "should be", "must be" and the like, before "is correct", and where it stands alone in
  quotes, emphasis, brackets, a box or a line.

Last, whatever line or sentence the task's own grader still takes for the right answer is masked:
in it every such letter and text, or else all of it.

Where the feedback calls all options wrong but the right one, the last list of them is masked.

Out of reach of any mask of strings: feedback that describes the right option in other words, or
from which only one thing was masked in a list of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import pairwise

from feedback_friction.grading.choice import grade_choice
from feedback_friction.grading.choice_elimination import eliminated
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.masking.gate import (
    MASK,
    Match,
    Matcher,
    audit,
    between_marks,
    mask,
    stretches,
)
from feedback_friction.protocol.masking.option_letter import (
    bare_letter,
    is_abbreviation,
    is_judged,
    letter_matcher,
)
from feedback_friction.protocol.masking.option_text import (
    text_matcher,
    text_pattern,
    value_matcher,
    view_for,
)
from feedback_friction.protocol.records import Masked
from feedback_friction.reading.option_texts import options_of, with_letters
from feedback_friction.reading.references import references


def mask_letters(problem: Problem, text: str) -> Masked:
    """Feedback on a multiple-choice problem without its right option, and what leaks all the same.

    Args:
        problem: one with choices; its gold answer is a letter.
        text: the feedback as it was written.

    Returns:
        The masked text; ``leaks`` are lines, sentences and parts of them that ``grade_choice``
        takes for the right answer.
    """
    if not problem.choices:
        return Masked(text)
    patterns = _matchers(problem.gold, problem.choices, problem.question)
    left_over = _by_elimination(problem.gold, problem.choices)
    found = mask(text, [*patterns, left_over], [partial(_graded, problem=problem)])
    return Masked(found.text, found.spans, audit_letters(problem, found.text))


@lru_cache(maxsize=1024)
def _matchers(gold: str, choices: tuple[str, ...], question: str) -> tuple[Matcher, ...]:
    right = choices[LETTERS.index(gold)]
    others = tuple(choice for choice in choices if choice != right)
    nouns = tuple(dict.fromkeys(found[1].lower() for found in _OPTION_NOUNS.finditer(question)))
    letter = letter_matcher(gold, nouns=nouns, named_in_question=_is_named(gold, question))
    text = text_matcher(right, others, question)
    found = (letter, text, value_matcher(right), _by_place(gold, choices))
    return tuple(matcher for matcher in found if matcher is not None)


def _by_place(gold: str, choices: tuple[str, ...]) -> Matcher:
    """The right option named by its place: "option 2", "#2", "the second one"."""
    options = options_of(choices)

    def find(text: str) -> Iterator[Match]:
        for start, end, letter in references(text, options):
            if letter == gold and is_judged(text, start, end):
                yield start, end, "place"

    return find


def _by_elimination(gold: str, choices: tuple[str, ...]) -> Matcher:
    """The last list of options called wrong, where only the right one is left over."""
    options = options_of(choices)

    def find(text: str) -> Iterator[Match]:
        named, origin = with_letters(text, options, ranks=True)
        wrong, lists = eliminated(named, options)
        if lists and set(options.letters) - wrong == {gold}:
            start, end = lists[-1]
            yield origin[start], origin[end - 1] + 1, "elimination"

    return find


# "Which of the following chemical processes are ...": a process is an option.
_OPTION_NOUNS = re.compile(
    r"\b(?:which|one|what|all|each)\sof\sthe\s(?:following|these)?\s?(?:[a-z]+\s)?([a-z]{4,}s)\b",
    re.IGNORECASE,
)


def _is_named(letter: str, question: str) -> bool:
    """Whether a question calls something by a letter: "If A sells to B", but not "A man sells"."""
    return any(
        letter not in "AI" or not re.match(r"\s[a-z]", question[found.end() :])
        for found in bare_letter(letter).finditer(question)
    )


# --- what the grader still takes for the right answer ---------------------------------------------

_CUT = re.compile(r"[:;,]\s+(?:(?:i\.e\.|that\sis|or),?\s+)?", re.IGNORECASE)


def _graded(text: str, problem: Problem) -> Iterator[Match]:
    """The right option where the grader takes it for the answer."""
    letter, words = bare_letter(problem.gold), text_pattern(problem.gold_text)
    for start, end in _accepted(problem, text, stretches(text)):
        inner = view_for(problem.gold_text, text[start:end])
        hits = [found.span() for found in letter.finditer(text, start, end)]
        if words is not None:
            spans = (inner.span(*found.span()) for found in words.finditer(inner.text))
            hits += [(start + first, start + last) for first, last in spans]
        for first, last in hits or between_marks(text, *_clause(problem, text, start, end)):
            yield first, last, "graded"


def _accepted(
    problem: Problem, text: str, spans: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The stretches that the grader takes for the right answer, each different one asked once."""
    known: dict[str, bool] = {}
    accepted = []
    for start, end in spans:
        stretch = text[start:end]
        if stretch not in known:
            known[stretch] = grade_choice(problem, stretch).is_correct
        if known[stretch]:
            accepted.append((start, end))
    return accepted


def _clause(problem: Problem, text: str, start: int, end: int) -> tuple[int, int]:
    """The first clause of a stretch that the grader takes for the right answer, else all of it."""
    cuts = [start, *(cut.end() for cut in _CUT.finditer(text, start, end)), end]
    clauses = list(pairwise(cuts)) if len(cuts) > 2 else []
    return next(iter(_accepted(problem, text, clauses)), (start, end))


# --- audit ---------------------------------------------------------------------------------------

_QUOTED = re.compile(r"\"([^\"\n]{1,300})\"|\*\*([^*\n]{1,300})\*\*|`([^`\n]{1,300})`")
_BRACKETED = re.compile(r"(?<![\w)\]}])\([^()\n]{1,300}\)")


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Stretches that could be read as an answer: also what stands in quotes, bold and brackets."""
    for start, end in stretches(text):
        for first, last in between_marks(text, start, end):
            if text[first:last].strip() not in ("A", "I"):  # an article before a masked noun
                yield first, last
    for found in _QUOTED.finditer(text):
        yield found.span(found.lastindex or 0)
    for found in _BRACKETED.finditer(text):
        inside, before = found[0].strip("() "), text[max(0, found.start() - 30) : found.start()]
        # labels a part, an equation, a step: "(a) ..., (b) ...", "(4)"
        if len(inside) <= 2 and (inside.islower() or inside.isdigit()):
            continue
        if inside not in set(LETTERS) or not is_abbreviation(inside).search(before):
            yield found.span()


def audit_letters(problem: Problem, text: str) -> tuple[str, ...]:
    """What the grader takes for the right answer: stretches around marks, then between them."""
    around = [pair for pair in stretches(text) if MASK in text[slice(*pair)]]
    found = [text[start:end] for start, end in _accepted(problem, text, around)]
    found += audit(text, _candidates, lambda part: grade_choice(problem, part).is_correct)
    return tuple(dict.fromkeys(found))
