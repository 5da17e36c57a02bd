"""What helps whom: the planted effects of forms that were drawn, and how predictions held."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from commands import friction as command
from feedback_friction.analysis.choices import forms_given, read_choices, read_given
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.journal import open_journal
from feedback_friction.analysis.tables import form_effects
from feedback_friction.cli.main import friction
from feedback_friction.report import adapting
from feedback_friction.view.trial_page import read_trial
from visiting import visit

STUDENT = (
    "student/ability=0,resistant=0,repeat=0.6,uptake.verdict=0.1,uptake.locate=0.7,"
    "stuck.locate=0.1,uptake.contrast=0.1,stuck.contrast=0.8"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "mixed"
    words = (
        "run", "decimal_multiplication", "--solver", STUDENT, "--limit", 150, "--iterations", 4,
        "--feedback", "mixed:verdict=.4,locate=.3,contrast=.3", "--feedback", "ladder",
        "--out", out, "--quiet",
    )  # fmt: skip
    done = CliRunner().invoke(friction, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return load_runs([out])


def test_effects_by_state_are_those_that_were_planted(run):
    table = form_effects.forms(run).filter(pl.col("horizon") == "next attempt")
    planted = {
        ("first wrong answer", "locate"): 0.6,
        ("first wrong answer", "contrast"): 0.0,
        ("answer repeated", "locate"): 0.0,
        ("answer repeated", "contrast"): 0.7,
    }
    for (state, form), truth in planted.items():
        row = table.filter(pl.col("state") == state, pl.col("form") == form).row(0, named=True)
        for effect in ("effect", "effect_weighted"):
            assert row[f"{effect}_low"] <= truth <= row[f"{effect}_high"], (state, form, effect)
            assert row[f"{effect}_high"] - row[f"{effect}_low"] < 0.6
        assert row["against"] == "verdict"
    assert {*table["feedback"]} == {"mixed:verdict=.4,locate=.3,contrast=.3"}


def test_two_attempts_later_counts_only_decisions_with_two_attempts_left(run):
    late = form_effects.forms(run).filter(pl.col("horizon") == "next two attempts")
    both = read_choices(run.directories)
    left = [each for each in both if each.is_drawn and each.state.iteration < 2]
    whole = late.filter(pl.col("state") == "any state")
    assert whole["n"].sum() == len(left)
    assert all(each.right_later is not None for each in left)
    assert all(each.right_later for each in left if each.right)
    located = whole.filter(pl.col("form") == "locate").row(0, named=True)
    near = form_effects.forms(run).filter(
        pl.col("horizon") == "next attempt", pl.col("state") == "any state",
        pl.col("form") == "locate",
    )  # fmt: skip
    assert located["share"] > near["share"][0]


def test_predictions_of_repetition_are_set_beside_what_happened(run):
    table = form_effects.repetition_predicted(run)
    assert {*table["feedback"]} == {"mixed:verdict=.4,locate=.3,contrast=.3", "ladder"}
    decisions = [each for each in read_choices(run.directories) if each.repeated is not None]
    assert table["n"].sum() == len(decisions)
    assert ((table["repeated_low"] <= table["repeated"]) & (table["repeated"] <= 1)).all()
    assert table["predicted"].is_between(table["low"], table["high"]).all()
    for row in table.iter_rows(named=True):
        mine = [
            bool(each.repeated)
            for each in decisions
            if each.condition == row["condition"]
            and (row["low"] <= each.predicted < row["high"] or row["high"] == each.predicted == 1)
        ]
        assert (len(mine), sum(mine) / len(mine)) == (row["n"], pytest.approx(row["repeated"]))


def test_the_figures_are_drawn_from_the_tables_and_left_out_without_draws(run):
    drawn = adapting.what_helps(run)
    assert drawn is not None
    assert not drawn.table["state"].str.starts_with("error").any()
    assert "repeat the last" in adapting.foreseen(run).caption
    assert drawn.light.startswith("<svg")


def test_results_print_the_forms_of_conditions_that_choose_among_several(run):
    decisions = read_choices(run.directories)
    found = forms_given(run.directories)
    assert sum(each.n for each in found) == len(decisions)
    mixed = [each for each in found if each.feedback.startswith("mixed")]
    assert [each.form for each in mixed] == ["verdict", "locate", "contrast"]
    located = [each for each in decisions if each.form == "locate" and each.is_drawn]
    assert mixed[1].right.value == pytest.approx(sum(each.right for each in located) / len(located))
    assert mixed[1].right.low < mixed[1].right.value < mixed[1].right.high
    said = command("results", *run.directories).stdout
    assert "Forms that were chosen" in said
    assert all(f" {each.form} " in said for each in mixed)
    whole = json.loads(command("results", *run.directories, "--json").stdout)["forms"]
    assert [each["n"] for each in whole] == [each.n for each in found]
    table = form_effects.forms(run).filter(horizon="next attempt", state="any state")
    for row, each in zip(table.iter_rows(named=True), mixed, strict=True):
        told = each.right
        shares = [row[name] for name in ("share", "share_low", "share_high")]
        assert shares == pytest.approx([told.value, told.low, told.high], abs=1e-12)


def test_a_trial_shows_each_form_with_propensity_state_and_reason(run):
    [directory] = run.directories
    chosen = next(
        each
        for each in read_choices(run.directories)
        if each.is_drawn and each.state.repeats and each.form == "locate"
    )
    where = (chosen.condition, chosen.problem, chosen.epoch)
    with open_journal(directory) as db:
        given = read_given(db, *where)[chosen.state.iteration]
        told = read_trial(db, *where)["attempts"][chosen.state.iteration]["told"]
        place = [
            each["condition"]
            for each in db.execute("SELECT condition FROM conditions ORDER BY rowid")
        ]
    assert told["given"] == given
    assert (given.form, given.propensity, given.why) == ("locate", 0.3, "drawn at random")
    assert "the answer before again" in given.state
    shown = command("show", directory, chosen.problem, "--feedback", chosen.feedback).stdout
    at = place.index(chosen.condition) + 1
    address = f"runs/{directory.name}/trial?at={at}&problem={chosen.problem}&epoch=0"

    async def steps(page):
        return (await page.get(address))[1]

    for text in (" ".join(shown.split()), visit(directory, steps=steps)):
        for word in ("locate", "drawn at random", "propensity 0.30", "the answer before again"):
            assert word in text
