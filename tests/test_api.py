"""``import feedback_friction as ff``: runs, their tables, and objects of a program's own."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import feedback_friction as ff
from feedback_friction.engine.models import python_model as own_models
from feedback_friction.modes import MODES
from feedback_friction.tasks import catalog, graders

ROWS = [{"id": f"q{n}", "question": f"What is {n} + {n}?", "answer": 2 * n} for n in range(1, 9)]
SUMS = ff.Task("sums", ROWS)


@pytest.fixture(autouse=True)
def forgotten():
    """What a test makes known is forgotten after it."""
    yield
    own_models.MODELS.clear()
    catalog.OWN.clear()
    for name in [name for name, mode in MODES.items() if mode.write is not None]:
        del MODES[name]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path_factory):
    """What these tests run is not remembered as the user's own."""
    known = tmp_path_factory.mktemp("known") / "own-code.txt"
    monkeypatch.setattr("feedback_friction.engine.run.python_objects._known_file", lambda: known)


class Counted:
    """A function model that counts its calls by prompt."""

    def __init__(self, reply, before=lambda number: None):
        self.asked, self.reply, self.before = Counter(), reply, before
        self.__name__ = "counted"

    def __call__(self, messages):
        self.asked[messages[-1]["content"]] += 1
        self.before(self.asked.total())
        return self.reply(messages[-1]["content"])


def doubled(text):
    return f"The answer is \\boxed{{{2 * int(re.findall('[0-9]+', text)[0])}}}."


def test_importing_the_package_loads_nothing_of_it():
    code = "import sys, feedback_friction; print([m for m in sys.modules if 'friction' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['feedback_friction']"


def test_every_name_is_there_and_has_its_type():
    stubs = (Path(ff.__file__).parent / "__init__.pyi").read_text()
    typed = re.findall(r"(?: as |^)(\w+)(?:$| = )", stubs, re.M)
    assert set(typed) == set(ff.__all__)
    assert all(getattr(ff, name) is not None for name in ff.__all__)
    assert set(ff.__all__) <= set(dir(ff))
    with pytest.raises(AttributeError, match="no attribute 'walk'"):
        ff.walk  # noqa: B018


def test_a_run_has_its_tables(tmp_path):
    run = ff.run("decimal_multiplication", "student/default", ["retry", "self"],
                 limit=10, iterations=3, out=tmp_path / "run")  # fmt: skip
    results = run.results()
    assert results["feedback"].to_list() == ["retry", "self"]
    assert results.columns[:7] == [
        "task", "solver", "feedback", "sampling", "history", "n", "missing"
    ]  # fmt: skip
    assert (results["last"] >= results["first"]).all()
    assert [len(each) for each in results["accuracy"]] == [3, 3]
    attempts = run.attempts()
    assert set(attempts["mode"]) == {"retry", "self"}
    assert attempts.filter(iteration=0).height == 20
    assert run.gains().select("feedback", "against").rows() == [("self", "retry")]
    assert run.missing == 0
    assert ff.open(tmp_path / "run").results().equals(results)


def test_a_run_works_within_a_running_event_loop_and_the_same_call_resumes(tmp_path):
    model = Counted(doubled)

    async def main():
        return ff.run(SUMS, model, out=tmp_path, iterations=2)

    run = asyncio.run(main())
    assert run.results()["first"].to_list() == [1.0]
    assert model.asked.total() == len(ROWS)
    asyncio.run(main())
    assert model.asked.total() == len(ROWS)


def test_an_async_function_and_a_class_are_models_too(tmp_path):
    async def solve(messages, temperature, seed):
        await asyncio.sleep(0)
        assert (temperature, isinstance(seed, int)) == (0.5, True)
        return doubled(messages[-1]["content"])

    class Silent:
        name = identity = "python/silent"
        simulated = False

        async def check(self):
            pass

        async def close(self):
            pass

        async def generate(self, request):
            return ff.Completion((ff.Reply(""),) * request.n)

    run = ff.run(SUMS, [solve, Silent()], out=tmp_path, iterations=1, temperature=0.5)
    found = {row["solver"]: row["first"] for row in run.results().iter_rows(named=True)}
    assert found == {"python/solve": 1.0, "python/silent": 0.0}


