"""From ``provider/name`` on the command line to models that can be called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from feedback_friction.engine.models.base import Model
from feedback_friction.engine.models.options import ModelOptions
from feedback_friction.engine.models.providers import EXTRA, INSPECT_PROVIDERS
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Role

if TYPE_CHECKING:
    from feedback_friction.engine.models.endpoint import Endpoint
    from feedback_friction.engine.models.inspect import InspectOptions
    from feedback_friction.engine.models.openai import ClientOptions
    from feedback_friction.engine.models.retry import RetryPolicy
    from feedback_friction.engine.models.transport import Pool

PROVIDERS = ("openai", "pocket", "student", *INSPECT_PROVIDERS)
_LOCAL = {"pocket": "a model in this process", "student": "a simulation"}
_POCKET_PACKAGES = ("numpy", "safetensors", "threadpoolctl", "jinja2")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """A model that a run needs, and how it is to be called.

    Attributes:
        spec: the model as the user gave it, ``"openai/NAME"``.
        base_urls: its servers; several are replicas; none is the provider's own.
        concurrency: connections at most, over all models of the run.
        timeout: longest time that one request may take in all, in seconds; None for one that grows
            with the longest reply.
        options: reasoning and the model's own options.
        notice: told what the user should know, one line each; None logs a warning.
        retry: when a failed call is tried again; None as usual.
    """

    spec: str
    base_urls: tuple[str, ...] = ()
    concurrency: int = 256
    timeout: float | None = None
    options: ModelOptions = field(default_factory=ModelOptions)
    notice: Callable[[str], None] | None = None
    retry: RetryPolicy | None = None


def parse_spec(spec: str) -> tuple[str, str]:
    """Split a model: ``"openai/meta-llama/Llama-3.3"`` -> ``("openai", "meta-llama/Llama-3.3")``.

    Raises:
        UsageError: no provider, no name, or an unknown provider; names those that there are.
    """
    provider, _, name = spec.partition("/")
    allowed = f"openai/NAME, pocket/NAME, student/NAME, or NAME of {', '.join(INSPECT_PROVIDERS)}"
    if provider not in PROVIDERS:
        raise UsageError(f"unknown model provider '{provider}' in '{spec}'; allowed: {allowed}")
    if not name or name != name.strip():
        raise UsageError(f"model '{spec}' has no name; allowed: {allowed}")
    return provider, name


def digests(specs: Iterable[str | None]) -> dict[str, str]:
    """By spec of a model in this process, a digest of its folder: trained anew, it is another one.

    Raises:
        UsageError: there is no such folder.
    """
    from feedback_friction.engine.models.pocket.folder import digest, find

    names = {spec: parse_spec(spec)[1] for spec in specs if spec and spec.startswith("pocket/")}
    return {spec: digest(find(name)) for spec, name in names.items()}


def open_models(
    wanted: Mapping[Role, ModelSettings], environ: Mapping[str, str] = os.environ
) -> dict[Role, Model]:
    """Make the models of a run, ready to be checked and called; nothing is sent yet.

    Roles whose model, options, servers and key are the same share one model, and those on
    OpenAI-compatible servers share one connection pool, which closes with the last of them. To be
    called within the running event loop.

    Args:
        wanted: by role, the model.
        environ: where keys and proxies are looked up.

    Raises:
        UsageError: an unknown provider, student or folder, a bad URL, a missing key or package, an
            option that the model cannot have, a base URL for what has no server.
    """
    # What can be wrong is found first: a pool that is opened must also be closed.
    keys = {role: _key(role, each, environ) for role, each in wanted.items()}
    by_key = {keys[role]: each for role, each in wanted.items()}
    models = {key: _local(each) for key, each in by_key.items() if _is_local(each.spec)}
    models |= {key: _inspect(each) for key, each in by_key.items() if is_inspect(each.spec)}
    pool = _pool(wanted) if any(key.servers for key in keys.values()) else None
    for key, each in by_key.items():
        if pool is not None and key.servers:
            models[key] = _remote(each, key.servers, pool)
    return {role: models[key] for role, key in keys.items()}


class _Key(NamedTuple):
    """What two roles must have in common to share a model."""

    spec: str
    options: str
    base_urls: tuple[str, ...]
    servers: tuple[Endpoint, ...]


def _key(role: Role, settings: ModelSettings, environ: Mapping[str, str]) -> _Key:
    servers = _servers(role, settings, environ)
    return _Key(settings.spec, settings.options.identity, settings.base_urls, servers)


def is_inspect(spec: str) -> bool:
    """Whether a model is reached through inspect_ai."""
    return spec.partition("/")[0] in INSPECT_PROVIDERS


def _servers(
    role: Role, settings: ModelSettings, environ: Mapping[str, str]
) -> tuple[Endpoint, ...]:
    """The servers of a model; none where there is no choice of them, which is checked here too."""
    provider, _ = parse_spec(settings.spec)
    if provider in _LOCAL:
        _check_local(settings, _LOCAL[provider])
        return ()
    if is_inspect(settings.spec):
        if len(settings.base_urls) > 1:
            raise UsageError(f"{settings.spec} takes one base URL; replicas need openai/NAME")
        return ()
    from feedback_friction.engine.models.dialect import reasoning_fields
    from feedback_friction.engine.models.endpoint import endpoints

    servers = endpoints(settings.base_urls, environ, role)
    reasoning_fields(settings.options, servers)
    return servers


def _check_local(settings: ModelSettings, what: str) -> None:
    if settings.base_urls:
        raise UsageError(f"{settings.spec} is {what} and takes no base URL")
    if settings.options.identity:
        raise UsageError(f"{settings.spec} is {what} and takes no options")
    provider, name = parse_spec(settings.spec)
    if provider == "student":
        _student(settings.spec)
        return
    from feedback_friction.engine.models.pocket.folder import find

    missing = [each for each in _POCKET_PACKAGES if find_spec(each) is None]
    if missing:
        raise UsageError(
            f"{settings.spec} needs {missing[0]}, which is not installed: "
            "pip install 'feedback-friction[pocket]'"
        )
    find(name)


def _pool(wanted: Mapping[Role, ModelSettings]) -> Pool:
    from feedback_friction.engine.models.transport import Pool

    return Pool(max(each.concurrency for each in wanted.values()))


def _is_local(spec: str) -> bool:
    return spec.partition("/")[0] in _LOCAL


def _local(settings: ModelSettings) -> Model:
    if settings.spec.startswith("student/"):
        return _student(settings.spec)
    from feedback_friction.engine.models.pocket.model import PocketModel

    return PocketModel(settings.spec)


def _remote(settings: ModelSettings, servers: tuple[Endpoint, ...], pool: Pool) -> Model:
    from feedback_friction.engine.models.openai import OpenAIModel

    return OpenAIModel(settings.spec, servers, pool=pool, options=_options(settings, servers))


def _options(settings: ModelSettings, servers: tuple[Endpoint, ...]) -> ClientOptions:
    from feedback_friction.engine.models.dialect import reasoning_fields
    from feedback_friction.engine.models.openai import ClientOptions

    model = settings.options
    options = ClientOptions(
        timeout=settings.timeout,
        model=model,
        extra={**reasoning_fields(model, servers), **model.extra},
        reasoning_tokens=model.reasoning_tokens or 0,
    )
    return _with(options, settings)


Options = TypeVar("Options", "ClientOptions", "InspectOptions")


def _with(options: Options, settings: ModelSettings) -> Options:
    """The options with what the settings leave to their defaults or do not."""
    if settings.notice is not None:
        options = replace(options, notice=settings.notice)
    return options if settings.retry is None else replace(options, retry=settings.retry)


def _inspect(settings: ModelSettings) -> Model:
    if find_spec("inspect_ai") is None:
        raise UsageError(f"{settings.spec} needs inspect_ai, which is not installed: {EXTRA}")
    from feedback_friction.engine.models.inspect import InspectModel, InspectOptions

    options = InspectOptions(
        model=settings.options,
        base_url=settings.base_urls[0] if settings.base_urls else None,
        concurrency=settings.concurrency,
        timeout=settings.timeout,
    )
    return InspectModel(settings.spec, _with(options, settings))


def _student(spec: str) -> Model:
    from feedback_friction.engine.models.student import StudentModel

    return StudentModel(spec)
