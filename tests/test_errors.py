"""Errors: one printable line each, whatever they quote."""

from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.errors import DataError, FrictionError, RunStoppedError, UsageError


@given(st.sampled_from([FrictionError, UsageError, RunStoppedError]), st.text())
def test_an_error_is_one_printable_line(kind, text):
    said = str(kind(text))
    assert said == "" or said.splitlines() == [said]
    assert said.isprintable()


def test_a_data_error_keeps_its_place():
    assert str(DataError("a.jsonl", "no\x1b[2J\nnumber", line=3)) == "a.jsonl:3: no [2J number"
