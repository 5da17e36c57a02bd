"""The network in torch: a decoder of the Llama type, with Hugging Face's names for its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; all heads share one key and one value (multi-query attention)."""

    vocabulary: int
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    head: int = 64
    inner: int = 640
    context: int = 2048
    theta: float = 10_000.0
    epsilon: float = 1e-5


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        inner = shape.heads * shape.head
        self.q_proj = nn.Linear(shape.hidden, inner, bias=False)
        self.k_proj = nn.Linear(shape.hidden, shape.head, bias=False)
        self.v_proj = nn.Linear(shape.hidden, shape.head, bias=False)
        self.o_proj = nn.Linear(inner, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, _ = x.shape
        query = self.q_proj(x).view(batch, length, self.shape.heads, -1).transpose(1, 2)
        key = self.k_proj(x).view(batch, length, 1, -1).transpose(1, 2)
        value = self.v_proj(x).view(batch, length, 1, -1).transpose(1, 2)
        query, key = rotated(query, cos, sin), rotated(key, cos, sin)
        wide = (batch, self.shape.heads, length, self.shape.head)
        mixed = functional.scaled_dot_product_attention(
            query.to(value.dtype),
            key.to(value.dtype).expand(wide),
            value.expand(wide),
            is_causal=True,
        )
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary position embedding, halves of the head turned against each other."""
    one, other = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-other, one), dim=-1) * sin


class Feedforward(nn.Module):
    """The gated linear unit of Llama."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """Attention and feed-forward, each with its norm and residual."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)
        self.mlp = Feedforward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Network(nn.Module):
    """Hidden states of token ids; the embedding is also the output layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=shape.epsilon)
        angles = torch.outer(
            torch.arange(shape.context, dtype=torch.float32),
            shape.theta ** (-torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head),
        ).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                deep = (2 * shape.layers) ** -0.5 if "o_proj" in name or "down" in name else 1.0
                nn.init.normal_(
                    weight, std=0.02 if "embed" in name else deep * weight.shape[1] ** -0.5
                )

    def forward(self, ids: Tensor) -> Tensor:
        """Final hidden states, (batch, length, hidden), of ids, (batch, length)."""
        x = self.embed_tokens(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token."""
        return functional.linear(hidden, self.embed_tokens.weight)
