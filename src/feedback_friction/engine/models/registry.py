"""From ``provider/name`` on the command line to models that can be called."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from feedback_friction.engine.models.base import Model
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Role

if TYPE_CHECKING:
    from feedback_friction.engine.models.endpoint import Endpoint
    from feedback_friction.engine.models.openai import ClientOptions
    from feedback_friction.engine.models.transport import Pool

PROVIDERS = ("openai", "student")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model that a run needs, and how it is to be called.

    Attributes:
        spec: the model as the user gave it, ``"openai/NAME"``.
        base_urls: its servers; several are replicas; none is the provider's own.
        concurrency: connections at most, over all models of the run.
        timeout: longest silence of a server within one call, in seconds.
        extra: further fields of every request body, which win over ours.
        notice: told what the user should know, one line each; None logs a warning.
    """

    spec: str
    base_urls: tuple[str, ...] = ()
    concurrency: int = 256
    timeout: float = 600.0
    extra: Mapping[str, object] = field(default_factory=dict)
    notice: Callable[[str], None] | None = None


def parse_spec(spec: str) -> tuple[str, str]:
    """Split a model: ``"openai/meta-llama/Llama-3.3"`` -> ``("openai", "meta-llama/Llama-3.3")``.

    Raises:
        UsageError: no provider, no name, or an unknown provider; names those that there are.
    """
    provider, _, name = spec.partition("/")
    allowed = " or ".join(f"{each}/NAME" for each in PROVIDERS)
    if provider not in PROVIDERS:
        raise UsageError(f"unknown model provider '{provider}' in '{spec}'; allowed: {allowed}")
    if not name or name != name.strip():
        raise UsageError(f"model '{spec}' has no name; allowed: {allowed}")
    return provider, name


def open_models(
    wanted: Mapping[Role, ModelSettings], environ: Mapping[str, str] = os.environ
) -> dict[Role, Model]:
    """Make the models of a run, ready to be checked and called; nothing is sent yet.

    Roles whose model, servers and key are the same share one model, and all share one connection
    pool, which closes with the last of them. To be called within the running event loop.

    Args:
        wanted: by role, the model.
        environ: where keys and proxies are looked up.

    Raises:
        UsageError: an unknown provider or student, a bad URL, a missing key, a base URL for a
            simulation.
    """
    # What can be wrong is found first: a pool that is opened must also be closed.
    servers = {role: _servers(role, each, environ) for role, each in wanted.items()}
    pool = _pool(wanted) if any(servers.values()) else None
    models: dict[tuple[str, tuple[Endpoint, ...]], Model] = {}
    opened: dict[Role, Model] = {}
    for role, each in wanted.items():
        key = (each.spec, servers[role])
        if key not in models:
            models[key] = _open(each, servers[role], pool)
        opened[role] = models[key]
    return opened


def _servers(
    role: Role, settings: ModelSettings, environ: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    """The servers of a model; none for a simulation, which is checked here as well."""
    provider, _ = parse_spec(settings.spec)
    if provider == "student":
        if settings.base_urls:
            raise UsageError(f"{settings.spec} is a simulation and takes no base URL")
        _student(settings.spec)
        return ()
    from feedback_friction.engine.models.endpoint import endpoints

    return endpoints(settings.base_urls, environ, role)


def _pool(wanted: Mapping[Role, ModelSettings]) -> Pool:
    from feedback_friction.engine.models.transport import Pool

    return Pool(max(each.concurrency for each in wanted.values()))


def _open(settings: ModelSettings, servers: tuple[Endpoint, ...], pool: Pool | None) -> Model:
    if pool is None or not servers:
        return _student(settings.spec)
    from feedback_friction.engine.models.openai import OpenAIModel

    return OpenAIModel(settings.spec, servers, pool=pool, options=_options(settings))


def _options(settings: ModelSettings) -> ClientOptions:
    from feedback_friction.engine.models.openai import ClientOptions

    options = ClientOptions(timeout=settings.timeout, extra=settings.extra)
    return options if settings.notice is None else replace(options, notice=settings.notice)


def _student(spec: str) -> Model:
    from feedback_friction.engine.models.student import StudentModel

    return StudentModel(spec)
