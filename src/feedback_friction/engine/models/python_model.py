"""Models that are Python objects: ``python/NAME``."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

from feedback_friction.engine.models.base import Model
from feedback_friction.errors import UsageError
from feedback_friction.options import options_of, values_of
from feedback_friction.protocol.records import Completion, Generate, Reply, Usage
from feedback_friction.settings import Decoding

MODELS: dict[str, Model] = {}  # by spec
Answer = Callable[..., str | Awaitable[str]]
_PARAMETERS = ("temperature", "max_tokens", "seed", *options_of(Decoding))


class FunctionModel:
    """A model that is a function of the chat.

    The function is given a list of ``{"role": ..., "content": ...}`` and returns the reply's text;
    it may be ``async``. Of ``temperature``, ``max_tokens``, ``seed`` and the fields of ``Decoding``
    it is given those that it has as parameters. One that is not ``async`` runs in a thread, so that
    several calls may be under way at once.
    """

    simulated = False

    def __init__(self, answer: Answer, name: str = "") -> None:
        """Make the model ``python/NAME``; without a name it has the function's."""
        self.answer = answer
        self.name = self.identity = f"python/{name or getattr(answer, '__name__', 'model')}"
        taken = inspect.signature(answer).parameters
        has_all = any(each.kind is each.VAR_KEYWORD for each in taken.values())
        self._named = [each for each in _PARAMETERS if has_all or each in taken]

    def __call__(self, *arguments: Any, **named: Any) -> str | Awaitable[str]:
        """Call the function itself."""
        return self.answer(*arguments, **named)

    async def check(self) -> None:
        """Nothing can be missing."""

    async def close(self) -> None:
        """Nothing is held."""

    async def generate(self, request: Generate) -> Completion:
        """One call of the function for each reply."""
        started = time.monotonic()
        replies = tuple([await self._reply(request, number) for number in range(request.n)])
        return Completion(replies, Usage(unknown=1), time.monotonic() - started, self.name)

    async def _reply(self, request: Generate, number: int) -> Reply:
        messages = [{"role": each.role, "content": each.content} for each in request.messages]
        values = {
            "temperature": request.temperature,
            "max_tokens": request.max_tokens,
            "seed": request.seed + number,
            **values_of(request.decoding),
        }
        named = {name: values[name] for name in self._named}
        if inspect.iscoroutinefunction(self.answer):
            text = await self.answer(messages, **named)
        else:
            text = await asyncio.to_thread(cast(Any, self.answer), messages, **named)
        if not isinstance(text, str):
            raise TypeError(f"{self.name} must return a text, not {type(text).__name__}")
        return Reply(text)


def add_model(model: Model) -> str:
    """Make a model known by its name, ``python/NAME``; one of the same name takes its place.

    Raises:
        UsageError: it has another name, or lacks what a model has.
    """
    missing = [each for each in ("check", "generate", "close") if not hasattr(model, each)]
    if missing:
        raise UsageError(f"a model of your own needs {', '.join(missing)}; see ff.Model")
    name = getattr(model, "name", "")
    if not name.startswith("python/") or name == "python/":
        raise UsageError(f"a model of your own must be called python/NAME, not '{name}'")
    MODELS[name] = model
    return name
