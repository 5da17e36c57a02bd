"""Tokens of many sequences in, scores of their successors out; bit for bit the same in any company.

All tokens of a step go through the matrices together. Attention goes sequence by sequence, in tiles
whose scores lie one after the other in one flat array, so that nothing is computed for padding.
``Team`` shares a step out to threads: each takes some of the sequences through all layers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from feedback_friction.engine.models.pocket.exact import (
    TOP,
    Array,
    Exact,
    Exponential,
    Integers,
    row_sums,
)
from feedback_friction.engine.models.pocket.grids import WEIGHT_BITS, Layer, Weights
from feedback_friction.engine.models.pocket.memory import KeysValues

PEAK = TOP - 1.0  # the largest exponent in a softmax: exp(20) is 2^28.9, summed as an integer
NEVER = -(2.0**30)  # the score of a token that is still to come
TILE = 49_152  # scores that are treated together: they fit into a core's cache
MOST_THREADS = 4  # Python's own share of the work is not done in parallel


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of one sequence that go through the model in one step.

    Attributes:
        memory: the sequence's keys and values; those of the positions before are there.
        start: position of the first token.
        tokens: their ids.
        scored: whether the scores of the last one's successor are wanted.
    """

    memory: KeysValues
    start: int
    tokens: Sequence[int]
    scored: bool

    @property
    def last(self) -> Span:
        """Its last token."""
        start = self.start + len(self.tokens) - 1
        return Span(self.memory, start, self.tokens[-1:], self.scored)


