"""From ``provider/name`` on the command line to models that can be called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.model_options import CallOptions, ModelOptions
from feedback_friction.engine.models.providers.provider_table import EXTRA, INSPECT_PROVIDERS
from feedback_friction.engine.models.python_model import MODELS as OWN_MODELS
from feedback_friction.errors import UsageError

if TYPE_CHECKING:
    from feedback_friction.engine.models.remote.endpoint import Endpoint

PROVIDERS = ("openai", "gguf", "student", "python", *INSPECT_PROVIDERS)


@dataclass(frozen=True, slots=True)
class ModelSettings(CallOptions):
    """A model that a run needs, and how it is to be called."""

    spec: str  # the model as the user gave it, ``"openai/NAME"``
    base_urls: tuple[str, ...] = ()  # its servers; several are replicas; none is the provider's own
    concurrency: int = 256  # connections at most, over all models of the run
    # the run's, where a server that is started for it keeps its log; None for none
    directory: Path | None = None


def parse_spec(spec: str) -> tuple[str, str]:
    """Split a model: ``"openai/meta-llama/Llama-3.3"`` -> ``("openai", "meta-llama/Llama-3.3")``.

    Raises:
        UsageError: no provider, no name, or an unknown provider; names those that there are.
    """
    provider, _, name = spec.partition("/")
    allowed = f"openai/NAME, gguf/FILE, student/NAME, or NAME of {', '.join(INSPECT_PROVIDERS)}"
    if provider == "pocket":
        raise UsageError(
            f"{spec} ran in earlier versions only, whose runs can still be read, reported and "
            f"exported; for a new run use gguf/{name if name == 'abacus' else 'FILE'}"
        )
    if provider not in PROVIDERS:
        raise UsageError(f"unknown model provider '{provider}' in '{spec}'; allowed: {allowed}")
    if not name or name != name.strip():
        raise UsageError(f"model '{spec}' has no name; allowed: {allowed}")
    if provider == "python" and spec not in OWN_MODELS:
        known = ", ".join(OWN_MODELS) or "those that --task-file FILE.py defines"
        raise UsageError(f"there is no model '{spec}' of your own; allowed: {known}")
    return provider, name


def digests(specs: Iterable[str | None]) -> dict[str, str]:
    """By spec of a model on this machine, a digest of its file: a retrained model is another one.

    Raises:
        UsageError: there is no such file.
    """
    files = [spec for spec in specs if spec and is_gguf(spec)]
    if not files:
        return {}
    from feedback_friction.engine.models.llama.gguf_files import find
    from feedback_friction.engine.models.llama.gguf_server import digest

    return {spec: digest(find(spec.removeprefix("gguf/"))) for spec in files}


def decisive(spec: str, options: ModelOptions) -> ModelOptions:
    """The options of a model without those that change no reply: how a file is served."""
    if not is_gguf(spec):
        return options
    from feedback_friction.engine.models.llama.gguf_model import decisive

    return decisive(options)


def open_models(
    wanted: Mapping[str, ModelSettings], environ: Mapping[str, str] = os.environ
) -> dict[str, Model]:
    """Make the models of a run, ready to be checked and called; nothing is sent yet.

    Seats whose model, options, servers and key are the same share one model, and those on
    OpenAI-compatible servers share one connection pool, which closes with the last of them. To be
    called within the running event loop.

    Args:
        wanted: by seat, the model; a seat begins with the speaker's role.
        environ: where keys and proxies are looked up.

    Raises:
        UsageError: an unknown provider, student or folder, a bad URL, a missing key or package, a
            key that would go to two parties, an option that the model cannot have, a base URL for
            what has no server.
    """
    # What can be wrong is found first: a pool that is opened must also be closed.
    keys = {
        seat: _Key(
            each.spec,
            each.options.identity,
            each.base_urls,
            _servers(seat.partition(" ")[0], each, environ),
        )
        for seat, each in wanted.items()
    }
    by_key = {keys[seat]: each for seat, each in wanted.items()}
    files = {key: each for key, each in by_key.items() if is_gguf(each.spec)}
    served = {key: each for key, each in by_key.items() if key.servers}
    models = {
        key: _opened(each) for key, each in by_key.items() if key not in files.keys() | served
    }
    if served:
        from feedback_friction.engine.models.remote.endpoint import refuse_stray_keys

        refuse_stray_keys([key.servers for key in served])
    if files:
        from feedback_friction.engine.models.llama.gguf_model import opened

        models |= opened(files)
    if served:
        from feedback_friction.engine.models.remote.openai import OpenAIModel
        from feedback_friction.engine.models.remote.transport import Pool

        pool = Pool(max(each.concurrency for each in served.values()))
        for key, each in served.items():
            models[key] = OpenAIModel(each.spec, key.servers, pool=pool, options=each)
    return {seat: models[key] for seat, key in keys.items()}


class _Key(NamedTuple):
    """What two seats must have in common to share a model."""

    spec: str
    options: str
    base_urls: tuple[str, ...]
    servers: tuple[Endpoint, ...]


def in_flight(models: Mapping[str, Model], concurrency: int) -> int:
    """Requests that a run should have in flight, at most ``concurrency``.

    Where llama.cpp answers all of them it is no more than it works on: others would only wait, and
    a run that is interrupted lets those under way end.
    """
    if not all(is_gguf(model.name) for model in models.values()):
        return concurrency
    from feedback_friction.engine.models.llama.gguf_model import GGUFModel

    servers = {each.server for each in models.values() if isinstance(each, GGUFModel)}
    return min(concurrency, sum(server.slots for server in servers)) or concurrency


def is_gguf(spec: str) -> bool:
    """Whether a model is a GGUF file, served by llama.cpp for the length of the run."""
    return spec.startswith("gguf/")


def is_student(spec: str) -> bool:
    """Whether a model is a simulation."""
    return spec.startswith("student/")


def is_own(spec: str) -> bool:
    """Whether a model is a Python object."""
    return spec.startswith("python/")


def is_inspect(spec: str) -> bool:
    """Whether a model is reached through inspect_ai."""
    return spec.partition("/")[0] in INSPECT_PROVIDERS


def _servers(
    role: str, settings: ModelSettings, environ: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    """The servers of a model; none where there is no choice of them, which is checked here too."""
    spec, has_url, options = settings.spec, bool(settings.base_urls), settings.options
    parse_spec(spec)
    if is_student(spec):
        if has_url or options.identity:
            what = "base URL" if has_url else "options"
            raise UsageError(f"{spec} is a simulation and takes no {what}")
        _student(spec)
    elif is_gguf(spec):
        from feedback_friction.engine.models.llama.gguf_model import local

        if has_url:
            raise UsageError(f"{spec} is a file on this machine and takes no base URL")
        local(spec, options)
    elif is_own(spec):
        if has_url or options.extra:
            raise UsageError(f"{spec} is a Python object: no base URL and no options")
    elif is_inspect(spec):
        if len(settings.base_urls) > 1:
            raise UsageError(f"{spec} takes one base URL; replicas need openai/NAME")
    else:
        from feedback_friction.engine.models.remote.dialect import reasoning_fields
        from feedback_friction.engine.models.remote.endpoint import endpoints

        servers = endpoints(settings.base_urls, environ, role)
        reasoning_fields(options, servers)
        return servers
    return ()


def _opened(settings: ModelSettings) -> Model:
    """A model that shares nothing with others: a simulation, a Python object, a provider's."""
    spec = settings.spec
    if is_student(spec):
        return _student(spec)
    if is_own(spec):
        return OWN_MODELS[spec]
    if find_spec("inspect_ai") is None:
        raise UsageError(f"{spec} needs inspect_ai, which is not installed: {EXTRA}")
    from feedback_friction.engine.models.providers.inspect_model import InspectModel

    return InspectModel(
        spec,
        settings,
        base_url=next(iter(settings.base_urls), None),
        concurrency=settings.concurrency,
    )


def _student(spec: str) -> Model:
    from feedback_friction.engine.models.student import StudentModel

    return StudentModel(spec)
