"""What a report writes: files, findings, gaps, provenance, and the published numbers."""

import contextlib
import csv
import re
import zlib

import pytest

from feedback_friction.analysis.frames import load_runs
from feedback_friction.errors import UsageError
from feedback_friction.report import build
from feedback_friction.report.build import build_report, by_subject
from feedback_friction.report.figures import figures
from feedback_friction.report.findings import MOST, findings, gaps
from feedback_friction.report.published import reference_table
from journals import RIGHT, trials, write_run

RETRY = trials(*[(RIGHT,)] * 4, *[("a", "a", "a")] * 16)
BINARY = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 10, *[("a", "a", "b")] * 6)
ARMS = {"retry": RETRY, "binary": BINARY}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run", ARMS, problems=20)


@pytest.fixture(scope="module")
def report(run, tmp_path_factory):
    return build_report([run], tmp_path_factory.mktemp("report"), reference=True)


@pytest.mark.slow
def test_each_figure_comes_as_svg_png_pdf_and_csv(report):
    names = {file.stem for file in (report.parent / "figures").iterdir()}
    assert {"accuracy", "uptake", "ends", "controls", "moves", "correction"} <= names
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
    for name in names:
        for ending, start in starts.items():
            content = (report.parent / "figures" / f"{name}.{ending}").read_bytes()
            assert content.startswith(start)
        rows = (report.parent / "figures" / f"{name}.csv").read_text("utf-8").splitlines()
        assert len(rows) > 1


def test_fonts_are_embedded_in_the_pdf(report):
    content = (report.parent / "figures" / "accuracy.pdf").read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL)
    for stream in streams:
        with contextlib.suppress(zlib.error):
            content += zlib.decompressobj().decompress(stream)
    fonts = set(re.findall(rb"/BaseFont\s*/([^\s/]+)", content))
    assert fonts
    assert all(re.match(rb"[A-Z]{6}\+", font) for font in fonts)  # a subset's prefix: embedded
    assert b"/FontFile" in content


def test_the_tables_carry_the_numbers(report):
    with (report.parent / "tables" / "gains.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["feedback"], row["against"], float(row["difference"])) == ("binary", "retry", 0.5)
    assert (row["n"], row["missing"]) == ("20", "0")


def test_the_page_has_no_script_and_allows_none(report):
    html = report.read_text("utf-8")
    assert "<script" not in html
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in html


def test_the_page_is_small(report):
    assert report.stat().st_size < 10_000_000


def test_the_page_holds_the_trials_that_tell_most_and_says_how_many_there_are(report):
    html = report.read_text("utf-8")
    section = html.partition('id="trials"')[2].partition("</section>")[0]
    assert "30 of 40 trials" in section
    assert section.count('<details class="one">') == 30
    # the ten problems on which the two conditions end differently come first
    first = re.findall(r"<h3>(\w+)</h3>", section)[:10]
    assert sorted(first, key=lambda name: int(name[1:])) == [f"p{at}" for at in range(4, 14)]


@pytest.mark.slow
def test_problems_that_would_make_the_page_too_large_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ROOM", 20_000)
    run = write_run(tmp_path / "run", ARMS, problems=20, reply="x" * 3_000 + " {answer}")
    html = build_report([run], tmp_path / "report").read_text("utf-8")
    section = html.partition('id="trials"')[2].partition("</section>")[0]
    shown = section.count('<details class="one">')
    assert 0 < shown < 30
    assert f"{shown} of 40 trials" in section
    assert len(section) < 22_000


def test_findings_say_what_the_tables_say(run):
    uptake, first = findings(load_runs([run]))[:2]
    assert uptake.startswith(
        "decimal_multiplication (5 digits), student/default: of the problems missed at first, "
        "62.5% are right after one round of binary and 0.0% after retry (+62.5 points, 95% CI "
    )
    assert "n = 16 problems, p " in uptake
    assert first.startswith("decimal_multiplication (5 digits), student/default: binary adds 50.0")
    assert "over retry (from 20.0% to 70.0%, against 20.0% to 20.0%), 95% CI " in first
    assert "n = 20, p = 0.00" in first or "n = 20, p < 0.001" in first


def test_a_loss_is_said_with_the_signs_of_its_limits(tmp_path):
    worse = {"retry": BINARY, "binary": trials(*[(RIGHT,)] * 4, *[("a", "a", "b")] * 16)}
    said = findings(load_runs([write_run(tmp_path / "run", worse, problems=20)]))
    (loss,) = [line for line in said if "ends below retry by 50.0 points" in line]
    low, high = map(float, re.search(r"95% CI (\S+) to (\S+),", loss).groups())
    assert low < -50 < high < 0


def test_findings_set_the_histories_of_a_mode_beside_each_other(tmp_path):
    stuck = trials(*[(RIGHT,)] * 4, *[("a", "a", "a")] * 16)
    freed = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 12, *[("a", "a", "a")] * 4)
    retry = trials(*[(RIGHT,)] * 4, *[("a", "b", "c")] * 16)
    arms = {
        "retry, heat": retry,
        "binary, heat, transcript": stuck,
        "binary, heat, clean": freed,
    }
    said = findings(load_runs([write_run(tmp_path / "run", arms, problems=20)]))
    subject = "decimal_multiplication (5 digits), student/default"
    assert any(
        line.startswith(f"{subject}: binary (clean history, heat) adds 60.0") for line in said
    )
    assert any(
        line.startswith(
            f"{subject}: binary with clean history adds 60.0 points over transcript history"
        )
        for line in said
    )
    assert any("after binary feedback 100.0% of the second attempts give" in line for line in said)
    assert any("after binary (clean history) feedback 25.0% of" in line for line in said)


