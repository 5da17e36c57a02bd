"""Rows of our own making in each task's schema: ``tests/cases/rows.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROWS: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("cases").joinpath("rows.json").read_text("utf-8")
)
