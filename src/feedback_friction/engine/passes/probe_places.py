"""Runs a probe over a finished run: places chosen, asked many at once, journaled beside the run."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from feedback_friction.engine.journal.rows import as_json
from feedback_friction.engine.models.model_options import ModelOptions
from feedback_friction.engine.models.providers.provider_table import Asked, refuse_untaken
from feedback_friction.engine.models.registry import ModelSettings, parse_spec
from feedback_friction.engine.passes.reopen import read_trials, reopen
from feedback_friction.engine.run.conditions import Condition
from feedback_friction.engine.run.launch import opened, wanted_models
from feedback_friction.engine.run.prepare import Prepared
from feedback_friction.engine.run.runner import Note, Progress, Watch, run_jobs
from feedback_friction.engine.run.seats import Seat
from feedback_friction.errors import UsageError
from feedback_friction.options import Options, option
from feedback_friction.protocol.episode import rng_for
from feedback_friction.protocol.probes import Scene, entropy, in_domain, reader, self_perception
from feedback_friction.protocol.records import Effect, Status, Trial

Steps = Generator[Effect, Any, Any]


@dataclass(frozen=True, slots=True)
class ProbeJob:
    """One place to be probed."""

    condition: Condition
    scene: Scene  # the place
    donor: Scene | None = None  # a place of another problem, for the reader's control

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Condition, problem id, epoch and iteration."""
        scene = self.scene
        return self.condition.id, scene.problem.id, scene.epoch, scene.iteration


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe."""

    name: str  # as on the command line
    places: Callable[[Trial], Sequence[int]]  # the iterations of a trial at which it looks
    needs: str  # what the user is told where a run has no such place
    ask: Callable[[ProbeJob, int, float], Steps]  # at a place, with so many draws at a temperature
    draws: int = 0  # draws at each place; 0 for a probe that asks once
    temperature: float = 0.0  # of the draws
    reads: bool = False  # whether a reader model is asked, not the solver


def _first_feedback(trial: Trial) -> Sequence[int]:
    return (0,) if trial.attempts and trial.attempts[0].feedback is not None else ()


def _every_feedback(trial: Trial) -> Sequence[int]:
    return [each.iteration for each in trial.attempts if each.feedback is not None]


def _answered_feedback(trial: Trial) -> Sequence[int]:
    last = len(trial.attempts) - 1
    return [each for each in _every_feedback(trial) if each < last]


def _first_prompt(trial: Trial) -> Sequence[int]:
    return (0,) if trial.epoch == 0 and trial.attempts else ()


_NO_FEEDBACK = "no feedback: no first attempt is wrong, or the mode is 'retry'"

PROBES = {
    probe.name: probe
    for probe in (
        Probe(
            "entropy",
            _first_feedback,
            _NO_FEEDBACK,
            lambda job, draws, temperature: entropy(job.scene, draws, temperature),
            draws=50,
            temperature=0.7,
        ),
        Probe(
            "in-domain",
            _first_prompt,
            "no attempts",
            lambda job, draws, temperature: in_domain(job.scene, draws, temperature),
            draws=100,
            temperature=0.7,
        ),
        Probe(
            "self-perception",
            _answered_feedback,
            "no attempt after feedback",
            lambda job, draws, temperature: self_perception(job.scene),
        ),
        Probe(
            "reader",
            _every_feedback,
            _NO_FEEDBACK,
            lambda job, draws, temperature: reader(job.scene, job.donor, temperature),
            reads=True,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class ProbeOptions(Options):
    """What a probe command asks for, beside how it is carried out."""

    draws: int | None = option(None, "Draws.  [entropy 50, in-domain 100]", metavar="N", least=1)
    temperature: float | None = option(
        None, "Of draws, or of the reader.  [0.7; reader 0]", least=0, most=2
    )
    sample: int | None = option(
        None, "At most this many problems of each condition, by seed.", metavar="N", least=1
    )
    conditions: tuple[str, ...] = option(
        (), "Only this one; repeatable.", flag="--condition", metavar="NAME"
    )
    seed: int = option(0, "Seed of the sample.")
    reader_model: str | None = option(None, "Who reads, for reader.  [the solver]", metavar="MODEL")
    reader_base_urls: tuple[str, ...] = option(
        (), "Reader's server; repeatable.", flag="--reader-base-url", metavar="URL"
    )


@dataclass(frozen=True, slots=True)
class PreparedProbe:
    """A probe that can start: nothing about the command itself is wrong."""

    probe: Probe  # which one
    draws: int  # draws at each place
    temperature: float  # of the draws or the reader
    settings: str  # what decides its results, as JSON; findings of other settings stand apart
    directory: Path  # the run's
    run: Prepared  # the run as it was made
    wanted: Mapping[Seat, ModelSettings]  # by seat, the models
    jobs: tuple[ProbeJob, ...]  # every place, those where the probe has been included


def get_probe(name: str) -> Probe:
    """The probe of that name; raises ``UsageError`` when there is none."""
    if name not in PROBES:
        raise UsageError(f"unknown probe '{name}'; allowed: {', '.join(PROBES)}, confidence")
    return PROBES[name]


def prepare_probe(directory: Path, name: str, options: ProbeOptions, **given: Any) -> PreparedProbe:
    """Check a command, read the run's trials and choose the places.

    Args:
        given: options of how it is carried out; see ``reopen``.

    Raises:
        UsageError: an unknown probe or condition, options that the probe does not have, or a run
            without the attempts that it needs; one line.
    """
    probe = get_probe(name)
    _check(probe, options)
    run = reopen(directory, **given)
    conditions = _conditions(run, options.conditions)
    jobs = tuple(
        job
        for condition in conditions
        for job in _jobs(probe, condition, list(read_trials(directory, condition)), options)
    )
    if not jobs:
        raise UsageError(f"the probe '{name}' has nothing to ask in {directory}: {probe.needs}")
    wanted = _wanted(probe, run, options)
    draws, temperature = options.draws or probe.draws, _temperature(probe, run, options)
    for each in wanted.values():
        refuse_untaken(each.spec, Asked(temperature if each is not wanted.get("judge") else 0.0))
    settings = _settings(probe, draws, temperature, wanted)
    return PreparedProbe(probe, draws, temperature, settings, directory, run, wanted, jobs)


def _temperature(probe: Probe, run: Prepared, options: ProbeOptions) -> float:
    """As asked for; else the draws' own, 0 for another reader, the solver's where it is asked."""
    if options.temperature is not None:
        return options.temperature
    if probe.draws:
        return probe.temperature
    another = probe.reads and options.reader_model not in (None, *run.settings.models.solver)
    return 0.0 if another else run.settings.plan.solver_temperature


def _check(probe: Probe, options: ProbeOptions) -> None:
    if options.draws is not None and not probe.draws:
        raise UsageError(f"the probe '{probe.name}' asks once and takes no --draws")
    if probe.draws and options.temperature == 0:
        raise UsageError("at temperature 0 every draw is the same")
    if options.temperature is not None and not (probe.draws or probe.reads):
        raise UsageError(f"the probe '{probe.name}' asks at the run's own temperature")
    if not probe.reads and (options.reader_model or options.reader_base_urls):
        raise UsageError(
            f"the probe '{probe.name}' has no reader: --reader-model needs the probe reader"
        )


def _conditions(run: Prepared, asked: Sequence[str]) -> list[Condition]:
    known = {condition.id: condition for condition in run.conditions}
    for name in asked:
        if name not in known:
            raise UsageError(
                f"unknown condition '{name}'; allowed: {', '.join(repr(each) for each in known)}"
            )
    return [known[name] for name in dict.fromkeys(asked or known)]


def _jobs(
    probe: Probe, condition: Condition, trials: Sequence[Trial], options: ProbeOptions
) -> Iterator[ProbeJob]:
    scenes = [
        Scene(condition.task, condition.plan, trial.problem, trial.epoch, trial.attempts, iteration)
        for trial in trials
        for iteration in probe.places(trial)
    ]
    chosen = _sampled(scenes, options)
    for scene in scenes:
        if scene.problem.id in chosen:
            donor = _donor(scene, scenes, options.seed) if probe.reads else None
            yield ProbeJob(condition, scene, donor)


def _sampled(scenes: Sequence[Scene], options: ProbeOptions) -> set[str]:
    """Problems by a hash of the seed and their ids: a larger sample holds the smaller one."""
    problems = {scene.problem.id: scene.problem for scene in scenes}
    order = sorted(
        problems.values(),
        key=lambda each: random.Random(f"{options.seed}:{each.task}:{each.id}:probe").random(),
    )
    return {problem.id for problem in order[: options.sample]}


def _donor(scene: Scene, scenes: Sequence[Scene], seed: int) -> Scene | None:
    """Another problem's feedback, if possible at the same iteration."""
    others = [each for each in scenes if each.problem.id != scene.problem.id]
    alike = [each for each in others if each.iteration == scene.iteration]
    rng = rng_for(seed, scene.problem, scene.epoch, scene.iteration, 0, "reader's donor")
    return rng.choice(alike or others) if others else None


