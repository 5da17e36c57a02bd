"""What a report says of how a run was made."""

from pathlib import Path

import orjson

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