def test_series_of_two_histories_have_one_colour_and_lines_that_differ(tmp_path):
    arms = {"binary, heat, transcript": BINARY, "binary, heat, clean": RETRY}
    made = {
        each.name: each
        for each in figures(load_runs([write_run(tmp_path / "run", arms, problems=20)]))
    }
    drawn = made["accuracy"].light
    assert len(re.findall('stroke-dasharray="6,3"', drawn)) >= 1
    assert made["accuracy"].table["series"].unique().sort().to_list() == ["binary", "binary, clean"]


def test_a_report_draws_each_run_with_the_sampling_that_it_has(tmp_path):
    warm = write_run(
        tmp_path / "warm", {"binary, heat": BINARY}, problems=20, task="hex_multiplication"
    )
    cold = write_run(tmp_path / "cold", {"binary": BINARY, "binary, heat": RETRY}, problems=20)
    (curve,) = [each for each in figures(load_runs([warm, cold])) if each.name == "accuracy"]
    drawn = curve.table.select("task", "sampling").unique().sort("task").rows()
    assert drawn == [("decimal_multiplication", "greedy"), ("hex_multiplication", "heat")]
    assert "the other strategies" in curve.caption


def test_a_gain_is_claimed_where_it_stands_beside_all_others(tmp_path):
    """Its own interval is above zero; among four such, one is to be expected now and then."""
    weak = trials(*[(RIGHT,)] * 4, *[("a", RIGHT)] * 5, *[("a", "a", "b")] * 11)
    runs = [
        write_run(
            tmp_path / str(number),
            {"retry": RETRY, "binary": weak},
            problems=20,
            solver=f"student/s{number}",
        )
        for number in range(4)
    ]
    alone = _gain(findings(load_runs(runs[:1])))
    assert "binary adds 25.0 points over retry (from 20.0% to 45.0%" in alone
    assert ", 95% CI +4.9" in alone
    assert alone.endswith("after Holm's correction over 1 comparison.")
    together = _gain(findings(load_runs(runs)))
    assert "no clear difference from retry, +25.0 points" in together


def _gain(said):
    return next(line for line in said if "retry" in line and "one round" not in line)


