"""The tasks as inspect_ai runs them: the same verdicts as ``friction run``, attempt by attempt."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.simserver import Settings, simulated_server
from commands import friction
from feedback_friction.errors import UsageError

log = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed")

OPTIONS = {"digits": 2, "limit": 6, "iterations": 3}


def evaluated(url, folder, *more, code=0):
    """``inspect eval`` as a user runs it."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("inspect")),
            *("eval", "feedback_friction/decimal_multiplication", "--model", "openai-api/sim/m"),
            *("--log-dir", str(folder), "--display", "plain"),
            *(part for name, value in OPTIONS.items() for part in ("-T", f"{name}={value}")),
            *more,
        ],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "SIM_API_KEY": "none", "SIM_BASE_URL": url},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return [log.read_eval_log(str(file)) for file in sorted(Path(folder).glob("*.eval"))]


@pytest.mark.heavy
def test_inspect_gives_the_verdicts_of_a_run(tmp_path):
    feedback = "placebo:tutor"  # asks for other problems' attempts and feedback, too
    with simulated_server(Settings()) as server:
        (done,) = evaluated(server.url, tmp_path / "logs", "-T", f"feedback={feedback}")
        friction(
            *("run", "decimal_multiplication", "--solver", "openai/m", "--base-url", server.url),
            *(part for name, value in OPTIONS.items() for part in (f"--{name}", value)),
            *("--feedback", feedback, "--out", tmp_path / "run", "--quiet"),
        )
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as db:
        rows = db.execute(
            "SELECT problem_id, response, is_correct FROM attempts ORDER BY problem_id, iteration"
        ).fetchall()
    wanted: dict[str, list[tuple[str, int]]] = {}
    for problem, response, is_correct in rows:
        wanted.setdefault(problem, []).append((response, is_correct))
    assert done.status == "success"
    assert {sample.id for sample in done.samples} == wanted.keys()
    for sample in done.samples:
        replies = [each.text for each in sample.messages if each.role == "assistant"]
        assert replies == [response for response, _ in wanted[sample.id]]
        solved = [is_correct for _, is_correct in wanted[sample.id]]
        value = sample.scores["friction"].value
        assert list(value) == ["acc@1", "acc@2", "acc@3"]
        assert list(value.values()) == [float(any(solved[: k + 1])) for k in range(3)]
    assert {1, 0} == {sample.scores["friction"].value["acc@1"] for sample in done.samples}


def test_an_option_that_is_wrong_is_refused_before_anything_is_asked():
    from feedback_friction.bridges import inspect_tasks

    with pytest.raises(UsageError, match="unknown feedback mode 'nonsense'"):
        inspect_tasks.decimal_multiplication(feedback="nonsense")
