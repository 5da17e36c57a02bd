"""What a GGUF file says of itself, read without llama.cpp: the key-value pairs at its beginning.

The format is ggml's (``docs/gguf.md`` there), versions 2 and 3, little-endian. Arrays, which hold
the vocabulary, are passed over.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from feedback_friction.engine.models.llama.gguf_files import MAGIC, checked
from feedback_friction.errors import UsageError, reason

Value = int | float | bool | str
_VERSIONS = (2, 3)
_U32, _STRING, _ARRAY, _U64 = 4, 8, 9, 10
# By the number of a type, its form for ``struct``.
_SCALARS = ("<B", "<b", "<H", "<h", "<I", "<i", "<f", "<?", "", "", "<Q", "<q", "<d")


@dataclass(frozen=True, slots=True)
class Header:
    """The metadata of a file."""

    values: Mapping[str, Value]  # by key (``"general.architecture"``), every value that is no array

    @property
    def architecture(self) -> str:
        """The network's type, ``"llama"``; empty where it is not given."""
        return str(self.values.get("general.architecture", ""))

    @property
    def context(self) -> int:
        """Tokens that it was trained to see at once; 0 where it is not given."""
        return self._size("context_length")

    @property
    def template(self) -> str:
        """The chat template; empty without one."""
        return str(self.values.get("tokenizer.chat_template", ""))

    @property
    def embeds(self) -> bool:
        """Whether it turns texts into vectors and writes none: pooled, or never causal."""
        name = self.architecture
        return bool(
            self.values.get(f"{name}.pooling_type")
            or self.values.get(f"{name}.attention.causal") is False
            or name.endswith("bert")
        )

    def cache_bytes(self, tokens: int) -> int:
        """Bytes that the KV cache of a number of tokens takes in half precision; 0 if unknown."""
        heads = self._size("attention.head_count")
        width = self._size("embedding_length") // heads if heads else 0
        groups = self._size("attention.head_count_kv") or heads
        each = self._size("attention.key_length") or width
        each += self._size("attention.value_length") or width
        return 2 * tokens * self._size("block_count") * groups * each

    def _size(self, name: str) -> int:
        found = self.values.get(f"{self.architecture}.{name}", 0)
        return found if isinstance(found, int) else 0


def read_header(path: Path) -> Header:
    """The metadata of a GGUF file.

    Raises:
        UsageError: it cannot be read, is no GGUF file, or breaks off within its metadata.
    """
    checked(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return Header(dict(_pairs(_Reader(data))))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error
    except (struct.error, ValueError, IndexError) as error:
        raise UsageError(f"{path} is a damaged GGUF file: its metadata cannot be read") from error


class _Reader:
    """Reads a file's bytes in order; raises struct.error or ValueError at its end."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at = data, len(MAGIC)

    def scalar(self, kind: int) -> Value:
        found: Value = struct.unpack_from(_SCALARS[kind], self._data, self._at)[0]
        self._at += struct.calcsize(_SCALARS[kind])
        return found

    def count(self, kind: int = _U64) -> int:
        return int(self.scalar(kind))

    def text(self) -> str:
        begin = self._skip(self.count())
        return self._data[begin : self._at].decode("utf-8", "replace")

    def pass_over(self) -> None:
        """Pass over an array of numbers or of texts; the format has no others."""
        kind, count = self.count(_U32), self.count()
        if kind == _STRING:
            for _ in range(count):
                self._skip(self.count())
        else:
            self._skip(count * struct.calcsize(_SCALARS[kind]))

    def _skip(self, size: int) -> int:
        """Skip a number of bytes; returns where they began."""
        begin, self._at = self._at, self._at + size
        if self._at > len(self._data):
            raise ValueError("the file breaks off")
        return begin


def _pairs(reader: _Reader) -> Iterator[tuple[str, Value]]:
    if reader.count(_U32) not in _VERSIONS:
        raise ValueError("an unknown version")
    reader.count()  # how many tensors there are
    for _ in range(reader.count()):
        key, kind = reader.text(), reader.count(_U32)
        if kind == _ARRAY:
            reader.pass_over()
        else:
            yield key, reader.text() if kind == _STRING else reader.scalar(kind)
