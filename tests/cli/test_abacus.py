"""Whole runs of the language model that ships with the package, as a user makes them.

A real network under feedback: what it answers was told by no script. Which of two words it writes
where both are nearly as likely depends on the batch, so that nothing here hangs on one reply.
"""

import json
import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise

import pytest

from commands import FRICTION, friction
from gguf_files import ends, needs_llama
from training.arithmetic import involved
from training.dialogues import DEEP, DEEP_FACTS, LIGHT, held_out

pytestmark = needs_llama
SHORT = ("--max-tokens", "200", "--feedback-max-tokens", "200", "--quiet")
TASK = ("decimal_multiplication", "--solver", "gguf/abacus", "--digits", "3", *SHORT)
SIZE = ("--limit", "40", "--iterations", "4")
ARMS = ("--feedback", "tutor", "--feedback", "retry", "--feedback", "self")


def rows(run, query):
    with sqlite3.connect(f"file:{run / 'journal.sqlite'}?mode=ro", uri=True) as db:
        return db.execute(query).fetchall()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    friction("run", *TASK, *SIZE, *ARMS, "--out", out)
    return out


@pytest.mark.slow
def test_a_run_is_of_a_language_model_and_of_problems_that_it_was_not_trained_on(finished):
    shown = friction("results", finished).stdout
    assert "SIMULATION" not in shown
    assert "MINIATURE: gguf/abacus" in shown
    without = held_out()
    asked = {problem for (problem,) in rows(finished, "SELECT problem_id FROM problems")}
    assert len(asked) == 40
    assert all(frozenset(map(int, each.split("x"))) in without for each in asked)
    assert (finished / "llama-abacus.log").read_text().startswith("llama.cpp ")


def test_feedback_is_taken_up_in_part_and_most_of_what_is_left_is_said_again(finished):
    found = json.loads(friction("results", finished, "--json").stdout)["conditions"]
    shown = {each["feedback"]: each["accuracy"] for each in found}
    first, last = (shown["tutor"][at] for at in (0, -1))
    assert 0.25 < first < 0.7
    assert shown["retry"][-1] - first < (last - first) / 2  # at temperature 0 little changes
    assert first < last < 1
    wrong = rows(
        finished,
        "SELECT problem_id, prediction FROM attempts WHERE condition LIKE '%tutor%'"
        " AND verdict = 'wrong' ORDER BY problem_id, iteration",
    )
    pairs = [two[0][1] == two[1][1] for two in pairwise(wrong) if two[0][0] == two[1][0]]
    assert sum(pairs) > len(pairs) / 2


@pytest.mark.slow
def test_what_the_tutor_says_beats_asking_again_by_the_paired_test(finished):
    rows_ = json.loads(friction("compare", finished, "--json").stdout)
    (found,) = (each for each in rows_ if (each["feedback"], each["against"]) == ("tutor", "retry"))
    assert found["p_holm"] < 0.05
    assert found["difference_low"] > 0


def test_what_it_was_taught_to_hold_fast_is_what_stays_wrong(finished):
    """The causes are known: misconceptions that it gives up when told, and others that it keeps."""
    ended = rows(finished, "SELECT problem_id, status FROM trials WHERE condition LIKE '%| tutor%'")
    solved = {LIGHT: [], DEEP: []}
    for problem, status in ended:
        facts = involved(*map(int, problem.split("x")))
        if facts:
            solved[DEEP if facts & DEEP_FACTS else LIGHT].append(status == "solved")
    assert sum(solved[LIGHT]) > 0.6 * len(solved[LIGHT])
    assert sum(solved[DEEP]) < 0.4 * len(solved[DEEP])


def test_its_own_feedback_has_the_tutors_form_and_does_not_give_the_answer_away(finished):
    said = rows(
        finished,
        "SELECT feedback, leaks FROM attempts WHERE feedback IS NOT NULL"
        " AND condition LIKE '%self%'",
    )
    assert len(said) > 20
    formed = sum(text.startswith(("Look at ", "No line ", "The stated")) for text, _ in said)
    assert formed > 0.9 * len(said)
    assert all(leaks == "[]" for _, leaks in said)


