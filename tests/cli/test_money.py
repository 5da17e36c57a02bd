"""``--budget-usd``, ``--budget-tokens`` and ``friction estimate`` as a user meets them."""

import json
import re
import sqlite3

import pytest
from test_run import friction, run_json

STUDENT = ("decimal_multiplication", "--solver", "student/default", "--limit", "40", "--quiet")
KEYS = {"OPENAI_API_KEY": "", "FRICTION_API_KEY": ""}


def rows(directory):
    with sqlite3.connect(directory / "journal.sqlite") as db:
        return db.execute(
            "SELECT condition, problem_id, epoch, iteration, response, verdict, feedback,"
            " prompt_tokens FROM attempts ORDER BY 1, 2, 3, 4"
        ).fetchall()


@pytest.mark.slow
def test_a_budget_ends_a_run_with_its_results_and_more_of_it_goes_on(tmp_path):
    run = ("run", *STUDENT, "--feedback", "self", "--out")
    friction(*run, tmp_path / "whole")
    done = friction(*run, tmp_path / "r", "--budget-tokens", "60000", "--json", code=1)
    paid = json.loads(done.stdout)["paid"]
    assert 0 < paid["prompt_tokens"] + paid["completion_tokens"] <= 60_000
    line = done.stderr.splitlines()[-1]
    pattern = r"budget of 60,000 tokens spent: [\d,]+ paid, .*; \d+ trials left; raise .*"
    assert re.fullmatch(pattern, line)
    friction(*run, tmp_path / "r", "--budget-tokens", "90000", code=1)
    friction(*run, tmp_path / "r")
    assert rows(tmp_path / "r") == rows(tmp_path / "whole")


def test_a_simulated_student_is_within_any_budget_of_dollars(tmp_path):
    results = run_json(*STUDENT, "--budget-usd", "0.01", "--out", tmp_path / "r")
    assert results["conditions"][0]["missing"] == 0
    assert results["paid"]["cost_usd"] == 0


@pytest.mark.parametrize("verb", ["run", "estimate"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--budget-usd", "0"), "--budget-usd must be above 0, not 0"),
        (("--budget-usd", "-2"), "--budget-usd must be above 0, not -2"),
        (("--budget-usd", "nan"), "--budget-usd must be above 0, not nan"),
        (("--budget-usd", "five"), "'five' is not a valid float"),
        (("--budget-tokens", "0"), "--budget-tokens must be at least 1, not 0"),
        (("--budget-tokens", "1.5"), "'1.5' is not a valid integer"),
        (("--budget-usd", "5", "--solver", "openai/mine"), "price of openai/mine"),
        (
            ("--budget-usd", "5", "--feedback", "strong", "--feedback-model", "openai/mine"),
            "needs the price of openai/mine, which the price list of",
        ),
        (("--budget-usd", "5", "--prices", "none.json"), "cannot read the prices in none.json"),
    ],
)
def test_a_wrong_budget_gets_one_line_before_any_call(tmp_path, verb, options, message):
    done = friction(verb, *STUDENT, *options, code=2, cwd=tmp_path, **KEYS)
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    assert not list(tmp_path.rglob("journal.sqlite"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--pilot", "-1"), "'--pilot': -1 is not in the range x>=0"),
        (("--feedback", "kind"), "'kind'; allowed: retry, placebo, binary"),
        (("--solver", "acme/x"), "unknown model provider 'acme'"),
        (("--iterations", "0"), "--iterations must be from 1 to 1000"),
    ],
)
def test_a_wrong_estimate_gets_one_line_before_any_call(tmp_path, options, message):
    done = friction("estimate", *STUDENT, *options, code=2, cwd=tmp_path, **KEYS)
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
    assert not list(tmp_path.rglob("journal.sqlite"))


GRID = ("--feedback", "binary", "--feedback", "self", "--sampling", "greedy", "--sampling", "heat")


