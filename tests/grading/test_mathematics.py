"""Exact arithmetic, parsing and comparing, against Python's own numbers and against each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from num2words import num2words

from feedback_friction.reading.mathematics import evaluate
from feedback_friction.reading.mathematics.answer import Kind, Value
from feedback_friction.reading.mathematics.equality import alike, same
from feedback_friction.reading.mathematics.exact import (
    TooHardError,
    built,
    equal,
    exact,
    key,
)
from feedback_friction.reading.mathematics.formula import (
    FormulaError,
    parse,
)
from feedback_friction.reading.mathematics.latex import is_balanced
from feedback_friction.reading.mathematics.read import context_of, read
from feedback_friction.reading.number_words import number_words


@dataclass(frozen=True)
class Worth:
    """A formula in LaTeX and its value."""

    text: str
    value: Fraction


def combined(children: st.SearchStrategy[Worth]) -> st.SearchStrategy[Worth]:
    two = st.tuples(children, children)
    return st.one_of(
        two.map(lambda p: Worth(f"{p[0].text} + ({p[1].text})", p[0].value + p[1].value)),
        two.map(lambda p: Worth(f"({p[0].text}) - ({p[1].text})", p[0].value - p[1].value)),
        two.map(lambda p: Worth(f"({p[0].text}) \\cdot ({p[1].text})", p[0].value * p[1].value)),
        two.map(lambda p: Worth(f"({p[0].text})({p[1].text})", p[0].value * p[1].value)),
        two.filter(lambda p: p[1].value != 0).map(
            lambda p: Worth(f"\\frac{{{p[0].text}}}{{{p[1].text}}}", p[0].value / p[1].value)
        ),
        st.tuples(children, st.integers(0, 4)).map(
            lambda p: Worth(f"({p[0].text})^{{{p[1]}}}", p[0].value ** p[1])
        ),
    )


NUMBERS = st.recursive(
    st.integers(-20, 20).map(lambda n: Worth(str(n), Fraction(n))), combined, max_leaves=6
)


@given(NUMBERS)
def test_exact_values_are_what_fractions_say(worth: Worth) -> None:
    assume(worth.value != 0 or "^{0}" not in worth.text)
    found = Value(parse(worth.text)).rational
    assert found == worth.value or (found is None and "^" in worth.text)  # 0^0, or too large


@given(NUMBERS)
def test_the_worker_computes_the_same_without_a_bound(worth: Worth) -> None:
    value = Value(parse(worth.text)).rational
    assert value is None or built(parse(worth.text)) == value


ATOMS = st.sampled_from(["x", "y", "2", "3", "\\frac{1}{2}", "\\sqrt{2}", "\\sqrt{3}", "\\pi", "i"])
TERMS = st.lists(ATOMS, min_size=1, max_size=3).map(" \\cdot ".join)
SUMS = st.lists(TERMS, min_size=1, max_size=3).map(" + ".join)


def value(text: str) -> Any:
    return exact(parse(text))


@given(SUMS, SUMS, SUMS)
def test_the_laws_of_a_field_hold(a: str, b: str, c: str) -> None:
    x, y, z = (f"({text})" for text in (a, b, c))
    assert key(value(x + "+" + y)) == key(value(y + "+" + x))
    assert key(value(f"({x}+{y}){z}")) == key(value(f"{x}{z}+{y}{z}"))
    assert value(f"{x}-{x}") == 0
    if value(x) != 0:
        assert equal(value(f"\\frac{{{y}}}{{{x}}} {x}"), value(y))


@pytest.mark.slow
@given(SUMS, SUMS)
def test_exact_values_and_samples_tell_the_same_story(a: str, b: str) -> None:
    first, second = evaluate.samples(parse(a)), evaluate.samples(parse(b))
    assert first is not None
    assert second is not None
    assert evaluate.differ(first, second) == (not equal(value(a), value(b)))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("\\frac34", "3/4"),
        ("12\\frac{3}{5}", "63/5"),
        ("1 1/4", "5/4"),
        ("3 \\frac{160}{3}", "160"),
        ("2\\sqrt3", "2*sqrt(3)"),
        ("\\sqrt{1/2}", "sqrt(2)/2"),
        ("\\frac{1}{\\sqrt{2}+\\sqrt{3}}", "-sqrt(2)+sqrt(3)"),
        ("(3+4i)(3-4i)", "25"),
        ("0.8\\overline{4}", "38/45"),
        ("8^{2/3}", "4"),
        ("\\frac{x^2-1}{x-1}", "x+1"),
        ("\\binom{20}{2}", "190"),
        ("\\lfloor 5/2 \\rfloor", "2"),
        ("|-7|", "7"),
        ("10!", "3628800"),
        ("1.5e3", "1500"),
        ("-2^2", "-4"),
        ("(-2)^2", "4"),
        ("2^{3^2}", "512"),
        ("6/2/3", "1"),
        ("1/2x", "x/2"),
        ("\\sin^2 x", "sin(x)^2"),
        ("30^\\circ", "pi/6"),
    ],
)
def test_formulas_and_their_canonical_forms(text: str, form: str) -> None:
    assert key(value(text)) == form


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "5 6",
        "x 5",
        "\\foo",
        "(",
        "5)",
        "\\frac{1}",
        "Evelyn",
        "2..3",
        "\\sqrt[x]{2}",
        "1,2",
    ],
)
def test_what_is_not_surely_a_formula_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("100\\text{ square units}", Kind.VALUE, "100"),
        ("204 minutes", Kind.VALUE, "204"),
        ("5 \\text{ cm}^2", Kind.VALUE, "5"),
        ("18 possible cones", Kind.VALUE, "18"),
        ("2\\text{ hours }30\\text{ minutes}", Kind.RAW, "2hours30minutes"),
        ("5 times 3", Kind.RAW, "5times3"),
        ("25\\%", Kind.PERCENT, "25%"),
        ("3:4", Kind.RAW, "3:4"),
        ("(1,234)", Kind.TUPLE, "(1,234)"),
        ("1,234", Kind.VALUE, "1234"),
        ("1, 234", Kind.LIST, "{1,234}"),
        ("\\text{all real numbers}", Kind.TUPLE, "(-oo,oo)"),
        ("\\{\\}", Kind.SET, "{}"),
        ("x \\in [1,2]", Kind.TUPLE, "[1,2]"),
        ("x \\ne 3", Kind.UNION, "(-oo,3)U(3,oo)"),
        ("9" * 3000, Kind.RAW, None),
    ],
)
def test_shapes_of_answers(text: str, kind: Kind, key: str | None) -> None:
    answer = read(text)
    assert answer.kind is kind
    assert key is None or answer.key == key
    assert len(answer.key) < 300


@pytest.mark.parametrize(
    ("gold", "other", "verdict"),
    [
        ("\\frac{1}{2}", "\\sin\\frac{\\pi}{6}", True),
        ("\\frac{1}{2}", "\\sin\\frac{\\pi}{5}", False),
        ("5", "\\triangle ABC", False),
        ("5", "(5", False),
        ("5", "\\int_0^5 1 dx", False),
        ("\\int_0^5 f(x) dx", "\\int_0^5 f(t) dt", None),
        ("5", "\\text{five or so}", False),
        ("(1,2)", "3", False),
        ("x^2+y^2=1", "x^2=1-y^2", True),
        ("x^2+y^2=1", "x^2+y^2=2", None),
        ("x>3", "3<x", True),
        ("1", "\\sqrt{2+\\sqrt{3}}", False),
    ],
)
def test_certain_and_open_comparisons(gold: str, other: str, verdict: bool | None) -> None:
    answer, context = context_of(gold)
    assert same(answer, read(other, context)) is verdict


def test_formulas_that_no_sample_tells_apart_are_alike_and_others_are_not() -> None:
    half, context = context_of("\\frac{1}{2}")
    assert alike(half, read("\\cos\\frac{\\pi}{3}", context))
    assert not alike(half, read("\\cos\\frac{\\pi}{4}", context))


@given(st.integers(-(10**9), 10**9))
def test_numbers_in_words_are_read_back(number: int) -> None:
    assert number_words(num2words(number)) == number


@given(
    st.integers(1, 99), st.sampled_from([("third", 3), ("quarter", 4), ("fifth", 5), ("tenth", 10)])
)
def test_fractions_in_words_are_read_back(top: int, part: tuple[str, int]) -> None:
    name, bottom = part
    words = f"{num2words(top)} {name}{'' if top == 1 else 's'}"
    assert number_words(words) == Fraction(top, bottom)


@pytest.mark.parametrize(
    "words",
    ["", "and", "one two", "twenty third", "hundred", "five hundred thousand hundred", "a", "half"],
)
def test_what_is_no_number_in_words(words: str) -> None:
    assert number_words(words) is None


@given(st.text(alphabet="()[]{}\\x,", max_size=30))
def test_reading_never_raises_and_balance_is_decided(text: str) -> None:
    assert read(text) == read(text)
    if is_balanced(text):
        assert text.count("(") + text.count("[") == text.count(")") + text.count("]")


@given(st.text(max_size=60), st.text(max_size=60))
def test_comparing_never_raises(gold: Any, other: Any) -> None:
    answer, context = context_of(gold)
    assert same(answer, read(other, context)) in (True, False, None)


@pytest.mark.parametrize(
    "formula",
    [
        r"\frac{x^{10000} - 1}{x - 1}",  # ten thousand terms
        r"\frac{x^{9000} - y^{9000}}{x^{99} - y^{99}}",
        r"\frac{\sqrt{x}^{10000} - 1}{\sqrt{x} - 1}",
        " + ".join(rf"\frac{{1}}{{x + {n}}}" for n in range(1, 15)),
        r"(\frac{1}{x + 1} + \frac{1}{y + 2})^{29}",
        r"(x + y + z)^{99}",
        r"(\sqrt{2} + \sqrt{3} + \sqrt{5})^{99}",
        r"2^{3^{4^5}}",
        r"\sin(\sin(\sin(x + 1) + 1) + 1)",
        r"(x!)^{300} + 301!",
    ],
)
def test_what_takes_the_library_long_is_refused_before_it_is_asked(formula: str) -> None:
    with pytest.raises(TooHardError):
        exact(parse(formula))


def test_samples_lie_where_every_power_is_defined() -> None:
    points = [evaluate.samples(parse(name)) for name in ("x", "y", "n", "theta")]
    flat = [sample for samples in points if samples for sample in samples]
    assert all(0.7 < sample.real < 2.3 and sample.imag == 0 for sample in flat)
    assert len(set(flat)) == len(flat)
    assert evaluate.samples(parse("\\pi")) == (complex(math.pi),) * evaluate.POINTS
