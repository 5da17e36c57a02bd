"""A simulated solver with known parameters: for tests, and to validate the estimators.

It is no language model: it is told the gold answer, and decides by its parameters whether to give
it. Everything that comes from it is labelled as simulation. A spec is ``student/NAME`` with a
preset's name, or parameters: ``student/ability=0.4,repeat=0.8,uptake.strong=0.3``.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from feedback_friction.errors import UsageError
from feedback_friction.forms import FORMS, parse_form
from feedback_friction.mode_names import recorded_mode
from feedback_friction.modes import MODES, STRONG, TUTOR, Mode
from feedback_friction.problem import LETTERS, Problem
from feedback_friction.protocol.error_category import MODE as ANNOTATE
from feedback_friction.protocol.mislead import slipped
from feedback_friction.protocol.records import (
    Attempt,
    Completion,
    Generate,
    Occasion,
    Reply,
    Usage,
)
from feedback_friction.tasks.catalog import get_page
from feedback_friction.ways import CHECK

CHARACTERS_PER_TOKEN = 4
SAYS_YES = 0.96  # asked whether it understood or updated
DOUBTS = 0.5  # its own answers, when it checks them
GIVES_UP = 0.5  # as a reader of feedback that names nothing
State = Callable[[Problem, str], str]
_TRIES = 50
SLIPS_IN_PARTIALS = 0.6  # the other slips are in the sum
CAUSES = ("feedback not followed", "feedback wrong", "too complicated")


@dataclass(frozen=True, slots=True)
class Traits:
    """The known truth about a student."""

    ability: float = 0.35  # mean probability that an answer without feedback is right, in [0, 1]
    # how much problems differ: the probability of a problem is drawn from a Beta distribution with
    # this much of the largest possible variance, in [0, 1)
    spread: float = 0.8
    # by feedback mode or form, the probability that an attempt after feedback is right, for a
    # problem that is not resistant, where it is not the mode's or the form's own
    uptake: Mapping[str, float] = field(default_factory=dict)
    # the same by form, where the last attempt gave the answer of the one before
    stuck: Mapping[str, float] = field(default_factory=dict)
    # by feedback mode that challenges right answers, the probability that one is given up, where it
    # is not the mode's own (``modes.Mode.obey``)
    obey: Mapping[str, float] = field(default_factory=dict)
    # probability that an attempt after feedback repeats the one before because it stands in the
    # prompt
    drag: float = 0.0
    resistant: float = 0.3  # share of problems on which no feedback is ever taken up
    # probability that a wrong attempt after feedback repeats the attempt before
    repeat: float = 0.7
    silent: float = 0.03  # probability that a wrong new attempt states no answer at all
    blurt: float = 0.2  # probability that feedback written by the student names the right answer
    # probability that the student names another cause, when it is the judge of trials
    misjudge: float = 0.0


PRESETS = {
    "default": Traits(),
    "keen": Traits(uptake={STRONG.name: 0.8, TUTOR.name: 0.9}, resistant=0.05, repeat=0.3),
    "stubborn": Traits(resistant=0.7, repeat=0.95),
}


def parse_traits(name: str) -> Traits:
    """The traits that a student's name stands for.

    Raises:
        UsageError: no such preset or parameter, or a value outside [0, 1].
    """
    if name in PRESETS:
        return PRESETS[name]
    traits = Traits()
    for part in name.split(","):
        key, equals, text = part.partition("=")
        value = _share(name, key, text) if equals else None
        known = {each.name for each in fields(Traits)} - _BY_MODE.keys()
        kind, _, mode = key.partition(".")
        if value is not None and key in known:
            traits = replace(traits, **{key: value})  # type: ignore[arg-type]
        elif value is not None and kind in _BY_MODE and _BY_MODE[kind](mode):
            changed: dict[str, Any] = {kind: {**getattr(traits, kind), mode: value}}
            traits = replace(traits, **changed)
        else:
            names = (*known, "uptake.MODE", "uptake.FORM", "stuck.FORM", "obey.MODE")
            allowed = [*PRESETS, *(f"{each}=P" for each in names)]
            raise UsageError(f"unknown student '{name}'; allowed: {', '.join(sorted(allowed))}")
    return traits


def _takes_up(mode: str) -> bool:
    """Whether there is such a form or mode, with its dose or without, and it says anything."""
    base = mode.partition(":")[0]
    return mode in FORMS or (base in MODES and MODES[base].shows_history)


# The traits that are given by mode or by form, and whether there is such a one.
_BY_MODE: dict[str, Callable[[str], bool]] = {
    "uptake": _takes_up,
    "stuck": FORMS.__contains__,
    "obey": lambda mode: recorded_mode(mode).challenges,
}


def _share(name: str, key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"student '{name}': {key} must be a number from 0 to 1, not '{text}'")
    return value


class StudentModel:
    """A model that answers by its traits; deterministic, like a server that honours seeds."""

    simulated = True

    def __init__(self, spec: str) -> None:
        """Make the student ``student/NAME``; raises ``UsageError`` for a name it does not know."""
        self.name = self.identity = spec
        self.traits = parse_traits(spec.partition("/")[2])

    async def check(self) -> None:
        """Nothing can be missing."""

    async def close(self) -> None:
        """Nothing is held."""

    async def generate(self, request: Generate) -> Completion:
        """Answer as the role of the request wants it."""
        replies = tuple(self._reply(request, number) for number in range(request.n))
        prompt = sum(len(message.content) for message in request.messages)
        written = sum(len(reply.text) for reply in replies)
        usage = Usage(prompt // CHARACTERS_PER_TOKEN, written // CHARACTERS_PER_TOKEN + 1)
        return Completion(replies, usage, 0.0, self.name)

    def _reply(self, request: Generate, number: int) -> Reply:
        occasion = request.occasion
        rng = random.Random(f"{self.name}:{_draw_key(request)}:{number}")
        if request.role == "feedback":
            return Reply(self._feedback(occasion.problem, rng))
        if request.role == "judge" and occasion.mode == ANNOTATE:
            return Reply(self._label(request, rng))
        if request.role == "judge":
            return Reply("YES" if self._judges_right(request) else "NO")
        if request.role == "perception":  # it says yes whatever it did, as the study found
            return Reply("YES" if rng.random() < SAYS_YES else "NO")
        if request.role == "reader":
            return Reply(_read(request, rng))
        if occasion.thought:
            return Reply(self._to_itself(occasion, rng))
        text = self._answer(request, rng)
        confidence = self.chance(occasion.problem)
        return Reply(text, mean_logprob=-(1 - confidence) * rng.uniform(0.2, 0.6))

    # --- what it knows ---------------------------------------------------------------------------

    def chance(self, problem: Problem) -> float:
        """The probability that an answer to this problem without feedback is right."""
        mean, spread = self.traits.ability, self.traits.spread
        if spread == 0 or mean in (0, 1):
            return mean
        concentration = 1 / spread - 1
        rng = random.Random(f"{self.name}:{problem.task}:{problem.id}:chance")
        return rng.betavariate(mean * concentration, (1 - mean) * concentration)

    def resists(self, problem: Problem) -> bool:
        """Whether no feedback on this problem is ever taken up."""
        rng = random.Random(f"{self.name}:{problem.task}:{problem.id}:resists")
        return rng.random() < self.traits.resistant

    # --- what it writes --------------------------------------------------------------------------

    def _answer(self, request: Generate, rng: random.Random) -> str:
        occasion = request.occasion
        mode = recorded_mode(occasion.mode)
        state = get_page(occasion.problem.task).task.state_answer
        problem = occasion.problem
        shown = occasion.attempts if mode.shows_history else ()
        if not shown:
            right = rng.random() < self.chance(problem)
        elif shown[-1].verdict.is_correct:  # and challenged
            right = rng.random() >= self.traits.obey.get(mode.name, mode.obey)
        else:
            if rng.random() < self.traits.drag and _in_sight(request, shown[-1], state):
                return _again(problem, shown[-1], state, rng)
            uptake = self._uptake(mode, occasion)
            right = not self.resists(problem) and rng.random() < uptake
            if not right and rng.random() < self.traits.repeat:
                return _again(problem, shown[-1], state, rng)
        if right:
            return write_up(problem, problem.gold, state, rng)
        if rng.random() < self.traits.silent:
            return "I am not able to finish this."
        tried = {answer_in(problem, attempt) for attempt in shown}
        return write_up(problem, wrong_answer(problem, tried, rng), state, rng)

    def _uptake(self, mode: Mode, occasion: Occasion) -> float:
        """The chance to be right after the feedback on the latest attempt."""
        latest, given = occasion.attempts[-1], self.traits.uptake
        choice = latest.feedback.choice if latest.feedback else None
        if choice is None:
            if latest.aside("corrupted") or _is_late(mode, len(occasion.attempts)):
                return 0.0
            usual = given.get(mode.name, mode.uptake)
            if mode.writer == "part":
                usual *= mode.dose or 0.0
            return given.get(occasion.mode, usual)
        form = parse_form(choice.form)
        fresh = self.traits.uptake.get(form.base, form.uptake)
        return self.traits.stuck.get(form.base, fresh) if choice.state.repeats else fresh

    def _feedback(self, problem: Problem, rng: random.Random) -> str:
        hint = (
            f"Simulated feedback by {self.name}: go through your steps once more; one of them does "
            "not follow from the one before."
        )
        if rng.random() < self.traits.blurt:
            return f"{hint} The correct answer is {problem.gold}."
        return hint

    def _to_itself(self, occasion: Occasion, rng: random.Random) -> str:
        """A check lets half of the answers pass; notes and restatements say nothing of any."""
        if occasion.thought == CHECK.thought:
            return "NO, it does not follow." if rng.random() < DOUBTS else "YES, it follows."
        return f"Simulated words of {self.name}: redo the step that the feedback is about."

    def _label(self, request: Generate, rng: random.Random) -> str:
        """A label for an unsolved trial: the planted cause, else one at random."""
        occasion = request.occasion
        cause = planted_cause(occasion.problem, occasion.judged)
        known = cause is not None and rng.random() >= self.traits.misjudge
        said = cause if known else rng.choice([each for each in CAUSES if each != cause])
        why = "The cause that was planted." if cause else "Drawn at random: no cause was planted."
        return json.dumps(
            {"reason": why, "round": rng.randint(1, occasion.iteration + 1), "category": said}
        )

    def _judges_right(self, request: Generate) -> bool:
        problem = request.occasion.problem
        shown = request.messages[-1].content.casefold()
        return any(alias.casefold() in shown for alias in (problem.gold, *problem.aliases))


def planted_cause(problem: Problem, judged: tuple[str, str] | None) -> str | None:
    """Why a student's trial stayed unsolved, which its traits decided; None for a real model's.

    It resisted, or its feedback said nothing of what was wrong, or it was only unlucky.
    """
    solver, feedback = judged or ("", "")
    if not solver.startswith("student/"):
        return None
    if StudentModel(solver).resists(problem):
        return CAUSES[0]
    mode = recorded_mode(feedback)
    return CAUSES[2] if mode.informs and mode.writer != "fixed" else CAUSES[1]


def _is_late(mode: Mode, attempts: int) -> bool:
    """Whether no feedback has come yet that says more than that the answers are wrong."""
    return mode.writer == "late" and attempts <= (mode.dose or 0)


def _in_sight(request: Generate, attempt: Attempt, state: State) -> bool:
    """Whether the prompt holds an attempt, its working or its answer."""
    prediction = attempt.verdict.prediction
    texts = [attempt.reply.text.strip()]
    texts += [state(attempt.problem, prediction)] if prediction is not None else []
    prompt = "\n".join(message.content for message in request.messages)
    return any(text and text in prompt for text in texts)


def _again(problem: Problem, attempt: Attempt, state: State, rng: random.Random) -> str:
    """The same answer again; the very same words unless the choices now stand in another order."""
    answer = answer_in(problem, attempt)
    if answer is None or attempt.problem.choices == problem.choices:
        return attempt.reply.text
    return write_up(problem, answer, state, rng)


def answer_in(problem: Problem, attempt: Attempt) -> str | None:
    """What an attempt answered, by the letters of the order in which choices now stand."""
    prediction = attempt.verdict.prediction
    if not prediction or prediction not in attempt.problem.letters:
        return prediction
    text = attempt.problem.choices[LETTERS.index(prediction)]
    return LETTERS[problem.choices.index(text)]


def _read(request: Generate, rng: random.Random) -> str:
    """What a reader of feedback names: the answer if it stands there, else a guess or nothing."""
    problem = request.occasion.problem
    state = get_page(problem.task).task.state_answer
    if problem.gold_text.casefold() in request.messages[-1].content.casefold():
        return write_up(problem, problem.gold, state, rng)
    if rng.random() < GIVES_UP:
        return "UNKNOWN"
    guess = rng.choice(problem.letters) if problem.choices else wrong_answer(problem, (), rng)
    return write_up(problem, guess, state, rng)


def _draw_key(request: Generate) -> str:
    """What a draw depends on: at temperature 0 the prompt alone, else the request's seed too."""
    occasion = request.occasion
    where = f"{occasion.problem.task}:{occasion.problem.id}:{occasion.epoch}:{request.role}"
    digest = hashlib.blake2b(digest_size=8)
    for message in request.messages:
        digest.update(message.content.encode("utf-8", "surrogatepass"))
    seed = request.seed if request.temperature > 0 else "greedy"
    return f"{where}:{digest.hexdigest()}:{seed}"


