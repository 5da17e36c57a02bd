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
    Form,
    Quirk,
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
    quirks: frozenset[Quirk] = frozenset()  # its departures from the plain API
    # how many replies a request may ask for; None where all were allowed so far
    draws: int | None = None
    drawn: int = 1  # how many replies one request has brought at most
    # how many tokens a reply may have; None where all limits were taken so far
    tokens: int | None = None
    taken: frozenset[str] = frozenset()  # names of what it has taken
    # is given all that was learnt, whenever it is more; None before there is a run
    keep: Keep | None = None

    def learn(
        self, quirks: frozenset[Quirk], tokens: int | None = None, draws: str | None = None
    ) -> None:
        """Take up what helped, and tell the user of it.

        Args:
            tokens: the limit on a reply that was found.
            draws: what is said of a limit on draws that was found.
        """
        if draws is not None:
            self.tell(draws)
        new = sorted(quirks - self.quirks, key=lambda quirk: quirk.name)
        for quirk in new:
            self.tell(quirk.value)
        self.quirks |= quirks
        lower = tokens is not None and (self.tokens is None or tokens < self.tokens)
        if lower:
            self.tokens = tokens
            self.tell(f"it allows at most {tokens:,} tokens a reply: the limit is lowered to that")
        if (new or lower or draws) and self.keep is not None:
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
        draws, tokens = learnt.get("draws"), learnt.get("tokens")
        if isinstance(draws, int) and draws >= 1:
            self.draws = min(draws, self.draws or draws)
        self.learn(frozenset(found), tokens if isinstance(tokens, int) and tokens >= 1 else None)

    def fewer(self, fault: Fault, n: int) -> int | None:
        """How many replies to ask for after a request for ``n`` failed; None: n is not the trouble.

        A refusal that does not speak of n may be for it all the same, unless as many were drawn
        before: half of them are asked for, down to one.
        """
        if n == 1 or fault.answer is None:
            return None
        if fault.kind in (FaultKind.REFUSED, FaultKind.FAULTY):
            named = limit_on_n(fault.answer, n)
            if named is not None:
                return named
        blind = fault.kind is FaultKind.REFUSED and fault.status in (400, 422) and n > self.drawn
        return n // 2 if blind else None

    def drew(self, n: int, *, refused: bool) -> str | None:
        """Note that a request brought ``n`` replies; a line for the user where that is news.

        Args:
            refused: more were asked for before, and refused.
        """
        self.drawn = max(self.drawn, n)
        if not refused or (self.draws is not None and self.draws <= n):
            return None
        self.draws = n
        replies = "one reply" if n == 1 else f"{n} replies"
        return f"it gives at most {replies} a request: more come by several requests"


def takes_temperature(model: object) -> bool:
    """Whether a model is sent the temperature of a request, as far as is known by now."""
    dialect = getattr(model, "dialect", None)
    return not isinstance(dialect, Dialect) or Quirk.NO_TEMPERATURE not in dialect.quirks


class Asking:
    """One call, and the form in which it is asked."""

    def __init__(self, dialect: Dialect, request: Generate, n: int, max_tokens: int):
        """Begin with what is known.

        Args:
            max_tokens: the limit on a reply of the request, reasoning included.
        """
        self._dialect, self._request = dialect, request
        self._n, self._max_tokens = n, max_tokens
        self._tried: frozenset[Quirk] = frozenset()
        self._most = n
        self._cap: int | None = None
        self._room: int | None = None
        self._said = ""
        self._first: Fault | None = None  # the refusal that stands where no other form helped

    def form(self) -> Form:
        """How to ask next."""
        quirks = self._dialect.quirks | self._tried
        n = min(self._most, most_replies(quirks, self._request, self._dialect.draws))
        limits = (self._room, self._cap, self._dialect.tokens)
        limit = min([each for each in limits if each is not None], default=self._max_tokens)
        return Form(n, quirks, limit if limit < self._max_tokens else None)

    @property
    def is_lowered(self) -> bool:
        """Whether the limit on the reply was lowered to what the prompt leaves."""
        return self._room is not None

    def worked(self, form: Form) -> None:
        """Keep what helped."""
        dialect = self._dialect
        news = dialect.drew(form.n, refused=self._most < self._n)
        if self._room is not None:
            dialect.tell(LOWERED)
        dialect.learn(self._tried, self._cap, news)
        dialect.taken |= sent(self._request, form)

    def learns(self, fault: Fault, form: Form) -> bool:
        """Whether a failure shows another form in which to ask at once."""
        if fault.answer is None or fault.kind not in (FaultKind.REFUSED, FaultKind.FAULTY):
            return False
        if fault.kind is FaultKind.REFUSED and self._first is None:
            self._first = fault
        if fault.room is not None:
            self._room = fault.room
        elif self._is_believed(fault):
            self._try(fault, form)
        if self.form() == form:
            self._most = self._dialect.fewer(fault, form.n) or self._most
        return self.form() != form  # another call may have learnt something meanwhile, too

    def final(self, fault: Fault) -> Fault:
        """The failure to report: of several refusals the first, which the plain request met."""
        if fault.kind is FaultKind.REFUSED and self._first is not None:
            return replace(fault, message=self._first.message)
        return fault

    def _is_believed(self, fault: Fault) -> bool:
        """Whether a failure is about what it names: a server error may be about nothing."""
        said, self._said = self._said, fault.answer.words if fault.answer else ""
        return fault.kind is FaultKind.REFUSED or said == self._said

    def _try(self, fault: Fault, form: Form) -> None:
        """Take up what a refusal suggests, one thing at a time."""
        assert fault.answer is not None
        asked = sent(self._request, form)
        limit = self._max_tokens if form.max_tokens is None else form.max_tokens
        lower = most_tokens(fault.answer, limit)
        found = lessons(fault.answer, asked, self._dialect.taken)
        if lower is not None:  # it takes max_tokens, and not this value of it
            found = tuple(each for each in found if each is not Quirk.COMPLETION_TOKENS)
            self._cap = lower
        new = [each for each in found if each not in self._dialect.quirks | self._tried]
        self._tried |= {*new[:1]}


def announce_unread(data: object, dialect: Dialect) -> None:
    """Tell once of each kind of part in a reply's body that is not read."""
    choices = data.get("choices") if isinstance(data, dict) else None
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        for kind in sorted(unread_parts(message)) if isinstance(message, dict) else ():
            dialect.tell(f"its replies have parts of type '{kind[:40]}', which are not read")
