"""The primer: every gold is what its question makes it, and every hint is fit to be given."""

import calendar
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from num2words import num2words

from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems
from feedback_friction.tasks.page import RowError
from feedback_friction.tasks.primer import HINTS, LEVELS, SIZE, SUBJECTS
from feedback_friction.tasks.validation import validate
from task_rows import ROWS

CASES = Path(__file__).parent.parent / "cases"
PAGE = get_page("primer")
PROBLEMS = load_problems(PAGE, Selection())
DAYS, MONTHS = [*calendar.day_name], [*calendar.month_name][1:]
ORDINALS = {num2words(n, to="ordinal"): n for n in range(1, 13)}
NUMBERS = {num2words(n): n for n in range(1, 101)}


def of(subject):
    return [pytest.param(each, id=each.id) for each in PROBLEMS if each.subject == subject]


def number(words):
    return int(words) if words.isdecimal() else NUMBERS[words]


# --- each a question's form, and its answer made anew from what stands in it ---------------------


def weekday(name, steps):
    return DAYS[(DAYS.index(name) + steps) % 7]


def month(name, steps):
    return MONTHS[(MONTHS.index(name) + steps) % 12]


def calculated(text):
    for words, sign in (("times", "*"), ("divided by", "/"), ("×", "*"), ("squared", "**2")):
        text = text.replace(words, sign)
    text = re.sub("minus", "-", text)
    assert re.fullmatch(r"[\d\s()*/+-]+", text)
    return Fraction(eval(re.sub(r"(\d+)", r"Fraction(\1)", text), {"Fraction": Fraction}))


def chosen(words, key):
    return key([each.strip('"') for each in re.split(r", | or ", words)])


def of_month_length(name, year=2023):
    return calendar.monthrange(year, MONTHS.index(name) + 1)[1]


def on(day, name, first, weekday_name):
    return weekday(weekday_name, int(day) - int(first))


