"""What a user should know of a run although it goes on: shown once, and kept with the run.

A parameter that a server does not take, a model that no server lists, a replica that is down: none
is a reason to stop, each may be a reason to read the numbers otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from feedback_friction.engine.run.run_directory import add_notices

MOST = 100  # of them are kept: a server that words each answer anew must not fill the file


class Notices:
    """Collects notices; one that was told before is not told again."""

    def __init__(self, show: Callable[[str], None]) -> None:
        """Begin without a run directory; ``show`` is given every new line."""
        self._show = show
        self._told: dict[str, None] = {}
        self._directory: Path | None = None

    def tell(self, line: str) -> None:
        """Show a line, and keep it once there is a directory."""
        if line in self._told or len(self._told) >= MOST:
            return
        self._told[line] = None
        self._show(line)
        self._keep()

    def keep_in(self, directory: Path) -> None:
        """Keep what was and will be told in a directory that this process has locked."""
        self._directory = directory
        self._keep()

    def _keep(self) -> None:
        if self._directory is None or not self._told:
            return
        try:
            add_notices(self._directory, list(self._told))
        except OSError as error:  # a run does not end for want of a note
            self._show(f"notices cannot be kept in {self._directory}: {error}")
            self._directory = None
