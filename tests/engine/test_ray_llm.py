"""The configuration of Ray Serve LLM: read by Ray's own schema, with the keys that Ray knows."""

from __future__ import annotations

import ast
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from commands import friction
from feedback_friction.engine.machines.ray_llm import (
    BUILDER,
    ROUTER,
    engine_arguments,
    serve_config,
)
from feedback_friction.errors import UsageError


def llm(config):
    return config["applications"][0]["args"]["llm_configs"][0]


def test_one_replica_a_gpu_and_fewer_where_several_share_a_model():
    assert llm(serve_config("m", gpus=8, port=1))["deployment_config"]["num_replicas"] == 8
    shared = serve_config("m", gpus=8, port=1, more=("--tensor-parallel-size", "4"))
    assert llm(shared)["deployment_config"]["num_replicas"] == 2
    assert llm(serve_config("m", gpus=0, port=1))["deployment_config"]["num_replicas"] == 1
    with pytest.raises(UsageError, match="8 GPUs"):
        serve_config("m", gpus=8, port=1, more=("--tensor-parallel-size=16",))


def test_options_of_vllm_become_arguments_of_its_engine():
    words = ("--dtype", "bfloat16", "--enforce-eager", "--no-enable-prefix-caching", "--seed=3")
    assert engine_arguments(words) == {
        "dtype": "bfloat16",
        "enforce_eager": True,
        "enable_prefix_caching": False,
        "seed": 3,
    }
    with pytest.raises(UsageError, match="'-tp'"):
        engine_arguments(("-tp", "4"))


def test_the_command_prints_it_and_refuses_what_makes_no_sense():
    printed = friction("serve", "openai/org/model", "--ray", "--replicas", 3, "--port", 8001)
    found = json.loads(printed.stdout)
    assert found["http_options"]["port"] == 8001
    assert llm(found)["model_loading_config"] == {
        "model_id": "org/model",
        "model_source": "org/model",
    }
    assert "--ray" in friction("serve", "m", "--replicas", 2, code=2).stderr


@pytest.mark.heavy
def test_ray_knows_every_key():
    """From its source: to import LLMConfig takes vLLM."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    config = serve_config("m", gpus=2, port=8000, max_model_len=4096)
    source = Path(find_spec("ray").submodule_search_locations[0])
    configs = source / "llm/_internal/serve/core/configs/llm_config.py"
    assert llm(config).keys() <= fields_of(configs, "LLMConfig")
    assert llm(config)["model_loading_config"].keys() <= fields_of(configs, "ModelLoadingConfig")
    routed = llm(config)["deployment_config"]["request_router_config"]
    assert routed.keys() <= fields_of(source / "serve/config.py", "RequestRouterConfig")
    module, _, name = ROUTER.rpartition(".")
    assert name in (source.parent / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
    module, _, name = BUILDER.partition(":")
    assert f"def {name}(" in (source.parent / module.replace(".", "/") / "__init__.py").read_text(
        "utf-8"
    )


@pytest.mark.heavy
def test_rays_schema_reads_it():
    schema = pytest.importorskip("ray.serve.schema", reason="ray[serve] is not installed")
    config = serve_config("m", gpus=2, port=8000)
    read = schema.ServeDeploySchema.model_validate(config)
    assert read.applications[0].import_path == BUILDER
    assert read.http_options.port == 8000


def fields_of(file, name):
    """The annotated names of a class in a file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
    raise AssertionError(f"{file} has no {name}")