SUMS = [
    (r"What is double (\d+)\?", lambda n: 2 * int(n)),
    (r"What is half of (\d+)\?", lambda n: Fraction(int(n), 2)),
    (r"What is three quarters of (\d+)\?", lambda n: Fraction(3 * int(n), 4)),
    (r"What is (\d+) percent of (\d+)\?", lambda p, n: Fraction(int(p) * int(n), 100)),
    (r"What is (.+)\?", calculated),
]
LETTERS = [
    (r'How many letters are in the word "(\w+)"\?', len),
    (r'How many different letters are in the word "(\w+)"\?', lambda w: len(set(w))),
    (r'How many times does the letter "(\w)" occur in the word "(\w+)"\?', lambda a, w: w.count(a)),
    (
        r'How many vowels \(a, e, i, o, u\) are in the word "(\w+)"\?',
        lambda w: sum(each in "aeiou" for each in w),
    ),
    (r"How many letters does the English alphabet have\?", lambda: 26),
    (r'Which word do you get when you write "(\w+)" backwards\?', lambda w: w[::-1]),
    (r'Which word do you get when you take the first letter away from "(\w+)"\?', lambda w: w[1:]),
    (r'Which word do you get when you take the last letter away from "(\w+)"\?', lambda w: w[:-1]),
    (
        r'Which word do you get when you take the first and the last letter away from "(\w+)"\?',
        lambda w: w[1:-1],
    ),
    (
        r'Which word do you get when you put the letter "(\w)" in front of "(\w+)"\?',
        lambda a, w: a + w,
    ),
    (
        r'Which word do you get when you change the first letter of "(\w+)" to "(\w)"\?',
        lambda w, a: a + w[1:],
    ),
    (
        r'Which word do you get when you change the last letter of "(\w+)" to "(\w)"\?',
        lambda w, a: w[:-1] + a,
    ),
    (r'Which word do you get when you join "(\w+)" and "(\w+)"\?', lambda a, b: a + b),
    (
        r'Which word do you get when you take the letter "(\w)" out of "(\w+)"\?',
        lambda a, w: w.replace(a, ""),
    ),
    (
        r'Which word do you get when you move the first letter of "(\w+)" to the end\?',
        lambda w: w[1:] + w[0],
    ),
    (
        r'Which word do you get when you write the letter "(\w)" in "(\w+)" twice\?',
        lambda a, w: w.replace(a, 2 * a),
    ),
    (
        r'Which word do you get when you exchange the first and the last letter of "(\w+)"\?',
        lambda w: w[-1] + w[1:-1] + w[0],
    ),
    (
        r'Which word do the first letters of the words "([\w ]+)" make\?',
        lambda words: "".join(each[0] for each in words.split()).lower(),
    ),
    (
        r"Which of these words comes first in a dictionary: (.+)\?",
        lambda words: chosen(words, min),
    ),
    (r"Which of these words comes last in a dictionary: (.+)\?", lambda words: chosen(words, max)),
    (
        r"Which of these words has the most letters: (.+)\?",
        lambda words: chosen(words, lambda found: max(found, key=len)),
    ),
    (
        r'Which of these words has no letter "(\w)": (.+)\?',
        lambda a, words: chosen(words, lambda found: next(w for w in found if a not in w)),
    ),
    (
        r"Which of these words reads the same forwards and backwards: (.+)\?",
        lambda words: chosen(words, lambda found: next(w for w in found if w == w[::-1])),
    ),
]
UNITS = {"days": timedelta(days=1), "hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}
UNITS |= {"seconds": timedelta(seconds=1), "weeks": timedelta(weeks=1)}


def units(small, many, large):
    large = large if large.endswith("s") else f"{large}s"
    counts = {"a": 1, "an": 1, "half a": Fraction(1, 2)}
    count = counts[many] if many in counts else number(many)
    return Fraction(UNITS[large] // UNITS[small]) * count


DATES = [
    (r"How many (\w+) are in (an?|half a|two|three) (\w+)\?", None),
    (r"Which day comes after (\w+)\?", lambda d: weekday(d, 1)),
    (r"Which day comes before (\w+)\?", lambda d: weekday(d, -1)),
    (r"Which day comes between (\w+) and \w+\?", lambda d: weekday(d, 1)),
    (r"Which month comes after (\w+)\?", lambda m: month(m, 1)),
    (r"Which month comes before (\w+)\?", lambda m: month(m, -1)),
    (r"Which month comes (\w+) months after (\w+)\?", lambda n, m: month(m, number(n))),
    (r"Which is the (first|eighth) month of the year\?", lambda n: MONTHS[ORDINALS[n] - 1]),
    (r"Which is the last month of the year\?", lambda: MONTHS[-1]),
    (r"Which month has the fewest days\?", lambda: min(MONTHS, key=of_month_length)),
    (r"How many days are in (\w+)\?", of_month_length),
    (
        r"How many days does February have in a year that is not a leap year\?",
        lambda: of_month_length("February"),
    ),
    (
        r"How many days (?:did|will) (\w+) have in the year (\d+)\?",
        lambda m, y: of_month_length(m, int(y)),
    ),
    (
        r"How many days did the year (\d+) have\?",
        lambda y: (date(int(y) + 1, 1, 1) - date(int(y), 1, 1)).days,
    ),
    (
        r"How many days are in the first three months of a year that is not a leap year\?",
        lambda: (date(2023, 4, 1) - date(2023, 1, 1)).days,
    ),
    (r"Today is (\w+)\. Which day is tomorrow\?", lambda d: weekday(d, 1)),
    (r"Today is (\w+)\. Which day was yesterday\?", lambda d: weekday(d, -1)),
    (r"Yesterday was (\w+)\. Which day is tomorrow\?", lambda d: weekday(d, 2)),
    (
        r"Which day of the week comes (\w+) days after (?:a )?(\w+)\?",
        lambda n, d: weekday(d, number(n)),
    ),
    (r"Which day of the week comes (\w+) days before (\w+)\?", lambda n, d: weekday(d, -number(n))),
    (
        r"(\d+) (\w+) is a (\w+)\. Which day of the week is (\d+) \2 of the same year\?",
        lambda first, m, d, day: on(day, m, first, d),
    ),
    (
        r"A film begins at (\d+) o'clock in the evening and ends at (\d+) o'clock in the same "
        r"evening\. How many hours does it last\?",
        lambda begin, end: int(end) - int(begin),
    ),
    (
        r"How many days are there from (\d+) (\w+) to (\d+) \2, "
        r"if both of these days are counted\?",
        lambda first, m, last: len(range(int(first), int(last) + 1)),
    ),
    (
        r"How many minutes are there from (\d+):(\d+) to (\d+):(\d+) on the same morning\?",
        lambda a, b, c, d: 60 * (int(c) - int(a)) + int(d) - int(b),
    ),
    (
        r"In which century was the year (\d+)\?",
        lambda y: f"{num2words(-(-int(y) // 100), to='ordinal_num')} century",
    ),
    (
        r"In which month is the day after (\d+) (\w+) (\d+)\?",
        lambda d, m, y: month_after(date(int(y), MONTHS.index(m) + 1, int(d))),
    ),
    (
        r"A child was born on 29 February (\d+). "
        r"In which year was there a 29 February for the next time\?",
        lambda y: next(each for each in range(int(y) + 1, 9999) if calendar.isleap(each)),
    ),
]


def month_after(day):
    return MONTHS[(day + timedelta(days=1)).month - 1]


def in_units(small, many, large):
    return 12 if small == "months" else units(small, many, large)


FORMS = {
    "sums": SUMS,
    "letters": LETTERS,
    "dates": [(form, make or in_units) for form, make in DATES],
}


def recomputed(problem):
    for form, make in FORMS[problem.subject]:
        found = re.fullmatch(form, problem.question)
        if found:
            return str(make(*found.groups()))
    raise AssertionError(f"no form for {problem.question}")


@pytest.mark.parametrize("problem", [*of("sums"), *of("letters"), *of("dates")])
def test_a_gold_is_what_the_question_makes_it(problem):
    assert recomputed(problem) == problem.gold


STORIES = [
    "5+7",
    "14-6",
    "3*6",
    "20/4",
    "9+4",
    "18-7",
    "8*2",
    "10-3",
    "6*5",
    "8+4",
    "12+5",
    "12/3",
    "15-6",
    "7+6",
    "120-45",
    "30-4*7",
    "8-3",
    "3*9",
    "24/4",
    "15+28",
    "3*60",
    "5*8-3",
    "36/4",
    "12-3*2",
    "6*4",
    "11+31",
    "14/2",
    "40-40*25/100",
    "12/3*5",
    "50-6*3",
    "27/3",
    "2*(9+4)",
    "240/3*5",
    "14-5-3",
    "15*8*5",
    "60-60/3-60/4",
    "(38-10)/4",
    "90/(7+8)",
    "7*12-59",
    "18+18/3",
]


def test_the_golds_of_stories_are_what_their_calculations_give():
    stories = [each for each in PROBLEMS if each.subject == "stories"]
    found = [str(calculated(formula)) for formula in STORIES]
    assert found == [each.gold for each in stories]
    for story, formula in zip(stories, STORIES, strict=True):
        said = re.findall(r"\d+", story.question) + [
            str(NUMBERS[word])
            for word in re.findall(r"[a-z]+", story.question.lower())
            if word in NUMBERS
        ]
        unsaid = {*re.findall(r"\d+", formula)} - {*said}
        # "twice as old" and "all the way round" are two and three parts, "third" and "quarter" too
        assert unsaid <= {"2", "3", "4", "100"}, story.id


@pytest.mark.slow
@pytest.mark.parametrize("problem", [pytest.param(each, id=each.id) for each in PROBLEMS])
def test_a_number_counts_in_digits_and_in_words(problem):
    if not problem.gold.isdecimal():
        return
    for said in (problem.gold, num2words(int(problem.gold))):
        if problem.id != "facts/28":  # a year is read otherwise
            assert PAGE.task.grade(problem, f"The answer is {said}.").is_correct


def test_five_subjects_of_forty_at_three_levels():
    assert len(PROBLEMS) == SIZE
    assert Counter(each.subject for each in PROBLEMS) == dict.fromkeys(SUBJECTS, 40)
    levels = Counter((each.subject, int(each.level)) for each in PROBLEMS)
    assert levels == {(s, k): 14 if k == 1 else 13 for s in SUBJECTS for k in LEVELS}
    assert {len({*each.hints}) for each in PROBLEMS} == {HINTS}
    assert len({each.question.casefold() for each in PROBLEMS}) == SIZE


@pytest.mark.slow
def test_every_row_is_fit_to_be_run():
    report = validate(PAGE, PROBLEMS)
    assert (report.checked, report.failures) == (SIZE, ())


def test_no_hint_holds_an_answer_as_a_word():
    """Apart from mask and grader, by the plainest look at the text."""
    held = [
        (problem.id, hint)
        for problem in PROBLEMS
        for hint in problem.hints
        for answer in (problem.gold, *problem.aliases)
        if re.search(rf"(?<!\w){re.escape(answer.casefold())}(?!\w)", hint.casefold())
    ]
    assert held == []


@pytest.mark.parametrize(
    ("hints", "says"),
    [
        (("It is Canberra.", "b", "c"), "hint 1"),
        (("a", "b", "The answer is Canberra, C-a-n-b-e-r-r-a."), "hint 3"),
    ],
)
def test_validate_finds_a_hint_that_gives_the_answer_away(hints, says):
    problem = replace(next(each for each in PROBLEMS if each.gold == "Canberra"), hints=hints)
    failures = validate(PAGE, [problem]).failures
    assert [failure.check for failure in failures] == ["hints"]
    assert says in failures[0].detail


@pytest.mark.parametrize(
    ("answer", "hint", "spelled"),
    [
        ("plan", 'The new word begins with "pl" and ends with "an".', True),
        ("ice", "It is a short word that begins with 'ic' and ends with 'e'.", True),
        ("god", "The new word begins with g and ends with d, and o stays in the middle.", True),
        ("God", 'It begins with "g", then come o and d.', True),
        ("star", "The letters are s, t, a and one more.", False),
        ("trap", 'The usual mistake gives "tarp".', False),
        ("yen", 'Its name begins with "y" and ends with "n".', False),
        ("as", "The a and the s are its letters.", False),
    ],
)
def test_validate_finds_a_hint_that_spells_the_answer_in_pieces(answer, hint, spelled):
    problem = Problem("x", "primer", "Which word is it?", answer, hints=(hint, "b", "c"))
    failures = validate(PAGE, [problem]).failures
    assert [each.check for each in failures] == ["hints"] * spelled


def test_validate_finds_a_solution_that_never_states_the_answer():
    problem = replace(PROBLEMS[0], solution="It lies on the river Seine.")
    (failure,) = validate(PAGE, [problem]).failures
    assert (failure.check, failure.detail) == ("solution", "does not state the answer")


def test_validate_finds_a_question_that_is_asked_twice():
    again = replace(PROBLEMS[0], id="again", question=f" {PROBLEMS[0].question.upper()}")
    (failure,) = validate(PAGE, [PROBLEMS[0], again]).failures
    assert (failure.problem_id, failure.check) == ("again", "question")
    assert PROBLEMS[0].id in failure.detail


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"level": 4}, "level"),
        ({"subject": "music"}, "subject"),
        ({"hints": ["one"]}, "hints"),
        ({"hints": ["one", "one", "two"]}, "hints"),
        ({"answers": []}, "answers"),
        ({"solution": ""}, "solution"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(change, field):
    with pytest.raises(RowError) as raised:
        PAGE.to_problem({**ROWS[PAGE.name][0], **change})
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("reply", "outcome", "prediction"),
    [
        ("82 - 37 = 2.", "wrong", "2"),
        ("82 - 37 = 45 marbles.", "correct", "45"),
        ("80 - 30 = 50, then 2 - 7 = -5. Then 50 - 5 = 45.", "correct", "45"),
        ("82 - 37 = 45. The answer is 55.", "wrong", "55"),
        ("### Attempt 2\n82 - 37 = 2.", "wrong", "2"),
        ("#### 45", "correct", "45"),
        ("", "no-answer", None),
    ],
)
def test_a_reply_that_ends_with_an_equation_answers_with_its_right_side(reply, outcome, prediction):
    problem = Problem("x", "primer", "What is 82 - 37?", "45", ("forty-five",))
    verdict = PAGE.task.grade(problem, reply)
    assert verdict.outcome.value == outcome
    assert prediction is None or verdict.prediction == prediction


REPLIES = json.loads((CASES / "primer_replies.json").read_text())


@pytest.mark.parametrize("case", [pytest.param(each, id=each["reply"]) for each in REPLIES])
def test_a_short_sentence_is_read_as_it_answers(case):
    problem = next(each for each in PROBLEMS if each.id == case["problem"])
    assert PAGE.task.grade(problem, case["reply"]).outcome.value == case["outcome"]
