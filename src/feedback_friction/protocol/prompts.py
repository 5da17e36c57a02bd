"""Every prompt text of the loop, as constants with one renderer.

A changed word changes what is measured, so the rendered prompts are held by golden tests. The
wording is this project's own; what each prompt has to do is the paper's, sections 2.1 and A.
System prompts and few-shot examples belong to the tasks.
"""

from __future__ import annotations

from string import Formatter
from typing import NamedTuple

from feedback_friction.modes import ATTRIBUTIONS

# --- what the solver reads -----------------------------------------------------------------------

_TRIED = "You have already tried this problem. Below "
_ALL = f"{_TRIED}are your earlier attempts in order, each followed by the feedback it received."
# By history: what stands before the attempts.
INTROS = {
    "transcript": _ALL,
    "foreign": _ALL,
    "last": (
        f"{_TRIED}are your latest attempts in order, each followed by the feedback it received."
    ),
    "answers": (
        f"{_TRIED}are the answers of your earlier attempts in order, each followed by the "
        "feedback it received; the working is not shown."
    ),
    "feedback": (
        f"{_TRIED}is the feedback that your earlier attempts received, in order; the attempts "
        "themselves are not shown."
    ),
    "clean": (
        f"{_TRIED}is the feedback that your latest attempt received; the attempt itself is not "
        "shown."
    ),
}

AGAIN = (
    "### The problem once more\n{question}\n\n"
    "Use the feedback above: find what went wrong, and answer the problem again."
)

AGAIN_OPEN = (
    "### The problem once more\n{question}\n\n"
    "Consider the feedback above, and answer the problem again."
)

CHAT_TURN = (
    "Feedback on your answer:\n{feedback}\n\n"
    "Use the feedback: find what went wrong, and answer the problem again.\n\n{question}"
)

CHAT_TURN_OPEN = (
    "Feedback on your answer:\n{feedback}\n\n"
    "Consider the feedback, and answer the problem again.\n\n{question}"
)

# --- what the solver writes to itself ------------------------------------------------------------

RESTATE = (
    "Before you answer: say in a sentence or two, in your own words, what the feedback asks you to "
    "change. Do not answer the problem yet."
)

RESTATED = (
    "Before answering, you said what the feedback asks you to change:\n{text}\n\n"
    "Now answer the problem."
)

RESTATE_QUESTION = (
    "Before you answer: say in a sentence or two, in your own words, what the problem asks. Do not "
    "answer the problem yet."
)

RESTATED_QUESTION = (
    "Before answering, you said what the problem asks:\n{text}\n\nNow answer the problem."
)

NOTES_INTRO = (
    "You have already tried this problem. These are the notes that you keep about it:\n{notes}"
)

NOTES_REQUEST = (
    "### Your notes\n"
    "You are going to answer this problem again, and will see nothing but the problem and your "
    "notes. Write the notes anew: a short list of the corrections to make and of the answers that "
    "have been refuted. Do not answer the problem yet."
)

NOTES_AGAIN = (
    "### The problem once more\n{question}\n\nUse your notes, and answer the problem again."
)

CHECK = (
    "Look at this answer before it counts: does it follow the feedback, and does it differ from "
    "the answers that have been refuted? Begin with YES or NO, and say why in one sentence."
)

CHECKED_AGAIN = "Answer the problem once more."

# --- what stands beside either -------------------------------------------------------------------

TRIED_AND_LEFT = (
    "Choices that you have tried, all of them wrong: {tried}. Choices that are left: {left}."
)

NOTHING_WRITTEN = "(nothing was written)"

NO_ANSWER_STATED = "(no answer was stated)"

# --- feedback that no model writes ---------------------------------------------------------------

BINARY_WRONG = "Your answer is wrong. Try again."

BINARY_NO_ANSWER = (
    "No final answer could be found in your response, so it does not count as right. Try again."
)


class Fixed(NamedTuple):
    """A feedback text that is the same for every problem."""

    wrong: str
    no_answer: str


# By the key that a mode names.
FIXED = {
    "verdict": Fixed(BINARY_WRONG, BINARY_NO_ANSWER),
    "sure": Fixed("Are you sure? Look at your answer again.", BINARY_NO_ANSWER),
}

_WORDS = (  # in the order of ``modes.ATTRIBUTIONS``
    "{feedback}",
    "On looking at your answer again, you say:\n{feedback}",
    "Another student has looked at your answer and says:\n{feedback}",
    "An expert has looked at your answer and says:\n{feedback}",
)
ATTRIBUTED = dict(zip(ATTRIBUTIONS, _WORDS, strict=True))

PART = "Your answer is wrong. Here is a part of how it is worked out:\n{part}"

LATE = "This feedback is about attempt {number}:\n{feedback}"

SUGGESTED = "Your answer is wrong. The right answer is {answer}. Try again."

# --- what the writer of misleading feedback reads ------------------------------------------------

MISLEAD_SYSTEM = (
    "You help to test whether students stand by what they know. You see a problem, a student's "
    "attempts and a wrong answer, and you write feedback that argues for the wrong answer as a "
    "teacher would who takes it for the right one."
)

MISLEAD_REQUEST = (
    "### Your task\n"
    "Argue in a few sentences that attempt {number} is wrong and that the answer is {answer}. "
    "Name this answer. Do not say that it is wrong, and name no other."
)

