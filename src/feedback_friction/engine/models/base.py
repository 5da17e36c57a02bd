"""What the engine asks of a model, and how one call can fail.

    FrictionError
    ├── ModelError              one call failed; its text is one line and never holds a key
    │   ├── TransientError      it persisted through all retries: the trial is recorded as failed,
    │   │                       shown as missing, and run again on resume
    │   ├── RefusedError        the server understood the request and refuses it for good
    │   └── KeyRefusedError     the server refuses the key; also a RunStoppedError, because no
    │                           other call would fare better
    └── RunStoppedError         (errors.py) the server is gone, or refuses everything: every call
                                that is pending or still to come fails with the same line

Two refusals are results, not errors: a prompt that does not fit into the context and a content
filter come back as a ``Completion`` whose replies say so in ``finish_reason``. The text of an error
never becomes the text of a reply.
"""

from __future__ import annotations

from typing import Protocol

from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.errors import FrictionError, RunStoppedError
from feedback_friction.protocol.records import Completion, Generate


class ModelError(FrictionError):
    """One call of a model failed."""


class TransientError(ModelError):
    """A failure that may pass (rate limit, timeout, lost connection, broken answer) did not."""


class RefusedError(ModelError):
    """The server refuses this request for good (unknown model, invalid parameter)."""


class KeyRefusedError(ModelError, RunStoppedError):
    """The server refuses the key, or wants one: the whole run stops."""


def identity_of(name: str, options: ModelOptions) -> str:
    """``Model.identity`` of a model with options: its name alone where none is set."""
    return f"{name}\0{options.identity}" if options.identity else name


class Model(Protocol):
    """A model as the engine sees it."""

    name: str  # the model as the user gave it, ``"openai/NAME"``
    # what tells it from a model that would reply otherwise: the name, and the options that it is
    # called with where there are any
    identity: str
    simulated: bool  # True for a simulation, which every output must then say

    async def check(self) -> None:
        """Ask, before anything is paid for, whether the model can be used.

        Raises:
            UsageError: it cannot (no server, key refused, model unknown); one line.
        """

    async def generate(self, request: Generate) -> Completion:
        """Answer one request with exactly ``request.n`` replies.

        Raises:
            TransientError: the call failed through all its retries.
            RefusedError: the server refuses this request for good.
            RunStoppedError: the whole run should stop (``KeyRefusedError`` is one).
        """

    async def close(self) -> None:
        """Give back what the model holds; a shared connection pool is not its own."""
