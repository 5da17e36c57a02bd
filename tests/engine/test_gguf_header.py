"""What a GGUF file says of itself."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.engine.models.llama.gguf_files import ABACUS
from feedback_friction.engine.models.llama.gguf_header import read_header
from feedback_friction.errors import UsageError
from gguf_files import CHAT, gguf


def test_the_model_of_the_package_is_read() -> None:
    header = read_header(ABACUS)
    assert (header.architecture, header.context, header.embeds) == ("llama", 2048, False)
    assert "<|assistant|>" in header.template
    # 4 layers, one head of 64 numbers each for keys and for values, two bytes a number
    assert header.cache_bytes(10) == 10 * 4 * (64 + 64) * 2


def test_values_after_arrays_are_read(tmp_path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf({"tokens": ["a", "", "ccc"], **CHAT, "llama.pooling_type": 3}))
    assert read_header(path).context == 64
    assert read_header(path).embeds


@pytest.mark.parametrize("version", [0, 1, 4, 2**31])
def test_another_version_is_refused(version, tmp_path) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(gguf(CHAT, version))
    with pytest.raises(UsageError, match="damaged GGUF file"):
        read_header(path)


@given(cut=st.integers(0, 400), noise=st.binary(max_size=60))
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, cut, noise):
    path = tmp_path_factory.mktemp("gguf") / "a.gguf"
    path.write_bytes(gguf({"tokens": ["a", "b"], **CHAT})[:cut] + noise)
    with suppress(UsageError):
        assert isinstance(read_header(path).context, int)