# --- how an answer is written, right or wrong, so that a grader can read it ---------------------


def wrong_answer(problem: Problem, tried: Collection[str | None], rng: random.Random) -> str:
    """An answer that is not gold and, where possible, was not tried before."""
    for _ in range(_TRIES):
        answer = _other(problem, rng)
        if answer not in tried and answer != problem.gold and answer not in problem.aliases:
            return answer
    return answer


def _other(problem: Problem, rng: random.Random) -> str:
    if problem.choices:
        return rng.choice([letter for letter in problem.letters if letter != problem.gold])
    if problem.operands:
        return slipped(problem.gold, rng)
    if problem.gold.isdecimal():
        return str(rng.randrange(10 ** len(problem.gold)))
    return f"guess {rng.randrange(1000)}"


def write_up(problem: Problem, answer: str, state: State, rng: random.Random) -> str:
    """A reply that ends by stating an answer, with an opening that differs from draw to draw.

    A multiplication is worked out, so that a tutor has work to read: a wrong answer comes from a
    slip in one partial product or in the sum.
    """
    openings = ("Let me work through this.", "Step by step:", "I will go through it carefully.")
    parts = [rng.choice(openings), *_work(problem, answer, rng), state(problem, answer)]
    return "\n\n".join(parts)


def _work(problem: Problem, answer: str, rng: random.Random) -> list[str]:
    """The partial products, digit by digit of the second factor, and their sum; or nothing."""
    if len(problem.operands) != 2:
        return []
    base = 10 if problem.task == "decimal_multiplication" else 16
    first, second = problem.operands
    places = [(digit, place) for place, digit in enumerate(reversed(second)) if int(digit, base)]
    partials = [int(first, base) * int(digit, base) * base**place for digit, place in places]
    slip = int(answer, base) - sum(partials)
    largest = partials.index(max(partials))
    if slip and partials[largest] + slip > 0 and rng.random() < SLIPS_IN_PARTIALS:
        partials[largest] += slip
    shown = [f"{partial:d}" if base == 10 else f"{partial:X}" for partial in partials]
    lines = [
        f"{first} * {digit}{'0' * place} = {partial}"
        for (digit, place), partial in zip(places, shown, strict=True)
    ]
    return ["\n".join([*lines, f"{' + '.join(shown)} = {answer}"])]
