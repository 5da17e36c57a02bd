"""A budget: how much a run may pay for in all, in US dollars or in tokens.

A call starts only if what the run has paid, in earlier sessions too, plus the most that each call
in flight can take, plus the most that this call can take, stays within the budget. A call that
does not fit waits until those in flight have ended, for they seldom take the most; if it does not
fit with none in flight, the budget is spent and the run drains: nothing that was paid for is lost.
So the last calls of a budget go out fewer at a time, down to one.

The most that a call can take is one token for every byte of its prompt (a byte-level tokenizer
makes no more), some for the chat template around each message, and every reply up to its limit.
So a budget is not overshot unless a server counts more than that, and then by no more than the
excess of the calls in flight. What a server bills for calls that failed is not told to the client
and not counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from feedback_friction.engine.models.price_list import Cost, Prices
from feedback_friction.engine.run.seats import Seat, seat_of
from feedback_friction.errors import UsageError
from feedback_friction.protocol.records import Generate, Usage
from feedback_friction.settings import Operation

TEMPLATE_TOKENS = 16  # around a message, and once around the chat
ROUNDING = 1e-9  # dollars: sums of many small costs are not exact


@dataclass(frozen=True, slots=True)
class Amount:
    """What was paid or may be: US dollars, and tokens of prompts and replies together."""

    usd: float = 0.0
    tokens: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.usd - other.usd, self.tokens - other.tokens)


class SpentError(Exception):
    """The budget does not allow the call, and nothing is in flight that could leave some of it."""


@dataclass(slots=True)
class Budget:
    """Watches over a run's budget; every call is reserved before it starts and settled after it."""

    limits: Operation  # has the budget, in dollars and in tokens; None is no limit
    prices: Prices  # what tokens cost
    # what the run paid for so far, earlier sessions included
    paid: Amount = field(default_factory=Amount)
    # by seat, tokens that a reply may take on top of its request's ``max_tokens``
    thinking: Mapping[Seat, int] = field(default_factory=dict)
    # the most that the call can take which ended the run; None while none did
    refused: Amount | None = None
    _reserved: Amount = field(default_factory=Amount)
    _in_flight: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # first come, first served
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def reserve(self, model: str, request: Generate) -> Amount:
        """Set aside the most that a call can take, as soon as the budget allows it.

        Returns:
            What was set aside, to be given to ``settle``.

        Raises:
            SpentError: the budget does not allow it, and nothing is left to wait for.
        """
        most = self._most(model, request)
        async with self._turn:
            while not self._fits(most):
                if not self._in_flight:
                    self.refused = self.refused or most
                    raise SpentError
                self._settled.clear()
                await self._settled.wait()
            self._reserved += most
            self._in_flight += 1
        return most

    def settle(self, reserved: Amount, usage: Usage | None, cost: Cost) -> None:
        """Give back what was set aside for a call, and count what it took (None: it failed).

        Where the server does not say what it took, it counts as the most that it can have taken.
        """
        self._reserved -= reserved
        self._in_flight -= 1
        if usage is not None and usage.unknown:
            self.paid += reserved
        elif usage is not None:
            self.paid += Amount(cost or 0.0, usage.prompt_tokens + usage.completion_tokens)
        self._settled.set()

    def _most(self, model: str, request: Generate) -> Amount:
        texts = [message.content for message in request.messages]
        prompt = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        prompt += TEMPLATE_TOKENS * (len(texts) + 1)
        seat = seat_of(request.speaker, model, self.thinking)
        reply = request.max_tokens + self.thinking.get(seat, 0)
        usage = Usage(prompt, request.n * reply)
        cost = self.prices.most(model, usage)
        return Amount(cost or 0.0, usage.prompt_tokens + usage.completion_tokens)

    def _fits(self, most: Amount) -> bool:
        usd, tokens = self.limits.budget_usd, self.limits.budget_tokens
        amount = self.paid + self._reserved + most
        return (usd is None or amount.usd <= usd + ROUNDING) and (
            tokens is None or amount.tokens <= tokens
        )

    def line(self, left: int) -> str:
        """What ended the run, for the user.

        Args:
            left: trials that have not ended.
        """
        assert self.refused is not None  # the run was ended by the budget
        usd, tokens, most = self.limits.budget_usd, self.limits.budget_tokens, self.refused
        parts, options = [], []
        if usd is not None and self.paid.usd + most.usd > usd + ROUNDING:
            parts.append(
                f"budget of {dollars(usd)} spent: {dollars(self.paid.usd)} paid, and the next call "
                f"may take {dollars(most.usd)}"
            )
            options.append("--budget-usd")
        if tokens is not None and self.paid.tokens + most.tokens > tokens:
            parts.append(
                f"budget of {tokens:,} tokens spent: {self.paid.tokens:,} paid, and the next call "
                f"may take {most.tokens:,}"
            )
            options.append("--budget-tokens")
        raised = " and ".join(options)
        return f"{'; '.join(parts)}; {left:,} trials left; raise {raised} and run the same command"


def dollars(usd: float) -> str:
    """US dollars to the cent, and below ten cents to two digits that count."""
    return f"${usd:,.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.2g}"


def check_priced(limits: Operation, prices: Prices, models: Iterable[str]) -> None:
    """Refuse a budget in dollars for a model whose price is not known.

    Raises:
        UsageError: a model has no price; names it and ``--prices``.
    """
    if limits.budget_usd is None:
        return
    for model in models:
        if prices.cost(model, Usage()) is None:
            raise UsageError(
                f"--budget-usd needs the price of {model}, which the price list of {prices.as_of} "
                "does not have; give it in a list of your own with --prices FILE"
            )


def paid_before(paid: Iterable[tuple[str, Usage, Cost]], prices: Prices) -> Amount:
    """What earlier sessions of a run paid (``Journal.paid``).

    Calls whose price was not known when they were made count by the prices of now.
    """
    total = Amount()
    for model, usage, cost in paid:
        known = prices.cost(model, usage) if cost is None else cost
        total += Amount(known or 0.0, usage.prompt_tokens + usage.completion_tokens)
    return total
