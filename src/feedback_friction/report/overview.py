"""The table that results and report begin with: one row a condition, with warnings.

By the standard library alone, so that ``friction results`` needs no extra.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from operator import attrgetter
from typing import Any

from feedback_friction.analysis.accuracy_by_attempt import ConditionResult
from feedback_friction.analysis.stats.intervals import Estimate
from feedback_friction.mode_names import recorded_mode

UNHEALTHY = 0.1  # of the replies: above it, accuracy says more about format or limits than ability
UPTAKE = "After one round of feedback, on the problems missed at first under both"
Row = tuple[str, ConditionResult]  # the run's name, and one condition of it


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str  # its heading
    cells: tuple[str, ...]  # what it says, a row each
    number: bool = False  # whether these are numbers: set flush right, and never folded


# Columns that say what a row is about. The first ones become headings where a table would be wide.
_SUBJECTS: dict[str, Callable[[Row], str]] = {
    "run": lambda row: row[0],
    "task": lambda row: _task(row[1]),
    "solver": lambda row: row[1].condition.solver,
    "attempts": lambda row: _attempts(row[1]),
}
_LABELS = _SUBJECTS | {
    "feedback": lambda row: row[1].condition.feedback,
    "written by": lambda row: _writer(row[1]),
    "sampling": lambda row: row[1].condition.sampling,
    "history": lambda row: _history(row[1]),
}


def _task(result: ConditionResult) -> str:
    digits = result.condition.digits
    return result.condition.task + (f" ({digits} digits)" if digits else "")


def _attempts(result: ConditionResult) -> str:
    most = result.condition.iterations
    return f"{most} attempt{'' if most == 1 else 's'}"


def _writer(result: ConditionResult) -> str:
    """The model that wrote the feedback, where it is not the solver itself."""
    condition = result.condition
    writer = condition.feedback_model
    return writer if writer and writer != condition.solver else ""


def _history(result: ConditionResult) -> str:
    """What the solver saw of its attempts; nothing where the feedback shows it none."""
    condition = result.condition
    return condition.history if recorded_mode(condition.feedback).shows_history else ""


def labels(rows: Sequence[Row]) -> list[Column]:
    """Columns of what differs between the rows; the feedback, where nothing does."""
    found = [Column(name, tuple(map(label, rows))) for name, label in _LABELS.items()]
    differing = [column for column in found if len({*column.cells} - {""}) > 1]
    return differing or [column for column in found if column.name == "feedback"]


def _same(rows: Sequence[Row]) -> list[str]:
    """Words for what does not differ between the rows."""
    shown = {column.name for column in labels(rows)}
    words = {
        name: next(filter(None, map(label, rows)), "")
        for name, label in _LABELS.items()
        if name not in shown
    }
    return [
        word if name == "attempts" else f"{name}: {word}" for name, word in words.items() if word
    ]


def sections(found: list[Column]) -> tuple[list[str] | None, list[Column]]:
    """Headings of groups of rows, where there are such, and the columns that still name a row."""
    about = [column for column in found if column.name in _SUBJECTS]
    others = [column for column in found if column.name not in _SUBJECTS]
    if not about or all(column.number for column in others):  # every row would have its own
        return None, found
    cells = zip(*(column.cells for column in about), strict=True)
    return [", ".join(row) for row in cells], others


# Numbers that are shown only where some condition has one that is not 0.
_COUNTS = ("undecided", "stopped")
_HEALTH = {  # of what -> heading
    "no_answer": ("replies", "no answer %"),
    "cut_off": ("replies", "cut off %"),
    "leaks": ("feedbacks", "leaks %"),
    "aligned": ("feedbacks", "alignment leaks %"),
    "retries": ("calls", "retries %"),
}
_SUMMARIES = {"gain": "gain %", "second.repeated": "repeats %", "area": "area %"}
_SAID = {
    "no_answer": "many replies contain no readable answer (see some with 'friction show')",
    "cut_off": "many replies were cut off at the token limit (raise --max-tokens)",
    "leaks": "much feedback gives the answer away despite the mask (see 'friction show')",
    "aligned": "much feedback repeats parts of the answer that the solver had worked out itself",
    "retries": "many calls failed before they succeeded (try a lower --concurrency, and "
    "'friction doctor')",
}


def numbers(results: Sequence[ConditionResult]) -> list[Column]:
    """Accuracy at the first and last attempt, what attempts bring, and the share of bad replies."""

    def some(name: str) -> bool:
        return any(getattr(result, name) for result in results)

    so_far = ", provisional" if some("provisional") else ""
    challenged = any(recorded_mode(each.condition.feedback).challenges for each in results)
    several = any(result.condition.iterations > 1 for result in results)
    counted = any(map(some, (*_COUNTS, "missing")))
    last = "ever right" if challenged else "last"
    columns: list[tuple[str, Callable[[ConditionResult], str], bool]] = [
        (f"first %{so_far}", lambda each: _percent(each, 0), True),
        (f"{last} %{so_far}", lambda each: _percent(each, -1), several),
        ("right at the end %", lambda each: each.right_at_end.percent(), challenged),
        ("n", partial(_count, "n"), True),
        ("missing", partial(_count, "missing"), True),
        *((name, partial(_count, name), some(name)) for name in _COUNTS),
        ("bounds of last %", _bounds, some("missing")),
        ("guesser %", _guesser, some("guess_most") and (several or challenged or counted)),
        ("last % without leaks", lambda each: each.without_leaks.percent(), some("leaks")),
        *(
            (heading, partial(_share, name, of), some(name))
            for name, (of, heading) in _HEALTH.items()
        ),
        *((heading, partial(_summary, name), several) for name, heading in _SUMMARIES.items()),
        ("tokens", lambda each: f"{_tokens(each):,}", any(map(_tokens, results))),
        ("cost $", lambda each: _cost(each.cost_usd), some("cost_usd")),
    ]
    return [
        number_column(heading, map(cell, results))
        for heading, cell, is_shown in columns
        if is_shown
    ]


def _count(name: str, result: ConditionResult) -> str:
    return f"{getattr(result, name):,}"


def _summary(name: str, result: ConditionResult) -> str:
    estimate: Estimate = attrgetter(name)(result)
    return estimate.percent()


def uptakes(rows: Sequence[Row]) -> list[Column]:
    """What one round of feedback does beside a control: a row a condition and control of it."""
    found = [(place, each) for place, (_, result) in enumerate(rows) for each in result.uptakes]
    named = [
        Column(column.name, tuple(column.cells[place] for place, _ in found))
        for column in labels(rows)
        if column.name != "attempts"
    ]
    return [
        *named,
        Column("against", tuple(each.control.feedback for _, each in found)),
        number_column(
            "right / control %",
            [
                f"{100 * each.right.treatment:.1f} / {100 * each.right.control:.1f}"
                for _, each in found
            ],
        ),
        number_column(
            "difference, points", [each.right.difference.percent("+") for _, each in found]
        ),
        number_column("n", [f"{each.n:,}" for _, each in found]),
    ]


def notes(rows: Sequence[Row]) -> list[str]:
    """What stands below the tables: what all rows share, and what their headings mean."""
    alike, well = _same(rows), _healthy([result for _, result in rows])
    return [
        *(["; ".join(alike)] if alike else []),
        *([f"0% in every row: {', '.join(well)}"] if well else []),
        *_legend(rows),
    ]


def _legend(rows: Sequence[Row]) -> list[str]:
    """What the headings mean that do not say it themselves."""
    results = [result for _, result in rows]
    shown = {column.name for column in numbers(results)}
    lines = ["brackets: 95% intervals"]
    if "gain %" in shown:
        lines.append(
            "gain: (last - first) / (1 - first); area: accuracy, averaged over the attempts; "
            "repeats: second attempts that give the first wrong answer again"
        )
    if "bounds of last %" in shown:
        lines.append("bounds: the range of accuracy over all outcomes of the missing trials")
    if "last % without leaks" in shown:
        lines.append(
            "without leaks: a trial counts up to the first feedback in which the audit found the "
            "answer; later attempts are treated as unknown"
        )
    if "guesser %" in shown:
        lines.append(
            "guesser: accuracy of random guessing, without and with memory of the options tried; "
            "it is subtracted from differences after one round"
        )
    if "retries %" in shown:
        lines.append(
            "retries: calls that failed before they succeeded; those that conditions share count "
            "in each"
        )
    lines += _clustered(rows)
    if "tokens" in shown:
        lines.append("tokens: calls that conditions share count in each")
    return lines


def _clustered(rows: Sequence[Row]) -> list[str]:
    """By what the intervals are clustered, where problems share something."""
    found = dict.fromkeys(
        (each.clustered_by, each.clusters, each.unclustered) for _, each in rows if each.clusters
    )
    return [
        f"clustered by {name}: {clusters:,} clusters"
        + (f", and {alone:,} problems that stand alone" if alone else "")
        for name, clusters, alone in found
    ]


def number_column(name: str, cells: Iterable[str]) -> Column:
    return Column(name, tuple(cells), number=True)


def in_cell(
    row: Mapping[str, Any],
    name: str,
    plain: Callable[[Any], str] = str,
    *,
    sign: str = "",
    is_share: bool = True,
) -> str:
    """What a frame's row says under a name: a value by ``plain``, an estimate with its limits."""
    value, low = row[name], row.get(f"{name}_low")
    if value is None or (isinstance(value, float) and isnan(value)):
        return "-"
    if low is None:
        return plain(value)
    found = Estimate(value, low, row[f"{name}_high"], 0)
    return found.percent(sign) if is_share else found.decimals()


