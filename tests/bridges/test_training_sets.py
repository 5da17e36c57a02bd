"""What leaves a run as a training set."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands import friction
from feedback_friction.bridges import rewards
from feedback_friction.bridges.training import FORMS, rows_of
from feedback_friction.bridges.turns import Selected, read_turns
from feedback_friction.split import split_of

EVERYTHING = Selected("all")
RUN = (
    *("run", "decimal_multiplication", "--digits", 3, "--limit", 40, "--iterations", 4),
    *("--solver", "student/ability=0.3,resistant=0.3", "--temperature", "1", "--quiet"),
    *("--feedback", "binary", "--feedback", "tutor", "--feedback", "placebo:tutor"),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training") / "run"
    friction(*RUN, "--out", folder)
    return folder


def turns_of(run, selected=EVERYTHING):
    left_out = Counter()
    return [list(turns) for turns in read_turns(run, selected, left_out)], left_out


def rows(run, form, selected=EVERYTHING):
    return list(rows_of(form, turns_of(run, selected)[0]))


def attempts(run):
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.row_factory = sqlite3.Row
        found = db.execute(
            "SELECT a.*, c.feedback AS mode FROM attempts a JOIN conditions c USING (condition)"
        )
        return {(r["condition"], r["problem_id"], r["iteration"]): dict(r) for r in found}


def at(row, iteration=None):
    number = row["iteration"] if iteration is None else iteration
    return row["condition"], row["problem_id"], number


@pytest.mark.slow
def test_every_attempt_is_a_turn_whose_prompt_the_journal_proves(run):
    turns, left_out = turns_of(run)
    assert sum(map(len, turns)) == len(attempts(run))
    assert not left_out


def test_sft_holds_exactly_the_replies_that_are_right_after_feedback(run):
    known = attempts(run)
    found = rows(run, "sft")
    wanted = {
        place
        for place, row in known.items()
        if row["is_correct"] and row["iteration"] and row["mode"] in ("binary", "tutor")
    }
    assert {at(row) for row in found} <= wanted  # the same row of two conditions comes once
    assert {row["messages"][-1]["content"] for row in found} == {
        known[place]["response"] for place in wanted
    }
    for row in found:
        shown = row["messages"][-2]["content"]
        assert known[at(row, row["iteration"] - 1)]["feedback"] in shown


def test_dpo_prefers_a_right_reply_to_a_wrong_one(run):
    known = attempts(run)
    by_reply = {(row["problem_id"], row["response"]): row["is_correct"] for row in known.values()}
    found = rows(run, "dpo")
    for row in found:
        chosen, rejected = (row[side][0]["content"] for side in ("chosen", "rejected"))
        assert by_reply[row["problem_id"], chosen] == 1
        assert by_reply[row["problem_id"], rejected] == 0
    assert {row["negative"] for row in found} == {"later", "placebo:tutor"}


def test_a_rejected_reply_of_the_same_trial_repeats_an_old_answer_and_answers_this_prompt(run):
    known = attempts(run)
    for row in rows(run, "dpo"):
        if row["negative"] == "later":
            asked = known[at(row)]
            assert asked["response"] == row["rejected"][0]["content"]
            before = {known[at(row, k)]["prediction"] for k in range(row["iteration"])}
            assert asked["prediction"] in before


def test_kto_has_both_labels_and_no_row_twice(run):
    found = rows(run, "kto")
    assert {row["label"] for row in found} == {True, False}
    told = [json.dumps([row["prompt"], row["completion"], row["label"]]) for row in found]
    assert len(told) == len(set(told))


def test_privileged_context_is_the_masked_feedback_on_the_reply(run):
    known = attempts(run)
    found = rows(run, "sdpo")
    assert found
    for row in found:
        assert row["privileged_context"] == known[at(row)]["feedback"]
        assert row["gold"] not in row["privileged_context"]


def test_rewards_are_the_verdicts_of_the_run(run):
    known = attempts(run)
    found = rows(run, "grpo")
    columns = {name: [row[name] for row in found] for name in found[0]}
    said = [[{"role": "assistant", "content": known[at(row)]["response"]}] for row in found]
    assert rewards.solved(said, **columns) == [known[at(row)]["is_correct"] for row in found]
    again = rewards.not_refuted(said, **columns)
    assert set(again) == {-1, 0}
    for row, reward in zip(found, again, strict=True):
        assert (reward == -1) == (known[at(row)]["prediction"] in row["refuted"])


def test_held_out_problems_leave_only_when_asked_for(run):
    parts = [
        {row["problem_id"] for row in rows(run, "grpo", Selected(split))}
        for split in ("train", "held-out", "all")
    ]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert parts[0] | parts[1] == parts[2]


@given(st.text(max_size=5), st.text(max_size=9), st.floats(0, 0.99), st.floats(0, 0.99))
def test_a_larger_held_out_share_keeps_what_was_held_out(task, problem, one, other):
    low, high = sorted((one, other))
    if split_of(task, problem, low) == "held-out":
        assert split_of(task, problem, high) == "held-out"


def test_what_follows_a_leak_is_dropped_and_counted(run, tmp_path):
    copy = tmp_path / "leaky"
    copy.mkdir()
    for name in ("run.json", "journal.sqlite"):
        (copy / name).write_bytes((run / name).read_bytes())
    with sqlite3.connect(copy / "journal.sqlite") as db:
        db.execute("UPDATE attempts SET leaks = '[\"it\"]' WHERE feedback IS NOT NULL")
    assert not rows(copy, "sft")
    turns, left_out = turns_of(copy)
    later = sum(1 for (_, _, number) in attempts(run) if number)
    assert left_out == {"after feedback that gave the answer away": later}
    assert all(turn.number == 0 for problem in turns for turn in problem)


def test_a_prompt_that_the_journal_does_not_prove_is_dropped_and_counted(run, tmp_path):
    copy = tmp_path / "unproved"
    copy.mkdir()
    for name in ("run.json", "journal.sqlite"):
        (copy / name).write_bytes((run / name).read_bytes())
    with sqlite3.connect(copy / "journal.sqlite") as db:
        db.execute("DELETE FROM completions")
    turns, left_out = turns_of(copy)
    assert not turns
    assert left_out == {"whose prompt the journal does not prove": len(attempts(run))}


@pytest.mark.parametrize("form", FORMS)
def test_the_command_writes_rows_and_a_card(run, form, tmp_path):
    out = tmp_path / "rows.jsonl"
    done = friction("export", run, "--to", form, "--out", out)
    lines = out.read_text("utf-8").splitlines()
    assert done.stdout.startswith(f"{len(lines)} rows for {form}")
    text = out.with_suffix(".md").read_text("utf-8")
    for told in (f"| rows | {len(lines)} |", "CC0", "20% are held out", "student/ability=0.3"):
        assert told in text


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--to", "csv", "--split", "all"], "--split needs a training set"),
        (["--to", "dpo", "--push", "a/b"], "name it with --out"),
        (["--to", "inspect"], "name it with --out"),
        (["--to", "parquet"], "name it with --out"),
        (["--to", "dpo", "--out", "/nowhere/x.jsonl"], "cannot write /nowhere/x.jsonl"),
        (["--to", "nothing"], "'nothing' is not one of"),
    ],
)
def test_what_cannot_be_written_is_one_line(run, more, line):
    done = friction("export", run, *more, code=2)
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_tables_hold_every_attempt(run, tmp_path):
    pl = pytest.importorskip("polars", reason="polars is not installed: the extra 'report'")
    friction("export", run, "--to", "parquet", "--out", tmp_path / "a.parquet")
    table = pl.read_parquet(tmp_path / "a.parquet")
    known = attempts(run)
    assert len(table) == len(known)
    for row in table.iter_rows(named=True):
        assert (
            row["response"]
            == known[row["condition"], row["problem_id"], row["iteration"]]["response"]
        )
    friction("export", run, "--to", "csv", "--out", tmp_path / "a.csv")
    assert len(pl.read_csv(tmp_path / "a.csv", infer_schema=False)) == len(known)


@pytest.mark.slow
def test_inspect_reads_the_logs(run, tmp_path):
    log = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")
    friction("export", run, "--to", "inspect", "--out", tmp_path / "logs")
    files = sorted((tmp_path / "logs").iterdir())
    assert len(files) == 3
    known = attempts(run)
    for file in files:
        read = log.read_eval_log(str(file))
        condition = read.eval.metadata["condition"]
        assert len(read.samples) == 40
        solved = 0
        for sample in read.samples:
            mine = [row for place, row in known.items() if place[:2] == (condition, sample.id)]
            replies = [each.text for each in sample.messages if each.role == "assistant"]
            assert replies == [row["response"] for row in mine]
            assert sample.scores["friction"].value["acc@4"] == mine[-1]["is_correct"]
            solved += mine[-1]["is_correct"]
        scores = {each.name: each.metrics["accuracy"].value for each in read.results.scores}
        assert scores["acc@4"] == solved / 40


@pytest.mark.slow
def test_a_log_comes_back_with_the_same_verdicts_and_feedback(run, tmp_path):
    pytest.importorskip("inspect_ai", reason="inspect_ai is not installed")
    friction("export", run, "--to", "inspect", "--out", tmp_path / "logs")
    [log] = [each for each in (tmp_path / "logs").iterdir() if "placebo_tutor" in each.name]
    data = tmp_path / "problems.jsonl"
    with sqlite3.connect(run / "journal.sqlite") as db:
        asked = db.execute("SELECT question, gold, solution FROM problems").fetchall()
    rows = [{"question": q, "answer": gold, "Explanation": text} for q, gold, text in asked]
    data.write_text("\n".join(json.dumps(row) for row in rows))
    out = tmp_path / "adopted"
    friction("adopt", "decimal_multiplication", log, "--data", data, "--out", out)
    known = {
        place[1:]: (row["response"], row["verdict"], row["feedback"])
        for place, row in attempts(run).items()
        if row["mode"] == "placebo:tutor"
    }
    found = {
        place[1:]: (row["response"], row["verdict"], row["feedback"])
        for place, row in attempts(out).items()
    }
    assert found == known
    assert {row["mode"] for row in attempts(out).values()} == {"adopted"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "line"),
    [(b"no log", "cannot read"), (None, "cannot read")],
)
def test_what_is_no_log_is_one_line(content, line, tmp_path):
    pytest.importorskip("inspect_ai", reason="inspect_ai is not installed")
    file = tmp_path / "x.eval"
    if content is not None:
        file.write_bytes(content)
    done = friction("adopt", "primer", file, "--out", tmp_path / "run", code=2)
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_reply_of_as_many_tokens_as_it_may_have_was_cut_off(run):
    known = attempts(run)
    found = [row for row in rows(run, "grpo") if known[at(row)]["is_correct"]]
    columns = {name: [row[name] for row in found] for name in found[0]}
    ended = [row["gold"] for row in found]
    stated = [f"\\boxed{{{row['gold']}}} and" for row in found]
    solved, not_refuted = rewards.within(5)
    for texts, length, right in ((ended, 4, 1), (ended, 5, 0), (stated, 5, 1)):
        said = [[{"role": "assistant", "content": text}] for text in texts]
        ids = [[0] * length] * len(said)
        assert solved(said, completion_ids=ids, **columns) == [right] * len(said)
        assert not_refuted(said, completion_ids=ids, **columns) == [0] * len(said)
    assert solved.__name__ == "solved"
