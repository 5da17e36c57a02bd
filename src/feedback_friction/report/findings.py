"""The findings, in sentences made from the numbers: nothing is said that no table holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from feedback_friction.analysis.frames import Runs
from feedback_friction.analysis.journal import run_names
from feedback_friction.analysis.tables import (
    accuracy_table,
    annotation_table,
    answers,
    comparison,
    gold,
    solvers,
)
from feedback_friction.mode_names import recorded_mode
from feedback_friction.modes import RETRY
from feedback_friction.report.names_and_colours import main_sampling
from feedback_friction.ways import GREEDY, PLAIN, TRANSCRIPT, named_history, parse_way

Row = dict[str, Any]

MOST = 6  # sentences of one kind; more would bury what matters
CLEAR = 0.05  # an adjusted p-value below it; the interval of a single pair knows nothing of others


def findings(runs: Runs) -> list[str]:
    """The main findings, most important first."""
    return [
        *_most(_uptakes(runs), "uptake"),
        *_most(_gains(runs), "gains"),
        *_most(_histories(runs), "pairs"),
        *_most(_frictions(runs), "target"),
        *_most(_solvers(runs), "solvers"),
        *_most(_overlaps(runs), "overlap_summary"),
        *_most(_repetition(runs), "summary"),
    ]


def gaps(runs: Runs) -> list[str]:
    """What is missing or must be known before the numbers are believed."""
    return [
        *_missing(runs),
        *_stopped(runs),
        *_leaks(runs),
        *_first_only(runs),
        *_no_controls(runs),
        *_frozen_retry(runs),
        *_guessed(runs),
        *_suspects(runs),
    ]


def _most(sentences: Iterator[str], table: str) -> list[str]:
    """The first few, and how many more their table holds."""
    made = list(sentences)
    if len(made) <= MOST:
        return made
    return [*made[:MOST], f"Not shown: {len(made) - MOST} more from tables/{table}.csv."]


def _subject(row: Row) -> str:
    return f"{_task(row)}, {row['solver']}"


def _setting(row: Row) -> str:
    """What several solvers were compared under."""
    return f"{_task(row)}, {_arm(row).rstrip(',')}"


def _task(row: Row) -> str:
    return f"{row['task']} ({row['digits']} digits)" if row["digits"] else str(row["task"])


def _mode(row: Row) -> str:
    """The feedback mode, and the way where it is not the usual one."""
    shown = named_history(row["feedback"], row["history"])
    return f"{row['feedback']} ({_way(shown)})" if shown else str(row["feedback"])


def _way(name: str) -> str:
    """A history, and what the solver does before it answers, in words."""
    history, solve = parse_way(name)
    if solve is PLAIN:
        return f"{history.name} history"
    shown = "" if solve.replaces or history is TRANSCRIPT else f"{history.name} history, "
    return f"{shown}--solve {solve.name}"


def _arm(row: Row) -> str:
    """The mode, and the way and the sampling strategy where they are not the usual ones."""
    mode = _mode(row)
    if row["sampling"] == GREEDY.name:
        return mode
    named = f"{mode[:-1]}, " if mode.endswith(")") else f"{mode} ("
    return f"{named}{row['sampling']})"


def _over_controls(table: pl.DataFrame, runs: Runs) -> Iterator[Row]:
    """Modes that inform against controls, except those that only repeat their first answer."""
    frozen = _frozen(runs)
    real = table.filter(
        _informs("feedback"), ~_informs("against"), pl.col("difference").is_not_nan()
    )
    for row in real.sort("difference", descending=True).iter_rows(named=True):
        if (row["control_run"], *(row[each] for each in _CONTROL)) not in frozen:
            yield row


def _gains(runs: Runs) -> Iterator[str]:
    table = comparison.gains(runs)
    for row in _over_controls(table, runs):
        yield (
            f"{_subject(row)}: {_arm(row)} {_verb(row, 100 * row['difference'], row['against'])}"
            f"{_course(runs, row)}, {_evidence(row, table)}."
        )


def _uptakes(runs: Runs) -> Iterator[str]:
    """What one round of feedback does to the first failures that a control shares."""
    table = comparison.uptake(runs)
    for row in _over_controls(table, runs):
        clear = "" if row["p_holm"] < CLEAR else "no clear difference: "
        yield (
            f"{_subject(row)}: of the problems missed at first, {100 * row['right']:.1f}% are "
            f"right after one round of {_arm(row)} and {100 * row['control_right']:.1f}% after "
            f"{row['against']} ({clear}{100 * row['difference']:+.1f} points{_taken_off(row)}, "
            f"{_evidence(row, table, ' problems')})."
        )


def _ci(row: Row, name: str, sign: str = "") -> str:
    """The interval of a share, or of a difference with its sign, in percent or points."""
    low, high = (100 * row[f"{name}{end}"] for end in ("_low", "_high"))
    return f"95% CI {low:{sign}.1f} to {high:{sign}.1f}"


def _evidence(row: Row, table: pl.DataFrame, what: str = "", sign: str = "+") -> str:
    """The interval, the number and the p-value of a difference, and how that was adjusted."""
    family = table["p_holm"].fill_nan(None).count()
    low, high = (100 * row.get(f"guess_{end}", 0.0) for end in ("low", "high"))
    guessed = f" against guessing ({low:+.1f} to {high:+.1f} points)" if low or high else ""
    return (
        f"{_ci(row, 'difference', sign)}, n = {row['n']}{what}, p {_p(row['p_holm'])}{guessed} "
        f"after Holm's correction over {family} comparison{'s' if family != 1 else ''}"
    )


def _turned(row: Row) -> Row:
    """The other condition minus this one."""
    names = ("difference", "difference_low", "difference_high", "guess_low", "guess_high")
    ends = ("difference", "difference_high", "difference_low", "guess_high", "guess_low")
    return row | {name: 0.0 - row[end] for name, end in zip(names, ends, strict=True)}


def _taken_off(row: Row) -> str:
    """Words for the part of a difference that guessing explains."""
    guessed = 100 * (row["guess"] - row["control_guess"])
    return f" after {guessed:.1f} due to guessing" if guessed else ""


def _course(runs: Runs, row: Row) -> str:
    """First and last accuracy of a condition and of its control, in words."""
    ways = []
    for run, feedback, history in (
        ("treatment_run", "feedback", "history"),
        ("control_run", "against", "control_history"),
    ):
        side = {"run": row[run], "feedback": row[feedback], "history": row[history]}
        side |= {name: row[name] for name in ("task", "digits", "solver", "sampling")}
        own = [pl.col(name).eq_missing(pl.lit(value)) for name, value in side.items()]
        curve = accuracy_table.accuracy(runs).filter(*own)["accuracy"]
        ways.append(f"{100 * curve[0]:.1f}% to {100 * curve[-1]:.1f}%")
    return f" (from {ways[0]}, against {ways[1]})"


def _verb(row: Row, points: float, other: str) -> str:
    """What a difference of so many points from another condition is, as far as it is clear."""
    if row["p_holm"] is None or row["p_holm"] >= CLEAR:
        return f"shows no clear difference from {other}, {points:+.1f} points"
    if points > 0:
        return f"adds {points:.1f} points over {other}"
    return f"ends below {other} by {-points:.1f} points"


def _histories(runs: Runs) -> Iterator[str]:
    """The same feedback with what came before shown in one way and in another."""
    table = comparison.pairs(runs)
    shown = main_sampling(table)[0].filter(
        pl.col("feedback") == pl.col("against"),
        pl.col("treatment_run") == pl.col("control_run"),
        pl.col("sampling") == pl.col("control_sampling"),
        pl.col("history") != pl.col("control_history"),
        pl.col("difference").is_not_nan(),
    )
    # The one that was asked for later minus the earlier.
    for row in map(_turned, shown.iter_rows(named=True)):
        verb = _verb(row, 100 * row["difference"], _way(row["history"]))
        yield (
            f"{_subject(row)}: {row['feedback']} with {_way(row['control_history'])} {verb}, "
            f"{_evidence(row, table)}."
        )


def _informs(column: str) -> pl.Expr:
    """Whether the mode that a column names tells the solver anything about its attempt."""
    return pl.col(column).map_elements(lambda name: recorded_mode(name).informs, pl.Boolean)


def _frictions(runs: Runs) -> Iterator[str]:
    table = annotation_table.target(runs).filter(pl.col("friction").is_not_nan())
    for row in table.sort("friction", descending=True).iter_rows(named=True):
        corrected = row["corrected_friction"] is not None
        prefix = "corrected_" if corrected else ""
        yield (
            f"{_subject(row)}: {_arm(row)} ends "
            f"{100 * row[f'{prefix}friction']:.1f} points below target accuracy "
            f"({100 * row['final']:.1f}% of {100 * row[f'{prefix}target']:.1f}%), "
            f"{_ci(row, f'{prefix}friction')}, n = {row['n']}, "
            f"{row['annotated']} of {row['unsolved']} unsolved trials labelled {_labeller(row)}."
        )


def _labeller(row: Row) -> str:
    """Whose labels a friction stands on, and whether anybody checked a judge's."""
    if row["annotator_kind"] == "person":
        return f"by {row['annotator']}"
    judge = "by a simulated judge" if row["annotator_simulated"] else f"by {row['annotator']}"
    if row["corrected_friction"] is None:
        return f"{judge}, whose labels nobody checked: the interval treats them as true"
    more = row["labels_to_halve"]
    halved = (
        f"; {more} labels by people would halve the interval"
        if more is not None
        else "; more labels by people would not halve the interval"
    )
    return f"{judge} and corrected by people's labels of {row['both']} of them{halved}"


