"""Drive one trial by hand: the loop is a generator that asks, and is sent what it asked for.

No engine, no network, no event loop. Here the "model" is a list of replies, so that every step can
be seen; anything that can answer a ``Generate`` can stand in its place.

    python examples/drive_a_trial.py
"""

from collections.abc import Iterator

from feedback_friction.mode_names import parse_mode
from feedback_friction.protocol.records import (
    Completion,
    Effect,
    Generate,
    Grade,
    Mask,
    Reply,
    Trial,
)
from feedback_friction.protocol.task import Task
from feedback_friction.protocol.trial import trial
from feedback_friction.settings import Plan
from feedback_friction.tasks.custom import PAGE
from feedback_friction.ways import parse_sampling

SOLVER = iter(
    [
        "Carbon dioxide is heavy, so I would say: the answer is (A).",
        "Then it must be a gas with a full outer shell. The answer is (B).",
    ]
)
FEEDBACK = iter(["Oxygen forms compounds easily. The right one, (B) neon, does not."])


def answer(effect: Effect, task: Task) -> object:
    """What an engine would do: call a model, grade a reply, mask a text, keep an attempt."""
    if isinstance(effect, Generate):
        replies: Iterator[str] = SOLVER if effect.role == "solver" else FEEDBACK
        return Completion(tuple(Reply(next(replies)) for _ in range(effect.n)))
    if isinstance(effect, Grade):
        return task.grade(effect.problem, effect.response)
    if isinstance(effect, Mask):
        return task.mask(effect.problem, effect.text)
    return None  # an ``Attempted``: an engine keeps it, here nothing is kept


def main() -> None:
    problem = PAGE.to_problem(
        {
            "question": "Which is a noble gas?",
            "choices": ["oxygen", "neon", "iron"],
            "answer": "B",
        }
    )
    plan = Plan(parse_mode("self", has_feedback_model=False), parse_sampling("greedy"))
    steps = trial(problem, PAGE.task, plan)
    try:
        effect = next(steps)
        while True:
            print("asked for:", type(effect).__name__)
            effect = steps.send(answer(effect, PAGE.task))
    except StopIteration as stop:
        ended: Trial = stop.value
    for attempt in ended.attempts:
        print(f"attempt {attempt.iteration}: {attempt.verdict.prediction}", end=" ")
        print(f"is {attempt.verdict.outcome} (rule: {attempt.verdict.rule})")
        if attempt.feedback:
            print(f"  written: {attempt.feedback.raw}")
            print(f"  shown:   {attempt.feedback.text}")
    print("the trial is", ended.status)


if __name__ == "__main__":
    main()
