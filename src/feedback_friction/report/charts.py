"""The plotting grammar: a handful of chart forms that all figures are made of.

Every form takes a frame whose shares ``x`` stand with ``x_low`` and ``x_high``, and draws the
interval with the value: a band along a line, a rule through a point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import polars as pl

from feedback_friction.report.theme import (
    PANEL_HEIGHT,
    PANEL_WIDTH,
    QUIET,
    ROW_HEIGHT,
    SERIES,
    Scale,
)

Spec = dict[str, Any]
Order = dict[str, str]  # part of a whole -> its colour

MOST_TICKS = 11
PERCENT = alt.Axis(format="~%", labelFlush=False, tickCount=5)


def colour(field: str, title: str, scale: Scale | None) -> alt.Color:
    """A colour encoding; with a scale, the same colours in every figure."""
    if scale is None:
        return alt.Color(f"{field}:N", title=title)
    return alt.Color(
        f"{field}:N", title=title, scale=alt.Scale(domain=scale.names, range=scale.colours)
    )


def shape(field: str, scale: Scale | None) -> alt.Shape:
    """A shape encoding beside the colour, so that series are told apart without colours, too."""
    if scale is None:
        return alt.Shape(f"{field}:N", title=field)
    shapes = alt.Scale(domain=scale.names, range=scale.shapes)
    return alt.Shape(f"{field}:N", title=field, scale=shapes)


def _dashes(field: str, scale: Scale | None) -> dict[str, alt.StrokeDash]:
    """An encoding of dashes, where any series has some."""
    if scale is None or not any(scale.dashes):
        return {}
    dashes = alt.Scale(domain=scale.names, range=[each or [1, 0] for each in scale.dashes])
    return {"strokeDash": alt.StrokeDash(f"{field}:N", title=field, scale=dashes)}


def _ticks(numbers: pl.Series) -> list[int]:
    """Whole numbers to write at an axis: all that occur, or every so many of them."""
    found = numbers.unique().sort()
    return found.gather_every(max(1, -(-len(found) // MOST_TICKS))).to_list()


def curves(
    frame: pl.DataFrame,
    x: str,
    y: str,
    series: str,
    panel: str,
    *,
    x_title: str,
    y_title: str,
    scale: Scale | None = None,
    target: str | None = None,
) -> Spec:
    """Lines with bands, one panel a value of ``panel``; ``target`` names a dashed level."""
    base = alt.Chart().encode(
        x=alt.X(f"{x}:Q", title=x_title, axis=alt.Axis(values=_ticks(frame[x]), format="d")),
        color=colour(series, series, scale),
    )
    value = alt.Y(f"{y}:Q", title=y_title, axis=PERCENT, scale=alt.Scale(zero=False))
    band = alt.Y(f"{y}_low:Q", title=y_title)
    layers: list[alt.Chart] = [
        base.mark_area(opacity=0.15).encode(y=band, y2=f"{y}_high:Q"),
        base.mark_line(strokeWidth=2).encode(y=value, **_dashes(series, scale)),
        base.mark_point(filled=True, size=45, opacity=1).encode(
            y=value, shape=shape(series, scale)
        ),
    ]
    if target is not None:
        layers.append(base.mark_line(strokeDash=[5, 4], strokeWidth=1.5).encode(y=f"{target}:Q"))

    def one(part: pl.DataFrame) -> Any:
        return alt.layer(*layers, data=_data(part)).properties(height=PANEL_HEIGHT)

    return _panels(frame, panel, one)


def intervals(
    frame: pl.DataFrame,
    value: str,
    row: str,
    panel: str,
    *,
    title: str,
    series: str | None = None,
    scale: Scale | None = None,
    zero_line: bool = False,
) -> Spec:
    """Points with intervals, one row a name: a forest plot, one panel a value of ``panel``.

    Where a row has several series, they stand one below the other within it.
    """
    several = series is not None and frame.group_by(panel, row).len()["len"].max() != 1
    encode: dict[str, Any] = {"y": alt.Y(f"{row}:N", title=None, sort=None)}
    if series is not None:
        shade = colour(series, series, scale)
        encode["color"] = shade.legend(None) if series == row else shade
        if several:
            encode["yOffset"] = alt.YOffset(f"{series}:N")
    base = alt.Chart().encode(**encode)
    layers: list[alt.Chart] = [
        base.mark_rule(strokeWidth=2).encode(
            x=alt.X(f"{value}_low:Q", title=title, axis=PERCENT), x2=f"{value}_high:Q"
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=f"{value}:Q"),
    ]
    if zero_line:
        zero = alt.Chart().mark_rule(strokeDash=[3, 3], opacity=0.6).encode(x=alt.datum(0))
        layers.insert(0, zero)

    def one(part: pl.DataFrame) -> Any:
        within = part[series].n_unique() if series is not None and several else 1
        rows = part[row].n_unique() * (within + (within > 1)) * (0.7 if within > 1 else 1)
        return alt.layer(*layers, data=_data(part)).properties(height=max(2, rows) * ROW_HEIGHT)

    return _panels(frame, panel, one)


def stacked(
    frame: pl.DataFrame, value: str, row: str, part: str, panel: str, *, title: str, order: Order
) -> Spec:
    """Shares of a whole as stacked bars, one row a name, one panel a value of ``panel``.

    The parts keep the order of ``order``; the frame's column ``order`` holds each part's place.
    """
    chart = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X(f"{value}:Q", title=title, axis=PERCENT, stack="zero"),
            y=alt.Y(f"{row}:N", title=None, sort=None),
            color=alt.Color(
                f"{part}:N", title=None, scale=alt.Scale(domain=[*order], range=[*order.values()])
            ),
            order=alt.Order("order:Q"),
        )
    )

    def one(rows: pl.DataFrame) -> Any:
        height = max(2, rows[row].n_unique()) * ROW_HEIGHT
        return alt.layer(chart, data=_data(rows)).properties(height=height)

    return _panels(frame, panel, one)


def bars(frame: pl.DataFrame, value: str, row: str, panel: str, *, title: str) -> Spec:
    """Plain counts or amounts, with the number written at the end of each bar."""
    base = alt.Chart().encode(y=alt.Y(f"{row}:N", title=None, sort=None))
    top = float(frame[value].max() or 1) * 1.2  # type: ignore[arg-type]  # numbers only
    axis = alt.X(
        f"{value}:Q",
        title=title,
        axis=alt.Axis(format="~s", tickCount=5),
        scale=alt.Scale(domain=[0, top]),
    )
    layers: list[alt.Chart] = [
        base.mark_bar(color=SERIES[0]).encode(x=axis),
        base.mark_text(align="left", dx=4).encode(
            x=f"{value}:Q", text=alt.Text(f"{value}:Q", format=",.0f")
        ),
    ]

    def one(part: pl.DataFrame) -> Any:
        height = max(2, part[row].n_unique()) * ROW_HEIGHT
        return alt.layer(*layers, data=_data(part)).properties(height=height)

    return _panels(frame, panel, one)


def upset(frame: pl.DataFrame, panel: str, sets: str, count: str, solvers: list[str]) -> Spec:
    """An UpSet plot: bars of how many belong to exactly a set, above a matrix of who is in it.

    Args:
        frame: one row a set; ``sets`` holds the names of those in it as a list.
        panel: column that names the plots, one below the other.
        count: column of the bars' heights.
        solvers: all names, in the order of the matrix.

    Source: Lex et al. (2014), UpSet, IEEE TVCG 20:1983-1992.
    """
    made = [
        _upset(frame.filter(pl.col(panel) == name), str(name), sets, count, solvers)
        for name in frame[panel].unique(maintain_order=True)
    ]
    spec: Spec = alt.vconcat(*made).to_dict(validate=False)
    spec.pop("config", None)
    return spec


def _upset(part: pl.DataFrame, title: str, sets: str, count: str, solvers: list[str]) -> Any:
    part = part.sort(count, descending=True, maintain_order=True).with_row_index("place")
    place = alt.X("place:O", axis=None)
    bars = alt.Chart(_data(part.drop(sets))).encode(
        x=place, y=alt.Y(f"{count}:Q", title="problems")
    )
    width = max(3, part.height) * ROW_HEIGHT
    top = alt.layer(
        bars.mark_bar(color=SERIES[0]), bars.mark_text(dy=-7).encode(text=f"{count}:Q")
    ).properties(height=PANEL_HEIGHT * 0.7, title=title, width=width)
    inside = part.select("place", sets).explode(sets)
    every = part.select("place").join(pl.DataFrame({sets: solvers}), how="cross")
    who = alt.Y(f"{sets}:N", title=None, sort=solvers, axis=alt.Axis(domain=False, ticks=False))
    matrix = alt.layer(
        alt.Chart(_data(every)).mark_circle(color=QUIET, size=90, opacity=1).encode(x=place, y=who),
        alt.Chart(_data(inside))
        .mark_circle(color=SERIES[0], size=90, opacity=1)
        .encode(x=place, y=who),
    ).properties(height=len(solvers) * ROW_HEIGHT, width=width)
    return alt.vconcat(top, matrix, spacing=4).resolve_scale(x="shared")


def _panels(frame: pl.DataFrame, panel: str, one: Callable[[pl.DataFrame], Any]) -> Spec:
    """One panel a value with scales of its own, two in a row, one legend for all."""
    made = [
        one(frame.filter(pl.col(panel) == name)).properties(width=PANEL_WIDTH, title=str(name))
        for name in frame[panel].unique(maintain_order=True)
    ]
    chart = alt.concat(*made, columns=2).resolve_scale(
        color="shared", shape="shared", yOffset="independent"
    )
    spec: Spec = chart.to_dict(validate=False)
    spec.pop("config", None)
    return spec


def _data(frame: pl.DataFrame) -> alt.InlineData:
    """The rows inline, not-a-number as null: JSON knows no nan."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return alt.InlineData(values=frame.with_columns(pl.col(floats).fill_nan(None)).to_dicts())