@pytest.mark.parametrize("strategy", ["greedy", "heat", "reject", "heat+reject"])
def test_every_sampling_strategy_has_findings_over_a_control_that_varies(tmp_path, strategy):
    arms = {f"{mode}, {strategy}": arm for mode, arm in ARMS.items()}
    run = write_run(tmp_path / "run", {"self": BINARY} | arms, problems=20)
    said = findings(load_runs([run]))
    name = "binary" if strategy == "greedy" else f"binary ({strategy})"
    assert any(f"{name} adds 50.0 points over retry" in line for line in said)
    assert any(f"one round of {name} and 0.0% after retry" in line for line in said)


def test_nothing_is_said_to_add_to_a_retry_that_repeats_itself(tmp_path):
    runs = load_runs([write_run(tmp_path / "run", ARMS, problems=20, temperature=0.0)])
    assert not any("retry" in line for line in findings(runs))
    assert any("no control for resampling" in line for line in gaps(runs))


def test_a_difference_that_guessing_may_explain_says_so(tmp_path):
    """Its interval leaves out 0, and its p-value does not: that is of another question."""
    run = write_run(tmp_path / "run", ARMS, problems=20, choices=("right", "a", "b", "c"))
    said = _gain(findings(load_runs([run])))
    assert " against guessing (+0.0 to +" in said
    assert " points) after Holm's" in said


def test_many_findings_are_cut_and_counted(tmp_path):
    runs = load_runs(
        [write_run(tmp_path / str(n), ARMS, problems=20, solver=f"student/s{n}") for n in range(8)]
    )
    gains = [line for line in findings(runs) if "points over retry" in line]
    assert len(gains) == MOST
    assert f"Not shown: {8 - MOST} more from tables/gains.csv." in findings(runs)


def test_gaps_name_what_is_missing(tmp_path):
    arm = trials((RIGHT,), "failed", "stopped:content filter", ("a", "a", "a"))
    run = write_run(tmp_path / "run", {"binary": arm}, problems=5, leaks=("right",))
    said = "\n".join(gaps(load_runs([run])))
    assert "2 of 5 trials are missing" in said
    assert "1 trials stopped early (content filter)" in said
    assert "found the answer in" in said
    assert "no retry control" in said


@pytest.mark.slow
def test_trials_without_a_single_attempt_are_reported(tmp_path):
    arm = trials((RIGHT,), "failed", "refused:content filter", ("a", "a", "a"))
    run = write_run(tmp_path / "run", {"binary": arm, "retry": arm}, problems=5)
    assert "content filter" in build_report([run], tmp_path / "report").read_text("utf-8")


def test_the_page_documents_its_run(report):
    html = report.read_text("utf-8")
    for words in (
        "friction run decimal_multiplication --solver student/default",
        "<dt>Seed</dt><dd>7</dd>",
        "as of 2026-01-01",
        "last trial ended 20",
        "feedback-friction 0.",
        "<dt>Git</dt>",
        "<strong>student/default</strong> is a simulated student",
    ):
        assert words in html, words


def test_the_page_begins_with_its_models_and_tasks_and_a_table_of_accuracies(report):
    html = report.read_text("utf-8")
    title = "Feedback friction: student/default on decimal_multiplication (5 digits)"
    assert f"<title>{title}</title>" in html
    assert f"<h1>{title}</h1>" in html
    table = html[html.index("<h3>Accuracy</h3>") : html.index('id="findings"')]
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", table)
    assert cells[:2] == ["retry", "20.0 [8.1, 41.6]"]
    assert "+62.5 [" in table  # one round of feedback against its control
    assert html.index("<h3>Accuracy</h3>") < html.index(">Findings</h2>")


@pytest.mark.slow
def test_many_models_are_counted_in_the_title_and_have_rows_of_their_own(tmp_path):
    runs = [
        write_run(tmp_path / f"run{n}", {"binary": BINARY}, problems=20, solver=f"openai/m{n}")
        for n in range(4)
    ]
    html = build_report(runs, tmp_path / "report").read_text("utf-8")
    assert "<title>Feedback friction: 4 models on decimal_multiplication (5 digits)</title>" in html
    assert all(f"run{n}" in html and f"openai/m{n}" in html for n in range(4))


