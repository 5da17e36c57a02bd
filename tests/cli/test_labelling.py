"""``friction annotate``, ``review`` and ``agreement`` as a user meets them."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from commands import FRICTION, friction
from feedback_friction.analysis.journal import open_journal
from feedback_friction.cli.annotate import command
from feedback_friction.engine.models.base import TransientError
from feedback_friction.engine.models.student import StudentModel
from feedback_friction.engine.run import launch as module
from feedback_friction.labels import read_labels, unsolved_trials
from unsolved import make_run

CLOSED = "http://127.0.0.1:9/v1"  # the discard port: nothing listens there


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", limit=6)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("untouched") / "run", limit=6)


@pytest.mark.slow
def test_a_judge_labels_and_labelling_again_costs_nothing(run):
    first = json.loads(
        friction("annotate", run, "--judge-model", "student/default", "--json").stdout
    )
    again = json.loads(
        friction("annotate", run, "--judge-model", "student/default", "--json").stdout
    )
    [condition] = first["conditions"]
    assert condition["labelled"] == condition["unsolved"] == sum(condition["raw"].values()) > 0
    assert first["simulated"]
    assert first["paid"]["calls"] == condition["labelled"]
    assert again["conditions"] == first["conditions"]
    assert (again["paid"]["calls"], again["paid"]["reused"]) == (0, condition["labelled"])


@pytest.mark.slow
def test_a_simulated_judge_is_called_one_wherever_it_shows(run):
    done = friction("annotate", run, "--judge-model", "student/default")
    assert "simulated student" in done.stderr
    assert "SIMULATION" in done.stdout
    assert "SIMULATION" in friction("agreement", run).stdout


@pytest.mark.slow
def test_agreement_is_printed_with_intervals_and_as_json(run):
    for judge in ("student/default", "student/keen"):
        friction("annotate", run, "--judge-model", judge)
    found = json.loads(friction("agreement", run, "--json").stdout)
    assert [each["name"] for each in found["annotators"]] == ["student/default", "student/keen"]
    assert found["pairs"][0]["kappa"]["n"] == found["trials"] == found["alpha"]["n"]
    for estimate in (found["alpha"], found["pairs"][0]["kappa"], found["pairs"][0]["agreement"]):
        assert estimate["low"] <= estimate["high"]
    assert {each["category"] for each in found["classes"]} == {"resistance", "quality", "other"}
    assert "Krippendorff" in friction("agreement", run).stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("annotate", "{run}", "--judge-model", "nobody"), "unknown model provider"),
        (("annotate", "{run}", "--judge-model", "student/default", "--sample", "0"), "--sample"),
        (("annotate", "{run}/none", "--judge-model", "student/default"), "not a run directory"),
        (
            ("annotate", "{run}", "--judge-model", "openai/x", "--judge-base-url", CLOSED),
            "127.0.0.1",
        ),
        (("agreement", "{run}"), "no labels yet"),
        (("agreement", "{run}/none"), "not a run directory"),
        (("review", "{run}/none", "--no-open"), "not a run directory"),
        (("review", "{run}", "--no-open", "--annotator", "a\nb"), "annotator"),
        (("review", "{run}", "--no-open", "--port", "99999"), "cannot listen"),
    ],
)
def test_a_wrong_command_is_one_line(untouched, arguments, says):
    done = friction(
        *(part.format(run=untouched) for part in arguments), code=2, FRICTION_API_KEY="k"
    )
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_trials_whose_calls_failed_are_told_and_the_exit_code_is_1(run, monkeypatch):
    class Judge(StudentModel):
        async def generate(self, request):
            if request.occasion.problem.id == failing:
                raise TransientError("HTTP 503 through all retries")
            return await super().generate(request)

    with open_journal(run) as db:
        failing = unsolved_trials(db)[0].problem_id
    monkeypatch.setattr(module, "open_models", lambda wanted: {"judge": Judge("student/default")})
    done = CliRunner().invoke(
        command, [str(run), "--judge-model", "student/default", "--json"], standalone_mode=False
    )
    assert done.exception is None
    assert done.return_value == 1
    assert json.loads(done.stdout)["conditions"][0]["failed"] == 1
    assert "HTTP 503" in done.stderr
    assert "1 trials have no label" in done.stderr
    assert failing not in {each.problem_id for each in read_labels(run)}


def test_review_serves_until_interrupted(run):
    with subprocess.Popen(
        [FRICTION, "review", str(run), "--no-open", "--annotator", "Anna"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as server:
        try:
            assert "trials to review" in server.stdout.readline()
            url = server.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", url)
            with urllib.request.urlopen(f"{url}runs/run/labels", timeout=10) as answer:
                assert json.load(answer)["annotator"] == "Anna"
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(url.rsplit("/", 2)[0] + "/", timeout=10)
        finally:
            server.send_signal(signal.SIGINT)
        assert server.wait(timeout=20) == 0
        assert "Traceback" not in server.stderr.read()
