"""Golden tests: a changed word in a prompt is a changed experiment, and shows in the diff."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import toys
from feedback_friction.forms import EXPLAIN
from feedback_friction.grading.verdict import Verdict
from feedback_friction.protocol import prompts
from feedback_friction.protocol.episode import Episode
from feedback_friction.protocol.feedback import feedback_messages
from feedback_friction.protocol.history import solver_messages
from feedback_friction.protocol.improvement import template
from feedback_friction.protocol.mislead import mislead_request
from feedback_friction.protocol.records import Aside, Attempt, Feedback, Message, Reply
from feedback_friction.protocol.solving import (
    check_request,
    next_messages,
    second_request,
    thought_request,
)
from feedback_friction.protocol.trial import next_view
from feedback_friction.ways import (
    ANSWERS,
    CHAT,
    CLEAN,
    FEEDBACK,
    FOREIGN,
    PLAIN,
    SOLVES,
    TRANSCRIPT,
    parse_history,
)

GOLDEN = Path(__file__).parents[1] / "cases" / "prompts.json"


def attempts(problem, *texts):
    return [
        Attempt(
            number,
            problem,
            Reply(text),
            Verdict.of(False, "3", "toy") if text else Verdict.none(),
            0.0,
            feedback=Feedback("strong", "", f"Feedback {number + 1} in full."),
        )
        for number, text in enumerate(texts)
    ]


def solved(plain):
    """What a solver is asked that does something before it answers, and then the answer."""
    texts, (first, *_) = {}, plain
    asides = (Aside("notes", "- not 3"), Aside("restated", "To count again."))
    plain = [replace(each, asides=asides) for each in plain]
    new = replace(first, iteration=2, asides=(Aside("check", "NO, it is 3 again."),))
    for name, solve in SOLVES.items():
        plan = replace(toys.plan(), solve=solve)
        view = next_view(Episode(toys.PROBLEM, toys.TASK, plan, attempts=tuple(plain)))
        words = thought_request(view)
        if words is not None:
            texts[f"{name}: words to itself"] = words.messages
            texts[f"{name}: answer"] = next_messages(view)
        elif solve is not PLAIN:
            texts[f"{name}: words to itself"] = check_request(view, new).messages
            texts[f"{name}: second answer"] = second_request(view, new).messages
    return texts


def rendered():
    plain = attempts(toys.PROBLEM, "The answer is 3.", "")
    chosen = attempts(toys.CHOICES, "The answer is (A).")
    moved = replace(toys.CHOICES, choices=("sea", "stone", "cloud", "apple"), gold="D")
    shuffled = [*chosen, replace(attempts(moved, "The answer is (B).")[0], iteration=1)]
    few_shot = replace(
        toys.TASK, examples=lambda problem: (Message("user", "1+1?"), Message("assistant", "2"))
    )
    unanswered = [*plain[:1], replace(plain[1], feedback=None)]
    strange = [
        replace(each, asides=(Aside("stand-in", "The answer is 99.", "other"),)) for each in plain
    ]
    texts = {
        "last": solver_messages(toys.TASK, toys.PROBLEM, plain, parse_history("last:1")),
        "last shuffled": solver_messages(toys.TASK, moved, shuffled, parse_history("last:1")),
        "answers": solver_messages(toys.TASK, toys.PROBLEM, plain, ANSWERS),
        "answers shuffled": solver_messages(toys.TASK, moved, shuffled, ANSWERS, "A hint."),
        "feedback": solver_messages(toys.TASK, toys.PROBLEM, plain, FEEDBACK),
        "feedback shuffled": solver_messages(toys.TASK, moved, shuffled, FEEDBACK, "A hint."),
        "foreign": solver_messages(toys.TASK, toys.PROBLEM, strange, FOREIGN),
        "first": solver_messages(few_shot, toys.PROBLEM, [], TRANSCRIPT),
        "transcript": solver_messages(toys.TASK, toys.PROBLEM, plain, TRANSCRIPT),
        "chat": solver_messages(toys.TASK, toys.PROBLEM, plain, CHAT),
        "hint": solver_messages(toys.TASK, toys.CHOICES, chosen, TRANSCRIPT, "A hint."),
        "chat with hint": solver_messages(toys.TASK, toys.CHOICES, chosen, CHAT, "A hint."),
        "shuffled": solver_messages(toys.TASK, moved, shuffled, TRANSCRIPT),
        "chat shuffled": solver_messages(toys.TASK, moved, shuffled, CHAT),
        "clean": solver_messages(toys.TASK, toys.PROBLEM, plain, CLEAN),
        "clean with hint": solver_messages(toys.TASK, toys.CHOICES, chosen, CLEAN, "A hint."),
        "clean shuffled": solver_messages(toys.TASK, moved, chosen, CLEAN),
        "clean without feedback": solver_messages(toys.TASK, toys.PROBLEM, unanswered, CLEAN),
        "feedback without solution": feedback_messages(toys.TASK, unanswered, sees_solution=False),
        "feedback without answer": feedback_messages(
            toys.TASK, unanswered, sees_solution=False, sees_answer=False
        ),
        "feedback with solution": feedback_messages(toys.TASK, unanswered, sees_solution=True),
        "feedback on a choice": feedback_messages(toys.TASK, chosen, sees_solution=True),
        "feedback on a shuffled choice": feedback_messages(toys.TASK, shuffled, sees_solution=True),
    }
    number = Episode(toys.PROBLEM, toys.TASK, toys.plan("misled"), attempts=tuple(plain))
    choice = replace(number, problem=toys.CHOICES, attempts=tuple(chosen))
    argued = mislead_request(number, "8").messages
    option = mislead_request(choice, "C").messages
    texts |= {
        "doubt": solver_messages(toys.TASK, toys.PROBLEM, plain, TRANSCRIPT, asserts=False),
        "doubt in a chat": solver_messages(toys.TASK, toys.PROBLEM, plain, CHAT, asserts=False),
        "misleading": argued,
        "misleading about a choice": option,
        "fixed": [Message("user", text) for each in prompts.FIXED.values() for text in each],
        "attributed": [Message("user", text) for text in prompts.ATTRIBUTED.values()],
        "doses": [Message("user", text) for text in (prompts.PART, prompts.LATE)],
        "suggested": [Message("user", prompts.SUGGESTED)],
        "improve": [Message("user", template(EXPLAIN))],
    }
    texts |= solved(plain)
    return {
        name: [f"{each.role}: {each.content}" for each in messages]
        for name, messages in texts.items()
    }


GOLDEN_TEXTS = json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize("name", sorted({*GOLDEN_TEXTS, *rendered()}))
def test_a_prompt_is_word_for_word_what_it_was(name):
    assert rendered()[name] == GOLDEN_TEXTS[name]


def test_the_fields_of_a_prompt_are_never_interpreted():
    nasty = "{question} {0} %s \\boxed{7} {{"
    assert prompts.render(prompts.PART, part=nasty).endswith(nasty)
