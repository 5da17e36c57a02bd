"""``--temperature none``: for models that take none."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from fake_server import choice, completion, serving
from models_client import friction, run

from feedback_friction.engine.journal.store import Journal


@pytest.mark.parametrize("temperature", ["none", "0.5"])
def test_a_temperature_that_is_none_is_not_sent(temperature: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(completion(choice("The answer is 1."))) as server:
            code, _, errors = await friction(
                *("run", "decimal_multiplication", "--limit", "1", "--iterations", "1"),
                *("--solver", "openai/tiny", "--base-url", server.url, "--quiet"),
                *("--temperature", temperature, "--out", str(tmp_path)),
            )
        assert code == 0, errors
        assert server.bodies[0].get("temperature") == sent_as

    sent_as = None if temperature == "none" else 0.5
    run(main())
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        for table in ("attempts", "completions"):
            assert db.execute(f"SELECT temperature FROM {table}").fetchall() == [(sent_as,)]
    config = json.loads((tmp_path / "run.json").read_text())["config"]
    unsent = {"temperature": None} if temperature == "none" else None
    assert config.get("solver_options") == unsent


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--temperature", "none", "--sampling", "heat"), "heat cannot raise it"),
        (("--temperature", "warm"), "neither a number nor none"),
        (("--feedback-temperature", "none"), "needs --feedback-model"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    async def main() -> None:
        code, _, errors = await friction(
            *("run", "primer", "--solver", "student/default", "--out", str(tmp_path)), *arguments
        )
        assert code == 2
        assert says in errors

    run(main())


def test_a_journal_of_an_earlier_version_takes_an_attempt_without_a_temperature(
    tmp_path: Path,
) -> None:
    Journal(tmp_path).close()
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as db:
        sql = db.execute("SELECT sql FROM sqlite_master WHERE name = 'attempts'").fetchone()[0]
        known = "temperature                 REAL"
        assert f"{known}," in sql
        db.execute("DROP TABLE attempts")
        db.execute(sql.replace(f"{known},", f"{known} NOT NULL,"))
        db.execute("PRAGMA user_version = 4")
    Journal(tmp_path).close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        columns = {row[1]: row[3] for row in db.execute("PRAGMA table_info(attempts)")}
    assert columns["temperature"] == 0
    assert columns["draws"] == 1
