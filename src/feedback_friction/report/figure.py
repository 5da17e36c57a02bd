"""A figure: a chart with its table, its caption and the words for those who cannot see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from feedback_friction.report.theme import Mode, config

PNG_SCALE = 2.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a report.

    Attributes:
        name: file name without ending.
        title: what it is about, in a few words.
        caption: what is drawn, and how to read it.
        alt: what there is to see, for those who cannot.
        chart: an Altair chart as a Vega-Lite specification.
        table: the numbers behind it.
    """

    name: str
    title: str
    caption: str
    alt: str
    chart: dict[str, Any]
    table: pl.DataFrame

    def svg(self, mode: Mode) -> str:
        """The figure as SVG text; the light one has a white ground, the dark one none."""
        import vl_convert

        text: str = vl_convert.vegalite_to_svg(self.chart, config=config(mode))
        return text

    def save(self, directory: Path) -> list[Path]:
        """Write SVG, PNG, PDF (fonts embedded) and the table as CSV; returns the files."""
        import vl_convert

        light = config("light")
        files = {
            "svg": self.svg("light").encode(),
            "png": vl_convert.vegalite_to_png(self.chart, config=light, scale=PNG_SCALE),
            "pdf": vl_convert.vegalite_to_pdf(self.chart, config=light),
            "csv": self.table.write_csv().encode(),
        }
        written = []
        for ending, content in files.items():
            path = directory / f"{self.name}.{ending}"
            path.write_bytes(content)
            written.append(path)
        return written
