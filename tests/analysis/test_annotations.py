"""Labels as tables: the study's folding from counts, target accuracy by hand, and agreement."""

import json
import math
import sqlite3

import pytest

from feedback_friction.analysis.annotations import (
    CLASSES,
    agreement,
    labels,
    read_agreement,
    usual_annotator,
)
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables.annotation_table import categories, confusion, target
from feedback_friction.engine.journal.store import Journal
from feedback_friction.errors import UsageError
from feedback_friction.labels import Labels, RawCategory, fold, read_labels
from unsolved import label

CONDITION = "mmlu_pro | openai/solver | strong | greedy"
FIRST, LATER, UNSOLVED, STOPPED = (
    ("solved", 1),
    ("solved", 4),
    ("unsolved", 10),
    ("stopped", 3),
)


def make(directory, trials):
    """A run directory with these (status, attempts) trials, ids 0, 1, ..."""
    directory.mkdir()
    (directory / "run.json").write_text(json.dumps({"schema": 1, "config": {}}))
    Journal(directory).close()
    with sqlite3.connect(directory / "journal.sqlite") as db:
        db.execute(
            "INSERT INTO conditions VALUES (?, 'mmlu_pro', NULL, 'openai/solver', 'strong',"
            " 'openai/f', 'greedy', 'transcript', 10, 1, ?, 'choice', 0)",
            (CONDITION, len(trials)),
        )
        for number, (status, attempts) in enumerate(trials):
            db.execute(
                "INSERT INTO problems (task, problem_id, question, prompt, gold, aliases, choices)"
                " VALUES ('mmlu_pro', ?, 'q', 'q', 'A', '[]', '[]')",
                (str(number),),
            )
            db.execute(
                "INSERT INTO trials VALUES (?, ?, 0, ?, '', ?, '2026')",
                (CONDITION, str(number), status, attempts),
            )
    db.close()
    return directory


def annotate(directory, raws, annotator="openai/judge", start=0, **more):
    """Label trials start, start + 1, ... with these raw categories."""
    with Labels(directory) as kept:
        for number, raw in enumerate(raws, start):
            folded = fold(RawCategory(raw)).value
            kept.put(label(CONDITION, str(number), annotator, folded, raw=raw, **more))


RESIST, WRONG, STYLE = "feedback not followed", "feedback wrong", "style or format"


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        ((122, 53, 14), (64.6, 28.0, 7.4)),  # MMLU-Pro, Claude 3.7 Sonnet
        ((49, 24, 5), (62.8, 30.8, 6.4)),  # MMLU-Pro, with extended thinking
        ((6, 1, 0), (85.7, 14.3, 0.0)),  # GPQA, with extended thinking
        ((55, 19, 2), (72.4, 25.0, 2.6)),  # TriviaQA, Claude 3.7 Sonnet
        ((33, 13, 0), (71.7, 28.3, 0.0)),  # TriviaQA, with extended thinking
        ((7, 0, 0), (100.0, 0.0, 0.0)),  # GPQA and AIME, Claude 3.7 Sonnet
    ],
)
def test_the_studys_table_of_categories_comes_out_of_the_counts(tmp_path, counts, printed):
    resist, wrong, other = counts
    run = make(tmp_path / "run", [UNSOLVED] * sum(counts))
    others = ["impossible", "too complicated", STYLE, "unknown"]
    annotate(run, [RESIST] * resist + [WRONG] * wrong + [others[i % 4] for i in range(other)])
    table = categories(load_runs([run]))
    assert table["category"].to_list() == ["resistance", "quality", "other"]
    assert table["count"].to_list() == list(counts)
    assert tuple(round(100 * share, 1) for share in table["share"]) == printed
    assert table["n"].to_list() == [sum(counts)] * 3
    for row in table.iter_rows(named=True):
        assert row["joint_low"] <= row["share_low"] <= row["share"]
        assert row["share"] <= row["share_high"] <= row["joint_high"]


