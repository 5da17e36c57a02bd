"""The plotting grammar: a handful of chart forms that all figures are made of.

Every form takes a frame whose shares ``x`` stand with ``x_low`` and ``x_high``, and draws the
interval with the value: a band along a line, a rule through a point. The panels of a figure have
one axis, so that they can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
import polars as pl

from feedback_friction.report.theme import (
    FOLDED_HEIGHT,
    GUESS,
    MAP_WIDTH,
    NARROW_WIDTH,
    PANEL_HEIGHT,
    PANEL_WIDTH,
    QUIET,
    ROW_HEIGHT,
    SERIES,
    SMALL_COLUMNS,
    SMALL_WIDTH,
    Scale,
)

Spec = dict[str, Any]

MOST_TICKS = 11
LONGEST_ROW = 26  # characters of a row's name on one line
PERCENT = alt.Axis(format="~%", labelFlush=False, tickCount=5)


def colour(field: str, title: str, scale: Scale | None) -> alt.Color:
    """A colour encoding; with a scale, the same colours in every figure."""
    if scale is None:
        return alt.Color(f"{field}:N", title=title)
    return alt.Color(
        f"{field}:N", title=title, scale=alt.Scale(domain=scale.names, range=scale.colours)
    )


def _ticks(numbers: pl.Series) -> list[int]:
    """Whole numbers to write at an axis: all that occur, or every so many of them."""
    found = numbers.unique().sort()
    most = found.gather_every(max(1, -(-len(found) // MOST_TICKS))).to_list()
    return most if most[-1] == found[-1] else [*most, found[-1]]


def curves(
    frame: pl.DataFrame,
    x: str,
    y: str,
    *,
    x_title: str,
    y_title: str,
    scale: Scale,
    target: str | None = None,
) -> Spec:
    """Lines with bands: a panel for each ``series`` of a ``panel``, its others in grey behind it.

    Where the frame has them: ``guess`` and ``guess_most`` are the limits of a grey area, and
    ``bound_low`` and ``bound_high`` thin lines where they differ from the interval.

    Args:
        target: a column that is drawn as a dashed level.
    """
    ticks = _ticks(frame[x])
    extras = [*_bounds(frame, y), *_present(frame, "guess", "guess_most", target)]
    axis = alt.Scale(domain=_domain(frame, f"{y}_low", f"{y}_high", *extras), nice=False)
    base = alt.Chart().encode(
        x=alt.X(
            f"{x}:Q",
            title=x_title,
            axis=alt.Axis(values=ticks, format="d"),
            scale=alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False),
        )
    )

    def at(column: str) -> alt.Y:
        return alt.Y(f"{column}:Q", title=y_title, axis=PERCENT, scale=axis)

    looks: dict[str, list[Any]] = {name: each for name, *each in zip(*scale, strict=True)}
    several = frame["panel"].n_unique() > 1
    made = []
    for where, name in frame.select("panel", "series").unique(maintain_order=True).iter_rows():
        within = frame.filter(pl.col("panel") == where)
        part = within.filter(pl.col("series") == name)
        layers = _band(base, y, at, looks[name], _bounds(part, y))
        if _present(part, "guess"):
            guessed = base.mark_area(color=GUESS, opacity=0.35)
            layers.insert(0, guessed.encode(y=at("guess"), y2="guess_most:Q"))
        if target is not None:
            level = base.mark_line(strokeDash=[5, 4], strokeWidth=1.5, color=looks[name][0])
            layers.append(level.encode(y=at(target)))
        if (others := within.filter(pl.col("series") != name)).height:
            behind = alt.Chart(data(others.select(x, y, "series")))
            grey = behind.mark_line(color=QUIET, strokeWidth=1.5)
            layers.insert(0, grey.encode(x=f"{x}:Q", y=at(y), detail="series:N"))
        title = alt.Title(name, subtitle=where) if several else name
        panel = alt.layer(*layers, data=data(part))
        made.append(panel.properties(width=SMALL_WIDTH, height=PANEL_HEIGHT, title=title))
    return side_by_side(made, columns=SMALL_COLUMNS)


def _band(
    base: Any, y: str, at: Callable[[str], alt.Y], look: Sequence[Any], bounds: Sequence[str]
) -> list[Any]:
    """A line with its points, its interval, and thin lines for its bounds."""
    ink, marker, dashes = look
    thin = base.mark_line(color=ink, strokeWidth=0.8)
    line = base.mark_line(color=ink, strokeWidth=2, strokeDash=dashes or [1, 0])
    points = base.mark_point(color=ink, shape=marker, filled=True, size=45, opacity=1)
    return [
        base.mark_area(color=ink, opacity=0.2).encode(y=at(f"{y}_low"), y2=f"{y}_high:Q"),
        *(thin.encode(y=at(bound)) for bound in bounds),
        line.encode(y=at(y)),
        points.encode(y=at(y)),
    ]


def _present(frame: pl.DataFrame, *names: str | None) -> list[str]:
    """Those of some columns that say anything."""
    return [name for name in names if name and name in frame.columns and frame[name].count()]


def _bounds(frame: pl.DataFrame, value: str) -> list[str]:
    """The columns of the bounds, where any differs from the interval."""
    if "bound_low" not in frame.columns:
        return []
    below = (frame[f"{value}_low"] - frame["bound_low"]).max()
    above = (frame["bound_high"] - frame[f"{value}_high"]).max()
    return ["bound_low", "bound_high"] if max(_number(below), _number(above)) > 1e-9 else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _domain(frame: pl.DataFrame, *columns: str, step: float = 0.05) -> list[float]:
    """From the least to the most of some columns, to the next twentieth."""
    found = [
        each
        for column in columns
        for each in (frame[column].fill_nan(None).min(), frame[column].fill_nan(None).max())
        if isinstance(each, (int, float))
    ]
    if not found:
        return [0.0, 1.0]
    low, high = math.floor(min(found) / step + 1e-9), math.ceil(max(found) / step - 1e-9)
    return [round(low * step, 9), round(max(high, low + 1) * step, 9)]


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
    ratio: bool = False,
    start: str | None = None,
) -> Spec:
    """Points with intervals, one row a name: a forest plot, one panel a value of ``panel``.

    Where a row has several series, they stand one below the other within it. Where the frame has
    ``bound_low`` and ``bound_high``, thinner rules are drawn for them; ``guess_most`` is a tick.

    Args:
        zero_line: draw a line at 0, and so hold the axis to it.
        ratio: the values are ratios, not shares: a logarithmic axis, and the line at 1.
        start: a column with the value that the row began with, drawn as an open circle.
    """
    several = series not in (None, row) and frame.group_by(panel, row).len()["len"].max() != 1
    bounds = _bounds(frame, value)
    extras = [*bounds, *_present(frame, start, "guess_most")]
    low, high = _domain(frame, value, f"{value}_low", f"{value}_high", *extras)
    line = 1.0 if ratio else 0.0 if zero_line else None
    ends = [low, high] if line is None else [min(low, line), max(high, line)]
    marks = alt.Axis(format="~g", tickCount=5) if ratio else PERCENT

    def along(column: str) -> alt.X:
        axis = alt.Scale(type="log" if ratio else "linear", domain=ends, nice=False)
        return alt.X(f"{column}:Q", title=title, axis=marks, scale=axis)

    base = alt.Chart().encode(**_rows(frame, row, series, scale, several=several))
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=along(f"{value}_low"), x2=f"{value}_high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(x=along(value)),
    ]
    if bounds:
        thin = base.mark_rule(strokeWidth=0.8)
        layers.insert(0, thin.encode(x=along("bound_low"), x2="bound_high:Q"))
    if start in extras:
        layers.append(base.mark_point(filled=False, size=50, opacity=1).encode(x=along(str(start))))
    if "guess_most" in extras:
        tick = base.mark_tick(thickness=2)
        layers.append(tick.encode(x=along("guess_most"), color=alt.value(GUESS)))
    if line is not None:
        nothing = alt.Chart().mark_rule(strokeDash=[3, 3], opacity=0.6)
        layers.insert(0, nothing.encode(x=alt.datum(line)))

    folds = (frame[row].cast(pl.String).str.len_chars() > LONGEST_ROW).any()

    def one(part: pl.DataFrame) -> Any:
        within = part[series].n_unique() if series and several else 1
        rows = part[row].n_unique() * (0.7 * (within + 1) if within > 1 else 1)
        height = max(2, rows) * (FOLDED_HEIGHT if folds else ROW_HEIGHT)
        return alt.layer(*layers, data=data(part)).properties(height=height)

    return _panels(frame, panel, one)


def _rows(
    frame: pl.DataFrame, row: str, series: str | None, scale: Scale | None, *, several: bool
) -> dict[str, Any]:
    """The encodings of a row's name, and of its colour where that says anything."""
    names = alt.Y(f"{row}:N", title=None, sort=None, axis=alt.Axis(labelExpr=_FOLDED))
    if series is None or frame[series].n_unique() < 2:
        ink = scale.colours[0] if scale is not None and len(scale.names) == 1 else SERIES[0]
        return {"y": names, "color": alt.value(ink)}
    shade = colour(series, series, scale)
    encode = {"y": names, "color": shade.legend(None) if series == row else shade}
    order = scale.names if scale is not None else None
    return encode | ({"yOffset": alt.YOffset(f"{series}:N", sort=order)} if several else {})


