"""From a model folder in the format of Hugging Face to one GGUF file, which llama.cpp serves.

llama.cpp's own converter knows the tokenizers of published models by their names; this one is ours.
Its characters are the pieces of a SentencePiece vocabulary (a space is "▁" there), its sentences
user-defined tokens, which are found in a text before it is cut into pieces. Of the two kinds of
such vocabularies it is the unigram one, "t5": the other one, "llama", spells a character that it
does not have in bytes, and llama.cpp refuses the prompt where there are no tokens for these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from gguf import TokenType
from numpy.typing import NDArray

from training.vocabulary import CHARACTERS, SPECIAL, UNKNOWN

_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(folder: Path, file: Path) -> None:
    """Write the model in ``folder`` as one file, its weights in the folder's own precision."""
    from safetensors.numpy import load_file  # of the extra 'training'; reading needs none of it

    config = json.loads((folder / "config.json").read_text("utf-8"))
    writer = gguf.GGUFWriter(file, "llama")
    _describe(writer, config)
    _add_tokens(writer, folder, config)
    for name, weight in load_file(folder / "model.safetensors").items():
        writer.add_tensor(*_tensor(name, weight, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_name("abacus")
    writer.add_license("MIT")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _add_tokens(writer: gguf.GGUFWriter, folder: Path, config: dict[str, Any]) -> None:
    ids = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    writer.add_tokenizer_model("t5")
    writer.add_token_list(token_list(ids))
    writer.add_token_scores([-1.0] * len(ids))
    writer.add_token_types([_type(token) for token in ids])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_unk_token_id(ids[UNKNOWN])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)
    writer.add_chat_template((folder / "chat_template.jinja").read_text("utf-8"))


def token_list(ids: Iterable[str]) -> list[str]:
    """The tokens as llama.cpp names them, in the order of ``ids``."""
    return ["▁" if token == " " else token for token in ids]


def _type(token: str) -> TokenType:
    if token == UNKNOWN:
        return TokenType.UNKNOWN
    if token in SPECIAL:
        return TokenType.CONTROL
    return TokenType.NORMAL if token in CHARACTERS else TokenType.USER_DEFINED


def _tensor(name: str, weight: NDArray[Any], config: dict[str, Any]) -> tuple[str, NDArray[Any]]:
    """A weight by llama.cpp's name, and in its order."""
    plain = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
    }
    if name in plain:
        return plain[name], _precise(weight)
    _, _, layer, rest = name.split(".", 3)
    part = rest.removesuffix(".weight")
    heads = {"q": config["num_attention_heads"], "k": config["num_key_value_heads"]}
    if part in ("self_attn.q_proj", "self_attn.k_proj"):
        weight = _interleaved(weight, heads[part[-6]])
    return f"blk.{layer}.{_NAMES[part]}.weight", _precise(weight)


def _interleaved(weight: NDArray[Any], heads: int) -> NDArray[Any]:
    """Rows in llama.cpp's order: it turns neighbours by an angle, Hugging Face halves of a head."""
    halves = weight.reshape(heads, 2, len(weight) // heads // 2, -1)
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(weight.shape)


def _precise(weight: NDArray[Any]) -> NDArray[Any]:
    """Vectors in single precision, as llama.cpp wants them."""
    return weight.astype(np.float32) if weight.ndim == 1 else weight
