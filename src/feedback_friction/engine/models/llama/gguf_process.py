"""llama.cpp's server in a child process of its own: run as a script, by ``gguf_server``.

It is no thread of the run's own process because the bindings hold Python's global lock while they
load a model, which may take minutes in which no Ctrl-C would be seen; because llama.cpp writes its
log to standard error, where the run shows its progress; and because it ends the process that it is
in when memory runs out or one of its assertions fails.

Standard input carries one line of JSON (``_params`` reads it), then, one a line, the paths of
files that the log goes on in. When it ends, so does the process: however the run ended, nobody
holds the other end. Standard output carries one line, the server's address.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import sys
import time
from pathlib import Path
from typing import Any

_PROMPT_CACHE = 1024  # MiB of prompts that no slot holds any more; llama.cpp's own default is 8192
_ERRORS = 1  # of information and warnings there are several lines for every request


def main() -> None:
    """Serve until standard input ends."""
    asked = json.loads(sys.stdin.readline())
    _end_with_standard_input(True)
    import xllamacpp  # type: ignore[import-untyped]  # no stubs

    params = _params(xllamacpp, asked)
    shown = {**asked, "key": "***", "threads": params.cpuparams.n_threads}
    print(f"llama.cpp {xllamacpp.__version__} {shown}", file=sys.stderr, flush=True)
    try:
        server = xllamacpp.Server(params)
    except (RuntimeError, OSError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    _end_with_standard_input(False)
    print(server.listening_address, flush=True)
    for line in sys.stdin:
        _log_to(Path(line.rstrip("\n")))
    os._exit(0)  # no one waits for replies under way


def _params(xllamacpp: Any, asked: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = asked["path"], {asked["name"]}
    params.hostnames, params.port = ["127.0.0.1"], 0  # the system chooses a port that is free
    params.api_keys = [asked["key"]]
    params.n_parallel = asked["slots"]
    params.n_ctx = asked["slots"] * asked["context"]
    params.use_jinja, params.ui, params.endpoint_slots = True, False, False
    params.cache_ram_mib, params.verbosity = _PROMPT_CACHE, _ERRORS
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = asked.get("threads") or free_cores()
        threads.poll = 0  # waiting threads leave their core to the run
    if "gpu_layers" in asked:
        params.n_gpu_layers = asked["gpu_layers"]
    # Fitting layers to a graphics card; without one it only searches a minute for what is not there
    params.fit_params = "gpu_layers" not in asked and _has_gpu(xllamacpp)
    # The model's own probabilities, as other servers draw by default; a request may ask otherwise.
    params.sampling.top_k, params.sampling.top_p, params.sampling.min_p = 0, 1.0, 0.0
    return params


def _has_gpu(xllamacpp: Any) -> bool:
    kinds = xllamacpp.ggml_backend_dev_type
    other = (kinds.GGML_BACKEND_DEVICE_TYPE_CPU, kinds.GGML_BACKEND_DEVICE_TYPE_ACCEL)
    return any(device["type"] not in other for device in xllamacpp.get_device_info())


def free_cores(seconds: float = 0.3) -> int:
    """Cores that are idle right now, at least one.

    llama.cpp's threads wait for each other many times a token, and spin while they do: with one on
    a busy core all of them wait for it. On two cores that other programs used too, two threads
    wrote 110 to 140 tokens a second at some moments and 9 to 19 at others, one thread 52 to 77.
    """
    if not hasattr(os, "sched_getaffinity"):
        return max(1, (os.cpu_count() or 1) - round(os.getloadavg()[0]))
    cores = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    try:
        before = _idle(cores)
        time.sleep(seconds)
        ticks = (_idle(cores) - before) / (seconds * os.sysconf("SC_CLK_TCK"))
    except OSError:  # no /proc
        return len(cores)
    return min(len(cores), max(1, round(ticks)))


def _idle(cores: set[str]) -> int:
    """Ticks that the cores were idle since the system started (proc(5), /proc/stat)."""
    rows = (line.split() for line in Path("/proc/stat").read_text("ascii").splitlines())
    return sum(int(row[4]) + int(row[5]) for row in rows if row and row[0] in cores)


def _end_with_standard_input(on: bool) -> None:
    """Have the system end this process when the other end of standard input closes, or stop that.

    By SIGIO, whose default on Linux is to end the process: while the model loads no code of ours
    can run. Elsewhere the process ends when the model is loaded, or is killed.
    """
    if not sys.platform.startswith("linux"):
        return
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(0, fcntl.F_GETFL)
    fcntl.fcntl(0, fcntl.F_SETFL, flags | os.O_ASYNC if on else flags & ~os.O_ASYNC)
    if on and select.select([0], [], [], 0)[0]:  # it closed before
        os._exit(0)


def _log_to(path: Path) -> None:
    """Go on writing the log, with what it holds so far, to a file; it stays where it is if not."""
    try:
        with open("/dev/fd/2", "rb") as before, path.open("ab") as file:
            before.seek(0)
            shutil.copyfileobj(before, file)
            file.flush()
            os.dup2(file.fileno(), 2)
    except OSError as error:
        print(f"cannot write {path}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
