"""The GGUF file that is shipped is what the shipped folder makes."""

import pytest

from feedback_friction.engine.models.gguf_files import ABACUS
from feedback_friction.engine.models.pocket.folder import find

pytest.importorskip("gguf", reason="the package gguf is not installed: the extra 'dev'")

from training.gguf_file import write_gguf


def test_the_shipped_file_is_made_of_the_shipped_folder(tmp_path):
    write_gguf(find("abacus"), tmp_path / "abacus.gguf")
    assert (tmp_path / "abacus.gguf").read_bytes() == ABACUS.read_bytes()
