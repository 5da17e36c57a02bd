"""The reference format: each line holds the whole interaction that its attempt was asked with."""

import pytest

from feedback_friction.bridges.reference import export
from feedback_friction.engine.passes.reopen import Prompts
from unsolved import make_run


@pytest.mark.parametrize("history", ["transcript", "chat", "clean"])
@pytest.mark.parametrize("mode", ["self", "doubt", "ladder", "retry"])
def test_the_question_of_a_line_is_the_prompt_of_its_attempt(tmp_path, mode, history):
    run = make_run(
        tmp_path / "run", feedback=(mode,), history=(history,), limit=3, iterations=4,
        solver="student/ability=0.3,resistant=0.5",
    )  # fmt: skip
    prompts, lines = Prompts(run), list(export(run))
    head = 1 + len(prompts.conditions[0].task.examples(prompts.conditions[0].problems[0]))
    assert len({line["iteration"] for line in lines}) > 2
    for line in lines:
        sent = prompts.of(line["condition"], line["problem_id"], line["epoch"])
        (request,) = (
            each.request
            for each in sent
            if (each.iteration, each.request.role) == (line["iteration"], "solver")
        )
        asked = [message.content for message in request.messages[head:]]
        assert line["question"] == "\n\n".join(asked)
