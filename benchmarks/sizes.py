"""Sizes: the default install takes less than 120 MB, and each extra what is printed.

Counted from what is installed beside this Python: the files of every package that an extra brings,
with those that these need. An extra of which a package is missing here is left out, and named.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata

from packaging.markers import default_environment
from packaging.requirements import Requirement

from benchmarks.common import ROOT, Figure, at_most, script

MOST_MB = 120.0
_OWN = "feedback-friction"


def measure(*, most: float = MOST_MB) -> list[Figure]:
    """The size of the default install, and what each extra adds to it, in MB of 10**6 bytes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    default = closure(project["dependencies"], project)
    figures = [at_most("default install", megabytes(default), most, "MB")]
    for name in project["optional-dependencies"]:
        try:
            more = closure([f"{_OWN}[{name}]"], project) - default
            figures.append(Figure(f"{name} adds", megabytes(more), "MB"))
        except metadata.PackageNotFoundError as error:
            figures.append(Figure(f"{name} adds", f"unknown: {error.name} is not installed here"))
    return figures


def closure(wanted: Iterable[str], project: dict[str, object]) -> set[str]:
    """The names of the packages that requirements bring, those that these require included."""
    found: set[tuple[str, str]] = set()
    todo = [(each, "") for each in wanted]
    while todo:
        text, extra = todo.pop()
        requirement = Requirement(text)
        if requirement.marker and not requirement.marker.evaluate(
            {**default_environment(), "extra": extra}
        ):
            continue
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        for asked in ("", *sorted(requirement.extras)):
            if (name, asked) not in found:
                found.add((name, asked))
                todo += [(each, asked) for each in _required(name, asked, project)]
    return {name for name, _ in found if name != _OWN}


def _required(name: str, extra: str, project: dict[str, object]) -> Iterator[str]:
    if name == _OWN:
        extras = project["optional-dependencies"]
        assert isinstance(extras, dict)
        yield from extras[extra] if extra else ()
        return
    yield from metadata.requires(name) or ()


def megabytes(names: Iterable[str]) -> float:
    """What the files of packages take, compiled ones included."""
    total = 0
    for name in names:
        for file in metadata.files(name) or ():
            path = file.locate()
            total += path.stat().st_size if path.is_file() else 0
    return total / 1e6


if __name__ == "__main__":
    script(measure)
