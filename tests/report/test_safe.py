"""Hostile text in figures and spreadsheets: nothing that ends the process, nothing that runs."""

import csv
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.report.build import build_report
from feedback_friction.report.safe import csv_of, xml_safe
from journals import RIGHT, trials, write_run


@given(st.text())
def test_what_is_left_is_what_xml_can_hold(text):
    for char in xml_safe(text):
        code = ord(char)
        assert (
            code in (9, 10, 13)
            or 0x20 <= code <= 0xD7FF
            or 0xE000 <= code <= 0xFFFD
            or (code >= 0x10000)
        )


def test_text_is_made_safe_wherever_it_stands():
    assert xml_safe({"a\x00": ["b\x1b", {"c": "d\ufffe"}], "n": 1}) == {
        "a\ufffd": ["b\ufffd", {"c": "d\ufffd"}],
        "n": 1,
    }


@pytest.mark.slow
def test_a_report_of_names_that_xml_cannot_hold_is_written(tmp_path):
    arm = trials((RIGHT,), ("a", "a", "a"), ("a", RIGHT))
    run = write_run(
        tmp_path / "run", {"binary": arm, "retry": arm}, problems=3, subject="a\x01\x0b"
    )
    page = build_report([run], tmp_path / "report")
    assert "\x01" not in page.read_text("utf-8")


@pytest.mark.parametrize(
    "cell",
    ['=HYPERLINK("http://x")', "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "＝1+1"],
)
def test_no_cell_is_a_formula(cell):
    text = csv_of(pl.DataFrame({"subject": [cell], "n": [-5]}))
    assert pl.read_csv(text.encode())["subject"].to_list() == ["'" + cell]


@pytest.mark.parametrize("cell", ["algebra", "-5", "+3.5", "-1,234.5", "-20%", "a=b", ""])
def test_innocent_cells_stay_as_they_are(cell):
    text = csv_of(pl.DataFrame({"cell": [cell], "n": [1]}))
    assert list(csv.reader(io.StringIO(text)))[1:] == [[cell, "1"]]
