"""Stands in for llama.cpp's bindings: loads for ever, and holds Python's lock while it does."""

import ctypes
import os
from pathlib import Path
from types import SimpleNamespace

__version__ = "slow"
ggml_backend_dev_type = SimpleNamespace(
    GGML_BACKEND_DEVICE_TYPE_CPU=0, GGML_BACKEND_DEVICE_TYPE_ACCEL=3
)


def get_device_info():
    return []


class CommonParams(SimpleNamespace):
    def __init__(self):
        parts = ("model", "cpuparams", "cpuparams_batch", "sampling")
        super().__init__(**{part: SimpleNamespace() for part in parts})


class Server:
    def __init__(self, params):
        Path(os.environ["SLOW_LLAMA_PID"]).write_text(f"{os.getpid()}\n")
        ctypes.PyDLL(None).sleep(600)
