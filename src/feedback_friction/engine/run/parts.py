"""A run split over machines: which problems a part of it runs.

All conditions of a problem go to one part, so that they share their first attempts there. A part's
directory is a run directory like any other, in which the other parts' trials are missing.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from feedback_friction.errors import UsageError
from feedback_friction.problem import Problem


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a run.

    Attributes:
        number: from 1.
        of: how many parts there are.
    """

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, problem: Problem) -> bool:
        """Whether a problem is this part's; decided by its name alone."""
        digest = hashlib.blake2b(f"{problem.task}\0{problem.id}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % self.of == self.number - 1


def parse_part(text: str | None) -> Part:
    """``"2/8"`` as a part; the whole where nothing is given.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return WHOLE
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--part must be like 2/8, from 1/8 to 8/8, not '{text}'")
    return Part(int(found[1]), int(found[2]))


WHOLE = Part()
