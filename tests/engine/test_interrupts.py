"""Ctrl-C, once and twice, while calls are under way: how to resume is said in both cases."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from fake_server import choice, completion, hang, held, serving
from models_client import run


@pytest.mark.parametrize("times", [1, 2])
def test_an_interrupted_run_says_how_it_is_resumed(times: int, tmp_path: Path) -> None:
    async def main() -> None:
        go_on = asyncio.Event()
        waits = held(go_on, completion(choice("The answer is 1.")))
        async with serving(waits if times == 1 else hang) as server:
            process = await asyncio.create_subprocess_exec(
                *(str(Path(sys.executable).with_name("friction")), "run", "decimal_multiplication"),
                *("--limit", "1", "--solver", "openai/tiny", "--base-url", server.url),
                *("--out", str(tmp_path / "run"), "--quiet"),
                stderr=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                env=dict(os.environ),
            )
            assert process.stderr is not None
            while not server.under_way:
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            said = await process.stderr.readuntil(b"Ctrl-C again drops them\n")
            assert b"finishing the calls in flight" in said
            go_on.set()
            if times == 2:
                process.send_signal(signal.SIGINT)
            rest = await process.stderr.read()
            assert await process.wait() == 130
            assert b"the same command resumes" in rest
            assert b"Traceback" not in rest

    run(main())
