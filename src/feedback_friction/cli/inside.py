"""``friction inside``: what happens within a model at the places of a recorded run."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from feedback_friction.caveats import caveats
from feedback_friction.cli.click_options import JSON, RUN
from feedback_friction.cli.drive import resumable
from feedback_friction.cli.grid import frame_columns, print_columns, print_json, print_lines
from feedback_friction.errors import UsageError
from feedback_friction.extras import need
from feedback_friction.options import refuse_unknown
from feedback_friction.report.overview import in_cell

if TYPE_CHECKING:
    import polars as pl

    from feedback_friction.inside.places import Found

WHAT = ("attention", "knockout", "replies", "lens", "attribution", "patching", "steering")
ROWS = 30  # of a table in the terminal; --json has them all


@click.command("inside")
@RUN
@click.option(
    "--model", required=True, metavar="MODEL",
    help="The solver's weights: a folder or an id in Hugging Face's cache, or a GGUF file.",
)  # fmt: skip
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N",
    help="Maximum number of problems, chosen by seed.",
)  # fmt: skip
@click.option("--what", metavar="LIST", help=f"Some of {','.join(WHAT)}.  [all]")
@click.option("--layers", metavar="LIST", help="Layers to cut and patch: 0-3,7.  [a choice]")
@click.option(
    "--attempt", type=click.IntRange(min=2), default=2, show_default=True,
    help="The attempt to analyse.",
)  # fmt: skip
@click.option("--condition", "only", multiple=True, metavar="NAME", help="Only this one.")
@click.option("--as-is", is_flag=True, help="Accept a model that is not the run's solver.")
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@JSON
@click.option("--quiet", is_flag=True, help="Do not show progress.")
def command(
    directory: Path,
    model: str,
    sample: int | None,
    what: str | None,
    layers: str | None,
    as_is: bool,
    as_json: bool,
    quiet: bool,
    **where: Any,
) -> int:
    """Trace the feedback in DIR through the weights of its solver.

    \b
    attention    how much the reply attends to each part of the prompt, by layer and head
    knockout     what the reply loses if it cannot attend to a part; with controls
    replies      the reply regenerated under that cut: is the correction lost? the slowest part
    lens         at which layer the right answer overtakes the repeated one
    attribution  gradients of that margin, by part
    patching     states of a corrected trial patched into one that was not
    steering     a direction towards correction, added during generation; with controls

    The same command resumes. Findings are stored in the run's journal.
    """
    wanted = _wanted(what)
    asked = _layers(layers)
    need("inside", "accelerate", "gguf", "torch", "transformers", "polars", "scipy")
    from feedback_friction.inside.start import look_inside

    started = look_inside(
        directory, model, wanted, layers=asked, sample=sample, as_is=as_is, quiet=quiet, **where
    )
    _print(directory, started.settings, wanted, started.found, started.left_out, as_json=as_json)
    return resumable(directory, started.interrupted)


def _wanted(what: str | None) -> tuple[str, ...]:
    names = tuple(each.strip() for each in what.split(",")) if what is not None else WHAT
    refuse_unknown(names, WHAT, "--what")
    return tuple(name for name in WHAT if name in names)


def _layers(text: str | None) -> tuple[int, ...] | None:
    """The layers that ``0-3,7`` names."""
    if text is None:
        return None
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        right = first.isdecimal() and (not dash or last.isdecimal())
        if not right or max(len(first), len(last)) > 4:  # no model has ten thousand layers
            raise UsageError(f"--layers is a list of layers from 0, such as 0-3,7, not '{text}'")
        found += range(int(first), int(last or first) + 1)
    if not found:
        raise UsageError(f"--layers names no layer: '{text}'")
    return tuple(dict.fromkeys(found))


def _print(
    directory: Path,
    settings: str,
    wanted: tuple[str, ...],
    found: Found,
    left_out: Counter[str],
    *,
    as_json: bool,
) -> None:
    import polars as pl

    from feedback_friction.analysis.frames import load_runs
    from feedback_friction.analysis.tables import inside_table

    runs = load_runs([directory])
    tables = {
        name: table(runs).filter(pl.col("settings") == settings)
        for name, (what, table, _) in inside_table.TABLES.items()
        if what in wanted
    }
    if as_json:
        print_json(as_object(directory, settings, found, left_out, tables))
        return
    for name, table in tables.items():
        if not table.is_empty():
            shown = inside_table.overview(name, table).head(ROWS)
            title = inside_table.TABLES[name][2]
            print_columns(frame_columns(shown, shown.columns, _cell), title=title)
            click.echo()
    solvers = {row["solver"]: bool(row["simulated"]) for row in runs.conditions.to_dicts()}
    print_lines([*_notes(settings, found, left_out), *inside_table.LEGEND, *caveats(solvers)])


def as_object(
    directory: Path,
    settings: str,
    found: Found,
    left_out: Counter[str],
    tables: dict[str, pl.DataFrame],
) -> dict[str, Any]:
    """The object that ``friction inside --json`` prints: what was looked at, and every table."""
    places = Counter((each.condition, each.outcome) for each in found.places)
    return {
        "run": str(directory),
        **json.loads(settings),
        "places": [
            {"condition": condition, "outcome": outcome, "n": count}
            for (condition, outcome), count in places.items()
        ],
        "left_out": dict(left_out),
        "tables": tables,
    }


def _notes(settings: str, found: Found, left_out: Counter[str]) -> list[str]:
    about = json.loads(settings)
    outcomes = Counter(each.outcome for each in found.places)
    counted = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
    lines = [f"{len(found.places)} attempts looked at: {counted}; model {about['model']}"]
    if about["as_is"]:
        lines.append(f"AS IS: {about['model']} is not shown to be the run's solver")
    return lines + [f"left out: {count} {reason}" for reason, count in left_out.items()]


def _cell(row: dict[str, Any], name: str) -> str:
    def plain(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    return in_cell(row, name, plain, is_share=False)