def test_feedback_of_your_own_is_masked_and_shown_to_the_solver(tmp_path):
    def gives_away(problem, attempts):
        return f"Attempt {len(attempts)} is wrong. The answer is {problem.gold}."

    model = Counted(lambda text: "The answer is \\boxed{1}.")
    run = ff.run(SUMS, model, gives_away, out=tmp_path, iterations=2)
    told = run.attempts().filter(iteration=0)
    assert set(told["mode"]) == {"gives-away"}
    assert told["feedback"].str.contains("Attempt 1 is wrong").all()
    for row in told.iter_rows(named=True):
        assert not re.search(rf"\b{row['gold']}\b", row["feedback"].replace("Attempt 1", ""))
        assert row["gold"] in row["feedback_raw"]
    assert sum("Attempt 1 is wrong" in prompt for prompt in model.asked) == len(ROWS)


@pytest.mark.parametrize(
    ("reply", "verdict"), [("so 7", "correct"), ("so 9", "wrong"), ("so?", "no-answer")]
)
def test_a_function_is_a_grader(tmp_path, reply, verdict):
    def near(problem, text):
        numbers = re.findall(r"\d+", text)
        return int(numbers[-1]) in (6, 7) if numbers else None

    task = ff.Task("near", ROWS[:1], grader=near)
    run = ff.run(task, Counted(lambda text: reply), out=tmp_path, iterations=1)
    assert run.attempts()["verdict"].to_list() == [verdict]


@pytest.mark.parametrize(
    ("reply", "verdict", "prediction"),
    [
        ("First => 5, then => 2", "correct", "2"),
        ("=> 2, no, => 5", "wrong", "5"),
        ("2", "no-answer", None),
    ],
)
@pytest.mark.parametrize("grader", [re.compile(r"=> (\d+)"), "regex:=> (\\d+)"])
def test_a_pattern_is_a_grader_and_its_last_match_counts(
    tmp_path, grader, reply, verdict, prediction
):
    task = ff.Task("arrows", ROWS[:1], grader=grader)
    run = ff.run(task, Counted(lambda text: reply), out=tmp_path, iterations=1)
    [found] = run.attempts().select("verdict", "prediction").rows()
    assert found == (verdict, prediction)


def test_a_pattern_that_takes_for_ever_is_stopped_and_decides_nothing(monkeypatch):
    monkeypatch.setattr(graders, "CPU_SECONDS", 0.05)
    grade = graders.by_pattern.__wrapped__(r"(a|aa)+$")
    problem = ff.Problem("q", "custom", "?", "a")
    assert grade(problem, "a" * 5000 + "b").outcome is ff.Outcome.UNDECIDED


def test_a_rubric_is_judged_by_the_judge_model(tmp_path):
    judged = []

    def judge(messages):
        judged.append(messages)
        return "VERDICT: YES" if "kindly" in messages[1]["content"] else "VERDICT: NO"

    task = ff.Task("kind", ROWS[:2], grader="rubric:The reply is kind.")
    with pytest.raises(ff.UsageError, match="kind is graded by a rubric, which needs --judge-mod"):
        ff.run(task, Counted(lambda text: "yes"), out=tmp_path / "none")
    solver = Counted(lambda text: "I kindly say 2." if "1 + 1" in text else "No.")
    run = ff.run(task, solver, out=tmp_path / "run", iterations=1, judge_model=judge)
    assert run.attempts()["verdict"].to_list() == ["correct", "wrong"]
    assert "The reply is kind." in judged[0][0]["content"]
    assert run.results()["grader"].to_list() == ["judge python/judge"]


def test_what_goes_wrong_in_a_function_fails_its_trial_alone(tmp_path, caplog):
    def picky(problem, text):
        return "perhaps" if problem.id == "q2" else True

    task = ff.Task("picky", ROWS[:3], grader=picky)
    run = ff.run(task, Counted(doubled), out=tmp_path, iterations=1)
    assert run.missing == 1
    assert "picky must return True, False, None or a Verdict, not str" in caplog.text


