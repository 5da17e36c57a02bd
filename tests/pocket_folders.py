"""Model folders for tests of the pocket runtime: a small Llama with random weights, by seed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from feedback_friction.engine.models.pocket.folder import Shape, read_shape

ROLES = ("system", "user", "assistant")
SPECIAL = ("<|pad|>", "<|unknown|>", *(f"<|{role}|>" for role in ROLES), "<|end|>")
SENTENCES = ("Your answer is wrong. Try again.", "Work it out step by step.", "### Attempt ", " a")
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 16,
    "intermediate_size": 96,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": True,
    "dtype": "float16",
}


def tokens() -> list[str]:
    return [*SPECIAL, *map(chr, range(32, 127)), "\n", "×", *SENTENCES]


def write_folder(folder: Path, seed: int = 0, spread: float = 1.0, **changes: Any) -> Path:
    """A folder with random weights; ``changes`` replace fields of ``config.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = tokens()
    ids = {"eos_token_id": vocabulary.index("<|end|>"), "pad_token_id": 0}
    write_json(folder / "config.json", {**CONFIG, "vocab_size": len(vocabulary), **ids, **changes})
    write_json(folder / "generation_config.json", {"do_sample": False, **ids})
    write_tokenizer(folder, vocabulary)
    (folder / "chat_template.jinja").write_text(TEMPLATE + "\n", "utf-8")
    write_weights(folder, read_shape(folder), seed, spread)
    return folder


def write_weights(folder: Path, shape: Shape, seed: int, spread: float) -> None:
    """Weights large enough for attention to be sharp and scores to differ, on a grid of 2^-14."""
    random, weights = np.random.default_rng(seed), {}
    for name, size in shape.weights().items():
        if len(size) == 1:
            drawn = 1 + 0.2 * random.normal(size=size)
        else:
            drawn = random.normal(size=size) * spread * (1.5 / size[1] ** 0.5)
        halved = drawn.astype(np.float16).astype(np.float64)
        weights[name] = (np.rint(halved * 2.0**14) / 2.0**14).astype(np.float16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def write_tokenizer(folder: Path, vocabulary: list[str]) -> None:
    fixed = sorted(SENTENCES, key=lambda each: (-len(each), each))
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": number, "content": token, **flags, "special": True}
            for number, token in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "|".join([*map(re.escape, fixed), r"[\s\S]"])},
            "behavior": "Isolated",
            "invert": False,
        },
        "post_processor": None,
        "decoder": {"type": "Fuse"},
        "model": {
            "type": "WordLevel",
            "vocab": {token: number for number, token in enumerate(vocabulary)},
            "unk_token": "<|unknown|>",
        },
    }
    write_json(folder / "tokenizer.json", tokenizer)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>"}
    write_json(folder / "tokenizer_config.json", settings)


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
