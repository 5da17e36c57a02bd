"""What transformers replies with the shipped weights, greedily: llama.cpp is held to it.

Both read the same file. They round differently, so that where the two best scores of a token nearly
tie, either may take the one or the other; how near the nearest tie was stands with each reply.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.dialogues import Example, examples, held_out

COUNT, SEED, LONGEST = 60, 11, 300
ABACUS = Path(__file__).parents[1] / "src/feedback_friction/engine/models/abacus"


def asked() -> list[Example]:
    """Prompts of dialogues that the model has not seen, in which it answers or gives feedback."""
    return list(islice(examples(SEED, held_out()), COUNT))


def replies(folder: Path, prompts: Sequence[Example]) -> list[tuple[str, float]]:
    """Each prompt's reply, and the least difference between the two best scores of its tokens.

    Args:
        folder: holds a GGUF file of the folder's name, and the tokenizer in Hugging Face's format.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=f"{folder.name}.gguf", dtype=torch.float32
    )
    found = []
    for example in prompts:
        chat = [{"role": each.role, "content": each.content} for each in example.messages]
        ids = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        written = network.generate(
            **ids,
            max_new_tokens=LONGEST,
            do_sample=False,
            output_logits=True,
            return_dict_in_generate=True,
        )
        new = written.sequences[0, ids["input_ids"].shape[1] :]
        best = torch.cat(written.logits).topk(2).values
        gap = (best[:, 0] - best[:, 1]).min().item()
        found.append((tokenizer.decode(new, skip_special_tokens=True), gap))
    return found


def write(file: Path) -> None:
    """Write the shipped model's replies to ``file``, with the prompts."""
    prompts = asked()
    cases = [
        {
            "messages": [[each.role, each.content] for each in example.messages],
            "reply": reply,
            "gap": round(gap, 4),
        }
        for example, (reply, gap) in zip(prompts, replies(ABACUS, prompts), strict=True)
    ]
    file.write_text(json.dumps(cases, ensure_ascii=False, indent=1) + "\n", "utf-8")
