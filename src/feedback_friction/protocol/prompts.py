"""Every prompt text of the loop, as constants with one renderer.

A changed word changes what is measured, so the rendered prompts are held by golden tests. The
wording is this project's own; what each prompt has to do is the paper's, sections 2.1 and A.
System prompts and few-shot examples belong to the tasks.
"""

from __future__ import annotations

from typing import NamedTuple

# --- what the solver reads -----------------------------------------------------------------------

HISTORY_INTRO = (
    "You have already tried this problem. Below are your earlier attempts in order, each followed "
    "by the feedback it received."
)

ATTEMPT = "### Attempt {number}\n{answer}"

ATTEMPT_SHUFFLED = (
    "### Attempt {number} (the choices were then ordered as follows)\n{choices}\n\n{answer}"
)

FEEDBACK = "### Feedback on attempt {number}\n{feedback}"

AGAIN = (
    "### The problem once more\n{question}\n\n"
    "Use the feedback above: find what went wrong, and answer the problem again."
)

LAST_INTRO = (
    "You have already tried this problem. Below are your latest attempts in order, each followed "
    "by the feedback it received."
)

ANSWERS_INTRO = (
    "You have already tried this problem. Below are the answers of your earlier attempts in order, "
    "each followed by the feedback it received; the working is not shown."
)

FEEDBACK_INTRO = (
    "You have already tried this problem. Below is the feedback that your earlier attempts "
    "received, in order; the attempts themselves are not shown."
)

FEEDBACK_SHUFFLED = (
    "### Feedback on attempt {number} (the choices were then ordered as follows)\n{choices}\n\n"
    "{feedback}"
)

CLEAN_INTRO = (
    "You have already tried this problem. Below is the feedback that your latest attempt "
    "received; the attempt itself is not shown."
)

CLEAN_FEEDBACK = "### Feedback\n{feedback}"

CLEAN_FEEDBACK_SHUFFLED = (
    "### Feedback (the choices were then ordered as follows)\n{choices}\n\n{feedback}"
)

CHAT_TURN = (
    "Feedback on your answer:\n{feedback}\n\n"
    "Use the feedback: find what went wrong, and answer the problem again.\n\n{question}"
)

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


FIXED = {"verdict": Fixed(BINARY_WRONG, BINARY_NO_ANSWER)}  # by the key that a mode names

# --- what the feedback generator reads -----------------------------------------------------------

FEEDBACK_SYSTEM = (
    "You are an expert teacher. You see a problem, its correct answer and a student's attempts, "
    "and you write feedback that helps the student to find the mistake and correct it. "
    "You never give the correct answer away."
)

FEEDBACK_PROBLEM = "### Problem\n{question}\n\n### Correct answer\n{gold}"

FEEDBACK_SOLUTION = "### Worked solution\n{solution}"

FEEDBACK_REQUEST = (
    "### Your task\n"
    "Attempt {number} is {fault}. Write feedback to the student about it. Say which steps are "
    "wrong and why, or how to get from the attempt to a correct result. Be specific and brief. "
    "Do not state the correct answer{secret}, and do not hint at it in other words."
)

FAULT_WRONG = "wrong"

FAULT_NO_ANSWER = "not right: no final answer could be found in it"

SECRET_CHOICES = ", its letter or the content of the right option"

SECRET_PLAIN = ""


def render(template: str, /, **fields: str | int) -> str:
    """Fill a template of this module; the fields' own text is never interpreted."""
    return template.format(**fields)
