"""One look for all figures, light and dark, in colours that colour-blind readers tell apart.

Colours are Okabe and Ito's (2008); a mode keeps its colour in every figure, and where colour says
something a dash or a place says it too.
"""

from __future__ import annotations

from typing import Any

FEEDBACK_COLOURS = {
    "retry": "#8c8c8c",
    "placebo": "#56b4e9",
    "binary": "#0072b2",
    "self": "#e69f00",
    "process": "#009e73",
    "strong": "#d55e00",
    "tutor": "#cc79a7",
}
SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c", "#b8a800"]
QUIET = "#d3d3d3"  # a place that is there and not meant
SHAPES = ["circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-right"]
_INK, _GRID, _GROUND = "#1b1b1b", "#dddddd", "#ffffff"
_DARK = {_INK: "#ececec", _GRID: "#444444", _GROUND: "none", QUIET: "#4a4a4a"}
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
# Two panels and a legend are as wide as a page of a paper when 12 pixels are 8 points.
PANEL_WIDTH, PANEL_HEIGHT, ROW_HEIGHT = 240, 170, 20


_TEXT = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 12, "titleFontSize": 12}
CONFIG: dict[str, Any] = {  # of Vega-Lite
    "font": FONT,
    "background": _GROUND,
    "view": {"stroke": _GRID},
    "axis": {
        **_TEXT, "gridColor": _GRID, "domainColor": _INK, "tickColor": _INK, "labelLimit": 320,
    },
    "legend": {**_TEXT, "labelLimit": 300, "symbolStrokeWidth": 2, "symbolOpacity": 1},
    "header": {**_TEXT, "labelFontSize": 13, "labelFontWeight": "bold", "labelLimit": 320},
    "title": {"color": _INK, "fontSize": 13, "limit": 420, "anchor": "start"},
    "concat": {"spacing": 28},
    "range": {"category": SERIES},
    "text": {"color": _INK},
    "rule": {"color": _INK},
}  # fmt: skip


def darkened(svg: str) -> str:
    """The same drawing in light ink and without a ground, to stand on a dark page."""
    for light, dark in _DARK.items():
        for part in ("fill", "stroke"):
            svg = svg.replace(f'{part}="{light}"', f'{part}="{dark}"')
    return svg


def feedback_colours(modes: list[str]) -> tuple[list[str], list[str]]:
    """Domain and range of the colour scale for the feedback modes that occur."""
    order = [*FEEDBACK_COLOURS]
    known = sorted({*modes}, key=lambda mode: (order.index(_base(mode)), mode))
    return known, [FEEDBACK_COLOURS[_base(mode)] for mode in known]


def _base(mode: str) -> str:
    base = mode.partition(":")[0]
    return base if base in FEEDBACK_COLOURS else "retry"
