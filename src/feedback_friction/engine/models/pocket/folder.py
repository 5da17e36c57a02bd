"""A model folder in the format of Hugging Face: found, checked, read, digested.

What this runtime does not compute exactly as the folder asks is refused, never approximated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feedback_friction.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGED = Path(__file__).parent
CONFIG, GENERATION = "config.json", "generation_config.json"
TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
TEMPLATE, WEIGHTS = "chat_template.jinja", "model.safetensors"
_DECISIVE = (CONFIG, GENERATION, TOKENIZER, TOKENIZER_CONFIG, TEMPLATE, WEIGHTS)
# What a plain Llama does not have, and the values that mean so.
_PLAIN: Mapping[str, tuple[object, ...]] = {
    "model_type": ("llama",),
    "hidden_act": ("silu",),
    "attention_bias": (None, False),
    "mlp_bias": (None, False),
    "rope_scaling": (None,),
    "partial_rotary_factor": (None, 1, 1.0),
    "sliding_window": (None,),
    "quantization_config": (None,),
}
# Settings with which a server would draw from other probabilities than the model's own.
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "top_p": (None, 1, 1.0),
    "top_k": (None, 0, -1),
    "min_p": (None, 0, 0.0),
    "repetition_penalty": (None, 1, 1.0),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a Llama.

    Attributes:
        vocabulary: number of tokens.
        hidden: width of the residual stream.
        layers: number of layers.
        heads: query heads.
        groups: heads of keys and values; each serves ``heads / groups`` query heads.
        head: width of a head.
        inner: width of the feed-forward layer.
        context: positions, prompt and reply together.
        epsilon: of the norms.
        theta: base of the rotary frequencies.
        tied: whether the scores come from the embeddings themselves.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    groups: int
    head: int
    inner: int
    context: int
    epsilon: float
    theta: float
    tied: bool

    def weights(self) -> dict[str, tuple[int, ...]]:
        """By Hugging Face's name, the shape of each weight; matrices are [outputs, inputs]."""
        wide, narrow = self.heads * self.head, self.groups * self.head
        found: dict[str, tuple[int, ...]] = {
            "model.embed_tokens.weight": (self.vocabulary, self.hidden),
            "model.norm.weight": (self.hidden,),
        }
        for number in range(self.layers):
            layer = f"model.layers.{number}"
            found |= {
                f"{layer}.input_layernorm.weight": (self.hidden,),
                f"{layer}.self_attn.q_proj.weight": (wide, self.hidden),
                f"{layer}.self_attn.k_proj.weight": (narrow, self.hidden),
                f"{layer}.self_attn.v_proj.weight": (narrow, self.hidden),
                f"{layer}.self_attn.o_proj.weight": (self.hidden, wide),
                f"{layer}.post_attention_layernorm.weight": (self.hidden,),
                f"{layer}.mlp.gate_proj.weight": (self.inner, self.hidden),
                f"{layer}.mlp.up_proj.weight": (self.inner, self.hidden),
                f"{layer}.mlp.down_proj.weight": (self.hidden, self.inner),
            }
        if not self.tied:
            found["lm_head.weight"] = (self.vocabulary, self.hidden)
        return found


def packaged() -> list[str]:
    """Names of the folders that come with the package."""
    return sorted(each.parent.name for each in PACKAGED.glob(f"*/{CONFIG}"))


def find(name: str) -> Path:
    """The folder of a model: a packaged one's name, or a path.

    Raises:
        UsageError: there is none; names those there are.
    """
    if name in packaged():
        return PACKAGED / name
    path = Path(name).expanduser()
    if (path / CONFIG).is_file():
        return path
    there = ", ".join(f"pocket/{each}" for each in packaged())
    raise UsageError(
        f"unknown model 'pocket/{name}'; allowed: {f'{there} or ' if there else ''}"
        f"pocket/FOLDER with a {CONFIG} in it"
    )


def digest(folder: Path) -> str:
    """16 hexadecimal digits of all that decides replies: weights, tokenizer, template, settings.

    Raises:
        UsageError: a file cannot be read.
    """
    found = hashlib.sha256()
    for name in _DECISIVE:
        path = folder / name
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error}") from error
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:16]


