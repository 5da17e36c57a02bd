"""Attention cut or raised in its scores, layer by layer and head by head, and kept by segment.

``attend`` takes the place of transformers' own attention; what it does to a pass stands in a tap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

KIND = "feedback_friction_inside"  # of attention, by which transformers knows it


@dataclass(frozen=True, slots=True)
class Cut:
    """Attention to some tokens taken away, or raised.

    Attributes:
        columns: positions of the tokens.
        heads: (layer, head) where it is; head None is the whole layer; None is everywhere.
        raised: added to the scores instead, in nats; None takes the attention away.
    """

    columns: tuple[int, ...] = ()
    heads: tuple[tuple[int, int | None], ...] | None = None
    raised: float | None = None

    def in_layer(self, layer: int) -> list[int] | None:
        """The heads of a layer that it concerns: none as an empty list, all as None."""
        if self.heads is None:
            return None if self.columns else []
        mine = [head for at, head in self.heads if at == layer]
        return None if None in mine else [head for head in mine if head is not None]


@dataclass(slots=True)
class Tap:
    """What a pass does to attention, and what it keeps of it.

    Attributes:
        cuts: one a row of the batch.
        first_row: position of the first token whose attention is cut.
        groups: shape (positions, segments), 1 where a position is of a segment: the weights are
            added up by it; None keeps nothing.
        kept: by layer, shape (heads, rows, segments), of the batch's first row.
    """

    cuts: Sequence[Cut]
    first_row: int
    groups: Tensor | None = None
    kept: dict[int, Tensor] = field(default_factory=dict)

    def applied(self, layer: int, scores: Tensor) -> Tensor:
        rows, width = scores.shape[2:]
        late = torch.arange(width - rows, width, device=scores.device) >= self.first_row
        if not self.cuts or all(cut.in_layer(layer) == [] for cut in self.cuts):
            return scores
        shift = torch.zeros((*scores.shape[:2], 1, width), dtype=scores.dtype, device=scores.device)
        for number, cut in enumerate(self.cuts):
            heads = cut.in_layer(layer)
            if heads == []:
                continue
            value = torch.finfo(scores.dtype).min if cut.raised is None else cut.raised
            row = torch.zeros(width, dtype=scores.dtype, device=scores.device)
            row[list(cut.columns)] = value
            shift[number, slice(None) if heads is None else heads, 0] = row
        moved = (scores + shift).clamp_min(torch.finfo(scores.dtype).min)
        return torch.where(late[:, None], moved, scores)

    def keep(self, layer: int, weights: Tensor) -> None:
        if self.groups is not None:
            self.kept[layer] = weights[0] @ self.groups.to(weights.dtype)


_TAP: ContextVar[Tap | None] = ContextVar("tap", default=None)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Attention as transformers' ``eager`` has it, with the tap in its scores.

    Shapes: query (batch, heads, rows, width), key and value (batch, groups, columns, width).
    """
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(2, 3) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[-2]]
    tap = _TAP.get()
    if tap is not None:
        scores = tap.applied(module.layer_idx, scores)
    weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
    if tap is not None:
        tap.keep(module.layer_idx, weights)
    return (weights @ value).transpose(1, 2).contiguous(), weights


@contextmanager
def tapped(tap: Tap) -> Iterator[None]:
    token = _TAP.set(tap)
    try:
        yield
    finally:
        _TAP.reset(token)
