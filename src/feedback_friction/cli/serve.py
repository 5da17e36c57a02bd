"""``friction serve``: the vLLM command for a model, or its Ray Serve configuration, printed or run.

It starts what it is asked to start, in its own place, and touches nothing else: a server that is
already there keeps running, and a taken port is for vLLM to complain about.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from feedback_friction.engine.machines.ray_llm import serve_config
from feedback_friction.errors import UsageError

NVIDIA_SMI_SECONDS = 10.0


@click.command("serve", context_settings={"ignore_unknown_options": False})
@click.argument("model")
@click.argument("more", nargs=-1, type=click.UNPROCESSED, metavar="[-- VLLM_OPTION...]")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option(
    "--max-model-len", type=click.IntRange(min=1), metavar="N", help="Context, in tokens."
)
@click.option("--served-model-name", metavar="NAME", help="Name of the model for clients.  [MODEL]")
@click.option(
    "--ray",
    "on_ray",
    is_flag=True,
    help="The configuration of Ray Serve instead: many replicas, routed by prefix.",
)
@click.option(
    "--replicas",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of replicas, with --ray.  [one per GPU]",
)
@click.option("--exec", "execute", is_flag=True, help="Run the command instead of printing it.")
def command(model: str, on_ray: bool, replicas: int | None, execute: bool, **asked: Any) -> None:
    """Print the command that serves MODEL with vLLM on the GPUs of this machine.

    With --ray, print the file that Ray's 'serve run FILE' reads, for the GPUs of a cluster. --exec
    runs the command. Options after -- are passed to vLLM and override those chosen here.
    """
    name, gpus = model.removeprefix("openai/"), visible_gpus(os.environ)
    if on_ray:
        config = serve_config(name, gpus=0 if replicas else gpus, replicas=replicas, **asked)
        text = json.dumps(config, indent=2)
        if not execute:
            click.echo(text)
            return
        program = find_program("serve", "pip install 'ray[serve,llm]'")
        file = Path(tempfile.mkdtemp(prefix="friction-serve-")) / "config.yaml"  # JSON is YAML
        file.write_text(text, "utf-8")
        words = ["serve", "run", str(file)]
    else:
        if replicas is not None:
            raise UsageError("--replicas needs --ray")
        words = vllm_command(name, gpus=gpus, **asked)
        if not execute:
            click.echo(shlex.join(words))
            return
        program = find_program("vllm", "pip install vllm")
    click.echo(shlex.join(words), err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(program, words)


def vllm_command(
    model: str,
    *,
    gpus: int,
    port: int,
    max_model_len: int | None = None,
    served_model_name: str | None = None,
    more: Sequence[str] = (),
) -> list[str]:
    """The words of the command; the largest power of two of the GPUs shares the model.

    ``more`` are further words, which replace those chosen here.
    """
    chosen: list[tuple[str, str | None]] = [("--port", str(port))]
    if gpus > 1:
        # vLLM splits attention heads evenly, and their numbers are divisible by powers of two.
        share = min(64, 1 << gpus.bit_length() - 1)
        chosen.append(("--tensor-parallel-size", str(share)))
    chosen.append(("--enable-prefix-caching", None))
    if max_model_len is not None:
        chosen.append(("--max-model-len", str(max_model_len)))
    if served_model_name is not None:
        chosen.append(("--served-model-name", served_model_name))
    given = {word.partition("=")[0] for word in more}
    given |= {"--tensor-parallel-size"} if given & {"-tp"} else set()
    given |= {"--enable-prefix-caching"} if "--no-enable-prefix-caching" in given else set()
    words = ["vllm", "serve", model]
    for name, value in chosen:
        if name not in given:
            words += [name] if value is None else [name, value]
    return [*words, *more]


def visible_gpus(environ: Mapping[str, str]) -> int:
    """How many GPUs a program started here would see: 0 without any, or where nobody can tell.

    ``CUDA_VISIBLE_DEVICES`` decides where it is set; as in CUDA, what follows an invalid entry does
    not count.
    """
    listed = environ.get("CUDA_VISIBLE_DEVICES")
    if listed is None:
        return _installed_gpus()
    devices: list[str] = []
    for device in (each.strip() for each in listed.split(",")):
        if not device or device.startswith("-") or device in devices:
            break
        devices.append(device)
    return len(devices)


def _installed_gpus() -> int:
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NVIDIA_SMI_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def find_program(name: str, install: str) -> str:
    """A program beside this Python or on the path; ``install`` is the command that installs it."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if found is None:
        raise UsageError(f"{name} is not installed here: {install}, or run what is printed")
    return found
