"""A whole run against a real vLLM server, whose own counters say what it was asked.

FRICTION_VLLM_URL names the server (``http://127.0.0.1:8000``); any small model with a context of
some thousand tokens will do, and it need not be able to multiply.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

URL = os.environ.get("FRICTION_VLLM_URL", "").rstrip("/").removesuffix("/v1")
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(not URL, reason="FRICTION_VLLM_URL names no vLLM server"),
]
FRICTION = str(Path(sys.executable).with_name("friction"))


def get(path: str) -> str:
    with urllib.request.urlopen(f"{URL}{path}", timeout=30) as response:
        return str(response.read().decode())


def counters() -> dict[str, float]:
    """By name, the server's counters, summed over their labels (buckets left out)."""
    sums: dict[str, float] = {}
    for name, value in re.findall(r"^(vllm:\w+)(?:\{.*\})? (\S+)$", get("/metrics"), re.MULTILINE):
        if not name.endswith("_bucket"):
            sums[name] = sums.get(name, 0.0) + float(value)
    return sums


def test_a_run_draws_several_replies_a_prompt_with_logprobs_and_hits_the_prefix_cache(
    tmp_path: Path,
) -> None:
    model = json.loads(get("/v1/models"))["data"][0]["id"]
    before = counters()
    done = subprocess.run(
        [
            *(FRICTION, "run", "decimal_multiplication", "--solver", f"openai/{model}"),
            *("--base-url", URL, "--sampling", "heat+reject", "--logprobs", "--limit", "8"),
            *("--iterations", "4", "--max-tokens", "24", "--out", tmp_path, "--json", "--quiet"),
        ],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    after = counters()
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    (condition,) = json.loads(done.stdout)["conditions"]
    with sqlite3.connect(f"file:{tmp_path / 'journal.sqlite'}?mode=ro", uri=True) as db:
        requests = [
            (json.loads(replies), prompt)
            for replies, prompt in db.execute("SELECT replies, prompt_tokens FROM completions")
        ]
        logprobs = [row[0] for row in db.execute("SELECT mean_logprob FROM attempts")]
    drawn = sum(len(replies) for replies, _ in requests)
    print(
        f"\n{model}: {len(requests)} requests, {drawn} replies; at the server "
        f"{grown['vllm:prompt_tokens_total']:.0f} prompt tokens, of which "
        f"{grown['vllm:prefix_cache_hits_total']:.0f} from the prefix cache, and "
        f"{grown['vllm:generation_tokens_total']:.0f} generated"
    )
    assert (condition["n"], condition["missing"]) == (8, 0)
    several = [[text for text, *_ in replies] for replies, _ in requests if len(replies) > 1]
    assert several
    assert any(len(set(texts)) > 1 for texts in several)  # draws differ
    assert grown["vllm:request_params_n_sum"] == drawn
    assert grown["vllm:request_params_n_count"] == len(requests)
    # vLLM counts the prompt for each reply, whether it is computed or comes from the cache.
    counted = grown["vllm:prompt_tokens_total"]
    assert counted == sum(prompt * len(replies) for replies, prompt in requests)
    computed = counted - grown["vllm:prefix_cache_hits_total"]
    # Replies of one request whose prompts are computed in one step do not find each other's.
    assert 0 < computed < counted
    assert all(value is not None and value <= 0 for value in logprobs)
