"""Real models in the whole program: one run, and what every command then says of it."""

import csv
import json
import sqlite3
from contextlib import closing
from itertools import groupby

import pytest

from commands import friction
from feedback_friction.engine.models.llama.gguf_files import find
from feedback_friction.errors import UsageError
from feedback_friction.settings import Selection
from feedback_friction.tasks.primer import PAGE
from gguf_files import needs_llama


def has_smollm2():
    try:
        return bool(find("smollm2"))
    except UsageError:
        return False


needs_smollm2 = pytest.mark.skipif(
    not has_smollm2(), reason="SmolLM2 is not on this machine: friction models get smollm2"
)


def rows(out, query):
    with closing(sqlite3.connect(out / "journal.sqlite")) as journal:
        return journal.execute(query).fetchall()


@pytest.fixture(scope="module")
def abacus(tmp_path_factory):
    """Twelve multiplications, three attempts, tutor and retry; the words of the command."""
    out = tmp_path_factory.mktemp("abacus") / "run"
    words = [
        "run", "decimal_multiplication", "--digits", 3, "--limit", 12, "--iterations", 3,
        "--solver", "gguf/abacus", "--sampling", "heat", "--feedback", "tutor",
        "--feedback", "retry", "--out", out,
    ]  # fmt: skip
    friction(*words)
    return out, words


@pytest.mark.slow
@needs_llama
def test_the_same_command_again_starts_no_server_and_asks_nothing(abacus):
    out, words = abacus
    before = rows(out, "select * from completions")
    (log,) = out.glob("llama-*.log")
    written = log.read_text()
    friction(*words)
    assert rows(out, "select * from completions") == before
    assert log.read_text() == written


@pytest.mark.slow
@needs_llama
def test_every_command_counts_the_same(abacus, tmp_path):
    out, _ = abacus
    found = json.loads(friction("results", out, "--json").stdout)["conditions"]
    assert [each["n"] for each in found] == [12, 12]
    solved = {each["feedback"]: [round(12 * share) for share in each["accuracy"]] for each in found}

    lines = [json.loads(line) for line in friction("export", out).stdout.splitlines()]
    assert len(lines) == len(rows(out, "select * from attempts"))
    assert sum(line["is_correct"] for line in lines) == sum(each[-1] for each in solved.values())

    friction("report", out, "--out", tmp_path / "report")
    with (tmp_path / "report" / "tables" / "accuracy.csv").open() as file:
        table = sorted(csv.DictReader(file), key=lambda row: row["feedback"])
    for feedback, group in groupby(table, key=lambda row: row["feedback"]):
        counted = [round(12 * float(row["accuracy"])) for row in group]
        assert counted == solved[feedback]
    assert solved["tutor"][0] == solved["retry"][0]  # conditions share their first attempts


@needs_llama
def test_what_the_tutor_says_is_of_the_very_reply_that_abacus_wrote(abacus):
    """The tutor reads free text: nothing that it quotes stands anywhere but in the reply."""
    out, _ = abacus
    told = rows(out, "select response, feedback from attempts where feedback is not null")
    assert told
    signs = str.maketrans("×·", "**", " ")
    quoted = [
        (reply.translate(signs), part.translate(signs))
        for reply, text in told
        for part in text.split('"')[1::2]
    ]
    assert quoted
    assert all(part in reply for reply, part in quoted)


@pytest.mark.slow
@needs_llama
@needs_smollm2
def test_a_pretrained_model_sees_its_earlier_attempts_or_only_the_hint(abacus, tmp_path):
    """Its own tokens count: a clean history stays short, a transcript grows."""
    hard = [row for row in PAGE.rows(Selection()) if row["id"] in ("facts/36", "stories/36")]
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in hard))
    out = tmp_path / "run"
    friction(
        "run", "primer", "--data", data, "--solver", "gguf/smollm2", "--max-tokens", 32,
        "-M", 'stop=["\\n\\n"]', "--iterations", 3, "--feedback", "hint",
        "--history", "transcript", "--history", "clean", "--out", out,
    )  # fmt: skip
    attempts = rows(
        out,
        "select c.history, a.problem_id, a.iteration, a.response, a.feedback, a.prompt_tokens "
        "from attempts a join conditions c using (condition) order by 1, 2, 3",
    )
    trials = {
        key: [row[3:] for row in group]
        for key, group in groupby(attempts, key=lambda row: (row[0], row[1]))
    }
    assert len(trials) == 4
    for row in hard:
        clean, transcript = (trials[history, row["id"]] for history in ("clean", "transcript"))
        assert clean[0] == transcript[0]
        for hint, before, after in zip(
            row["hints"],
            zip(clean, transcript, strict=False),
            zip(clean[1:], transcript[1:], strict=False),
            strict=False,
        ):
            assert [feedback for _, feedback, _ in before] == [hint, hint]
            (*_, short), (*_, long) = after
            assert short < long
    assert any(len(trial) == 3 for trial in trials.values())

    friction("report", out, abacus[0], "--out", tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text()
    assert "<strong>gguf/abacus</strong> is " in page
    assert "The other models: gguf/smollm2" in page
