"""Tables of probes and oracles, on journals written by hand so that every number is known."""

import json
import math
import sqlite3
from importlib import resources

import polars as pl
import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.oracle_coverage import read_oracle
from feedback_friction.analysis.stats.intervals import wilson
from feedback_friction.analysis.tables import probe_table
from feedback_friction.errors import UsageError

CONDITION = "mmlu | student/x | strong | greedy"


def journal(directory, config=None):
    directory.mkdir(exist_ok=True)
    (directory / "run.json").write_text(json.dumps({"schema": 2, "config": config or {}}))
    db = sqlite3.connect(directory / "journal.sqlite")
    schema = resources.files("feedback_friction.engine.journal").joinpath("schema.sql")
    db.executescript(schema.read_text("utf-8"))
    return db


def insert(db, table, **row):
    names = [each[1] for each in db.execute(f"PRAGMA table_info({table})")]
    kinds = [each[2] for each in db.execute(f"PRAGMA table_info({table})")]
    optional = {"feedback", "prediction", "mean_logprob", "digits", "subject", "level"}
    blank = {"TEXT": "", "INTEGER": 0, "REAL": 0.0, "BLOB": b""}
    values = {
        name: None if name in optional else blank[kind]
        for name, kind in zip(names, kinds, strict=True)
    }
    values |= row
    marks = ", ".join(f":{name}" for name in names)
    db.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def trial(db, problem, answers, choices=("stone", "apple"), gold="B"):
    """A trial with these answers; every wrong one but the last got feedback."""
    insert(db, "problems", task="mmlu", problem_id=problem, gold=gold)
    right = answers[-1] == gold
    insert(
        db, "trials", condition=CONDITION, problem_id=problem, attempts=len(answers),
        status="solved" if right else "unsolved",
    )  # fmt: skip
    for iteration, answer in enumerate(answers):
        insert(
            db, "attempts", condition=CONDITION, problem_id=problem, iteration=iteration,
            prediction=answer, is_correct=int(answer == gold), gold=gold,
            choices=json.dumps(choices), leaks="[]",
            feedback="f" if iteration < len(answers) - 1 else None,
        )  # fmt: skip


def finding(db, probe, problem, value, iteration=0, settings="{}"):
    insert(
        db, "probes", probe=probe, settings=settings, condition=CONDITION, problem_id=problem,
        iteration=iteration, value=json.dumps(value),
    )  # fmt: skip


@pytest.fixture
def db(tmp_path):
    db = journal(tmp_path)
    insert(
        db, "conditions", condition=CONDITION, task="mmlu", solver="student/x", feedback="strong",
        sampling="greedy", iterations=3, epochs=1, problems=4, simulated=1,
    )  # fmt: skip
    trial(db, "p1", ["A", "B"])
    trial(db, "p2", ["A", "A", "A"])
    trial(db, "p3", ["B"])
    trial(db, "p4", [None, "A", "B"])
    db.commit()
    yield db
    db.close()


def table(db, tmp_path, function):
    db.commit()
    return function(load_runs([tmp_path]))


def test_entropy_buckets_hold_the_gain_of_those_wrong_at_first(db, tmp_path):
    even = {"counts": [["A", 25], ["B", 25]], "no_answer": 0, "correct": 25, "draws": 50}
    sure = {"counts": [["A", 50]], "no_answer": 0, "correct": 0, "draws": 50}
    finding(db, "entropy", "p1", even)
    finding(db, "entropy", "p2", sure)
    found = table(db, tmp_path, probe_table.entropy).filter(
        pl.col("estimate") == "plug-in", pl.col("problems") > 0
    )
    assert found.select("low", "gain", "problems", "few", "missing").rows() == [
        (0.0, 0.0, 1, True, 1),
        (pytest.approx(0.6), 1.0, 1, True, 1),
    ]
    assert found["simulated"].all()


def test_draws_without_an_answer_are_a_cluster_of_their_own(db, tmp_path):
    value = {"counts": [["A", 25]], "no_answer": 25, "correct": 0, "draws": 50}
    finding(db, "entropy", "p1", value)
    finding(db, "entropy", "p2", value)
    found = table(db, tmp_path, probe_table.entropy_summary)
    plug_in = found.filter(pl.col("estimate") == "plug-in").row(0, named=True)
    assert plug_in["mean_entropy"] == pytest.approx(math.log(2))


def test_settings_stand_in_rows_of_their_own(db, tmp_path):
    value = {"counts": [["A", 5]], "no_answer": 0, "correct": 0, "draws": 5}
    for settings in ("{}", '{"draws":5}'):
        finding(db, "entropy", "p1", value, settings=settings)
    assert table(db, tmp_path, probe_table.entropy)["settings"].n_unique() == 2


def test_in_domain_buckets_hold_first_and_final_accuracy(db, tmp_path):
    for problem, correct in (("p1", 5), ("p2", 5), ("p3", 100)):
        value = {"counts": [], "no_answer": 0, "correct": correct, "draws": 100}
        finding(db, "in-domain", problem, value)
    found = table(db, tmp_path, probe_table.in_domain)
    assert len(found) == 10
    first, last = found.row(0, named=True), found.row(9, named=True)
    assert (first["initial"], first["final"], first["problems"]) == (0.0, 0.5, 2)
    assert (last["initial"], last["final"], last["problems"]) == (1.0, 1.0, 1)
    assert set(found["missing"]) == {1}