class Transformer:
    """Takes spans through a model's layers; holds scratch space, so not for two threads at once."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self._shape = weights.shape
        self._exp = Exponential()
        self._scratch: dict[str, Array] = {}

    def scores(self, spans: Sequence[Span]) -> Array:
        """Scores (logits) of the successors, [spans that are scored, vocabulary].

        Writes the keys and values of all tokens to the spans' memories, which must have room.
        """
        weights = self.weights
        ids = np.array([token for span in spans for token in span.tokens])
        positions = np.concatenate(
            [np.arange(span.start, span.start + len(span.tokens)) for span in spans]
        )
        turns = weights.cosines[positions], weights.sines[positions]
        ends = accumulate(len(span.tokens) for span in spans)
        last = np.array([end - 1 for end, span in zip(ends, spans, strict=True) if span.scored])
        x: Array = weights.embeddings[ids]
        tiles: list[_Tile] = []
        for number, layer in enumerate(weights.layers):
            queries = self._remember(number, layer, x, turns, spans)
            if number == self._shape.layers - 1:  # from here on only what is scored is wanted
                if not len(last):
                    return np.empty((0, self._shape.vocabulary))
                if len(last) < len(x):
                    x, queries, tiles = x[last], queries.take(last, axis=1), []
                    spans = [span.last for span in spans if span.scored]
            tiles = tiles or self._tiles(spans)
            x += self._product(self._mixed(number, queries, tiles), layer.output)
            self._feed_forward(layer, x)
        return self._normed(x, weights.head_gain) @ weights.head.matrix

    # --- attention -------------------------------------------------------------------------------

    def _remember(
        self,
        number: int,
        layer: Layer,
        x: Array,
        turns: tuple[Array, Array],
        spans: Sequence[Span],
    ) -> Array:
        """Write keys and values; returns the queries, [groups, tokens, heads of a group, head]."""
        shape, rows = self._shape, len(x)
        heads = self._space("heads", rows, shape.heads + 2 * shape.groups, shape.head)
        normed = self._normed(x, layer.attend_gain)
        np.matmul(normed, layer.attend.matrix, out=heads.reshape(rows, -1, copy=False))
        turned = _turned(heads[:, : shape.heads + shape.groups], *turns)
        both = np.empty((rows, 2, shape.groups, shape.head))
        both[:, 0] = turned[:, shape.heads :] * layer.key_scale
        both[:, 1] = heads[:, shape.heads + shape.groups :] * layer.value_scale
        np.rint(both, out=both)
        both[:, 0] *= layer.key_unit
        both[:, 1] *= layer.value_unit
        first = 0
        for span in spans:
            after = first + len(span.tokens)
            span.memory.write(number, span.start, both[first:after])
            first = after
        grouped = turned[:, : shape.heads].reshape(rows, shape.groups, -1, shape.head)
        queries = self._space("queries", shape.groups, rows, *grouped.shape[2:])
        np.multiply(grouped.swapaxes(0, 1), layer.query_scale, out=queries)
        return np.rint(queries, out=queries)

    def _tiles(self, spans: Sequence[Span]) -> list[_Tile]:
        """All queries of the spans, in tiles of about ``TILE`` scores."""
        heads = self._shape.heads // self._shape.groups
        items, row = [], 0
        for span in spans:
            most = max(1, TILE // (heads * (span.start + len(span.tokens))))
            for first in range(0, len(span.tokens), most):
                last = min(first + most, len(span.tokens))
                items += [
                    _Item(span.memory, group, row + first, row + last, span.start + last)
                    for group in range(self._shape.groups)
                ]
            row += len(span.tokens)
        begun, filled, tiles = 0, 0, []
        for at, item in enumerate(items):
            size = heads * (item.last - item.first) * item.context
            if filled and filled + size > TILE:
                tiles.append(self._tile(items[begun:at], heads))
                begun, filled = at, 0
            filled += size
        return [*tiles, self._tile(items[begun:], heads)]

    def _tile(self, items: Sequence[_Item], heads: int) -> _Tile:
        rows = [heads * (item.last - item.first) for item in items]
        contexts = [item.context for item in items]
        sizes = [count * context for count, context in zip(rows, contexts, strict=True)]
        flat = self._space("scores", sum(sizes))
        views = [
            flat[start:end].reshape(-1, context)
            for context, (start, end) in zip(
                contexts, pairwise(accumulate(sizes, initial=0)), strict=True
            )
        ]
        lengths = np.repeat(contexts, rows)
        return _Tile(tuple(zip(items, views, strict=True)), flat, lengths)

    def _mixed(self, number: int, queries: Array, tiles: Sequence[_Tile]) -> Array:
        """What attention takes from the values, [tokens, heads x head]."""
        mixed: Array = np.empty(queries.shape)
        width = self._shape.head
        for tile in tiles:
            for item, scores in tile.items:
                rows = queries[item.group, item.first : item.last].reshape(-1, width)
                keys = item.memory.keys[number][item.group]
                np.dot(rows, keys[:, : item.context], out=scores)
                if item.last - item.first > 1:
                    _hide_what_comes(scores, item.last - item.first)
            self._softmax(tile)
            for item, scores in tile.items:
                rows = mixed[item.group, item.first : item.last].reshape(-1, width, copy=False)
                values = item.memory.values[number][item.group]
                np.dot(scores, values[: item.context], out=rows)
        return mixed.swapaxes(0, 1).reshape(mixed.shape[1], -1)

    def _softmax(self, tile: _Tile) -> None:
        """Scores to weights in place: whole numbers that add up to about 2^28 in each row."""
        flat, lengths = tile.scores, tile.lengths
        starts = np.cumsum(lengths) - lengths
        peaks = np.maximum.reduceat(flat, starts)
        peaks -= PEAK
        flat -= np.repeat(peaks, lengths)
        self._exp(flat)
        np.rint(flat, out=flat)
        shares = 2.0**WEIGHT_BITS / np.add.reduceat(flat, starts)
        flat *= np.repeat(shares, lengths)
        np.rint(flat, out=flat)

    # --- the rest --------------------------------------------------------------------------------

    def _feed_forward(self, layer: Layer, x: Array) -> None:
        """Add what the gated linear unit makes of x to it."""
        inner = self._shape.inner
        both = self._space("both", len(x), 2 * inner)
        np.matmul(self._normed(x, layer.widen_gain), layer.widen.matrix, out=both)
        gate, up = both[:, :inner], both[:, inner:]
        hidden = np.negative(gate, out=self._space("hidden", len(x), inner))
        self._exp(hidden)
        hidden += 1.0
        np.divide(gate, hidden, out=hidden)
        hidden *= up
        x += self._product(hidden, layer.narrow)

    def _normed(self, x: Array, gain: Array) -> Array:
        """Rows divided by their root mean square, times a gain, rounded to integers."""
        squares = np.square(x, out=self._space("squares", *x.shape))
        means = row_sums(squares) / self._shape.hidden
        normed = np.multiply(
            x, 1.0 / np.sqrt(means + self._shape.epsilon), out=self._space("normed", *x.shape)
        )
        normed *= gain
        return np.rint(normed, out=normed)

    def _product(self, x: Array, matrix: Exact) -> Array:
        """x, which is used up, times a matrix."""
        x *= matrix.scale
        return np.rint(x, out=x) @ matrix.matrix

    def _space(self, name: str, *shape: int) -> Array:
        """Scratch space of a shape: what it held before is void, and allocating takes time."""
        size = prod(shape)
        if size > len(self._scratch.get(name, ())):
            self._scratch[name] = np.empty(size)
        return self._scratch[name][:size].reshape(shape)


@dataclass(frozen=True, slots=True)
class _Item:
    """Queries of one sequence and group: rows ``first:last``, which see ``context`` positions."""

    memory: KeysValues
    group: int
    first: int
    last: int
    context: int


@dataclass(frozen=True, slots=True)
class _Tile:
    """Items that are treated together, each with its place [rows, context] in the flat scores.

    ``lengths`` are the contexts of all rows.
    """

    items: tuple[tuple[_Item, Array], ...]
    scores: Array
    lengths: Integers


def _turned(heads: Array, cosines: Array, sines: Array) -> Array:
    """Rotary positions: the halves of each head [tokens, heads, head] turned against each other."""
    half = heads.shape[2] // 2
    one, other = heads[:, :, :half], heads[:, :, half:]
    turned = np.empty(heads.shape)
    turned[:, :, :half] = one * cosines - other * sines
    turned[:, :, half:] = other * cosines + one * sines
    return turned


def _hide_what_comes(scores: Array, tokens: int) -> None:
    """Set the scores [tokens x heads, context] of positions after each token's own to ``NEVER``."""
    by_token = scores.reshape(tokens, -1, scores.shape[1])[:, :, -tokens:]
    later: NDArray[np.bool_] = ~np.tri(tokens, dtype=np.bool_)
    np.copyto(by_token, NEVER, where=later[:, None])


