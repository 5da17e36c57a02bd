"""Attention over pages: for single tokens all sequences at once, for prompts one after the other.

Sums over a sequence's pages are sums of whole numbers, exact in any order: so they may be taken
page by page and put together, in whatever order the pages lie.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from feedback_friction.engine.models.pocket.exact import (
    PEAK,
    Array,
    Exponential,
    Integers,
    Scratch,
)
from feedback_friction.engine.models.pocket.grids import WEIGHT_BITS
from feedback_friction.engine.models.pocket.memory import PAGE, Memory, Pool, pages_for

NEVER = -(2.0**40)  # added to the score of a token that is still to come
TILE = 32_768  # scores of a prompt that are treated together: they fit into a core's cache
SHARES = 2.0**WEIGHT_BITS


class Singles:
    """The next token of many sequences, each of which sees all of its own."""

    def __init__(self, pool: Pool, memories: Sequence[Memory], lengths: Sequence[int]) -> None:
        """Prepare a step.

        Args:
            memories: of the sequences, one for each row of queries.
            lengths: tokens that each sees, its own included.
        """
        self._pages = pool.used
        # pages of others than these are computed too, whole, for a row that is left out in the end
        rows_of = np.full(pool.memories, len(memories))
        lengths_of = np.full(pool.memories, PAGE * pool.used)
        numbers = [memory.number for memory in memories]
        rows_of[numbers] = np.arange(len(memories))
        lengths_of[numbers] = lengths
        owners = pool.owners[: pool.used]
        self._rows: Integers = rows_of[owners]
        order = np.argsort(self._rows, kind="stable")
        ordered = self._rows[order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        self._order, self._first = order, first
        # the pages of each sequence one by one: all first ones, all second ones, ...
        nth = np.arange(len(ordered)) - np.repeat(first, np.diff(first, append=len(ordered)))
        self._rounds = [
            (ordered[nth == number], order[nth == number]) for number in range(nth.max() + 1)
        ]
        valid = lengths_of[owners] - pool.starts[: pool.used]
        self._cut = np.flatnonzero(valid < PAGE)
        hidden: NDArray[np.bool_] = np.arange(PAGE) >= valid[self._cut, None]
        self._hide: Array = np.where(hidden, NEVER, 0.0)[:, None]

    def mixed(
        self, queries: Array, keys: Array, values: Array, exp: Exponential, scratch: Scratch
    ) -> Array:
        """What each takes from the values, [groups, rows, heads, head].

        Args:
            queries: [groups, rows, heads of a group, head].
            keys: [groups, pages, PAGE, head], at least all used pages.
            values: [groups, pages, head, PAGE].
        """
        groups, rows, heads, width = queries.shape
        pages = self._pages
        padded = np.zeros((groups, rows + 1, heads, width))
        padded[:, :rows] = queries
        asked = scratch("asked", groups, pages, heads, width)
        padded.take(self._rows, axis=1, out=asked, mode="clip")
        scores = scratch("scores", groups, pages, heads, PAGE)
        # few rows meet each page: taken one by one they spare BLAS a copy of it
        np.matvec(keys[:, :pages, None], asked, out=scores)
        scores[:, self._cut] += self._hide
        flat = scores.reshape(-1, copy=False)
        peaks = np.maximum.reduceat(flat, np.arange(0, len(flat), PAGE))
        scores -= self._apart(self._together(np.maximum, peaks.reshape(scores.shape[:3])) - PEAK)
        exp(scores)
        np.rint(scores, out=scores)
        sums = scores.reshape(-1, PAGE) @ np.ones(PAGE)
        scores *= self._apart(SHARES / self._together(np.add, sums.reshape(scores.shape[:3])))
        np.rint(scores, out=scores)
        parts = np.matvec(values[:, :pages, None], scores, out=asked)
        padded[:] = 0.0
        for rows_of, pages_of in self._rounds:
            padded[:, rows_of] += parts[:, pages_of]
        return padded[:, :rows]

    def _together(self, reduce: np.ufunc, by_page: Array) -> Array:
        """By sequence, the pages' [groups, pages, heads] maximum or sum."""
        found: Array = reduce.reduceat(by_page.take(self._order, axis=1), self._first, axis=1)
        return found

    def _apart(self, by_row: Array) -> Array:
        """By page, what is the sequence's [groups, rows, heads]."""
        return by_row.take(self._rows, axis=1)[..., None]


def mixed_of_prompt(
    queries: Array, memory: Memory, start: int, keys: Array, values: Array, exp: Exponential
) -> Array:
    """What the tokens of a piece of a prompt take from the values, [groups, tokens, heads, head].

    Args:
        queries: [groups, tokens, heads of a group, head].
        start: position of the first token.
        keys: [groups, pages, PAGE, head].
        values: [groups, pages, head, PAGE].
    """
    groups, tokens, heads, width = queries.shape
    length = start + tokens
    mixed: Array = np.empty(queries.shape)
    pages = memory.pages[: pages_for(length)]
    for group in range(groups):
        mine = keys[group, pages].reshape(-1, width).T
        theirs = values[group, pages].swapaxes(0, 1).reshape(width, -1).T
        step = max(1, TILE // (heads * length))
        for first in range(0, tokens, step):
            last = min(first + step, tokens)
            seen = start + last
            scores = queries[group, first:last].reshape(-1, width) @ mine[:, :seen]
            _hide_what_comes(scores, last - first)
            _softmax(scores, exp)
            rows = mixed[group, first:last].reshape(-1, width, copy=False)
            np.matmul(scores, theirs[:seen], out=rows)
    return mixed


def _softmax(scores: Array, exp: Exponential) -> None:
    """Scores [rows, length] to whole weights in place, which add up to about 2^28 in each row."""
    scores -= scores.max(axis=1, keepdims=True) - PEAK
    exp(scores)
    np.rint(scores, out=scores)
    scores *= SHARES / scores.sum(axis=1, keepdims=True)
    np.rint(scores, out=scores)


def _hide_what_comes(scores: Array, tokens: int) -> None:
    """Make the positions after each token's own in scores [tokens x heads, length] hopeless."""
    by_token = scores.reshape(tokens, -1, scores.shape[1], copy=False)[:, :, -tokens:]
    by_token += np.where(np.tri(tokens, dtype=np.bool_), 0.0, NEVER)[:, None]
