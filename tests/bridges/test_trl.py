"""TRL's own trainers take steps on the rows of every training set."""

from __future__ import annotations

import pytest

from commands import friction
from feedback_friction.bridges import rewards
from feedback_friction.bridges.training import FORMS
from feedback_friction.engine.models.llama.gguf_files import ABACUS
from gguf_files import needs_llama

pytestmark = [pytest.mark.heavy, needs_llama]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Abacus, a model small enough to be trained here, in need of its tutor."""
    folder = tmp_path_factory.mktemp("trl") / "run"
    friction(
        *("run", "decimal_multiplication", "--digits", 3, "--limit", 30, "--iterations", 3),
        *("--solver", "gguf/abacus", "--sampling", "heat", "--out", folder, "--quiet"),
        *("--feedback", "tutor", "--feedback", "retry"),
    )
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Abacus in full precision; transformers takes what came from a GGUF file for quantised."""
    from transformers import AutoTokenizer, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("abacus")
    model = LlamaForCausalLM.from_pretrained(ABACUS.parent, gguf_file=ABACUS.name)
    model.hf_quantizer, model.is_quantized = None, False
    del model.config.quantization_config
    model.float().save_pretrained(folder)
    AutoTokenizer.from_pretrained(ABACUS.parent).save_pretrained(folder)
    return str(folder)


def trainer_of(form):
    import trl
    from trl.experimental import sdpo

    return {
        "sft": (trl.SFTTrainer, trl.SFTConfig, {}),
        "dpo": (trl.DPOTrainer, trl.DPOConfig, {}),
        "kto": (trl.KTOTrainer, trl.KTOConfig, {}),
        "grpo": (trl.GRPOTrainer, trl.GRPOConfig, {"num_generations": 2}),
        "sdpo": (
            sdpo.SDPOTrainer,
            sdpo.SDPOConfig,
            {"num_generations": 2, "include_environment_feedback": True},
        ),
    }[form]


@pytest.mark.parametrize("form", FORMS)
def test_two_steps_of_its_trainer_on_what_was_exported(run, model, form, tmp_path):
    import datasets

    rows = tmp_path / f"{form}.jsonl"
    friction("export", run, "--to", form, "--out", rows)
    data = datasets.load_dataset("json", data_files=str(rows), split="train")
    trainer, config, more = trainer_of(form)
    if form in ("grpo", "sdpo"):
        more |= {"max_completion_length": 8}
    arguments = config(
        output_dir=str(tmp_path / "out"),
        max_steps=2,
        per_device_train_batch_size=2,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        bf16=False,
        **more,
    )
    scored = {"reward_funcs": rewards.within(8)} if "num_generations" in more else {}
    trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        **scored,
    ).train()
