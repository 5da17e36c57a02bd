"""The GGUF file that is shipped: what beside it describes it, and what it replies."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback_friction.engine.models.llama.gguf_files import ABACUS
from feedback_friction.engine.models.llama.gguf_header import read_header
from feedback_friction.engine.models.registry import ModelSettings, open_models
from feedback_friction.protocol.records import Generate, Message, Occasion
from gguf_files import needs_llama
from training.dialogues import problem_of

np = pytest.importorskip("numpy", reason="numpy is not installed: the extra 'report'")
gguf = pytest.importorskip("gguf", reason="the package gguf is not installed: the extra 'dev'")

from training.gguf_file import _interleaved, token_list  # noqa: E402

CASES = json.loads((Path(__file__).parents[1] / "cases" / "abacus_replies.json").read_text("utf-8"))
NEARLY_TIED = 0.02  # of scores; half precision of keys and values moves them by less


def test_its_tokens_and_template_are_those_of_the_folder_that_transformers_reads():
    fields = gguf.GGUFReader(ABACUS).fields
    ids = json.loads((ABACUS.parent / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    assert list(ids.values()) == list(range(len(ids)))
    assert fields["tokenizer.ggml.tokens"].contents() == token_list(ids)
    assert read_header(ABACUS).template == (ABACUS.parent / "chat_template.jinja").read_text()


@given(st.integers(1, 4), st.integers(1, 8))
def test_rows_of_a_head_are_put_as_llama_cpp_turns_them(heads, half):
    """It turns row 2i with row 2i + 1 where Hugging Face turns row i with row i + half."""
    rows = np.arange(heads * 2 * half).reshape(-1, 1)
    found = _interleaved(rows, heads).ravel().reshape(heads, half, 2)
    for head in range(heads):
        first = head * 2 * half
        assert found[head, :, 0].tolist() == list(range(first, first + half))
        assert found[head, :, 1].tolist() == list(range(first + half, first + 2 * half))


def said(cases):
    """llama.cpp's greedy replies, several at once."""

    async def main():
        model = open_models({"solver": ModelSettings("gguf/abacus")}, {})["solver"]
        occasion = Occasion(problem_of(12, 34), 0, 0, "binary")
        asked = [tuple(Message(*each) for each in case["messages"]) for case in cases]
        try:
            await model.check()
            return await asyncio.gather(
                *(
                    model.generate(Generate("solver", "solver", messages, 0.0, 300, 0, occasion))
                    for messages in asked
                )
            )
        finally:
            await model.close()

    return [completion.replies[0].text for completion in asyncio.run(main())]


@pytest.mark.slow
@needs_llama
def test_llama_cpp_replies_as_transformers_does_unless_two_scores_nearly_tie():
    """To the letter, and so with the same verdicts, for 60 dialogues of which 58 are answers."""
    different = {
        number: case["gap"]
        for number, (case, reply) in enumerate(zip(CASES, said(CASES), strict=True))
        if reply != case["reply"]
    }
    assert len(CASES) == 60
    assert all(gap < NEARLY_TIED for gap in different.values()), different
    assert len(different) <= 2


@pytest.mark.heavy
def test_transformers_still_replies_so():
    pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("transformers", reason="needs transformers, accelerate and gguf")
    from training.replies import ABACUS as FOLDER
    from training.replies import asked, replies

    prompts = asked()
    for case, example, (reply, gap) in zip(CASES, prompts, replies(FOLDER, prompts), strict=True):
        assert case["messages"] == [[each.role, each.content] for each in example.messages]
        assert (reply, round(gap, 2)) == (case["reply"], round(case["gap"], 2))