# Long names of rows stand on two lines, broken where two are subtracted or joined.
_FOLDED = (
    f"length(datum.label) > {LONGEST_ROW} ? "
    "split(replace(replace(datum.label, ' − ', '\\n− '), '; ', ';\\n'), '\\n') : datum.label"
)


def stacked(frame: pl.DataFrame, part: str, *, title: str, order: dict[str, str]) -> Spec:
    """Each ``share`` of a whole as stacked bars, one row a ``condition``, by ``panel``.

    Args:
        part: column of the parts.
        order: by part, its colour.

    Parts that no row is of are left out of the legend.
    """
    inks = {name: ink for name, ink in order.items() if name in frame[part]}
    places = pl.col(part).replace_strict([*order], range(len(order)))
    frame = frame.with_columns(places.alias("order"))
    chart = (
        alt.Chart()
        .mark_bar()
        .encode(
            x=alt.X("share:Q", title=title, axis=PERCENT, stack="zero"),
            y=alt.Y("condition:N", title=None, sort=None),
            color=alt.Color(
                f"{part}:N", title=None, scale=alt.Scale(domain=[*inks], range=[*inks.values()])
            ),
            order=alt.Order("order:Q"),
        )
    )

    def one(rows: pl.DataFrame) -> Any:
        height = max(2, rows["condition"].n_unique()) * ROW_HEIGHT
        return alt.layer(chart, data=data(rows)).properties(height=height)

    return _panels(frame, "panel", one)


