"""A figure: a chart with its table, its caption and the words for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from feedback_friction.report.charts import narrowed
from feedback_friction.report.safe import csv_of, xml_safe
from feedback_friction.report.theme import CONFIG

PNG_SCALE = 2.0
NARROW = {  # names as long as fit beside a panel
    "axis": {"labelLimit": 160},
    "legend": {"columns": 2, "labelLimit": 150},
    "title": {"limit": 340},
}


class NothingToDrawError(Exception):
    """The runs hold nothing of what a figure shows."""


def some(table: pl.DataFrame) -> pl.DataFrame:
    """The table itself; raises ``NothingToDrawError`` where it has no rows."""
    if table.is_empty():
        raise NothingToDrawError
    return table


@dataclass(frozen=True)
class Figure:
    """One figure of a report, laid out (the slow part) when it is first asked for."""

    name: str  # file name without ending
    title: str  # what it is about, in a few words
    caption: str  # what is drawn, and how to read it
    alt: str  # what there is to see, for those who cannot
    chart: dict[str, Any]  # an Altair chart as a Vega-Lite specification
    table: pl.DataFrame  # the numbers behind it

    @cached_property
    def light(self) -> str:
        """SVG text on white."""
        return _svg(self.chart, {})

    @cached_property
    def narrow(self) -> str:
        """The same for a narrow page."""
        return _svg(narrowed(self.chart), NARROW)

    def save(self, directory: Path) -> None:
        """Write SVG, PNG, PDF (its fonts embedded) and the table as CSV."""
        import vl_convert

        files = {
            "svg": self.light.encode(),
            "png": vl_convert.svg_to_png(self.light, scale=PNG_SCALE),
            "pdf": vl_convert.svg_to_pdf(self.light),
            "csv": csv_of(self.table).encode(),
        }
        for ending, content in files.items():
            (directory / f"{self.name}.{ending}").write_bytes(content)


def _svg(chart: dict[str, Any], names: dict[str, Any]) -> str:
    import vl_convert

    config = CONFIG | {key: CONFIG[key] | more for key, more in names.items()}
    return str(vl_convert.vegalite_to_svg(xml_safe(chart), config=config))
