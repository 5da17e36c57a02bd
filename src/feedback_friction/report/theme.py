"""One look for all figures, light and dark, in colours that colour-blind readers tell apart.

Colours are Okabe and Ito's (2008); a mode keeps its own (``modes.Look``) in every figure, and where
colour says something a dash or a place says it too.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from feedback_friction.errors import UsageError
from feedback_friction.mode_names import recorded_mode
from feedback_friction.modes import MODES
from feedback_friction.ways import TRANSCRIPT, parse_way

SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#b8a800"]
QUIET = "#d3d3d3"  # a place that is there and not meant
_INK, _GRID, _GROUND = "#1b1b1b", "#dddddd", "#ffffff"
_DARK = {_INK: "#ececec", _GRID: "#444444", _GROUND: "none", QUIET: "#4a4a4a"}
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
GUESS = "#9a9a9a"  # what a guesser reaches
# As wide as the page lets them: two panels with names of rows, or three without.
PANEL_WIDTH, PANEL_HEIGHT, ROW_HEIGHT, FOLDED_HEIGHT = 260, 170, 20, 32
SMALL_WIDTH, SMALL_COLUMNS, MAP_WIDTH = 220, 3, 180
NARROW_WIDTH = 165  # beside names of rows, on a telephone


_TEXT = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 12, "titleFontSize": 12}
CONFIG: dict[str, Any] = {  # of Vega-Lite
    "font": FONT,
    "background": _GROUND,
    "view": {"stroke": _GRID},
    "axis": {
        **_TEXT, "gridColor": _GRID, "domainColor": _INK, "tickColor": _INK, "labelLimit": 320,
    },
    "legend": {
        **_TEXT, "labelLimit": 300, "symbolStrokeWidth": 2, "symbolOpacity": 1,
        "orient": "top", "direction": "horizontal", "columns": 3, "title": None,
    },
    "header": {**_TEXT, "labelFontSize": 13, "labelFontWeight": "bold", "labelLimit": 320},
    "title": {
        "color": _INK, "fontSize": 13, "limit": 420, "anchor": "start", "subtitleColor": _INK,
        "subtitleFontSize": 11,
    },
    "concat": {"spacing": 28},
    "range": {"category": SERIES},
    "text": {"color": _INK},
    "rule": {"color": _INK},
}  # fmt: skip


def adapting(svg: str) -> str:
    """The same drawing, in light ink and without a ground where the reader asks for dark pages."""
    rules = "".join(
        f'[{part}="{light}"]{{{part}:{dark}}}'
        for light, dark in _DARK.items()
        for part in ("fill", "stroke")
    )
    opening = svg.index(">", svg.index("<svg")) + 1
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    return svg[:opening] + style + svg[opening:]


class Scale(NamedTuple):
    """The series of a figure in their order: colour, shape of the points, dashes of the line."""

    names: list[str]
    colours: list[str]
    shapes: list[str]
    dashes: list[list[int]]


def feedback_scale(names: Iterable[str]) -> Scale:
    """The scale of series that occur, in the order of the modes.

    Args:
        names: each a mode's name, and the way after a comma where it is not the usual one.
    """
    order = {name: place for place, name in enumerate(MODES)}
    by_mode = [(recorded_mode(name.partition(", ")[0]), name) for name in {*names}]
    by_mode.sort(key=lambda pair: (order.get(pair[0].name, len(order)), pair[1]))
    looks = [mode.look for mode, _ in by_mode]
    return Scale(
        [name for _, name in by_mode],
        [look.colour for look in looks],
        [look.marker for look in looks],
        [_dashes(name.partition(", ")[2]) for _, name in by_mode],
    )


def _dashes(history: str) -> list[int]:
    with suppress(UsageError):  # a name of a later version
        shown, solve = parse_way(history or TRANSCRIPT.name)
        return list(solve.dashes or shown.dashes)
    return []
