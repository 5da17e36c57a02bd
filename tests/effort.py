"""How much work something is, counted in steps: the same on every machine, however busy.

The package is imported a second time with a ``re`` that counts (backtracking.py), so that every
pattern of it is seen, those made on the way as well; in Python, each instruction is a step. What
other libraries do in C, and a slice or a search of a string, is not seen.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import _lru_cache_wrapper, cache
from types import FrameType, ModuleType
from typing import Any

from backtracking import Machine, TooManyStepsError

PACKAGE = "feedback_friction"
LINEAR = 6.0  # growth() of work in proportion is 4, and a little more while something fills up
SOME_FRAMES = 10**6  # a repetition of the machine takes some frames for each time around


class Meter:
    """Counts while it is on."""

    def __init__(self) -> None:
        self.steps, self.limit, self.on = 0, 0, False

    def add(self, steps: int) -> None:
        self.steps += steps
        if self.steps > self.limit:
            raise TooManyStepsError(f"more than {self.limit:,} steps")

    def see(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename == __file__:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        return self.see_opcode

    def see_opcode(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode":
            self.add(1)
        return self.see_opcode

    @contextmanager
    def running(self, limit: int) -> Iterator[None]:
        self.steps, self.limit, self.on = 0, limit, True
        depth, before = sys.getrecursionlimit(), sys.gettrace()
        sys.setrecursionlimit(SOME_FRAMES)
        sys.settrace(self.see)
        try:
            yield
        finally:
            self.on = False
            sys.settrace(before)
            sys.setrecursionlimit(depth)


METER = Meter()


class Pattern:
    """A pattern of ``re`` whose searches are counted while the meter is on."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.real = pattern
        self.machine: Machine | None = None

    def __class_getitem__(cls, item: object) -> type:
        return cls

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def _count(self, work: Callable[[Machine], object]) -> None:
        if not METER.on or not isinstance(self.real.pattern, str):
            return
        sys.settrace(None)  # the machine's own instructions are none of the program's
        try:
            if self.machine is None:
                self.machine = Machine(self.real.pattern, self.real.flags)
            self.machine.steps, self.machine.limit = 0, METER.limit - METER.steps
            work(self.machine)
            METER.add(self.machine.steps)
        finally:
            sys.settrace(METER.see)

    def search(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Any:
        found = self.real.search(text, pos, endpos)
        self._count(lambda machine: _agree(found, machine.search(text, pos, endpos), self.real))
        return found

    def match(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Any:
        found = self.real.match(text, pos, endpos)
        self._count(lambda machine: _agree_end(found, machine.match(text, pos, endpos), self.real))
        return found

    def fullmatch(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Any:
        found = self.real.fullmatch(text, pos, endpos)
        self._count(
            lambda machine: _agree_end(
                found, machine.match(text, pos, endpos, full=True), self.real
            )
        )
        return found

    def finditer(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Iterator[Any]:
        at, after_empty = pos, False
        for found in self.real.finditer(text, pos, endpos):
            self._next(text, at, endpos, None if after_empty else found)
            at, after_empty = found.end(), found.start() == found.end()
            yield found
        self._next(text, at + after_empty, endpos, None)

    def _next(self, text: str, at: int, end: int, found: Any) -> None:
        """One of several searches; after an empty match, ``re`` wants another at the same place."""

        def work(machine: Machine) -> None:
            span = machine.search(text, at, end)
            if found is not None:
                _agree(found, span, self.real)

        self._count(work)

    def findall(self, text: str, pos: int = 0, endpos: int = sys.maxsize) -> Any:
        for _ in self.finditer(text, pos, endpos):
            pass
        return self.real.findall(text, pos, endpos)

    def split(self, text: str, maxsplit: int = 0) -> Any:
        self.findall(text)
        return self.real.split(text, maxsplit)

    def sub(self, replacement: Any, text: str, count: int = 0) -> Any:
        self.findall(text)
        return self.real.sub(replacement, text, count)

    def subn(self, replacement: Any, text: str, count: int = 0) -> Any:
        self.findall(text)
        return self.real.subn(replacement, text, count)


def _agree(found: Any, span: tuple[int, int] | None, pattern: re.Pattern[str]) -> None:
    assert (found.span() if found else None) == span, f"counted otherwise: {pattern.pattern!r}"


def _agree_end(found: Any, end: int, pattern: re.Pattern[str]) -> None:
    assert (found.end() if found else -1) == end, f"counted otherwise: {pattern.pattern!r}"


def _counting_re() -> ModuleType:
    """A module ``re`` whose patterns count."""
    counting = ModuleType("re")
    counting.__dict__.update(re.__dict__)

    def compiled(pattern: Any, flags: int = 0) -> Pattern:
        return pattern if isinstance(pattern, Pattern) else _made(pattern, flags)

    @cache
    def _made(pattern: Any, flags: int) -> Pattern:
        return Pattern(re.compile(pattern, flags))

    def through(name: str) -> Callable[..., Any]:
        def function(pattern: Any, *arguments: Any, flags: int = 0, **named: Any) -> Any:
            return getattr(compiled(pattern, flags), name)(*arguments, **named)

        return function

    names = ("search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn")
    counting.__dict__.update({name: through(name) for name in names})
    counting.__dict__.update(compile=compiled, Pattern=Pattern)
    return counting


_TWIN: dict[str, ModuleType] = {}
_RE = _counting_re()


def _ours() -> dict[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.split(".")[0] == PACKAGE}


@contextmanager
def _twin() -> Iterator[None]:
    """Within, the package is the one that counts; all else is as it was."""
    own = _ours()
    for name in own:
        del sys.modules[name]
    sys.modules.update(_TWIN)
    sys.modules["re"] = _RE
    try:
        yield
    finally:
        sys.modules["re"] = re
        _TWIN.update(_ours())
        for name in _TWIN:
            sys.modules.pop(name, None)
        sys.modules.update(own)


def _forget() -> None:
    """Empty every cache of the twin: what an earlier count left there would cost nothing."""
    for module in _ours().values():
        for value in list(vars(module).values()):
            if isinstance(value, _lru_cache_wrapper):
                value.cache_clear()


def steps(work: Callable[..., object], *arguments: Any, limit: int = 100_000_000) -> int:
    """How many steps a function of the package takes.

    Args:
        work: a function defined at the top of one of the package's modules.
        arguments: what it is called with.
        limit: with more, it is given up.

    Raises:
        TooManyStepsError: more than the limit.
    """
    with _twin():
        twin = getattr(importlib.import_module(work.__module__), work.__qualname__)
        _forget()
        with METER.running(limit):
            twin(*arguments)
    return METER.steps


def growth(
    work: Callable[..., object], inputs: Callable[[int], tuple[Any, ...]], size: int
) -> float:
    """How many times the steps of an input those of one four times as long are.

    Work in proportion to its input takes at most 4 times as many, work that grows with the square
    16 times; it is given up where it grows faster still.

    Args:
        work: a function of the package.
        inputs: the arguments for a number of characters.
        size: the smaller number.
    """
    steps(work, *inputs(8))  # modules and patterns that are made once
    small = steps(work, *inputs(size))
    try:
        return steps(work, *inputs(4 * size), limit=20 * small) / small
    except TooManyStepsError:
        return 20.0


def repeated(piece: str, size: int) -> str:
    """Text of a length, made of one piece again and again."""
    return (piece * (size // len(piece) + 1))[:size]
