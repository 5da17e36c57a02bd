"""A model behind Ray Serve: the configuration that ``serve run`` reads, of one model on many GPUs.

Each replica is a vLLM engine of its own. The router sends a prompt to the replica that has seen its
beginning, so that a trial's prompts, each of which begins as the one before, find their prefix in
its cache: what ``--base-url`` given several times does by pinning a problem to a replica.

Source: Ray 2.60, Serve LLM, "Configuration reference" and "Prefix-aware routing".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from feedback_friction.errors import UsageError

ROUTER = "ray.serve.llm.request_router.PrefixCacheAffinityRouter"
BUILDER = "ray.serve.llm:build_openai_app"
_PARALLEL = ("tensor_parallel_size", "pipeline_parallel_size")


def serve_config(
    model: str,
    *,
    gpus: int,
    port: int,
    replicas: int | None = None,
    max_model_len: int | None = None,
    served_model_name: str | None = None,
    more: Sequence[str] = (),
) -> dict[str, Any]:
    """The configuration, as ``ray.serve.schema.ServeDeploySchema`` reads it.

    Args:
        model: name on the Hugging Face hub, or a folder that every node sees.
        gpus: those of the cluster.
        replicas: engines; None for as many as the GPUs are enough for.
        more: options of vLLM as on its command line; they win over those chosen here.

    Raises:
        UsageError: ``more`` is not of the form of options, or asks for more GPUs than there are.
    """
    engine: dict[str, Any] = {"enable_prefix_caching": True}
    if max_model_len is not None:
        engine["max_model_len"] = max_model_len
    engine |= engine_arguments(more)
    size = 1
    for name in _PARALLEL:
        each = engine.get(name, 1)
        if not isinstance(each, int) or isinstance(each, bool) or each < 1:
            raise UsageError(f"{name.replace('_', '-')} must be a whole number, not {each}")
        size *= each
    if gpus and size * (replicas or 1) > gpus:
        raise UsageError(f"{replicas or 1} replicas of {size} GPUs each, but there are {gpus} GPUs")
    config = {
        "model_loading_config": {"model_id": served_model_name or model, "model_source": model},
        "engine_kwargs": engine,
        "deployment_config": {
            "num_replicas": replicas or max(1, gpus // size),
            "request_router_config": {"request_router_class": ROUTER},
        },
    }
    return {
        "http_options": {"host": "0.0.0.0", "port": port},
        "applications": [
            {
                "name": "friction",
                "route_prefix": "/",
                "import_path": BUILDER,
                "args": {"llm_configs": [config]},
            }
        ],
    }


def engine_arguments(words: Sequence[str]) -> dict[str, Any]:
    """Options of vLLM's command line as arguments of its engine.

    Raises:
        UsageError: a word is no option, or the value of none.
    """
    found: dict[str, Any] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            flag, equals, value = word[2:].partition("=")
            name = flag.replace("-", "_")
            off = name.startswith("no_") and not equals
            name = name.removeprefix("no_") if off else name
            found[name] = _read(value) if equals else not off
            name = "" if equals or off else name
        elif name:
            found[name], name = _read(word), ""
        else:
            raise UsageError(f"'{word}' is not a vLLM option: with --ray, use --name VALUE")
    return found


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
