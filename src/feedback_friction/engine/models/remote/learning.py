"""What is learnt of a server from its refusals: tried in one call, kept for all where it helped.

A refusal costs nothing. The call that meets one asks again without what the refusal names (a
parameter, the system role), for fewer replies or for fewer tokens; what is then answered is the
dialect of the server for all calls to come. A server error that names something is a refusal too
once it has come twice in the same words (llama.cpp answers 500 where a template has no system
role). The user is told once, and the run keeps what was learnt, so that a resumed run asks as the
interrupted one did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from feedback_friction.engine.models.remote.dialect import (
    Quirk,
    Quirks,
    lessons,
    limit_on_n,
    most_replies,
    most_tokens,
    sent,
)
from feedback_friction.engine.models.remote.faults import Fault, FaultKind
from feedback_friction.engine.models.remote.message import unread_parts
from feedback_friction.protocol.records import Generate

Keep = Callable[[Mapping[str, object]], None]
LOWERED = "max_tokens is lowered to what a long prompt leaves of the context"


@dataclass
class Dialect:
    """What is known of a model's server."""

    tell: Callable[[str], None]  # is given each line that the user should know
    quirks: Quirks = frozenset()  # its departures from the plain API
    draws: int | None = None  # replies that a request may ask for; None where all were given
    drawn: int = 1  # replies that one request has brought at most
    tokens: int | None = None  # tokens that a reply may have; None where all limits were taken
    taken: frozenset[str] = frozenset()  # names of what it has taken
    # is given all that was learnt, whenever it is more; None before there is a run
    keep: Keep | None = None

    def learn(self, quirks: Quirks, tokens: int | None = None, draws: int | None = None) -> None:
        """Take up what helped, and tell the user of what is new.

        Args:
            tokens: a limit on the tokens of a reply.
            draws: a limit on the replies of a request.
        """
        before = self.learnt()
        if draws is not None and (self.draws is None or draws < self.draws):
            self.draws = draws
            replies = "one reply" if draws == 1 else f"{draws} replies"
            self.tell(f"it gives at most {replies} a request: more come by several requests")
        for quirk in sorted(quirks - self.quirks, key=lambda quirk: quirk.name):
            self.tell(quirk.value)
        self.quirks |= quirks
        if tokens is not None and (self.tokens is None or tokens < self.tokens):
            self.tokens = tokens
            self.tell(f"it allows at most {tokens:,} tokens a reply: the limit is lowered to that")
        if self.keep is not None and self.learnt() != before:
            self.keep(self.learnt())

    def learnt(self) -> dict[str, object]:
        """All that was learnt, as JSON values; to be given to ``recall``."""
        found: dict[str, object] = {"quirks": sorted(quirk.name for quirk in self.quirks)}
        found |= {"draws": self.draws, "tokens": self.tokens}
        return {name: value for name, value in found.items() if value}

    def recall(self, learnt: Mapping[str, object]) -> None:
        """Begin with what an earlier session of the run learnt; what is damaged is passed over."""
        names = learnt.get("quirks")
        known = {quirk.name: quirk for quirk in Quirk}
        found = [known[name] for name in names if name in known] if isinstance(names, list) else []
        limits = (learnt.get(name) for name in ("tokens", "draws"))
        self.learn(
            frozenset(found),
            *(each if isinstance(each, int) and each >= 1 else None for each in limits),
        )


def takes_temperature(model: object) -> bool:
    """Whether a model is sent the temperature of a request, as far as is known by now."""
    dialect = getattr(model, "dialect", None)
    return not isinstance(dialect, Dialect) or Quirk.NO_TEMPERATURE not in dialect.quirks


