"""What may be asked of a distillation, beside the options of a run: each option with its field."""

from __future__ import annotations

from dataclasses import dataclass

from feedback_friction.options import Options, option

FIRST = "first"
METHODS = ("sft", "dpo", "sdpo")


@dataclass(frozen=True, slots=True)
class Asked(Options):
    """How a solver is trained, and how often."""

    # how it is trained; the control, ``first``, is made beside them
    methods: tuple[str, ...] = option(
        ("sft",),
        "sft: its own corrected attempts, every problem weighing the same; dpo: these against "
        "repeated wrong ones; sdpo: its own replies, judged with the feedback in view; repeatable.",
        flag="--method",
        metavar="METHOD",
        choices=METHODS,
    )
    updates: int = option(
        1, "Times to run, train, and run again with the trained solver.", metavar="N", least=1
    )
    seeds: int = option(
        3, "Repetitions, each with problems, draws and training of its own.", metavar="N", least=1
    )
    steps: int = option(40, "Steps of training in each update.", metavar="N", least=1)
    batch: int = option(8, "Rows in each step.", metavar="N", least=2)
    learning_rate: float | None = option(
        None, "Of AdamW.  [0.001 for sft, 0.0001 for dpo and sdpo]", metavar="X", above=0
    )
    rank: int = option(16, "Rank of LoRA's matrices, which are in every linear layer.", least=1)
    draws: int = option(
        4, "Times that a problem is tried for the training set.", metavar="N", least=1
    )
    draw_temperature: float = option(
        0.7, "The solver's temperature in these trials.", metavar="X", least=0, most=2
    )

    @property
    def arms(self) -> tuple[str, ...]:
        """The methods, and the control: right first answers, trained on in the way of sft."""
        return (*dict.fromkeys(self.methods), FIRST)

    def rate(self, method: str) -> float:
        """The learning rate of a method."""
        return self.learning_rate or (1e-3 if method in ("sft", FIRST) else 1e-4)
