"""Tokens of many sequences in, scores of their successors out: the same bits in any company.

All tokens of a step go through the matrices together; attention goes by pages, see ``attention``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from feedback_friction.engine.models.pocket.attention import Singles, mixed_of_prompt
from feedback_friction.engine.models.pocket.exact import (
    Array,
    Exact,
    Exponential,
    Scratch,
    row_sums,
)
from feedback_friction.engine.models.pocket.grids import Layer, Weights
from feedback_friction.engine.models.pocket.memory import PAGE, Memory, Pool


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of one sequence that go through the model in one step.

    Attributes:
        memory: the sequence's keys and values; those of the positions before are there.
        start: position of the first token.
        tokens: their ids.
        scored: whether the scores of the last one's successor are wanted.
    """

    memory: Memory
    start: int
    tokens: Sequence[int]
    scored: bool

    @property
    def last(self) -> Span:
        """Its last token."""
        start = self.start + len(self.tokens) - 1
        return Span(self.memory, start, self.tokens[-1:], self.scored)


class Transformer:
    """Takes spans through a model's layers; not for two threads at once.

    Attributes:
        weights: the model.
        pool: where its sequences have their keys and values.
    """

    def __init__(self, weights: Weights, pages: int = 64) -> None:
        """Make one with a pool of so many pages, to begin with."""
        self.weights = weights
        self.pool = Pool(weights.shape, pages)
        self._shape = weights.shape
        self._exp = Exponential()
        self._scratch = Scratch()

    def scores(self, spans: Sequence[Span]) -> Array:
        """Scores (logits) of the successors, [spans that are scored, vocabulary].

        Writes the keys and values of all tokens to the spans' memories, which must have pages for
        them and belong to this transformer's pool.
        """
        weights = self.weights
        ids = np.array([token for span in spans for token in span.tokens])
        places = _Places(self.pool, weights, spans)
        ends = accumulate(len(span.tokens) for span in spans)
        last = np.array([end - 1 for end, span in zip(ends, spans, strict=True) if span.scored])
        x: Array = weights.embeddings[ids]
        step = _Step(self.pool, spans)
        for number, layer in enumerate(weights.layers):
            queries = self._remember(number, layer, x, places)
            if number == self._shape.layers - 1:  # from here on only what is scored is wanted
                if not len(last):
                    return np.empty((0, self._shape.vocabulary))
                if len(last) < len(x):
                    x, queries = x[last], queries.take(last, axis=1)
                    step = _Step(self.pool, [span.last for span in spans if span.scored])
            x += self._product(step.mixed(number, queries, self._exp, self._scratch), layer.output)
            self._feed_forward(layer, x)
        return self._normed(x, weights.head_gain) @ weights.head.matrix

    def _remember(self, number: int, layer: Layer, x: Array, places: _Places) -> Array:
        """Write keys and values; returns the queries, [groups, tokens, heads of a group, head]."""
        shape, rows = self._shape, len(x)
        heads = self._scratch("heads", rows, shape.heads + 2 * shape.groups, shape.head)
        normed = self._normed(x, layer.attend_gain)
        np.matmul(normed, layer.attend.matrix, out=heads.reshape(rows, -1, copy=False))
        turned = _turned(heads[:, : shape.heads + shape.groups], places.cosines, places.sines)
        keys = np.rint(turned[:, shape.heads :] * layer.key_scale)
        values = np.rint(heads[:, shape.heads + shape.groups :] * layer.value_scale)
        keys *= layer.key_unit
        values *= layer.value_unit
        pool, pages, offsets = self.pool, places.pages, places.offsets
        pool.keys[number][:, pages, offsets] = keys.swapaxes(0, 1)
        pool.values[number][:, pages, :, offsets] = values
        grouped = turned[:, : shape.heads].reshape(rows, shape.groups, -1, shape.head)
        queries = self._scratch("queries", shape.groups, rows, *grouped.shape[2:])
        np.multiply(grouped.swapaxes(0, 1), layer.query_scale, out=queries)
        return np.rint(queries, out=queries)

    # --- the rest --------------------------------------------------------------------------------

    def _feed_forward(self, layer: Layer, x: Array) -> None:
        """Add what the gated linear unit makes of x to it."""
        inner = self._shape.inner
        both = self._scratch("both", len(x), 2 * inner)
        np.matmul(self._normed(x, layer.widen_gain), layer.widen.matrix, out=both)
        gate, up = both[:, :inner], both[:, inner:]
        hidden = np.negative(gate, out=self._scratch("hidden", len(x), inner))
        self._exp(hidden)
        hidden += 1.0
        np.divide(gate, hidden, out=hidden)
        hidden *= up
        x += self._product(hidden, layer.narrow)

    def _normed(self, x: Array, gain: Array) -> Array:
        """Rows divided by their root mean square, times a gain, rounded to integers."""
        squares = np.square(x, out=self._scratch("squares", *x.shape))
        means = row_sums(squares) / self._shape.hidden
        normed = np.multiply(
            x, 1.0 / np.sqrt(means + self._shape.epsilon), out=self._scratch("normed", *x.shape)
        )
        normed *= gain
        return np.rint(normed, out=normed)

    def _product(self, x: Array, matrix: Exact) -> Array:
        """x, which is used up, times a matrix."""
        x *= matrix.scale
        product = self._scratch("product", len(x), matrix.matrix.shape[1])
        return np.matmul(np.rint(x, out=x), matrix.matrix, out=product)


