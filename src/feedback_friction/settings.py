"""Everything that a user may ask of a run: each option is declared here, once, with its field.

To add an option: a field here, made by ``option`` (``Plan`` for what a trial does, ``Selection``
for which problems, ``Models`` for who answers, ``Operation`` for what has no influence on the
results), and the place that reads it, such as ``prepared.settings.plan.shuffle``. A
sampling parameter is a field of ``Decoding``, and nothing else. Command line, help,
docs/cli.md (``python docs/generate.py``), study files, presets, the Python API, the comparison of
configurations and the reading of earlier runs follow from the field; ``part`` says whether
``run.json`` compares it. A run that was made before the option existed has its default.

The defaults are the paper's (section 3 and the reference code).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.forms import FORMS
from feedback_friction.modes import ATTRIBUTIONS, BINARY, MODES, STRONG, Mode
from feedback_friction.options import (
    Option,
    Options,
    declared,
    filled,
    option,
    options_of,
    refuse_unknown,
)
from feedback_friction.split import HELD_OUT, SPLITS
from feedback_friction.ways import (
    GREEDY,
    HISTORIES,
    PLAIN,
    SOLVES,
    STRATEGIES,
    TRANSCRIPT,
    History,
    Sampling,
    Solve,
)

STRATIFIED = ("subject", "level", "s_pop", "o_pop")  # fields of a problem that make groups
# In the order of growing effort; each provider takes some of them.
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
UNSENT = 1.0  # what stands for a temperature that is not sent: the default of the API

# Options that several dataclasses have.
_SEED = Option("Seed of everything random.")
JUDGE_URLS = Option(
    "Judge model's server; repeatable.", "--judge-base-url", metavar="URL", part="operation"
)
JUDGE_OPTIONS = Option(
    "An extra request field for the judge model; also reasoning_tokens and reasoning_effort.",
    "--judge-option",
    metavar="KEY=VALUE",
    part="model",
)
TIMEOUT = Option(
    "Time limit of one request.  [600, or 0.1 for each token that a reply may have]",
    metavar="SECONDS",
    above=0,
    most=7 * 86_400,
    part="operation",
)
PRICES = Option("A price list of your own.", part="operation")


@dataclass(frozen=True, slots=True)
class Decoding(Options):
    """How a server samples the tokens of the solver's replies; None leaves its default.

    A field has its parameter's name in OpenAI's API. What is set is part of a call's key, and sent
    by every client.
    """

    top_p: float | None = option(None, "Solver's top_p.  [the server's default]", above=0, most=1)

    def given(self) -> dict[str, object]:
        """The parameters that are set, by name."""
        values = ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        return {name: value for name, value in values if value is not None}


@dataclass(frozen=True, slots=True)
class Plan(Options):
    """How a trial goes.

    Attributes:
        mode: the feedback mode.
        sampling: how an attempt is drawn.
        history: how earlier attempts are shown.
        solve: what the solver does before it answers.
        form_requests: by form of feedback, what a model is asked for instead of our words.
    """

    mode: Mode = BINARY
    sampling: Sampling = GREEDY
    iterations: int = option(10, "Maximum number of attempts.", least=1, most=1000)
    rounds: int = option(
        3,
        "Challenges of each answer, right or wrong, in modes that challenge "
        f"({', '.join(name for name, mode in MODES.items() if mode.challenges)}).",
        least=1,
    )
    history: History = TRANSCRIPT
    solve: Solve = PLAIN
    seed: int = declared(0, _SEED)
    temperature: float | None = option(
        0.0, "Solver's temperature; 'none' sends none, for models without one.", least=0, most=2
    )
    decoding: Decoding = field(default_factory=Decoding)
    max_tokens: int = option(2000, "Token limit of an answer.", least=1)
    feedback_temperature: float | None = option(
        0.0, "Feedback writer's temperature; 'none' sends none.", least=0, most=2
    )
    feedback_max_tokens: int = option(5000, "Token limit of a feedback.", least=1)
    logprobs: bool = option(False, "Request log-probabilities of answers.")
    token_logprobs: bool = option(
        False, "Keep log-probabilities token by token, with token ids where the server sends them."
    )
    shuffle: bool = option(False, "Permute the choices at every iteration.")
    binary_hint: bool = option(False, "List the choices already tried and those left.")
    form_requests: tuple[tuple[str, str], ...] = ()

    @property
    def asks_logprobs(self) -> bool:
        """Whether answers are to come with log-probabilities."""
        return self.logprobs or self.token_logprobs

    @property
    def solver_temperature(self) -> float:
        """The solver's base temperature, or what stands for it."""
        return UNSENT if self.temperature is None else self.temperature

    @property
    def writer_temperature(self) -> float:
        """The feedback writer's temperature, or what stands for it."""
        return UNSENT if self.feedback_temperature is None else self.feedback_temperature


