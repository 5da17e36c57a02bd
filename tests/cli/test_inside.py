"""The command's refusals that need no model: one line each, before anything is read."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from click.testing import CliRunner

from feedback_friction.cli.inside import command
from feedback_friction.errors import UsageError


def refused(tmp_path, *options):
    error = CliRunner().invoke(command, [str(tmp_path), *options]).exception
    assert isinstance(error, UsageError), error
    assert "\n" not in str(error)
    return str(error)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--what", "attention,magic"], "unknown --what 'magic'; allowed: attention, knockout"),
        (["--layers", "3-x"], "--layers is a list of layers from 0, such as 0-3,7, not '3-x'"),
        (["--layers", "0-999999999"], "--layers is a list of layers from 0"),
        (["--layers", "5-3"], "--layers names no layer"),
    ],
)
def test_wrong_options_are_refused_with_what_is_allowed(tmp_path, options, line):
    assert line in refused(tmp_path, "--model", "m", *options)


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_without_the_extra_the_line_names_it(tmp_path):
    assert "pip install 'feedback-friction[inside]'" in refused(tmp_path, "--model", "m")
