"""The shipped folder in other programs: torch's scores, and replies of transformers and vLLM.

``golden.json`` holds what torch computed when the model was made (``python -m training golden``).
The replies of a server are compared where ``FRICTION_VLLM_URL`` names a vLLM that serves the folder
as ``abacus`` in float32, those of transformers where it is installed.
"""

import asyncio
import json
import os
import urllib.request
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import pocket_reference
from feedback_friction.engine.models.pocket.folder import find, read_shape, read_weights
from feedback_friction.engine.models.pocket.model import PocketModel
from feedback_friction.protocol.records import Generate, Message, Occasion
from training.dialogues import examples, held_out

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text("utf-8"))
URL = os.environ.get("FRICTION_VLLM_URL", "").rstrip("/").removesuffix("/v1")


@pytest.fixture(scope="module")
def model():
    made = PocketModel("pocket/abacus")
    yield made
    asyncio.run(made.close())


@pytest.fixture(scope="module")
def prompts():
    return [example.messages for example in islice(examples(11, held_out()), 60)]


def replies(model, prompts):
    async def ask():
        return await asyncio.gather(*(model.generate(request(each)) for each in prompts))

    return [completion.replies[0].text for completion in asyncio.run(ask())]


def request(messages):
    occasion = Occasion(None, 0, 0, "binary")
    return Generate("solver", "solver", messages, 0.0, 300, 0, occasion)


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_scores_are_torchs_within_a_thousandth(model, case):
    messages = tuple(Message(role, content) for role, content in case["messages"])
    assert list(model.prompt(messages)) == case["ids"][: case["prompt"]]
    scores = model.logits(case["ids"], case["prompt"] - 1)
    assert np.abs(scores - np.array(case["logits"])).max() < 1e-3


def test_scores_are_those_of_plain_float64(model):
    shape = read_shape(find("abacus"))
    weights, errors = read_weights(find("abacus"), shape), []
    for case in GOLDEN:
        wanted = pocket_reference.logits(shape, weights, case["ids"])[case["prompt"] - 1 :]
        errors.append(np.abs(model.logits(case["ids"], case["prompt"] - 1) - wanted).max())
    assert max(errors) < 1e-3
    assert np.median(errors) < 1e-4


def test_transformers_gives_the_same_replies(model, prompts):
    torch = pytest.importorskip("torch", reason="needs torch and transformers")
    transformers = pytest.importorskip("transformers", reason="needs torch and transformers")
    folder = find("abacus")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    network = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for messages, reply in zip(prompts, replies(model, prompts), strict=True):
        chat = [{"role": each.role, "content": each.content} for each in messages]
        ids = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        assert ids["input_ids"][0].tolist() == list(model.prompt(messages))
        written = network.generate(**ids, max_new_tokens=300, do_sample=False)
        text = tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        assert text == reply


@pytest.mark.vllm
@pytest.mark.skipif(not URL, reason="FRICTION_VLLM_URL names no vLLM server")
def test_vllm_gives_the_same_replies(model, prompts):
    with urllib.request.urlopen(f"{URL}/v1/models", timeout=30) as response:
        served = json.load(response)["data"][0]["id"]
    if served != "abacus":
        pytest.skip(f"the server serves {served}, not abacus")
    for messages, reply in zip(prompts, replies(model, prompts), strict=True):
        chat = [{"role": each.role, "content": each.content} for each in messages]
        body = {"model": served, "messages": chat, "temperature": 0, "max_tokens": 300}
        asked = urllib.request.Request(
            f"{URL}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=120) as response:
            assert json.load(response)["choices"][0]["message"]["content"] == reply
