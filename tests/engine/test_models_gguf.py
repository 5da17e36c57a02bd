"""Models in GGUF files: what is refused before anything starts, and llama.cpp's own life."""

import asyncio
import os
import select
import signal
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from models_client import ask

from commands import FRICTION
from feedback_friction.engine.models.llama import gguf_model as models_gguf
from feedback_friction.engine.models.llama.gguf_files import ABACUS
from feedback_friction.engine.models.llama.gguf_model import decisive, local
from feedback_friction.engine.models.model_options import ModelOptions, parse_options
from feedback_friction.engine.models.registry import ModelSettings, in_flight, open_models
from feedback_friction.errors import RunStoppedError, UsageError
from feedback_friction.protocol.records import Message
from gguf_files import CHAT, ends, gguf, needs_llama

HELLO = ask(messages=(Message("user", "Calculate the following question: 12 * 34."),), max_tokens=9)
SLOW = Path(__file__).with_name("slow_llama")


def options(*words):
    return parse_options(words, "-M")


@pytest.fixture
def write(tmp_path):
    def written(values):
        path = tmp_path / "model.gguf"
        path.write_bytes(gguf(values))
        return f"gguf/{path}"

    return written


@needs_llama
@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({**CHAT, "tokenizer.chat_template": ""}, "has no chat template"),
        ({**CHAT, "llama.pooling_type": 1}, "is an embedding model"),
        ({**CHAT, "general.architecture": "nomic-bert"}, "is an embedding model"),
        ({**CHAT, "general.type": "adapter"}, "is not a whole model but of the type 'adapter'"),
    ],
)
def test_a_file_that_cannot_answer_a_chat_is_refused(values, line, write) -> None:
    with pytest.raises(UsageError, match=line):
        local(write(values), ModelOptions())


def test_without_the_package_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(models_gguf, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as failure:
        open_models({"solver": ModelSettings("gguf/abacus")}, {})
    assert str(failure.value) == (
        "gguf/abacus needs xllamacpp, which is not installed: "
        "pip install 'feedback-friction[local]'"
    )


@needs_llama
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["slots=0"], "slots must be a whole number from 1 to 256, not 0"),
        (["slots=257"], "from 1 to 256, not 257"),
        (["threads=2.5"], "threads must be a whole number"),
        (["context=true"], "context must be a whole number"),
        (["gpu_layers=-1"], "gpu_layers must be a whole number from 0"),
        (["slots=200", "context=100000000"], "set a smaller context or fewer slots"),
        (["context=99999999"], "8 slots of 99999999 tokens take 819 GB"),
    ],
)
def test_an_impossible_option_is_refused_in_one_line(words, line) -> None:
    with pytest.raises(UsageError, match=line) as failure:
        local("gguf/abacus", options(*words))
    assert "\n" not in str(failure.value)


@needs_llama
def test_options_of_the_server_stay_out_of_requests_and_speed_out_of_the_configuration() -> None:
    given = options("slots=2", "threads=1", "context=512", "gpu_layers=0", "top_k=5")
    assert local("gguf/abacus", given).options.as_dict() == {"top_k": 5}
    assert decisive(given).as_dict() == {"context": 512, "top_k": 5}


@needs_llama
def test_roles_of_one_file_share_a_server_that_ends_with_the_last_of_them(tmp_path) -> None:
    async def main() -> None:
        few = ModelSettings("gguf/abacus", options=options("slots=2"), directory=tmp_path)
        path = ModelSettings(f"gguf/{ABACUS}", directory=tmp_path)
        models = open_models({"solver": few, "feedback": path, "judge": path}, {})
        solver, feedback = models["solver"], models["feedback"]
        assert models["judge"] is feedback is not solver
        assert solver.server is feedback.server
        assert in_flight(models, 256) == 2
        for each in (solver, feedback):
            await each.check()
        pid = solver.server._process.pid
        assert (await solver.generate(HELLO)).replies == (await feedback.generate(HELLO)).replies
        await solver.close()
        os.kill(pid, 0)  # it is still there
        await feedback.generate(HELLO)
        await feedback.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        (log,) = tmp_path.iterdir()
        assert "'slots': 2" in log.read_text()
        assert solver.server._key not in log.read_text()

    asyncio.run(main())