def test_target_and_friction_by_hand(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 10 + [FIRST] * 20 + [LATER] * 10)
    annotate(run, [RESIST] * 6 + [WRONG] * 3 + [STYLE])
    [row] = target(load_runs([run])).iter_rows(named=True)
    assert row["initial"] == pytest.approx(20 / 40)
    assert row["final"] == pytest.approx(30 / 40)
    assert row["resistance"] == pytest.approx(0.6)
    assert row["target"] == pytest.approx(36 / 40)
    assert row["friction"] == pytest.approx(6 / 40)
    assert row["relative"] == pytest.approx(6 / 16)
    assert (row["n"], row["unsolved"], row["annotated"], row["missing"]) == (40, 10, 10, 0)
    for name in ("initial", "final", "resistance", "target", "friction", "relative"):
        assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]


def test_a_sample_of_labels_widens_the_target(tmp_path):
    rows = []
    for size in (12, 48):
        run = make(tmp_path / str(size), [UNSOLVED] * 48 + [FIRST] * 52)
        annotate(run, [RESIST, WRONG, RESIST, WRONG] * (size // 4))
        rows += target(load_runs([run])).iter_rows(named=True)
    few, every = rows
    assert few["target"] == every["target"] == pytest.approx(0.76)
    assert few["target_high"] - few["target_low"] > every["target_high"] - every["target_low"]


def test_stopped_failed_and_unreadable_trials_are_counted_and_not_dropped(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 3 + [STOPPED] * 2 + [("failed", 0), FIRST])
    annotate(run, [RESIST, RESIST])
    annotate(run, ["unknown"], start=2, round=None, malformed=3)
    [row] = target(load_runs([run])).iter_rows(named=True)
    assert (row["n"], row["unsolved"], row["stopped"], row["missing"]) == (6, 5, 2, 1)
    assert (row["annotated"], row["unreadable"]) == (2, 1)


def test_stopped_trials_are_unsolved_and_resist_nothing(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 20 + [STOPPED] * 40 + [FIRST] * 40)
    annotate(run, [RESIST] * 20)
    [row] = target(load_runs([run])).iter_rows(named=True)
    assert row["final"] == pytest.approx(0.4)
    assert row["friction"] == pytest.approx(0.2)
    assert row["target"] == pytest.approx(0.6)
    assert (row["unsolved"], row["stopped"]) == (60, 40)


def test_a_label_that_could_not_be_read_is_none(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 20 + [FIRST] * 20)
    annotate(run, [RESIST] * 12 + [WRONG] * 3)
    annotate(run, ["unknown"] * 5, start=15, round=None, malformed=3)
    [row] = target(load_runs([run])).iter_rows(named=True)
    assert row["resistance"] == pytest.approx(0.8)
    assert row["friction"] == pytest.approx(0.4)
    assert categories(load_runs([run]))["count"].to_list() == [12, 3, 0]


def test_people_correct_a_judge_and_the_confusion_is_counted(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 40 + [FIRST] * 60)
    annotate(run, [RESIST] * 30 + [WRONG] * 10)
    person = {"annotator": "Anna", "kind": "person", "round": None}
    annotate(run, [RESIST] * 6 + [WRONG] * 2, **person)  # of the 30
    annotate(run, [WRONG] * 4, start=32, **person)  # of the 10
    runs = load_runs([run])
    [row] = target(runs).iter_rows(named=True)
    assert row["friction"] == pytest.approx(0.3)
    assert row["corrected_resistance"] == pytest.approx(30 / 40 * 6 / 8)
    assert row["corrected_friction"] == pytest.approx(0.4 * 30 / 40 * 6 / 8)
    assert row["corrected_target"] == pytest.approx(0.6 + 0.225)
    assert row["corrected_friction_low"] < 0.225 < row["corrected_friction_high"]
    assert row["corrected_target_low"] < 0.825 < row["corrected_target_high"]
    width, plain = (
        row[f"{name}_high"] - row[f"{name}_low"] for name in ("corrected_friction", "friction")
    )
    assert width > plain  # twelve labels are few
    assert row["both"] == 12
    counts = {
        (one, two): n
        for one, two, n in confusion(runs).select("judged", "said", "count").iter_rows()
    }
    assert counts["resistance", "resistance"] == 6
    assert counts["resistance", "quality"] == 2
    assert counts["quality", "quality"] == 4
    assert sum(counts.values()) == 12


def test_people_who_agree_with_a_judge_change_no_number(tmp_path):
    """Also where trials are missing: every problem weighs the same in both."""
    run = make(tmp_path / "run", [UNSOLVED] * 4 + [FIRST] * 2 + [LATER])
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE conditions SET epochs = 2, problems = 14")
        db.execute(
            "INSERT INTO trials SELECT condition, problem_id, 1, 'solved', '', 1, '2026'"
            " FROM trials WHERE problem_id IN ('0', '1', '5')"
        )
    annotate(run, [RESIST, WRONG, RESIST, WRONG])
    annotate(run, [RESIST, WRONG, RESIST, WRONG], annotator="zoe", kind="person", round=None)
    [row] = target(load_runs([run])).iter_rows(named=True)
    for name in ("resistance", "friction", "target", "relative"):
        assert row[f"corrected_{name}"] == pytest.approx(row[name]), name


def test_with_trials_in_flight_there_is_no_friction(tmp_path):
    """What is labelled stayed unsolved to its end; what is unsolved so far need not."""
    run = make(tmp_path / "run", [UNSOLVED, UNSOLVED, LATER, FIRST])
    annotate(run, [RESIST] * 2)
    assert target(load_runs([run])).height == 1
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("UPDATE conditions SET problems = 5")
        names = [row[1] for row in db.execute("PRAGMA table_info(attempts)")]
        given = {"condition": CONDITION, "problem_id": "4", "verdict": "wrong", "leaks": "[]"}
        row = [given.get(name, "[]" if name == "choices" else 0) for name in names]
        db.execute(f"INSERT INTO attempts VALUES ({', '.join('?' * len(names))})", row)
        db.execute(
            "INSERT INTO problems (task, problem_id, question, prompt, gold, aliases, choices)"
            " VALUES ('mmlu_pro', '4', 'q', 'q', 'A', '[]', '[]')"
        )
    assert target(load_runs([run])).is_empty()


def test_people_who_always_agree_with_a_judge_are_in_the_confusion_too(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 4 + [FIRST])
    annotate(run, [RESIST] * 4)
    annotate(run, [RESIST] * 2, annotator="Anna", kind="person", round=None)
    found = confusion(load_runs([run])).to_dicts()
    counts = {(row["judged"], row["said"]): row["count"] for row in found}
    assert {pair: n for pair, n in counts.items() if n} == {("resistance", "resistance"): 2}


def test_a_judge_that_nobody_checked_is_not_corrected(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 4 + [FIRST])
    annotate(run, [RESIST] * 4)
    [row] = target(load_runs([run])).iter_rows(named=True)
    assert (row["corrected_friction"], row["both"], row["labels_to_halve"]) == (None, 0, None)
    assert confusion(load_runs([run])).is_empty()


def test_a_label_of_a_trial_that_was_solved_since_does_not_count(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED, FIRST])
    annotate(run, [RESIST, WRONG])
    assert categories(load_runs([run]))["count"].to_list() == [1, 0, 0]


def test_the_annotator_with_most_labels_is_used_and_named(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED] * 5)
    annotate(run, [RESIST] * 2, "openai/few")
    annotate(run, [WRONG] * 5, "student/many", simulated=1)
    annotate(run, [STYLE], "Anna", kind="person")
    runs = load_runs([run])
    assert usual_annotator(labels(runs)) == "student/many"
    [first, *_] = categories(runs).iter_rows(named=True)
    assert (first["annotator"], first["annotator_kind"]) == ("student/many", "judge")
    assert first["annotator_simulated"]
    assert categories(runs, "openai/few")["count"].to_list() == [2, 0, 0]
    [anna] = target(runs, "Anna").iter_rows(named=True)
    assert (anna["annotator_kind"], anna["annotated"]) == ("person", 1)
    assert target(runs, "nobody").is_empty()