class _Places:
    """Where the tokens of a step stand: their turns, and their places in the pool."""

    def __init__(self, pool: Pool, weights: Weights, spans: Sequence[Span]) -> None:
        positions = np.concatenate(
            [np.arange(span.start, span.start + len(span.tokens)) for span in spans]
        )
        self.cosines, self.sines = weights.cosines[positions], weights.sines[positions]
        self.offsets = positions % PAGE
        self.pages = np.array(
            [
                span.memory.pages[position // PAGE]
                for span in spans
                for position in range(span.start, span.start + len(span.tokens))
            ]
        )


class _Step:
    """How the queries of a step attend: single tokens all at once, pieces of prompts one by one."""

    def __init__(self, pool: Pool, spans: Sequence[Span]) -> None:
        self._pool = pool
        ends = list(accumulate(len(span.tokens) for span in spans))
        single = [at for at, span in enumerate(spans) if len(span.tokens) == 1]
        self._rows = np.array([ends[at] - 1 for at in single])
        self._prompts = [
            (ends[at] - len(span.tokens), ends[at], span)
            for at, span in enumerate(spans)
            if len(span.tokens) > 1
        ]
        if single:
            memories = [spans[at].memory for at in single]
            self._singles = Singles(pool, memories, [spans[at].start + 1 for at in single])

    def mixed(self, number: int, queries: Array, exp: Exponential, scratch: Scratch) -> Array:
        """What attention takes from a layer's values, [tokens, heads x head]."""
        keys, values = self._pool.keys[number], self._pool.values[number]
        if not self._prompts:
            mixed = self._singles.mixed(queries, keys, values, exp, scratch)
        else:
            mixed = np.empty(queries.shape)
            if len(self._rows):
                asked = queries.take(self._rows, axis=1)
                mixed[:, self._rows] = self._singles.mixed(asked, keys, values, exp, scratch)
            for first, end, span in self._prompts:
                asked = queries[:, first:end]
                mixed[:, first:end] = mixed_of_prompt(
                    asked, span.memory, span.start, keys, values, exp
                )
        return mixed.swapaxes(0, 1).reshape(mixed.shape[1], -1)


def _turned(heads: Array, cosines: Array, sines: Array) -> Array:
    """Rotary positions: the halves of each head [tokens, heads, head] turned against each other."""
    half = heads.shape[2] // 2
    one, other = heads[:, :, :half], heads[:, :, half:]
    turned = np.empty(heads.shape)
    turned[:, :, :half] = one * cosines - other * sines
    turned[:, :, half:] = other * cosines + one * sines
    return turned
