"""Several solvers in one run: conditions of one grid, each asked at its own server."""

import json
import shutil
import sqlite3

import pytest
from click.testing import CliRunner

from benchmarks.simserver import Settings, simulated_server
from feedback_friction.analysis.frames import load_runs
from feedback_friction.analysis.tables import comparison
from feedback_friction.cli.main import friction as program
from feedback_friction.errors import UsageError

PAIR = ("--solver", "openai/good", "--solver", "openai/weak")
GRID = ("--feedback", "retry", "--feedback", "self", "--iterations", "3", "--limit", "30")
RUN = ("run", "decimal_multiplication", *PAIR, *GRID, "--temperature", "0.5", "--quiet")


def friction(*words, code=0):
    """The command within this process, which is quicker than one of its own."""
    done = CliRunner().invoke(program, [str(word) for word in words], standalone_mode=False)
    if code == 2:
        assert isinstance(done.exception, UsageError), done.output
        return str(done.exception)
    assert done.exception is None, done.output
    assert (done.return_value or 0) == code
    return done.stdout


def one_json(*words):
    return json.loads(friction(*words, "--json"))


@pytest.fixture(scope="module")
def servers():
    good = Settings(models=("good",), p_first=0.6, p_gain=0.2)
    weak = Settings(models=("weak",), p_first=0.1, p_gain=0.05)
    with simulated_server(good) as one, simulated_server(weak) as other:
        yield ("--base-url", f"openai/good={one.url}", "--base-url", f"openai/weak={other.url}")


@pytest.fixture(scope="module")
def made(servers, tmp_path_factory):
    out = tmp_path_factory.mktemp("solvers") / "run"
    return out, one_json(*RUN, *servers, "--out", out)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "FRICTION_API_KEY", "FRICTION_SOLVER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_each_solver_is_asked_at_its_own_server(made):
    out, found = made
    assert [(each["solver"], each["feedback"]) for each in found["conditions"]] == [
        ("openai/good", "retry"), ("openai/good", "self"),
        ("openai/weak", "retry"), ("openai/weak", "self"),
    ]  # fmt: skip
    assert all(each["missing"] == 0 and each["n"] == 30 for each in found["conditions"])
    first = {each["solver"]: each["accuracy"][0] for each in found["conditions"]}
    assert first["openai/good"] > first["openai/weak"] + 0.2
    with sqlite3.connect(out / "journal.sqlite") as db:
        asked = db.execute("SELECT DISTINCT role, model, server_model FROM completions").fetchall()
    assert sorted(asked) == [
        ("feedback", "openai/good", "good"), ("feedback", "openai/weak", "weak"),
        ("solver", "openai/good", "good"), ("solver", "openai/weak", "weak"),
    ]  # fmt: skip


def test_the_same_command_asks_nothing_again_and_one_solver_less_is_another_run(made, servers):
    out, found = made
    assert one_json(*RUN, *servers, "--out", out) == found
    fewer = ("run", "decimal_multiplication", *PAIR[:2], *GRID, "--temperature", "0.5")
    done = friction(*fewer, *servers[:2], "--out", out, code=2)
    assert 'solver was ["openai/good","openai/weak"], now "openai/good"' in done


def test_results_and_comparisons_set_the_solvers_beside_each_other(made):
    out, _ = made
    told = friction("results", out)
    assert "openai/good" in told
    assert "openai/weak" in told
    compared = json.loads(friction("compare", out, "--json"))
    pairs = {(each["solver"], each["control_solver"]) for each in compared}
    assert pairs == {
        ("openai/good", "openai/good"), ("openai/weak", "openai/weak"),
        ("openai/good", "openai/weak"),
    }  # fmt: skip
    lines = [line for line in friction("compare", out).splitlines() if "retry" in line]
    assert [("openai/good" in line, "openai/weak" in line) for line in lines] == [
        (True, False),  # retry and self, under each solver
        (False, True),
        (True, True),  # both solvers under retry
    ]
    table = comparison.solvers(load_runs([out]))
    assert set(table["feedback"]) == {"retry", "self"}
    assert {*table["solver"], *table["control_solver"]} == {"openai/good", "openai/weak"}


