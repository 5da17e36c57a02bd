"""A model that refuses to go on ends the trial as ``stopped``: no crash, and no answer."""

from __future__ import annotations

from feedback_friction.protocol.records import Reply


class Refused(Exception):  # noqa: N818 - a signal within the loop, not an error that users meet
    """Raised inside a trial when a reply that it cannot do without was refused."""


def refusal(reply: Reply) -> str | None:
    """The reason when the reply is a refusal with nothing in it, else None.

    A reply that was filtered or cut after it had begun counts as what it says.
    """
    if reply.finish_reason in ("content_filter", "context_length") and not reply.text.strip():
        return reply.finish_reason
    return None
