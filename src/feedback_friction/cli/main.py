"""The command ``friction``: one file per verb, loaded only when the verb is used."""

from __future__ import annotations

import importlib
import sys

import click

from feedback_friction import __version__
from feedback_friction.errors import FrictionError, UsageError

# By section of `friction --help`: verb -> what it says of it
SECTIONS = {
    "Run": {
        "run": "Run tasks under a grid of conditions, or resume a run.",
        "estimate": "Predict the calls, tokens, cost and time of a run.",
        "merge": "Combine the parts of a run that was split over machines.",
        "oracle": "Draw many answers without feedback: coverage and pass@k.",
        "classic": "Run with the reference code's own flags.",
    },
    "Results": {
        "results": "Print accuracy by condition, with intervals.",
        "show": "Print every attempt at one problem.",
        "view": "Browse runs on a local page, live.",
        "compare": "Compare conditions or runs, paired by problem.",
        "causes": "Separate the causes of friction: histories, challenges, doses, teachers.",
        "report": "Write figures, tables and one HTML page.",
        "export": "Write training sets, Inspect logs, tables, or the reference format.",
    },
    "A finished run": {
        "annotate": "Have a judge model label why trials stayed unsolved.",
        "review": "Label unsolved trials yourself, in the browser.",
        "agreement": "Print the agreement between judges and people.",
        "probe": "Ask more: entropy, familiarity, self-perception, reader.",
        "inside": "Trace the feedback through the solver's weights.",
        "regrade": "Grade the replies again, or overrule a verdict; calls no model.",
        "remask": "Mask the feedback again; calls no model.",
        "freeze": "Save first attempts and their feedback as a benchmark.",
    },
    "Better feedback, better solvers": {
        "learn": "Learn which form of feedback helps in which state.",
        "improve": "Search for a better prompt for one form of feedback.",
        "distill": "Train a solver on its own corrections.",
    },
    "Tasks and files": {
        "tasks": "List the tasks.",
        "validate": "Check that every gold answer passes its own grader and is masked.",
        "generate": "Write generated problems to a file.",
        "adopt": "Import replies from elsewhere as a run.",
        "grade": "Grade replies (JSONL in, JSONL out).",
        "mask": "Mask feedback and audit it for leaks (JSONL in, JSONL out).",
        "power": "Compute how many problems a comparison needs.",
    },
    "Models": {
        "doctor": "Check what a server supports.",
        "models": "List the models on this machine, or download a small one.",
        "prices": "List the prices of models, or install a newer list.",
        "serve": "Print or run the vLLM command for a model.",
    },
}
VERBS = {name: says for section in SECTIONS.values() for name, says in section.items()}

# A verb stands in the file of its name, but for those that share one.
FILES = {"remask": "regrade", "review": "view", "mask": "foreign", "grade": "foreign"}


def verb(name: str) -> click.Command:
    """The command of a verb, its file loaded: the one in it that has its name."""
    file = importlib.import_module(f"feedback_friction.cli.{FILES.get(name, name)}")
    commands = (each for each in vars(file).values() if isinstance(each, click.Command))
    return next(each for each in commands if each.name == name)


class Verbs(click.Group):
    """A group that imports a verb's module when it is called, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return verb(name) if name in VERBS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, VERBS))
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), says) for name, says in verbs.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"unknown command '{args[0]}'; allowed: {', '.join(VERBS)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="friction")
def friction() -> None:
    """Measure feedback friction: how often a language model repeats an error after feedback.

    Exit codes: 0 done; 1 finished with failed or undecided trials, or stopped and resumable; 2 the
    command was wrong (one line says why); 130 interrupted and resumable.
    """


def main() -> None:
    """Entry point: errors become one line and an exit code, never a traceback."""
    try:
        code = friction.main(prog_name="friction", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:  # its message is the help, of many lines
        click.echo(error.message, err=True)
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message(), 2)
    except UsageError as error:
        fail(str(error), 2)
    except FrictionError as error:
        fail(str(error), 1)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from feedback_friction.tracebacks import kept

        fail(kept(error), 1)
    sys.exit(code if isinstance(code, int) else 0)


def fail(message: str, code: int) -> None:
    """Print one line to standard error and leave with an exit code."""
    click.echo(f"friction: {' '.join(message.split())}", err=True)
    sys.exit(code)
