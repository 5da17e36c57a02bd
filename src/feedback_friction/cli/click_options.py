"""Options of commands, made from the fields that declare them (``feedback_friction.options``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from feedback_friction.errors import UsageError
from feedback_friction.options import NONE, Declared, filled, options_of
from feedback_friction.settings import Output, Settings
from feedback_friction.study import combined, written

PATH = click.Path(path_type=Path)
RUN = click.argument("directory", type=PATH, metavar="DIR")
RUNS = click.argument("directories", nargs=-1, required=True, type=PATH, metavar="DIR...")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def whole_numbers(text: str, flag: str) -> tuple[int, ...]:
    """The different numbers of a list such as ``1,10,100``."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise UsageError(f"{flag} takes whole numbers from 1, such as 1,10,100, not '{text}'")
    return tuple(dict.fromkeys(numbers))


# Where help lists an option, by the dataclass that declares it.
_SECTIONS = {
    "Models": "Models",
    "Settings": "Conditions",
    "Plan": "Trials",
    "Decoding": "Trials",
    "Selection": "Problems",
    "Operation": "Execution",
    "Study": "Study file and output",
    "Output": "Study file and output",
}


OTHER = "Options"


class _Option(click.Option):
    def __init__(self, *names: Any, section: str, **how: Any):
        super().__init__(*names, **how)
        self.section = section


class Sectioned(click.Command):
    """A command of many options, which its help lists by what they are about."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        title = OTHER
        for each in self.get_params(ctx):
            title = each.section if isinstance(each, _Option) else title
            record = each.get_help_record(ctx) if isinstance(each, click.Option) else None
            if record is not None:
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


class OrNone(click.ParamType[float | None]):
    """A number, or ``none``."""

    name = "float"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value == NONE:
            return None
        try:
            return float(value)
        except ValueError:
            self.fail(f"'{value}' is neither a number nor none", param, ctx)


def generated(
    *groups: type, only: Sequence[str] = (), without: Sequence[str] = (), **defaults: Any
) -> list[click.Parameter]:
    """The options of a command, from the dataclasses that declare them.

    Args:
        only: the names of those to be made; none makes all.
        without: patterns of those not to be made.
        defaults: by name, a default other than the field's; to be given to ``given``, too.
    """
    every = options_of(*groups)
    names = [name for name in only or every if not any(fnmatch(name, each) for each in without)]
    return [_made(every[name], defaults.get(name, every[name].default)) for name in names]


def _made(each: Declared, default: Any) -> click.Parameter:
    if each.option.is_argument:
        return click.Argument([each.name], nargs=-1, metavar=f"{each.name[:-1].upper()}...")
    flags = [each.name, *filter(None, (each.option.short, each.flag))]
    how: dict[str, Any] = {"help": each.option.help}
    if each.kind is bool:
        how["is_flag"] = True
    else:
        how |= {
            "type": _type(each),
            "multiple": each.is_multiple,
            "default": f"{default:g}" if isinstance(default, float) else default,
            "show_default": default not in (None, "", ()),
            "callback": _checked(each),
            "metavar": each.option.metavar or None,
        }
    return _Option(flags, section=_SECTIONS.get(each.group, OTHER), **how)


def _checked(each: Declared) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """A callback for click that refuses a value out of bounds."""

    def check(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        each.check(value)
        return value

    return check


def _type(each: Declared) -> click.ParamType[Any]:
    if each.takes_none:
        return OrNone()
    if each.option.choices:
        return click.Choice(each.option.choices)
    if each.kind is Path:
        return PATH
    plain: Mapping[type, click.ParamType[Any]] = {int: click.INT, float: click.FLOAT}
    return plain.get(each.kind, click.STRING)


def asked(context: click.Context, **defaults: Any) -> tuple[Settings, Output]:
    """What a command that runs trials is asked for; with --print-config prints that and ends.

    Args:
        defaults: the command's own, by name; study files and presets win over them.
    """
    values = {**defaults, **combined(given(context))}
    settings, output = filled(Settings, values), filled(Output, values)
    if context.params["print_config"]:
        click.echo(written(settings, output.out))
        context.exit(0)
    return settings, output


def given(context: click.Context, **defaults: Any) -> Mapping[str, Any]:
    """The values of the options that the command line has, over a command's own defaults."""
    sources = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    named = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name) in sources
    }
    return {**defaults, **named}
