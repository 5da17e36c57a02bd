"""Training sets from a run: the rows that TRL's trainers read, made of what was really said.

Columns are those of TRL 1.16, all of them conversational (lists of ``{"role", "content"}``); each
row also names the task, problem, epoch, condition and attempt that it comes from, which trainers
ignore. Only attempts after feedback on the solver's own attempt teach taking feedback up: a right
first answer is in no set but ``grpo``'s prompts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from feedback_friction.bridges.turns import Turn

Row = dict[str, Any]
Rows = Callable[[Sequence[Turn]], Iterator[Row]]


def sft(turns: Sequence[Turn]) -> Iterator[Row]:
    """``messages``: a prompt with feedback, and the model's own reply that is right after it."""
    for turn in turns:
        if turn.corrected:
            yield {
                "messages": [*prompt_of(turn), *reply_of(turn)],
                **_tokens(turn),
                **origin_of(turn),
            }


def dpo(turns: Sequence[Turn]) -> Iterator[Row]:
    """``prompt``, ``chosen``, ``rejected``: a corrected reply against a wrong one.

    Wrong ones come from two places. ``later``: the prompt and reply are those of an attempt that
    gave an old wrong answer again, chosen is the right reply that came later in the trial.
    ``retry``, ``placebo``: the prompt and the chosen reply are those of a corrected attempt,
    rejected is the reply to the same problem at the same attempt under a control that was told
    nothing of its own attempt.
    """
    for turn in turns:
        if turn.corrected:
            for other in turns:
                same_trial = turn.condition is other.condition  # all are of one problem and epoch
                if same_trial and other.number < turn.number and other.repeats:
                    yield _pair(other, turn, other, "later")
                elif _matched_control(turn, other):
                    yield _pair(turn, turn, other, other.condition.plan.mode.name)


def kto(turns: Sequence[Turn]) -> Iterator[Row]:
    """``prompt``, ``completion``, ``label``: true where the reply is right after feedback.

    False where it repeats an old wrong answer, or is a control's reply as in ``dpo``.
    """
    for turn in turns:
        if turn.corrected or (turn.informed and turn.repeats):
            yield _labelled(turn, turn, turn.corrected)
        if turn.corrected:
            yield from (
                _labelled(turn, other, False) for other in turns if _matched_control(turn, other)
            )


def grpo(turns: Sequence[Turn]) -> Iterator[Row]:
    """``prompt``, and what a reward function needs: gold, aliases, choices, refuted answers.

    ``feedback_friction.bridges.rewards`` has reward functions that read these columns.
    """
    for turn in turns:
        if turn.informed or turn.number == 0:
            yield {"prompt": prompt_of(turn), **_graded_by(turn), **origin_of(turn)}


def sdpo(turns: Sequence[Turn]) -> Iterator[Row]:
    """``prompt`` and ``privileged_context``: a prompt, and the feedback on the reply to it.

    Beside them what a reward function needs, as in ``grpo``.
    """
    for turn in turns:
        feedback = turn.attempt.feedback
        if feedback is not None and not feedback.leaks and turn.condition.plan.mode.informs:
            yield {
                "prompt": prompt_of(turn),
                "privileged_context": feedback.text,
                **_graded_by(turn),
                **origin_of(turn),
            }


FORMS: dict[str, Rows] = {"sft": sft, "dpo": dpo, "kto": kto, "grpo": grpo, "sdpo": sdpo}


def rows_of(form: str, problems: Iterable[Sequence[Turn]]) -> Iterator[Row]:
    """The rows of a training set; the same row from two conditions comes once.

    Args:
        form: name of one of ``FORMS``.
        problems: the turns of one problem and epoch at a time.
    """
    for turns in problems:
        seen: set[str] = set()
        for row in FORMS[form](turns):
            told = repr([row.get(name) for name in _TOLD])
            if told not in seen:
                seen.add(told)
                yield row


_TOLD = ("messages", "prompt", "completion", "chosen", "rejected", "label", "privileged_context")


def origin_of(turn: Turn) -> Row:
    """Which attempt a row is of."""
    return {
        "task": turn.condition.label,
        "problem_id": turn.trial.problem.id,
        "epoch": turn.trial.epoch,
        "condition": turn.condition.id,
        "iteration": turn.number,
    }


def _graded_by(turn: Turn) -> Row:
    problem = turn.attempt.problem
    return {
        "gold": problem.gold,
        "aliases": list(problem.aliases),
        "choices": list(problem.choices),
        "question": problem.question,
        "grader": problem.grader,
        "refuted": list(turn.refuted),
    }


def _pair(asked: Turn, right: Turn, wrong: Turn, negative: str) -> Row:
    return {
        "prompt": prompt_of(asked),
        "chosen": reply_of(right),
        "rejected": reply_of(wrong),
        **_tokens(right, "chosen_"),
        **_tokens(wrong, "rejected_"),
        "negative": negative,
        **origin_of(asked),
    }


def _labelled(asked: Turn, said: Turn, label: bool) -> Row:
    return {
        "prompt": prompt_of(asked),
        "completion": reply_of(said),
        **_tokens(said),
        "label": label,
        **origin_of(asked),
    }


def _matched_control(turn: Turn, other: Turn) -> bool:
    """Whether another turn is wrong at the same attempt of the same problem, and uninformed."""
    return (
        other.number == turn.number
        and not other.condition.plan.mode.informs
        and other.condition.solver == turn.condition.solver
        and other.condition.plan.sampling == turn.condition.plan.sampling
        and other.attempt.verdict.outcome == "wrong"
    )


def prompt_of(turn: Turn) -> list[dict[str, str]]:
    """The messages that asked for an attempt."""
    return [{"role": each.role, "content": each.content} for each in turn.messages]


def reply_of(turn: Turn) -> list[dict[str, str]]:
    """The reply of an attempt, as a message."""
    return [{"role": "assistant", "content": turn.attempt.reply.text}]


def _tokens(turn: Turn, of: str = "") -> Row:
    """The tokens of a reply in three lists of one length; nothing where the run kept none."""
    if not turn.tokens:
        return {}
    return {
        f"{of}tokens": [each.text for each in turn.tokens],
        f"{of}token_ids": [each.id for each in turn.tokens],
        f"{of}token_logprobs": [each.logprob for each in turn.tokens],
    }