def test_self_perception_stands_beside_what_was_done(db, tmp_path):
    say = {"understood": True, "updated": True}
    finding(db, "self-perception", "p1", say)
    finding(db, "self-perception", "p2", say)
    finding(db, "self-perception", "p2", {"understood": None, "updated": False}, iteration=1)
    row = table(db, tmp_path, probe_table.self_perception).row(0, named=True)
    assert row["understood"] == 1.0
    assert row["updated"] == pytest.approx(2 / 3)
    assert row["repeated"] == pytest.approx(2 / 3)  # p2 twice, p1 was corrected
    assert row["repeated_though_updated"] == 0.5
    assert (row["unreadable"], row["n"], row["missing"]) == (1, 3, 2)


def test_a_right_answer_that_is_challenged_is_no_failure_to_take_up_feedback(db, tmp_path):
    db.execute("UPDATE attempts SET feedback = 'sure?' WHERE problem_id = 'p3'")
    draws = {"counts": [["A", 25], ["B", 25]], "no_answer": 0, "correct": 25, "draws": 50}
    for problem in ("p1", "p2", "p3"):
        finding(db, "entropy", problem, draws)
        finding(db, "self-perception", problem, {"understood": problem == "p3", "updated": True})
    for row in table(db, tmp_path, probe_table.entropy_summary).iter_rows(named=True):
        assert (row["n"], row["missing"]) == (2, 1)
    row = probe_table.self_perception(load_runs([tmp_path])).row(0, named=True)
    assert (row["understood"], row["n"], row["missing"]) == (0.0, 2, 3)


def test_a_reader_stands_beside_chance_with_wilsons_interval(db, tmp_path):
    for problem, named in (("p1", True), ("p2", False), ("p4", False)):
        finding(db, "reader", problem, {"named": named, "control": False})
    row = table(db, tmp_path, probe_table.reader).row(0, named=True)
    limits = wilson(1, 3)
    assert (row["named"], row["chance"]) == (pytest.approx(1 / 3), 0.0)
    assert (row["chance_low"], row["chance_high"]) == (0.0, pytest.approx(wilson(0, 3).high))
    assert row["named_low"] <= limits.low + 0.01
    assert (row["n"], row["missing"]) == (3, 2)


def test_findings_about_attempts_that_are_gone_do_not_count(db, tmp_path):
    finding(db, "reader", "p3", {"named": True, "control": True}, iteration=7)
    finding(db, "reader", "p1", {"named": False, "control": None})
    row = table(db, tmp_path, probe_table.reader).row(0, named=True)
    assert (row["named"], row["n"]) == (0.0, 1)


TABLES = [
    probe_table.entropy, probe_table.entropy_summary, probe_table.in_domain,
    probe_table.self_perception, probe_table.reader,
]  # fmt: skip


@pytest.mark.parametrize("function", TABLES)
def test_a_run_without_probes_gives_an_empty_table_with_its_columns(db, tmp_path, function):
    db.execute("DROP TABLE probes")
    found = table(db, tmp_path, function)
    assert found.is_empty()
    assert {"settings", "missing", "task"} <= set(found.columns)


CONFIG = {
    "kind": "oracle", "tasks": ["mmlu"], "solver": "student/x", "digits": 5, "attempts": 2,
    "gens": 2, "until_solved": False,
}  # fmt: skip


def drawn(directory, correct, config=CONFIG):
    db = journal(directory, config)
    for problem, verdicts in correct.items():
        insert(db, "problems", task="mmlu", problem_id=problem)
        for number, right in enumerate(verdicts):
            insert(
                db, "oracle_draws", task="mmlu", problem_id=problem, draw=number,
                request=number // 2, verdict="correct" if right else "wrong",
            )  # fmt: skip
    db.commit()
    db.close()


def test_an_oracle_gives_coverage_and_pass_at_k_of_complete_problems(tmp_path):
    drawn(tmp_path, {"p1": [1, 0, 0, 0], "p2": [0, 0, 0, 0], "p3": [1, 1]})
    found = read_oracle(tmp_path)
    assert (found.coverage().value, found.coverage().n, found.missing) == (0.5, 2, 1)
    shares = [found.pass_at(k) for k in (1, 2, 4)]
    assert [each.value for each in shares] == pytest.approx([1 / 8, 1 / 4, 1 / 2])
    assert {each.n for each in shares} == {2}
    assert found.coverage().interval == wilson(1, 2)


def test_an_oracle_that_stopped_at_the_first_right_draw_has_coverage_alone(tmp_path):
    drawn(tmp_path, {"p1": [1, 0], "p2": [0, 0], "p3": [0] * 4}, {**CONFIG, "until_solved": True})
    found = read_oracle(tmp_path)
    # p2 has one request to go: what it has not solved so far is known all the same
    assert found.coverage().value == pytest.approx(1 / 3)
    assert (found.coverage().n, found.missing) == (2, 1)
    with pytest.raises(UsageError, match="needs all draws"):
        found.pass_at(1)


def test_a_k_above_the_draws_and_a_directory_of_trials_are_refused(db, tmp_path):
    with pytest.raises(UsageError, match="is not the directory of an oracle"):
        read_oracle(tmp_path)
    drawn(tmp_path / "oracle", {"p1": [1, 0, 0, 0]})
    with pytest.raises(UsageError, match="k from 1 to the 4 draws"):
        read_oracle(tmp_path / "oracle").pass_at(5)