def _wanted(probe: Probe, run: Prepared, options: ProbeOptions) -> dict[Seat, ModelSettings]:
    """The models that the probe asks: the solvers or the reader, and a judge where there is one."""
    models = wanted_models(run)
    judge = {seat: each for seat, each in models.items() if seat == "judge"}
    solvers = {seat: each for seat, each in models.items() if seat.startswith("solver")}
    return judge | (_readers(solvers, options) if probe.reads else solvers)


def _readers(
    solvers: Mapping[Seat, ModelSettings], options: ProbeOptions
) -> dict[Seat, ModelSettings]:
    """The reader: another model, or each solver for its own trials."""
    name, urls = options.reader_model, options.reader_base_urls
    if name is None:
        return {
            seat.replace("solver", "reader", 1): replace(each, base_urls=urls or each.base_urls)
            for seat, each in solvers.items()
        }
    for each in solvers.values():
        if each.spec == name:
            return {"reader": replace(each, base_urls=urls or each.base_urls)}
    parse_spec(name)
    any_solver = next(iter(solvers.values()))
    return {"reader": replace(any_solver, spec=name, base_urls=urls, options=ModelOptions())}


def _settings(
    probe: Probe, draws: int, temperature: float, wanted: Mapping[Seat, ModelSettings]
) -> str:
    settings: dict[str, Any] = {"temperature": temperature}
    if probe.draws:
        settings |= {"draws": draws}
    readers = [each for seat, each in wanted.items() if seat.startswith("reader")]
    for each in readers:
        settings |= each.options.as_dict()
    if readers:
        settings["reader"] = ", ".join(each.spec for each in readers)
    return orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()


async def execute_probe(prepared: PreparedProbe, watch: Watch, notice: Note) -> Progress:
    """Ask at every place where the probe has not been.

    Raises:
        UsageError: the directory or a model cannot be used as asked; no call was made.
        RunStoppedError: it stopped itself; resumable.
    """
    run, name = prepared.run, prepared.probe.name
    async with opened(
        prepared.wanted, prepared.directory, run.prices, run.settings.operation.concurrency, notice
    ) as caller:
        been = caller.journal.probed(name, prepared.settings)
        left = [job for job in prepared.jobs if job.place not in been]

        async def work(job: ProbeJob) -> Status:
            steps = prepared.probe.ask(job, prepared.draws, prepared.temperature)
            found = await caller.drive(steps, job.scene.task, solver=job.condition.solver)
            place = zip(("condition", "problem_id", "epoch", "iteration"), job.place, strict=True)
            row = {"probe": name, "settings": prepared.settings, **dict(place)}
            await caller.journal.add("probes", [{**row, "value": as_json(asdict(found))}])
            return "unsolved"

        done = len(prepared.jobs) - len(left)
        return await run_jobs(caller, left, work, lambda job: job.place[:3], watch, done=done)
