"""llama.cpp's own server, started for a run and ended with it; see ``gguf_process``."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO

import orjson
from yarl import URL

from feedback_friction.engine.models.llama.gguf_header import read_header
from feedback_friction.engine.models.remote.endpoint import Endpoint
from feedback_friction.engine.models.remote.faults import one_line
from feedback_friction.engine.models.remote.transport import Pool
from feedback_friction.errors import UsageError, reason

MOST = 2**31 - 1  # llama.cpp's numbers have 32 bits
# How a file is served, each from its least to its most value: requests that are worked on at once,
# tokens of each, threads on the CPU (without a wish one for each core that is free when the model
# is loaded), layers on the graphics card (without a wish as many as llama.cpp finds fit).
LIMITS = {"slots": (1, 256), "context": (1, MOST), "threads": (1, MOST), "gpu_layers": (0, MOST)}
SLOTS, CONTEXT = 8, 4096  # where nothing else is asked for; the context at most
_SCRIPT = Path(__file__).with_name("gguf_process.py")
_PATIENCE = 5.0  # seconds that it may take to end
# "0.00.039.729 E llama_model_load: error loading model: ..."
_ERROR = re.compile(r"^[\d.]+ E +(?:srv +)?(\S.*)$", re.MULTILINE)


class LlamaServer:
    """One file, served by one process to all models that use it.

    Attributes:
        slots: requests that it works on at once.
        pool: connections to it, one for each slot, so that requests wait here.
    """

    def __init__(self, name: str, path: Path, served: Mapping[str, int]) -> None:
        """Prepare; nothing is started yet. To be called within the running event loop.

        Args:
            name: what its models are called, in errors and by the server.
            path: a file that ``check_file`` has passed.
            served: how, by the names of ``LIMITS``.
        """
        self.slots = served.get("slots", SLOTS)
        self.pool = Pool(self.slots)
        self.pool.join()
        self._name, self._path, self._served = name, path, served
        self._key = secrets.token_urlsafe(24)
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the server
        self._log_path: Path | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._endpoint: Endpoint | None = None
        self._starting = asyncio.Lock()
        self._users: list[Callable[[str], None]] = []
        self._watcher: asyncio.Task[None] | None = None

    def join(self, ended: Callable[[str], None]) -> None:
        """Count one more user, who is told why where the process ends before its time."""
        self._users.append(ended)

    async def start(self) -> Endpoint:
        """Load the model, once for all users.

        Raises:
            UsageError: it does not load; one line, with llama.cpp's own words.
        """
        async with self._starting:
            if self._endpoint is None:
                self._endpoint = await self._started()
                self._watcher = asyncio.create_task(self._watch())
            return self._endpoint

    async def log_in(self, directory: Path) -> None:
        """Have the log go on in a run directory, from its beginning; only the first one counts."""
        if self._log_path is not None or self._process is None or self._process.stdin is None:
            return
        stem = re.sub(r"[^\w.-]", "-", Path(self._name).name.removesuffix(".gguf"))
        self._log_path = directory.resolve() / f"llama-{stem}.log"
        self._process.stdin.write(f"{self._log_path}\n".encode())
        await self._process.stdin.drain()

    async def leave(self, ended: Callable[[str], None]) -> None:
        """Count one user less; the last one ends the process."""
        self._users.remove(ended)
        if self._users:
            return
        if self._watcher is not None:
            self._watcher.cancel()
        if self._process is not None:
            await _end(self._process)
        await self.pool.leave()
        self._log.close()

    async def _started(self) -> Endpoint:
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # its neighbours are called as modules of the standard library are
            str(_SCRIPT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the run, which lets replies under way end
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a process without pipes")
        asked = {"path": str(self._path), "name": self._name, "key": self._key, **self._served}
        asked |= {"slots": self.slots, "context": _context(self._path, self._served)}
        process.stdin.write(orjson.dumps(asked) + b"\n")
        line = await process.stdout.readline()
        if not line.strip():
            await process.wait()
            raise UsageError(f"gguf/{self._name} does not load: {self._why(process)}")
        base = URL(line.decode().strip()) / "v1"
        return Endpoint(base, str(base), self._key)

    def _why(self, process: asyncio.subprocess.Process) -> str:
        """Why the process ended, by its log: the first error that it names, else the last line."""
        self._log.seek(0)
        log = self._log_path.read_bytes() if self._log_path is not None else self._log.read()
        text = log.decode("utf-8", "replace")
        code = process.returncode or 0
        if code == -signal.SIGKILL:
            return "the system killed llama.cpp, as it does when memory runs out"
        found = _ERROR.search(text)
        lines = text.strip().splitlines() or ["llama.cpp wrote no log"]
        said = found[1].partition(": ")[2] or found[1] if found else lines[-1]
        return one_line(said)

    async def _watch(self) -> None:
        """Tell the users when the process ends before they do."""
        if self._process is None:
            return
        await self._process.wait()
        where = f" (its log: {self._log_path})" if self._log_path is not None else ""
        for ended in self._users:
            ended(f"gguf/{self._name}: llama.cpp ended: {self._why(self._process)}{where}")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process by closing its standard input, or else by force."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _PATIENCE)
    except TimeoutError:
        process.kill()
        await process.wait()


def check_file(spec: str, path: Path) -> None:
    """Refuse a file that cannot answer a chat.

    Raises:
        UsageError: it is no language model, or has no chat template; one line.
    """
    header = read_header(path)
    kind = header.values.get("general.type", "model")
    if kind != "model":
        raise UsageError(f"{spec}: {path.name} is not a whole model but of the type '{kind}'")
    if header.embeds:
        raise UsageError(f"{spec}: {path.name} is an embedding model, which writes no text")
    if not header.template:
        raise UsageError(
            f"{spec}: {path.name} has no chat template, so its prompt format is unknown; "
            "use the instruct version of the model"
        )


def check_memory(spec: str, path: Path, served: Mapping[str, int]) -> None:
    """Refuse a context that this machine cannot hold: llama.cpp takes minutes to find that out.

    Raises:
        UsageError: the keys and values of all slots take more than all of its memory.
    """
    slots, context = served.get("slots", SLOTS), _context(path, served)
    needed = read_header(path).cache_bytes(slots * context)
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if slots * context > MOST or needed > there:
        raise UsageError(
            f"{spec}: {slots} slots of {context} tokens take {needed / 1e9:.0f} GB, but this "
            f"machine has {there / 1e9:.0f}: set a smaller context or fewer slots"
        )


def _context(path: Path, served: Mapping[str, int]) -> int:
    """Tokens of one slot, a prompt and its reply: without a wish what the model was trained on."""
    return served.get("context") or min(read_header(path).context or CONTEXT, CONTEXT)


def digest(path: Path) -> str:
    """16 hexadecimal digits of SHA-256 over all of a file: another one is another model.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        state = path.stat()
        return _digest(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from error


@lru_cache
def _digest(path: Path, _changed: int, _size: int) -> str:
    """The digest of a file in one state: gigabytes are read once."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
