"""``friction oracle`` and ``friction probe`` as a user meets them."""

import json
import os
import shlex
import sqlite3
import subprocess
import time

import pytest

from benchmarks.simserver import Settings, simulated_server
from commands import FRICTION, friction

ENVIRONMENT = {**os.environ, "OPENAI_API_KEY": "none-needed"}
ORACLE = ("oracle", "decimal_multiplication", "--quiet")
STUDENT = ("--solver", "student/default", "--limit", "10", "--attempts", "3", "--gens", "4")


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none-needed")


@pytest.mark.slow
def test_an_oracle_prints_coverage_and_pass_at_k_with_intervals(tmp_path):
    arguments = (*ORACLE, *STUDENT, "--k", "1,12", "--out", tmp_path / "o")
    found = json.loads(friction(*arguments, "--json").stdout)
    assert (found["draws"], found["missing"], found["simulated"]) == (120, 0, True)
    assert [each["k"] for each in found["pass_at_k"]] == [1, 12]
    assert found["pass_at_k"][1]["value"] == pytest.approx(found["coverage"]["value"])
    for share in (found["coverage"], *found["pass_at_k"]):
        assert 0 <= share["ci_low"] <= share["value"] <= share["ci_high"] <= 1
        assert share["n"] == 10
    shown = friction(*arguments).stdout
    assert "coverage (12 draws)" in shown
    assert "SIMULATION" in shown


def test_until_solved_reports_coverage_alone(tmp_path):
    arguments = (*ORACLE, *STUDENT, "--until-solved", "--out", tmp_path / "o", "--json")
    found = json.loads(friction(*arguments).stdout)
    assert found["pass_at_k"] == []
    assert found["draws"] < 120
    assert json.loads(friction("results", tmp_path / "o", "--json").stdout) == found
    both = friction("results", tmp_path / "o", tmp_path / "o", code=2)
    assert "alone, prints it" in both.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("--k 13", "--k 13 is impossible with 12 draws"),
        ("--k 1,x", "--k takes whole numbers"),
        ("--k 1 --until-solved", "--k cannot go with --until-solved"),
        ("--temperature 0", "the same reply again and again"),
        ("--attempts 0", "--attempts must be at least 1"),
        ("--base-url http://x/v1", "takes no base URL"),
    ],
)
def test_an_oracle_that_cannot_be_is_refused_in_one_line(tmp_path, more, message):
    out = tmp_path / "o"
    done = friction(*ORACLE, *STUDENT, *shlex.split(more), "--out", out, code=2)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


@pytest.mark.slow
def test_another_oracle_in_the_same_directory_is_refused(tmp_path):
    friction(*ORACLE, *STUDENT, "--out", tmp_path / "o")
    done = friction(*ORACLE, *STUDENT, "--gens", "5", "--out", tmp_path / "o", code=2)
    assert "gens was 4, now 5" in done.stderr


@pytest.mark.slow
def test_an_oracle_killed_in_the_middle_asks_nothing_twice_but_what_was_in_flight(tmp_path):
    settings = Settings(slots=8, decode_seconds=0.002)  # the first session would take five seconds
    out, flight = tmp_path / "o", 8
    with simulated_server(settings) as server:
        command = [
            FRICTION, *ORACLE, "--solver", "openai/simulated", "--base-url", server.url,
            "--limit", "10", "--attempts", "5", "--gens", "4", "--concurrency", str(flight),
            "--out", str(out), "--json",
        ]  # fmt: skip
        first = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        while server.stats()["calls"] < 15 and first.poll() is None:
            time.sleep(0.02)
        assert first.poll() is None
        first.kill()
        first.wait()
        server.change(decode_seconds=0.0)
        found = json.loads(friction(*command[1:]).stdout)
        stats = server.stats()
    assert (found["draws"], found["missing"]) == (200, 0)
    assert stats["distinct"] == 50
    assert stats["asked_twice"] <= flight


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    friction(
        "run", "decimal_multiplication", "--solver", "student/default", "--limit", "15",
        "--feedback", "self", "--feedback", "retry", "--iterations", "3", "--quiet", "--out", out,
    )  # fmt: skip
    return out


PROBES = {
    "entropy": {"gain", "estimate", "few"},
    "in-domain": {"initial", "final", "few"},
    "self-perception": {"understood", "updated", "repeated", "unreadable"},
    "reader": {"named", "chance"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBES)
def test_a_probe_prints_its_table_and_asks_nothing_again(finished, name):
    arguments = ("probe", finished, name, "--quiet")
    found = json.loads(friction(*arguments, "--json").stdout)
    assert found
    assert all(PROBES[name] | {"missing", "simulated"} <= row.keys() for row in found)
    assert all(row["missing"] == 0 for row in found)
    with sqlite3.connect(finished / "journal.sqlite") as db:
        calls = db.execute("SELECT count(*) FROM completions").fetchone()
    shown = friction(*arguments).stdout
    assert "SIMULATION" in shown
    with sqlite3.connect(finished / "journal.sqlite") as db:
        assert db.execute("SELECT count(*) FROM completions").fetchone() == calls


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("bogus", "unknown probe 'bogus'; allowed: entropy, in-domain, self-perception, reader"),
        ("entropy --condition x", "unknown condition 'x'; allowed: 'decimal_multiplication"),
        ("entropy --draws 0", "--draws must be at least 1"),
        (
            "entropy --condition 'decimal_multiplication | student/default | retry | greedy'",
            "has nothing to ask",
        ),
        ("reader --reader-model x", "unknown model provider 'x'"),
    ],
)
def test_a_probe_that_cannot_be_is_refused_in_one_line(finished, arguments, message):
    done = friction("probe", finished, *shlex.split(arguments), code=2)
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
def test_confidence_where_no_log_probabilities_were_given_is_refused(tmp_path):
    out = tmp_path / "run"
    with simulated_server() as server:
        friction(
            "run", "decimal_multiplication", "--solver", "openai/simulated", "--limit", "2",
            "--base-url", server.url, "--iterations", "1", "--quiet", "--out", out,
        )  # fmt: skip
    done = friction("probe", out, "confidence", code=2)
    assert "holds no log-probabilities of answers; run it with --logprobs" in done.stderr


@pytest.mark.slow
def test_confidence_needs_no_call(tmp_path):
    out = tmp_path / "run"
    friction(
        "run", "decimal_multiplication", "--solver", "student/default", "--limit", "15",
        "--logprobs", "--quiet", "--out", out,
    )  # fmt: skip
    found = json.loads(friction("probe", out, "confidence", "--json").stdout)
    assert sum(row["problems"] for row in found) == 15
