"""Problems to train on, and problems held out: by a hash of task and id.

A problem stays where it is whatever is drawn beside it, so that no run can train on what another
one holds out; a larger share holds out all that a smaller one does.
"""

from __future__ import annotations

import hashlib
from typing import Literal

Split = Literal["train", "held-out", "all"]
SPLITS: tuple[Split, ...] = ("train", "held-out", "all")
HELD_OUT = 0.2


def split_of(task: str, problem_id: str, held_out: float = HELD_OUT) -> Split:
    """The half of a training split that a problem belongs to, by its name alone.

    Args:
        held_out: share of the problems that is held out.
    """
    digest = hashlib.blake2b(f"{task}\0{problem_id}".encode(), digest_size=8).digest()
    return "held-out" if int.from_bytes(digest) < held_out * 2**64 else "train"


def takes(split: str, task: str, problem_id: str, held_out: float = HELD_OUT) -> bool:
    """Whether a problem is in a split, or in ``all``."""
    return split == "all" or split == split_of(task, problem_id, held_out)