def _solvers(runs: Runs) -> Iterator[str]:
    table = comparison.solvers(runs)
    clear = table.filter(pl.col("p_holm") < CLEAR)
    for row in clear.sort(pl.col("difference").abs(), descending=True).iter_rows(named=True):
        better, worse = row["solver"], row["control_solver"]
        if row["difference"] < 0:
            better, worse, row = worse, better, _turned(row)
        yield (
            f"{_setting(row)}: {better} solves {100 * row['difference']:.1f} "
            f"points more than {worse}, {_evidence(row, table, sign='')}."
        )


def _overlaps(runs: Runs) -> Iterator[str]:
    for row in solvers.overlap_summary(runs).filter(pl.col("union") > 0).iter_rows(named=True):
        chance = "" if row["chance"] is None else f"; by chance {100 * row['chance']:.1f}%"
        yield (
            f"{_setting(row)}: {row['all']} of the {row['union']} problems that "
            f"any of {row['solvers']} fails on are failed by all of them "
            f"({100 * row['ratio']:.1f}%, {_ci(row, 'ratio')}{chance})."
        )


def _repetition(runs: Runs) -> Iterator[str]:
    """At the first retry, which all make: later ones are made by those that stayed wrong."""
    for row in main_sampling(accuracy_table.summary(runs))[0].iter_rows(named=True):
        if row["repetition"] == row["repetition"] and recorded_mode(row["feedback"]).shows_history:
            yield (
                f"{_subject(row)}: after {_mode(row)} feedback "
                f"{100 * row['repetition']:.1f}% of the second attempts give the first wrong "
                f"answer again ({_ci(row, 'repetition')}, n = {row['second_attempts']} trials)."
            )