def test_without_labels_the_tables_are_empty_with_their_columns(tmp_path):
    runs = load_runs([make(tmp_path / "run", [UNSOLVED, FIRST])])
    for table in (categories(runs), target(runs)):
        assert table.is_empty()
        assert {"run", "annotator", "n", "unsolved", "missing"} <= set(table.columns)


def test_runs_keep_their_labels_apart(tmp_path):
    one, two = (make(tmp_path / name, [UNSOLVED] * 4) for name in ("one", "two"))
    annotate(one, [RESIST] * 4, "openai/a")
    annotate(two, [WRONG] * 3, "openai/b")
    table = categories(load_runs([one, two]))
    assert list(zip(table["run"], table["annotator"], table["count"], strict=True)) == [
        (0, "openai/a", 4), (0, "openai/a", 0), (0, "openai/a", 0),
        (1, "openai/b", 0), (1, "openai/b", 3), (1, "openai/b", 0),
    ]  # fmt: skip


def said(name, categories, kind="judge", **more):
    return [
        label("c", str(number), name, category, kind=kind, **more)
        for number, category in enumerate(categories)
        if category is not None
    ]


R, Q, O = CLASSES  # noqa: E741 - the initials of the classes


def test_kappa_of_two_annotators_by_hand():
    judge, anna = [R] * 6 + [Q] * 4, [R] * 5 + [Q] * 5
    found = agreement(said("judge", judge) + said("Anna", anna, "person"))
    [pair] = found.pairs
    assert (pair.first, pair.second, pair.kappa.n) == ("Anna", "judge", 10)
    assert pair.share.value == pytest.approx(0.9)
    assert pair.kappa.value == pytest.approx((0.9 - 0.5) / (1 - 0.5))
    assert pair.kappa.low < pair.kappa.value < pair.kappa.high
    assert [each.ratings for each in found.classes.values()] == [11, 9, 0]
    assert found.annotators == {"Anna": ("person", False, 10), "judge": ("judge", False, 10)}
    assert found.classes["resistance"].agreement.value == pytest.approx(10 / 11)
    assert math.isnan(found.classes["other"].agreement.value)


