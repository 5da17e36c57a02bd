"""How earlier attempts and their feedback are shown to the solver: one transcript, or chat turns.

Both are built from records, never from an earlier prompt. Both keep their beginning from iteration
to iteration, byte for byte, so that a server's prefix cache serves all but the newest part.
"""

from __future__ import annotations

from collections.abc import Sequence

from feedback_friction.problem import Problem, lettered
from feedback_friction.protocol import prompts
from feedback_friction.protocol.plan import HistoryFormat
from feedback_friction.protocol.records import Attempt, Message
from feedback_friction.protocol.task import Task


def solver_messages(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: HistoryFormat, hint: str = ""
) -> tuple[Message, ...]:
    """The solver's prompt for its next attempt.

    Args:
        problem: the problem as the next attempt is to see it.
        attempts: the earlier attempts, each with its feedback; empty for a first attempt.
        style: ``transcript`` (the paper's: one user message) or ``chat`` (turns).
        hint: text added to the last request, such as the choices tried and left.
    """
    head = (Message("system", task.system), *task.examples(problem))
    if not attempts:
        return (*head, Message("user", task.ask(problem)))
    turns = _chat if style == "chat" else _transcript
    return (*head, *turns(task, problem, attempts, hint))


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


def written(attempt: Attempt) -> str:
    """The attempt's text as a prompt shows it: never empty, never the reasoning."""
    return attempt.reply.text.strip() or prompts.NOTHING_WRITTEN