@needs_llama
def test_roles_that_ask_one_server_for_different_things_are_refused() -> None:
    async def main() -> None:
        one, other = (ModelSettings("gguf/abacus", options=options(f"slots={n}")) for n in (2, 3))
        with pytest.raises(UsageError, match="slots cannot be both 2 and 3"):
            open_models({"solver": one, "judge": other}, {})

    asyncio.run(main())


@needs_llama
def test_more_draws_than_slots_and_a_prompt_longer_than_the_context() -> None:
    async def main() -> None:
        told = []
        wanted = ModelSettings(
            "gguf/abacus", options=options("slots=2", "context=256"), notice=told.append
        )
        model = open_models({"solver": wanted}, {})["solver"]
        try:
            await model.check()
            drawn = await model.generate(ask(n=5, temperature=1.0, max_tokens=5, logprobs=True))
            assert len(drawn.replies) == 5
            assert all(reply.mean_logprob < 0 for reply in drawn.replies)
            long = ask(messages=(Message("user", "7 " * 300),), max_tokens=5000)
            (reply,) = (await model.generate(long)).replies
            assert (reply.text, reply.finish_reason) == ("", "context_length")
            assert told == []
        finally:
            await model.close()

    asyncio.run(main())


@needs_llama
def test_calls_fail_at_once_with_the_reason_when_llama_cpp_dies() -> None:
    async def main() -> None:
        model = open_models({"solver": ModelSettings("gguf/abacus")}, {})["solver"]
        try:
            await model.check()
            await model.generate(HELLO)
            os.kill(model.server._process.pid, signal.SIGKILL)
            await model.server._watcher
            with pytest.raises(RunStoppedError, match=r"llama\.cpp ended: the system killed"):
                await model.generate(HELLO)
        finally:
            await model.close()

    asyncio.run(main())


def broken_off():
    return ABACUS.read_bytes()[:3_000_000]


def of_unknown_quantisation():
    """The file, with a number for the type of a tensor that no version of the format has."""
    data, name = bytearray(ABACUS.read_bytes()), b"blk.0.attn_q.weight"
    at = data.index(name) + len(name)  # its dimensions come next: how many, then each
    (dimensions,) = struct.unpack_from("<I", data, at)
    struct.pack_into("<I", data, at + 4 + 8 * dimensions, 99)
    return data


@needs_llama
@pytest.mark.parametrize(
    ("made", "says"),
    [
        (broken_off, "data is not within the file bounds"),
        (of_unknown_quantisation, "tensor 'blk.0.attn_q.weight' has invalid ggml type 99"),
    ],
)
def test_a_damaged_file_gives_llama_cpps_own_words_and_leaves_nothing(made, says, tmp_path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(made())
    done = subprocess.run(
        [FRICTION, "run", "decimal_multiplication", "--solver", f"gguf/{cut}", "--out", "run"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def told(pipe, run):
    """The number that a process writes into a pipe."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with open(reader) as file:
        handle = os.pidfd_open(run.pid)
        assert reader in select.select([reader, handle], [], [], 60)[0], run.communicate()
        return int(file.read())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SIGIO ends processes on Linux")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_ends_while_the_model_loads_leaves_nothing_running(how, tmp_path) -> None:
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    path = os.pathsep.join([str(SLOW), *filter(None, [os.environ.get("PYTHONPATH")])])
    run = subprocess.Popen(
        [FRICTION, "run", "decimal_multiplication", "--solver", "gguf/abacus", "--out", "run"],
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path, "SLOW_LLAMA_PID": str(pipe)},
    )  # fmt: skip
    pid = told(pipe, run)
    run.send_signal(how)
    _, said = run.communicate(timeout=60)
    assert run.returncode == (130 if how is signal.SIGINT else -how)
    assert "Traceback" not in said
    ends(pid)
    assert not (tmp_path / "run").exists()
