"""Frozen sets: kept in a file, and run with one call an item.

A file is JSON Lines, compressed where its name ends in ``.gz``: first what the set is (name,
licence, how it was made), then an item a line (``protocol.frozen``).
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from io import BytesIO
from itertools import chain, count
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.engine.run.conditions import Condition
from feedback_friction.errors import DataError, UsageError, reason
from feedback_friction.mode_names import parse_mode
from feedback_friction.modes import ADOPTED, Mode
from feedback_friction.protocol.frozen import Item, ItemError, from_row, to_row
from feedback_friction.settings import Plan, Settings
from feedback_friction.tasks.catalog import get_page
from feedback_friction.tasks.fewshot import with_examples
from feedback_friction.ways import parse_sampling

CORE = "core"  # the set that is shipped
FORMAT = "friction frozen 1"
_LARGEST = 200_000_000  # bytes of a file, uncompressed


@dataclass(frozen=True, slots=True)
class Frozen:
    """A frozen set."""

    about: Mapping[str, Any]  # its name, licence and provenance
    items: tuple[Item, ...]  # its items
    digest: str  # of the file's contents

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of its items."""
        return tuple(dict.fromkeys(item.problem.task for item in self.items))


# --- files ---------------------------------------------------------------------------------------


def packed(about: Mapping[str, Any], items: Sequence[Item]) -> bytes:
    """The contents of a file, not compressed."""
    head = {"format": FORMAT, **about, "items": len(items)}
    return b"".join(orjson.dumps(row) + b"\n" for row in (head, *map(to_row, items)))


def write_frozen(path: Path, about: Mapping[str, Any], items: Sequence[Item]) -> None:
    """Write a set; the same set gives the same bytes.

    Raises:
        UsageError: the file cannot be written.
    """
    contents = packed(about, items)
    if path.suffix == ".gz":
        contents = gzip.compress(contents, mtime=0)
    try:
        path.write_bytes(contents)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {reason(error)}") from error


def read_frozen(name: str) -> Frozen:
    """The set of a file, or the shipped one.

    Raises:
        UsageError: the file cannot be read, or is no frozen set.
        DataError: a line of it is no item.
    """
    source = "core.jsonl.gz" if name == CORE else name
    try:
        raw = (
            resources.files("feedback_friction.tasks").joinpath(source).read_bytes()
            if name == CORE
            else Path(name).read_bytes()
        )
        lines = _unpacked(raw).splitlines()
        about = orjson.loads(lines[0]) if lines else None
    except (OSError, EOFError, zlib.error, orjson.JSONDecodeError) as error:
        raise UsageError(f"cannot read the frozen set {name}: {reason(error)}") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise UsageError(
            f"{name} is not a frozen set of this version ('friction freeze' makes one)"
        )
    items = [_item(source, number, line) for number, line in enumerate(lines[1:], 2)]
    if not items:
        raise UsageError(f"{name} is a frozen set without items")
    return Frozen(about, tuple(items), hashlib.sha256(b"\n".join(lines)).hexdigest()[:16])


def _unpacked(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        return raw
    with gzip.open(BytesIO(raw)) as file:
        found = file.read(_LARGEST + 1)
    if len(found) > _LARGEST:
        raise OSError(f"it holds more than {_LARGEST:,} bytes")
    return found


def _item(source: str, number: int, line: bytes) -> Item:
    try:
        row = orjson.loads(line)
        if not isinstance(row, dict):
            raise ItemError("is no object")
        return from_row(row)
    except (ItemError, orjson.JSONDecodeError) as error:
        raise DataError(source, str(error), line=number) from error


# --- to conditions -------------------------------------------------------------------------------


def frozen_conditions(settings: Settings, frozen: Frozen, plans: Sequence[Plan]) -> list[Condition]:
    """A condition for each task and mode of the set, for each solver and plan.

    Args:
        plans: with the histories and ways to solve that were asked for; their mode is not used.

    Raises:
        UsageError: a task is not there, or none of the items is of the tasks that were asked for.
    """
    found: dict[tuple[str, str], dict[str, Item]] = {}
    for item in frozen.items:
        if not settings.tasks or item.problem.task in settings.tasks:
            group = found.setdefault((item.problem.task, item.mode), {})
            own = item.problem.id
            names = chain([own], (f"{own}#{number}" for number in count(2)))
            name = next(each for each in names if each not in group)
            group[name] = replace(item, problem=replace(item.problem, id=name))
    if not found:
        tasks = ", ".join(sorted({each.problem.task for each in frozen.items}))
        raise UsageError(f"the frozen set has no items of these tasks; it has {tasks}")
    return [
        _condition(settings, solver, task, mode, [*group.values()], plan, len(plans) > 1)
        for (task, mode), group in found.items()
        for solver in dict.fromkeys(settings.models.solver)
        for plan in plans
    ]


def _condition(
    settings: Settings,
    solver: str,
    label: str,
    mode: str,
    items: Sequence[Item],
    plan: Plan,
    by_history: bool,
) -> Condition:
    page = get_page(label)
    problems = tuple(item.problem for item in items)
    task, _ = with_examples(page, settings.selection, list(problems))
    sizes = {max(map(len, problem.operands), default=None) for problem in problems}
    return Condition(
        label=label,
        task=task,
        plan=replace(
            plan,
            mode=_mode(mode),
            iterations=1 + max(len(item.attempts) for item in items),
            sampling=parse_sampling(settings.sampling[0]),
        ),
        solver=solver,
        feedback_model=None,
        grader=page.grader,
        epochs=settings.epochs,
        problems=problems,
        digits=next(iter(sizes)) if len(sizes) == 1 else None,
        by_history=by_history,
        begun={
            item.problem.id: tuple(replace(each, problem=item.problem) for each in item.attempts)
            for item in items
        },
    )


def _mode(name: str) -> Mode:
    """The mode that feedback was frozen in; a stand-in for one that this version lacks."""
    try:
        return parse_mode(name, has_feedback_model=True)
    except UsageError:
        return replace(ADOPTED, name=name)
