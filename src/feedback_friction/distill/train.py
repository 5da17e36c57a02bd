"""Training by TRL's own trainers, with LoRA in every linear layer, in half a page each."""

from __future__ import annotations

import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from feedback_friction.distill import weights
from feedback_friction.distill.asked import FIRST, Asked
from feedback_friction.distill.training_rows import Row, drawn
from feedback_friction.errors import UsageError, reason
from feedback_friction.inside.loading import Loaded, find_source, load

FILE = "model.gguf"


def trained(
    method: str, solver: str, rows: Sequence[Row], folder: Path, asked: Asked, seed: int, reply: int
) -> None:
    """Train a solver and write it, with its tokenizer, to a folder that is there whole or not.

    Args:
        method: of ``asked``.
        solver: ``gguf/...``.
        rows: what ``distill.rows`` made for the method.
        reply: tokens that a reply may have, for methods that let the solver write in training.
    """
    source = find_source(solver, (solver,), {}, as_is=True)
    assert source.file is not None  # the solver is gguf/...
    weights.check(source.file)
    loaded = load(source)
    with _quiet():
        wrapped = _trainer(method, loaded, rows, asked, seed, reply)
        wrapped.train()
        matrices = _merged(wrapped.accelerator.unwrap_model(wrapped.model))
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        weights.write(source.file, partial / FILE, matrices)
        loaded.tokenizer.save_pretrained(partial)
        partial.replace(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UsageError(f"cannot write {folder}: {reason(error)}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars, warnings and figures of the libraries: what is under way is told by us."""
    import datasets

    datasets.disable_progress_bars()
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _merged(model: Any) -> dict[str, Any]:
    """By transformers' name, the matrices that LoRA changed, as numpy arrays."""
    layers = [name for name, module in model.named_modules() if hasattr(module, "lora_A")]
    changed = {name.removeprefix("base_model.model.") for name in layers}
    plain = model.merge_and_unload()
    return {
        f"{name}.weight": module.weight.detach().float().cpu().numpy()
        for name, module in plain.named_modules()
        if name in changed
    }


def _trainer(
    method: str, loaded: Loaded, rows: Sequence[Row], asked: Asked, seed: int, reply: int
) -> Any:
    import trl
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import set_seed

    set_seed(seed)
    shown = {name for name in rows[0] if name not in ("iteration", "epoch", "negative")}
    data = Dataset.from_list(
        [
            {name: row[name] for name in row if name in shown}
            for row in drawn(rows, asked.steps * asked.batch, seed)
        ]
    )
    lora = LoraConfig(
        r=asked.rank, lora_alpha=2 * asked.rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    common: dict[str, Any] = {
        "output_dir": tempfile.gettempdir(),  # nothing is saved there
        "max_steps": asked.steps,
        "per_device_train_batch_size": asked.batch,
        "learning_rate": asked.rate(method),
        "lr_scheduler_type": "linear",
        "seed": seed,
        "data_seed": seed,
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "gradient_checkpointing": False,
        "use_cpu": loaded.device == "cpu",
        "bf16": loaded.device != "cpu",
    }
    given: dict[str, Any] = {
        "model": loaded.model,
        "train_dataset": data,
        "processing_class": loaded.tokenizer,
        "peft_config": lora,
    }
    if method in ("sft", FIRST):
        return trl.SFTTrainer(args=trl.SFTConfig(max_length=None, **common), **given)
    if method == "dpo":
        return trl.DPOTrainer(args=trl.DPOConfig(max_length=None, **common), **given)
    from trl.experimental.sdpo import SDPOConfig, SDPOTrainer

    from feedback_friction.bridges import rewards

    arguments = SDPOConfig(
        include_environment_feedback=True,
        num_generations=2,
        max_completion_length=reply,
        **common,
    )
    return SDPOTrainer(reward_funcs=rewards.within(reply)[:1], args=arguments, **given)
