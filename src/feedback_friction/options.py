"""Options declared once, with the field that holds them.

A field of a frozen dataclass made by ``option`` carries all that is to be said of it: type,
default, help, bounds, and which part of ``run.json`` it belongs to. Options of the command line,
keys of a study file and keyword arguments of the Python API are made from these fields, and all of
them end in ``filled``, which checks them.

A dataclass may hold others that hold options, and several may have an option of the same name: it
is one option, whose value goes to all of them.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from feedback_friction.errors import UsageError

Value = TypeVar("Value")
Group = TypeVar("Group")

# Where a value is kept in ``run.json``: it decides the results; it does so through the options of
# a model; it says how the run is carried out; or it is not kept.
Part = Literal["configuration", "model", "operation", "nowhere"]
NONE = "none"  # how a None is written where the default is something else


@dataclass(frozen=True, slots=True)
class Option:
    """What is to be said of an option beside its name, type and default."""

    help: str  # one sentence for help and documentation
    flag: str = ""  # on the command line; "" for the field's name with dashes
    short: str = ""  # a second, short flag
    metavar: str = ""  # what stands for its value in help; "" for its type
    part: Part = "configuration"  # where ``run.json`` keeps it
    least: float | None = None  # the smallest value that it may have
    most: float | None = None  # the largest one
    above: float | None = None  # it must be larger than that, and finite
    choices: tuple[str, ...] = ()  # the values that it may have; empty for any
    is_argument: bool = False  # it is given without a flag


def option(default: Value, help: str, **more: Any) -> Value:
    """A field that is an option; ``more`` are the further attributes of ``Option``."""
    return declared(default, Option(help, **more))


def declared(default: Value, option: Option) -> Value:
    """A field that is an option which another dataclass has, too."""
    made: Any = field(default=default, metadata={"option": option})
    return cast(Value, made)


@dataclass(frozen=True, slots=True)
class Declared:
    """An option as its field declares it."""

    name: str  # the field's
    kind: type  # type of the value, of each of them where there are several
    is_multiple: bool  # whether it may be given several times
    is_optional: bool  # whether it may be None
    default: Any  # the field's
    option: Option  # all else
    group: str  # name of the dataclass that declares it

    @property
    def flag(self) -> str:
        """On the command line."""
        return self.option.flag or f"--{self.name.replace('_', '-')}"

    @property
    def key(self) -> str:
        """In a study file."""
        return self.name if self.option.is_argument else self.flag.removeprefix("--")

    @property
    def takes_none(self) -> bool:
        """Whether ``none`` is a value to be given: where leaving the option out is another."""
        return self.is_optional and self.default is not None

    def check(self, value: Any, name: str = "") -> None:
        """Refuse a value out of bounds.

        Args:
            name: what to call the option; its flag if empty.

        Raises:
            UsageError: it is; says what is allowed.
        """
        given = self.option
        for each in value if self.is_multiple else (value,):
            if each is None:
                continue
            if given.choices and each not in given.choices:
                allowed = ", ".join(given.choices)
                raise UsageError(f"unknown {name or self.flag} '{each}'; allowed: {allowed}")
            if not self._is_within(each):
                shown = f"{each:g}" if isinstance(each, float) else each
                raise UsageError(f"{name or self.flag} must be {self.bounds()}, not {shown}")

    def _is_within(self, value: Any) -> bool:
        given = self.option
        return (
            (given.above is None or given.above < value < float("inf"))
            and (given.least is None or given.least <= value)
            and (given.most is None or value <= given.most)
        )

    def bounds(self) -> str:
        """Its bounds in words; empty where it has none."""
        given = self.option
        if given.above is not None:
            most = f" and at most {given.most:g}" if given.most is not None else ""
            return f"above {given.above:g}{most}"
        if given.least is None:
            return ""
        if given.most is None:
            return f"at least {given.least:g}"
        return f"from {given.least:g} to {given.most:g}"

    def read(self, value: Any, name: str) -> Any:
        """A value from a file or from Python, as the field holds it; numbers stay what they are.

        Raises:
            UsageError: it is of another type, or out of bounds; says what is allowed.
        """
        if value is None or (self.takes_none and value == NONE):
            if not self.is_optional:
                raise UsageError(f"{name} must be {self._wanted()}, not none")
            return None
        if self.is_multiple:
            several = value if isinstance(value, list | tuple) else [value]
            found: Any = tuple(self._one(each, name) for each in several)
        else:
            found = self._one(value, name)
        self.check(found, name)
        return found

    def _one(self, value: Any, name: str) -> Any:
        taken: Mapping[type, tuple[type, ...]] = {float: (int, float), Path: (str, Path)}
        allowed = taken.get(self.kind, (self.kind,))
        if not isinstance(value, allowed) or (isinstance(value, bool) and self.kind is not bool):
            raise UsageError(f"{name} must be {self._wanted()}, not {value!r}")
        return self.kind(value)

    def _wanted(self) -> str:
        names = {
            int: "a whole number", float: "a number", bool: "true or false", str: "a text",
            Path: "a path",
        }  # fmt: skip
        bounds = self.bounds().replace("at least", "of at least")
        wanted = f"{names[self.kind]} {bounds}".rstrip()
        wanted = f"{wanted} or a list of such" if self.is_multiple else wanted
        return f"{wanted}, or {NONE}" if self.takes_none else wanted


class Options:
    """Base of dataclasses that hold options: one whose value is out of bounds cannot be made.

    Raises:
        UsageError: a value is; says what is allowed.
    """

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check what the fields have been given."""
        for each in fields(cast(Any, self)):
            if "option" in each.metadata:
                options_of(type(self))[each.name].check(getattr(self, each.name))


