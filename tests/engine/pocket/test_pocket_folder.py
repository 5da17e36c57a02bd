"""A folder that asks for anything but a plain Llama is refused in one line, before it is used."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from feedback_friction.engine.models.pocket.folder import (
    digest,
    find,
    packaged,
    read_ends,
    read_shape,
    read_weights,
)
from feedback_friction.errors import UsageError
from pocket_folders import write_folder


def changed_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "qwen2"}, "model_type 'qwen2' is not supported"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu' is not supported"),
        ({"attention_bias": True}, "attention_bias True is not supported"),
        ({"mlp_bias": True}, "mlp_bias True is not supported"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 2}}, "rope_scaling"),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8}}, "only plain rotary positions"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor 0.5"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"num_key_value_heads": 3}, "must divide num_attention_heads"),
        ({"head_dim": 15}, "head_dim must be even"),
        ({"hidden_size": 0}, "hidden_size must be a whole number of at least 1, not 0"),
        ({"num_hidden_layers": True}, "num_hidden_layers must be a whole number"),
        ({"vocab_size": None}, "vocab_size must be a whole number of at least 1, not None"),
        ({"rms_norm_eps": 0}, "rms_norm_eps must be a number above 0"),
        ({"rope_parameters": {"rope_theta": "x"}}, "rope_theta must be a number above 0"),
    ],
)
def test_other_configurations_are_refused(tmp_path, changes, says):
    folder = write_folder(tmp_path)
    changed_json(folder / "config.json", **changes)
    with pytest.raises(UsageError) as caught:
        read_shape(folder)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_rotary_base_is_read_in_either_place_and_heads_have_defaults(tmp_path):
    folder = write_folder(tmp_path)
    changed_json(folder / "config.json", rope_parameters=None, rope_theta=500.0)
    assert read_shape(folder).theta == 500.0
    changed_json(folder / "config.json", rope_parameters={"rope_theta": 600.0}, rope_theta=500.0)
    assert read_shape(folder).theta == 600.0
    changed_json(folder / "config.json", head_dim=None, num_key_value_heads=None)
    shape = read_shape(folder)
    assert (shape.head, shape.groups) == (16, 4)


@pytest.mark.parametrize(("generation", "config", "ends"), [(5, 5, {5}), ([4, 5], 3, {3, 4, 5})])
def test_any_of_the_named_tokens_ends_a_reply(tmp_path, generation, config, ends):
    folder = write_folder(tmp_path, eos_token_id=config)
    changed_json(folder / "generation_config.json", eos_token_id=generation)
    assert read_ends(folder) == ends


def test_a_reply_that_could_not_end_and_draws_from_other_probabilities_are_refused(tmp_path):
    folder = write_folder(tmp_path, eos_token_id=None)
    changed_json(folder / "generation_config.json", eos_token_id=None)
    with pytest.raises(UsageError, match="eos_token_id"):
        read_ends(folder)
    for changed in ({"top_p": 0.9}, {"top_k": 50}, {"min_p": 0.1}, {"repetition_penalty": 1.2}):
        folder = write_folder(tmp_path)
        changed_json(folder / "generation_config.json", eos_token_id=5, **changed)
        ((name, value),) = changed.items()
        with pytest.raises(UsageError, match=rf"{name} {value} is not supported"):
            read_ends(folder)


def with_bias(weights):
    weights["model.layers.0.self_attn.q_proj.bias"] = np.zeros(64, np.float16)


def without_norm(weights):
    del weights["model.norm.weight"]


def of_other_shape(weights):
    weights["model.norm.weight"] = np.ones(63, np.float16)


def with_nan(weights):
    weights["model.norm.weight"] = np.full(64, np.nan, np.float16)


def of_integers(weights):
    weights["model.norm.weight"] = np.ones(64, np.int8)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (with_bias, "'model.layers.0.self_attn.q_proj.bias' is no weight of a plain Llama"),
        (without_norm, "'model.norm.weight' must be [64], there is nothing"),
        (of_other_shape, "'model.norm.weight' must be [64], there is [63]"),
        (with_nan, "'model.norm.weight' must hold finite floating-point numbers"),
        (of_integers, "'model.norm.weight' must hold finite floating-point numbers"),
    ],
)
def test_other_weights_are_refused(tmp_path, change, says):
    folder = write_folder(tmp_path)
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UsageError) as caught:
        read_weights(folder, read_shape(folder))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("config.json", b"{"), ("config.json", b"[]"), ("model.safetensors", b"no weights at all")],
)
def test_broken_files_are_refused(tmp_path, name, content):
    folder = write_folder(tmp_path)
    shape = read_shape(folder)
    (folder / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_weights(folder, shape) if name.endswith("safetensors") else read_shape(folder)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_scores_that_are_tied_need_no_weights_of_their_own_and_may_have_them(tmp_path):
    folder = write_folder(tmp_path)
    weights = load_file(folder / "model.safetensors")
    save_file(
        {**weights, "lm_head.weight": weights["model.embed_tokens.weight"]},
        folder / "model.safetensors",
    )
    assert "lm_head.weight" not in read_weights(folder, read_shape(folder))


@pytest.mark.parametrize(
    "name",
    [
        *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
        *("chat_template.jinja", "model.safetensors"),
    ],
)
def test_the_digest_changes_with_every_file_that_decides_replies(tmp_path, name):
    folder = write_folder(tmp_path)
    before = digest(folder)
    (folder / "README.md").write_text("not of them")
    assert digest(folder) == before
    with (folder / name).open("ab") as file:
        file.write(b" ")
    assert digest(folder) != before


def test_a_folder_is_found_by_path_and_a_packaged_one_by_name(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "mine")
    assert find(str(folder)) == folder
    monkeypatch.chdir(tmp_path)
    assert os.path.samefile(find("mine"), folder)
    monkeypatch.setattr("feedback_friction.engine.models.pocket.folder.PACKAGED", tmp_path)
    assert packaged() == ["mine"]
    monkeypatch.chdir("/")
    assert find("mine") == folder


def test_a_name_that_there_is_not_is_refused_with_those_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr("feedback_friction.engine.models.pocket.folder.PACKAGED", tmp_path)
    with pytest.raises(UsageError) as none:
        find("nobody")
    assert str(none.value) == (
        "unknown model 'pocket/nobody'; allowed: pocket/FOLDER with a config.json in it"
    )
    write_folder(tmp_path / "one")
    with pytest.raises(UsageError) as some:
        find(str(tmp_path))
    assert str(some.value).endswith("allowed: pocket/one or pocket/FOLDER with a config.json in it")


PAGES = ("training/README.md", "README.md", "docs/models.md")


def test_what_is_written_of_the_shipped_model_is_true_of_it():
    folder = find("abacus")
    shape = read_shape(folder)
    weights = sum(math.prod(size) for size in shape.weights().values())
    made, root = f"{weights / 1e6:.1f} million", Path(__file__).parents[3]
    pages = [folder / "README.md", *(root / each for each in PAGES)]
    card, how, *others = (each.read_text("utf-8") for each in pages)
    assert all(made in text for text in (card, how, *others))
    size = (folder / "model.safetensors").stat().st_size
    assert f"{size / 1e6:.1f} MB; context {shape.context:,} tokens" in card
    assert (
        f"{shape.layers} layers, width {shape.hidden}, {shape.heads} heads of {shape.head}" in how
    )
    assert f"gated feed-forward layer of {shape.inner}," in how
