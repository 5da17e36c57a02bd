"""An option is one field: what is declared is shown, checked, kept and read again."""

from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from feedback_friction.cli.click_options import generated, given
from feedback_friction.errors import UsageError
from feedback_friction.options import Options, filled, in_part, option, options_of, values_of
from feedback_friction.settings import Settings


@dataclass(frozen=True, slots=True)
class Inner(Options):
    top_k: int | None = option(None, "How many words to draw from.", least=1)
    heat: float | None = option(0.5, "How hot.", least=0, most=2)
    seed: int = option(0, "Seed.")


@dataclass(frozen=True, slots=True)
class Outer(Options):
    names: tuple[str, ...] = option(("a",), "Names.", flag="--name", part="operation")
    seed: int = option(0, "Seed.")
    where: Path | None = option(None, "A file.", part="nowhere")
    kind: str = option("x", "Which.", choices=("x", "y"))
    loud: bool = option(False, "Say more.")
    inner: Inner = field(default_factory=Inner)


def asked(*words):
    """What a generated command makes of words, and what it prints."""

    @click.command(params=generated(Outer))
    @click.pass_context
    def command(context, /, **_):
        found.append(filled(Outer, given(context)))

    found: list[Outer] = []
    done = CliRunner().invoke(command, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return found[0] if found else done.output


def refused(*words):
    """The line that refuses the words: ours, or click's."""
    try:
        return asked(*words)
    except UsageError as error:
        return str(error)


def test_a_field_is_an_option_of_the_command_line():
    made = asked("--top-k", "3", "--name", "b", "--name", "c", "--heat", "none", "--loud")
    assert made == Outer(names=("b", "c"), loud=True, inner=Inner(top_k=3, heat=None))
    assert asked("--where", "x/y").where == Path("x/y")
    assert asked() == Outer()


def test_help_says_what_the_field_says():
    told = " ".join(asked("--help").split())
    assert "--top-k INTEGER How many words to draw from." in told
    assert "--heat FLOAT How hot. [default: 0.5]" in told
    assert "--kind [x|y] Which. [default: x]" in told
    assert told.count("--seed") == 1


def test_an_option_that_two_dataclasses_have_goes_to_both():
    made = asked("--seed", "7")
    assert (made.seed, made.inner.seed) == (7, 7)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--top-k", "0"), "--top-k must be at least 1, not 0"),
        (("--heat", "2.5"), "--heat must be from 0 to 2, not 2.5"),
        (("--heat", "nan"), "--heat must be from 0 to 2, not nan"),
        (("--seed", "x"), "'x' is not a valid integer"),
        (("--kind", "z"), "'z' is not one of 'x', 'y'"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_one_line(words, message):
    assert message in refused(*words)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("iterations", "5", "iterations must be a whole number from 1 to 1000, not '5'"),
        ("iterations", 0, "iterations must be from 1 to 1000, not 0"),
        ("epochs", 10_000_000, "epochs must be from 1 to 10000, not 10000000"),
        ("iterations", True, "iterations must be a whole number"),
        ("iterations", None, "iterations must be a whole number from 1 to 1000, not none"),
        ("feedback", [1], "feedback must be a text or a list of such, not 1"),
        ("logprobs", "yes", "logprobs must be true or false, not 'yes'"),
        ("temperature", "hot", "temperature must be a number from 0 to 2, or none, not 'hot'"),
        ("reasoning_effort", "huge", "unknown reasoning_effort 'huge'; allowed: none, minimal"),
        ("itertions", 5, "unknown option 'itertions'; did you mean 'iterations'?"),
    ],
)
def test_a_value_from_python_is_checked_like_one_from_the_command_line(name, value, message):
    with pytest.raises(UsageError) as caught:
        Settings.of(**{name: value})
    assert message in str(caught.value)


def test_settings_are_made_of_flat_names():
    made = Settings.of(tasks="primer", solver="student/default", top_p=1, data="x.jsonl", seed=3)
    assert (made.tasks, made.models.solver) == (("primer",), ("student/default",))
    assert made.plan.decoding.top_p == 1
    assert (made.selection.data, made.selection.seed, made.plan.seed) == (Path("x.jsonl"), 3, 3)
    assert filled(Settings, values_of(made)) == made


def test_every_option_has_help_and_a_part_of_the_run_file():
    every = options_of(Settings)
    assert all(each.option.help.endswith((".", "]")) for each in every.values())
    parts = [in_part(Settings(), part) for part in ("configuration", "model", "operation")]
    assert sorted(name for part in parts for name in part) == sorted(every)