def test_trials_that_only_one_has_labelled_do_not_count_as_agreement():
    found = agreement(said("a", [R, R, Q, O, None]) + said("b", [R, None, Q, None, O]))
    assert found.pairs[0].share.n == 2
    assert found.alpha.n == 2
    assert found.trials == 5


def test_every_two_of_three_are_compared():
    three = [*said("a", [R, Q]), *said("b", [R, Q]), *said("Anna", [Q, R], "person")]
    found = agreement(three)
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("Anna", "a"),
        ("Anna", "b"),
        ("a", "b"),
    ]
    assert [pair.kappa.value for pair in found.pairs] == pytest.approx([-1, -1, 1])


def test_agreement_takes_the_category_given_blind():
    changed = said("Anna", [R, R], "person", blind=Q)
    found = agreement([*said("judge", [R, R]), *changed])
    assert found.pairs[0].share.value == 0


def test_a_run_without_labels_says_how_to_make_some(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED])
    with pytest.raises(UsageError, match="friction annotate"):
        read_agreement(run)
    assert read_labels(run) == []


def test_a_file_of_labels_that_is_none_is_one_line(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED])
    (run / "annotations.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="cannot read"):
        read_labels(run)
    with pytest.raises(UsageError, match="cannot write"):
        Labels(run)


def test_labels_of_a_newer_version_are_refused(tmp_path):
    run = make(tmp_path / "run", [UNSOLVED])
    annotate(run, [RESIST])
    with sqlite3.connect(run / "annotations.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(UsageError, match="newer version"):
        read_labels(run)
