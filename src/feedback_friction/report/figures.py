"""Every figure of the report, from the tables; a figure without data is left out."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.stats.transitions import Move
from feedback_friction.analysis.tables import accuracy, answers, comparison, problems, solvers
from feedback_friction.report import charts
from feedback_friction.report.figure import Figure
from feedback_friction.report.theme import feedback_colours

MOVES = {  # in the order of the stack, best first
    Move.CORRECT.value: "#009e73",
    Move.NEW.value: "#56b4e9",
    Move.BACK.value: "#e69f00",
    Move.SAME.value: "#d55e00",
    Move.NO_ANSWER.value: "#8c8c8c",
}
BANDS = "Bands and bars are 95% intervals."


def figures(runs: Runs) -> Iterator[Figure]:
    """The figures of a report, in the order in which they are read."""
    for make in (
        curve,
        modes,
        controls,
        sampling,
        correction,
        moves,
        complexity,
        subjects,
        confidence,
        popularity,
        by_solver,
        solvers_compared,
        overlap,
        tokens,
    ):
        figure = make(runs)
        if figure is not None:
            yield figure


def _named(table: pl.DataFrame) -> pl.DataFrame:
    """With ``panel`` (task, digits, solver) and ``condition`` (feedback, sampling) in words."""
    digits = (
        pl.when(pl.col("digits").is_null())
        .then(pl.lit(""))
        .otherwise(pl.format(" ({} digits)", pl.col("digits")))
    )
    several = table["solver"].n_unique() > 1
    solver = pl.format(", {}", pl.col("solver")) if several else pl.lit("")
    greedy = pl.col("sampling") == "greedy"
    return table.with_columns(
        (pl.col("task") + digits + solver).alias("panel"),
        pl.when(greedy)
        .then(pl.col("feedback"))
        .otherwise(pl.format("{}, {}", pl.col("feedback"), pl.col("sampling")))
        .alias("condition"),
    )


def _scale(table: pl.DataFrame, column: str = "feedback") -> tuple[list[str], list[str]]:
    return feedback_colours(table[column].to_list())


def _last(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("iteration") == pl.col("iteration").max().over("run"))


def curve(runs: Runs) -> Figure | None:
    """Accuracy by iteration, greedy sampling (or the first strategy there is)."""
    table = _named(accuracy.accuracy(runs))
    if table.is_empty() or table["iteration"].max() == 0:
        return None
    first = "greedy" if "greedy" in table["sampling"] else table["sampling"][0]
    table = table.filter(pl.col("sampling") == first)
    chart = charts.curves(
        table, "iteration", "accuracy", "feedback", "panel",
        x_title="iteration", y_title="accuracy", scale=_scale(table),
    )  # fmt: skip
    best = _last(table).sort("accuracy", descending=True)
    return Figure(
        "accuracy", "Accuracy by iteration",
        f"Share of problems solved at or before each iteration, {first} sampling; a solved problem "
        f"stays solved. {BANDS}",
        "Line chart of accuracy by iteration. Highest at the end: "
        f"{best['feedback'][0]} on {best['panel'][0]}, {best['accuracy'][0]:.1%}.",
        chart, table,
    )  # fmt: skip


def modes(runs: Runs) -> Figure | None:
    """Final accuracy by feedback mode."""
    table = _last(_named(accuracy.accuracy(runs)))
    table = table.filter(pl.col("sampling") == "greedy")
    if table["feedback"].n_unique() < 2:
        return None
    chart = charts.intervals(
        table, "accuracy", "feedback", "panel",
        title="accuracy at the last iteration", series="feedback", scale=_scale(table),
    )  # fmt: skip
    return Figure(
        "modes", "Accuracy by kind of feedback",
        f"Share solved in the end by feedback mode, greedy sampling. {BANDS}",
        "Points with intervals: accuracy at the last iteration, one row a feedback mode.",
        chart, table,
    )  # fmt: skip


def controls(runs: Runs) -> Figure | None:
    """Gain over the controls."""
    table = _named(comparison.gains(runs))
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{} − {}", pl.col("condition"), pl.col("against")).alias("row")
    )
    chart = charts.intervals(
        table, "difference", "row", "panel",
        title="difference of accuracy, paired by problem", series="against",
        scale=_scale(table, "against"), zero_line=True,
    )  # fmt: skip
    return Figure(
        "controls", "What feedback adds to trying again",
        "Final accuracy of each condition minus that of a control, paired by problem: retry draws "
        "again without feedback, placebo shows another problem's feedback, binary says no more "
        f"than \u201cwrong\u201d. {BANDS} The table has McNemar's mid-p, Holm-adjusted.",
        "Forest plot of paired differences of final accuracy between conditions and controls.",
        chart, table,
    )  # fmt: skip


def sampling(runs: Runs) -> Figure | None:
    """Final accuracy by sampling strategy."""
    table = _last(_named(accuracy.accuracy(runs)))
    if table["sampling"].n_unique() < 2:
        return None
    chart = charts.intervals(
        table, "accuracy", "sampling", "panel",
        title="accuracy at the last iteration", series="feedback", scale=_scale(table),
    )  # fmt: skip
    return Figure(
        "sampling", "Accuracy by sampling strategy",
        f"Share solved in the end by sampling strategy. {BANDS}",
        "Points with intervals: accuracy at the last iteration, one row a sampling strategy.",
        chart, table,
    )  # fmt: skip


def correction(runs: Runs) -> Figure | None:
    """Hazard of correction by iteration."""
    table = _named(accuracy.correction(runs)).filter(
        pl.col("iteration") > 0, pl.col("hazard").is_not_nan(), pl.col("sampling") == "greedy"
    )
    if table.is_empty():
        return None
    chart = charts.curves(
        table, "iteration", "hazard", "feedback", "panel",
        x_title="iteration", y_title="solved at this attempt", scale=_scale(table),
    )  # fmt: skip
    return Figure(
        "correction", "Chance that the next attempt is right",
        "Share of the attempts at each iteration that solve a problem still unsolved (the hazard "
        f"of correction). A falling curve is a plateau in the making. {BANDS}",
        "Line chart of the hazard of correction by iteration.",
        chart, table,
    )  # fmt: skip


def moves(runs: Runs) -> Figure | None:
    """How answers change from attempt to attempt."""
    table = _named(answers.moves(runs)).filter(pl.col("n") > 0)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.col("move").replace_strict([*MOVES], range(len(MOVES))).alias("order")
    )
    chart = charts.stacked(
        table, "share", "condition", "move", "panel", title="share of the retries", order=MOVES
    )
    most = table.filter(pl.col("move") == Move.SAME.value).sort("share", descending=True)
    return Figure(
        "moves", "What becomes of an answer after feedback",
        "Each retry's answer compared with those before it in the same trial.",
        "Stacked bars of answer changes. The same wrong answer is repeated most under "
        f"{most['condition'][0]}: {most['share'][0]:.1%} of the retries.",
        chart, table.drop("order"),
    )  # fmt: skip


def complexity(runs: Runs) -> Figure | None:
    """First and final accuracy by number of digits and base."""
    table = _named(accuracy.accuracy(runs)).filter(pl.col("digits").is_not_null())
    sizes = table.select("task", "digits").unique()
    if sizes.height < 2:
        return None
    ends = pl.concat(
        [
            table.filter(pl.col("iteration") == 0).with_columns(pl.lit("first").alias("attempt")),
            _last(table).with_columns(pl.lit("last").alias("attempt")),
        ]
    ).with_columns(pl.format("{} digits, {}", pl.col("digits"), pl.col("task")).alias("size"))
    chart = charts.intervals(
        ends, "accuracy", "size", "condition", title="accuracy", series="attempt"
    )
    return Figure(
        "complexity", "Number of digits and base",
        f"First and final accuracy by number of digits and by base, one panel a condition. {BANDS}",
        "Points with intervals: accuracy at the first and the last attempt by size of the factors.",
        chart, ends,
    )  # fmt: skip


def subjects(runs: Runs) -> Figure | None:
    """Final accuracy by subject."""
    table = _named(problems.subjects(runs))
    if not table.is_empty():
        table = table.filter(pl.col("sampling") == table["sampling"][0])
    if table.is_empty() or table["subject"].n_unique() > 60:
        return None
    chart = charts.intervals(
        table, "final", "subject", "panel", title="accuracy at the last iteration",
        series="feedback", scale=_scale(table),
    )  # fmt: skip
    return Figure(
        "subjects", "Accuracy by subject",
        f"Share solved in the end by subject. {BANDS} First accuracy is in the table.",
        "Points with intervals: accuracy at the last iteration, one row a subject.",
        chart, table,
    )  # fmt: skip


def confidence(runs: Runs) -> Figure | None:
    """Gain by the first answer's confidence."""
    table = _named(problems.confidence(runs))
    return _bucket_figure(
        table, "confidence", "Confidence of the first answer",
        "Gain, (final - initial) / (1 - initial), by exp(mean token log-probability) of the first "
        "answer, in buckets of 0.1; buckets with fewer than 10 problems are left out.",
    )  # fmt: skip


