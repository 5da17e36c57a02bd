"""``run --token-logprobs``: tokens as servers tell of them: kept, exported, or missed aloud."""

from __future__ import annotations

import json
import sqlite3

import pytest

from benchmarks.simserver import Settings, simulated_server
from commands import friction
from feedback_friction.engine.models.remote.chat_reply import read_completion
from feedback_friction.engine.models.remote.omissions import NO_IDS, NO_TOKENS
from feedback_friction.protocol.records import Token

LLAMA = [{"id": 7, "token": "4", "logprob": -0.5}, {"id": 2, "token": "2", "logprob": -0.25}]
VLLM = [{"token": "token_id:7", "logprob": -0.5}, {"token": "token_id:2", "logprob": -9999.0}]
PLAIN = [{"token": "4", "logprob": -0.5}, {"token": "2", "logprob": -0.25}]


@pytest.mark.parametrize(
    ("content", "more", "told"),
    [
        (LLAMA, {}, [("4", -0.5, 7), ("2", -0.25, 2)]),
        (VLLM, {}, [("token_id:7", -0.5, 7), ("token_id:2", None, 2)]),
        (PLAIN, {"token_ids": [7, 2]}, [("4", -0.5, 7), ("2", -0.25, 2)]),
        (PLAIN, {"token_ids": [7]}, [("4", -0.5, None), ("2", -0.25, None)]),
        (PLAIN, {"token_ids": ["x", -1]}, [("4", -0.5, None), ("2", -0.25, None)]),
        (None, {}, []),
        ("nonsense", {}, []),
        ([None, 3, PLAIN[0]], {}, [("4", -0.5, None)]),
    ],
)
def test_tokens_are_read_in_every_dialect_and_nothing_is_made_up(content, more, told):
    choice = {"message": {"content": "42"}, "logprobs": {"content": content}, **more}
    [reply] = read_completion({"choices": [choice]}, 1, seconds=0, logprobs=True).replies
    assert reply.tokens == tuple(Token(*each) for each in told)
    [reply] = read_completion({"choices": [choice]}, 1, seconds=0, logprobs=False).replies
    assert reply.tokens == ()


def run(server, folder, *more):
    return friction(
        *("run", "decimal_multiplication", "--digits", 3, "--limit", 20, "--iterations", 3),
        *("--solver", "openai/m", "--base-url", server.url, "--quiet", "--out", folder),
        *("--feedback", "tutor", *more),
    )


def notices(folder):
    return json.loads((folder / "run.json").read_text("utf-8")).get("notices", [])


def test_the_journal_and_training_sets_hold_the_tokens_of_every_answer(tmp_path):
    with simulated_server(Settings(p_first=0.3, p_gain=0.3)) as server:
        run(server, tmp_path / "run", "--token-logprobs")
        run(server, tmp_path / "plain", "--logprobs")
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as db:
        kept = dict(db.execute("SELECT key, tokens FROM tokens"))
        for key, replies in db.execute("SELECT key, replies FROM completions"):
            [[text, *_]] = json.loads(replies)
            assert "".join(each[0] for each in json.loads(kept[key])) == text
    with sqlite3.connect(tmp_path / "plain" / "journal.sqlite") as db:
        assert db.execute("SELECT count(*) FROM tokens").fetchone() == (0,)
    assert any(NO_IDS in line for line in notices(tmp_path / "run"))
    assert not any(NO_IDS in line for line in notices(tmp_path / "plain"))
    lines = friction("export", tmp_path / "run", "--to", "sft", "--split", "all").stdout
    for row in map(json.loads, lines.splitlines()):
        assert "".join(row["tokens"]) == row["messages"][-1]["content"]
        assert len(row["tokens"]) == len(row["token_ids"]) == len(row["token_logprobs"])
    pairs = friction("export", tmp_path / "plain", "--to", "sft", "--split", "all").stdout
    assert all("tokens" not in json.loads(line) for line in pairs.splitlines())


def test_a_model_that_gives_no_tokens_is_told_of_once(tmp_path):
    folder = tmp_path / "run"
    done = friction(
        *("run", "decimal_multiplication", "--digits", 3, "--limit", 5, "--iterations", 2),
        *("--solver", "student/default", "--feedback", "tutor", "--out", folder),
        "--token-logprobs",
    )
    assert done.stderr.count(NO_TOKENS) == 1
    assert [NO_TOKENS in line for line in notices(folder)].count(True) == 1
