"""How earlier attempts and their feedback are shown to the solver.

One transcript, chat turns, or the newest feedback alone (``modes.History``). All are built from
records, never from an earlier prompt. Transcript and chat keep their beginning from iteration to
iteration, byte for byte, so that a server's prefix cache serves all but the newest part. ``clean``
is the transcript without the attempts and all feedback but the newest, and else the same text, so
that a comparison of the two says what the sight of its own attempts does to a solver.
"""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.modes import CHAT, CLEAN, TRANSCRIPT, History
from feedback_friction.problem import Problem, lettered
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Attempt, Message
from feedback_friction.protocol.task import Task


def solver_messages(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: History, hint: str = ""
) -> tuple[Message, ...]:
    """The solver's prompt for its next attempt.

    Args:
        problem: the problem as the next attempt is to see it.
        attempts: the earlier attempts, each with its feedback; empty for a first attempt.
        style: how the attempts are shown.
        hint: text added to the last request, such as the choices tried and left.
    """
    head = (Message("system", task.system), *task.examples(problem))
    if not attempts:
        return (*head, Message("user", task.ask(problem)))
    return (*head, *_TURNS[style.name](task, problem, attempts, hint))


def _transcript(
    task: Task, problem: Problem, attempts: Sequence[Attempt], hint: str
) -> tuple[Message, ...]:
    again = prompts.render(prompts.AGAIN, question=task.ask(problem))
    parts = [task.ask(attempts[0].problem), prompts.HISTORY_INTRO, *transcript(attempts), again]
    return (Message("user", "\n\n".join([*parts, hint] if hint else parts)),)


def transcript(attempts: Sequence[Attempt]) -> list[str]:
    """Every attempt and its feedback, labelled by number; the order of choices where it changed."""
    parts = []
    for attempt in attempts:
        parts.append(_attempt(attempt, attempts[0].problem))
        if attempt.feedback is not None:
            parts.append(
                prompts.render(
                    prompts.FEEDBACK, number=attempt.iteration + 1, feedback=attempt.feedback.text
                )
            )
    return parts


def _attempt(attempt: Attempt, first: Problem) -> str:
    number, answer = attempt.iteration + 1, written(attempt)
    if attempt.problem.choices == first.choices:
        return prompts.render(prompts.ATTEMPT, number=number, answer=answer)
    choices = lettered(attempt.problem.choices)
    return prompts.render(prompts.ATTEMPT_SHUFFLED, number=number, choices=choices, answer=answer)


def _chat(
    task: Task, problem: Problem, attempts: Sequence[Attempt], hint: str
) -> tuple[Message, ...]:
    messages = [Message("user", task.ask(attempts[0].problem))]
    seen = [*(attempt.problem for attempt in attempts[1:]), problem]
    for attempt, shown_next in zip(attempts, seen, strict=True):
        messages.append(Message("assistant", written(attempt)))
        feedback = attempt.feedback.text if attempt.feedback else prompts.BINARY_WRONG
        turn = prompts.render(prompts.CHAT_TURN, feedback=feedback, question=task.ask(shown_next))
        messages.append(Message("user", turn))
    if hint:
        messages[-1] = Message("user", f"{messages[-1].content}\n\n{hint}")
    return tuple(messages)


def _clean(
    task: Task, problem: Problem, attempts: Sequence[Attempt], hint: str
) -> tuple[Message, ...]:
    latest = attempts[-1]
    feedback = latest.feedback.text if latest.feedback else prompts.BINARY_WRONG
    if latest.problem.choices == problem.choices:
        shown = prompts.render(prompts.CLEAN_FEEDBACK, feedback=feedback)
    else:
        choices = lettered(latest.problem.choices)
        shown = prompts.render(prompts.CLEAN_FEEDBACK_SHUFFLED, choices=choices, feedback=feedback)
    question = task.ask(problem)
    parts = [question, prompts.CLEAN_INTRO, shown, prompts.render(prompts.AGAIN, question=question)]
    return (Message("user", "\n\n".join([*parts, hint] if hint else parts)),)


_TURNS = {TRANSCRIPT.name: _transcript, CHAT.name: _chat, CLEAN.name: _clean}


def written(attempt: Attempt) -> str:
    """The attempt's text as a prompt shows it: never empty, never the reasoning."""
    return attempt.reply.text.strip() or prompts.NOTHING_WRITTEN