def options_of(*groups: Any) -> Mapping[str, Declared]:
    """By name, the options of dataclasses and of those that they hold, in their order."""
    return _options_of(groups)


@cache
def _options_of(groups: tuple[Any, ...]) -> Mapping[str, Declared]:
    found: dict[str, Declared] = {}
    for group in groups:
        hints = get_type_hints(group)
        for each in fields(group):
            hint = hints[each.name]
            if "option" in each.metadata:
                found.setdefault(each.name, _declared(each.name, hint, each, group.__name__))
            elif is_dataclass(hint):
                inner = options_of(hint)
                found |= {name: one for name, one in inner.items() if name not in found}
    return types.MappingProxyType(found)


def _declared(name: str, hint: Any, declaring: Any, group: str) -> Declared:
    is_optional = get_origin(hint) in (types.UnionType, Union)
    if is_optional:
        hint = next(each for each in get_args(hint) if each is not type(None))
    is_multiple = get_origin(hint) is tuple
    kind = get_args(hint)[0] if is_multiple else hint
    default = None if declaring.default is MISSING else declaring.default
    given = declaring.metadata["option"]
    return Declared(name, kind, is_multiple, is_optional, default, given, group)


def filled(group: type[Group], values: Mapping[str, Any]) -> Group:
    """A dataclass with the values of its options, and of those of the dataclasses that it holds.

    Args:
        values: by the option's name; others are ignored, and those left out have their default.

    Raises:
        UsageError: a value is out of bounds.
    """
    hints, found = get_type_hints(group), {}
    for each in fields(cast(Any, group)):
        if "option" in each.metadata:
            if each.name in values:
                found[each.name] = values[each.name]
        elif is_dataclass(hints[each.name]) and options_of(hints[each.name]):
            found[each.name] = filled(cast(type, hints[each.name]), values)
    return group(**found)


def values_of(group: Any) -> dict[str, Any]:
    """The values of all options of a dataclass, by name, in their order."""
    found: dict[str, Any] = {}
    for each in fields(group):
        value = getattr(group, each.name)
        if "option" in each.metadata:
            found.setdefault(each.name, value)
        elif is_dataclass(value):
            found |= {k: v for k, v in values_of(value).items() if k not in found}
    return found


def changed(group: Group, **values: Any) -> Group:
    """The same with other values of some options."""
    return filled(type(group), {**values_of(group), **values})


def in_part(group: Any, *parts: Part) -> dict[str, Any]:
    """Those of ``values_of`` that some parts of ``run.json`` keep."""
    every = options_of(type(group))
    return {k: v for k, v in values_of(group).items() if every[k].option.part in parts}


def refuse_unknown(names: Iterable[str], allowed: Iterable[str], what: str) -> None:
    """Refuse names that are not among those allowed.

    Args:
        what: what they are, in errors.

    Raises:
        UsageError: one is not; names the one that was meant, else those that are.
    """
    known = list(allowed)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1, 0.75)
            rest = f"did you mean '{near[0]}'?" if near else f"allowed: {', '.join(known)}"
            raise UsageError(f"unknown {what} '{name}'; {rest}")
