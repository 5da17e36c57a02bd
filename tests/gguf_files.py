"""GGUF files for tests: metadata written by hand, and the model that comes with the package."""

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