@pytest.mark.slow
def test_an_estimate_covers_the_run_which_pays_for_nothing_of_the_pilot_again(tmp_path):
    arguments = (*STUDENT, *GRID, "--out", tmp_path / "r")
    found = json.loads(friction("estimate", *arguments, "--pilot", "15", "--json").stdout)
    paid = run_json(*arguments)["paid"]
    assert found["pilot"]["problems"] == {"decimal_multiplication": 15}
    assert found["pilot"]["of"] == {"decimal_multiplication": 40}
    assert 0 < found["pilot"]["calls"] < paid["calls"]
    assert found["calls"]["low"] < paid["calls"] < found["calls"]["high"]
    assert found["completion_tokens"]["low"] < paid["completion_tokens"]
    assert paid["completion_tokens"] < found["completion_tokens"]["high"]
    assert found["cost_usd"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["simulated"] is True
    alone = run_json(*STUDENT, *GRID, "--out", tmp_path / "alone")["paid"]
    assert alone == paid
    assert rows(tmp_path / "r") == rows(tmp_path / "alone")


def test_the_run_of_an_estimate_is_named_as_a_run_in_its_directory(tmp_path):
    friction("estimate", *STUDENT, "--pilot", "2", "--json", "--out", tmp_path / "r")
    command = json.loads((tmp_path / "r" / "run.json").read_text())["command"]
    assert command[:2] == ["friction", "run"]
    assert not {"--pilot", "2", "--json", "estimate"} & set(command)


@pytest.mark.slow
def test_an_estimate_without_out_finds_the_directory_of_its_run(tmp_path):
    friction("estimate", *STUDENT, "--pilot", "3", cwd=tmp_path)
    friction("run", *STUDENT, cwd=tmp_path)
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_an_estimate_says_what_it_rests_on(tmp_path):
    done = friction("estimate", *STUDENT, "--budget-tokens", "100000", "--out", tmp_path / "r")
    assert "20 of 40 of decimal_multiplication" in done.stdout
    for words in ("SIMULATION", "Gaffke", "count once", "may end the run", "wall time"):
        assert words in done.stdout


def test_an_estimate_never_exceeds_a_budget(tmp_path):
    done = friction(
        "estimate", *STUDENT, "--budget-tokens", "8000", "--out", tmp_path / "r", code=1
    )
    assert done.stdout == ""
    assert "no estimate, the pilot did not end: budget of 8,000 tokens spent" in done.stderr
    with sqlite3.connect(tmp_path / "r" / "journal.sqlite") as db:
        [[paid]] = db.execute("SELECT total(prompt_tokens + completion_tokens) FROM completions")
    assert 0 < paid <= 8000


def test_bounds_from_the_data_alone_make_no_call_and_need_no_key(tmp_path):
    words = ["openai/gpt-4.1-mini" if word == "student/default" else word for word in STUDENT]
    options = ("--pilot", "0", "--json")
    found = json.loads(friction("estimate", *words, *options, cwd=tmp_path, **KEYS).stdout)
    assert found["calls"] == {"value": None, "low": 40, "high": 400}
    assert found["completion_tokens"] == {"value": None, "low": 40, "high": 400 * 2000}
    assert 0 < found["cost_usd"]["low"] < found["cost_usd"]["high"]
    assert found["seconds"] is None
    assert not list(tmp_path.rglob("journal.sqlite"))


@pytest.mark.slow
def test_an_unknown_price_is_shown_as_unknown(tmp_path):
    options = ("--solver", "openai/mine", "--pilot", "0")
    text = friction("estimate", *STUDENT, *options, cwd=tmp_path, **KEYS).stdout
    [line] = [line for line in text.splitlines() if line.startswith("cost")]
    assert "unknown" in line
    assert "$" not in line
    found = json.loads(friction("estimate", *STUDENT, *options, "--json", cwd=tmp_path).stdout)
    assert found["cost_usd"] is None
