"""``friction serve``: the command that it makes, and that it starts nothing else."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from feedback_friction.cli.serve import visible_gpus, vllm_command

FRICTION = str(Path(sys.executable).with_name("friction"))


def serve(*arguments, code=0, **env):
    done = subprocess.run(
        [FRICTION, "serve", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **env},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def program(directory, name, text):
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("gpus", "share"), [(0, None), (1, None), (2, "2"), (3, "2"), (4, "4"), (7, "4"), (8, "8")]
)
def test_the_model_is_shared_by_the_largest_power_of_two_of_the_gpus(gpus, share):
    words = vllm_command("m", gpus=gpus, port=8000)
    found = words[words.index("--tensor-parallel-size") + 1] if share else None
    assert found == share
    assert share is not None or "--tensor-parallel-size" not in words


def test_the_whole_command():
    done = serve(
        "openai/meta-llama/Llama-3.3-70B-Instruct", "--port", "8001", "--max-model-len", "32768",
        "--served-model-name", "my llama", "--", "--dtype", "bfloat16",
        CUDA_VISIBLE_DEVICES="0,1,2,3",
    )  # fmt: skip
    assert done.stdout == (
        "vllm serve meta-llama/Llama-3.3-70B-Instruct --port 8001 --tensor-parallel-size 4 "
        "--enable-prefix-caching --max-model-len 32768 --served-model-name 'my llama' "
        "--dtype bfloat16\n"
    )


@pytest.mark.parametrize(
    ("more", "absent"),
    [
        (("--port=9",), "--port 8000"),
        (("-tp", "1"), "--tensor-parallel-size"),
        (("--tensor-parallel-size", "1"), "--tensor-parallel-size 2"),
        (("--no-enable-prefix-caching",), " --enable-prefix-caching"),
    ],
)
def test_what_follows_two_dashes_wins(more, absent):
    line = shlex.join(vllm_command("m", gpus=2, port=8000, more=more))
    assert line.endswith(shlex.join(more))
    assert absent not in line.removesuffix(shlex.join(more))


def test_a_hostile_name_stays_one_word():
    name = "m; rm -rf $HOME `id`"
    done = serve(name, CUDA_VISIBLE_DEVICES="")
    assert shlex.split(done.stdout)[2] == name


@pytest.mark.parametrize(
    ("listed", "gpus"),
    [("", 0), ("-1", 0), ("0", 1), ("0,1", 2), ("0, 2", 2), ("0,-1,1", 1), ("GPU-ab,MIG-cd", 2)],
)
def test_cuda_visible_devices_decides(listed, gpus):
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": listed}) == gpus


@pytest.mark.parametrize(
    ("said", "gpus"),
    [
        ("echo 'GPU 0: H100 (UUID: a)'; echo '  MIG 1g.10gb'; echo 'GPU 1: H100 (UUID: b)'", 2),
        ("echo 'No devices were found'", 0),
        ("exit 9", 0),
    ],
)
def test_without_it_the_driver_is_asked(tmp_path, monkeypatch, said, gpus):
    program(tmp_path, "nvidia-smi", said)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert visible_gpus({}) == gpus


def test_a_driver_that_hangs_is_given_up(tmp_path, monkeypatch):
    late = "import time; time.sleep(60); print('GPU 0: H100 (UUID: a)')"
    program(tmp_path, "nvidia-smi", f'exec {sys.executable} -c "{late}"')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("feedback_friction.cli.serve.NVIDIA_SMI_SECONDS", 0.2)
    assert visible_gpus({}) == 0


def test_exec_becomes_the_server_itself(tmp_path):
    program(tmp_path, "vllm", 'echo "pid $$"; printf "%s\\n" "$@"')
    started = subprocess.Popen(
        [FRICTION, "serve", "a b", "--exec", "--", "--dtype", "half"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "CUDA_VISIBLE_DEVICES": ""},
    )
    out, err = started.communicate(timeout=60)
    assert out.splitlines() == [
        f"pid {started.pid}",
        *("serve", "a b", "--port", "8000", "--enable-prefix-caching", "--dtype", "half"),
    ]
    assert err == "vllm serve 'a b' --port 8000 --enable-prefix-caching --dtype half\n"


def test_exec_without_vllm_is_one_line(tmp_path):
    done = serve("m", "--exec", code=2, PATH=str(tmp_path), CUDA_VISIBLE_DEVICES="")
    assert done.stderr.count("\n") == 1
    assert "vllm is not installed here" in done.stderr


@pytest.mark.parametrize("wrong", [[], ["m", "--port", "0"], ["m", "--max-model-len", "0"]])
def test_a_wrong_command_is_one_line(wrong):
    done = serve(*wrong, code=2)
    assert done.stderr.count("\n") == 1
