"""The network in torch: a decoder of the Llama type, with Hugging Face's names for its weights."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

Turns = tuple[Tensor, Tensor]  # cosine and sine by position, (length, 1, head / 2)


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the network; all heads share one key and one value (multi-query attention)."""

    vocabulary: int
    hidden: int = 256
    layers: int = 4
    heads: int = 4
    head: int = 64
    inner: int = 512
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

    def forward(self, x: Tensor, turns: Turns) -> Tensor:
        batch, length, _ = x.shape
        heads, head = self.shape.heads, self.shape.head
        query = rotated(self.q_proj(x).view(batch, length, heads, head), turns)
        key = rotated(self.k_proj(x).view(batch, length, 1, head), turns).squeeze(2)
        rows = (query * head**-0.5).view(batch, length * heads, head)
        scores = (rows @ key.transpose(1, 2)).view(batch, length, heads, length)
        later = torch.full((length, length), -torch.inf, dtype=scores.dtype, device=x.device)
        shares = functional.softmax(scores + later.triu(1)[:, None], dim=-1)
        mixed = shares.view(batch, length * heads, length).to(rows.dtype) @ self.v_proj(x)
        return self.o_proj(mixed.view(batch, length, heads * head))


def rotated(x: Tensor, turns: Turns) -> Tensor:
    """Rotary position embedding, halves of the head turned against each other."""
    one, other = x.chunk(2, dim=-1)
    cos, sin = (each.to(x.dtype) for each in turns)
    return torch.cat((one * cos - other * sin, other * cos + one * sin), dim=-1)


class Feedforward(nn.Module):
    """The gated linear unit of Llama."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        inner = _gated(self.gate_proj(rows), self.up_proj(rows))
        return self.down_proj(inner).view(x.shape)


class Norm(nn.Module):
    """Root mean square norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.epsilon = shape.epsilon
        self.weight = nn.Parameter(torch.ones(shape.hidden))

    def forward(self, x: Tensor) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        return _normed(rows, self.weight, self.epsilon, _precision(x)).view(x.shape)


def _precision(x: Tensor) -> torch.dtype:
    """What the products that follow are calculated in."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _fused(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function in one pass over its elements, where there is a compiler for it."""
    return torch.compile(function, dynamic=True) if shutil.which("c++") else function


@_fused
def _normed(x: Tensor, weight: Tensor, epsilon: float, dtype: torch.dtype) -> Tensor:
    return (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon) * weight).to(dtype)


@_fused
def _gated(gate: Tensor, up: Tensor) -> Tensor:
    return functional.silu(gate) * up


class Layer(nn.Module):
    """Attention and feed-forward, each with its norm and residual."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape)
        self.mlp = Feedforward(shape)

    def forward(self, x: Tensor, turns: Turns) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), turns)
        return x + self.mlp(self.post_attention_layernorm(x))


class Network(nn.Module):
    """Hidden states of token ids; the embedding is also the output layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)
        angles = torch.outer(
            torch.arange(shape.context, dtype=torch.float32),
            shape.theta ** (-torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head),
        ).unsqueeze(1)
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
        turns = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x, turns)
        return self.norm(x)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of the next token."""
        return functional.linear(hidden, self.embed_tokens.weight)
