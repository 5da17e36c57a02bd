"""One look for all figures, light and dark, in colours that colour-blind readers tell apart.

Colours are Okabe and Ito's (2008); a mode keeps its colour in every figure, and where colour says
something a dash or a place says it too.
"""

from __future__ import annotations

from typing import Any, Literal

Mode = Literal["light", "dark"]

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
_INK: dict[Mode, str] = {"light": "#1b1b1b", "dark": "#ececec"}
_GRID: dict[Mode, str] = {"light": "#dddddd", "dark": "#444444"}
FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
PANEL_WIDTH, PANEL_HEIGHT, ROW_HEIGHT = 300, 200, 22


def config(mode: Mode) -> dict[str, Any]:
    """The Vega-Lite configuration of a mode."""
    ink, grid = _INK[mode], _GRID[mode]
    text = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "font": FONT,
        "background": "transparent" if mode == "dark" else "white",
        "view": {"stroke": grid},
        "axis": {
            **text,
            "gridColor": grid,
            "domainColor": ink,
            "tickColor": ink,
            "labelLimit": 320,
        },
        "legend": {**text, "labelLimit": 300, "symbolStrokeWidth": 2, "symbolOpacity": 1},
        "header": {**text, "labelFontSize": 13, "labelFontWeight": "bold", "labelLimit": 320},
        "title": {"color": ink, "fontSize": 13, "limit": 420, "anchor": "start"},
        "concat": {"spacing": 28},
        "range": {"category": SERIES},
        "text": {"color": ink},
        "rule": {"color": ink},
    }


def feedback_colours(modes: list[str]) -> tuple[list[str], list[str]]:
    """Domain and range of the colour scale for the feedback modes that occur."""
    order = [*FEEDBACK_COLOURS]
    known = sorted(set(modes), key=lambda mode: (order.index(_base(mode)), mode))
    return known, [FEEDBACK_COLOURS[_base(mode)] for mode in known]


def _base(mode: str) -> str:
    base = mode.partition(":")[0]
    return base if base in FEEDBACK_COLOURS else "retry"