class Asking:
    """One call, and the form in which it is asked."""

    def __init__(self, dialect: Dialect, request: Generate):
        """Begin with what is known."""
        self._dialect, self._request = dialect, request
        self._tried: Quirks = frozenset()
        self._most = request.n  # replies to ask for at once
        self._limits = [request.max_tokens]  # tokens of a reply, by whatever set a limit
        self._cap: int | None = None  # the limit of the server's that was found
        self._is_lowered = False  # to what the prompt leaves of the context
        self._said = ""
        self._first: Fault | None = None  # the refusal that stands where no other form helped

    def form(self) -> tuple[Generate, Quirks]:
        """How to ask next: the request, and what to leave out or to put otherwise."""
        quirks = self._dialect.quirks | self._tried
        n = min(self._most, most_replies(quirks, self._request, self._dialect.draws))
        limit = min([*self._limits, self._dialect.tokens or self._request.max_tokens])
        return self._request.with_limits(n, limit), quirks

    def worked(self, asked: Generate, quirks: Quirks) -> None:
        """Keep what helped."""
        dialect = self._dialect
        dialect.drawn = max(dialect.drawn, asked.n)
        if self._is_lowered:
            dialect.tell(LOWERED)
        fewer = asked.n if self._most < self._request.n else None
        if self._tried or self._cap or fewer:
            dialect.learn(self._tried, self._cap, fewer)
        dialect.taken |= sent(asked, quirks)

    def learns(self, fault: Fault, asked: Generate, quirks: Quirks) -> bool:
        """Whether a failure shows another form in which to ask at once."""
        if fault.answer is None or fault.kind not in (FaultKind.REFUSED, FaultKind.FAULTY):
            return False
        if fault.kind is FaultKind.REFUSED and self._first is None:
            self._first = fault
        if fault.room is not None:
            if self._is_lowered:
                return False
            self._is_lowered = True
            self._limits.append(fault.room)
        elif self._is_believed(fault):
            self._try(fault, asked, quirks)
        if self.form() == (asked, quirks):
            self._most = self._fewer(fault, asked.n) or self._most
        return self.form() != (asked, quirks)  # another call may have learnt something meanwhile

    def final(self, fault: Fault) -> Fault:
        """The failure to report: of several refusals the first, which the plain request met."""
        if fault.kind is FaultKind.REFUSED and self._first is not None:
            return replace(fault, message=self._first.message)
        return fault

    def _is_believed(self, fault: Fault) -> bool:
        """Whether a failure is about what it names: a server error may be about nothing."""
        said, self._said = self._said, fault.answer.words if fault.answer else ""
        return fault.kind is FaultKind.REFUSED or said == self._said

    def _try(self, fault: Fault, asked: Generate, quirks: Quirks) -> None:
        """Take up what a refusal suggests, one thing at a time."""
        assert fault.answer is not None
        found = lessons(fault.answer, sent(asked, quirks), self._dialect.taken)
        lower = most_tokens(fault.answer, asked.max_tokens)
        if lower is not None:  # it takes max_tokens, and not this value of it
            found = [each for each in found if each is not Quirk.COMPLETION_TOKENS]
            self._cap = lower
            self._limits.append(lower)
        new = [each for each in found if each not in quirks]
        self._tried |= {*new[:1]}

    def _fewer(self, fault: Fault, n: int) -> int | None:
        """How many replies to ask for after a request for ``n`` failed; None: n is not the trouble.

        A refusal that does not speak of n may be for it all the same, unless as many were drawn
        before: half of them are asked for, down to one.
        """
        if n == 1 or fault.answer is None:
            return None
        named = limit_on_n(fault.answer, n)
        is_silent = fault.kind is FaultKind.REFUSED and fault.status in (400, 422)
        return n // 2 if named is None and is_silent and n > self._dialect.drawn else named


def announce_unread(data: object, dialect: Dialect) -> None:
    """Tell once of each kind of part in a reply's body that is not read."""
    choices = data.get("choices") if isinstance(data, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        for kind in sorted(unread_parts(message)) if isinstance(message, dict) else ():
            dialect.tell(f"its replies have parts of type '{kind[:40]}', which are not read")