def read_json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """A JSON object from a file; empty where it is optional and not there.

    Raises:
        UsageError: it cannot be read, or is something else.
    """
    if optional and not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path} must be a JSON object")
    return content


def read_shape(folder: Path) -> Shape:
    """The sizes in ``config.json``.

    Raises:
        UsageError: it asks for something that this runtime does not compute, or lacks a size.
    """
    path = folder / CONFIG
    config = read_json(path)
    _refuse_other(path, config, _PLAIN)
    rotary = config.get("rope_parameters") or {}
    if not isinstance(rotary, dict) or rotary.get("rope_type", "default") != "default":
        raise UsageError(f"{path}: only plain rotary positions are supported, not {rotary}")
    hidden, heads = _size(path, config, "hidden_size"), _size(path, config, "num_attention_heads")
    groups = _size(path, config, "num_key_value_heads", heads)
    head = _size(path, config, "head_dim", hidden // heads)
    if heads % groups or head % 2:
        raise UsageError(
            f"{path}: num_key_value_heads must divide num_attention_heads, head_dim must be even"
        )
    return Shape(
        vocabulary=_size(path, config, "vocab_size"),
        hidden=hidden,
        layers=_size(path, config, "num_hidden_layers"),
        heads=heads,
        groups=groups,
        head=head,
        inner=_size(path, config, "intermediate_size"),
        context=_size(path, config, "max_position_embeddings"),
        epsilon=_positive(path, "rms_norm_eps", config.get("rms_norm_eps")),
        theta=_positive(
            path, "rope_theta", rotary.get("rope_theta", config.get("rope_theta", 10_000.0))
        ),
        tied=bool(config.get("tie_word_embeddings", False)),
    )


def read_ends(folder: Path) -> frozenset[int]:
    """Ids of the tokens that end a reply.

    Raises:
        UsageError: there are none, or the folder asks for draws from other probabilities.
    """
    path = folder / GENERATION
    generation, config = read_json(path, optional=True), read_json(folder / CONFIG)
    _refuse_other(path, generation, _NEUTRAL)
    ends: set[int] = set()
    for given in (generation.get("eos_token_id"), config.get("eos_token_id")):
        several = given if isinstance(given, list) else [given]
        ends |= {each for each in several if each is not None}
    if not ends or not all(isinstance(each, int) for each in ends):
        raise UsageError(f"{folder}: eos_token_id in {GENERATION} or {CONFIG} must name a token")
    return frozenset(ends)


def read_weights(folder: Path, shape: Shape) -> dict[str, NDArray[np.float64]]:
    """The weights by Hugging Face's names, as float64.

    Raises:
        UsageError: they cannot be read, or are not those of a plain Llama of that shape.
    """
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path, wanted = folder / WEIGHTS, shape.weights()
    try:
        loaded = load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    if shape.tied:
        loaded.pop("lm_head.weight", None)
    for name in sorted({*wanted, *loaded}):
        if name not in wanted:
            raise UsageError(f"{path}: '{name}' is no weight of a plain Llama of this shape")
        if name not in loaded or loaded[name].shape != wanted[name]:
            there = list(loaded[name].shape) if name in loaded else "nothing"
            raise UsageError(f"{path}: '{name}' must be {list(wanted[name])}, there is {there}")
        if loaded[name].dtype.kind != "f" or not np.isfinite(loaded[name]).all():
            raise UsageError(f"{path}: '{name}' must hold finite floating-point numbers")
    return {name: loaded[name].astype(np.float64) for name in wanted}


def _refuse_other(
    path: Path, content: Mapping[str, Any], plain: Mapping[str, tuple[object, ...]]
) -> None:
    for name, values in plain.items():
        if content.get(name) not in values:
            raise UsageError(f"{path}: {name} {content.get(name)!r} is not supported")


def _size(path: Path, config: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = config.get(name)
    value = default if value is None else value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise UsageError(f"{path}: {name} must be a whole number of at least 1, not {value!r}")
    return value


def _positive(path: Path, name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return float(value)
    raise UsageError(f"{path}: {name} must be a number above 0, not {value!r}")
