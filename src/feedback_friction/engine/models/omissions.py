"""What a model was asked for and left out without a word: no error, but the user should know."""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.engine.models.dialect import Quirk
from feedback_friction.protocol.records import Completion, Generate

NO_USAGE = (
    "it does not say how many tokens a call takes: tokens and cost are unknown, and to a budget "
    "each call counts as the most that it can take"
)
NO_REASONING = "it was asked to reason, and its reply shows no reasoning"


def left_out(request: Generate, completion: Completion, *, reasons: bool) -> Sequence[str]:
    """One line for each thing that a completion lacks although it was asked for.

    Args:
        request: what was asked for.
        completion: what came back.
        reasons: reasoning was asked for.
    """
    lines = []
    answers = [reply for reply in completion.replies if reply.text]
    if request.logprobs and answers and all(reply.mean_logprob is None for reply in answers):
        lines.append(Quirk.NO_LOGPROBS.value)
    if completion.usage.unknown:
        lines.append(NO_USAGE)
    silent = not any(reply.reasoning for reply in completion.replies)
    if reasons and answers and silent and not completion.usage.reasoning_tokens:
        lines.append(NO_REASONING)
    return lines