def upset(frame: pl.DataFrame, solvers: list[str]) -> Spec:
    """An UpSet plot: bars of how many belong to exactly a set, above a matrix of who is in it.

    Args:
        frame: one row a set: ``solver`` is a list of those in it, ``count`` the bar's height,
            ``panel`` names the plot that it is in, one below the other.
        solvers: all names, in the order of the matrix.

    Source: Lex et al. (2014), UpSet, IEEE TVCG 20:1983-1992.
    """
    made = [
        _upset(frame.filter(pl.col("panel") == name), str(name), solvers)
        for name in frame["panel"].unique(maintain_order=True)
    ]
    return _spec(alt.vconcat(*made))


def _upset(part: pl.DataFrame, title: str, solvers: list[str]) -> Any:
    part = part.sort("count", descending=True, maintain_order=True).with_row_index("place")
    place = alt.X("place:O", axis=None)
    bars = alt.Chart(data(part.drop("solver"))).encode(
        x=place, y=alt.Y("count:Q", title="problems")
    )
    width = max(3, part.height) * ROW_HEIGHT
    top = alt.layer(
        bars.mark_bar(color=SERIES[0]), bars.mark_text(dy=-7).encode(text="count:Q")
    ).properties(height=PANEL_HEIGHT * 0.7, title=title, width=width)
    inside = part.select("place", "solver").explode("solver")
    every = part.select("place").join(pl.DataFrame({"solver": solvers}), how="cross")
    who = alt.Y("solver:N", title=None, sort=solvers, axis=alt.Axis(domain=False, ticks=False))
    matrix = alt.layer(
        alt.Chart(data(every)).mark_circle(color=QUIET, size=90, opacity=1).encode(x=place, y=who),
        alt.Chart(data(inside))
        .mark_circle(color=SERIES[0], size=90, opacity=1)
        .encode(x=place, y=who),
    ).properties(height=len(solvers) * ROW_HEIGHT, width=width)
    return alt.vconcat(top, matrix, spacing=4).resolve_scale(x="shared")