def _guessed(runs: Runs) -> Iterator[str]:
    """Conditions with options that guessing may explain, and what no such trial can show."""
    table = accuracy_table.summary(runs).filter(pl.col("guess").is_not_null())
    for row in table.filter(~pl.col("above_guess")).iter_rows(named=True):
        yield (
            f"{_subject(row)}, {_arm(row)}: {100 * row['second']:.1f}% of the second attempts are "
            f"right ({_ci(row, 'second')}), "
            f"which is not above the {100 * row['guess']:.1f}% of a guesser; this is no evidence "
            "of uptake."
        )
    for task in table["task"].unique().sort():
        yield (
            f"{task}: multiple choice. Guessing improves with every attempt, and a trial ends at "
            "the first right answer, so a solver that would have changed it again goes unnoticed."
        )


def _suspects(runs: Runs) -> Iterator[str]:
    """Problems whose gold answer is in doubt."""
    table = gold.suspect_gold(runs)
    for task, count in table.group_by("task", maintain_order=True).len().iter_rows():
        named = ", ".join(table.filter(pl.col("task") == task)["problem_id"].head(5))
        yield (
            f"{task}: on {count} problems independent answers agree on one other than gold "
            f"({named}{', ...' if count > 5 else ''}); see tables/suspect_gold.csv."
        )


