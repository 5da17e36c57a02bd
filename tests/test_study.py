"""Study files: what is written is read again, and what is wrong in one is a line."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.cli.main import friction
from feedback_friction.errors import UsageError
from feedback_friction.options import filled, options_of, values_of
from feedback_friction.settings import Settings
from feedback_friction.study import PRESETS, combined, read_study, written

SOLVERS = """
[[solver]]
model = "openai/a"
base-url = ["http://one/v1", "http://two/v1"]
option = {top_k = 3, chat = {kind = "b c"}}
reasoning-effort = "high"

[[solver]]
model = "openai/ab"
base_url = "http://three/v1"
reasoning-tokens = 40
"""


def study(folder, text):
    path = folder / "study.toml"
    path.write_text(text, "utf-8")
    return path


def asked(path, **given):
    return filled(Settings, combined({"config": path, **given}))


TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=8)


@given(
    tasks=st.lists(TEXTS, min_size=1, max_size=3),
    solver=st.lists(st.sampled_from(["openai/a", "openai/ab", "student/x=1"]), min_size=1),
    temperature=st.none() | st.floats(0, 2),
    limit=st.none() | st.integers(1, 99),
    logprobs=st.booleans(),
    base_urls=st.lists(st.sampled_from(["http://h/v1", "openai/a=http://i/v1"]), max_size=2),
    stratify=st.none() | st.sampled_from(["subject", "level"]),
)
def test_a_study_file_that_is_written_and_read_asks_for_the_same(tmp_path_factory, **values):
    if "openai/a" not in values["solver"]:
        values["base_urls"] = [url for url in values["base_urls"] if "=" not in url]
    settings = Settings.of(**values)
    again = asked(study(tmp_path_factory.mktemp("s"), written(settings)))
    one, other = values_of(settings), values_of(again)
    solvers = one.pop("solver"), other.pop("solver")
    urls = one.pop("base_urls"), other.pop("base_urls")
    assert one == other
    assert dict.fromkeys(solvers[0]) == dict.fromkeys(solvers[1])
    assert sorted(urls[0]) == sorted(urls[1])


def test_a_table_of_a_solver_is_for_it_alone(tmp_path):
    models = asked(study(tmp_path, SOLVERS)).models
    assert models.solver == ("openai/a", "openai/ab")
    assert models.base_urls == (
        "openai/a=http://one/v1", "openai/a=http://two/v1", "openai/ab=http://three/v1"
    )  # fmt: skip
    assert models.options == (
        "openai/a=top_k=3",
        'openai/a=chat={"kind":"b c"}',
        "openai/a=reasoning_effort=high",
        "openai/ab=reasoning_tokens=40",
    )


def test_the_command_line_wins_over_the_file_and_the_file_over_the_preset(tmp_path):
    path = study(tmp_path, 'preset = "quick"\niterations = 7\nlimit = 9\n' + SOLVERS)
    settings = asked(path, limit=1)
    assert settings.feedback == PRESETS["quick"]["feedback"]
    assert (settings.plan.iterations, settings.selection.limit) == (7, 1)
    one = asked(path, solver=("openai/ab",), preset="paper")
    assert one.models.base_urls == ("openai/ab=http://three/v1",)
    assert one.models.options == ("openai/ab=reasoning_tokens=40",)
    assert one.models.feedback_model == PRESETS["paper"]["feedback_model"]


def test_what_a_preset_sets_are_options():
    for preset in PRESETS.values():
        assert values_of(Settings.of(**preset)).items() >= preset.items()


def test_a_path_is_found_beside_the_file_where_it_is_nowhere_else(tmp_path, monkeypatch):
    (tmp_path / "rows.jsonl").write_text("")
    path = study(tmp_path, 'data = "rows.jsonl"\nout = "run"\n')
    assert read_study(path)["data"] == tmp_path / "rows.jsonl"
    assert str(read_study(path)["out"]) == "run"
    monkeypatch.chdir(tmp_path)
    assert str(read_study(path)["data"]) == "rows.jsonl"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('iterations = "5"', "iterations must be a whole number from 1 to 1000, not '5'"),
        ("iterations = 0", "iterations must be from 1 to 1000, not 0"),
        ("itertions = 5", "unknown key 'itertions'; did you mean 'iterations'?"),
        ("config = 'x'", "unknown key 'config'; allowed"),
        ("iterations = [", "is not valid TOML: Invalid value (at end of document)"),
        ("tasks = [5]", "tasks must be a text or a list of such, not 5"),
        ("logprobs = 1", "logprobs must be true or false, not 1"),
        ("preset = 'big'", "unknown preset 'big'; allowed: paper, quick"),
        ("[[solver]]\nname = 'x'", "each [[solver]] needs a model, as provider/name"),
        (
            "[[solver]]\nmodel = 'a/b'\nurl = 'x'",
            "unknown key of [[solver]] 'url'; allowed: model, base-url, option",
        ),
        ("[[solver]]\nmodel = 'a/b'\n" * 2, "[[solver]] a/b appears twice"),
        ("[[solver]]\nmodel = 'a/b'\nbase-url = 3", "base-url of [[solver]] a/b must be a text"),
        ("solver = [{model = 'a/b'}, 3]", "each [[solver]] needs a model"),
    ],
)
def test_what_is_wrong_in_a_study_file_is_one_line(tmp_path, text, message):
    path = study(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        asked(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_study_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read the study file .*: No such file"):
        asked(tmp_path / "none.toml")
    (tmp_path / "latin").write_bytes(b"tasks = '\xe9'")
    with pytest.raises(UsageError, match="cannot read the study file"):
        asked(tmp_path / "latin")


def told(*words):
    done = CliRunner().invoke(friction, list(map(str, words)), standalone_mode=False)
    assert done.exception is None, done.output
    return done.stdout


def test_the_printed_file_of_a_command_runs_as_the_command_does(tmp_path):
    words = ("--solver", "student/default", "--solver", "student/keen", "--limit", 2, "--quiet")
    words = ("run", "decimal_multiplication", *words, "--iterations", 2, "--feedback", "self")
    study(tmp_path, told(*words, "--out", tmp_path / "run", "--print-config"))
    assert not (tmp_path / "run").exists()
    found = json.loads(told(*words, "--out", tmp_path / "run", "--json"))
    again = json.loads(told("run", "--config", tmp_path / "study.toml", "--json", "--quiet"))
    assert again == found  # the same directory, nothing asked again


def test_a_printed_file_says_what_each_option_is_and_holds_no_password(tmp_path):
    settings = Settings.of(solver="openai/a", base_urls="http://me:open-sesame@host/v1")
    text = written(settings)
    assert "open-sesame" not in text
    assert 'base-url = ["http://host/v1"]' in text
    for each in options_of(Settings).values():
        assert f"\n{each.key} = " in text or f"\n# {each.key} =\n" in text
