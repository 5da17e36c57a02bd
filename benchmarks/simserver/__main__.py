"""Run the simulated server: ``python -m benchmarks.simserver --port 8000 --set slots=64``.

Prints one line of JSON with its URLs once it listens, and serves until it is interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Sequence

import uvloop

from benchmarks.simserver.server import Server
from benchmarks.simserver.settings import Settings
from benchmarks.simserver.wire import Connection


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.simserver",
        description="A simulated OpenAI-compatible server.",
        epilog=f"Settings and their defaults: {Settings()}",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="port of the API; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0, help="port of the controls")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=JSON", help="a setting; repeatable"
    )
    parser.add_argument("--with-stdin", action="store_true", help="end when standard input ends")
    options = parser.parse_args(arguments)
    try:
        settings = Settings().changed(dict(_setting(text) for text in options.set))
    except ValueError as error:
        parser.error(str(error))
    try:
        uvloop.run(
            _serve(settings, options.host, options.port, options.control_port, options.with_stdin)
        )
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"cannot listen: {error}")


def _setting(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"'{text}' is not NAME=JSON")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


async def _serve(
    settings: Settings, host: str, port: int, control_port: int, with_stdin: bool
) -> None:
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # the ledger only grows: looking through it often is waste
    loop = asyncio.get_running_loop()
    server = Server(settings, loop)
    bound = await server.listen(host, port)
    controls = await loop.create_server(
        lambda: Connection(server.control, set()), host, control_port
    )
    control_bound = controls.sockets[0].getsockname()[1]
    print(
        json.dumps(
            {"url": f"http://{host}:{bound}/v1", "control_url": f"http://{host}:{control_bound}"}
        ),
        flush=True,
    )
    if with_stdin:
        await loop.run_in_executor(None, sys.stdin.read)
    else:
        await asyncio.Event().wait()


if __name__ == "__main__":
    main()
