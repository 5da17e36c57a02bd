"""The repository says nothing of where and how it is written."""

import re
import subprocess

import pytest
from blocks import ROOT

# each is written so that it does not find itself
PLACES = {
    "a machine's path": r"/work[/]|/root[/]|[.]\./shared[/]|\bshared[/]data\b",
    "an issue's number": r"\b[Ii]ssue\s?#?\s?\d{1,2}\b",
    "a colleague": r"\b[Tt]eammat[e]|\bhelper\s\d\b",
}
SHARED, HOME = "shared", "root"
# the checks look for the data beside the checkout; a container has a home of its own
ALLOWED = {
    ".ci/run": {f"../{SHARED}/", f"{SHARED}/data"},
    "compose.yaml": {f"/{HOME}/"},
}


def tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def found_in(name, pattern):
    try:
        text = (ROOT / name).read_text("utf-8")
    except UnicodeDecodeError:
        return
    for match in re.finditer(pattern, text):
        if match[0] not in ALLOWED.get(name, ()):
            yield f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"


@pytest.mark.parametrize("what", PLACES)
def test_no_tracked_file_names(what):
    found = [line for name in tracked() for line in found_in(name, PLACES[what])]
    assert not found, "\n".join(found)
