"""``friction improve``: the best instruction of a simulated teacher is found, or nothing is."""

import hashlib
import json
import re
import sqlite3
from random import Random

import pytest
from click.testing import CliRunner

from feedback_friction.cli.main import friction as program
from feedback_friction.engine.models import python_model as own_models
from feedback_friction.engine.models.python_model import FunctionModel, add_model
from feedback_friction.engine.run import python_objects as own_code
from feedback_friction.errors import RunStoppedError, UsageError

# What a prompt may ask the teacher for; each turns into a sentence of the feedback. The chance of
# a right answer after it is planted: naming the rule is best.
CHANCES = {"praise": 0.1, "the line": 0.3, "the rule": 0.9, "a riddle": 0.0}
PROPOSED = [
    "Tell the student {everything}.",  # cannot be used
    *(f"Attempt {{number}} is {{fault}}. Tell the student {each}." for each in CHANCES),
]


def chance(*words):
    return Random(hashlib.sha256(" ".join(map(str, words)).encode()).digest()).random()


class Pair:
    """A teacher, its student and who rewrites the teacher's prompt; calls are counted."""

    def __init__(self, chances=CHANCES, fails_at=0):
        self.chances, self.fails_at, self.calls = chances, fails_at, 0
        own_models.MODELS.clear()
        for name in ("student", "teacher", "writer"):
            add_model(FunctionModel(self.counted(getattr(self, name)), name))

    def counted(self, reply):
        def answer(messages, seed):
            self.calls += 1
            if self.calls == self.fails_at:
                raise OSError("the server is gone")
            return reply(messages[-1]["content"], seed)

        return answer

    def student(self, text, seed):
        first, second = map(int, re.findall(r"(\d+) \+ (\d+)", text)[-1])
        told = next((each for each in self.chances if f"about {each}" in text), None)
        right = told is not None and chance(first, second) < self.chances[told]
        return f"The answer is {first + second + (0 if right else 1)}."

    def teacher(self, text, seed):
        wanted = text.rpartition("Attempt 1 is wrong")[2]
        told = next((each for each in self.chances if f"Tell the student {each}" in wanted), "it")
        return f"Think about {told}."

    def writer(self, text, seed):
        return f"Here it is:\n```\n{PROPOSED[seed % len(PROPOSED)]}\n```"


@pytest.fixture
def rows(tmp_path):
    numbers = [(Random(n).randrange(10, 99), Random(-n).randrange(100, 999)) for n in range(90)]
    path = tmp_path / "rows.jsonl"
    rows = [
        {"id": f"q{n}", "question": f"What is {a} + {b}?", "answer": a + b, "hints": ["Add."]}
        for n, (a, b) in enumerate(numbers)
    ]
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), "utf-8")
    return path


@pytest.fixture(autouse=True)
def forgotten(monkeypatch, tmp_path_factory):
    known = tmp_path_factory.mktemp("known") / "own-code.txt"
    monkeypatch.setattr(own_code, "_known_file", lambda: known)
    yield
    own_models.MODELS.clear()


def invoke(*words):
    return CliRunner().invoke(program, [str(each) for each in words], standalone_mode=False)


def command(rows, out, *more):
    models = ("--solver", "python/student", "--feedback-model", "python/teacher")
    asked = ("--reflection-model", "python/writer", "--form", "explain", "--quiet", "--json")
    return invoke("improve", "custom", "--data", rows, *models, *asked, "--out", out, *more)


def calls_kept(out):
    with sqlite3.connect(out / "journal.sqlite") as db:
        return dict(db.execute("SELECT role, count(*) FROM completions GROUP BY role").fetchall())


def test_the_best_instruction_is_found_and_runs_as_a_prompts_file(rows, tmp_path):
    pair, out = Pair(), tmp_path / "improved"
    found = json.loads(command(rows, out).stdout)
    assert found["accepted"]
    assert "the rule" in found["new"]
    held_out = found["held_out"]
    assert held_out["old"] == 0
    assert held_out["n"] == 45
    assert held_out["new"] / held_out["n"] == pytest.approx(CHANCES["the rule"], abs=0.15)
    assert held_out["adds"][1] > 0
    assert found["learnt_from"]["prompts_unusable"] > 0
    run = invoke(
        "run", "custom", "--data", rows, "--solver", "python/student", "--feedback-model",
        "python/teacher", "--feedback", "explain", "--prompts", out / "prompts.json",
        "--iterations", "2", "--quiet", "--json", "--out", tmp_path / "run",
    )  # fmt: skip
    [condition] = json.loads(run.stdout)["conditions"]
    assert condition["accuracy"][1] > 0.7
    assert pair.calls == sum(calls_kept(out).values()) + sum(calls_kept(tmp_path / "run").values())


