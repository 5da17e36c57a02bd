"""GGUF files for tests, their metadata written by hand; and whether llama.cpp is there."""

import os
import select
import struct
from importlib.util import find_spec

import pytest

needs_llama = pytest.mark.skipif(
    find_spec("xllamacpp") is None, reason="llama.cpp is not installed: the extra 'local'"
)
CHAT = {
    "general.architecture": "llama",
    "tokenizer.chat_template": "{{ messages[0]['content'] }}",
    "llama.context_length": 64,
}


def text(value):
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(values, version=3):
    """A file that holds these metadata and no weights."""
    data = b"GGUF" + struct.pack("<IQQ", version, 0, len(values))
    for key, value in values.items():
        data += text(key)
        if isinstance(value, bool):
            data += struct.pack("<I?", 7, value)
        elif isinstance(value, int):
            data += struct.pack("<II", 4, value)
        elif isinstance(value, str):
            data += struct.pack("<I", 8) + text(value)
        else:
            data += struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return data


def ends(pid):
    """Wait for a process, anybody's, to end."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with open(handle):
        assert select.select([handle], [], [], 60)[0], "it is still there"
