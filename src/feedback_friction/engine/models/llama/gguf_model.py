"""``gguf/…``: a GGUF file, served by llama.cpp for the length of the run, asked as any server is.

    gguf_files.py    where files are            gguf_header.py   what a file says of itself
    gguf_server.py   starts and ends a server   gguf_process.py  the server's process

What llama.cpp promises is less than exactness: a greedy reply may differ with what else is in its
batch, where two tokens nearly tie. The journal keeps what was said, so a resumed run goes on from
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path

from feedback_friction.engine.models.base import identity_of
from feedback_friction.engine.models.llama.gguf_files import find
from feedback_friction.engine.models.llama.gguf_server import (
    MOST_SLOTS,
    MOST_TOKENS,
    LlamaServer,
    ServerOptions,
    check_file,
    check_memory,
    digest,
)
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.remote.calls import CallOptions
from feedback_friction.engine.models.remote.openai import OpenAIModel
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Completion, Generate

PREFIX = "gguf/"
_LEAST = {"slots": 1, "context": 1, "threads": 1, "gpu_layers": 0}
# They change how long a reply takes; ``context`` decides where one ends.
_NOT_DECISIVE = ("slots", "threads", "gpu_layers")
# A process of our own is watched: that it takes its time is no failure. In seconds.
_NO_TIMEOUT = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A GGUF model, as asked for and checked."""

    spec: str  # as the user gave it, ``"gguf/NAME"``
    path: Path  # its file
    server: ServerOptions  # how its file is to be served
    options: ModelOptions  # what goes into its requests


def digest_of(spec: str) -> str:
    """A digest of the file behind ``gguf/…``.

    Raises:
        UsageError: there is none.
    """
    return digest(find(spec.removeprefix(PREFIX)))


def decisive(options: ModelOptions) -> ModelOptions:
    """The options without those that change no reply: a run may be resumed with others."""
    kept = {key: value for key, value in options.extra.items() if key not in _NOT_DECISIVE}
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
    extra = dict(options.extra)
    server = ServerOptions(
        **{name: _whole(spec, name, extra.pop(name)) for name in _LEAST if name in extra}
    )
    check_memory(spec, path, server)
    return LocalModel(spec, path, server, replace(options, extra=extra))


def _whole(spec: str, name: str, value: object) -> int:
    least, most = _LEAST[name], MOST_SLOTS if name == "slots" else MOST_TOKENS
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise UsageError(f"{spec}: {name} must be a whole number from {least} to {most}, not {value!r}")


def servers_of(models: Sequence[LocalModel]) -> dict[Path, LlamaServer]:
    """By file, a server for all its models; to be called within the running event loop.

    Raises:
        UsageError: two models of one file ask for different servers.
    """
    wanted: dict[Path, tuple[str, ServerOptions]] = {}
    for model in models:
        path = model.path.resolve()
        _, before = wanted.get(path, ("", ServerOptions()))
        wanted[path] = (model.spec.removeprefix(PREFIX), _both(model, before))
    return {path: LlamaServer(name, path, options) for path, (name, options) in wanted.items()}


def _both(model: LocalModel, other: ServerOptions) -> ServerOptions:
    """What two models of one file ask of its server."""
    found: dict[str, int | None] = {}
    for each in fields(ServerOptions):
        mine, theirs = getattr(model.server, each.name), getattr(other, each.name)
        if None not in (mine, theirs) and mine != theirs:
            raise UsageError(
                f"one server serves {model.spec} in all its roles: "
                f"{each.name} cannot be both {theirs} and {mine}"
            )
        found[each.name] = theirs if mine is None else mine
    return ServerOptions(**found)


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

    async def check(self) -> None:
        """Load the model; raises as ``base.Model`` says."""
        endpoint = await self.server.start()
        if self._client is None:
            self._client = OpenAIModel(
                self.name, [endpoint], pool=self.server.pool, options=self._options
            )
        await self._client.check()

    async def generate(self, request: Generate) -> Completion:
        """Answer with exactly ``request.n`` replies; raises as ``base.Model`` says."""
        if self._client is None:
            await self.check()
        if self._client is None:
            raise RuntimeError("checked, and not there")
        if self._directory is not None:
            await self.server.log_in(self._directory)
        return await self._client.generate(request)

    async def close(self) -> None:
        """Let go of the server, which ends with its last model."""
        if self._client is not None:
            await self._client.close()
        await self.server.leave(self._ended)

    def _ended(self, why: str) -> None:
        if self._client is not None:
            self._client.stop(why)
