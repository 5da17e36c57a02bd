"""What a server can do, and what a run does about what it cannot: some twenty short calls.

The calls go through the model layer that runs use, so that what it learns here of a server is what
it will learn in a run. Nothing is kept.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from feedback_friction.engine.models.base import Model, ModelError
from feedback_friction.engine.models.remote.chat_reply import tokens
from feedback_friction.engine.models.remote.dialect import Quirk
from feedback_friction.engine.models.remote.omissions import NO_USAGE
from feedback_friction.engine.models.remote.retry import RetryPolicy
from feedback_friction.errors import RunStoppedError
from feedback_friction.problem import Problem
from feedback_friction.protocol.records import Completion, Generate, Message, Occasion, Usage

# One attempt a call, and a second after a rate limit: what fails here is what there is to tell.
RETRY = RetryPolicy(attempts=1, empty=1, base=0.2, longest_wait=2.0, total=5.0, rounds=0)
PATIENCE = 20.0  # seconds for one check
AT_ONCE = 8
_LARGEST_N = 10  # of the requests for 1, 2, 4, 8 and 10 replies that make up 25 draws
_REPLY_TOKENS = 2000  # what a run asks for by default
_SLOW = 20.0  # tokens a second, where nothing better is known
_SECONDS_ALONE, _SECONDS_TOGETHER = 1.5, 2.5  # that the speed is measured for, or so
_COUNT = "Count from 1 to 100, one number a line, and write nothing else."
# What a server calls the size of its context, the one in force before the one that could be.
_CONTEXT_FIELDS = (
    "loaded_context_length",  # LM Studio
    "max_model_len",  # vLLM, SGLang
    "n_ctx",  # llama.cpp
    "context_length",  # OpenRouter, Together
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "n_ctx_train",  # llama.cpp
)
_PROBLEM = Problem("doctor", "doctor", _COUNT, "100")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str  # what was looked at
    found: str  # what there is
    run: str = ""  # what ``friction run`` does about it
    is_good: bool = True  # whether nothing is lost


@dataclass(slots=True)
class Doctor:
    """Examines one model."""

    model: Model  # checked, and opened with ``RETRY`` and this doctor's ``notice``
    notices: list[str] = field(default_factory=list)  # what the model layer told the user
    clock: Callable[[], float] = time.monotonic  # seconds
    patience: float = PATIENCE  # seconds that one check may take
    first: Completion | None = None  # the answer to the first call, once it is there

    async def examine(self, told: Callable[[Finding], None]) -> bool:
        """Make every check; whether the model can be used at all.

        Args:
            told: is given each finding as soon as it is there.
        """
        first = await self._checked("answers", self._answers)
        told(first)
        if not first.is_good:
            return False
        checks: Sequence[tuple[str, Callable[[], Awaitable[Finding]]]] = (
            ("temperature", self._temperature),
            ("system role", self._system),
            ("replies a request", self._several),
            ("seed", self._seed),
            ("log-probabilities", self._logprobs),
            ("token counts", self._usage),
            ("prefix cache", self._cache),
            ("speed", self._speed),
        )
        for name, check in checks:
            told(await self._checked(name, check))
        for line in self.notices:
            if not any(known in line for known in _KNOWN):
                told(Finding("note", line.removeprefix(f"{self.model.name}: ")))
        return True

    async def _checked(self, name: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
        try:
            async with asyncio.timeout(self.patience):
                return await check()
        except TimeoutError:
            found = f"no answer within {self.patience:g} s"
            return Finding(name, found, "waits longer; see --timeout", False)
        except (ModelError, RunStoppedError) as error:
            said = _PLACE.sub("", str(error).removeprefix(f"{self.model.name}: "))
            return Finding(name, f"no: {said}", _REFUSED.get(name, "fails at its calls"), False)

    async def _ask(self, text: str, system: str = "", **more: Any) -> Completion:
        messages = (Message("system", system),) if system else ()
        request = Generate(
            role="solver",
            speaker="solver",
            messages=(*messages, Message("user", text)),
            temperature=0.0,
            max_tokens=16,
            seed=7,
            occasion=Occasion(_PROBLEM, 0, 0, "doctor"),
        )
        return await self.model.generate(replace(request, **more))

    async def _answers(self) -> Finding:
        self.first = completion = await self._ask("What is 2 + 2?")
        name = f" as '{completion.model}'" if completion.model else ""
        return Finding("answers", f"yes{name}, in {completion.seconds:.2f} s")

    async def _temperature(self) -> Finding:
        if self._has(Quirk.NO_TEMPERATURE):
            run = "draws at the server's own; heat changes nothing"
            return Finding("temperature", "not taken", run, False)
        return Finding("temperature", "taken")

    async def _system(self) -> Finding:
        await self._ask("What is 2 + 2?", "Answer with one word.", max_tokens=4)
        if self._has(Quirk.NO_SYSTEM):
            return Finding("system role", "not taken", "heads the first user message", False)
        return Finding("system role", "taken")

    async def _several(self) -> Finding:
        await self._ask("Name a colour.", temperature=1.0, max_tokens=2, n=_LARGEST_N)
        told = [line for line in self.notices if " a request" in line]
        if not told:
            return Finding("replies a request", f"{_LARGEST_N} or more")
        found = "1" if "one reply a request" in told[-1] else told[-1].partition(": ")[2]
        return Finding("replies a request", found, "draws by as many requests as it takes", False)

    async def _seed(self) -> Finding:
        seed = secrets.randbelow(2**31)
        one, other = [
            await self._ask("Tell me a story.", temperature=1.0, max_tokens=16, seed=seed)
            for _ in range(2)
        ]
        if self._has(Quirk.NO_SEED):
            return Finding("seed", "not taken", "draws cannot be reproduced", False)
        if one.replies[0].text == other.replies[0].text:
            return Finding("seed", "the same reply twice")
        return Finding("seed", "taken, another reply", "draws cannot be reproduced", False)

    async def _logprobs(self) -> Finding:
        completion = await self._ask("What is 2 + 2?", logprobs=True, max_tokens=4)
        mean = completion.replies[0].mean_logprob
        if mean is None:
            return Finding("log-probabilities", "none", "--logprobs leaves confidence empty", False)
        return Finding("log-probabilities", f"given (mean {mean:.2f})")

    async def _usage(self) -> Finding:
        usage = self.first.usage if self.first else Usage(unknown=1)
        if usage.unknown:
            run = "cost unknown; a budget counts the most that a call can take"
            return Finding("token counts", "none", run, False)
        return Finding("token counts", f"{usage.prompt_tokens} + {usage.completion_tokens}")

    async def _cache(self) -> Finding:
        # Nobody has asked this before, and no other part of it is in any cache.
        text = " ".join(secrets.token_hex(2) for _ in range(100))
        first = await self._ask(text, max_tokens=1)
        then = await self._ask(f"{text} And then?", max_tokens=1)
        cached, whole = then.usage.cached_tokens, then.usage.prompt_tokens
        if cached:
            return Finding("prefix cache", f"{cached} of {whole} tokens")
        times = f"{first.seconds:.2f} s, then {then.seconds:.2f} s"
        if then.seconds < first.seconds / 2:
            return Finding("prefix cache", f"not told; {times}")
        return Finding("prefix cache", f"no sign of one: {times}", "reads all of a prompt", False)

    async def _speed(self) -> Finding:
        # Tokens a second of the first call, which decides how many are worth waiting for.
        usual = _SLOW
        if self.first is not None and not self.first.usage.unknown:
            usual = self.first.usage.completion_tokens / max(self.first.seconds, 1e-9)
        alone = await self._rate(1, usual * _SECONDS_ALONE)
        together = await self._rate(AT_ONCE, usual * _SECONDS_TOGETHER / AT_ONCE)
        if alone is None or together is None:
            return Finding("speed", "unknown without token counts", is_good=False)
        found = f"{alone:,.0f} tokens/s alone, {together:,.0f} for {AT_ONCE} at once"
        hours = 100 * 10 * 300 / together / 3600
        takes = f"{hours:,.1f} h" if hours >= 1 else f"{max(hours * 60, 1):.0f} min"
        run = f"100 problems x 10 attempts of 300 tokens: {takes} at {AT_ONCE} at once"
        return Finding("speed", found, run)

    async def _rate(self, at_once: int, each: float) -> float | None:
        """Tokens a second for a number of simultaneous requests of ``each`` tokens."""
        limit = round(min(max(each, 4), 128))
        began = self.clock()
        asked = [self._ask(_COUNT, max_tokens=limit, seed=seed) for seed in range(at_once)]
        done = await asyncio.gather(*asked)
        if any(completion.usage.unknown for completion in done):
            return None
        written = sum(completion.usage.completion_tokens for completion in done)
        return written / max(self.clock() - began, 1e-9)

    def _has(self, quirk: Quirk) -> bool:
        return any(quirk.value in line for line in self.notices)


# What the table says in words of its own.
_KNOWN = (NO_USAGE, " a request: more come by several", *(quirk.value for quirk in Quirk))
_PLACE = re.compile(r"https?://\S+ ")  # the server, which the table names once
_OUTGROWN = "a trial that outgrows it is stopped, and shown apart"
_REFUSED = {
    "answers": "stops before the first trial",
    "system role": "cannot be used: every prompt has one",
    "replies a request": "fails at --sampling reject",
    "log-probabilities": "--logprobs fails; leave it out",
}


def context_of(entry: Mapping[str, object]) -> int | None:
    """The context in tokens that a server's list names for a model; None where it names none."""
    places = [entry, *(each for each in entry.values() if isinstance(each, dict))]
    found = (tokens(place.get(name)) for name in _CONTEXT_FIELDS for place in places)
    return next((number for number in found if number), None)


def context_finding(context: int | None) -> Finding:
    """What a context of this size means for a run."""
    if context is None:
        return Finding("context", "not told", _OUTGROWN)
    if context >= 2 * _REPLY_TOKENS:  # as much again for a prompt that has grown
        return Finding("context", f"{context:,} tokens", _OUTGROWN)
    room = max(context // 4, 1)
    run = f"--max-tokens {_REPLY_TOKENS} leaves too little for prompts: use --max-tokens {room}"
    return Finding("context", f"{context:,} tokens", run, False)
