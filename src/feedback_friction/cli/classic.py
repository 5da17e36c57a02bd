"""``friction classic``: the reference code's flags, on this engine.

The study's commands run as they stand. Results go to ``--write_file`` in the reference format; the
run directory beside it (``FILE.run``) makes an interrupted command resumable.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from feedback_friction.analysis.accuracy_by_attempt import read_results
from feedback_friction.bridges.reference import export
from feedback_friction.cli.drive import INTERRUPTED
from feedback_friction.cli.run import start
from feedback_friction.errors import UsageError
from feedback_friction.modes import BINARY, PROCESS, SELF, STRONG
from feedback_friction.options import refuse_unknown
from feedback_friction.settings import Output, Settings
from feedback_friction.study import STRONG_MODEL
from feedback_friction.ways import GREEDY, HEAT, HEAT_REJECT, REJECT
from feedback_friction.writing import write_jsonl

DATASETS = {
    "aime_2024": "aime_2024",
    "custom_simple": "decimal_multiplication",
    "gpqa": "gpqa",
    "hex": "hex_multiplication",
    "math": "math_500",
    "mmlu": "mmlu",
    "mmlu_pro": "mmlu_pro",
    "pop_qa": "pop_qa",
    "trivia_qa": "trivia_qa",
}


@click.command("classic")
@click.option("--dataset", default="math", show_default=True)
@click.option("--agent_model", default="meta-llama/Meta-Llama-3-8B-Instruct", show_default=True)
@click.option("--base_url", default="http://c004", show_default=True)
@click.option("--ports", default="1233_1234_1235_1236", show_default=True)
@click.option("--write_file", default="output_arc.jsonl", show_default=True, type=Path)
@click.option("--temperature", default=0.0, show_default=True)
@click.option("--iterations", default=10, show_default=True)
@click.option("--proportion", default=1.0, show_default=True)
@click.option("--use_feedback", is_flag=True)
@click.option("--use_process_feedback", is_flag=True)
@click.option("--use_openai", is_flag=True)
@click.option("--shuffle", is_flag=True)
@click.option("--binary_hint", is_flag=True)
@click.option("--in_temp", is_flag=True)
@click.option("--best_of_n", is_flag=True)
@click.option("--logprobs", type=int)
@click.option("--data", type=click.Path(path_type=Path), help="Problems from a file (not theirs).")
@click.option("--quiet", is_flag=True, help="Do not show progress (not theirs).")
def command(
    dataset: str,
    agent_model: str,
    base_url: str,
    ports: str,
    write_file: Path,
    proportion: float,
    use_feedback: bool,
    use_process_feedback: bool,
    use_openai: bool,
    in_temp: bool,
    best_of_n: bool,
    logprobs: int | None,
    quiet: bool,
    **same: Any,
) -> int:
    """Run a command of the study's own code, with its flags."""
    refuse_unknown([dataset], DATASETS, "--dataset")
    mode = feedback_mode(use_feedback, use_process_feedback, use_openai)
    settings = Settings.of(
        tasks=(DATASETS[dataset],),
        solver=f"openai/{agent_model}",
        base_urls=server_urls(base_url, ports),
        feedback=(mode,),
        feedback_model=(STRONG_MODEL,) if mode == STRONG.name else (),
        sampling=(sampling_name(in_temp, best_of_n),),
        fraction=proportion if proportion != 1 else None,
        logprobs=logprobs is not None,
        **same,
    )
    directory = write_file.with_name(f"{write_file.name}.run")
    code = start(settings, Output(out=directory, quiet=quiet))
    if code != INTERRUPTED:
        write_jsonl(export(directory), write_file)
        accuracy = read_results(directory)[0].accuracy
        click.echo(f"Accuracies:  {[round(100 * share, 3) for share in accuracy]}")
    return code


def feedback_mode(use_feedback: bool, use_process_feedback: bool, use_openai: bool) -> str:
    """The feedback mode that a combination of the reference's flags stands for."""
    modes = {
        (False, False, False): BINARY,
        (True, False, False): SELF,
        (True, True, False): PROCESS,
        (True, True, True): STRONG,
    }
    flags = (use_feedback, use_process_feedback, use_openai)
    if flags not in modes:
        raise UsageError(
            "allowed: no feedback flag (binary), --use_feedback (self), --use_feedback "
            "--use_process_feedback (process), or both with --use_openai (strong)"
        )
    return modes[flags].name


def sampling_name(in_temp: bool, best_of_n: bool) -> str:
    """The sampling strategy for ``--in_temp`` and ``--best_of_n``."""
    wanted = {(False, False): GREEDY, (True, False): HEAT, (False, True): REJECT}
    return wanted.get((in_temp, best_of_n), HEAT_REJECT).name


def server_urls(base_url: str, ports: str) -> tuple[str, ...]:
    """One URL a port: ``http://host`` and ``1233_1234`` give two replicas."""
    numbers = ports.split("_")
    if not all(number.isdecimal() for number in numbers):
        raise UsageError(f"--ports must be numbers joined by underscores, not '{ports}'")
    return tuple(f"{base_url.rstrip('/')}:{number}/v1" for number in numbers)
