"""Runs the command ``friction`` as a user does."""

import os
import subprocess
import sys
from pathlib import Path

FRICTION = str(Path(sys.executable).with_name("friction"))


def friction(*arguments, code=0, cwd=None, **env):
    done = subprocess.run(
        [FRICTION, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,  # a machine may be busy
        cwd=cwd,
        env={**os.environ, **env},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done
