"""From a checkpoint to a folder in the format of Hugging Face, and the scores to hold it to."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from training.checkpoint import load
from training.dialogues import examples, held_out
from training.gguf_file import write_gguf
from training.network import Network, Shape
from training.vocabulary import END, PAD, Vocabulary

GRID = 2.0**-14  # every weight is a multiple of it: sums of products are then exact in float64
LARGEST = 8.0
GOLDEN_SEED, GOLDEN_PROMPTS = 7, 6


def export(checkpoint: Path, folder: Path) -> None:
    """Write the model folder of a checkpoint, and its GGUF file; raises as ``write_folder``."""
    write_folder(*load(checkpoint), folder)
    write_gguf(folder, folder / "abacus.gguf")


def write_folder(network: Network, vocabulary: Vocabulary, folder: Path) -> None:
    """Write the model folder: weights, configuration, tokenizer and chat template.

    The weights are rounded to half precision and to multiples of 2^-14.

    Raises:
        ValueError: a weight is too large for that.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        f"model.{name}": rounded(weight.cpu()).half().contiguous()
        for name, weight in network.state_dict().items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write(folder / "config.json", _config(network.shape, vocabulary))
    ids = {"eos_token_id": vocabulary.id(END), "pad_token_id": vocabulary.id(PAD)}
    _write(folder / "generation_config.json", {"do_sample": False, **ids})
    vocabulary.save(folder)


def loaded(checkpoint: Path) -> tuple[Network, Vocabulary]:
    """Network and vocabulary of a checkpoint, the weights rounded as the export rounds them."""
    network, vocabulary = load(checkpoint)
    weights = {name: rounded(weight) for name, weight in network.state_dict().items()}
    network.load_state_dict(weights)
    return network.eval(), vocabulary


def rounded(weight: Tensor) -> Tensor:
    """The weight in half precision, and a multiple of 2^-14."""
    if weight.abs().max() > LARGEST:
        raise ValueError(f"a weight of {weight.abs().max():.1f} is larger than {LARGEST}")
    return (weight.half().float() / GRID).round() * GRID


def golden(checkpoint: Path, file: Path) -> None:
    """Write a few prompts with replies, and torch's scores of each token's successor."""
    network, vocabulary = loaded(checkpoint)
    cases = []
    for example in islice(examples(GOLDEN_SEED, held_out()), GOLDEN_PROMPTS):
        encoded = vocabulary.example(example)
        with torch.no_grad():
            scores = network.logits(network(torch.tensor([encoded.ids])))[0, encoded.prompt - 1 :]
        messages = [[message.role, message.content] for message in example.messages]
        cases.append(
            {
                "messages": messages,
                "reply": example.reply,
                "ids": encoded.ids,
                "prompt": encoded.prompt,
                "logits": [[round(each, 5) for each in row] for row in scores.tolist()],
            }
        )
    file.write_text(json.dumps(cases, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


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
