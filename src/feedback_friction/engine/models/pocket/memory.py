"""Keys and values: of one running sequence, and of prompts' blocks that later prompts begin with.

They are whole numbers of at most 24 bits (see ``transformer``), times a power of two: a float32
holds them exactly, so that blocks are kept in half the space and come back bit for bit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from feedback_friction.engine.models.pocket.exact import Array
from feedback_friction.engine.models.pocket.folder import Shape

BLOCK = 16  # tokens of a block
STRIDE = 128  # a sequence's memory grows by so many tokens


class KeysValues:
    """Keys and values of one sequence; room for more is made as it grows.

    Attributes:
        keys: by layer and group, [head, room]: transposed, as the product with queries wants them.
        values: by layer and group, [room, head].
    """

    def __init__(self, shape: Shape, tokens: int) -> None:
        """Make room for at least so many tokens."""
        self._shape = shape
        self._adopt(self._empty(tokens))

    def _empty(self, tokens: int) -> Array:
        room = -(-tokens // STRIDE) * STRIDE
        shape = self._shape
        return np.empty((shape.layers, 2, shape.groups, room, shape.head))

    def _adopt(self, both: Array) -> None:
        self._both = both
        self.keys = [[group.T for group in layer[0]] for layer in both]
        self.values = [list(layer[1]) for layer in both]

    @property
    def room(self) -> int:
        """Tokens that fit."""
        return int(self._both.shape[3])

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self._both.nbytes

    def grow(self, tokens: int) -> None:
        """Make room for so many tokens, keeping what is there."""
        if tokens > self.room:
            larger = self._empty(tokens)
            larger[:, :, :, : self.room] = self._both
            self._adopt(larger)

    def write(self, layer: int, start: int, both: Array) -> None:
        """Set keys and values of some positions; ``both`` is [tokens, 2, groups, head]."""
        self._both[layer, :, :, start : start + len(both)] = both.transpose(1, 2, 0, 3)

    def block(self, number: int) -> NDArray[np.float32]:
        """A copy of a block, exact in float32."""
        return self._both[:, :, :, number * BLOCK : (number + 1) * BLOCK].astype(np.float32)

    def set_block(self, number: int, block: NDArray[np.float32]) -> None:
        """Write a block."""
        self._both[:, :, :, number * BLOCK : (number + 1) * BLOCK] = block


class Prefixes:
    """Blocks of keys and values by the tokens before them, the least recently used goes first.

    A block is known by its tokens and by the block before it, as in vLLM; that one's number stands
    for all tokens before it, so that two prefixes never take each other's place.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[int, tuple[int, ...]], tuple[int, NDArray[np.float32]]]
        self._blocks = OrderedDict()
        self._numbers = count(1)
        self.size = 0  # bytes

    def find(self, tokens: Sequence[int], limit: int) -> list[NDArray[np.float32]]:
        """The blocks that are known of a sequence's beginning, of at most ``limit`` tokens."""
        found, keys, before = [], [], 0
        for start in range(0, limit - BLOCK + 1, BLOCK):
            key = (before, tuple(tokens[start : start + BLOCK]))
            if key not in self._blocks:
                break
            before, block = self._blocks[key]
            found.append(block)
            keys.append(key)
        self._touch(keys)
        return found

    def keep(self, tokens: Sequence[int], computed: int, memory: KeysValues) -> None:
        """Keep all whole blocks of a sequence's first ``computed`` tokens."""
        before, keys = 0, []
        for number in range(computed // BLOCK):
            key = (before, tuple(tokens[number * BLOCK : (number + 1) * BLOCK]))
            if key not in self._blocks:
                self._blocks[key] = (next(self._numbers), memory.block(number))
                self.size += self._blocks[key][1].nbytes
            before = self._blocks[key][0]
            keys.append(key)
        self._touch(keys)

    def shrink(self, size: int) -> None:
        """Forget the least recently used blocks until they take at most so many bytes."""
        while self.size > size and self._blocks:
            _, (_, block) = self._blocks.popitem(last=False)
            self.size -= block.nbytes

    def _touch(self, keys: Sequence[tuple[int, tuple[int, ...]]]) -> None:
        # The beginning last: a block without the one before it can never be found.
        for key in reversed(keys):
            self._blocks.move_to_end(key)