def test_the_search_stays_within_the_budget_that_it_states(rows, tmp_path):
    Pair()
    out = tmp_path / "improved"
    done = command(rows, out, "--budget-rounds", "60")
    found = json.loads(done.stdout)["learnt_from"]
    stated = int(re.search(r"at most ([\d,]+) calls", done.stderr)[1].replace(",", ""))
    assert found["rounds"] <= 60
    assert sum(calls_kept(out).values()) <= stated
    assert calls_kept(out)["reflection"] == found["prompts_written"] <= 20


def test_an_interrupted_search_goes_on_where_it_was(rows, tmp_path):
    whole = Pair()
    expected = json.loads(command(rows, tmp_path / "whole").stdout)
    first = Pair(fails_at=200)
    stopped = command(rows, tmp_path / "parts", "--concurrency", "1")
    assert isinstance(stopped.exception, RunStoppedError), stopped.output
    second = Pair()
    found = json.loads(command(rows, tmp_path / "parts").stdout)
    assert found["new"] == expected["new"]
    assert found["held_out"] == expected["held_out"]
    assert first.calls - 1 + second.calls == whole.calls


def test_a_spent_budget_stops_it_and_a_larger_one_goes_on(rows, tmp_path):
    short = ("--max-tokens", 50, "--feedback-max-tokens", 50, "--reflection-max-tokens", 200)
    pair, out = Pair(), tmp_path / "improved"
    stopped = command(rows, out, *short, "--budget-tokens", 20_000)
    assert isinstance(stopped.exception, RunStoppedError), stopped.output
    assert "a larger one resumes" in str(stopped.exception)
    assert not (out / "prompts.json").exists()
    before = pair.calls
    assert 0 < before < 90
    found = json.loads(command(rows, out, *short, "--budget-tokens", 5_000_000).stdout)
    assert found["accepted"]
    assert pair.calls == sum(calls_kept(out).values())


def test_where_no_prompt_helps_the_old_one_stays(rows, tmp_path):
    Pair(dict.fromkeys(CHANCES, 0.0))
    found = json.loads(command(rows, tmp_path / "improved").stdout)
    assert not found["accepted"]
    assert found["new"] == found["old"]
    assert not (tmp_path / "improved" / "prompts.json").exists()


def test_a_gain_that_the_held_out_problems_cannot_tell_is_refused(rows, tmp_path):
    Pair({**dict.fromkeys(CHANCES, 0.0), "the rule": 0.1})
    found = json.loads(command(rows, tmp_path / "improved", "--limit", 24).stdout)
    assert not found["accepted"]
    assert "cannot tell" in found["why"]
    assert not (tmp_path / "improved" / "prompts.json").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--form", "verdict"), "'verdict' is not written by a model; allowed: locate, explain"),
        (("--form", "nonsense"), "unknown form of feedback 'nonsense'"),
        (("--form", "next"), "from the question's hints, not by a model; allowed: next:model"),
        (("--form", "explain:program"), "cannot be written for custom"),
        (("--budget-rounds", "5"), "must be at least 30"),
        (("--limit", "12"), "12 problems are too few"),
        (("--reflection-model", "student/default"), "writes no prompts; give --reflection-model"),
        (("--reflection-model", "nobody"), "nobody"),
        (("--solver", "python/teacher"), "a prompt is improved for one solver, not 2"),
        (("--history", "chat", "--history", "clean"), "for one history, not 2"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_before_a_call(more, said, rows, tmp_path):
    pair = Pair()
    done = command(rows, tmp_path / "improved", *more)
    assert isinstance(done.exception, UsageError), done.output
    assert said in str(done.exception)
    assert pair.calls == 0


def test_too_few_wrong_answers_are_said_in_a_line(rows, tmp_path):
    Pair()
    add_model(FunctionModel(lambda messages: added(messages[-1]["content"]), "student"))
    done = command(rows, tmp_path / "improved")
    assert isinstance(done.exception, UsageError)
    assert "0 first answers are wrong: 10 are needed" in str(done.exception)


def added(text):
    return f"The answer is {sum(map(int, re.findall(r'([0-9]+) [+] ([0-9]+)', text)[-1]))}."


def test_another_command_is_refused_in_its_directory(rows, tmp_path):
    Pair()
    out = tmp_path / "improved"
    command(rows, out, "--budget-rounds", "60")
    done = command(rows, out, "--budget-rounds", "90")
    assert isinstance(done.exception, UsageError)
    assert "budget_rounds" in str(done.exception)