def popularity(runs: Runs) -> Figure | None:
    """Gain by entity popularity."""
    table = _named(problems.popularity(runs))
    return _bucket_figure(
        table, "popularity", "Popularity of the entity",
        "Gain, (final - initial) / (1 - initial), by monthly page views of the entity, in buckets "
        "of equal count; buckets with fewer than 10 problems are left out.",
    )  # fmt: skip


def _bucket_figure(table: pl.DataFrame, name: str, title: str, caption: str) -> Figure | None:
    shown = table.filter(
        ~pl.col("few"), pl.col("gain").is_not_nan(), pl.col("sampling") == "greedy"
    )
    if shown.is_empty():
        return None
    shown = shown.with_columns(
        pl.format("{} to {}", pl.col("low").round(2), pl.col("high").round(2)).alias("bucket")
    )
    chart = charts.intervals(
        shown, "gain", "bucket", "panel", title="gain", series="feedback", scale=_scale(shown)
    )
    alt = f"Points with intervals: gain by bucket of {title.lower()}."
    return Figure(name, title, f"{caption} {BANDS}", alt, chart, table)


def by_solver(runs: Runs) -> Figure | None:
    """Final accuracy by solver, where there are several."""
    table = _last(_named(accuracy.accuracy(runs)))
    if table["solver"].n_unique() < 2:
        return None
    table = table.with_columns(
        pl.format("{}, {}", pl.col("task"), pl.col("condition")).alias("panel")
    )
    chart = charts.intervals(
        table, "accuracy", "solver", "panel", title="accuracy at the last iteration"
    )
    return Figure(
        "by_solver", "Accuracy by solver",
        f"Share solved in the end by each solver. {BANDS}",
        "Points with intervals: accuracy at the last iteration, one row a solver.",
        chart, table,
    )  # fmt: skip


