"""Study files and presets: the options of a run in TOML, under the names that they have as options.

    tasks = ["decimal_multiplication"]
    sampling = ["heat", "greedy"]
    iterations = 5

    [[solver]]
    model = "openai/meta-llama/Llama-3.3-70B-Instruct"
    base-url = ["http://localhost:8000/v1"]
    option = {top_k = 20}

A preset sets defaults, a study file wins over it, and the command line over both. A path is looked
for from where the command runs, then from the study file's own folder.
"""

from __future__ import annotations

import json
import os
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.errors import UsageError, reason
from feedback_friction.modes import BINARY, PROCESS, RETRY, SELF, STRONG
from feedback_friction.options import (
    NONE,
    Declared,
    Options,
    option,
    options_of,
    refuse_unknown,
    values_of,
)
from feedback_friction.redact import cleaned, environment_secrets
from feedback_friction.settings import Output, Settings, addressed
from feedback_friction.ways import GREEDY, TRANSCRIPT

STRONG_MODEL = "openai/gpt-4.1-mini"  # the paper's feedback model, section 3
PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Section 3 of the paper: F1, F2 and F3, ten attempts, nothing drawn.
    "paper": {
        "feedback": (BINARY.name, PROCESS.name, STRONG.name),
        "feedback_model": (STRONG_MODEL,),
        "sampling": (GREEDY.name,),
        "history": (TRANSCRIPT.name,),
        "iterations": 10,
        "epochs": 1,
        "temperature": 0.0,
        "feedback_temperature": 0.0,
        "max_tokens": 2000,
        "feedback_max_tokens": 5000,
    },
    # A first look in minutes, warm enough for a control that draws again.
    "quick": {
        "feedback": (RETRY.name, BINARY.name, SELF.name),
        "limit": 20,
        "iterations": 3,
        "temperature": 0.7,
    },
}
_OF_SOLVER = ("model", "base-url", "option", "reasoning-tokens", "reasoning-effort")
_LISTS_OF_OPTIONS = ("options", "feedback_options", "judge_options")
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Study(Options):
    """Where options come from that the command line does not have."""

    config: Path | None = option(
        None,
        "A study file: options in TOML; those of the command line win.",
        metavar="FILE",
        part="nowhere",
    )
    preset: str | None = option(
        None,
        "Defaults: paper (binary, process and strong feedback, ten attempts, temperature 0), or "
        "quick (20 problems, three attempts, retry, binary and self at temperature 0.7).",
        choices=tuple(PRESETS),
        part="nowhere",
    )
    print_config: bool = option(False, "Print the study file of this command.", part="nowhere")