@dataclass(frozen=True, slots=True)
class Selection(Options):
    """Which problems of a task are asked.

    What is in a file counts, not where it lies and what it calls its columns: ``run.json`` compares
    a digest of the problems.
    """

    data: Path | None = option(
        None,
        "Problems from a file in the task's own schema, or hf:OWNER/NAME:SPLIT.",
        metavar="FILE",
        part="operation",
    )
    limit: int | None = option(None, "Maximum number of problems.", least=1)
    fraction: float | None = option(None, "Share of the problems, chosen by seed.", above=0, most=1)
    seed: int = declared(0, _SEED)
    digits: int = option(5, "Digits of the factors in multiplication tasks, 2 to 6.")
    stratify: str | None = option(
        None, "Sample equally from each group of a field.", choices=STRATIFIED
    )
    split: str = option(
        "all",
        "Only the training problems, or only the held-out ones, in the same split as "
        "'friction export'.",
        choices=SPLITS,
    )
    held_out: float = option(
        HELD_OUT, "Share of the problems to hold out, by a hash of their ids.", least=0, most=1
    )
    examples: Path | None = option(None, "File of few-shot examples.", part="operation")
    grader: str | None = option(
        None,
        "Grader of custom questions: regex:PATTERN, python:FILE.py:NAME, "
        "rubric:TEXT or rubric:@FILE (by the judge model), or the name of a built-in one.",
        metavar="GRADER",
        part="operation",
    )
    task_file: Path | None = option(
        None,
        "A Python file that defines tasks, models or feedback writers of your own.",
        metavar="FILE.py",
        part="operation",
    )
    columns: tuple[str, ...] = option(
        (),
        "Columns of the data for fields of the schema: question=prompt,answer=target.",
        flag="--map",
        metavar="FIELD=COLUMN",
        part="operation",
    )


@dataclass(frozen=True, slots=True)
class Models(Options):
    """Who answers, who writes feedback, who judges: each with its servers and its options."""

    solver: tuple[str, ...] = option(
        (), "The solver, as provider/name; repeat for several.", metavar="MODEL"
    )
    feedback_model: tuple[str, ...] = option(
        (),
        f"The model that writes '{STRONG.name}' feedback; repeat for several teachers.",
        metavar="MODEL",
    )
    judge_model: str | None = option(
        None, "The model that judges answers, for pop_qa.", metavar="MODEL"
    )
    base_urls: tuple[str, ...] = option(
        (),
        "Solver's server; repeat for replicas. MODEL=URL sets the server of one solver of several.",
        flag="--base-url",
        metavar="URL",
        part="operation",
    )
    feedback_base_urls: tuple[str, ...] = option(
        (),
        "Feedback model's server; repeatable.",
        flag="--feedback-base-url",
        metavar="URL",
        part="operation",
    )
    judge_base_urls: tuple[str, ...] = declared((), JUDGE_URLS)
    reasoning_tokens: int | None = option(
        None, "Solver's reasoning budget, on top of --max-tokens.", metavar="N", part="model"
    )
    reasoning_effort: str | None = option(
        None,
        "Solver's reasoning effort; the reasoning counts towards --max-tokens.",
        choices=EFFORTS,
        part="model",
    )
    options: tuple[str, ...] = option(
        (),
        "An extra request field (or provider argument) for the solver; VALUE may be JSON. "
        "MODEL=KEY=VALUE applies to one solver of several. "
        "gguf/... also takes slots, context, threads and gpu_layers.",
        flag="--solver-option",
        short="-M",
        metavar="KEY=VALUE",
        part="model",
    )
    feedback_options: tuple[str, ...] = option(
        (),
        "The same for the feedback model; also reasoning_tokens and reasoning_effort.",
        flag="--feedback-option",
        metavar="KEY=VALUE",
        part="model",
    )
    judge_options: tuple[str, ...] = declared((), JUDGE_OPTIONS)


