"""Problems that share a passage: read from the data, kept in the journal, allowed for in limits."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import coverage_kernel
from benchmarks.coverage import LOW, slack, tally
from benchmarks.coverage_designs import IGNORED, in_clusters
from commands import friction
from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.stats.censored import (
    Seen,
    area,
    censored_curve,
    normalised_gain,
    worst_case,
)
from feedback_friction.analysis.stats.differences import mean_difference
from feedback_friction.analysis.stats.paired import compare
from feedback_friction.analysis.tables import comparison

RUNS = 100


@pytest.mark.parametrize("epochs", [1, 3])
def test_intervals_cover_with_clusters_and_are_far_too_narrow_without(epochs: int) -> None:
    with coverage_kernel.arrays():
        found = tally(partial(in_clusters, 20, 25, epochs), RUNS, seed=3)
    shares = {name: 100 * each.hits / RUNS for name, each in found.items()}
    assert len(shares) == 10
    for name in [each for each in shares if not each.endswith(IGNORED)]:
        assert shares[name] + slack(shares[name], RUNS) >= LOW, name
    for name in ("first accuracy", "paired uptake", "paired difference"):
        assert shares[name + IGNORED] + slack(shares[name + IGNORED], RUNS) < 88, name


def test_clusters_of_one_problem_change_nothing() -> None:
    rng = np.random.default_rng(5)
    ends = rng.integers(-1, 3, (24, 2))
    seen = [
        [Seen(int(end), 3) if end >= 0 else Seen(None, int(rng.integers(1, 4))) for end in row]
        for row in ends
    ]
    alone = [f"passage {number}" for number in range(24)]
    for measure in (
        partial(censored_curve, seen, 3),
        partial(worst_case, seen, 2, 3),
        lambda **more: [normalised_gain(seen, 3, **more), area(seen, 3, **more)],
    ):
        for with_clusters, without in zip(measure(clusters=alone), measure(), strict=True):
            limits = (with_clusters.low, with_clusters.high)
            assert limits == pytest.approx((without.low, without.high), rel=1e-9)
    gaps = rng.choice([-0.5, 0.0, 0.5, 1.0], 24).tolist()
    for values in (gaps, [0.5] + [0.0] * 23):
        plain = mean_difference(values, [2.0] * 24)
        found = mean_difference(values, [2.0] * 24, clusters=alone)
        assert (found.low, found.high) == pytest.approx((plain.low, plain.high), rel=1e-9)


def test_problems_that_are_all_alike_within_a_cluster_are_worth_one_each() -> None:
    solved = [0] * 8 + [-1] * 12
    clusters = [f"passage {place}" for place in range(20) for _ in range(10)]
    many = [[Seen(None if end < 0 else 0, 1)] for end in solved for _ in range(10)]
    few = [[Seen(None if end < 0 else 0, 1)] for end in solved]
    shared = censored_curve(many, 1, clusters=clusters)[0]
    alone, single = censored_curve(many, 1)[0], censored_curve(few, 1)[0]
    assert shared.value == alone.value == single.value
    assert shared.high - shared.low >= single.high - single.low > 2.5 * (alone.high - alone.low)
    gaps = [1.0] * 8 + [0.0] * 12
    wide = mean_difference(np.repeat(gaps, 10).tolist(), [1.0] * 200, clusters=clusters)
    assert wide.value == pytest.approx(0.4)
    assert wide.low <= mean_difference(gaps, [1.0] * 20).low + 0.01
    table = np.repeat([[0]] * 8 + [[-1]] * 12, 10, axis=0)
    nothing, rng = np.full((200, 1), -1), np.random.default_rng(1)
    together = compare(table, nothing, rng, clusters=clusters)
    assert compare(table, nothing, rng).p_value < 1e-9 < 0.001 < together.p_value < 0.02


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("clusters")
    rows = [
        {"question": f"What is {100 + n} * {200 + n}?", "answer": str((100 + n) * (200 + n))}
        | ({"passage": f"P{n // 4}"} if n < 20 else {"passage": None})
        for n in range(22)
    ]
    data = root / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    friction(
        "run", "custom", "--data", data, "--map", "cluster=passage", "--solver",
        "student/default", "--feedback", "retry", "--feedback", "binary", "--iterations", 2,
        "--out", root / "run",
    )  # fmt: skip
    return root / "run"


def test_results_and_report_tables_say_by_what_they_are_clustered(run: Path) -> None:
    said = "clustered by passage: 5 clusters, and 2 problems that stand alone"
    assert said in friction("results", run).stdout
    first = json.loads(friction("results", run, "--json").stdout)["conditions"][0]
    assert (first["clustered_by"], first["clusters"]) == ("passage", 5)
    frames = load_runs([run])
    assert len(frames.clusters(0, "custom")) == 20
    (group,) = comparison.arms(frames)
    (treatment,) = [arm for arm in group if arm.condition["feedback"] == "binary"]
    assert len(treatment.clusters) == 20
    assert comparison.pairs(frames).height == 1


def test_a_journal_from_before_has_no_clusters_and_narrower_limits(run: Path) -> None:
    wide = read_results(run)[0]
    with sqlite3.connect(run / "journal.sqlite") as db:
        db.execute("ALTER TABLE clusters RENAME TO kept")
    try:
        narrow = read_results(run)[0]
        assert (narrow.clustered_by, narrow.clusters) == (None, 0)
        assert narrow.accuracy == wide.accuracy
        assert "clustered by" not in friction("results", run).stdout
        assert load_runs([run]).clusters(0, "custom") == {}
    finally:
        with sqlite3.connect(run / "journal.sqlite") as db:
            db.execute("ALTER TABLE kept RENAME TO clusters")
