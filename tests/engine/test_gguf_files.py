"""Which file a name means: of a package, of the cache, or a path."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from feedback_friction.engine.models.llama.gguf_files import (
    ABACUS,
    PACKAGED,
    SUFFIX,
    cache_dir,
    checked,
    find,
    installed,
    models_dir,
)
from feedback_friction.errors import UsageError

SMOLLM2 = PACKAGED["smollm2"]
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file that begins as GGUF files do, in an empty world of its own."""
    monkeypatch.setenv("FRICTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    # An empty package of the wheel's name hides the wheel itself, where it is installed.
    (tmp_path / "site" / SMOLLM2.module).mkdir(parents=True)
    (tmp_path / "site" / SMOLLM2.module / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")

    def written(name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"GGUF and more")
        return path

    return written


def test_the_cache_is_where_the_variable_says_else_where_the_system_keeps_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FRICTION_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    for unset in ("", "  "):
        monkeypatch.setenv("FRICTION_CACHE", unset)
        assert cache_dir().name == "feedback-friction"
        assert cache_dir().is_absolute()


def test_a_short_name_means_the_package_before_the_cache(write: Write) -> None:
    cached = write(f"cache/models/{SMOLLM2.file}")
    assert find("smollm2") == cached
    packaged = write(f"site/{SMOLLM2.module}/{SMOLLM2.file}")
    assert find("SmolLM2") == packaged
    assert [(each.name, each.place) for each in installed()] == [
        ("abacus", "package"),
        ("smollm2", "package"),
        ("smollm2", "cache"),
    ]
    assert SMOLLM2.module not in sys.modules  # found, not run


def test_a_file_of_the_cache_goes_by_its_name(write: Write) -> None:
    path = write("cache/models/mine/Tiny.Q8_0.gguf")
    assert find("tiny.q8_0") == find("Tiny.Q8_0.gguf") == path
    assert models_dir() == cache_dir() / "models"


def test_a_path_means_itself_even_where_the_cache_has_the_name(write: Write) -> None:
    write("cache/models/tiny.gguf")
    here = write("tiny.gguf")
    assert find("tiny.gguf") == Path("tiny.gguf")
    assert find(str(here)) == here


def test_folders_are_searched_at_any_depth_and_each_file_is_listed_once(write: Write) -> None:
    deep = write("models/a/b/deep.gguf")
    cached = write("cache/models/tiny.gguf")
    (deep.parent / "link.gguf").symlink_to(deep)
    found = installed([deep.parents[2], models_dir()])
    assert [(each.path, each.place) for each in found] == [
        (ABACUS, "package"),
        (cached, "cache"),
        (deep, "folder"),
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("smollm2", "friction models get smollm2 (98 MB)"),
        ("smollm3", "allowed: the path of a .gguf file, or abacus, smollm2"),
        ("gone.gguf", "there is no GGUF file 'gone.gguf'"),
        ("folder", "folder is a folder; name a GGUF file (in this folder: a.gguf)"),
        ("bad.gguf", "bad.gguf is not a GGUF file"),
        ("empty.gguf", "empty.gguf is not a GGUF file"),
    ],
)
def test_what_cannot_be_found_gives_one_line_that_says_what_can(
    name: str, line: str, write: Write
) -> None:
    write("folder/a.gguf")
    Path("bad.gguf").write_bytes(b"PK\3\4")
    Path("empty.gguf").touch()
    with pytest.raises(UsageError) as failure:
        find(name)
    assert line in str(failure.value)
    assert "\n" not in str(failure.value)


def test_what_cannot_be_read_is_named(write: Write) -> None:
    with pytest.raises(UsageError, match="cannot read gone"):
        checked(Path(f"gone{SUFFIX}"))
    with pytest.raises(UsageError, match="gone is not a folder"):
        installed([Path("gone")])
