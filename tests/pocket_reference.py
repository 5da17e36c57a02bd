"""A Llama in plain float64, written down from its definition: slow, unoptimised, and obvious."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from feedback_friction.engine.models.pocket.exact import Array
from feedback_friction.engine.models.pocket.folder import Shape


def logits(shape: Shape, weights: dict[str, Array], tokens: Sequence[int]) -> Array:
    """Scores of each token's successor, [tokens, vocabulary]."""
    x = weights["model.embed_tokens.weight"][list(tokens)]
    for number in range(shape.layers):

        def of(name: str, number: int = number) -> Array:
            return weights[f"model.layers.{number}.{name}.weight"]

        x = x + attention(shape, of, normed(shape, x, of("input_layernorm")))
        x = x + feed_forward(of, normed(shape, x, of("post_attention_layernorm")))
    head = weights["model.embed_tokens.weight" if shape.tied else "lm_head.weight"]
    return normed(shape, x, weights["model.norm.weight"]) @ head.T


def normed(shape: Shape, x: Array, gain: Array) -> Array:
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + shape.epsilon) * gain


def attention(shape: Shape, of, x: Array) -> Array:
    queries, keys, values = (x @ of(f"self_attn.{name}_proj").T for name in "qkv")
    mixed = []
    for head in range(shape.heads):
        group = head // (shape.heads // shape.groups)
        query = turned(shape, queries[:, head * shape.head : (head + 1) * shape.head])
        here = slice(group * shape.head, (group + 1) * shape.head)
        key, value = turned(shape, keys[:, here]), values[:, here]
        scores = query @ key.T / np.sqrt(shape.head)
        scores = np.where(np.tri(len(x), dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed.append(weights / weights.sum(axis=1, keepdims=True) @ value)
    return np.concatenate(mixed, axis=1) @ of("self_attn.o_proj").T


def turned(shape: Shape, x: Array) -> Array:
    """Hugging Face's rotary embedding: x cos + rotate_half(x) sin."""
    half = shape.head // 2
    angles = np.outer(np.arange(len(x)), shape.theta ** (-np.arange(half) / half))
    angles = np.concatenate([angles, angles], axis=1)
    return x * np.cos(angles) + np.concatenate([-x[:, half:], x[:, :half]], axis=1) * np.sin(angles)


def feed_forward(of, x: Array) -> Array:
    gate = x @ of("mlp.gate_proj").T
    return (gate / (1 + np.exp(-gate)) * (x @ of("mlp.up_proj").T)) @ of("mlp.down_proj").T