@pytest.mark.slow
def test_answers_drawn_again_differ_where_the_model_wavers(finished):
    few = ("--draws", "8", "--sample", "12")
    shown = friction("probe", finished, "entropy", *few, "--quiet", "--json").stdout
    found = json.loads(shown)
    assert not any(each["simulated"] for each in found)
    spread = [each for each in found if each.get("estimate") == "plug-in"]
    assert any(each["low"] > 0 and each["problems"] for each in spread)
    assert any(each["low"] == 0 and each["problems"] for each in spread)


DYING = """
import itertools, os, signal
from feedback_friction.cli.main import main
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.models.llama.gguf_model import GGUFModel

async def check_and_tell(model):
    await check(model)
    print(model.server._process.pid, flush=True)

async def add_or_die(journal, *completion):
    durable = await add(journal, *completion)
    if next(numbers) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return durable

check, GGUFModel.check = GGUFModel.check, check_and_tell
add, numbers, Journal.add_completion = Journal.add_completion, itertools.count(1), add_or_die
main()
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_server_and_goes_on_from_what_was_said(tmp_path):
    """The answers drawn are new ones each time, of more draws than there are slots."""
    arguments = ("run", *TASK, "--limit", "12", "--iterations", "3", "--feedback", "binary")
    arguments += ("--sampling", "reject", "--temperature", "1", "-M", "slots=4", "--out", tmp_path)
    command = [sys.executable, "-c", DYING, *map(str, arguments)]
    died = subprocess.run(command, timeout=600, capture_output=True, text=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    ends(int(died.stdout))
    completions = "SELECT key, replies FROM completions"
    kept = rows(tmp_path, completions)
    friction(*arguments)
    whole = rows(tmp_path, completions)
    assert 20 <= len(kept) < len(whole)
    assert set(kept) < set(whole)
    answers: dict[str, list[str]] = {}
    for problem, prediction, draws in rows(
        tmp_path, "SELECT problem_id, prediction, draws FROM attempts ORDER BY 1, iteration"
    ):
        assert prediction not in answers.setdefault(problem, []) or draws == 25
        answers[problem].append(prediction)
    assert len(answers) == 12


@pytest.mark.slow
def test_an_estimate_and_an_oracle_draw_from_it(tmp_path):
    words = (*TASK, "--limit", "12", "--iterations", "3", "--feedback", "tutor", "--out", tmp_path)
    told = json.loads(friction("estimate", *words, "--pilot", "6", "--json").stdout)
    paid = json.loads(friction("run", *words, "--json").stdout)["paid"]
    assert 0 < told["pilot"]["calls"] < paid["calls"]
    assert not told["simulated"]
    oracle = friction(
        "oracle", "decimal_multiplication", "--solver", "gguf/abacus", "--digits", "3",
        "--limit", "4", "--attempts", "2", "--gens", "5", "--temperature", "1",
        "--max-tokens", "200", "--json", "--quiet", "--out", tmp_path / "oracle",
    )  # fmt: skip
    assert json.loads(oracle.stdout)["draws"] == 40


@pytest.mark.slow
def test_two_runs_at_once_have_a_server_each(tmp_path):
    words = ("run", *TASK, "--limit", "2", "--iterations", "1", "--out")
    runs = [
        subprocess.Popen(
            [FRICTION, *words, str(tmp_path / name)], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        for name in ("one", "other")
    ]  # fmt: skip
    for run in runs:
        _, said = run.communicate(timeout=600)
        assert run.returncode == 0, said
    one, other = (
        rows(tmp_path / name, "SELECT problem_id, response FROM attempts ORDER BY 1")
        for name in ("one", "other")
    )
    assert len(one) == len(other) == 2
