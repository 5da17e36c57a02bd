"""How many steps a search for a pattern takes: what ``re`` does, counted and not timed.

``re`` searches in C and says nothing of its work. Here the same program, the tree that ``re``
itself parses, is run by the textbook's backtracking over positions, and each character or condition
looked at is one step. Only the count is of use: what is found comes from ``re``, and both have to
agree on where. Its optimizations (a literal prefix, the literal after a repetition) are left out;
they divide the count and do not change how it grows.
"""

from __future__ import annotations

import re
import re._compiler as compiler  # type: ignore[import-not-found]
import re._constants as ops  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Sequence
from typing import Any

Node = Callable[[int], int]  # from a position to where the whole match ends, or FAILED
FAILED = -1
_ONE = {ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN}
_REPEATS = {ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT}


class TooManyStepsError(AssertionError):
    """A search took more steps than it may."""


class Characters(dict[str, bool]):
    """Whether a character is one of a class, asked of ``re`` once each."""

    def __init__(self, matches: Callable[[str], object]) -> None:
        super().__init__()
        self.matches = matches

    def __missing__(self, character: str) -> bool:
        self[character] = found = self.matches(character) is not None
        return found


class Machine:
    """A compiled pattern that counts its steps.

    Attributes:
        steps: how many so far, in all searches.
        limit: how many before a search is given up with TooManyStepsError.
    """

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.tree = parser.parse(pattern, flags)
        self.steps, self.limit = 0, 10**9
        self.text, self.end = "", 0
        self.must_end = False
        self.starts: dict[int, int] = {}
        self.groups: dict[int, tuple[int, int]] = {}
        self.root = self._build(list(self.tree), self.tree.state.flags, self._accept)

    def match(self, text: str, start: int, end: int, *, full: bool = False) -> int:
        """Where a match that begins at a place ends; FAILED where there is none."""
        self.text, self.end, self.must_end = text, min(end, len(text)), full
        self.starts.clear()
        self.groups.clear()
        self.spend(1)
        return self.root(start)

    def search(self, text: str, start: int, end: int) -> tuple[int, int] | None:
        for at in range(start, min(end, len(text)) + 1):
            ends = self.match(text, at, end)
            if ends != FAILED:
                return at, ends
        return None

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.limit:
            raise TooManyStepsError(f"more than {self.limit:,} steps")

    def _accept(self, at: int) -> int:
        return FAILED if self.must_end and at != self.end else at

    def _compiled(self, item: Any, flags: int) -> re.Pattern[str]:
        state = parser.State()
        state.flags = flags
        compiled: re.Pattern[str] = compiler.compile(parser.SubPattern(state, [item]), flags)
        return compiled

    def _build(self, items: Sequence[Any], flags: int, after: Node) -> Node:
        """One node for a sequence: built from its end, since each knows what follows it."""
        at = len(items)
        while at > 0:
            first = at
            while first > 0 and items[first - 1][0] in _ONE:
                first -= 1
            if first < at:
                after = self._characters(items[first:at], flags, after)
                at = first
            else:
                at -= 1
                after = self._node(*items[at], flags, after)
        return after

    def _node(self, op: Any, value: Any, flags: int, after: Node) -> Node:
        if op in _REPEATS:
            low, high, body = value
            high = 10**9 if high is ops.MAXREPEAT else int(high)
            if len(body) == 1 and body[0][0] in _ONE:
                return self._run(op, low, high, body[0], flags, after)
            if op is ops.POSSESSIVE_REPEAT:
                return self._possessive(low, high, body, flags, after)
            return self._loop(op is ops.MAX_REPEAT, low, high, body, flags, after)
        if op is ops.BRANCH:
            return _first_of([self._build(list(each), flags, after) for each in value[1]])
        if op is ops.SUBPATTERN:
            group, added, removed, body = value
            inner = (flags | added) & ~removed
            return self._group(group, body, inner, after) if group else self._build(
                list(body), inner, after
            )  # fmt: skip
        if op is ops.ATOMIC_GROUP:
            return self._possessive(1, 1, value, flags, after)
        if op in (ops.ASSERT, ops.ASSERT_NOT):
            return self._look(op is ops.ASSERT, *value, flags, after)
        if op is ops.AT:
            return self._condition(self._compiled((op, value), flags), after)
        if op is ops.GROUPREF:
            return self._reference(value, bool(flags & re.IGNORECASE), after)
        if op is ops.GROUPREF_EXISTS:
            group, yes, no = value
            then = self._build(list(yes), flags, after)
            other = self._build(list(no), flags, after) if no else after
            return lambda at: then(at) if group in self.groups else other(at)
        assert op is ops.FAILURE, op
        return lambda at: FAILED

    def _characters(self, items: Sequence[Any], flags: int, after: Node) -> Node:
        accepted = [Characters(self._compiled(item, flags).fullmatch) for item in items]

        def node(at: int) -> int:
            for accepts in accepted:
                self.steps += 1
                if at >= self.end or not accepts[self.text[at]]:
                    return FAILED
                at += 1
            return after(at)

        return node

    def _run(self, op: Any, low: int, high: int, item: Any, flags: int, after: Node) -> Node:
        """A repeated character, the common case: its matches are the beginnings of one run."""
        accepts = Characters(self._compiled(item, flags).fullmatch)

        def node(at: int) -> int:
            longest, end = at, min(self.end, at + high)
            while longest < end and accepts[self.text[longest]]:
                longest += 1
            self.spend(longest - at + 1)
            if longest < at + low:
                return FAILED
            if op is ops.POSSESSIVE_REPEAT:
                return after(longest)
            ends = range(at + low, longest + 1)
            for to in ends if op is ops.MIN_REPEAT else reversed(ends):
                self.steps += 1
                found = after(to)
                if found != FAILED:
                    return found
            return FAILED

        return node

    def _loop(
        self, greedy: bool, low: int, high: int, body: Any, flags: int, after: Node
    ) -> Node:  # fmt: skip
        count, last = 0, FAILED

        def more(at: int) -> int:
            nonlocal count, last
            if count >= high or (at == last and count >= low):
                return FAILED
            before = count, last
            count, last = count + 1, at
            found = inner(at)
            if found == FAILED:
                count, last = before
            return found

        def again(at: int) -> int:
            self.spend(1)
            enough = count >= low
            if not greedy:
                found = leave(at) if enough else FAILED
                return found if found != FAILED else more(at)
            found = more(at)
            return leave(at) if found == FAILED and enough else found

        def leave(at: int) -> int:
            nonlocal count, last
            before = count, last
            found = after(at)
            count, last = before
            return found

        def enter(at: int) -> int:
            nonlocal count, last
            before = count, last
            count, last = 0, FAILED
            found = again(at)
            count, last = before
            return found

        inner = self._build(list(body), flags, again)
        return enter

    def _alone(self, body: Any, flags: int) -> Node:
        """A part that is matched for itself: nothing after it can make it try again."""
        return self._build(list(body), flags, lambda at: at)

    def _possessive(self, low: int, high: int, body: Any, flags: int, after: Node) -> Node:
        inner = self._alone(body, flags)

        def node(at: int) -> int:
            count = 0
            while count < high:
                self.spend(1)
                to = inner(at)
                if to == FAILED or (to == at and count >= low):
                    break
                at, count = to, count + 1
            return after(at) if count >= low else FAILED

        return node

    def _look(self, wanted: bool, direction: int, body: Any, flags: int, after: Node) -> Node:
        inner, back = self._alone(body, flags), body.getwidth()[0] if direction < 0 else 0

        def node(at: int) -> int:
            self.steps += 1
            found = at >= back and inner(at - back) != FAILED
            return after(at) if found is wanted else FAILED

        return node

    def _condition(self, here: re.Pattern[str], after: Node) -> Node:
        def node(at: int) -> int:
            self.steps += 1
            return FAILED if here.match(self.text, at, self.end) is None else after(at)

        return node

    def _group(self, group: int, body: Any, flags: int, after: Node) -> Node:
        def close(at: int) -> int:
            before = self.groups.get(group)
            self.groups[group] = self.starts[group], at
            found = after(at)
            if found == FAILED:
                _put_back(self.groups, group, before)
            return found

        inner = self._build(list(body), flags, close)

        def node(at: int) -> int:
            before = self.starts.get(group)
            self.starts[group] = at
            found = inner(at)
            if found == FAILED:
                _put_back(self.starts, group, before)
            return found

        return node

    def _reference(self, group: int, ignore_case: bool, after: Node) -> Node:
        def node(at: int) -> int:
            if group not in self.groups:
                return FAILED
            said = self.text[slice(*self.groups[group])]
            here = self.text[at : at + len(said)]
            self.spend(len(said) + 1)
            same = here.lower() == said.lower() if ignore_case else here == said
            return after(at + len(said)) if same and at + len(said) <= self.end else FAILED

        return node


def _put_back(kept: dict[int, Any], key: int, before: Any) -> None:
    if before is None:
        kept.pop(key, None)
    else:
        kept[key] = before


def _first_of(nodes: Sequence[Node]) -> Node:
    def node(at: int) -> int:
        for each in nodes:
            found = each(at)
            if found != FAILED:
                return found
        return FAILED

    return node
