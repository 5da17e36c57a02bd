"""How earlier attempts and their feedback are shown to the solver.

One function for each way (``ways.History``); all build from records, never from an earlier prompt.
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
from feedback_friction.protocol.task import Task
from feedback_friction.ways import ANSWERS, CLEAN, FEEDBACK, FOREIGN, LAST, TRANSCRIPT, History

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
    head = (Message("system", task.system), *task.examples(problem))
    if not attempts:
        return (*head, Message("user", task.ask(problem)))
    if style.turns:
        return (*head, *_chat(task, problem, attempts, hint, asserts=asserts))
    show = _SHOWN[style.name.partition(":")[0]]
    first = problem if style is CLEAN else attempts[0].problem
    parts = [task.ask(first), *show(task, problem, attempts, style)]
    again = prompts.AGAIN if asserts else prompts.AGAIN_OPEN
    parts.append(prompts.render(again, question=task.ask(problem)))
    return (*head, Message("user", "\n\n".join([*parts, hint] if hint else parts)))


def _transcript(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: History
) -> list[str]:
    return [prompts.HISTORY_INTRO, *transcript(attempts)]


def _last(task: Task, problem: Problem, attempts: Sequence[Attempt], style: History) -> list[str]:
    """The transcript word for word, as long as nothing is left out."""
    kept = attempts[-style.last :]
    intro = prompts.HISTORY_INTRO if len(kept) == len(attempts) else prompts.LAST_INTRO
    return [intro, *transcript(kept, attempts[0].problem)]


def _answers(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: History
) -> list[str]:
    def answer(attempt: Attempt) -> str:
        prediction = attempt.verdict.prediction
        if prediction is None:
            return prompts.NO_ANSWER_STATED
        return task.state_answer(attempt.problem, prediction)

    return [prompts.ANSWERS_INTRO, *transcript(attempts, write=answer)]


def _foreign(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: History
) -> list[str]:
    def other(attempt: Attempt) -> str:
        shown = attempt.aside("stand-in")
        assert shown is not None  # the loop draws one before the next attempt
        return shown.text

    return [prompts.HISTORY_INTRO, *transcript(attempts, write=other)]


def _feedback(
    task: Task, problem: Problem, attempts: Sequence[Attempt], style: History
) -> list[str]:
    first, parts = attempts[0].problem, [prompts.FEEDBACK_INTRO]
    for attempt in attempts:
        moved = attempt.problem.choices != first.choices
        template = prompts.FEEDBACK_SHUFFLED if moved else prompts.FEEDBACK
        fields = {"choices": lettered(attempt.problem.choices)} if moved else {}
        number, text = attempt.iteration + 1, told(attempt)
        parts.append(prompts.render(template, number=number, feedback=text, **fields))
    return parts


def _clean(task: Task, problem: Problem, attempts: Sequence[Attempt], style: History) -> list[str]:
    latest = attempts[-1]
    if latest.problem.choices == problem.choices:
        shown = prompts.render(prompts.CLEAN_FEEDBACK, feedback=told(latest))
    else:
        choices = lettered(latest.problem.choices)
        shown = prompts.render(
            prompts.CLEAN_FEEDBACK_SHUFFLED, choices=choices, feedback=told(latest)
        )
    return [prompts.CLEAN_INTRO, shown]


_SHOWN = {
    TRANSCRIPT.name: _transcript,
    LAST.name: _last,
    ANSWERS.name: _answers,
    FOREIGN.name: _foreign,
    FEEDBACK.name: _feedback,
    CLEAN.name: _clean,
}


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
    parts = []
    for attempt in attempts:
        parts.append(_attempt(attempt, first or attempts[0].problem, write))
        if attempt.feedback is not None:
            parts.append(
                prompts.render(
                    prompts.FEEDBACK, number=attempt.iteration + 1, feedback=attempt.feedback.text
                )
            )
    return parts


def _attempt(attempt: Attempt, first: Problem, write: Write) -> str:
    number, answer = attempt.iteration + 1, write(attempt)
    if attempt.problem.choices == first.choices:
        return prompts.render(prompts.ATTEMPT, number=number, answer=answer)
    choices = lettered(attempt.problem.choices)
    return prompts.render(prompts.ATTEMPT_SHUFFLED, number=number, choices=choices, answer=answer)
