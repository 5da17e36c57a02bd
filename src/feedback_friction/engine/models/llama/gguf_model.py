"""``gguf/…``: a GGUF file, served by llama.cpp for the length of the run, asked as any server is.

    gguf_files.py    where files are            gguf_header.py   what a file says of itself
    gguf_server.py   starts and ends a server   gguf_process.py  the server's process

What llama.cpp promises is less than exactness: a greedy reply may differ with what else is in its
batch, where two tokens nearly tie. The journal keeps what was said, so a resumed run goes on from
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from feedback_friction.engine.models.base import Model, identity_of
from feedback_friction.engine.models.llama.gguf_files import find
from feedback_friction.engine.models.llama.gguf_server import (
    LIMITS,
    LlamaServer,
    check_file,
    check_memory,
    digest,
)
from feedback_friction.engine.models.model_options import CallOptions, ModelOptions
from feedback_friction.engine.models.remote.openai import OpenAIModel
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Completion, Generate

if TYPE_CHECKING:
    from feedback_friction.engine.models.registry import ModelSettings

PREFIX = "gguf/"
# A process of our own is watched: that it takes its time is no failure. In seconds.
_NO_TIMEOUT = 7 * 86_400.0
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A GGUF model, as asked for and checked."""

    spec: str  # as the user gave it, ``"gguf/NAME"``
    path: Path  # its file
    served: Mapping[str, int]  # how its file is to be served, by the names of ``LIMITS``
    options: ModelOptions  # what goes into its requests


def decisive(options: ModelOptions) -> ModelOptions:
    """The options without those that change no reply: a run may be resumed with others."""
    speed = LIMITS.keys() - {"context"}  # which decides where a reply ends
    kept = {key: value for key, value in options.extra.items() if key not in speed}
    return replace(options, extra=kept)


def local(spec: str, options: ModelOptions) -> LocalModel:
    """Check a model before anything is started.

    Raises:
        UsageError: the package or the file is not there, the file cannot answer a chat, or an
            option has an impossible value.
    """
    if find_spec("xllamacpp") is None:
        raise UsageError(
            f"{spec} needs xllamacpp, which is not installed: "
            "pip install 'feedback-friction[local]'"
        )
    path = find(spec.removeprefix(PREFIX))
    check_file(spec, path)
    extra, served = dict(options.extra), {}
    for name, (least, most) in LIMITS.items():
        if name not in extra:
            continue
        value = extra.pop(name)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise UsageError(
                f"{spec}: {name} must be a whole number from {least} to {most}, not {value!r}"
            )
        served[name] = value
    check_memory(spec, path, served)
    return LocalModel(spec, path, served, replace(options, extra=extra))


def opened(wanted: Mapping[Key, ModelSettings]) -> dict[Key, Model]:
    """Models in GGUF files, of which those of one file share a server.

    To be called within the running event loop.

    Raises:
        UsageError: two models of one file ask for different servers.
    """
    models = {key: local(each.spec, each.options) for key, each in wanted.items()}
    served: dict[Path, dict[str, int]] = {}
    names: dict[Path, str] = {}
    for model in models.values():
        path = model.path.resolve()
        names[path] = model.spec.removeprefix(PREFIX)
        known = served.setdefault(path, {})
        for name, value in model.served.items():
            if known.setdefault(name, value) != value:
                raise UsageError(
                    f"one server serves {model.spec} in all its roles: "
                    f"{name} cannot be both {known[name]} and {value}"
                )
    servers = {path: LlamaServer(names[path], path, served[path]) for path in names}
    return {
        key: GGUFModel(
            models[key],
            servers[models[key].path.resolve()],
            replace(each, options=models[key].options),
            each.directory,
        )
        for key, each in wanted.items()
    }


class GGUFModel:
    """A model in a GGUF file.

    Attributes:
        name: as the user gave it, ``"gguf/NAME"``.
        identity: the name, a digest of the file, and the options where there are any.
        simulated: False: its replies are a language model's.
        server: what answers, shared with the other models of the file.
    """

    simulated = False

    def __init__(
        self, model: LocalModel, server: LlamaServer, options: CallOptions, directory: Path | None
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            options: how calls are made.
            directory: where the server's log goes with the first call; None keeps none.
        """
        self.name = model.spec
        self.identity = identity_of(f"{model.spec}@{digest(model.path)}", model.options)
        self.server = server
        self._options = replace(options, timeout=_NO_TIMEOUT, most_draws=server.slots)
        self._directory = directory
        self._client: OpenAIModel | None = None
        server.join(self._ended)

    def __repr__(self) -> str:
        return f"GGUFModel({self.name!r})"

    async def _started(self) -> OpenAIModel:
        endpoint = await self.server.start()
        if self._client is None:
            self._client = OpenAIModel(
                self.name, [endpoint], pool=self.server.pool, options=self._options
            )
        return self._client

    async def check(self) -> None:
        """Load the model; raises as ``base.Model`` says."""
        client = await self._started()
        await client.check()

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        client = await self._started()
        if self._directory is not None:
            await self.server.log_in(self._directory)
        return await client.generate(request)

    async def close(self) -> None:
        """Let go of the server, which ends with its last model."""
        if self._client is not None:
            await self._client.close()
        await self.server.leave(self._ended)

    def _ended(self, why: str) -> None:
        if self._client is not None:
            self._client.stop(why)
