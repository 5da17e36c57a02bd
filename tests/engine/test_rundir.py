"""The run directory refuses what is not the same run, and says what differs."""

import json

import pytest

from commands import friction
from feedback_friction.analysis.journal import read_run
from feedback_friction.engine.journal.store import Journal
from feedback_friction.engine.run.prepare import prepare
from feedback_friction.engine.run.run_directory import claim, locked
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.options import values_of
from feedback_friction.settings import Settings

CONFIG = {"tasks": ("a", "b"), "iterations": 10}


def test_the_same_configuration_may_go_on(tmp_path):
    claim(tmp_path, CONFIG, {"concurrency": 1}, ["friction", "run"])
    claim(tmp_path, CONFIG, {"concurrency": 2}, ["friction", "run"])
    document = read_run(tmp_path)
    assert document["config"] == {"tasks": ["a", "b"], "iterations": 10}
    assert document["versions"]["feedback-friction"]


def test_a_journal_that_cannot_be_written_before_the_first_call_makes_the_command_wrong(
    tmp_path, monkeypatch
):
    def full(*_: object) -> None:
        raise RunStoppedError("cannot write journal.sqlite: disk is full; fix it and resume")

    monkeypatch.setattr(Journal, "add_now", full)
    words = ("decimal_multiplication", "--solver", "student/default", "--limit", 3)
    done = friction("run", *words, "--out", tmp_path / "r", code=2)
    assert "disk is full" in done.stderr.splitlines()[-1]


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    claim(tmp_path, CONFIG, {}, [])
    with pytest.raises(UsageError, match="iterations was 10, now 5"):
        claim(tmp_path, {**CONFIG, "iterations": 5}, {}, [])


def test_every_difference_is_named(tmp_path):
    claim(tmp_path, CONFIG, {}, [])
    with pytest.raises(UsageError, match=r"iterations was 10, now 5; tasks was .*, now"):
        claim(tmp_path, {"tasks": ("a",), "iterations": 5}, {}, [])


def test_a_run_from_before_an_option_was_made_with_its_default(tmp_path):
    claim(tmp_path, CONFIG, {}, [])
    claim(tmp_path, {**CONFIG, "sampling": ("greedy",), "top_p": None}, {}, [])
    with pytest.raises(UsageError, match=r'sampling was \["greedy"\], now \["heat"\]; choose'):
        claim(tmp_path, {**CONFIG, "sampling": ("heat",)}, {}, [])


def test_an_option_at_its_default_may_be_left_out_of_either_side(tmp_path):
    claim(tmp_path, {**CONFIG, "sampling": ("greedy",), "top_p": None}, {}, [])
    claim(tmp_path, CONFIG, {}, [])


def test_a_command_without_later_options_has_the_directory_that_it_always_had():
    asked = Settings.of(
        tasks="decimal_multiplication", solver="student/default", limit=5, iterations=2
    )
    prepared = prepare(asked)
    assert prepared.slug == "decimal_multiplication-student-default-924c27be"
    set_too = prepare(Settings.of(**{**values_of(asked), "attribution": ("peer",)}))
    assert set_too.config["attribution"] == ("peer",)
    assert "attribution" not in prepared.config


def test_a_run_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"schema": 99, "config": {}}))
    with pytest.raises(UsageError, match="newer version"):
        claim(tmp_path, CONFIG, {}, [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "x", "config": {}}', '{"schema": 1}'])
def test_a_broken_run_file_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UsageError, match="cannot read"):
        claim(tmp_path, CONFIG, {}, [])


def test_two_processes_cannot_write_to_one_directory(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(UsageError, match="another friction run"),
        locked(tmp_path),
    ):
        pass


def test_a_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="cannot write to the run directory"),
        locked(tmp_path / "file" / "run"),
    ):
        pass
