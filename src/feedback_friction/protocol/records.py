"""What the loop asks for, what it is told, and what it leaves behind: frozen records, no logic.

The loop (``trial.trial``) yields effects (``Generate``, ``Grade``, ``Mask``, ``Attempted``), is
sent their results (``Completion``, ``Verdict``, ``Masked``, None), and ends by returning a
``Trial``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from feedback_friction.grading.verdict import Verdict
from feedback_friction.policy import Choice
from feedback_friction.problem import Problem
from feedback_friction.settings import Decoding

Role = Literal["solver", "feedback", "judge", "reader", "perception", "reflection"]
FinishReason = Literal["stop", "length", "content_filter", "context_length"]
Status = Literal["solved", "unsolved", "stopped", "undecided", "failed"]


ENDED: tuple[Status, ...] = ("solved", "unsolved", "stopped")
JUDGED: tuple[Status, ...] = (*ENDED, "undecided")  # every attempt is there, with its verdict
AGAIN: frozenset[Status] = frozenset({"failed", "undecided"})  # what a resume runs again


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or several calls, as the server counted them.

    Attributes:
        prompt_tokens: tokens read.
        completion_tokens: tokens written, reasoning included.
        cached_tokens: those of the prompts that a prefix cache held.
        reasoning_tokens: those of the replies that were reasoning.
        unknown: calls that the server did not count: the numbers are those of the others alone.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    unknown: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a reply, as the server tells of it.

    Attributes:
        text: its text; of part of a character, what the server shows for it.
        logprob: its natural log-probability; None where it is no finite number.
        id: its number in the vocabulary; None where not given.
    """

    text: str
    logprob: float | None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply (one choice of a completion).

    Attributes:
        text: the answer text, never an error message, never the reasoning.
        finish_reason: ``content_filter`` and ``context_length`` are refusals: the text is then
            whatever was really generated, often nothing.
        mean_logprob: mean natural log-probability per generated token; None where not given.
        reasoning: the reasoning text of a reasoning model, kept apart from the answer.
        tokens: those that the server told of; on the way to the journal alone.
    """

    text: str
    finish_reason: FinishReason = "stop"
    mean_logprob: float | None = None
    reasoning: str | None = None
    tokens: tuple[Token, ...] = field(default=(), compare=False)

    @property
    def is_cut_off(self) -> bool:
        """Whether it ended before the model ended it."""
        return self.finish_reason != "stop"

    @property
    def refusal(self) -> str:
        """The reason where it is a refusal with nothing in it, else "".

        A reply that was filtered or cut after it had begun counts as what it says.
        """
        refused = self.finish_reason in ("content_filter", "context_length")
        return self.finish_reason if refused and not self.text.strip() else ""


@dataclass(frozen=True, slots=True)
class Completion:
    """The result of a ``Generate``: as many replies as were asked for, and what they took.

    Attributes:
        replies: the replies; ``len(replies) == n`` of the request.
        usage: tokens of the whole request.
        seconds: wall time of the successful call.
        model: the model's name as the server reported it.
        failures: how often it failed before it succeeded.
    """

    replies: tuple[Reply, ...]
    usage: Usage = Usage()
    seconds: float = 0.0
    model: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Occasion:
    """Who asks, and at which point: for placing, journaling and simulating a call.

    Not part of the call's identity, and never shown to a real model.
    """

    problem: Problem
    epoch: int
    iteration: int
    mode: str
    attempts: tuple[Attempt, ...] = ()
    judged: tuple[str, str] | None = None  # solver and mode of the trial that a judge labels
    thought: str = ""  # what the solver writes to itself (``ways.Thought``); "" for an answer


@dataclass(frozen=True, slots=True)
class Generate:
    """Ask a model for ``n`` replies to the same messages.

    Attributes:
        role: what the replies are for.
        speaker: whose model writes them (``process`` feedback has role feedback, speaker solver).
        messages: the chat.
        temperature: sampling temperature, at least 0.
        max_tokens: limit on generated tokens per reply.
        seed: request seed; replies within one request differ from each other all the same.
        n: number of replies.
        decoding: further sampling parameters.
        logprobs: ask for token log-probabilities.
        occasion: where in which trial this is asked.
    """

    role: Role
    speaker: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    seed: int
    occasion: Occasion = field(compare=False)
    n: int = 1
    decoding: Decoding = field(default_factory=Decoding)
    logprobs: bool = False

    def with_limits(self, n: int, max_tokens: int) -> Generate:
        """The same for so many replies of so many tokens: itself, where that is what it asks."""
        if (n, max_tokens) == (self.n, self.max_tokens):
            return self
        return replace(self, n=n, max_tokens=max_tokens)


@dataclass(frozen=True, slots=True)
class Grade:
    """Ask for the verdict of the task's grader on a reply (answered with a ``Verdict``)."""

    problem: Problem
    response: str
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class Mask:
    """Ask for feedback to pass the gate (answered with a ``Masked``)."""

    problem: Problem
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the original text that was masked: ``text[start:end]``, and the form it had."""

    start: int
    end: int
    form: str


@dataclass(frozen=True, slots=True)
class Masked:
    """Text that passed the gate.

    Attributes:
        text: the text with every span replaced by ``[masked]``.
        spans: what was replaced, in order, as offsets into the original text.
        leaks: stretches of the masked text that the task's own grader would still accept.
    """

    text: str
    spans: tuple[Span, ...] = ()
    leaks: tuple[str, ...] = ()


AsideKind = Literal["stand-in", "suggested", "corrupted", "restated", "notes", "check", "first-try"]


@dataclass(frozen=True, slots=True)
class Aside:
    """A text that belongs to an attempt beside reply and feedback.

    Attributes:
        kind: ``stand-in``, another problem's attempt, which later prompts show in place of the
            solver's own; ``suggested``, the wrong answer that the feedback argues for;
            ``corrupted``, the feedback before that; ``restated`` and ``notes``, what the solver
            wrote to itself after the feedback; ``check``, what it said of this attempt, and
            ``first-try``, the answer that this said of, where the attempt is another.
        text: the text.
        donor: id of the problem that it comes from, for a stand-in.
    """

    kind: AsideKind
    text: str
    donor: str = ""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the solver is told about a wrong attempt.

    Attributes:
        mode: name of the feedback mode.
        raw: the text before the gate.
        text: the text that the solver sees.
        leaks: what the audit found in ``text``.
        masked_spans: number of spans that the gate replaced.
        usage: tokens of writing it; zero for a program's or a fixed text.
        seconds: wall time of writing it.
        donor: for placebo feedback, the id of the problem that it was written for.
        aligned: what of the answer it repeats from the student's own work; no leaks.
        choice: the form that was chosen, and why; None for a mode without forms.
        asides: what is to be kept beside it.
    """

    mode: str
    raw: str
    text: str
    leaks: tuple[str, ...] = ()
    masked_spans: int = 0
    usage: Usage = Usage()
    seconds: float = 0.0
    donor: str | None = None
    aligned: tuple[str, ...] = ()
    choice: Choice | None = None
    asides: tuple[Aside, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer of the solver, its verdict, and the feedback it got (None if it got none).

    Attributes:
        iteration: 0 for the first attempt.
        problem: the problem as this attempt saw it (a shuffle changes the order of choices).
        reply: the reply that counts.
        verdict: the grader's verdict on it.
        temperature: the temperature it was drawn at; None where it was the server's own.
        draws: how many replies were drawn to get it.
        usage: tokens of all those draws.
        seconds: wall time of all those draws.
        feedback: the feedback that followed; None for a correct or a last attempt.
        asides: what else belongs to it.
        entropy: of the answers drawn, in nats; None of a single one.
    """

    iteration: int
    problem: Problem
    reply: Reply
    verdict: Verdict
    temperature: float | None
    draws: int = 1
    usage: Usage = Usage()
    seconds: float = 0.0
    feedback: Feedback | None = None
    asides: tuple[Aside, ...] = ()
    entropy: float | None = None

    def aside(self, kind: AsideKind) -> Aside | None:
        """The aside of a kind; None without one."""
        return next((each for each in self.asides if each.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Attempted:
    """Tell that an attempt has its verdict, and no feedback yet (answered with None).

    So that whoever drives the loop can keep the attempts of a trial that has not ended.
    """

    attempt: Attempt


Effect = Generate | Grade | Mask | Attempted


@dataclass(frozen=True, slots=True)
class Trial:
    """One problem, solved again and again with feedback, under one condition.

    Attributes:
        problem: the problem as loaded.
        epoch: number of the repetition, from 0.
        attempts: the attempts in order.
        status: ``solved``; ``unsolved`` after the last attempt; ``stopped`` when a model refused
            to go on (context length, content filter): counted as not solved, and shown apart;
            ``undecided`` when the last attempt was neither shown right nor wrong: it runs again on
            resume, as ``failed`` trials do (which no generator returns).
        reason: why it stopped, for ``stopped``; which limit was passed, for ``undecided``.
    """

    problem: Problem
    epoch: int
    attempts: tuple[Attempt, ...]
    status: Status
    reason: str = ""
