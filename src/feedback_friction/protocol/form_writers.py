"""Forms of feedback written by programs: who writes a form of a problem's, and the text.

What a model is asked for stands in ``prompts.FORM_REQUESTS``; a request for it is made in
``feedback``, as for any feedback of a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from random import Random

from feedback_friction.errors import UsageError
from feedback_friction.forms import (
    CONTRAST,
    EXPLAIN,
    LOCATE,
    NEXT,
    QUESTION,
    SOLUTION,
    Form,
    FormWriter,
)
from feedback_friction.grading.verdict import Outcome
from feedback_friction.problem import Problem
from feedback_friction.protocol import prompts
from feedback_friction.protocol.records import Attempt
from feedback_friction.protocol.state import answers_of
from feedback_friction.protocol.task import Task, Told


def writer_of(
    form: Form, task: Task, problem: Problem, others: Sequence[Problem]
) -> FormWriter | None:
    """Who writes a form about a problem: the first of its writers that there is."""
    has = {
        "program": task.diagnose is not None,
        "hints": bool(problem.hints),
        "solution": bool(problem.solution),
        "other": any(each.solution and each.id != problem.id for each in others),
    }
    return next((writer for writer in form.writers if has.get(writer, True)), None)


def check_forms(forms: Sequence[Form], task: Task, problems: Sequence[Problem]) -> None:
    """Refuse forms that nobody can write for a task.

    Raises:
        UsageError: a form has no writer for one of the problems.
    """
    worked = _two_worked(problems)
    for form in forms:
        bare = next((p for p in problems if writer_of(form, task, p, worked) is None), None)
        if bare is not None:
            raise UsageError(
                f"form of feedback '{form.name}' cannot be written for {task.name}: it needs "
                f"{_NEEDS[form.writers[0]]}, and '{bare.id}' has none"
            )


_NEEDS: dict[FormWriter, str] = {
    "program": "a tutor that tells the parts of an error",
    "hints": "rows with a field 'hints'",
    "solution": "rows with a worked solution",
    "other": "another problem with a worked solution",
}


def written_by_model(form: Form, task: Task, problems: Sequence[Problem]) -> bool:
    """Whether a model writes a form for any of a task's problems."""
    worked = _two_worked(problems)
    return any(writer_of(form, task, each, worked) == "model" for each in problems)


def _two_worked(problems: Sequence[Problem]) -> list[Problem]:
    """Enough to know whether any problem has another with a worked solution, at little cost."""
    return list(islice((each for each in problems if each.solution), 2))


def form_text(
    form: Form,
    writer: FormWriter | None,
    attempts: Sequence[Attempt],
    told: Told | None,
    others: Sequence[Problem],
    rng: Random,
) -> str:
    """The text of a form that no model writes, before the mask.

    Args:
        told: what the tutor says of the last attempt, for a form of the tutor's.
        others: the task's problems, for an example.
        rng: chooses the example.
    """
    problem = attempts[-1].problem
    if writer == "program":
        assert told is not None  # as writer_of says
        return _by_tutor(form, told)
    if writer == "hints":
        return _by_hints(form, attempts)
    if writer == "solution":
        return prompts.render(prompts.SOLUTION, solution=problem.solution or "")
    if writer == "other":
        return _example(problem, others, rng)
    if form.base == CONTRAST.name:
        return _contrast(answers_of(attempts))
    fixed = prompts.FIXED[form.base]
    silent = attempts[-1].verdict.outcome is Outcome.NO_ANSWER
    return fixed.no_answer if silent else fixed.wrong


def _by_tutor(form: Form, told: Told) -> str:
    if form.base == LOCATE.name:
        return f"{told.where} {prompts.LOCATED}" if told.where else told.why
    more = {NEXT.name: told.next, EXPLAIN.name: told.why, QUESTION.name: told.ask}
    return f"{told.where} {more[form.base]}".strip() if form.base in more else told.text


def _by_hints(form: Form, attempts: Sequence[Attempt]) -> str:
    """The next hint that the trial has not been given, the last one again; or all of them."""
    hints = attempts[-1].problem.hints
    if form.base == SOLUTION.name:
        return prompts.render(prompts.HINTS, hints="\n".join(hints))
    said = {attempt.feedback.raw for attempt in attempts if attempt.feedback}
    return next((hint for hint in hints if hint not in said), hints[-1])


def _example(problem: Problem, others: Sequence[Problem], rng: Random) -> str:
    """Another problem with its worked solution: one of the same subject and level if there is."""
    worked = [each for each in others if each.solution and each.id != problem.id]
    alike = [
        each for each in worked if (each.subject, each.level) == (problem.subject, problem.level)
    ]
    other = rng.choice(alike or worked)
    solution = other.solution or ""
    return prompts.render(prompts.EXAMPLE, question=other.question, solution=solution)


def _contrast(answers: Sequence[str | None]) -> str:
    """The trial's answers side by side, and how often the last one was given."""
    given = [each for each in answers if each is not None]
    if not given:
        return prompts.CONTRAST_SILENT
    listed = ", ".join(
        f"attempt {number}: {answer or 'none'}" for number, answer in enumerate(answers, 1)
    )
    latest = answers[-1]
    if latest is None:
        return prompts.render(prompts.CONTRAST_NONE, answers=", ".join(dict.fromkeys(given)))
    count = Counter(given)[latest]
    if count == 1 and len(given) > 1:
        return prompts.render(prompts.CONTRAST_NEW, answers=listed)
    times = prompts.TIMES[count] if count < len(prompts.TIMES) else f"{count} times"
    return prompts.render(prompts.CONTRAST_AGAIN, answers=listed, answer=latest, times=times)
