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
    """Attention to some tokens taken away, or raised."""

    columns: tuple[int, ...] = ()  # positions of the tokens
    heads: tuple[tuple[int, int | None], ...] | None = None  # (layer, head or None for all of it)
    raised: float | None = None  # nats added to the scores; None takes the attention away

    def in_layer(self, layer: int) -> list[int] | None:
        """The heads of a layer that it concerns: none as an empty list, all as None."""
        if self.heads is None:
            return None if self.columns else []
        mine = [head for at, head in self.heads if at == layer]
        return None if None in mine else [head for head in mine if head is not None]


@dataclass(slots=True)
class Tap:
    """What a pass does to attention, and what it keeps of it."""

    cuts: Sequence[Cut]  # one a row of the batch
    first_row: int  # position of the first token whose attention is cut
    # shape (positions, segments), 1 where a position is of a segment: the weights are added up by
    # it; None keeps nothing
    groups: Tensor | None = None
    # by layer, shape (heads, rows, segments), of the batch's first row
    kept: dict[int, Tensor] = field(default_factory=dict)
    shifts: dict[int, Tensor | None] = field(default_factory=dict)  # by layer, once needed

    def applied(self, layer: int, scores: Tensor) -> Tensor:
        """The scores of a layer, changed in place."""
        if layer not in self.shifts:
            self.shifts[layer] = self._shift(layer, scores)
        shift = self.shifts[layer]
        if shift is None:
            return scores
        rows, width = scores.shape[2:]
        late = max(0, self.first_row - (width - rows))  # the first row that is cut
        part = scores[:, :, late:, : shift.shape[-1]]
        part.add_(shift[..., :width]).clamp_min_(torch.finfo(scores.dtype).min)
        return scores

    def _shift(self, layer: int, scores: Tensor) -> Tensor | None:
        """What is added to the scores: shape (cuts, heads, 1, columns), or None for nothing."""
        heads = [cut.in_layer(layer) for cut in self.cuts]
        if all(each == [] for each in heads):  # of none, too
            return None
        width = 1 + max(max(cut.columns, default=0) for cut in self.cuts)
        shift = torch.zeros((*scores.shape[:2], 1, width), dtype=scores.dtype, device=scores.device)
        for number, (cut, mine) in enumerate(zip(self.cuts, heads, strict=True)):
            if mine != []:
                value = torch.finfo(scores.dtype).min if cut.raised is None else cut.raised
                row = torch.zeros(width, dtype=scores.dtype, device=scores.device)
                row[list(cut.columns)] = value
                shift[number, slice(None) if mine is None else mine, 0] = row
        return shift

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
    batch, heads, rows, width = query.shape
    together = (batch, key.shape[1], -1, width)  # the heads of a group share its keys: no copies
    scores = (query.reshape(together) @ key.transpose(2, 3)).view(batch, heads, rows, -1) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[-2]]
    tap = _TAP.get()
    if tap is not None:
        scores = tap.applied(module.layer_idx, scores)
    weights = torch.softmax(scores, -1, dtype=torch.float32).to(query.dtype)
    if tap is not None:
        tap.keep(module.layer_idx, weights)
    mixed = weights.view(batch, key.shape[1], -1, key.shape[2]) @ value
    return mixed.view(batch, heads, rows, -1).transpose(1, 2).contiguous(), weights


@contextmanager
def tapped(tap: Tap) -> Iterator[None]:
    token = _TAP.set(tap)
    try:
        yield
    finally:
        _TAP.reset(token)