def _bounds(result: ConditionResult) -> str:
    if not result.bounds:
        return "-"
    return f"[{100 * result.bounds[-1].low:.1f}, {100 * result.bounds[-1].high:.1f}]"


def _guesser(result: ConditionResult) -> str:
    """A guesser's last accuracy, as a range where it depends on what is kept in mind."""
    if result.guess is None or result.guess_most is None:
        return "-"
    ends = dict.fromkeys(f"{100 * each[-1]:.1f}" for each in (result.guess, result.guess_most))
    return " to ".join(ends)


def _cost(usd: float | None) -> str:
    return "unknown" if usd is None else f"{usd:,.2f}"


def _tokens(result: ConditionResult) -> int:
    usage = result.usage
    parts = (f"{who}{what}" for who in ("", "feedback_") for what in ("prompt", "completion"))
    return sum(usage[f"{part}_tokens"] for part in parts)


def _percent(result: ConditionResult, k: int) -> str:
    return result.curve[k].percent() if result.curve else "-"


def _share(name: str, whole: str, result: ConditionResult) -> str:
    """A share of replies in percent, never rounded to none."""
    count, of = getattr(result, name), getattr(result, whole)
    if not of:
        return "-"
    return "<0.1" if 0 < count / of < 0.0005 else f"{100 * count / of:.1f}"


def _healthy(results: Sequence[ConditionResult]) -> list[str]:
    """The faults that no reply, feedback or call has."""
    return [
        heading.removesuffix(" %")
        for name, (of, heading) in _HEALTH.items()
        if any(getattr(each, of) for each in results)
        and not any(getattr(each, name) for each in results)
    ]


def warnings(rows: Sequence[Row]) -> list[str]:
    """A line for each thing that ails more than a tenth of some conditions' replies."""
    differing = (column.cells for column in labels(rows) if column.name != "attempts")
    names = [", ".join(filter(None, cells)) for cells in zip(*differing, strict=True)]
    said = []
    for name, (whole, _) in _HEALTH.items():
        shares = [
            (label, count / of)
            for label, (_, result) in zip(names, rows, strict=True)
            if (count := getattr(result, name)) > UNHEALTHY * (of := getattr(result, whole))
        ]
        if shares:
            listed = "; ".join(f"{label} ({100 * share:.0f}%)" for label, share in shares)
            said.append(f"WARNING: {_SAID[name]}: {listed}")
    return said