class Team:
    """Several transformers that share out a step: the same scores, sooner."""

    def __init__(self, weights: Weights, threads: int | None = None) -> None:
        """Make a team of so many threads; None for as many as there are cores, within reason."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        count = threads or min(cores, MOST_THREADS)
        self._members = [Transformer(weights) for _ in range(count)]
        self._pool = ThreadPoolExecutor(max(1, count - 1), thread_name_prefix="pocket")
        self._libraries = ThreadpoolController()

    def scores(self, spans: Sequence[Span]) -> Array:
        """As ``Transformer.scores``."""
        shares = shared_out(spans, len(self._members))
        # one thread each: BLAS's own would wait for each other at every one of many small products
        with self._libraries.limit(limits=1, user_api="blas"):
            others = [
                self._pool.submit(member.scores, share)
                for member, share in zip(self._members[1:], shares[1:], strict=False)
            ]
            parts = [self._members[0].scores(shares[0]), *(each.result() for each in others)]
        return np.concatenate(parts)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def shared_out(spans: Sequence[Span], count: int) -> list[Sequence[Span]]:
    """The spans in order, in at most ``count`` runs of about as many tokens."""
    ends = list(accumulate(len(span.tokens) for span in spans))
    cuts = {0, len(spans)}
    for number in range(1, count):
        goal = ends[-1] * number / count
        cuts.add(min(range(len(spans) + 1), key=lambda at: abs((ends[at - 1] if at else 0) - goal)))
    return [spans[first:last] for first, last in pairwise(sorted(cuts))]
