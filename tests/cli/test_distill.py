"""``friction distill`` to its end on abacus, and what it refuses before anything is asked."""

from __future__ import annotations

import json

import pytest

from commands import friction
from feedback_friction.cli import distill
from gguf_files import needs_llama


@pytest.mark.heavy
@needs_llama
def test_a_small_distillation_ends_and_resumes_without_a_call_or_a_step(tmp_path):
    words = (
        *("distill", "decimal_multiplication", "--digits", 3, "--limit", 24, "--held-out", 0.4),
        *("--solver", "gguf/abacus", "--iterations", 2, "--max-tokens", 400, "--seeds", 1),
        *("--steps", 2, "--batch", 2, "--draws", 2, "--out", tmp_path / "out", "--quiet"),
    )
    found = json.loads(friction(*words, "--json").stdout)
    assert set(found) == {"sft", "first"}
    assert found["sft"]["all"]["first"]["after"]["n"] > 0
    assert found["sft"]["rows"] == found["first"]["rows"]
    models = list(tmp_path.glob("out/**/model.gguf"))
    assert len(models) == 2
    card = (tmp_path / "out/seed-0/sft/1/rows.md").read_text("utf-8")
    assert "gguf/abacus" in card
    times = [each.stat().st_mtime_ns for each in models]
    assert json.loads(friction(*words, "--json").stdout) == found
    assert [each.stat().st_mtime_ns for each in models] == times
    friction(*words, "--rank", 8, code=2)


@pytest.mark.heavy
@needs_llama
def test_an_interrupted_run_within_it_ends_as_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(distill, "run_to_end", lambda *work, **more: (None, True))
    words = ("decimal_multiplication", "--solver", "gguf/abacus", "--limit", 24, "--quiet")
    done = friction("distill", *words, "--out", tmp_path / "out", code=130)
    assert "interrupted; the same command resumes" in done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--solver", "student/default"), "gguf/"),
        (("--solver", "gguf/abacus", "--split", "train"), "--held-out"),
        (("--solver", "gguf/abacus", "--held-out", 0), "--held-out"),
        (("--solver", "gguf/abacus", "--feedback", "retry"), "feedback"),
    ],
)
def test_what_cannot_be_distilled_is_refused_in_one_line(more, said, tmp_path):
    done = friction("distill", "decimal_multiplication", *more, "--out", tmp_path / "out", code=2)
    assert said in done.stderr
    assert not (tmp_path / "out").exists()
