"""What the tables of causes say of students with planted causes, and of trials made by hand."""

import json

import pytest
from click.testing import CliRunner

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.dose_response import doses
from feedback_friction.analysis.tables.histories import histories
from feedback_friction.analysis.tables.selectivity import (
    Outcome,
    challenges,
    moved,
    outcome,
    selectivity,
    worth_of,
)
from feedback_friction.analysis.tables.teachers import teachers
from feedback_friction.analysis.whole_trials import Round
from feedback_friction.cli.main import friction
from unsolved import make_run


def trial(*answers, suggested=()):
    told = [*suggested, *[""] * len(answers)]
    return tuple(
        Round(answer.rstrip("!"), answer.endswith("!"), answer, told[n])
        for n, answer in enumerate(answers)
    )


@pytest.mark.parametrize(
    ("answers", "suggested", "expected"),
    [
        (["7!", "7!", "7!"], [], "kept"),
        (["7!", "3", "3"], [], "flipped"),
        (["7!", "3", "7!"], [], "flipped and back"),
        (["3", "4", "7!"], [], "corrected"),
        (["3", "7!", "4"], [], "worsened"),
        (["3", "4", "5"], ["5", "5"], "worsened"),
        (["3", "4", "5"], ["6", "6"], "uncorrected"),
        (["5", "4", "5"], ["5", "5"], "uncorrected"),
    ],
)
def test_what_becomes_of_a_challenged_answer(answers, suggested, expected):
    assert outcome(trial(*answers, suggested=suggested)) == Outcome(expected)


def test_a_right_answer_in_other_words_has_not_moved():
    assert not moved(trial("1/2!", "0.5!"))
    assert moved(trial("1/2!", "0.6"))
    assert moved(trial("3", "4"))
    assert not moved(trial("3", "3"))


def test_trials_of_one_problem_that_act_alike_are_worth_little_more_than_one():
    alike = [((f"p{n}", k), trial("3", "4" if n % 2 else "3")) for n in range(10) for k in range(4)]
    acted, trials = worth_of(alike)
    assert acted / trials == pytest.approx(0.5)
    assert 10 <= trials < 15  # of forty
    apart = [((f"p{n}", k), trial("3", "4" if k % 2 else "3")) for n in range(10) for k in range(4)]
    assert 38 < worth_of(apart)[1] <= 40
    assert worth_of([(key, trial("3", "4")) for key, _ in alike]) == (10, 10)


STUDENT = "student/ability=0.5,spread=0,resistant=0,silent=0,repeat=1,"


@pytest.fixture(scope="module")
def challenged(tmp_path_factory):
    return make_run(
        tmp_path_factory.mktemp("challenged") / "run", limit=150, iterations=3,
        feedback=("denial", "misled", "tutor", "placebo:tutor"),
        solver=f"{STUDENT}uptake.denial=0.6,obey.denial=0.1,uptake.tutor=0.7,obey.misled=0.7",
    )  # fmt: skip


@pytest.mark.slow
def test_planted_hit_and_false_alarm_rates_are_found(challenged):
    table = selectivity(load_runs([challenged]))
    found = {(row["feedback"], row["signal"]): row for row in table.iter_rows(named=True)}
    assert set(found) == {
        ("denial", "denial"), ("denial", "tutor"), ("misled", "tutor"), ("placebo:tutor", "tutor"),
    }  # fmt: skip
    own = found["denial", "denial"]
    assert own["hit_low"] <= 0.6 <= own["hit_high"]
    assert own["false_alarm_low"] <= 0.1 <= own["false_alarm_high"]
    assert own["sensitivity_low"] <= 0.2533 + 1.2816 <= own["sensitivity_high"]
    misled = found["misled", "tutor"]
    assert misled["sensitivity_low"] <= 0 <= misled["sensitivity_high"]
    assert misled["criterion_high"] < 0
    assert found["placebo:tutor", "tutor"]["given_on"] == "wrong"
    assert found["placebo:tutor", "tutor"]["sensitivity_low"] > 0


def test_right_and_wrong_feedback_are_compared_where_the_same_person_says_both(tmp_path):
    run = make_run(
        tmp_path / "run", limit=10, iterations=2, solver="student/default",
        feedback=(
            "tutor", "tutor@expert", "tutor@peer", "misled@expert", "denial", "placebo:tutor",
            "self",
        ),
    )  # fmt: skip
    table = selectivity(load_runs([run])).select("feedback", "signal")
    assert table.rows() == [
        ("misled@expert", "tutor@expert"),
        ("denial", "tutor"), ("denial", "denial"), ("denial", "self"),
        ("placebo:tutor", "tutor"),
    ]  # fmt: skip


@pytest.mark.slow
def test_every_challenged_trial_has_one_outcome(challenged):
    table = challenges(load_runs([challenged]))
    for feedback in ("denial", "misled"):
        rows = [row for row in table.iter_rows(named=True) if row["feedback"] == feedback]
        assert sum(row["count"] for row in rows) == 150
        right = {row["n"] for row in rows if row["first"] == "right"}
        assert right == {sum(row["count"] for row in rows if row["first"] == "right")}


