"""The study's four commands run as they stand, against any server at a host and port."""

import json
from urllib.parse import urlsplit

import pytest

from benchmarks.simserver import Settings, simulated_server
from commands import friction
from feedback_friction.cli.classic import feedback_mode, sampling_name, server_urls
from feedback_friction.errors import UsageError

MODES = {
    "binary": [],
    "self": ["--use_feedback"],
    "process": ["--use_feedback", "--use_process_feedback"],
    "strong": ["--use_feedback", "--use_process_feedback", "--use_openai"],
}


@pytest.fixture(scope="module")
def server():
    with simulated_server(Settings(p_first=0.3, p_gain=0.2)) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_four_commands_of_the_study(mode, server, tmp_path):
    parts = urlsplit(server.url)
    done = friction(
        "classic", "--dataset", "custom_simple",
        "--agent_model", "meta-llama/Llama-3.3-70B-Instruct",
        "--base_url", f"http://{parts.hostname}", "--ports", parts.port,
        "--write_file", "log.jsonl", "--iterations", "4", "--proportion", "0.05", *MODES[mode],
        cwd=tmp_path, OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.url,
    )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    shares = json.loads(done.stdout.split("Accuracies:")[1])
    firsts = [row["is_correct"] for row in rows if row["iteration"] == 0]
    assert len(shares) == 4
    assert shares[0] == pytest.approx(100 * sum(firsts) / len(firsts), abs=0.001)
    assert {row["condition"].split(" | ")[2] for row in rows} == {mode}
    later = [row for row in rows if row["iteration"] == 1]
    assert later
    assert all(row["normalized_answer"] not in row["question"] for row in later)


def test_ports_are_replicas():
    assert server_urls("http://c007", "1233_1234") == (
        "http://c007:1233/v1",
        "http://c007:1234/v1",
    )


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ((False, False), "greedy"),
        ((True, False), "heat"),
        ((False, True), "reject"),
        ((True, True), "heat+reject"),
    ],
)
def test_sampling_flags(flags, name):
    assert sampling_name(*flags) == name


def test_a_flag_without_those_it_needs_is_refused():
    with pytest.raises(UsageError, match="--use_process_feedback"):
        feedback_mode(False, True, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "gsm8k"], "unknown --dataset 'gsm8k'; allowed: aime_2024, custom_simple"),
        (["--dataset", "hex", "--ports", "12a"], "--ports must be numbers joined by underscores"),
    ],
)
def test_wrong_flags_get_one_line(arguments, message, tmp_path):
    assert message in friction("classic", *arguments, code=2, cwd=tmp_path).stderr
