"""Runs the command ``friction`` as a user does."""

import io
import os
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from feedback_friction.cli.main import main

FRICTION = str(Path(sys.executable).with_name("friction"))


def friction(*arguments, code=0, cwd=".", alone=False, **env):
    """One command to its end: in this process, or ``alone`` in one of its own.

    To start Python and import all that a command needs takes longer than most commands do.
    """
    words = [str(each) for each in arguments]
    done = (_alone if alone else _within)(words, cwd, env)
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


def _within(words, cwd, env):
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    said = patch.multiple(sys, argv=["friction", *words], stdout=out, stderr=err)
    with chdir(cwd), patch.dict(os.environ, env), said:
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code
    texts = (each.buffer.getvalue().decode() for each in (out, err))
    return subprocess.CompletedProcess(words, code, *texts)
