"""Trained weights take their place in the solver's file, and everything else stays."""

from __future__ import annotations

import gguf
import numpy as np
import pytest

from feedback_friction.distill.weights import check, write
from feedback_friction.engine.models.llama.gguf_files import ABACUS
from feedback_friction.errors import UsageError
from gguf_files import CHAT
from gguf_files import gguf as header


def tensors(file):
    return {each.name: each for each in gguf.GGUFReader(file).tensors}


def as_transformers(name, heads):
    """A matrix of the file in transformers' order: halves of a head, not neighbours, are turned."""
    there = tensors(ABACUS)[name].data.astype(np.float32)
    pairs = there.reshape(heads, len(there) // heads // 2, 2, -1)
    return pairs.swapaxes(1, 2).reshape(there.shape)


def test_its_own_weights_give_the_same_file(tmp_path):
    write(
        ABACUS,
        tmp_path / "same.gguf",
        {
            "model.layers.0.self_attn.q_proj.weight": as_transformers("blk.0.attn_q.weight", 4),
            "model.layers.3.self_attn.k_proj.weight": as_transformers("blk.3.attn_k.weight", 1),
            "model.layers.1.mlp.up_proj.weight": tensors(ABACUS)["blk.1.ffn_up.weight"].data,
        },
    )
    before, after = tensors(ABACUS), tensors(tmp_path / "same.gguf")
    assert before.keys() == after.keys()
    for name, each in before.items():
        assert np.array_equal(each.data, after[name].data), name
    fields = [gguf.GGUFReader(file).fields for file in (ABACUS, tmp_path / "same.gguf")]
    names = {name for each in fields for name in each if not name.startswith("GGUF.")}
    for name in names:
        assert fields[0][name].contents() == fields[1][name].contents(), name


def test_only_what_was_trained_changes(tmp_path):
    old = tensors(ABACUS)["blk.2.ffn_down.weight"].data
    write(ABACUS, tmp_path / "new.gguf", {"model.layers.2.mlp.down_proj.weight": old + 1})
    after = tensors(tmp_path / "new.gguf")
    changed = [n for n, t in tensors(ABACUS).items() if not np.array_equal(t.data, after[n].data)]
    assert changed == ["blk.2.ffn_down.weight"]
    assert np.array_equal(after["blk.2.ffn_down.weight"].data, (old + 1).astype(np.float16))


@pytest.mark.parametrize(
    ("name", "shape"), [("model.layers.9.mlp.up_proj", (512, 256)), ("lm_head.weight", (2, 2))]
)
def test_what_the_file_does_not_have_is_refused(name, shape, tmp_path):
    with pytest.raises(ValueError, match=r"has no|shape"):
        write(ABACUS, tmp_path / "none.gguf", {name: np.zeros(shape)})


def test_another_architecture_is_refused_before_anything_is_trained(tmp_path):
    file = tmp_path / "other.gguf"
    file.write_bytes(header({**CHAT, "general.architecture": "mamba"}))
    with pytest.raises(UsageError, match="mamba"):
        check(file)
