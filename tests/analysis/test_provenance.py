"""What a report says of how a run was made."""

from pathlib import Path

import orjson

from feedback_friction.analysis.journal import run_names
from feedback_friction.analysis.provenance import provenance
from journals import RIGHT, trials, write_run


def test_a_command_that_was_written_down_with_a_password_is_shown_without_it(
    tmp_path: Path,
) -> None:
    write_run(tmp_path, {"binary": trials(*[(RIGHT,)] * 4)})
    file = tmp_path / "run.json"
    command = ["friction", "run", "--base-url=http://me:hunter2@host/v1", "-M", "api_key=hunter2"]
    file.write_bytes(orjson.dumps(orjson.loads(file.read_bytes()) | {"command": command}))
    shown = provenance(tmp_path).command
    assert "hunter2" not in shown
    assert "--base-url=http://host/v1" in shown


def test_runs_are_called_by_their_directory_and_what_tells_it_apart() -> None:
    apart = [Path("/x/a/run"), Path("/y/a/run"), Path("/y/b/run"), Path("/y/other")]
    assert run_names(apart) == ["x/a/run", "y/a/run", "b/run", "other"]
    assert run_names([Path("/x/run"), Path("/x/run")]) == ["run", "run"]
