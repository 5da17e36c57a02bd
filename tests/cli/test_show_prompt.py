"""``friction show --prompt`` and ``validate --replies``, on data whose columns have other names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import friction
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.passes.reopen import _options


@pytest.mark.slow
def test_what_was_sent_is_shown_message_by_message(tmp_path: Path) -> None:
    data, out = tmp_path / "mine.jsonl", tmp_path / "run"
    rows = [{"id": f"q{i}", "prompt": f"What is {i} plus \x1b[2J one?", "target": i} for i in "12"]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    friction(
        *("run", "custom", "--data", data, "--map", "question=prompt,answer=target", "--quiet"),
        *("--solver", "student/ability=0", "--feedback", "self", "--iterations", 2, "--out", out),
    )
    shown = friction("show", out, "q1", "--prompt", COLUMNS="200").stdout
    assert shown.count("as sent") == 3  # two attempts and the feedback between them
    assert "prompt for attempt 1" in shown
    assert "prompt for feedback on attempt 1" in shown
    assert "[system]" in shown
    assert "\x1b[2J" not in shown
    assert "as sent" not in friction("show", out, "q1").stdout


def test_a_model_that_was_sent_no_temperature_is_reopened_as_that() -> None:
    options = ModelOptions(reasoning_tokens=5, extra={"top_k": 3}, sends_temperature=False)
    assert _options(options.as_dict()) == options


def test_replies_that_cannot_be_read_are_listed_before_a_run(tmp_path: Path) -> None:
    replies = tmp_path / "replies.jsonl"
    said = {"capitals/1": "no idea", "gases/1": "who knows"}
    data = tmp_path / "questions.jsonl"
    rows = [
        {"id": "capitals/1", "question": "A noble gas?", "choices": ["tin", "neon"], "answer": "B"},
        {"id": "gases/1", "question": "Another?", "choices": ["argon", "iron"], "answer": "A"},
    ]
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    lines = [{"id": key, "model": "m", "response": text} for key, text in said.items()]
    replies.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    told = friction("validate", "custom", "--data", data, "--replies", replies).stdout.splitlines()
    assert told[0] == "2 replies: 2 no-answer"
    assert told[1].split() == ["2", "words", "such", "as:", "no", "idea"]