def _missing(runs: Runs) -> Iterator[str]:
    for row, result in accuracy_table.results(runs):
        if result.missing:
            kinds = {
                "failed": result.failed,
                "undecided": result.undecided,
                "not ended": result.unfinished,
            }
            said = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
            yield (
                f"{_subject(row)}, {_mode(row)}, {row['sampling']}: {result.missing} of "
                f"{result.missing + result.n} trials are missing ({said})"
                f"{_within(runs, row['run'])}."
            )


def _stopped(runs: Runs) -> Iterator[str]:
    stopped = (
        runs.trials.filter(pl.col("status") == "stopped")
        .group_by("run", "condition", "reason")
        .len()
        .sort("run", "condition", "reason")
    )
    for run, condition, reason, count in stopped.iter_rows():
        yield (
            f"{condition}: {count} trials stopped early ({reason}){_within(runs, run)}; they count "
            "as not solved."
        )


def _within(runs: Runs, run: int) -> str:
    """Which run a sentence is about, where there are several."""
    return f" in {run_names(runs.directories)[run]}" if len(runs.directories) > 1 else ""


def _leaks(runs: Runs) -> Iterator[str]:
    for row in answers.feedback(runs).filter(pl.col("leaks") > 0).iter_rows(named=True):
        yield (
            f"{_subject(row)}, {row['feedback']}: the audit found the answer in {row['leaks']} of "
            f"{row['texts']} feedback texts ({100 * row['leaked']:.1f}%, {_ci(row, 'leaked')})."
        )


def _first_only(runs: Runs) -> Iterator[str]:
    tasks = runs.conditions.filter(pl.col("iterations") == 1)["task"].unique().sort()
    for task in tasks:
        yield f"{task}: first attempts only; they say nothing about the uptake of feedback."


_CONTROL = ("task", "digits", "control_solver", "against", "control_sampling")


def _frozen(runs: Runs) -> dict[tuple[object, ...], Row]:
    """Controls that repeat their first answer, having no temperature: they control nothing."""
    warm = (
        runs.attempts.filter(pl.col("temperature").fill_null(1) > 0)
        .select("run", "condition")
        .unique()
    )
    cold = runs.conditions.join(warm, on=["run", "condition"], how="anti")
    return {
        tuple(
            row[each] for each in ("run", "task", "digits", "solver", "feedback", "sampling")
        ): row
        for row in cold.filter(pl.col("iterations") > 1).iter_rows(named=True)
        if recorded_mode(row["feedback"]).repeats_when_cold
    }


def _frozen_retry(runs: Runs) -> Iterator[str]:
    """Retry without temperature repeats itself, so that beating it says nothing."""
    for row in _frozen(runs).values():
        yield (
            f"{_subject(row)}, {_mode(row)}, {row['sampling']}: {row['feedback']} at temperature 0 "
            "repeats its first answer, so it is no control for resampling, and nothing is compared "
            "with it."
        )


def _no_controls(runs: Runs) -> Iterator[str]:
    for group in comparison.arms(runs):
        about = group[0].condition
        modes = {recorded_mode(arm.condition["feedback"]) for arm in group}
        if RETRY not in modes and any(mode.informs for mode in modes):
            yield (
                f"{about['task']}, {about['solver']}: there is no {RETRY.name} control, so that "
                "gains cannot be told from mere trying again."
            )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"
