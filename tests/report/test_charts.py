"""The plotting grammar by its specifications: one axis, panels of their own, what stands beside."""

import polars as pl

from feedback_friction.report.charts import curves, intervals, narrowed
from feedback_friction.report.figure import Figure
from feedback_friction.report.theme import NARROW_WIDTH, adapting, feedback_scale


def walk(spec):
    """Every dictionary within a specification."""
    if isinstance(spec, dict):
        yield spec
        for each in spec.values():
            yield from walk(each)
    elif isinstance(spec, list):
        for each in spec:
            yield from walk(each)


def domains(spec, channel):
    found = [
        each[channel]["scale"]["domain"] for each in walk(spec) if "scale" in each.get(channel, {})
    ]
    assert found
    return {tuple(each) for each in found}


def frame(**more):
    rows = [
        {"panel": "task", "series": series, "attempt": attempt, "accuracy": value,
         "accuracy_low": value - 0.1, "accuracy_high": value + 0.1, "bound_low": value - 0.1,
         "bound_high": value + 0.1, "guess": None, "guess_most": None, **more}
        for series, base in (("binary", 0.3), ("retry", 0.6))
        for attempt, value in enumerate((base, base + 0.1), 1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"guess": pl.Float64, "guess_most": pl.Float64})


def drawn(table):
    scale = feedback_scale(table["series"].to_list())
    return curves(table, "attempt", "accuracy", x_title="attempt", y_title="solved", scale=scale)


def test_each_series_has_a_panel_and_all_have_one_axis():
    spec = drawn(frame())
    assert [each["title"] for each in spec["concat"]] == ["binary", "retry"]
    assert domains(spec, "y") == {(0.2, 0.8)}


def test_bounds_are_drawn_where_they_differ_from_the_interval():
    assert "bound_low" not in str(drawn(frame())["concat"][0]["layer"][1:])
    spec = drawn(frame(bound_low=0.05, bound_high=0.95))
    assert domains(spec, "y") == {(0.05, 0.95)}
    fields = [each["y"].get("field") for each in walk(spec) if isinstance(each.get("y"), dict)]
    assert fields.count("bound_low") == fields.count("bound_high") == 2


def test_the_guesser_is_an_area_within_the_axis():
    spec = drawn(frame(guess=0.1, guess_most=0.9))
    assert domains(spec, "y") == {(0.1, 0.9)}
    assert any(each.get("y2", {}).get("field") == "guess_most" for each in walk(spec)
               if isinstance(each.get("y2"), dict))  # fmt: skip


def test_forest_plots_share_one_axis_that_holds_zero():
    table = pl.DataFrame(
        {"panel": ["a", "b"], "row": ["x − y", "x"], "difference": [0.2, 0.4],
         "difference_low": [0.1, 0.3], "difference_high": [0.31, 0.5]}
    )  # fmt: skip
    spec = intervals(table, "difference", "row", "panel", title="d", zero_line=True)
    assert domains(spec, "x") == {(0.0, 0.5)}
    assert len(spec["concat"]) == 2


def test_a_narrow_page_has_one_panel_in_a_row():
    spec = narrowed(drawn(frame()))
    assert spec["columns"] == 1
    assert all(each["width"] <= NARROW_WIDTH for each in spec["concat"])


def test_a_narrow_figure_fits_a_telephone():
    rows = ["binary", "a model with a long name − another with one"]
    table = pl.DataFrame(
        {"panel": ["a"] * 2, "row": rows, "difference": [0.2, 0.4],
         "difference_low": [0.1, 0.3], "difference_high": [0.3, 0.5]}
    )  # fmt: skip
    spec = intervals(table, "difference", "row", "panel", title="d")
    drawing = Figure("name", "t", "c", "a", spec, table)
    width = float(drawing.narrow.partition('width="')[2].partition('"')[0])
    assert width <= 350
    assert "another with one" in drawing.narrow


def test_dark_pages_turn_the_ink_within_the_drawing():
    svg = adapting('<svg xmlns="http://www.w3.org/2000/svg"><path stroke="#1b1b1b"/></svg>')
    assert svg.index("<style>") < svg.index("<path")
    assert '[stroke="#1b1b1b"]{stroke:#ececec}' in svg