def test_ctrl_c_keeps_what_was_answered(tmp_path):
    def interrupt(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)  # until the main thread has heard of it

    model = Counted(doubled, interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a command leaves its own
    try:
        with pytest.raises(KeyboardInterrupt):
            ff.run(SUMS, model, out=tmp_path, iterations=1, concurrency=1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 3 <= model.asked.total() < len(ROWS)
    ff.run(SUMS, model, out=tmp_path, iterations=1, concurrency=1)
    assert set(model.asked.values()) == {1}
    assert len(model.asked) == len(ROWS)


def a_function(problem, attempts):
    return "x"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"itertions": 5}, "unknown option 'itertions'; did you mean 'iterations'?"),
        ({"iterations": "5"}, "iterations must be a whole number from 1 to 1000, not '5'"),
        ({"base_url": "http://x"}, "student/default is a simulation and takes no base URL"),
        ({"iterations": 0}, "iterations must be from 1 to 1000, not 0"),
        ({"solver": "python/nobody"}, "there is no model 'python/nobody' of your own"),
        ({"solver": 5}, "5 is not a model: give a name, or an object"),
        ({"tasks": "sums2"}, "unknown task 'sums2'; allowed: aime_2024"),
        ({"tasks": ff.Task("custom", ROWS)}, "cannot be called 'custom': a built-in one is"),
        ({"tasks": ff.Task("a | b", ROWS)}, "task name 'a | b' may contain only letters"),
        ({"tasks": ff.Task("bad", [{"question": "?"}])}, "field 'answer'"),
        ({"tasks": ff.Task("bad", ROWS, grader="regex:(")}, "'(' is not a regular expression"),
        ({"tasks": ff.Task("bad", ROWS, grader="stars")}, "must be one of choice, expression"),
        ({"feedback": ff.feedback(a_function, name="retry")}, "cannot be called 'retry'"),
        ({"preset": "big"}, "unknown preset 'big'; allowed: paper, quick"),
        ({"config": "none.toml"}, "cannot read the study file none.toml"),
        ({"task_file": "none.py"}, "cannot read none.py: No such file"),
        ({"grader": "text"}, "--grader needs the task custom"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_asked(tmp_path, call, message):
    with pytest.raises(ff.UsageError) as caught:
        ff.run(**{"tasks": SUMS, "solver": "student/default", "out": tmp_path / "run"} | call)
    assert message in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(ff.UsageError):
        ff.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "defines no task, model or feedback"),
        ("1 / 0", "fails: ZeroDivisionError: division by zero"),
        ("def", "fails: SyntaxError"),
    ],
)
def test_a_task_file_that_is_wrong_is_one_line(tmp_path, text, message):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ff.UsageError) as caught:
        ff.run("custom", "student/default", task_file=path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_changed_task_file_is_another_run_and_reopening_finds_the_file(tmp_path, monkeypatch):
    path = tmp_path / "mine.py"
    text = "import feedback_friction as ff\nT = ff.Task('mine', [{'question': '1?', 'answer': 1}])"
    path.write_text(text)
    ff.run("mine", "student/default", task_file=path, out=tmp_path / "run", iterations=1)
    catalog.OWN.clear()
    from feedback_friction.engine.passes.reopen import reopen

    assert [each.label for each in reopen(tmp_path / "run").conditions] == ["mine"]
    monkeypatch.setattr(
        "feedback_friction.engine.run.python_objects._known_file", lambda: tmp_path / "none"
    )
    with pytest.raises(ff.UsageError, match=r"mine.py, which no run of yours has used as it is"):
        reopen(tmp_path / "run")  # whoever made the directory may have named any file
    config = json.loads((tmp_path / "run" / "run.json").read_text())["config"]
    path.write_text(text + "\n# another grader")
    graders.run_file.cache_clear()
    with pytest.raises(ff.UsageError, match=f'task_code was "{config["task_code"]}", now'):
        ff.run("mine", "student/default", task_file=path, out=tmp_path / "run", iterations=1)


@pytest.mark.parametrize("grader", ["python:FILE:f", "rubric:@FILE"])
def test_a_row_of_data_may_name_no_file(tmp_path, monkeypatch, grader):
    path = tmp_path / "mine.py"
    path.write_text("print('run')\ndef f(problem, reply): return True")
    grader, data = grader.replace("FILE", str(path)), tmp_path / "data.jsonl"
    monkeypatch.setattr(graders, "_ALLOWED", set())
    data.write_text(json.dumps({"question": "?", "answer": "1", "grader": grader}))
    asked = {"tasks": "custom", "solver": "student/default", "out": tmp_path / "run"}
    with pytest.raises(ff.UsageError, match="names a file: give such a grader with --grader"):
        ff.run(**asked, data=data)
    data.write_text(json.dumps({"question": "?", "answer": "1"}))
    more = {"judge_model": "student/default"} if grader.startswith("rubric") else {}
    assert ff.run(**asked, data=data, grader=grader, iterations=1, **more).missing == 0
