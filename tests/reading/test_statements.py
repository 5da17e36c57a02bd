"""One list of forms in which replies state an answer, or state none, holds for all tasks.

``statements.json`` has both: ``{}`` is the answer, ``W`` a wrong one. A grader that knows a form
which another does not would make two tasks' numbers differ by their graders.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from feedback_friction.problem import Problem
from feedback_friction.tasks.catalog import get_page

FORMS = json.loads((Path(__file__).parent.parent / "cases" / "statements.json").read_text("utf-8"))
CELL = ("The nucleus", "Mitochondria", "The ribosome", "The Golgi apparatus")
# task, question, gold, operands or options; gold as a reply may write it, and a wrong one that way
ASKED = [
    ("math_500", "How many ways are there to sit?", "3250", (),
     {"3250": "3251", "3,250": "3,251", "$3250$": "$3251$", "\\(3250\\)": "\\(3251\\)",
      "**3250**": "**3251**"}),
    ("math_500", "Find the slope.", "\\frac{7}{3}", (),
     {"$\\frac{7}{3}$": "$\\frac{8}{3}$", "7/3": "8/3", "\\frac{7}{3}": "\\frac{8}{3}"}),
    ("math_500", "Factor the polynomial.", "(x-4)(x+9)", (),
     {"$(x-4)(x+9)$": "$(x-3)(x+9)$", "\\((x+9)(x-4)\\)": "\\((x-3)(x+9)\\)"}),
    ("aime_2024", "Find m+n.", "113", (), {"113": "117", "$113$": "$117$", "**113**": "**117**"}),
    ("decimal_multiplication", "Calculate 12345 * 67891.", "838114395", ("12345", "67891"),
     {"838114395": "838114495", "838,114,395": "838,114,495",
      "**838,114,395**": "**838,114,495**"}),
    ("hex_multiplication", "Calculate A1 * B2.", "6FF2", ("A1", "B2"),
     {"6FF2": "6FF3", "0x6FF2": "0x6FF3"}),
    ("mmlu", "Where are proteins made in a cell?", "C", CELL,
     {"C": "B", "(C)": "(B)", "**C**": "**B**"}),
    ("trivia_qa", "Who wrote Emma?", "Jane Austen", (),
     {"Jane Austen": "Emily Brontë", "**Jane Austen**": "**Emily Brontë**"}),
    ("pop_qa", "What is the capital of Peru?", "Lima", (), {"Lima": "Bogotá"}),
    ("trivia_qa", "In which year did the wall fall?", "1989", (), {"1989": "1991"}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked[0]} {asked[2]}")
def test_forms_state_an_answer_or_none_whatever_the_task(asked):
    task, question, gold, more, written = asked
    field = "choices" if task == "mmlu" else "operands"
    problem = Problem(id="x", task=task, question=question, gold=gold, **{field: more})
    grade = get_page(task).task.grade
    failed = []
    for right, wrong in written.items():
        for kind, forms in FORMS.items():
            for form in forms:
                if form.startswith("\\boxed") and not right.isalnum():
                    continue
                reply = re.sub(r"\bW\b", lambda _, wrong=wrong: wrong, form).replace("{}", right)
                verdict = grade(problem, reply)
                if verdict.is_correct != (kind == "state"):
                    failed.append((kind, reply, verdict))
    assert failed == []