def maps(frame: pl.DataFrame, panel: str, x: str, y: str, value: str, p: str) -> Spec:
    """Maps of a value by two others, side by side, 0 in the ground's colour, each its own scale.

    A dot marks where ``p`` is below 0.05. A line break in a panel's name is one in its title.
    """
    rows = frame[y].unique(maintain_order=True).to_list()
    made = []
    for name in frame[panel].unique(maintain_order=True):
        part = frame.filter(pl.col(panel) == name)
        most = _number(part[value].abs().max()) or 1.0
        ink = alt.Scale(domain=[-most, 0, most], range=["#0072b2", "#f2f2f2", "#d55e00"])
        places = alt.Chart(data(part)).encode(
            x=alt.X(f"{x}:O", title=x, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y(f"{y}:N", title=None, sort=rows),
        )
        cells = places.mark_rect().encode(
            color=alt.Color(f"{value}:Q", scale=ink, legend=alt.Legend(title=None))
        )
        clear = alt.datum[p] < 0.05
        dots = places.mark_circle(size=14, color="#1a1a1a", opacity=1).transform_filter(clear)
        made.append(
            (cells + dots).properties(
                width=MAP_WIDTH, height=len(rows) * ROW_HEIGHT, title=str(name).split("\n")
            )
        )
    return _spec(alt.concat(*made, columns=SMALL_COLUMNS).resolve_scale(color="independent"))


def _panels(frame: pl.DataFrame, panel: str, one: Callable[[pl.DataFrame], Any]) -> Spec:
    """One panel a value, two in a row, one legend for all."""
    names = frame[panel].unique(maintain_order=True)
    width = PANEL_WIDTH if len(names) > 1 else 2 * PANEL_WIDTH
    sides = {name: one(frame.filter(pl.col(panel) == name)) for name in names}
    made = [
        side.properties(width=width, title=str(name).split("\n")) for name, side in sides.items()
    ]
    return side_by_side(made, columns=2)


def side_by_side(made: Sequence[Any], columns: int) -> Spec:
    chart = alt.concat(*made, columns=columns)
    return _spec(chart.resolve_scale(color="shared", yOffset="independent"))


def _spec(chart: Any) -> Spec:
    """A chart as a specification; all figures have one configuration, ``theme.CONFIG``."""
    spec: Spec = chart.to_dict(validate=False)
    spec.pop("config", None)
    return spec


def narrowed(spec: Spec) -> Spec:
    """The same figure for a narrow page: its panels one below the other."""
    if "concat" not in spec:
        return spec
    panels = [each | {"width": min(each["width"], NARROW_WIDTH)} for each in spec["concat"]]
    return spec | {"columns": 1, "concat": panels}


def data(frame: pl.DataFrame) -> alt.InlineData:
    """The rows inline, not-a-number as null: JSON knows no nan."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return alt.InlineData(values=frame.with_columns(pl.col(floats).fill_nan(None)).to_dicts())
