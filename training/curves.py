"""A picture of the training logs."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import polars as pl

STAGES = ("answers", "trials", "own")
NAMES = {"loss": "loss per token (nats)", "right": "tokens predicted (share)"}


def draw(folder: Path, picture: Path) -> None:
    """Loss and share of predicted tokens, stage by stage; PNG or SVG by the picture's name."""
    stages, seen = [], 0
    for number, stage in enumerate(STAGES, 1):
        log = pl.read_csv(folder / f"{stage}.csv").with_columns(
            pl.col("tokens") + seen, stage=pl.lit(f"{number}: {stage}")
        )
        seen = log["tokens"][-1]
        stages.append(log)
    rows = pl.concat(stages).unpivot(list(NAMES), index=["tokens", "stage"], variable_name="what")
    panels = [_panel(rows.filter(pl.col("what") == what), name) for what, name in NAMES.items()]
    alt.hconcat(*panels).save(str(picture), scale_factor=2)


def _panel(rows: pl.DataFrame, name: str) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_line()
        .encode(
            x=alt.X("tokens:Q", title="tokens seen", axis=alt.Axis(format="~s")),
            y=alt.Y("value:Q", title=name, scale=alt.Scale(zero=True)),
            color=alt.Color("stage:N", title="stage"),
        )
        .properties(width=320, height=200)
    )
