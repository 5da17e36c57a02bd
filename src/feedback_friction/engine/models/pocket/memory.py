"""Keys and values: of the running sequences, in pages, and of prompts that later ones begin with.

All pages of a pool lie side by side, whosever they are, so that attention takes one product over
all of them instead of one for each sequence. A page that is given back is replaced by the last one.

Keys and values are whole numbers of at most 24 bits (see ``grids``), times a power of two: a
float32 holds them exactly, so that prefixes are kept in half the space and come back bit for bit.
"""

from __future__ import annotations

import mmap
import sys
import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from math import prod

import numpy as np
from numpy.typing import NDArray

from feedback_friction.engine.models.pocket.exact import Array, Integers
from feedback_friction.engine.models.pocket.folder import Shape

PAGE = 64  # tokens of a page
BLOCK = 16  # tokens of a block of a kept prefix; divides a page


def page_size(shape: Shape) -> int:
    """Bytes of a page."""
    return shape.layers * 2 * shape.groups * PAGE * shape.head * 8


def pages_for(tokens: int) -> int:
    """How many pages so many tokens take."""
    return -(-tokens // PAGE)


class Pool:
    """Pages of keys and values; not for two threads at once.

    Attributes:
        keys: [layers, groups, pages, PAGE, head]; all numbers are finite, in unused places too.
        values: [layers, groups, pages, head, PAGE], as the product with weights wants them; the
            same.
        used: how many pages are somebody's: the first ones.
        most: how many ever were; what lies behind takes no memory, as nothing was written there.
        owners: by page, the number of the memory that it belongs to.
        starts: by page, the position of its first token.
    """

    def __init__(self, shape: Shape, pages: int) -> None:
        """Make a pool of so many pages; it grows when they are not enough."""
        self._shape = shape
        self._memories: dict[int, Memory] = {}
        self._numbers: list[int] = []
        self.used = self.most = 0
        self._make(max(1, pages))

    def _make(self, pages: int) -> None:
        shape = self._shape
        # All layers of a page lie together, so that what is in use ends in one place: the system
        # hands memory out in pieces of up to 2 MB, and part of the last piece goes to waste.
        keys = np.zeros((pages, shape.layers, shape.groups, PAGE, shape.head))
        values = np.zeros((pages, shape.layers, shape.groups, shape.head, PAGE))
        self.keys: Array = keys.transpose(1, 2, 0, 3, 4)
        self.values: Array = values.transpose(1, 2, 0, 3, 4)
        self.owners: Integers = np.zeros(pages, np.int64)
        self.starts: Integers = np.zeros(pages, np.int64)

    @property
    def memories(self) -> int:
        """One more than the largest number of a memory."""
        return max(self._memories, default=-1) + 1

    def open(self) -> Memory:
        """The memory of a new sequence, empty."""
        number = self._numbers.pop() if self._numbers else len(self._memories)
        self._memories[number] = Memory(self, number)
        return self._memories[number]

    def add(self, memory: Memory) -> None:
        """Give a memory one more page."""
        if self.used == len(self.owners):
            before = self.owners, self.starts, self.keys, self.values
            self._make(2 * self.used)
            self.owners[: self.used], self.starts[: self.used] = before[:2]
            self.keys[:, :, : self.used], self.values[:, :, : self.used] = before[2:]
        self.owners[self.used] = memory.number
        self.starts[self.used] = len(memory.pages) * PAGE
        memory.pages.append(self.used)
        self.used += 1
        self.most = max(self.most, self.used)

    def close(self, memory: Memory) -> None:
        """Take all pages of a memory back."""
        for page in sorted(memory.pages, reverse=True):
            self.used -= 1
            if page != self.used:  # the last page moves into the gap
                for array in (self.keys, self.values):
                    array[:, :, page] = array[:, :, self.used]
                for numbers in (self.owners, self.starts):
                    numbers[page] = numbers[self.used]
                moved = self._memories[int(self.owners[page])]
                moved.pages[int(self.starts[page]) // PAGE] = page
        memory.pages.clear()
        del self._memories[memory.number]
        self._numbers.append(memory.number)


class Memory:
    """Keys and values of one sequence.

    Attributes:
        pool: whose pages it has.
        number: among the pool's memories.
        pages: in order of their tokens.
    """

    def __init__(self, pool: Pool, number: int) -> None:
        self.pool = pool
        self.number = number
        self.pages: list[int] = []

    def reserve(self, tokens: int) -> None:
        """Have pages for so many tokens."""
        while len(self.pages) < pages_for(tokens):
            self.pool.add(self)

    def close(self) -> None:
        """Give everything back."""
        self.pool.close(self)

    def block(self, number: int) -> NDArray[np.float32]:
        """A copy of a block, [2, layers, groups, BLOCK, head], exact in float32."""
        views = self._block(number)
        block = _returned_when_freed((len(views), *views[0].shape))
        block[0], block[1] = views
        return block

    def set_block(self, number: int, block: NDArray[np.float32]) -> None:
        """Write a block; there must be a page for it."""
        keys, values = self._block(number)
        keys[:], values[:] = block

    def _block(self, number: int) -> tuple[Array, Array]:
        """Views of a block's keys and values, each [layers, groups, BLOCK, head]."""
        page, place = divmod(number * BLOCK, PAGE)
        keys = self.pool.keys[:, :, self.pages[page], place : place + BLOCK]
        values = self.pool.values[:, :, self.pages[page], :, place : place + BLOCK]
        return keys, values.swapaxes(2, 3)


def _returned_when_freed(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An array whose memory goes back to the system with it; malloc would keep most of it."""
    size = 4 * prod(shape)
    if sys.platform == "win32":
        space = mmap.mmap(-1, size)
    else:
        space = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return np.ndarray(shape, np.float32, space)


class Prefixes:
    """Blocks of keys and values by the tokens before them, the least recently kept goes first.

    A block is known by its tokens and by the block before it, as in vLLM; that one's number stands
    for all tokens before it, so that two prefixes never take each other's place. For any thread.
    """

    def __init__(self) -> None:
        self._blocks: OrderedDict[tuple[int, tuple[int, ...]], tuple[int, NDArray[np.float32]]]
        self._blocks = OrderedDict()
        self._numbers = count(1)
        self._lock = threading.Lock()
        self.size = 0  # bytes

    def find(self, tokens: Sequence[int], limit: int) -> list[NDArray[np.float32]]:
        """The blocks that are known of a sequence's beginning, of at most ``limit`` tokens."""
        found, before = [], 0
        with self._lock:
            for start in range(0, limit - BLOCK + 1, BLOCK):
                key = (before, tuple(tokens[start : start + BLOCK]))
                if key not in self._blocks:
                    break
                before, block = self._blocks[key]
                found.append(block)
        return found

    def keep(self, tokens: Sequence[int], computed: int, memory: Memory) -> None:
        """Keep all whole blocks of a sequence's first ``computed`` tokens, known ones longer."""
        before, keys = 0, []
        with self._lock:
            for number in range(computed // BLOCK):
                key = (before, tuple(tokens[number * BLOCK : (number + 1) * BLOCK]))
                if key not in self._blocks:
                    self._blocks[key] = (next(self._numbers), memory.block(number))
                    self.size += self._blocks[key][1].nbytes
                before = self._blocks[key][0]
                keys.append(key)
            # The beginning last: a block without the one before it can never be found.
            for key in reversed(keys):
                self._blocks.move_to_end(key)

    def shrink(self, size: int) -> None:
        """Forget the least recently kept blocks until they take at most so many bytes."""
        with self._lock:
            while self.size > size and self._blocks:
                _, (_, block) = self._blocks.popitem(last=False)
                self.size -= block.nbytes
