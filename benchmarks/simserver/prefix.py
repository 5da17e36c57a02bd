"""The prefix cache: which beginnings of prompts need no prefill, by hashes of full blocks.

Block i is known by the hash of its text and of the hash of block i - 1, as in vLLM's automatic
prefix caching; the last, partial block is never cached, and the least recently used leave first.
"""

from __future__ import annotations

from collections import OrderedDict

CHARS_PER_TOKEN = 4


class PrefixCache:
    """Remembers up to ``capacity`` blocks of ``block_tokens`` tokens each."""

    def __init__(self, block_tokens: int, capacity: int):
        self._block_tokens, self._capacity = block_tokens, capacity
        # Not a plain dict: after deletions at its front, finding its first key is a linear search.
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def admit(self, prompt: str) -> int:
        """Cache a prompt; return how many of its tokens were cached before."""
        size = self._block_tokens * CHARS_PER_TOKEN
        blocks, key, hits, hitting = self._blocks, 0, 0, True
        for start in range(0, len(prompt) - size + 1, size):
            key = hash((key, prompt[start : start + size]))
            if key in blocks:
                blocks.move_to_end(key)
                hits += hitting
            else:
                blocks[key] = None
                hitting = False
        while len(blocks) > self._capacity:
            blocks.popitem(last=False)
        return hits * self._block_tokens
