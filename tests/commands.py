"""Runs the command ``friction`` as a user does."""

import io
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

from feedback_friction.cli.main import main

FRICTION = str(Path(sys.executable).with_name("friction"))


def friction(*arguments, code=0, cwd=None, **env):
    """One command to its end: in this process, or in its own where it gets a folder or variables.

    To start Python and import all that a command needs takes longer than most commands do.
    """
    words = [str(each) for each in arguments]
    done = _alone(words, cwd, env) if cwd or env else _within(words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def _alone(words, cwd, env):
    return subprocess.run(
        [FRICTION, *words],
        capture_output=True,
        text=True,
        timeout=600,  # a machine may be busy
        cwd=cwd,
        env={**os.environ, **env},
    )


def _within(words):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with patch.multiple(sys, argv=["friction", *words], stdout=out, stderr=err):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
    said, told = (each.buffer.getvalue().decode() for each in (out, err))
    return subprocess.CompletedProcess(words, code, said, told)
