"""A feedback mode is one value: what stands in ``MODES`` is run, estimated, simulated and drawn."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from feedback_friction.cli import estimate, run  # noqa: F401  # their help names no test's mode
from feedback_friction.cli.main import friction
from feedback_friction.errors import UsageError
from feedback_friction.mode_names import parse_mode, recorded_mode
from feedback_friction.modes import MODES, Look, Mode, control_modes
from feedback_friction.protocol import prompts

SRC = Path(__file__).parents[1] / "src" / "feedback_friction"
PRAISE = Mode(
    "praise", "fixed",
    by="nobody: a kind word",
    purpose="control for kindness",
    look=Look("#123456", "cross"),
    uptake=1.0,
    fixed="praise",
    controls_for="a kind word",
    informs=False,
)  # fmt: skip
TEXT = prompts.Fixed("You are doing well. Go on.", "Do say something. " * 200)
STUDENT = "student/ability=0,resistant=0,spread=0,uptake.binary=0"


@pytest.fixture
def praise(monkeypatch):
    monkeypatch.setitem(MODES, PRAISE.name, PRAISE)
    monkeypatch.setitem(prompts.FIXED, "praise", TEXT)


def told(*words):
    done = CliRunner().invoke(friction, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def command(verb, out, *more, iterations=3, solver=STUDENT):
    modes = ("--feedback", "praise", "--feedback", "binary")
    return (
        verb, "decimal_multiplication", "--limit", 12, "--iterations", iterations, *modes,
        "--solver", solver, "--out", out, *more,
    )  # fmt: skip


def test_a_registered_mode_is_run_simulated_and_reported(praise, tmp_path):
    found = json.loads(told(*command("run", tmp_path / "run", "--json", "--quiet")))["conditions"]
    accuracy = {each["feedback"]: each["accuracy"] for each in found}
    assert accuracy == {"praise": [0.0, 1.0, 1.0], "binary": [0.0, 0.0, 0.0]}

    lines = [json.loads(line) for line in told("export", tmp_path / "run").splitlines()]
    after = [line["question"] for line in lines if line["iteration"] and line["is_correct"]]
    assert len(after) == 12
    assert all(TEXT.wrong in question for question in after)

    told("report", tmp_path / "run", "--out", tmp_path / "report")
    drawn = (tmp_path / "report" / "figures" / "accuracy.svg").read_text("utf-8")
    assert PRAISE.look.colour in drawn
    controls = (tmp_path / "report" / "tables" / "gains.csv").read_text("utf-8")
    assert "praise,binary" in controls
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "praise is a kind word" in page
    assert "After praise feedback 0.0% of the second attempts" in page


def test_an_estimate_counts_the_text_of_a_registered_mode(praise, monkeypatch, tmp_path):
    def most(text):
        monkeypatch.setitem(prompts.FIXED, "praise", text)
        words = command("estimate", tmp_path / "run", "--pilot", 0, "--json")
        return json.loads(told(*words))["uncached_prompt_tokens"]["high"]

    longer = TEXT._replace(no_answer=TEXT.no_answer * 2)
    added = len(TEXT.no_answer) / 4  # tokens: once in the second prompt, twice in the third
    assert most(longer) - most(TEXT) == pytest.approx(12 * 3 * added, rel=0.01)


def test_an_estimate_counts_hints_as_long_as_they_are(tmp_path):
    def most(hint):
        row = {"question": "What is 1 + 1?", "answer": 2, "hints": [hint]}
        rows = [{**row, "question": f"{row['question']} {n}"} for n in range(4)]
        (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
        words = ("estimate", "custom", "--data", tmp_path / "data.jsonl", "--feedback", "hint")
        words += ("--solver", STUDENT, "--iterations", 3, "--pilot", 0, "--json")
        return json.loads(told(*words))["uncached_prompt_tokens"]["high"]

    assert most("x" * 4000) - most("x" * 400) == pytest.approx(4 * 3 * 900, rel=0.01)


def test_the_student_can_be_told_its_uptake_of_a_registered_mode(praise, tmp_path):
    spec = f"{STUDENT},uptake.praise=0"
    words = command("run", tmp_path / "run", "--json", "--quiet", solver=spec)
    found = json.loads(told(*words))["conditions"]
    assert all(each["accuracy"][-1] == 0 for each in found)


def test_no_other_file_names_a_mode():
    quoted = re.compile(rf'"(?:{"|".join(MODES)})(?::\w*)?"')
    named = [
        f"{path.relative_to(SRC)}: {line.strip()}"
        for path in SRC.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if quoted.search(line) and path.name != "modes.py" and "__all__" not in line
    ]
    assert named == []


def test_importing_any_one_of_the_modules_that_once_imported_each_other_works():
    for module in ("episode", "feedback", "history", "sampling", "trial"):
        code = f"import feedback_friction.protocol.{module}"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    loop = (SRC / "protocol").rglob("*.py")
    assert not [path for path in loop if "TYPE_CHECKING" in path.read_text("utf-8")]


def test_every_mode_looks_different_and_says_who_writes_it():
    looks = [mode.look for mode in MODES.values()]
    assert len({look.colour for look in looks}) == len(looks)
    assert len({look.marker for look in looks}) == len(looks)
    assert all(mode.by and mode.purpose for mode in MODES.values())
    assert all((mode.fixed in prompts.FIXED) == (mode.writer == "fixed") for mode in MODES.values())


def test_the_controls_stand_each_before_those_that_it_controls():
    assert [mode.name for mode in control_modes()] == ["retry", "placebo", "binary"]


def test_a_run_directory_may_name_a_mode_that_is_not_known_here():
    assert recorded_mode("placebo:tutor") is MODES["placebo"]
    later = recorded_mode("ladder:3")
    assert (later.name, later.shows_history, later.controls_for) == ("ladder", True, "")


@pytest.mark.parametrize(
    "name",
    ["hint:0", "hint:x", "hint:", "binary:x", "placebo:retry", "placebo:binary", "placebo:placebo"],
)
def test_a_mode_that_cannot_be_is_refused_with_those_that_can(name):
    with pytest.raises(UsageError, match="allowed: "):
        parse_mode(name, has_feedback_model=True)
