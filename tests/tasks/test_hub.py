"""The hub: what is asked of the library, and one line for every way in which it fails."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest

from feedback_friction.errors import UsageError
from feedback_friction.tasks import hub_rows
from feedback_friction.tasks.hub_rows import Source, is_cached, load_rows

SOURCE = Source("owner/Set-1", "test", "a" * 40, "all", ("question",))
GATED = Source("owner/secret", "train", "b" * 40, gated=True)


class DatasetsError(Exception):
    pass


class Table(list):
    def select_columns(self, columns):
        return [{column: row[column] for column in columns} for row in self]


class Library:
    """Stands in for ``datasets``: gives these rows, or raises."""

    exceptions = SimpleNamespace(DatasetsError=DatasetsError)

    def __init__(self, given):
        self.given, self.asked = given, []

    def load_dataset(self, *args, **options):
        self.asked.append((args, options))
        if isinstance(self.given, Exception):
            logging.getLogger("huggingface_hub").warning("Retrying in 1s")
            raise self.given
        return Table(self.given)


@pytest.fixture
def library(monkeypatch):
    def use(given) -> Library:
        stand_in = Library(given)
        monkeypatch.setitem(sys.modules, "datasets", stand_in)
        monkeypatch.setattr(hub_rows, "_reachable", lambda: True)
        return stand_in

    return use


def test_rows_are_asked_for_by_revision_and_columns_are_chosen(library):
    stand_in = library([{"question": "Why?", "heavy": "x"}])
    assert load_rows(SOURCE) == [{"question": "Why?"}]
    options = {"name": "all", "split": "test", "revision": "a" * 40}
    assert stand_in.asked == [(("owner/Set-1",), options)]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Couldn't reach 'owner/Set-1' on the Hub"),
        FileNotFoundError("no such split\nand more lines"),
        ValueError("BuilderConfig 'all' not found"),
        DatasetsError("An error occurred while generating the dataset"),
    ],
)
def test_a_failure_is_one_line_that_names_the_way_out(library, error, caplog):
    library(error)
    with pytest.raises(UsageError, match="--data FILE") as raised:
        load_rows(SOURCE)
    message = str(raised.value)
    assert "\n" not in message
    assert str(error).splitlines()[0] in message
    assert "owner/Set-1" in message
    assert raised.value.__cause__ is error
    assert caplog.text == ""


def test_a_refused_gated_set_says_how_to_get_access_and_quotes_nothing(library):
    library(DatasetsError("row 3: What is the secret question?"))
    with pytest.raises(UsageError) as raised:
        load_rows(GATED)
    message = str(raised.value)
    assert "https://huggingface.co/datasets/owner/secret" in message
    assert "hf auth login" in message
    assert "--data FILE" in message
    assert "secret question" not in message


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"pip install 'feedback-friction\[hub\]'.*--data FILE"):
        load_rows(SOURCE)


def test_an_unreachable_hub_is_found_out_before_the_library_retries(library, monkeypatch):
    stand_in = library([{"question": "Why?"}])
    monkeypatch.setattr(hub_rows, "_reachable", lambda: False)
    with pytest.raises(UsageError, match=r"cannot reach the Hugging Face hub.*--data FILE"):
        load_rows(SOURCE)
    assert stand_in.asked == []


def test_what_is_in_the_cache_is_loaded_without_the_hub(library, monkeypatch, tmp_path):
    library([{"question": "Why?"}])
    monkeypatch.setattr(hub_rows, "_reachable", lambda: False)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path))
    assert not is_cached(SOURCE)
    folder = tmp_path / "owner___set-1" / "all" / "0.0.0" / SOURCE.revision
    folder.mkdir(parents=True)
    assert not is_cached(SOURCE)
    (folder / "set-1-test.arrow").touch()
    assert is_cached(SOURCE)
    assert load_rows(SOURCE) == [{"question": "Why?"}]


@pytest.mark.parametrize("variable", ["HF_DATASETS_CACHE", "HF_HOME", "XDG_CACHE_HOME"])
def test_the_cache_is_where_the_library_keeps_it(monkeypatch, tmp_path, variable):
    for name in ("HF_DATASETS_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    inner = {"HF_DATASETS_CACHE": "", "HF_HOME": "datasets"}.get(variable, "huggingface/datasets")
    folder = tmp_path / inner / "owner___set-1" / "all" / "0.0.0" / SOURCE.revision
    folder.mkdir(parents=True)
    (folder / "set-1-test-00000-of-00002.arrow").touch()
    assert is_cached(SOURCE)
    assert not is_cached(Source("owner/Set-1", "test", "c" * 40, "all"))
    assert not is_cached(Source("owner/Set-1", "dev", SOURCE.revision, "all"))


def test_offline_mode_and_a_dead_endpoint_are_unreachable(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert not hub_rows._reachable()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert not hub_rows._reachable()


def test_a_source_is_described_with_its_revision():
    assert str(SOURCE) == "owner/Set-1, all, test, revision aaaaaaaa"