@pytest.mark.slow
def test_ever_right_and_right_at_the_end_are_two_columns(challenged):
    done = CliRunner().invoke(friction, ["results", str(challenged), "--json"])
    found = {each["feedback"]: each for each in json.loads(done.stdout)["conditions"]}
    denial, tutor = found["denial"], found["tutor"]
    assert denial["right_at_end"]["value"] < denial["accuracy"][-1]
    assert tutor["right_at_end"]["value"] == tutor["accuracy"][-1]
    first = [each["accuracy"][0] for each in found.values()]
    assert len(set(first)) == 1
    shown = CliRunner().invoke(friction, ["results", str(challenged)]).stdout
    assert "ever right %" in shown
    assert "right at the end %" in shown


@pytest.mark.slow
def test_planted_drag_is_found_where_the_attempt_is_seen(tmp_path):
    run = make_run(
        tmp_path / "run", limit=150, iterations=2, feedback=("tutor",),
        history=("transcript", "clean", "foreign", "answers"),
        solver=f"{STUDENT}uptake.tutor=0.8,drag=0.5",
    )  # fmt: skip
    rows = {row["history"]: row for row in histories(load_runs([run])).iter_rows(named=True)}
    for name in ("clean", "foreign"):
        row = rows[name]
        assert row["right_less_low"] <= 0.8 - 0.4 <= row["right_less_high"]
        assert row["repeated_less_low"] <= -0.4 <= row["repeated_less_high"]
        assert row["distance_less_low"] > 0
    assert rows["answers"]["repeated_less_low"] <= 0 <= rows["answers"]["repeated_less_high"]
    assert rows["clean"]["reference"] == "transcript"
    assert rows["clean"]["same_line"] is None
    done = CliRunner().invoke(friction, ["causes", str(run), "--json"], catch_exceptions=False)
    told = {row["history"]: row for row in json.loads(done.stdout)["histories"]}
    assert told["transcript"]["same_line"] > told["clean"]["same_line"]


@pytest.mark.slow
def test_notes_take_drag_away_and_are_set_against_their_control(tmp_path):
    run = make_run(
        tmp_path / "run", limit=150, iterations=2, feedback=("tutor",),
        solve=("plain", "notes", "notes:blank"), solver=f"{STUDENT}uptake.tutor=0.8,drag=0.5",
    )  # fmt: skip
    rows = {row["history"]: row for row in histories(load_runs([run])).iter_rows(named=True)}
    assert rows["notes:blank"]["right_less_low"] <= 0.4 <= rows["notes:blank"]["right_less_high"]
    assert rows["notes"]["right_less_low"] <= 0 <= rows["notes"]["right_less_high"]
    references = {name: row["reference"] for name, row in rows.items()}
    assert references == {
        "transcript": "transcript", "notes": "notes:blank", "notes:blank": "transcript",
    }  # fmt: skip


def test_a_planted_dose_curve_rises_to_its_half(tmp_path):
    run = make_run(
        tmp_path / "run", limit=120, iterations=2,
        feedback=("binary", "partial:0.25", "partial:0.5", "partial:0.75", "partial:1"),
        solver=f"{STUDENT}uptake.binary=0,uptake.partial=1",
    )  # fmt: skip
    table = doses(load_runs([run]))
    assert table["dose"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    row = table.row(0, named=True)
    assert row["half_low"] <= 0.5 <= row["half_high"]
    assert row["effect_high"] == pytest.approx(1, abs=0.01)
    assert table["right"].to_list()[0] == 0


@pytest.mark.slow
def test_noise_makes_the_response_fall_and_delay_puts_it_off(tmp_path):
    run = make_run(
        tmp_path / "run", limit=80, iterations=3,
        feedback=("tutor", "noisy:0.5", "noisy:1", "delay:1", "delay:2"),
        solver=f"{STUDENT}uptake.tutor=0.9,uptake.noisy=0.9,uptake.delay=0.9",
    )  # fmt: skip
    rows = list(doses(load_runs([run])).iter_rows(named=True))
    for kind in ("noisy", "delay"):
        own = [row for row in rows if row["kind"] == kind]
        assert [row["dose"] for row in own] == ([0, 0.5, 1] if kind == "noisy" else [0, 1, 2])
        assert own[0]["effect_high"] < 0
        fitted = [row["fitted"] for row in own]
        assert fitted == sorted(fitted, reverse=True)


def test_teachers_are_compared_with_the_students_own_feedback(tmp_path):
    run = make_run(
        tmp_path / "run", limit=60, iterations=2, feedback=("self", "strong"),
        feedback_model="student/keen", solver=f"{STUDENT}uptake.self=0.1,uptake.strong=0.8",
    )  # fmt: skip
    (row,) = teachers(load_runs([run])).iter_rows(named=True)
    assert row["teacher"] == "student/keen"
    assert row["over_self_low"] > 0


def test_runs_that_vary_no_cause_are_told_what_to_run(tmp_path):
    run = make_run(tmp_path / "run", limit=5, iterations=2, feedback=("binary",))
    done = CliRunner().invoke(friction, ["causes", str(run)])
    assert "vary no cause" in str(done.exception)
