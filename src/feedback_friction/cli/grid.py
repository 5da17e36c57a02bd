"""Tables for terminals and papers in which a number is never cut.

Where a terminal is too narrow for all columns, the table is printed in parts, one below the other,
each with the columns that name the rows.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, Any

import click
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from feedback_friction.cli.show import plain
from feedback_friction.report.overview import Column
from feedback_friction.report.safe import inert

if TYPE_CHECKING:
    import polars as pl

_GAP = 2
_DIVISORS = (1, 2, 3, 4)  # of the natural width of the columns of text, tried for the fewest lines
_NARROWEST = 10  # words longer than it are broken where nothing else fits
_UNLIMITED = 10_000  # columns of a pipe or a file
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": "$-$", "×": r"$\times$", "<": r"$<$", ">": r"$>$",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


_FOLDER = Console(markup=False)  # prints nothing: rich folds by a console's settings
Part = list[tuple[Column, int]]  # columns side by side, each with its width


def columns(headings: Iterable[str], rows: Iterable[Sequence[str]], texts: int) -> list[Column]:
    """Columns of some rows, of which the first ``texts`` are text and the others numbers."""
    cells = list(zip(*rows, strict=True))
    return [
        Column(name, cells[place] if cells else (), number=place >= texts)
        for place, name in enumerate(headings)
    ]


def frame_columns(
    table: pl.DataFrame, names: Sequence[str], cell: Callable[[dict[str, Any], str], str]
) -> list[Column]:
    """Columns of a frame, each estimate in one cell with its limits (``NAME_low``, ``NAME_high``).

    Args:
        names: the columns to show; limits are left out.
        cell: writes the cell of a row and name, such as ``in_cell``.
    """
    rows = table.to_dicts()
    return [
        Column(
            name.replace("_", " "),
            tuple(cell(row, name) for row in rows),
            number=table.schema[name].is_numeric(),
        )
        for name in names
        if not name.endswith(("_low", "_high"))
    ]


def fitted(found: Sequence[Column], width: int) -> list[Part]:
    """The columns in parts that fit a width, laid out for the fewest lines.

    Columns of text begin every part, and fold where that saves lines. A number that is wider than
    the width is printed all the same.
    """
    layouts = [
        _parts(found, width, divisor, narrowest, whole=whole)
        for whole in (True, False)
        for narrowest in (width, _NARROWEST)
        for divisor in _DIVISORS
    ]
    return min(layouts, key=lambda parts: (_overrun(parts, width), sum(map(_lines, parts))))


def _parts(
    found: Sequence[Column], width: int, divisor: int, narrowest: int, *, whole: bool
) -> list[Part]:
    """One layout: text folded to a part of its width, headings ``whole`` or folded, too."""

    def needed(column: Column) -> int:
        heading = [column.name] if whole else column.name.split()
        return max(map(cell_len, (*column.cells, *heading, "")))

    texts = [
        (each, max(-(-needed(each) // divisor), min(_longest_word(each), narrowest)))
        for each in found
        if not each.number
    ]
    taken = sum(least + _GAP for _, least in texts)
    parts: list[Part] = [[]]
    used = taken
    for column in (each for each in found if each.number):
        if parts[-1] and used + needed(column) > width:
            parts.append([])
            used = taken
        parts[-1].append((column, needed(column)))
        used += needed(column) + _GAP
    return [_widened(texts, width - sum(w + _GAP for _, w in part)) + part for part in parts]


def _longest_word(column: Column) -> int:
    words = (word for text in (*column.cells, column.name) for word in text.split())
    return max(map(cell_len, words), default=0)


def _widened(texts: Part, room: int) -> Part:
    """The columns of text with what room is left, the first ones first."""
    spare = room - sum(least + _GAP for _, least in texts) + _GAP
    widened = []
    for column, least in texts:
        most = max(map(cell_len, (column.name, *column.cells)))
        more = max(0, min(most - least, spare))
        spare -= more
        widened.append((column, least + more))
    return widened


def _lines(part: Part) -> int:
    """Lines that a part takes, about: its heading, and its rows as often as they fold."""
    rows = zip(*((column.name, *column.cells) for column, _ in part), strict=True)
    widths = [max(width, 1) for _, width in part]
    return 2 + sum(
        max(-(-cell_len(cell) // width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def _overrun(parts: Sequence[Part], width: int) -> int:
    return max(0, *(sum(w + _GAP for _, w in part) - _GAP - width for part in parts))


def terminal() -> Console:
    """Standard output; without a limit of width where that is no terminal (a pipe, a file)."""
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, markup=False, width=_UNLIMITED)


def print_columns(
    found: Sequence[Column], *, title: str = "", sections: Sequence[str] | None = None
) -> None:
    """Print a table to standard output, in parts where the terminal is narrow.

    Args:
        title: a line above it.
        sections: for each row, the heading that it stands under.
    """
    console = terminal()
    if title:
        console.print(plain(title), style="bold")
    for line in drawn(found, console.width, sections):
        console.print(line, no_wrap=True, crop=False, overflow="ignore")


def print_rows(
    headings: Iterable[str], rows: Iterable[Sequence[str]], *, texts: int, title: str = ""
) -> None:
    """Print rows under their headings, of which the first ``texts`` columns are text."""
    print_columns(columns(headings, rows, texts=texts), title=title)


def differing(labels: Mapping[str, Sequence[str]]) -> list[Column]:
    """Columns of the labels that differ between rows, and of the feedback."""
    return [
        Column(name, tuple(cells))
        for name, cells in labels.items()
        if name == "feedback" or len({*cells}) > 1
    ]


def print_tables(
    tables: Mapping[str, list[Column]],
    notes: Sequence[str],
    form: str,
    sectioned: Callable[[list[Column]], tuple[list[str] | None, list[Column]]],
) -> None:
    """Print tables by their titles, and the notes on them, as ``table``, ``markdown``, ``latex``.

    Args:
        sectioned: the headings of a table's rows in the terminal, and the columns below them.
    """
    if form != "table":
        click.echo(for_papers(tables, notes, form))
        return
    for title, table in tables.items():
        headings, shown = sectioned(table)
        print_columns(shown, title=title, sections=headings)
        click.echo()
    print_lines(notes)


def print_json(found: Any) -> None:
    """Print a JSON document; a frame in it is an array of rows, where nan is null."""
    click.echo(
        json.dumps(found, ensure_ascii=False, default=lambda frame: json.loads(frame.write_json()))
    )


def print_lines(lines: Iterable[str]) -> None:
    """Print lines below a table, folded between words where the terminal is narrow."""
    console = terminal()
    for line in lines:
        console.print(plain(line))


def drawn(
    found: Sequence[Column], width: int, sections: Sequence[str] | None = None
) -> Iterator[Text]:
    """The lines of a table, within a width as far as its numbers let it; see ``print_columns``."""
    for number, part in enumerate(fitted(found, width)):
        if number:
            yield Text("")
        for line in _part(part, sections):
            line.rstrip()
            yield line


def _part(part: Part, sections: Sequence[str] | None) -> Iterator[Text]:
    headings = _row([column.name for column, _ in part], part)
    yield from (Text(line, style="bold") for line in headings)
    yield Text("─" * (sum(width + _GAP for _, width in part) - _GAP))
    rows = list(zip(*(column.cells for column, _ in part), strict=True))
    titles = sections or [""] * len(rows)
    for title, group in groupby(zip(titles, rows, strict=True), key=lambda pair: pair[0]):
        if title:
            yield Text(plain(title).plain, style="italic")
        for _, row in group:
            yield from map(Text, _row(row, part))


def _row(cells: Sequence[str], part: Part) -> Iterator[str]:
    """The lines of one row: cells folded to their widths, and set flush."""
    folded = [
        [each.plain.rstrip() for each in plain(cell).wrap(_FOLDER, max(width, 1), overflow="fold")]
        for cell, (_, width) in zip(cells, part, strict=True)
    ]
    for line in zip_longest(*folded, fillvalue=""):
        yield (" " * _GAP).join(
            " " * (width - cell_len(cell)) + cell
            if column.number
            else cell + " " * (width - cell_len(cell))
            for cell, (column, width) in zip(line, part, strict=True)
        )


def for_papers(tables: Mapping[str, Sequence[Column]], notes: Sequence[str], form: str) -> str:
    """Tables by their titles, and what must be read beside them, as ``markdown`` or ``latex``."""
    if form == "markdown":
        parts = [f"**{title}**\n\n{markdown(table)}" for title, table in tables.items()]
        return "\n".join([*parts, *(f"- {line}" for line in notes)])
    comments = "".join(f"% {' '.join(line.split())}\n" for line in notes)
    return comments + "\n".join(f"% {title}\n{latex(table)}" for title, table in tables.items())


def markdown(found: Sequence[Column]) -> str:
    """The table as Markdown."""
    rule = ["---:" if column.number else "---" for column in found]
    lines = [[_marked(column.name) for column in found], rule]
    lines += [[_marked(cell) for cell in row] for row in _rows(found)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _marked(text: str) -> str:
    return re.sub(r"([\\|*_`<>\[\]#])", r"\\\1", " ".join(text.split()))


def latex(found: Sequence[Column]) -> str:
    """The table as LaTeX, for the package booktabs."""
    kinds = "".join("r" if column.number else "l" for column in found)
    heading = " & ".join(_escaped(column.name) for column in found)
    lines = (" & ".join(map(_escaped, row)) for row in _rows(found))
    # A bracket that begins a row would be an argument of the row end before it.
    rows = "".join(f"{'{}' if line.startswith('[') else ''}{line} \\\\\n" for line in lines)
    return (
        f"\\begin{{tabular}}{{{kinds}}}\n\\toprule\n{heading} \\\\\n\\midrule\n{rows}"
        "\\bottomrule\n\\end{tabular}\n"
    )


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(text.split()))


def _rows(found: Sequence[Column]) -> Iterator[tuple[str, ...]]:
    return zip(*(column.cells for column in found), strict=True)


def csv_of(found: Sequence[Column]) -> str:
    """The table as CSV in which no cell is a formula: such text gets an apostrophe before it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(column.name for column in found)
    writer.writerows([inert(cell) for cell in row] for row in _rows(found))
    return written.getvalue()
