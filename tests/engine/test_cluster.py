"""A run on a Ray cluster: the rows of one process, also when nodes die."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_parts import RUN, TABLES, rows

from benchmarks.simserver import Settings, simulated_server
from commands import friction

FRICTION = str(Path(sys.executable).with_name("friction"))


def test_without_ray_it_is_one_line(tmp_path):
    if "ray" in sys.modules or _has_ray():
        pytest.skip("Ray is installed")
    done = friction(*RUN, "--ray", "local", "--out", tmp_path / "run", code=2)
    assert "pip install 'feedback-friction[ray]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3  # notes on the student, and the reason


def _has_ray():
    from importlib.util import find_spec

    return find_spec("ray") is not None


@pytest.mark.heavy
def test_parts_on_ray_make_the_rows_of_one_process_and_leave_no_folder(tmp_path):
    friction(*RUN, "--out", tmp_path / "whole")
    friction(*RUN, "--ray", "local", "--workers", 2, "--out", tmp_path / "ray")
    for table in TABLES:
        assert rows(tmp_path / "ray", table) == rows(tmp_path / "whole", table), table
    assert not (tmp_path / "ray" / "parts").exists()
    before = rows(tmp_path / "ray", "completions")
    friction(*RUN, "--ray", "local", "--workers", 3, "--out", tmp_path / "ray")
    assert rows(tmp_path / "ray", "completions") == before


@pytest.mark.heavy
def test_a_cluster_that_is_not_there_is_one_line(tmp_path):
    done = friction(*RUN, "--ray", "127.0.0.1:1", "--out", tmp_path / "run", code=2)
    assert "cannot reach Ray at '127.0.0.1:1'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
def test_nodes_that_die_cost_only_the_calls_in_flight(tmp_path):
    """Three nodes, of which two are killed one after the other while their parts run."""
    from ray.cluster_utils import Cluster

    with simulated_server(Settings(decode_seconds=0.01)) as server:
        words = (
            *("run", "decimal_multiplication", "--limit", 60, "--iterations", 4, "--quiet"),
            *("--solver", "openai/m", "--base-url", server.url, "--concurrency", 12),
            *("--feedback", "tutor", "--feedback", "binary"),
        )
        friction(*words, "--out", tmp_path / "whole")
        alone = server.stats()["calls"]
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        nodes = [cluster.add_node(num_cpus=1) for _ in range(3)]
        out = tmp_path / "ray"
        run = subprocess.Popen(
            [FRICTION, *map(str, words), "--ray", cluster.address, "--workers", "3", "--out", out],
            env={**os.environ, "RAY_BACKEND_LOG_LEVEL": "error"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for node in nodes[:2]:
            wait_for_calls(out, more_than=calls(out))
            cluster.remove_node(node)  # kills its processes
            cluster.add_node(num_cpus=1)
        _, said = run.communicate(timeout=600)
        cluster.shutdown()
        assert run.returncode == 0, said
        asked = server.stats()["calls"] - alone
    for table in ("trials", "attempts", "completions"):
        assert rows(out, table) == rows(tmp_path / "whole", table), table
    assert asked <= alone + 2 * 12  # what was in flight on the two nodes


def calls(out):
    total = 0
    for journal in (out / "parts").glob("*/journal.sqlite"):
        try:
            with sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True) as db:
                total += db.execute("SELECT count(*) FROM completions").fetchone()[0]
        except sqlite3.Error:
            continue
    return total


def wait_for_calls(out, more_than):
    until = time.monotonic() + 300
    while calls(out) <= more_than + 10:
        assert time.monotonic() < until, "no part makes calls"
        time.sleep(0.05)
