"""``friction report``, ``compare``, ``power`` and ``adopt`` as a user meets them."""

import csv
import json
import math
import os
from pathlib import Path

import pytest

from commands import friction
from journals import RIGHT, trials, write_run

DATA = os.environ.get("FRICTION_DATA")
needs_data = pytest.mark.skipif(DATA is None, reason="FRICTION_DATA names no directory with data")
RETRY = trials((RIGHT,), ("a", "a", "a"), ("a", "a", "a"))
BINARY = trials((RIGHT,), ("a", RIGHT), ("a", "a", "a"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    arms = {"retry": RETRY, "binary": BINARY}
    return write_run(tmp_path_factory.mktemp("runs") / "run", arms, problems=3)


def refused(*words):
    (line,) = friction(*words, code=2).stderr.splitlines()
    return line


@pytest.mark.slow
def test_report_says_where_the_page_is(run, tmp_path):
    out = tmp_path / "a report"
    assert friction("report", run, "--out", out).stdout == f"report in {out / 'index.html'}\n"
    assert (out / "index.html").is_file()


@pytest.mark.slow
def test_report_refuses_what_is_no_run_in_one_line(run, tmp_path):
    assert "is not a run directory" in refused("report", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "is not a run directory" in refused("report", run, tmp_path / "empty")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{}")
    (tmp_path / "broken" / "journal.sqlite").write_text("no data base, but a text that is long")
    assert "cannot read" in refused("report", tmp_path / "broken")


@pytest.mark.slow
def test_report_refuses_a_run_without_trials(tmp_path):
    run = write_run(tmp_path / "run", {"binary": {}})
    assert "no trial of these runs has made an attempt" in refused("report", run)


@pytest.mark.slow
def test_report_refuses_a_place_that_cannot_be_written(run, tmp_path):
    (tmp_path / "file").write_text("here is no directory")
    assert "cannot write the report" in refused("report", run, "--out", tmp_path / "file" / "out")


def test_report_refuses_an_unknown_reference(run):
    assert "'paper'" in refused("report", run, "--reference", "book")


@pytest.mark.slow
@pytest.mark.parametrize("package", ["polars", "altair", "jinja2", "vl_convert", "scipy"])
def test_report_names_the_extra_that_is_not_installed(run, tmp_path, package):
    fake = tmp_path / f"{package}.py"
    fake.write_text(f"raise ModuleNotFoundError('gone', name={package!r})")
    line = friction(
        "report", run, "--out", tmp_path / "out", code=2, alone=True, PYTHONPATH=str(tmp_path)
    ).stderr
    assert line == (
        f"friction: this needs the package '{package}': pip install 'feedback-friction[report]'\n"
    )


@pytest.mark.slow
def test_compare_pairs_the_conditions_of_a_run(run):
    (row,) = json.loads(friction("compare", run, "--json").stdout)
    assert {row["treatment"], row["control"]} == {"retry, greedy", "binary, greedy"}
    assert abs(row["difference"]) == pytest.approx(1 / 3)
    assert (row["n"], row["missing"]) == (3, 0)
    shown = friction("compare", run).stdout
    for word in ("won / lost", "p (Holm)", "missing", "33.3", "0 / 1"):
        assert word in shown


@pytest.mark.slow
def test_compare_sets_a_second_run_against_the_first(run, tmp_path):
    other = write_run(tmp_path / "run", {"binary": RETRY}, problems=3)
    (row,) = json.loads(friction("compare", run, other, "--json").stdout)
    assert row["difference"] == pytest.approx(-1 / 3)


@pytest.mark.slow
def test_compare_refuses_a_run_with_one_condition(tmp_path):
    run = write_run(tmp_path / "run", {"binary": BINARY}, problems=3)
    assert "no two conditions" in refused("compare", run)


@pytest.mark.slow
def test_power_plans_in_three_directions():
    def planned(*words):
        return json.loads(friction("power", *words, "--discordance", "0.2", "--json").stdout)

    n = planned("--difference", "0.05")["n"]
    assert planned("--difference", "0.05", "--n", str(int(n)))["power"] >= 0.8
    said = friction("power", "--difference", "0.05", "--n", "100", "--discordance", "0.2").stdout
    assert said.count("power") == 1  # its own, and no target beside it
    assert planned("--n", str(int(n)))["difference"] <= 0.05 + 1e-6
    assert planned("--difference", "0.05", "--epochs", "4", "--icc", "0")["n"] == math.ceil(n / 4)
    assert planned("--difference", "0.05", "--epochs", "4", "--icc", "1")["n"] == n
    assert "give --difference, --n, or both" in refused("power", "--discordance", "0.2")
    assert "--epochs needs --icc" in refused("power", "--discordance", "0.2", "--epochs", "4")
    assert "20 problems detect no difference" in refused(
        "power", "--n", "20", "--discordance", "0.3"
    )
    assert refused("power", "--discordance", "0.1", "--difference", "0.3")


def adopt(tmp_path, rows, code=0):
    questions = [
        {"question": f"{n} * 2 = ?", "answer": str(2 * n), "id": f"q{n}"} for n in (11, 12)
    ]
    data, replies = tmp_path / "data.jsonl", tmp_path / "replies.jsonl"
    data.write_text("\n".join(map(json.dumps, questions)))
    replies.write_text("\n".join(map(json.dumps, rows)))
    words = ("decimal_multiplication", replies, "--data", data, "--out", tmp_path / "run")
    return friction("adopt", *words, code=code)


@pytest.mark.slow
def test_adopted_replies_are_a_run_of_first_attempts(tmp_path):
    ids = problem_ids(tmp_path)
    rows = [
        {"id": ids[0], "model": "one", "response": r"It is \boxed{22}."},
        {"id": ids[1], "model": "one", "response": r"It is \boxed{25}."},
        {"id": ids[0], "model": "two", "response": "I do not know."},
    ]
    adopt(tmp_path, rows)
    results = json.loads(friction("results", tmp_path / "run", "--json").stdout)["conditions"]
    found = {each["solver"]: each for each in results}
    assert (found["one"]["accuracy"], found["one"]["missing"]) == ([0.5], 0)
    assert (found["two"]["accuracy"], found["two"]["missing"]) == ([0.0], 1)
    assert not any(each["provisional"] for each in found.values())
    page = tmp_path / "report" / "index.html"
    friction("report", tmp_path / "run", "--out", page.parent)
    assert "first attempts only" in page.read_text("utf-8")


def problem_ids(tmp_path):
    """The ids that the task gives the two questions."""
    adopt(tmp_path, [{"id": "nobody", "model": "m", "response": "r"}], code=2)
    from feedback_friction.settings import Selection
    from feedback_friction.tasks.catalog import get_page, load_problems

    page = get_page("decimal_multiplication")
    return [each.id for each in load_problems(page, Selection(data=tmp_path / "data.jsonl"))]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"id": "nobody", "model": "m", "response": "r"}], "no problem 'nobody' in the data"),
        ([{"model": "m", "response": "r"}], "names no problem"),
        ([], "holds no replies"),
    ],
)
def test_adopt_refuses_replies_that_fit_nothing(tmp_path, rows, problem):
    (line,) = adopt(tmp_path, rows, code=2).stderr.splitlines()
    assert problem in line


