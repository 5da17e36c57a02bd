"""Warnings about completions: what was requested and silently left out, and unusable replies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedback_friction.engine.models.remote.dialect import Quirk
from feedback_friction.protocol.records import Completion, Generate

NO_USAGE = (
    "it does not say how many tokens a call takes: tokens and cost are unknown, and to a budget "
    "each call counts as the most that it can take"
)
EMPTY = "a reply of the {role} came back empty: `friction results` counts such replies"
THOUGHT_ONLY = "a reply of the {role} is all reasoning and no answer"
CUT_OFF = (
    "a reply of the {role} was cut off at its limit of {limit:,} tokens: `friction results` counts "
    "such replies"
)
NO_ROOM = "a prompt of the {role} does not fit into the context: its trial stops"
NO_TOKENS = (
    "it gives no log-probabilities of single tokens: --token-logprobs keeps none of its replies"
)
NO_IDS = (
    "it gives no ids of tokens, only their texts and log-probabilities (llama.cpp gives them, vLLM "
    "with -M return_token_ids=true)"
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


def missing_tokens(request: Generate, completion: Completion) -> Iterator[str]:
    """A warning where a completion lacks the token log-probabilities or ids that were requested."""
    answers = [reply for reply in completion.replies if reply.text] if request.logprobs else []
    if answers and not any(reply.tokens for reply in answers):
        yield NO_TOKENS
    elif answers and not any(token.id is not None for each in answers for token in each.tokens):
        yield NO_IDS


def unusable_replies(request: Generate, completion: Completion) -> Iterator[str]:
    """A warning for each cut-off or empty reply; equal words, so that they are shown once."""
    for reply in completion.replies:
        if reply.finish_reason == "length":
            yield CUT_OFF.format(role=request.role, limit=request.max_tokens)
        elif reply.finish_reason == "context_length":
            yield NO_ROOM.format(role=request.role)
        elif reply.finish_reason == "stop" and not reply.text.strip():
            yield (THOUGHT_ONLY if reply.reasoning else EMPTY).format(role=request.role)
