"""How earlier attempts and their feedback are shown to the solver.

In each of its ways (``ways.History``) a prompt is built from records, never from an earlier prompt.
All but ``last`` and ``clean``, which drop what is older, keep their beginning from iteration to
iteration, byte for byte, so that a server's prefix cache serves all but the newest part. What one
of them leaves out of the transcript or puts in its place is all in which it differs from it, so
that a comparison of two says what that part does to a solver.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from feedback_friction.problem import Problem, lettered
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Attempt, Message
from feedback_friction.protocol.state import answers_of
from feedback_friction.protocol.task import Task
from feedback_friction.ways import CLEAN, LAST, TRANSCRIPT, History

Write = Callable[[Attempt], str]


def solver_messages(
    task: Task,
    problem: Problem,
    attempts: Sequence[Attempt],
    style: History,
    hint: str = "",
    *,
    asserts: bool = True,
) -> tuple[Message, ...]:
    """The solver's prompt for its next attempt.

    Args:
        problem: the problem as the next attempt is to see it.
        attempts: the earlier attempts, each with its feedback; empty for a first attempt.
        style: how the attempts are shown.
        hint: text added to the last request, such as the choices tried and left.
        asserts: whether the feedback says that something is wrong, so that the request may, too.
    """
    if not attempts:
        return asking(task, problem, task.ask(problem))
    if style.turns:
        return (*_head(task, problem), *_chat(task, problem, attempts, hint, asserts=asserts))
    first = problem if style is CLEAN else attempts[0].problem
    kept = attempts[-style.latest(len(attempts)) :]
    again = prompts.AGAIN if asserts else prompts.AGAIN_OPEN
    return asking(
        task,
        problem,
        task.ask(first),
        prompts.INTROS[_intro(style, kept, attempts)],
        *_shown(task, first, kept, style),
        prompts.render(again, question=task.ask(problem)),
        hint,
    )


def asking(task: Task, problem: Problem, *parts: str) -> tuple[Message, ...]:
    """A solver's prompt of one message, made of those parts that are not empty."""
    return (*_head(task, problem), Message("user", "\n\n".join(filter(None, parts))))


def _head(task: Task, problem: Problem) -> tuple[Message, ...]:
    return (Message("system", task.system), *task.examples(problem))


def _intro(style: History, kept: Sequence[Attempt], attempts: Sequence[Attempt]) -> str:
    """``last`` is the transcript word for word, as long as nothing is left out."""
    base = style.name.partition(":")[0]
    return TRANSCRIPT.name if base == LAST.name and len(kept) == len(attempts) else base


def _shown(task: Task, first: Problem, kept: Sequence[Attempt], style: History) -> list[str]:
    """The attempts, or what stands in their place, and the feedback on each."""
    if style.sight == "nothing":
        return [_feedback(each, first, numbered=style is not CLEAN) for each in kept]

    def answer(attempt: Attempt) -> str:
        prediction = attempt.verdict.prediction
        if prediction is None:
            return prompts.NO_ANSWER_STATED
        return task.state_answer(attempt.problem, prediction)

    writers: dict[str, Write] = {"working": written, "answer": answer, "foreign": _stand_in}
    return transcript(kept, first, writers[style.sight])


def _stand_in(attempt: Attempt) -> str:
    shown = attempt.aside("stand-in")
    assert shown is not None  # the loop draws one before the next attempt
    return shown.text


def _chat(
    task: Task, problem: Problem, attempts: Sequence[Attempt], hint: str, *, asserts: bool
) -> tuple[Message, ...]:
    request = prompts.CHAT_TURN if asserts else prompts.CHAT_TURN_OPEN
    messages = [Message("user", task.ask(attempts[0].problem))]
    seen = [*(attempt.problem for attempt in attempts[1:]), problem]
    for attempt, shown_next in zip(attempts, seen, strict=True):
        messages.append(Message("assistant", written(attempt)))
        turn = prompts.render(request, feedback=told(attempt), question=task.ask(shown_next))
        messages.append(Message("user", turn))
    if hint:
        messages[-1] = Message("user", f"{messages[-1].content}\n\n{hint}")
    return tuple(messages)


def written(attempt: Attempt) -> str:
    """The attempt's text as a prompt shows it: never empty, never the reasoning."""
    return attempt.reply.text.strip() or prompts.NOTHING_WRITTEN


def told(attempt: Attempt) -> str:
    """The feedback on an attempt as a prompt shows it."""
    return attempt.feedback.text if attempt.feedback else prompts.BINARY_WRONG


def transcript(
    attempts: Sequence[Attempt], first: Problem | None = None, write: Write = written
) -> list[str]:
    """Every attempt and its feedback, labelled by number; the order of choices where it changed.

    Args:
        first: the problem as the prompt begins with it; None for that of the first attempt here.
        write: what is shown of an attempt.
    """
    first, parts = first or attempts[0].problem, []
    for attempt in attempts:
        title = f"Attempt {attempt.iteration + 1}"
        parts.append(prompts.headed(title, write(attempt), _moved(attempt, first)))
        if attempt.feedback is not None:
            parts.append(_feedback(attempt, attempt.problem))
    return parts


def _feedback(attempt: Attempt, first: Problem, *, numbered: bool = True) -> str:
    title = f"Feedback on attempt {attempt.iteration + 1}" if numbered else "Feedback"
    return prompts.headed(title, told(attempt), _moved(attempt, first))


def _moved(attempt: Attempt, first: Problem) -> str:
    """The choices in the order in which an attempt saw them, where it is another."""
    choices = attempt.problem.choices
    return lettered(choices) if choices != first.choices else ""


def binary_hint(problem: Problem, attempts: Sequence[Attempt]) -> str:
    """Which choices were tried and which are left, by the letters of ``problem``'s own order.

    Empty where there are no choices, or where no attempt gave an answer.
    """
    answers = set(answers_of(attempts))
    tried: list[str] = []
    left: list[str] = []
    for letter, text in zip(problem.letters, problem.choices, strict=True):
        (tried if text in answers else left).append(f"({letter})")
    if not tried:
        return ""
    return prompts.render(prompts.TRIED_AND_LEFT, tried=", ".join(tried), left=", ".join(left))