def test_of_adopted_replies_nobody_can_be_asked_more(tmp_path):
    adopt(tmp_path, [{"id": each, "model": "m", "response": "5"} for each in problem_ids(tmp_path)])
    (line,) = friction("probe", tmp_path / "run", "self-perception", code=2).stderr.splitlines()
    assert line.endswith("were adopted: there is no solver to ask")


def test_the_models_of_adopted_replies_are_compared(tmp_path):
    one, other = problem_ids(tmp_path)
    said = {"one": (r"\boxed{22}", r"\boxed{24}"), "two": (r"\boxed{22}", r"\boxed{25}")}
    adopt(
        tmp_path,
        [
            {"id": each, "model": model, "response": text}
            for model, texts in said.items()
            for each, text in zip((one, other), texts, strict=True)
        ],
    )
    (found,) = json.loads(friction("compare", tmp_path / "run", "--json").stdout)
    assert (found["difference"], found["n"]) == (0.5, 2)


@pytest.mark.slow
def test_labels_and_probes_of_a_run_are_drawn(tmp_path):
    run, out = tmp_path / "run", tmp_path / "report"
    friction(
        "run", "decimal_multiplication", "--solver", "student/default", "--limit", "60",
        "--feedback", "self", "--quiet", "--out", run,
    )  # fmt: skip
    friction("annotate", run, "--judge-model", "student/default")
    for probe in ("entropy", "in-domain"):
        friction("probe", run, probe, "--draws", "10")
    for probe in ("self-perception", "reader"):
        friction("probe", run, probe)
    friction("report", run, "--out", out)
    made = {file.stem for file in (out / "figures").glob("*.svg")}
    assert {"categories", "entropy", "in_domain", "self_perception", "reader"} <= made
    with (out / "tables" / "target.csv").open(newline="") as file:
        (target,) = csv.DictReader(file)
    with (out / "figures" / "accuracy.csv").open(newline="") as file:
        assert {row["target"] for row in csv.DictReader(file)} == {target["target"]}
    assert "stroke-dasharray" in (out / "figures" / "accuracy.svg").read_text("utf-8")
    page = (out / "index.html").read_text("utf-8")
    assert f"{100 * float(target['friction']):.1f} points below target accuracy" in page


@pytest.mark.slow
@needs_data
def test_six_models_replies_make_one_report(tmp_path):
    run, out = tmp_path / "six", tmp_path / "report"
    data = Path(DATA)
    friction(
        "adopt", "mmlu_pro", data / "mmlu_pro_responses.jsonl",
        "--data", data / "mmlu_pro_350.jsonl", "--out", run,
    )  # fmt: skip
    results = json.loads(friction("results", run, "--json").stdout)["conditions"]
    assert len(results) == 6
    assert all((each["n"], each["missing"]) == (350, 0) for each in results)
    friction("report", run, "--out", out)
    made = {file.stem for file in (out / "figures").glob("*.svg")}
    assert made == {"ends", "subjects", "solvers", "overlap"}
    with (out / "tables" / "solvers.csv").open(newline="") as file:
        pairs = list(csv.DictReader(file))
    assert len(pairs) == 15
    assert all(float(row["p_value"]) <= float(row["p_holm"]) for row in pairs)
    with (out / "tables" / "overlap_summary.csv").open(newline="") as file:
        (shared,) = csv.DictReader(file)
    assert 0 < int(shared["all"]) < int(shared["union"]) < 350
    assert float(shared["ratio_low"]) <= float(shared["ratio"]) <= float(shared["ratio_high"])
    with (out / "tables" / "subjects.csv").open(newline="") as file:
        by_subject = list(csv.DictReader(file))
    assert sum(int(row["n"]) for row in by_subject) == 6 * 350
