"""The command ``friction``: one file per verb, loaded only when the verb is used."""

from __future__ import annotations

import importlib
import sys

import click

from feedback_friction import __version__
from feedback_friction.errors import FrictionError, UsageError

# verb -> what `friction --help` says of it
VERBS = {
    "run": "Run tasks under a grid of conditions, or resume a run.",
    "merge": "Make one run of the parts of a run that was split over machines.",
    "estimate": "Predict calls, tokens, cost and time of a run.",
    "results": "Print accuracy by condition, with intervals.",
    "oracle": "Draw many answers: coverage and pass@k, without feedback.",
    "probe": "Ask more about a finished run: entropy, familiarity, self-perception, reader.",
    "inside": "Look inside the solver of a run: attention, knock-out, lens, patching, steering.",
    "show": "Print one problem's whole trial.",
    "regrade": "Judge a finished run's replies anew, without a model call; overrule a verdict.",
    "remask": "Mask a finished run's feedback anew, without a model call.",
    "adopt": "Grade replies from elsewhere and keep them as a run.",
    "view": "Look at runs, live, on a local page: grid, trials, prompts, filters.",
    "compare": "Compare conditions or runs, paired by problem.",
    "causes": "Tell causes apart: histories, challenges, doses, teachers.",
    "freeze": "Keep a run's first attempts and their feedback as a benchmark.",
    "power": "How many problems it takes to see a difference.",
    "learn": "Learn from runs which form of feedback helps in which state.",
    "improve": "Improve the prompt of a form of feedback, on problems held out.",
    "distill": "Train a solver on what it took up; measure first answers and uptake apart.",
    "report": "Write figures, tables and one HTML page from runs.",
    "annotate": "Have a judge model say why trials stayed unsolved.",
    "review": "Label unsolved trials yourself, on a local page.",
    "agreement": "Print how far judges and people agree.",
    "export": "Write training sets, Inspect logs, tables, or the reference format.",
    "prices": "List what models cost, and keep a newer list.",
    "models": "List the models on this machine, or fetch a small one.",
    "doctor": "Say what a server can do, and what a run does about what it cannot.",
    "serve": "Print or run the vLLM command for a model.",
    "tasks": "List the tasks.",
    "validate": "Check that every gold answer passes its own grader and masks itself out.",
    "generate": "Write generated problems to a file.",
    "mask": "Mask feedback and audit it for leaks (JSONL in, JSONL out).",
    "grade": "Grade replies (JSONL in, JSONL out).",
    "classic": "Run with the reference code's own flags.",
}

# A verb's module has its name and a `command`, but for these: they are functions of another's.
BESIDE = {"remask": "regrade", "review": "view", "mask": "foreign", "grade": "foreign"}


def verb(name: str) -> click.Command:
    """The command of a verb, its module loaded."""
    module = importlib.import_module(f"feedback_friction.cli.{BESIDE.get(name, name)}")
    command: click.Command = getattr(module, name if name in BESIDE else "command")
    return command


class Verbs(click.Group):
    """A group that imports a verb's module when it is called, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return verb(name) if name in VERBS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"unknown command '{args[0]}'; allowed: {', '.join(VERBS)}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="friction")
def friction() -> None:
    """Measure feedback friction: how much of the feedback it gets a language model takes up.

    Exit codes: 0 done; 1 finished with failed or undecided trials, or stopped and resumable; 2 the
    command was wrong (one line says what, and what is allowed); 130 interrupted, and resumable.
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
