"""GEPA's search, driven from a thread of its own: it calls, and our event loop answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feedback_friction.engine.passes.prompt_search import (
    BATCH,
    CHECKED,
    MOST_CHECKED,
    PreparedImprovement,
    Result,
    Search,
)
from feedback_friction.problem import Problem
from feedback_friction.protocol.improvement import UNUSABLE, Round, template, told
from feedback_friction.protocol.prompts import unusable

if TYPE_CHECKING:
    from gepa.core.adapter import EvaluationBatch


async def search(prepared: PreparedImprovement, work: Search, training: Sequence[Problem]) -> str:
    """The prompt that is best on the training problems; the old one where none is better.

    An iteration takes at most a batch under the old prompt, a batch under a new one, and the
    problems that every prompt is tried on; none begins that could pass the budget of rounds.
    """
    from gepa import optimize

    name, budget = prepared.form.base, prepared.asked.budget_rounds
    checked = list(training[: max(BATCH, min(MOST_CHECKED, budget // CHECKED))])
    at_most = 2 * BATCH + len(checked)
    loop = asyncio.get_running_loop()

    def wait(coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    def run() -> str:
        result = optimize(
            seed_candidate={name: prepared.prompt},
            trainset=list(training),
            valset=checked,
            adapter=_Adapter(name, work, wait),
            reflection_lm=lambda prompt: wait(work.reflect(str(prompt))),
            reflection_prompt_template=template(prepared.form),
            reflection_minibatch_size=BATCH,
            stop_callbacks=lambda state: state.total_num_evals + at_most > budget,
            logger=_Silent(),
            seed=prepared.condition.plan.seed,
            track_best_outputs=False,
        )
        scores: list[float] = result.val_aggregate_scores
        prompts: list[str] = [each[name] for each in result.candidates]
        return prompts[scores.index(max(scores))]  # of equals the oldest

    return await asyncio.to_thread(run)


class _Silent:
    """A logger that drops what GEPA logs: the journal has it."""

    def log(self, message: str) -> None:
        """Say nothing."""


class _Adapter:
    """What GEPA asks of us (``gepa.core.adapter.GEPAAdapter``)."""

    propose_new_texts = None

    def __init__(self, name: str, work: Search, wait: Callable[[Any], Any]) -> None:
        self._name, self._work, self._wait = name, work, wait

    def evaluate(
        self, batch: list[Problem], candidate: dict[str, str], capture_traces: bool = False
    ) -> EvaluationBatch[Round, Round]:
        """The rounds of a batch under a prompt, and their scores."""
        from gepa.core.adapter import EvaluationBatch

        prompt = candidate[self._name]
        if unusable(prompt):
            self._work.unusable += 1
            nothing: list[Any] = [None] * len(batch)
            return EvaluationBatch(nothing, [UNUSABLE] * len(batch), nothing)
        self._work.rounds += len(batch)
        rounds: list[Round] = self._wait(self._work.under(prompt, batch))
        return EvaluationBatch(rounds, [each.score for each in rounds], rounds)

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],
        eval_batch: EvaluationBatch[Round, Round],
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """What the reflection model reads of a batch."""
        rounds = eval_batch.trajectories or []
        return {name: [told(each) for each in rounds] for name in components_to_update}