def test_an_estimate_is_made_of_both_and_the_run_pays_for_nothing_of_it_again(servers, tmp_path):
    words = RUN[1:]
    found = one_json("estimate", *words, *servers, "--pilot", "8", "--out", tmp_path / "run")
    assert found["pilot"]["problems"] == {"decimal_multiplication": 8}
    paid = one_json(*RUN, *servers, "--out", tmp_path / "run")["paid"]
    assert found["calls"]["low"] <= paid["calls"] <= found["calls"]["high"]
    bounds = one_json("estimate", *words, *servers, "--pilot", "0")
    assert bounds["calls"]["low"] == 60  # two solvers are right at once with every problem
    # a first attempt that retry and self share, two more under each, and feedback twice
    assert bounds["calls"]["high"] == 60 * (1 + 2 + 2 + 2)
    assert bounds["calls"]["low"] <= paid["calls"] <= bounds["calls"]["high"]


def test_a_probe_asks_each_solver_about_its_own_trials(made, servers, tmp_path):
    out = shutil.copytree(made[0], tmp_path / "run")
    friction("probe", out, "self-perception", "--sample", "2", "--quiet")
    friction("probe", out, "reader", "--sample", "2", "--quiet")
    with sqlite3.connect(out / "journal.sqlite") as db:
        asked = db.execute(
            "SELECT DISTINCT role, model FROM completions WHERE role NOT IN ('solver', 'feedback')"
        ).fetchall()
    assert {model for role, model in asked if role == "reader"} == {"openai/good", "openai/weak"}
    assert {model for role, model in asked if role == "perception"} == {
        "openai/good", "openai/weak"
    }  # fmt: skip


def test_prompts_of_every_solver_are_proved_by_the_journal(made):
    out, _ = made
    for solver in ("good", "weak"):
        with sqlite3.connect(out / "journal.sqlite") as db:
            [(problem,)] = db.execute(
                "SELECT problem_id FROM attempts WHERE iteration = 2 AND condition LIKE ? LIMIT 1",
                (f"%openai/{solver} | self%",),
            ).fetchall()
        told = friction("show", out, problem, "--prompt")
        assert "could not be proved" not in told


def test_options_and_plain_urls_reach_those_that_they_are_for(tmp_path):
    with simulated_server(Settings()) as server:
        friction(
            "run", "decimal_multiplication", "--solver", "openai/a", "--solver", "openai/b",
            "--solver", "student/default", "--limit", "2", "--iterations", "1", "--quiet",
            "--base-url", server.url, "-M", "openai/a=top_k=3", "--out", tmp_path,
        )  # fmt: skip
    document = json.loads((tmp_path / "run.json").read_text())
    assert document["config"]["solver"] == ["openai/a", "openai/b", "student/default"]
    assert document["config"]["solver_options"] == {"openai/a": {"top_k": 3}}
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        models = db.execute("SELECT model, count(*) FROM completions GROUP BY 1").fetchall()
    assert sorted(models) == [("openai/a", 2), ("openai/b", 2), ("student/default", 2)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--base-url", "openai/c=http://x"), "--base-url openai/c is not a solver of this run; "),
        (
            ("-M", "openai/c=top_k=3"),
            "-M openai/c is not a solver of this run; allowed: openai/good",
        ),
        (("--base-url", "openai/good=x"), "base URL 'x' is not of the form"),
        (("--solver", "acme/x"), "unknown model provider 'acme'"),
    ],
)
def test_what_is_for_no_solver_is_refused_in_one_line(words, message, tmp_path):
    done = friction(*RUN, *words, "--out", tmp_path / "run", code=2)
    assert message in done


def test_a_password_in_the_url_of_one_solver_is_written_down_nowhere(tmp_path):
    with simulated_server(Settings()) as server:
        url = server.url.replace("http://", "http://me:open-sesame@")
        friction(
            "run", "decimal_multiplication", "--solver", "openai/a", "--solver", "student/default",
            "--limit", "1", "--iterations", "1", "--quiet", "--base-url", f"openai/a={url}",
            "--out", tmp_path,
        )  # fmt: skip
    text = (tmp_path / "run.json").read_text()
    assert "open-sesame" not in text
    assert f"openai/a={server.url}" in json.loads(text)["operation"]["base_urls"]


def test_an_oracle_takes_one_solver():
    done = friction("oracle", "decimal_multiplication", *PAIR, code=2)
    assert "an oracle takes one solver, not 2" in done
