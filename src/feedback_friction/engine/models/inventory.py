"""The models on this machine: GGUF files, and what the Hugging Face cache holds.

Nothing is loaded and nothing is asked of a network: a GGUF file says what it is in its first
bytes, a model folder in its ``config.json`` and the head of its ``README.md``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from feedback_friction.engine.models.llama.gguf_files import PACKAGED, SUFFIX, Found, installed
from feedback_friction.engine.models.llama.gguf_header import read_header
from feedback_friction.engine.models.remote.chat_reply import tokens
from feedback_friction.errors import UsageError, reason

# llama.cpp's llama_ftype: what most of a file's weights are stored as.
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M",
    30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4",
}  # fmt: skip
_LICENCE = re.compile(rb"^license:\s*['\"]?([\w.+-]{1,60})", re.MULTILINE)
_CARD = 2**14  # bytes of a README.md that may hold its head
_LONGEST_CONFIG = 2**22  # bytes; config.json of a large mixture of experts takes some thousands


@dataclass(frozen=True, slots=True)
class Local:
    """A model on this machine."""

    spec: str  # what ``--solver`` takes, ``"gguf/smollm2"`` or ``"hf/ORG/NAME"``
    place: str  # ``package``, ``cache``, ``folder`` or ``hub`` (the Hugging Face cache)
    path: Path  # its file or folder
    size: int  # in bytes; weights that are shared with other models count for each
    # how its weights are stored, ``"Q4_1"`` or ``"bfloat16"``; empty if not told
    quantisation: str = ""
    context: int | None = None  # tokens that it was made for; None if not told
    licence: str = ""  # as it states it; empty if it does not
    trouble: str = ""  # why it cannot be a solver; empty where nothing speaks against it


def local_models(
    folders: Iterable[Path] = (), environ: Mapping[str, str] = os.environ
) -> list[Local]:
    """Every model of packages, of the cache, of the folders, and of Hugging Face's cache.

    Args:
        folders: searched for GGUF files, at any depth.
        environ: says where Hugging Face's cache is.

    Raises:
        UsageError: one of the folders is none.
    """
    files = [_gguf(found) for found in installed(folders)]
    return [*files, *_hub(hub_folder(environ))]


def hub_folder(environ: Mapping[str, str]) -> Path:
    """Where Hugging Face's libraries keep what they download, by the variables that they read."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if environ.get(name):
            return Path(environ[name]).expanduser()
    if environ.get("HF_HOME"):
        return Path(environ["HF_HOME"]).expanduser() / "hub"
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def _gguf(found: Found) -> Local:
    spec, size = f"gguf/{found.name}", found.path.stat().st_size
    try:
        header = read_header(found.path)
    except UsageError as error:
        return Local(spec, found.place, found.path, size, trouble=str(error))
    packaged = next((each for each in PACKAGED.values() if each.file == found.path.name), None)
    trouble = "" if header.template else "has no chat template"
    trouble = "makes embeddings, and writes no text" if header.embeds else trouble
    stated = str(header.values.get("general.license", ""))
    file_type = header.values.get("general.file_type")
    return Local(
        spec,
        found.place,
        found.path,
        size,
        _FILE_TYPES.get(file_type, "") if isinstance(file_type, int) else "",
        tokens(header.context) or None,
        stated or (packaged.licence if packaged else ""),
        trouble,
    )


def _hub(folder: Path) -> Iterator[Local]:
    """The models of Hugging Face's cache: ``models--ORG--NAME/snapshots/REVISION/``."""
    for repository in sorted(folder.glob("models--*")):
        spec = f"hf/{'/'.join(repository.name.split('--')[1:])}"
        try:
            yield from _repository(spec, repository)
        except OSError as error:
            trouble = f"cannot be read: {reason(error)}"
            yield Local(spec, "hub", repository, 0, trouble=trouble)


def _repository(spec: str, repository: Path) -> Iterator[Local]:
    """What one repository holds: its GGUF files, each for itself, and a model folder."""
    snapshot = _snapshot(repository)
    if snapshot is None:
        return
    files = [path for path in sorted(snapshot.rglob("*")) if path.is_file()]
    for path in files:
        if path.suffix == SUFFIX:
            yield _gguf(Found(str(path), path, "hub"))
    if (snapshot / "config.json").is_file():
        yield _folder(spec, snapshot, sum(path.stat().st_size for path in files))


def _snapshot(repository: Path) -> Path | None:
    """The revision that ``main`` means, else the newest; None where nothing was downloaded."""
    snapshots = repository / "snapshots"
    main = repository / "refs" / "main"
    if main.is_file():
        named = snapshots / main.read_text(errors="replace").strip()[:100]
        if named.is_dir():
            return named
    there = [path for path in snapshots.glob("*") if path.is_dir()]
    return max(there, key=lambda path: path.stat().st_mtime, default=None)


def _folder(spec: str, snapshot: Path, size: int) -> Local:
    try:
        config = orjson.loads(_head(snapshot / "config.json", _LONGEST_CONFIG))
    except ValueError:
        config = None
    if not isinstance(config, dict):
        return Local(spec, "hub", snapshot, size, trouble="its config.json cannot be read")
    licence = _LICENCE.search(_head(snapshot / "README.md", _CARD))
    quantised = config.get("quantization_config")
    kind = quantised.get("quant_method") if isinstance(quantised, dict) else None
    kind = kind or config.get("dtype") or config.get("torch_dtype")
    weights = any(snapshot.glob("*.safetensors")) or any(snapshot.glob("*.bin"))
    return Local(
        spec,
        "hub",
        snapshot,
        size,
        kind if isinstance(kind, str) else "",
        tokens(config.get("max_position_embeddings")) or None,
        licence[1].decode("ascii", "replace") if licence else "",
        "" if weights else "its weights are not there",
    )


def _head(path: Path, size: int) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError:
        return b""