# --- forms of feedback that a program writes -----------------------------------------------------

LOCATED = "That is the first step that is wrong."

CONTRAST_AGAIN = (
    "Your answers so far: {answers}. You have said {answer} {times}, and it is wrong. Do not give "
    "it again: look for what leads you to it each time."
)

CONTRAST_NEW = (
    "Your answers so far: {answers}. All of them are wrong. Compare what leads to each of them."
)

CONTRAST_NONE = "No answer could be found in what you wrote. Give one that is none of: {answers}."

CONTRAST_SILENT = "No answer could be found in any of your responses. State one."

TIMES = ("", "once", "twice", "three times", "four times", "five times", "six times")

EXAMPLE = (
    "Here is a similar problem, worked out:\n{question}\n\n{solution}\n\n"
    "Work yours out in the same way."
)

SOLUTION = "Here is how to solve it, with the answer left out:\n{solution}"

HINTS = "Here is all that there is to say of it:\n{hints}"

# --- what the feedback generator reads -----------------------------------------------------------

FEEDBACK_SYSTEM = (
    "You are an expert teacher. You see a problem, its correct answer and a student's attempts, "
    "and you write feedback that helps the student to find the mistake and correct it. "
    "You never give the correct answer away."
)

FEEDBACK_SYSTEM_ALONE = (
    "You are an expert teacher. You see a problem and a student's attempts, and you write feedback "
    "that helps the student to find the mistake and correct it. You never give the answer away."
)

FEEDBACK_REQUEST = (
    "### Your task\n"
    "Attempt {number} is {fault}. Write feedback to the student about it. Say which steps are "
    "wrong and why, or how to get from the attempt to a correct result. Be specific and brief. "
    "Do not state the correct answer{secret}, and do not hint at it in other words."
)

_FORM_REQUEST = (
    "### Your task\nAttempt {{number}} is {{fault}}. {task} "
    "Be brief. Do not state the correct answer{{secret}}, and do not hint at it in other words."
)
_FORM_TASKS = {
    "locate": (
        "Tell the student which step of it is the first wrong one: quote that step, and say "
        "nothing else of it."
    ),
    "explain": (
        "Quote the first wrong step of it, and explain to the student why it is wrong. Do not say "
        "what to do instead."
    ),
    "next": "Tell the student the one thing to do next, as an instruction, and nothing more.",
    "question": (
        "Ask the student one question whose answer shows the mistake. Write the question alone."
    ),
    "contrast": (
        "Set the student's answers so far side by side, say how often each was given, and what "
        "they have in common that must be wrong."
    ),
    "example": (
        "Make up a similar problem with another answer, and work it out for the student step by "
        "step."
    ),
    "solution": (
        "Write the solution of the problem step by step for the student, with the result left out."
    ),
}
# By form, what a model is asked for; a file may replace them (--prompts). The fields are those of
# FEEDBACK_REQUEST.
FORM_REQUESTS = {
    **{form: _FORM_REQUEST.format(task=task) for form, task in _FORM_TASKS.items()},
    "reset": FEEDBACK_REQUEST,
}

# What a model is asked for that improves one of them. GEPA puts the prompt and the rounds in the
# places that it names <curr_param> and <side_info>.
IMPROVE = """A tutor writes feedback on a student's wrong attempt, as this prompt asks for it:
```
<curr_param>
```

These are rounds in which the tutor did so, and what came of each:

<side_info>

Write a better prompt for the tutor, after which the student's next attempt is right more often. \
The tutor knows the correct answer, and must not give it away. The feedback tells <form>: keep \
that. The prompt is used for other problems, too. These fields are filled in and may be left out: \
{number}, the number of the attempt; {fault}, what is wrong with it in a word; {secret}, what else \
must not be said. Use no other braces. Write the new prompt between two lines of ```."""

FAULT_WRONG = "wrong"

FAULT_NO_ANSWER = "not right: no final answer could be found in it"

SECRET_CHOICES = ", its letter or the content of the right option"


def render(template: str, /, **fields: str | int) -> str:
    """Fill a template of this module; the fields' own text is never interpreted."""
    return template.format(**fields)


def headed(title: str, text: str, moved: str = "") -> str:
    """A part of a prompt under its heading.

    Args:
        moved: the choices, where they stood in another order when the text was written.
    """
    if moved:
        return f"### {title} (the choices were then ordered as follows)\n{moved}\n\n{text}"
    return f"### {title}\n{text}"


REQUEST_FIELDS = ("number", "fault", "secret")


def unusable(request: str) -> str:
    """Why a text cannot take the place of one of ``FORM_REQUESTS``; "" where it can.

    A field may say nothing of its format: ``{number:99999999}`` would fill the memory.
    """
    if not request.strip():
        return "is no text"
    try:
        found = [each[1:] for each in Formatter().parse(request) if each[1] is not None]
    except ValueError as error:
        return f"has a brace that belongs to no field ({error}); write {{{{ and }}}} for braces"
    for name, spec, conversion in found:
        if name not in REQUEST_FIELDS or spec or conversion:
            more = f"!{conversion}" * bool(conversion) + f":{spec}" * bool(spec)
            allowed = ", ".join(f"{{{field}}}" for field in REQUEST_FIELDS)
            return f"has the field {{{name}{more}}}; allowed: {allowed}"
    return ""
