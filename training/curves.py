"""A picture of a training log."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl

NAMES = {"loss": "loss per token (nats)", "right": "tokens predicted (share)"}


def draw(log: Path, picture: Path) -> None:
    """Loss and share of predicted tokens against the tokens seen; PNG or SVG by the file's name."""
    rows = pl.read_csv(log).unpivot(list(NAMES), index="tokens", variable_name="what")
    panels = [_panel(rows.filter(pl.col("what") == what), name) for what, name in NAMES.items()]
    alt.hconcat(*panels).save(str(picture), scale_factor=2)


def _panel(rows: pl.DataFrame, name: str) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line()
        .encode(
            x=alt.X("tokens:Q", title="tokens seen", axis=alt.Axis(format="~s")),
            y=alt.Y("value:Q", title=name, scale=alt.Scale(zero=True)),
        )
        .properties(width=320, height=200)
    )
