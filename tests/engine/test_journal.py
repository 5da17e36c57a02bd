"""The journal: durable, versioned, and honest about a disk that it cannot write."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

import toys
from feedback_friction.analysis.accuracy_by_attempt import read_paid
from feedback_friction.engine.journal.keys import call_key
from feedback_friction.engine.journal.rows import completion_row, read_completion
from feedback_friction.engine.journal.store import Journal
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.protocol.records import Completion, Generate, Message, Occasion, Reply, Usage
from feedback_friction.settings import Decoding

OCCASION = Occasion(toys.PROBLEM, 0, 0, "binary")


def request(text="hello", **more):
    fields = {"temperature": 0.0, "max_tokens": 10, "seed": 1, "occasion": OCCASION, **more}
    return Generate("solver", "solver", (Message("user", text),), **fields)


COMPLETION = Completion(
    (Reply("one", "stop", -0.5, "thought"), Reply("zwei ✓", "length")), Usage(1, 2, 3, 4), 0.5, "m"
)


def keep_one(directory):
    async def main():
        async with Journal(directory) as journal:
            key = call_key("m", request())
            await journal.add_completion(key, "m", request(), COMPLETION, 0.25)

    asyncio.run(main())


def test_a_completion_comes_back_as_it_was(tmp_path):
    async def main():
        key = call_key("m", request())
        async with Journal(tmp_path) as journal:
            assert journal.find(key) is None
            await journal.add_completion(key, "m", request(), COMPLETION, 0.25)
            assert journal.find(key) == COMPLETION
        async with Journal(tmp_path) as journal:
            assert journal.find(key) == COMPLETION

    asyncio.run(main())


def test_what_a_call_failed_before_it_succeeded_is_counted_once(tmp_path):
    async def main():
        async with Journal(tmp_path) as journal:
            for number, failures in enumerate((0, 3, 1)):
                key, unsteady = bytes([number]) * 16, replace(COMPLETION, failures=failures)
                await journal.add_completion(key, "m", request(), unsteady, 0.25)

    asyncio.run(main())
    (tmp_path / "run.json").write_text('{"schema": 1, "config": {}}')
    paid = read_paid(tmp_path)
    assert (paid.calls, paid.retried) == (3, 2)


def test_every_parameter_and_every_word_is_part_of_a_calls_identity():
    variants = [
        request(),
        request("hello "),
        request(temperature=0.1),
        request(max_tokens=11),
        request(seed=2),
        request(n=2),
        request(decoding=Decoding(top_p=0.9)),
        request(logprobs=True),
    ]
    keys = {call_key("m", each) for each in variants} | {call_key("n", variants[0])}
    assert len(keys) == len(variants) + 1


def test_who_asks_is_no_part_of_a_calls_identity():
    other = request(occasion=Occasion(toys.CHOICES, 3, 4, "strong"))
    assert call_key("m", other) == call_key("m", request())


def test_messages_cannot_be_confused_by_their_borders():
    def two(first, second):
        messages = (Message("user", first), Message("user", second))
        return call_key("m", Generate("solver", "solver", messages, 0.0, 10, 1, OCCASION))

    assert two("ab", "c") != two("a", "bc")
    assert two("a\0user\x001\0b", "c") != two("a", "b\0user\x001\0c")


def test_a_completion_survives_a_kill_when_the_call_returns(tmp_path):
    """Another process dies by SIGKILL right after ``add_completion`` returned."""
    script = textwrap.dedent(
        f"""
        import asyncio, os, signal, sys
        sys.path[:0] = {sys.path!r}
        from pathlib import Path
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from test_journal import COMPLETION, Journal, call_key, request

        async def main():
            journal = Journal(Path({str(tmp_path)!r}))
            for number in range(20):
                asked = request(seed=number)
                key = call_key("m", asked)
                await journal.add_completion(key, "m", asked, COMPLETION, None)
            os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(main())
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)
    assert done.returncode == -9, done.stderr.decode()
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        assert db.execute("SELECT count(*) FROM completions").fetchone() == (20,)


