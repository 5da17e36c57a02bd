"""Tables of what was found inside a model, on findings written by hand."""

from __future__ import annotations

import json
import math

import pytest
from test_tables_probes import CONDITION, insert, journal, trial

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables import inside_table
from feedback_friction.analysis.tables.inside_cuts import knockout
from feedback_friction.analysis.tables.inside_samples import mean

SETTINGS = json.dumps({"as_is": False, "digest": "d", "dtype": "float32", "model": "m"})
PROBLEMS = 12


def cells(taken):
    """Without a cut -1, -2, -3; the cut of the feedback takes so much from each."""
    return {
        "none": [-1.0, -2.0, -3.0],
        "all/feedback": [-1.0 - taken, -2.0 - taken, -3.0],
        "layer 1/feedback": [-1.0, -2.0, -3.0],
        "head 1.3/feedback": [-1.5, -2.0, -3.0],
        **{f"elsewhere {n}/feedback": [-1.0 - n, -2.0, -3.0] for n in range(3)},
        "none/another's feedback": [-8.0, -2.0, -3.0],
        "all/another's feedback": [-8.5, -2.0, -3.0],
    }


@pytest.fixture
def runs(tmp_path):
    db = journal(tmp_path)
    insert(
        db, "conditions", condition=CONDITION, task="mmlu", solver="student/x", feedback="strong",
        sampling="greedy", iterations=2, epochs=1, problems=PROBLEMS, simulated=1,
    )  # fmt: skip
    for number in range(PROBLEMS):
        problem, right = f"p{number}", number % 2 == 0
        trial(db, problem, ["A", "B" if right else "A"])
        outcome = {"outcome": "taken up" if right else "repeated", "trains": False}
        lost = {"none": "taken up" if right else "repeated", "all/feedback": "repeated"}
        values = {
            "knockout": {"cells": cells(4.0 if right else 0.0)},
            "replies": {"wrote": lost},
            "plain": {
                "segments": ["question", "feedback 1 rest"], "share": [0.75, 0.25],
                "attention": [[[0.5, 0.5], [0.7, 0.3]]], "lens": [1.0 if right else -1.0],
            },
            "tuned": {"tuned": [2.0 * number], "kl": [1.0], "kl_tuned": [0.25]},
            "attribution": {
                "segments": ["question", "feedback 1 rest"], "ixg": [0.0, 1.0], "ig": [0.0, 2.0],
                "margin": 1.0, "margin_empty": -1.5,
            },
            "patching": {
                "base": -2.0, "donor": 3.0, "cells": {"layer 0/request": -1.0 + number / 99}
            },
            "steering": {
                "wrote": {"none": "repeated", "steered": "taken up", "random 0": "repeated"}
            },
        }  # fmt: skip
        for probe, value in values.items():
            insert(
                db, "probes", probe=f"inside:{probe}", settings=SETTINGS, condition=CONDITION,
                problem_id=problem, iteration=1, value=json.dumps(outcome | value),
            )  # fmt: skip
    db.commit()
    db.close()
    return load_runs([tmp_path])


def row(table, **where):
    found = [each for each in table.to_dicts() if all(each[k] == v for k, v in where.items())]
    assert len(found) == 1, found
    return found[0]


def test_what_a_cut_takes_is_told_by_outcome_with_its_controls(runs):
    table = knockout(runs)
    told = {"scope": "all", "segment": "feedback"}
    assert row(table, outcome="taken up", of="reply", **told)["taken"] == 4
    assert row(table, outcome="repeated", of="reply", **told)["taken"] == 0
    assert row(table, outcome="taken up", of="margin", **told)["taken"] == 4
    assert row(table, outcome="all", of="wrong", **told)["taken"] == 0
    assert row(table, outcome="all", of="reply", scope="elsewhere")["taken"] == 1  # of 0, 1, 2
    assert row(table, outcome="taken up", of="reply", scope="all less elsewhere")["taken"] == 3
    assert row(table, outcome="all", of="reply", scope="another's")["taken"] == 0.5
    head = row(table, outcome="all", of="reply", scope="head")
    assert (head["layer"], head["head"], head["n"]) == (1, 3, PROBLEMS)


def test_attention_is_compared_with_the_share_of_tokens(runs):
    table = inside_table.attention(runs)
    mean = row(table, outcome="all", segment="feedback 1 rest", head=None)
    assert (mean["weight"], mean["share"]) == (pytest.approx(0.4), 0.25)
    head = row(table, outcome="all", segment="question", head=1)
    assert head["beyond"] == pytest.approx(-0.05)


def test_lens_attribution_and_patching_keep_their_signs(runs):
    lens = inside_table.lens(runs)
    assert [row(lens, outcome=name)["margin"] for name in ("taken up", "repeated")] == [1, -1]
    tuned = row(lens, outcome="all")
    assert (tuned["tuned"], tuned["n_tuned"]) == (PROBLEMS - 1, PROBLEMS)
    assert (tuned["kl"], tuned["kl_tuned"]) == (1, 0.25)
    worth = row(
        inside_table.attribution(runs), outcome="all", method="ig", segment="feedback 1 rest"
    )
    assert (worth["worth"], worth["gap"]) == (2, 0.5)
    patched = row(inside_table.patching(runs), outcome="all")
    assert (patched["base"], patched["donor"]) == (-2, 3)
    assert patched["gained"] == pytest.approx(1 + 5.5 / 99)
    assert patched["gained_low"] < patched["gained"] < patched["gained_high"]


def test_replies_written_anew_say_what_a_cut_loses_and_steering_what_it_cures(runs):
    replies = inside_table.replies(runs)
    cut = row(replies, outcome="taken up", scope="all/feedback")
    assert (cut["taken_up"], cut["lost"], cut["n"]) == (0, 1, 6)
    assert row(replies, outcome="repeated", scope="all/feedback")["lost"] == 0
    steered = inside_table.steering(runs)
    assert row(steered, outcome="repeated", arm="steered")["lost"] == -1
    assert row(steered, outcome="repeated", arm="random")["lost"] == 0


def test_holm_is_over_the_cells_of_a_scope_and_never_below_p(runs):
    for table in (knockout(runs), inside_table.lens(runs), inside_table.replies(runs)):
        for each in table.to_dicts():
            assert math.isnan(each["p"]) or each["holm"] >= each["p"]


def test_one_problem_has_a_mean_and_no_interval():
    found = mean([("p", 2.0), ("p", 4.0)])
    assert found.value == 3
    assert math.isnan(found.low)


def test_the_figure_lays_attention_beside_the_knock_out(runs):
    from feedback_friction.report.experiments import inside

    figure = inside(runs)
    assert figure is not None
    assert {*figure.table["of"]} == {"attention"}  # of the parts of the feedback nothing was cut
    assert "<svg" in figure.light