def solvers_compared(runs: Runs) -> Figure | None:
    """Every two solvers under the same condition, paired by problem."""
    table = comparison.solvers(runs)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{}, {}, {}", pl.col("task"), pl.col("feedback"), pl.col("sampling")).alias(
            "panel"
        ),
        pl.format("{} − {}", pl.col("solver"), pl.col("control_solver")).alias("row"),
    )
    chart = charts.intervals(
        table, "difference", "row", "panel",
        title="difference of accuracy, paired by problem", zero_line=True,
    )  # fmt: skip
    return Figure(
        "solvers", "Solvers compared",
        "Accuracy at the last iteration, one solver minus another, paired by problem. "
        f"{BANDS} The table has McNemar's mid-p, Holm-adjusted.",
        "Forest plot of paired differences of accuracy between solvers.",
        chart, table,
    )  # fmt: skip


def overlap(runs: Runs) -> Figure | None:
    """Problems that several solvers fail on together."""
    table = solvers.overlap_sets(runs)
    if table.is_empty():
        return None
    table = table.with_columns(
        pl.format("{}, {}", pl.col("task"), pl.col("feedback")).alias("panel"),
        pl.when(pl.col("size") == 1)
        .then(pl.format("only {}", pl.col("solvers")))
        .otherwise(pl.col("solvers"))
        .alias("who"),
    )
    chart = charts.bars(table, "count", "who", "panel", title="problems")
    return Figure(
        "overlap", "Failures that solvers share",
        "Problems that exactly these solvers fail on (an UpSet plot's bars). The ratio of shared "
        "to all failures, and what chance would give, is in overlap_summary.csv.",
        "Bars: number of problems that exactly the named solvers fail on.",
        chart, table,
    )  # fmt: skip


def tokens(runs: Runs) -> Figure | None:
    """Tokens per solved problem."""
    table = _named(answers.cost(runs)).filter(pl.col("tokens_per_solved").is_not_null())
    if table.is_empty():
        return None
    chart = charts.bars(
        table, "tokens_per_solved", "condition", "panel", title="tokens per solved problem"
    )
    return Figure(
        "tokens", "Tokens per solved problem",
        "Prompt and completion tokens of answers and feedback, divided by the problems solved; "
        "calls that conditions share are counted in each.",
        "Bars: tokens per solved problem, one row a condition.",
        chart, table,
    )  # fmt: skip
