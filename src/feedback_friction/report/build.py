"""The report: figures and tables as files, and one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib import resources
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from feedback_friction import __version__
from feedback_friction.analysis.frames import Runs, load_runs
from feedback_friction.analysis.provenance import Provenance, provenance
from feedback_friction.analysis.table import fields_of
from feedback_friction.analysis.tables import (
    accuracy_table,
    annotation_table,
    answers,
    comparison,
    dose_response,
    form_effects,
    gold,
    histories,
    inside_table,
    model,
    overall,
    persistent,
    probe_table,
    problems,
    selectivity,
    solvers,
    spending,
    teachers,
)
from feedback_friction.caveats import ABACUS_IS, STUDENT_IS, is_miniature
from feedback_friction.errors import UsageError, reason
from feedback_friction.report import overview
from feedback_friction.report.beside import beside
from feedback_friction.report.figure import Figure
from feedback_friction.report.figures import figures
from feedback_friction.report.findings import findings, gaps
from feedback_friction.report.names_and_colours import panel_of
from feedback_friction.report.overview import Column
from feedback_friction.report.safe import csv_of, xml_safe
from feedback_friction.report.theme import adapting
from feedback_friction.view.sample import style_of_trials, telling_trials

NAMED = 3  # models, or tasks, that the title names
TRIALS_SHOWN = 30  # over all runs
ROOM = 3_000_000  # characters that they may take
ROWS_SHOWN = 30  # rows of a table within the page; its file has them all

TABLES = {
    each.__name__: each
    for each in (
        accuracy_table.accuracy, accuracy_table.summary, accuracy_table.correction,
        comparison.uptake, comparison.pairs, comparison.gains, comparison.solvers,
        model.uptake_model, overall.pooled, overall.variance,
        form_effects.forms, form_effects.repetition_predicted,
        answers.moves, answers.moves_by_iteration, persistent.persistent, histories.histories,
        selectivity.challenges, selectivity.selectivity, dose_response.doses,
        teachers.teachers, teachers.teaching_variance,
        answers.feedback, answers.cost, spending.solved_within,
        problems.subjects, problems.confidence, problems.confidence_summary, problems.popularity,
        solvers.overlap_summary, solvers.overlap_sets,
        annotation_table.categories, annotation_table.target, annotation_table.confusion,
        gold.suspect_gold, annotation_table.without_suspects,
        probe_table.entropy, probe_table.entropy_summary, probe_table.in_domain,
        probe_table.self_perception, probe_table.reader,
    )
} | {name: table for name, (_, table, _) in inside_table.TABLES.items()}  # fmt: skip


def build_report(directories: Sequence[Path], out: Path, *, reference: bool = False) -> Path:
    """Write the report of one or many runs; returns the page.

    Args:
        directories: the run directories.
        out: the directory to write to; what an earlier report left there is replaced by name. Or
            a name that ends in ``.html``, for the page alone, which holds all its figures.
        reference: lay the study's published numbers beside ours.

    Raises:
        UsageError: a directory is no run directory, or ``out`` cannot be written.
    """
    runs = load_runs(directories)
    if runs.attempts.is_empty():
        raise UsageError("nothing to report: no trial of these runs has made an attempt yet")
    made = list(figures(runs, reference=reference))
    page = out if out.suffix == ".html" else out / "index.html"
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        if page != out:
            _save(runs, made, out)
        page.write_text(_page(runs, made), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the report to {out}: {reason(error)}") from error
    return page


def _save(runs: Runs, made: Sequence[Figure], out: Path) -> None:
    """The files beside the page."""
    for name in ("figures", "tables"):
        (out / name).mkdir(exist_ok=True)
    for figure in made:
        figure.save(out / "figures")
    for name, table in TABLES.items():
        frame = table(runs)
        if not frame.is_empty():
            (out / "tables" / f"{name}.csv").write_text(csv_of(frame), encoding="utf-8")


def _page(runs: Runs, made: Sequence[Figure]) -> str:
    import jinja2

    names = runs.names
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=xml_safe
    )
    return environment.from_string(_resource("page.html")).render(
        version=__version__,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        title=_title(runs),
        solvers=_solvers(runs),
        provisional=_provisional(runs, names),
        results=_results(runs, names),
        findings=by_subject(findings(runs)),
        gaps=gaps(runs),
        figures=[_figure(figure) for figure in made],
        trials=_trials(runs, names),
        runs=[
            _provenance(name, provenance(directory))
            for name, directory in zip(names, runs.directories, strict=True)
        ],
        style=style_of_trials() + _resource("page.css"),
    )


def _title(runs: Runs) -> str:
    """Which models on which tasks, as far as a title can name them."""
    about = runs.conditions.select("solver", panel_of(["task"]).alias("task"))
    named = {
        what: about[column].unique(maintain_order=True).to_list()
        for column, what in (("solver", "models"), ("task", "tasks"))
    }
    solvers, tasks = (
        ", ".join(names) if len(names) <= NAMED else f"{len(names)} {what}"
        for what, names in named.items()
    )
    return f"{solvers} on {tasks}"


def _solvers(runs: Runs) -> list[tuple[str, str, str]]:
    """Each model, what it is where that must be said, and the tasks that it was asked."""
    found = []
    for name, *_ in runs.conditions.select("solver").unique(maintain_order=True).iter_rows():
        own = runs.conditions.filter(pl.col("solver") == name)
        tasks = own.select(panel_of(["task"]).alias("task"))["task"].unique(maintain_order=True)
        simulated = bool(own["simulated"].max())
        said = STUDENT_IS if simulated else ABACUS_IS if is_miniature(name) else ""
        found.append((name, said, ", ".join(tasks)))
    return found


def _results(runs: Runs, names: Sequence[str]) -> dict[str, Any]:
    """The tables of ``friction results``, and what is said below them."""
    rows = [(names[condition["run"]], found) for condition, found in accuracy_table.results(runs)]
    results = [found for _, found in rows]
    tables = {"Accuracy": [*overview.labels(rows), *overview.numbers(results)]}
    if any(found.uptakes for found in results):
        tables[overview.UPTAKE] = overview.uptakes(rows)
    return {
        "tables": [
            *((title, *_sectioned(table)) for title, table in tables.items()),
            *((title, table, [("", _rows(table))]) for title, table in beside(runs).items()),
        ],
        "notes": overview.notes(rows),
        "warnings": [line.partition(": ")[2] for line in overview.warnings(rows)],
    }


def _sectioned(table: list[Column]) -> tuple[list[Column], list[tuple[str, list[tuple[str, ...]]]]]:
    """The columns of a table, and its rows under their headings."""
    headings, shown = overview.sections(table)
    cells = _rows(shown)
    pairs = zip(headings or [""] * len(cells), cells, strict=True)
    groups = groupby(pairs, key=itemgetter(0))
    return shown, [(heading, [row for _, row in group]) for heading, group in groups]


def _rows(table: list[Column]) -> list[tuple[str, ...]]:
    return list(zip(*(column.cells for column in table), strict=True))


def _provisional(runs: Runs, names: Sequence[str]) -> list[str]:
    """Of every unfinished run, what its numbers stand on."""
    lines = []
    for run, name in enumerate(names):
        if unfinished := runs.unfinished(run):
            read, planned = runs.horizon(run)
            lines.append(
                f"{unfinished:,} trials of {name} have not ended. Its numbers cover the "
                f"first {read} of {planned} attempts, which every trial begun has made."
            )
    return lines


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _figure(figure: Figure) -> dict[str, Any]:
    """What the template needs; the drawings go in as data URIs, so that nothing in them runs."""
    table = figure.table.head(ROWS_SHOWN)
    return fields_of(figure) | {
        "wide": _data_uri(adapting(figure.light)),
        "narrow": _data_uri(adapting(figure.narrow)),
        "columns": table.columns,
        "rows": [[_cell(value) for value in row] for row in table.iter_rows()],
        "more": max(0, figure.table.height - ROWS_SHOWN),
    }


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _cell(value: object) -> str:
    if value is None or value != value:  # not a number: nothing to show
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _trials(runs: Runs, names: Sequence[str]) -> list[tuple[str, Markup, int, int]]:
    """Of each run, the trials that the page shows: see ``telling_trials``."""
    share = len(runs.directories)
    return [
        (name, *telling_trials(directory, TRIALS_SHOWN // share, ROOM // share))
        for name, directory in zip(names, runs.directories, strict=True)
    ]


def _provenance(name: str, made: Provenance) -> dict[str, Any]:
    paid = made.paid
    return fields_of(made) | {
        "name": name,
        "seed": made.config.get("seed"),
        "prices": _prices(made.operation),
        "config": json.dumps(made.config, indent=2, ensure_ascii=False),
        "operation": json.dumps(made.operation, indent=2, ensure_ascii=False),
        "versions": ", ".join(f"{name} {version}" for name, version in made.versions.items()),
        "git": _git(made.git),
        "paid": f"{paid.calls:,} calls"
        + (f" ({paid.retried:,} of them tried again)" if paid.retried else "")
        + f", {paid.prompt_tokens:,} prompt tokens, "
        f"{paid.completion_tokens:,} completion tokens, "
        + ("cost unknown" if paid.cost_usd is None else f"${paid.cost_usd:,.2f}"),
    }


def _prices(operation: dict[str, Any]) -> str:
    dated = operation.get("prices_as_of")
    if dated is None:
        return ""
    return f"{operation.get('prices') or 'the price list of the package'}, as of {dated}"


def _git(state: dict[str, Any] | None) -> str:
    if not state:
        return "outside a repository"
    return f"{state['commit']}{' with uncommitted changes' if state['dirty'] else ''}"


def by_subject(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Sentences under what they are about, each without naming it again."""
    groups: dict[str, list[str]] = {}
    for line in lines:
        about, parted, said = line.partition(": ")
        groups.setdefault(about if parted else "", []).append(said if parted else line)
    named = sorted(groups.items(), key=lambda group: not group[0])  # what names nothing comes last
    return [(about, [_begun(line) for line in said]) for about, said in named]


def _begun(line: str) -> str:
    """A name keeps its small letter at the beginning of a sentence; a word does not."""
    return line[:1].upper() + line[1:] if line.startswith(("of ", "after ")) else line
