"""The places of a run that are looked at: attempts after feedback, with prompts proved as sent."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from feedback_friction.engine.passes.reopen import Prompts, read_trials
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.errors import UsageError
from feedback_friction.inside.parting import Parting, parting
from feedback_friction.problem import Problem
from feedback_friction.protocol.probes import Scene
from feedback_friction.protocol.records import Attempt, Generate, Trial
from feedback_friction.protocol.state import answer_key
from feedback_friction.protocol.trial import attempt_request

TAKEN_UP, REPEATED, OTHER, AT_FIRST = "taken up", "repeated", "other", "right at first"
Key = tuple[str, str, int, int]  # condition, problem id, epoch, iteration


@dataclass(frozen=True, slots=True)
class Place:
    """An attempt after feedback."""

    condition: str  # the condition's id
    scene: Scene  # the trial; ``scene.iteration`` is the attempt's
    request: Generate  # the prompt that asked for it, as it was sent
    # what became of the feedback: taken up (the attempt is right), repeated (the wrong answer
    # before it came again), other; of a first attempt, right at first
    outcome: str
    # where in the reply the two ways part; None where there is no such place
    parting: Parting | None

    @property
    def key(self) -> Key:
        """What it is known by in the journal."""
        scene = self.scene
        return self.condition, scene.problem.id, scene.epoch, scene.iteration

    @property
    def attempt(self) -> Attempt:
        """The attempt itself."""
        return self.scene.attempts[self.scene.iteration]

    @property
    def feedback(self) -> str:
        """The feedback before it, as it was shown."""
        told = self.scene.attempts[self.scene.iteration - 1].feedback
        assert told is not None  # places are chosen by it
        return told.text

    def outcome_of(self, text: str) -> str:
        """What would have become of the feedback if this had been the reply."""
        verdict = self.scene.task.grade(self.attempt.problem, text)
        before = self.scene.attempts[max(0, self.scene.iteration - 1)]
        return _outcome(before, replace(self.attempt, verdict=verdict))

    def told(self, feedback: str) -> Place:
        """The same place with another text in the feedback's stead; no request was ever so sent."""
        at = self.scene.iteration - 1
        given = self.scene.attempts[at].feedback
        assert given is not None
        changed = replace(self.scene.attempts[at], feedback=replace(given, text=feedback))
        attempts = (*self.scene.attempts[:at], changed, *self.scene.attempts[at + 1 :])
        scene = replace(self.scene, attempts=attempts)
        return replace(self, scene=scene, request=_request(scene))


@dataclass(frozen=True, slots=True)
class Found:
    """What a run has to look at."""

    places: tuple[Place, ...]
    firsts: tuple[Place, ...]  # first attempts that are right, at most ``sample`` a condition
    left_out: Counter[str]  # by reason, how many places


def find_places(
    prompts: Prompts,
    directory: Path,
    solvers: Sequence[str],
    attempt: int = 2,
    sample: int | None = None,
    seed: int = 0,
    only: Sequence[str] = (),
) -> Found:
    """The attempts with that number, from 2, that follow feedback.

    Args:
        sample: problems at most; None is all. A larger sample holds the smaller one.
        only: the conditions to look into, by their ids; none is all.
    """
    known = {
        each.id: each
        for each in prompts.conditions
        if each.plan.mode.shows_history and each.solver in solvers
    }
    for name in only:
        if name not in known:
            allowed = ", ".join(map(repr, known)) or "none"
            raise UsageError(f"no feedback is shown in a condition '{name}'; allowed: {allowed}")
    conditions = [known[name] for name in dict.fromkeys(only or known)]
    trials = {each.id: list(read_trials(directory, each)) for each in conditions}
    told = [
        (condition, trial)
        for condition in conditions
        for trial in trials[condition.id]
        if len(trial.attempts) >= attempt and _is_told(trial.attempts[attempt - 2])
    ]
    if not told:
        raise UsageError(f"{directory} has no attempt {attempt} after feedback: nothing to analyse")
    chosen = sampled([trial.problem for _, trial in told], sample, seed)
    wanted = [_place(*each, attempt - 1) for each in told if each[1].problem.id in chosen]
    left_out = Counter[str]()
    places = []
    for place in wanted:
        solver = known[place.condition].solver
        reason = _unfit(place, prompts.sent([place.request], solver)[0].proved)
        left_out.update([reason] if reason else [])
        places += [] if reason else [place]
    if not places:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        raise UsageError(f"no attempt of {directory} can be analysed: {reasons}")
    firsts = [_firsts(each, trials[each.id], sample, seed) for each in conditions]
    return Found(tuple(places), tuple(chain.from_iterable(firsts)), left_out)


def sampled(problems: Iterable[Problem], sample: int | None, seed: int) -> set[str]:
    """The ids of so many problems, by a hash of the seed and their ids."""
    names = dict.fromkeys((each.task, each.id) for each in problems)
    order = sorted(names, key=lambda each: random.Random(f"{seed}:{each}:inside").random())
    return {name for _, name in order[:sample]}


def trains(problem_id: str) -> bool:
    """Whether a problem is of the half on which layers, heads and strengths are chosen."""
    return random.Random(f"{problem_id}:half").random() < 0.5


def _is_told(before: Attempt) -> bool:
    """Whether an attempt was wrong and got feedback: challenges of right ones are another thing."""
    return before.feedback is not None and not before.verdict.is_correct


def _place(condition: Condition, trial: Trial, iteration: int) -> Place:
    attempts, plan, task = trial.attempts, condition.plan, condition.task
    scene = Scene(task, plan, trial.problem, trial.epoch, attempts, iteration)
    before, after = attempts[iteration - 1], attempts[iteration]
    found = parting(task, before, after)
    return Place(condition.id, scene, _request(scene), _outcome(before, after), found)


def _request(scene: Scene) -> Generate:
    return attempt_request(scene.before(scene.iteration))


def _outcome(before: Attempt, after: Attempt) -> str:
    if after.verdict.is_correct:
        return TAKEN_UP
    old, new = (answer_key(each.problem, each.verdict) for each in (before, after))
    return REPEATED if new is not None and new == old else OTHER


def _unfit(place: Place, proved: bool) -> str:
    if not proved:
        return "with prompts that the journal does not prove"
    if place.attempt.reply.reasoning:
        return "with reasoning apart, which no template puts back"
    return "" if place.attempt.reply.text.strip() else "with an empty reply"


def _firsts(
    condition: Condition, trials: Sequence[Trial], sample: int | None, seed: int
) -> Iterator[Place]:
    right = [each for each in trials if each.attempts[0].verdict.is_correct]
    chosen = sampled([each.problem for each in right], sample, seed)
    plan, task = condition.plan, condition.task
    for trial in right:
        if trial.problem.id in chosen:
            scene = Scene(task, plan, trial.problem, trial.epoch, trial.attempts, 0)
            yield Place(condition.id, scene, _request(scene), AT_FIRST, None)
