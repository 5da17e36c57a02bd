"""How much work something is, without a clock on the wall: what no test may depend on.

``calls`` counts steps. It sees nothing of what happens within a call, such as a search for a
pattern; ``growth`` does, by comparing the processor time of a larger input with that of a smaller
one on the same machine, however fast it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

_TRIES = 7


def calls(work: Callable[[], object]) -> int:
    """Functions called, in Python and in C, while something is done."""
    count = 0

    def see(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def growth(work: Callable[[int], object], small: int, large: int) -> float:
    """How many times the processor time of a small input a large one takes; the least of some.

    Others on the machine, a cold cache or a collection of garbage can only make one of the two
    look slower than it is, so that the least of several measurements is the truest.

    Args:
        work: what is done with an input of so many units; what it keeps of one call must not
            serve the next.
        small, large: the two sizes; linear work gives their quotient, quadratic work its square.
    """

    def seconds(size: int) -> float:
        began = time.thread_time()
        work(size)
        return time.thread_time() - began

    work(small)  # whatever is made once
    wanted = 1.5 * large / small
    lesser, greater = seconds(small), seconds(large)
    for _ in range(_TRIES):
        if greater <= wanted * lesser:
            break
        lesser, greater = max(lesser, seconds(small)), min(greater, seconds(large))
    return greater / max(lesser, 1e-6)
