"""Starts the simulated server as a process of its own, and talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.simserver.ledger import Entry
from benchmarks.simserver.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class SimulatedServer:
    """A running server.

    Attributes:
        url: base URL of the API, ending in ``/v1``.
        control_url: base URL of the controls; it answers while the API is dead, too.
        process: the server's process.
    """

    url: str
    control_url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """The API's port."""
        return int(self.url.removesuffix("/v1").rpartition(":")[2])

    def stats(self) -> dict[str, Any]:
        """Sums over all calls since the start or the last reset, see ``Ledger.summary``."""
        found: dict[str, Any] = self._ask("GET", "/stats")
        return found

    def log(self) -> list[Entry]:
        """All calls in the order of their arrival."""
        return [Entry(*row) for row in self._ask("GET", "/log")]

    def change(self, **settings: object) -> None:
        """Change settings of the running server, e.g. ``change(server_error=1.0)``."""
        self._ask("POST", "/control", settings)

    def reset(self) -> None:
        """Forget all calls, the prefix cache, and the position in the sequence of faults."""
        self._ask("POST", "/reset")

    def die(self) -> None:
        """Close the API's port and every connection to it."""
        self._ask("POST", "/die")

    def revive(self) -> None:
        """Open the same port again."""
        self._ask("POST", "/revive")

    def kill(self) -> None:
        """End the process at once, controls included."""
        self.process.kill()
        self.process.wait()

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self.control_url + path, json.dumps(body).encode() if body else None, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)


@contextmanager
def simulated_server(
    settings: Settings | None = None, *, port: int = 0
) -> Iterator[SimulatedServer]:
    """A simulated server for the length of a ``with`` block; its process ends with this one.

    Args:
        settings: how it behaves.
        port: port of the API; 0 takes a free one.

    Raises:
        RuntimeError: it did not start, e.g. because the port is taken.
    """
    command = [sys.executable, "-m", "benchmarks.simserver", "--port", str(port), "--with-stdin"]
    process = subprocess.Popen(
        [*command, *_options(settings or Settings())],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # its end tells the server that this process is gone
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated server did not start (exit {process.wait()})")
        said = json.loads(line)
        yield SimulatedServer(said["url"], said["control_url"], process)
    finally:
        process.kill()
        process.communicate()


def _options(settings: Settings) -> list[str]:
    options = []
    for field in fields(settings):
        value = getattr(settings, field.name)
        if value != field.default:
            shown = list(value) if isinstance(value, tuple) else value
            options += [f"--set={field.name}={json.dumps(shown)}"]
    return options