@pytest.mark.slow
def test_a_page_over_several_models_says_which_is_what(tmp_path):
    runs = [
        write_run(tmp_path / "one", {"binary": BINARY}, problems=20, solver="student/keen"),
        write_run(
            tmp_path / "two", {"binary": BINARY}, problems=20, solver="openai/gpt", task="aime"
        ),
    ]
    html = build_report(runs, tmp_path / "report").read_text("utf-8")
    assert "<strong>student/keen</strong> is a simulated student" in html
    assert "It answered decimal_multiplication (5 digits)." in html
    assert "<p>The other models: openai/gpt (on aime (5 digits)).</p>" in html


def test_a_page_over_students_alone_names_no_other_models(tmp_path):
    runs = [
        write_run(tmp_path / name, {"binary": BINARY}, problems=20, solver=f"student/{name}")
        for name in ("one", "two")
    ]
    assert "The other models" not in build_report(runs, tmp_path / "report").read_text("utf-8")


def test_sentences_stand_under_what_they_are_about():
    said = ["task, b: of the problems ...", "1 more in a file.", "task, a: gpt-4 adds 3."]
    assert by_subject(said) == [
        ("task, b", ["Of the problems ..."]), ("task, a", ["gpt-4 adds 3."]),
        ("", ["1 more in a file."]),
    ]  # fmt: skip


def test_two_runs_of_the_same_condition_stand_in_panels_of_their_own(run, tmp_path):
    other = write_run(tmp_path / "run", ARMS, problems=20)
    runs = load_runs([run, other])
    (curve,) = [each for each in figures(runs) if each.name == "accuracy"]
    assert {*curve.table["panel"]} == {
        f"decimal_multiplication (5 digits), {name}" for name in runs.names
    }


@pytest.mark.slow
def test_one_condition_makes_a_report(tmp_path):
    run = write_run(tmp_path / "run", {"binary": BINARY}, problems=20)
    page = build_report([run], tmp_path / "report")
    assert (tmp_path / "report" / "figures" / "accuracy.png").is_file()
    assert not (tmp_path / "report" / "figures" / "controls.png").exists()
    assert "no retry control" in page.read_text("utf-8")


def test_published_numbers_stand_beside_ours(run):
    rows = reference_table(load_runs([run])).rows(named=True)
    firsts = [row for row in rows if row["quantity"] == "first"]
    assert [(row["origin"], row["who"], row["value"]) for row in firsts] == [
        ("published", "Llama-4-Scout", 0.022),
        ("this report", "student/default, retry, greedy", 0.2),
    ]  # the six-digit number is not there: nobody ran six digits
    assert firsts[1]["simulated"]
    (shared,) = [row for row in rows if row["quantity"] == "failure overlap"]
    assert shared["value"] == pytest.approx(1 / 141, abs=1e-4)
    assert shared["source"] == "Table 2"


def test_a_task_that_the_study_has_not_gets_no_published_numbers(tmp_path):
    run = write_run(tmp_path / "run", {"binary": BINARY}, problems=20, task="mine", digits=None)
    assert reference_table(load_runs([run])).is_empty()


@pytest.mark.slow
def test_a_condition_that_failed_altogether_is_missing_and_breaks_nothing(tmp_path):
    arms = {"retry": RETRY, "binary": trials(*["failed"] * 20), "self": BINARY}
    page = build_report([write_run(tmp_path / "run", arms, problems=20)], tmp_path / "report")
    html = page.read_text("utf-8")
    assert "binary, greedy: 20 of 20 trials are missing" in html
    assert not re.search(r"\bnan\b", re.sub('base64,[^"]*|<script.*?</script>', "", html))


def test_a_run_without_trials_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no trial of these runs has made an attempt"):
        build_report([write_run(tmp_path / "run", {"binary": {}})], tmp_path / "report")