def test_sqlite_synchronises_every_transaction_with_the_disk(tmp_path):
    async def main():
        async with Journal(tmp_path) as journal:
            found = []
            await journal._writing.enter(
                lambda db: found.append(db.execute("PRAGMA synchronous").fetchone()[0])
            )
            assert found == [2]  # FULL (https://sqlite.org/pragma.html#pragma_synchronous)

    asyncio.run(main())


def test_a_journal_of_a_newer_version_is_refused(tmp_path):
    Journal(tmp_path).close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="newer version"):
        Journal(tmp_path)


def test_a_file_that_is_no_journal_is_refused_in_one_line(tmp_path):
    (tmp_path / "journal.sqlite").write_text("this is no database, " * 100)
    with pytest.raises(UsageError, match="cannot write the journal"):
        Journal(tmp_path)


def test_a_disk_that_becomes_full_stops_the_run_and_keeps_what_was_written(tmp_path):
    async def main():
        async with Journal(tmp_path) as journal:
            first = call_key("m", request())
            await journal.add_completion(first, "m", request(), COMPLETION, None)
            pages = journal._writing._db.execute("PRAGMA page_count").fetchone()[0]
            journal._writing._db.execute(f"PRAGMA max_page_count = {pages}")
            big = Completion((Reply("x" * 100_000),))
            with pytest.raises(RunStoppedError, match=r"cannot write .*full"):
                await journal.add_completion(b"2" * 16, "m", request(), big, None)
        async with Journal(tmp_path) as journal:
            assert journal.find(first) == COMPLETION
            assert journal.find(b"2" * 16) is None

    asyncio.run(main())


@pytest.mark.parametrize(
    ("reply", "usage"),
    [
        (Reply("4"), Usage(10, 2, 5, 1)),
        (Reply("4"), Usage(unknown=1)),
        (Reply(""), Usage(unknown=1)),
        (Reply("I will", "content_filter"), Usage(unknown=1)),
        (Reply("", "content_filter"), Usage()),
        (Reply("", "context_length"), Usage()),
    ],
)
def test_a_call_that_was_not_counted_is_told_from_one_that_was_free(reply, usage):
    row = completion_row(b"key", "openai/x", request(), Completion((reply,), usage), None, "now")
    names = ("replies", "prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens")
    kept = read_completion([*(row[name] for name in (*names, "seconds", "server_model")), None])
    assert kept.usage == usage


@pytest.mark.parametrize("key", [None, "text", 5])
def test_a_completion_whose_key_is_damaged_is_none_that_was_paid_for(tmp_path, key):
    keep_one(tmp_path)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("UPDATE completions SET key = ?", (key,))
    journal = Journal(tmp_path)
    assert journal.find(call_key("m", request())) is None
    journal.close()


def test_text_that_is_none_stops_a_resume_with_one_line(tmp_path):
    keep_one(tmp_path)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("UPDATE completions SET model = CAST(x'800a0a61' AS TEXT)")
    journal = Journal(tmp_path)
    with pytest.raises(UsageError, match=r"cannot read .*journal\.sqlite: ") as told:
        journal.paid()
    assert str(told.value).splitlines() == [str(told.value)]
    journal.close()


def test_tokens_beyond_any_number_are_told_as_damage(tmp_path):
    keep_one(tmp_path)
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("UPDATE completions SET prompt_tokens = ?", ("1" * 400,))
    with pytest.raises(UsageError, match="a value in it is damaged"):
        read_paid(tmp_path)


def test_a_damaged_schema_is_told_in_one_line(tmp_path):
    keep_one(tmp_path)
    path = tmp_path / "journal.sqlite"
    content = path.read_bytes()
    assert b"CREATE TABLE trials" in content
    path.write_bytes(content.replace(b"CREATE TABLE trials", b"CREATE TABLE \x80rials"))
    with pytest.raises(UsageError, match="cannot write the journal"):
        Journal(tmp_path)
