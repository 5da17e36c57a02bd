"""Text of models and data sets as figures, pages and spreadsheets can hold it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

# All that is no Char of XML 1.0 (section 2.2): the chart library ends the process over it.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A cell that begins so is a formula to spreadsheets (OWASP, CSV Injection), unless it is a number.
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+-]?[0-9]+([.,][0-9]+)*%?$"


def xml_safe(value: Any) -> Any:
    """The value with every character that XML cannot hold replaced by U+FFFD.

    Args:
        value: text, or lists and dictionaries of it; anything else, markup of our own too, is
            given back.
    """
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return _NO_XML.sub("\ufffd", value)
    if isinstance(value, dict):
        return {xml_safe(key): xml_safe(each) for key, each in value.items()}
    return [xml_safe(each) for each in value] if isinstance(value, list) else value


def inert(cell: str) -> str:
    """A cell that a spreadsheet shows as it stands: a formula gets an apostrophe before it."""
    return f"'{cell}" if re.search(_FORMULA, cell) and not re.search(_NUMBER, cell) else cell


def csv_of(frame: pl.DataFrame) -> str:
    """A table as CSV in which every cell is ``inert``."""
    import polars as pl  # an extra, which only frames need

    text = pl.col(pl.String)
    formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return frame.with_columns(
        pl.when(formula).then(pl.lit("'") + text).otherwise(text).name.keep()
    ).write_csv()
