"""Opens data files, packed ones too; what goes wrong is one line."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from feedback_friction.errors import DataError, UsageError


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A data file's bytes, unpacked where its name ends in ``.gz``.

    Raises:
        UsageError: there is no such file, or it cannot be read.
        DataError: it is not packed as its name says.
    """
    packed = path.suffix.lower() == ".gz"
    try:
        with cast(BinaryIO, gzip.open(path) if packed else path.open("rb")) as file:
            yield file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(str(path), f"not valid gzip: {error}") from error
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"cannot read data file '{path}': {why}") from error
