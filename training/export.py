"""From a checkpoint to a folder in the format of Hugging Face, and to a GGUF file in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from training.checkpoint import load
from training.gguf_file import write_gguf
from training.network import Network, Shape
from training.vocabulary import END, PAD, Vocabulary

FILE = "abacus.gguf"


def export(checkpoint: Path, folder: Path) -> None:
    """Write the model folder of a checkpoint."""
    write_folder(*load(checkpoint), folder)


def write_folder(network: Network, vocabulary: Vocabulary, folder: Path) -> None:
    """Write weights in half precision, configuration, tokenizer, chat template, and a GGUF file."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        f"model.{name}": weight.cpu().half().contiguous()
        for name, weight in network.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write(folder / "config.json", _config(network.shape, vocabulary))
    ids = {"eos_token_id": vocabulary.id(END), "pad_token_id": vocabulary.id(PAD)}
    _write(folder / "generation_config.json", {"do_sample": False, **ids})
    vocabulary.save(folder)
    write_gguf(folder, folder / FILE)


def _config(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": 1,
        "head_dim": shape.head,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.epsilon,
        "rope_theta": shape.theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.theta},
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "eos_token_id": vocabulary.id(END),
        "pad_token_id": vocabulary.id(PAD),
        "dtype": "float16",
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
