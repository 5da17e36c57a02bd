"""Trials for reading show each attempt the way it was seen."""

import json

import pytest

from commands import friction
from feedback_friction.analysis.trials import chosen_problems, read_trials

ROW = {"question": "Which?", "choices": ["stone", "apple", "cloud", "sea"], "answer": "B"}


@pytest.mark.slow
def test_a_shuffled_attempt_carries_its_own_order_and_gold(tmp_path):
    (tmp_path / "q.jsonl").write_text(json.dumps(ROW))
    friction(
        "run", "custom", "--data", "q.jsonl", "--solver", "student/ability=0,resistant=1",
        "--shuffle", "--quiet", "--out", "run", cwd=tmp_path,
    )  # fmt: skip
    run = tmp_path / "run"
    (trial,) = read_trials(run, chosen_problems(run, 1)[0])
    assert trial.attempts[0].order is None
    orders = {attempt.order for attempt in trial.attempts} - {None}
    assert len(orders) > 1
    for order in orders:
        gold = order.rsplit(": ", 1)[1]
        assert f"({gold}) apple" in order
