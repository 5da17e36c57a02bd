"""What files bring to the feedback: the policy of ``adaptive:FILE``, the prompts of ``--prompts``.

The content of each is part of the run's configuration, with its digest: a run is resumed and
replayed without the file, and a file that has changed makes another run.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from feedback_friction.errors import UsageError, reason
from feedback_friction.modes import Mode
from feedback_friction.policy import parse_policy
from feedback_friction.protocol.prompts import FORM_REQUESTS, unusable

PROMPTS = "prompts"
LEARNT_FROM = "learnt_from"  # what 'friction improve' says of a prompt beside it


def read_guidance(
    prompts: Path | None, modes: Sequence[Mode], kept: Mapping[str, Any]
) -> dict[str, Any]:
    """By mode's name, and for the prompts, the digest and the content of each file.

    Args:
        prompts: the file of ``--prompts``.
        kept: what a run that is opened again kept of its files, which are not read then.

    Raises:
        UsageError: a file cannot be read, or does not hold what it should.
    """
    files = {mode.name: Path(mode.name.partition(":")[2]) for mode in modes if _needs_file(mode)}
    if prompts is not None:
        files[PROMPTS] = prompts
    found = {name: kept.get(name) or _read(path) for name, path in files.items()}
    if prompts is not None:
        _check_prompts(prompts, found[PROMPTS]["content"])
    return found


def _needs_file(mode: Mode) -> bool:
    return mode.writer == "form" and mode.chooser is None


def with_policy(mode: Mode, guidance: Mapping[str, Any]) -> Mode:
    """The mode with the policy that its file holds.

    Raises:
        UsageError: the file holds no policy.
    """
    if not _needs_file(mode):
        return mode
    path = mode.name.partition(":")[2]
    return replace(mode, chooser=parse_policy(guidance[mode.name]["content"], path))


def form_prompts(guidance: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """By form, the prompts that replace the package's own."""
    content = guidance[PROMPTS]["content"] if PROMPTS in guidance else {}
    return tuple(sorted((name, text) for name, text in content.items() if name in FORM_REQUESTS))


def recommends_nothing(guidance: Mapping[str, Any]) -> list[str]:
    """The modes whose policy says that its data could not tell."""
    return [
        name
        for name, each in guidance.items()
        if name != PROMPTS and not each["content"].get("recommends")
    ]


def digest_of(content: object) -> str:
    """A digest of a file's content, whatever its layout."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error
    if not isinstance(content, dict):
        raise UsageError(f"cannot read {path}: it holds no object")
    return {"sha256": digest_of(content), "content": content}


def _check_prompts(path: Path, content: Mapping[str, Any]) -> None:
    for name, text in content.items():
        if name == LEARNT_FROM:
            continue
        if name not in FORM_REQUESTS:
            allowed = ", ".join(FORM_REQUESTS)
            raise UsageError(f"{path} has a prompt for '{name}'; allowed: {allowed}")
        if fault := unusable(text) if isinstance(text, str) else "is no text":
            raise UsageError(f"{path}: the prompt for '{name}' {fault}")
