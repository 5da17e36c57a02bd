"""What nobody foresaw reaches a person as one line, and the traceback as a file without keys."""

import asyncio
import os

import pytest

from commands import friction
from feedback_friction.cli.drive import in_loop
from feedback_friction.errors import RunStoppedError
from feedback_friction.tracebacks import Tracebacks, kept


def caught(error):
    try:
        raise error
    except BaseException as found:
        return found


def test_an_error_of_ours_says_itself(tmp_path):
    assert Tracebacks(tmp_path).reason(caught(RunStoppedError("no\nserver"))) == "no server"
    assert not (tmp_path / "errors.log").exists()


def test_any_other_is_a_line_with_its_place_and_its_traceback_is_kept_once(tmp_path):
    tracebacks = Tracebacks(tmp_path)
    for _ in range(3):
        line = tracebacks.reason(caught(ExceptionGroup("all", [caught(ValueError("a\nb"))])))
    assert line.startswith("unexpected ValueError: a b (at test_tracebacks.py:")
    assert (tmp_path / "errors.log").read_text().count("Traceback") == 1


def test_a_key_of_the_environment_is_in_neither(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-1234567890")
    line = Tracebacks(tmp_path).reason(caught(KeyError("Bearer sk-secret-1234567890")))
    assert "1234567890" not in line + (tmp_path / "errors.log").read_text()


def test_a_long_text_is_cut(tmp_path):
    assert len(Tracebacks(tmp_path).reason(caught(ValueError("x" * 10**6)))) < 500


def test_without_a_directory_the_traceback_goes_to_a_temporary_file():
    line = kept(caught(ZeroDivisionError()))
    path = line.rpartition(" is in ")[2]
    with open(path, encoding="utf-8") as file:
        assert "ZeroDivisionError" in file.read()


@pytest.mark.parametrize("verb", ["results", "run"])
def test_the_command_prints_one_line_for_a_mistake_of_ours(tmp_path, verb):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, importlib.abc\n"
        "class Broken(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name == 'feedback_friction.cli.{verb}': raise ZeroDivisionError('oh')\n"
        "sys.meta_path.insert(0, Broken())\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = friction(verb, "x", code=1, alone=True, PYTHONPATH=path)
    [line] = done.stderr.splitlines()
    assert line.startswith("friction: unexpected ZeroDivisionError: oh (at ")
    assert line.endswith("errors.log")


def test_what_an_event_loop_reports_is_kept_and_not_printed(tmp_path, capfd):
    async def main():
        asyncio.get_running_loop().call_soon(int, "nobody awaits this")
        await asyncio.sleep(0.01)

    in_loop(main, "resume", tmp_path)
    assert "nobody awaits this" in (tmp_path / "errors.log").read_text()
    assert capfd.readouterr().err == ""
