"""Tables: no number is cut whatever the width, and text of others stays text in every format."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.cli.grid import columns, csv_of, drawn, fitted, latex, markdown
from feedback_friction.report.overview import Column

words = st.text("abcdefg_-/: ", min_size=1, max_size=30)
share = st.integers(0, 1000).map(lambda tenths: f"{tenths / 10:.1f}")
numbers = st.builds("{} [{}, {}]".format, share, share, share)


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 5))
    texts = draw(st.lists(st.lists(words, min_size=rows, max_size=rows), min_size=1, max_size=4))
    found = draw(st.lists(st.lists(numbers, min_size=rows, max_size=rows), max_size=9))
    made = [Column(f"text {place}", tuple(cells)) for place, cells in enumerate(texts)]
    numbered = [Column(f"n {place}", tuple(cells), True) for place, cells in enumerate(found)]
    return made + numbered


def shown(found, width, sections=None):
    return "\n".join(line.plain for line in drawn(found, width, sections))


@given(tables(), st.integers(20, 200))
def test_every_number_is_printed_whole_at_every_width(found, width):
    text = shown(found, width)
    for column in found:
        if column.number:
            for cell in column.cells:
                assert cell in text


@given(tables())
def test_eighty_columns_are_enough(found):
    assert all(len(line) <= 80 for line in shown(found, 80).splitlines())


@given(tables(), st.integers(40, 200))
def test_every_part_names_its_rows(found, width):
    texts = [column.name for column in found if not column.number]
    for part in fitted(found, width):
        assert [column.name for column, _ in part if not column.number] == texts


def test_numbers_stand_flush_right_and_headings_fold_between_words():
    found = columns(("model", "no answer %"), [("one", "9.5"), ("another", "12.0")], texts=1)
    assert shown(found, 80).splitlines() == [
        "model    no answer %",
        "────────────────────",
        "one              9.5",
        "another         12.0",
    ]
    assert shown(found, 15).splitlines()[:3] == [
        "model        no", "         answer", "              %",
    ]  # fmt: skip


def test_rows_stand_below_the_heading_of_their_section():
    found = columns(("mode", "n"), [("a", "1"), ("b", "2"), ("a", "3")], texts=1)
    assert shown(found, 80, ["x", "x", "y"]).splitlines()[2:] == [
        "x", "a     1", "b     2", "y", "a     3",
    ]  # fmt: skip


def test_control_characters_do_not_reach_the_terminal():
    assert "\x1b" not in shown([Column("model", ("a\x1b[31mb",))], 80)


def test_markdown_keeps_cells_within_their_columns():
    text = markdown(columns(("model", "n"), [("a|b_c", "1"), ("two\nlines", "2")], texts=1))
    assert text.splitlines() == [
        "| model | n |", "| --- | ---: |", r"| a\|b\_c | 1 |", "| two lines | 2 |",
    ]  # fmt: skip


def test_latex_escapes_what_it_would_obey():
    text = latex(columns(("model", "n"), [("a_b & 50% \\input{x}", "1"), ("[b", "2")], texts=1))
    assert r"a\_b \& 50\% \textbackslash{}input\{x\} & 1 \\" in text
    assert "{}[b & 2 \\\\\n" in text  # not an argument of the row end before it
    assert r"\begin{tabular}{lr}" in text


def test_csv_holds_no_formula():
    text = csv_of(columns(("model", "n"), [("=cmd()", "-1.5"), ('a,"b"', "2")], texts=1))
    assert list(csv.reader(io.StringIO(text))) == [
        ["model", "n"], ["'=cmd()", "-1.5"], ['a,"b"', "2"],
    ]  # fmt: skip