@dataclass(frozen=True, slots=True)
class Operation(Options):
    """How a run is carried out, without influence on its results."""

    concurrency: int = option(
        256, "Maximum number of requests in flight.", least=1, part="operation"
    )
    part: str | None = option(
        None,
        "Run one part of the problems, such as 2/8; 'friction merge' combines the parts.",
        metavar="I/N",
        part="operation",
    )
    ray: str | None = option(
        None,
        "Run in parts on a Ray cluster: its address, or 'local' for this machine.",
        metavar="ADDRESS",
        part="operation",
    )
    workers: int | None = option(
        None, "Parts on the cluster.  [one per node]", metavar="N", least=1, part="operation"
    )
    timeout: float | None = declared(None, TIMEOUT)
    prices: Path | None = declared(None, PRICES)
    budget_usd: float | None = option(
        None, "Maximum cost of the run in US dollars.", metavar="X", above=0, part="operation"
    )
    budget_tokens: int | None = option(
        None, "Maximum number of tokens for the run.", metavar="N", least=1, part="operation"
    )


@dataclass(frozen=True, slots=True)
class Settings(Options):
    """All that is asked of a run.

    A run directory holds one configuration: what is not ``Operation``. The tuples are the axes of
    the grid of conditions; ``plan`` is what all of them share.
    """

    tasks: tuple[str, ...] = option((), "The tasks.", is_argument=True)
    models: Models = field(default_factory=Models)
    feedback: tuple[str, ...] = option(
        (BINARY.name,),
        f"{', '.join(MODES)}; or one form alone: {', '.join(FORMS)}; repeat for a grid.",
        metavar="MODE",
    )
    sampling: tuple[str, ...] = option(
        (GREEDY.name,), f"{', '.join(STRATEGIES)}; repeat for a grid.", metavar="S"
    )
    history: tuple[str, ...] = option(
        (TRANSCRIPT.name,),
        "What the solver sees of earlier attempts: "
        f"{'; '.join(f'{each.name}, {each.shows}' for each in HISTORIES.values())}; "
        "repeat for a grid.",
        metavar="H",
    )
    solve: tuple[str, ...] = option(
        (PLAIN.name,),
        "What the solver does between feedback and answer: "
        f"{'; '.join(f'{each.name}, {each.does}' for each in SOLVES.values())}; "
        "repeat for a grid.",
        metavar="HOW",
    )
    attribution: tuple[str, ...] = option(
        (ATTRIBUTIONS[0],),
        f"Whom the solver is told the feedback comes from: {', '.join(ATTRIBUTIONS)}; "
        "repeat for a grid.",
        metavar="WHO",
    )
    frozen: str | None = option(
        None,
        "Continue from the attempts and feedback of a frozen set, with one call per item and no "
        "teacher: core (included), or a file from 'friction freeze'. TASKs select from the set.",
        metavar="FILE",
        part="operation",
    )
    prompts: Path | None = option(
        None,
        "Prompts that ask a model for each form (TOML or JSON), in place of the built-in ones.",
        metavar="FILE",
        part="operation",
    )
    epochs: int = option(1, "Repetitions of each problem.", least=1, most=10_000)
    plan: Plan = field(default_factory=Plan)
    selection: Selection = field(default_factory=Selection)
    operation: Operation = field(default_factory=Operation)

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """Settings from the values of options, by the names of their fields.

        Raises:
            UsageError: there is no such option, or a value is of another type or out of bounds.
        """
        every = options_of(cls)
        refuse_unknown(values, every, "option")
        return filled(cls, {name: every[name].read(each, name) for name, each in values.items()})


@dataclass(frozen=True, slots=True)
class Output(Options):
    """Where a command's results go."""

    out: Path | None = option(None, "The run directory.  [runs/...]", part="nowhere")
    as_json: bool = option(False, "Print one JSON object.", flag="--json", part="nowhere")
    quiet: bool = option(False, "Do not show progress.", part="nowhere")


def addressed(
    words: Sequence[str], solvers: Sequence[str], flag: str
) -> dict[str, tuple[str, ...]]:
    """By solver, the words that are for it alone, without its name; under "" those for all.

    Raises:
        UsageError: a word is for a model that is not a solver of the run; names those that are.
    """
    found: dict[str, list[str]] = {"": [], **{solver: [] for solver in solvers}}
    for word in words:
        named = (each for each in solvers if word.startswith(f"{each}="))
        solver = max(named, key=len, default="")  # one may begin another
        name = word.partition("=")[0]
        if not solver and re.match(r"[a-z][a-z-]*/", name):
            allowed = ", ".join(solvers)
            raise UsageError(f"{flag} {name} is not a solver of this run; allowed: {allowed}")
        found[solver].append(word[len(solver) + 1 :] if solver else word)
    return {solver: tuple(each) for solver, each in found.items()}