def combined(given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of options, with those of the preset and the study file that they name.

    Args:
        given: by field, what the command line or a call has; it wins.

    Raises:
        UsageError: there is no such preset or file, or the file is wrong; one line.
    """
    study = read_study(given["config"]) if given.get("config") is not None else {}
    preset = given.get("preset") or study.get("preset")
    if preset is not None:
        refuse_unknown([preset], PRESETS, "preset")
    if "solver" in given:  # what is for others of the file's solvers is for nobody
        others = {*study.get("solver", ())} - {*given["solver"]}
        for name in ("base_urls", "options"):
            if name in study:
                own = addressed(study[name], study.get("solver", ()), name)
                dropped = {f"{solver}={word}" for solver in others for word in own[solver]}
                study[name] = tuple(word for word in study[name] if word not in dropped)
    return {**PRESETS.get(preset or "", {}), **study, **given}


# --- reading -------------------------------------------------------------------------------------


def read_study(path: Path) -> dict[str, Any]:
    """The values of a study file, by field.

    Raises:
        UsageError: the file cannot be read, or holds what is no option or no value of it.
    """
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the study file {path}: {reason(error)}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the study file {path} is not valid TOML: {error}") from error
    try:
        return _values(document, path.parent)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _values(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    every = {each.key: each for each in options_of(Settings, Study, Output).values()}
    named = {key.replace("_", "-"): value for key, value in document.items()}
    refuse_unknown(named, [key for key in every if key not in ("config", "print-config")], "key")
    found: dict[str, Any] = {}
    tables = _tables(named)
    if tables:
        named["solver"] = [table["model"] for table in tables]
    for key, value in named.items():
        each = every[key]
        if each.name in _LISTS_OF_OPTIONS and isinstance(value, Mapping):
            value = _words(value)
        read = each.read(value, key)
        if isinstance(read, Path) and each.name != "out":
            read = _found(read, folder)
        found[each.name] = read
    for table in tables:
        for name, words in _of_solver(table).items():
            found[name] = (*found.get(name, ()), *words)
    return found


def _tables(named: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The ``[[solver]]`` tables; none where the solvers are named alone."""
    solver = named.get("solver")
    tables = [solver] if isinstance(solver, Mapping) else solver
    if not isinstance(tables, list) or not any(isinstance(each, Mapping) for each in tables):
        return []
    found: list[Mapping[str, Any]] = []
    for each in tables:
        table = {"model": each} if isinstance(each, str) else each
        if not isinstance(table, Mapping) or not isinstance(table.get("model"), str):
            raise UsageError("each [[solver]] needs a model, as provider/name")
        table = {key.replace("_", "-"): value for key, value in table.items()}
        refuse_unknown(table, _OF_SOLVER, "key of [[solver]]")
        found.append(table)
    models = [table["model"] for table in found]
    for model in models:
        if models.count(model) > 1:
            raise UsageError(f"[[solver]] {model} appears twice; solvers are told apart by model")
    return found


def _of_solver(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What a ``[[solver]]`` table says, as words that are for it alone."""
    every, model = options_of(Settings), table["model"]
    urls = every["base_urls"].read(table.get("base-url", ()), f"base-url of [[solver]] {model}")
    options = table.get("option", ())
    words = _words(options) if isinstance(options, Mapping) else options
    words = every["options"].read(words, f"option of [[solver]] {model}")
    for name in ("reasoning_tokens", "reasoning_effort"):
        value = table.get(every[name].key)
        if value is not None:
            words = (*words, f"{name}={every[name].read(value, every[name].key)}")
    return {
        "base_urls": tuple(f"{model}={url}" for url in urls),
        "options": tuple(f"{model}={word}" for word in words),
    }


def _words(table: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{key}={orjson.dumps(value).decode()}" for key, value in table.items())


def _found(path: Path, folder: Path) -> Path:
    """A path as it is, or from the study file's folder where it is only there."""
    is_beside = not path.is_absolute() and not path.exists() and (folder / path).exists()
    return folder / path if is_beside else path


# --- writing -------------------------------------------------------------------------------------


def written(settings: Settings, out: Path | None = None) -> str:
    """A study file that asks for the same; what is not set stands in it as a comment.

    Passwords in URLs are left out.
    """
    values = {**values_of(settings), "out": out}
    solvers = tuple(dict.fromkeys(settings.models.solver))
    own: dict[str, dict[str, tuple[str, ...]]] = {}
    if len(solvers) > 1:
        del values["solver"]
        for name in ("base_urls", "options"):
            own[name] = addressed(values[name], solvers, name)
            values[name] = own[name][""]
    every = options_of(Settings, Output)
    lines = ["# friction run --config FILE; options of the command line win.", ""]
    for name, value in values.items():
        lines += _entry(every[name], value)
    for solver in solvers if own else ():
        lines += ["[[solver]]", f"model = {_toml(solver)}"]
        lines += [
            f"{key} = {_toml(own[name][solver])}"
            for key, name in (("base-url", "base_urls"), ("option", "options"))
            if own[name][solver]
        ]
        lines.append("")
    return "\n".join(lines)


def _entry(each: Declared, value: Any) -> Iterator[str]:
    for line in textwrap.wrap(each.option.help, _WIDTH - 2):
        yield f"# {line}"
    if value is None and each.takes_none:
        value = NONE
    is_set = value is not None and value != ()
    yield f"{each.key} = {_toml(value)}" if is_set else f"# {each.key} ="
    yield ""


def _toml(value: Any) -> str:
    """A value in TOML, whose texts are written as JSON's are."""
    if isinstance(value, str | Path):
        [clean] = cleaned([str(value)], environment_secrets(os.environ))
        return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
