"""Write what docs/ says of commands, tasks and tables: ``python docs/generate.py``.

``cli.md`` comes from the commands' own help. What stands between the marks of the other pages comes
from the task pages, ``modes``, ``schema.sql`` and the report's tables. So none of it can say what
is no longer so; a test compares the pages with what this makes.
"""

from __future__ import annotations

import ast
import inspect
import re
import runpy
import tomllib
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import click

from feedback_friction.cli.click_options import OTHER, Sectioned
from feedback_friction.cli.main import VERBS, friction, verb
from feedback_friction.forms import FORMS
from feedback_friction.modes import MODES
from feedback_friction.report.build import TABLES
from feedback_friction.tasks.catalog import PAGES, get_page
from feedback_friction.ways import CHECK, SOLVES

DOCS = Path(__file__).parent
PAGES_WITH_MARKS = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
_MARKED = re.compile(r"(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_TABLE = re.compile(
    r"((?:^--[^\n]*\n)*)^CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*?)^\);", re.MULTILINE | re.DOTALL
)
_COLUMN = re.compile(r"\s+([a-z]\w*)\s+([A-Z]+)([^\n]*)")


def cli_page() -> str:
    """The page of all verbs: what each does, takes, and has for options."""
    parts = [
        "# Commands\n\nWritten by `python docs/generate.py` from the commands' own help.\n",
        _paragraphs(friction.help or ""),
        *(_verb(name) for name in VERBS),
    ]
    return "\n".join(parts)


def _verb(name: str) -> str:
    command = verb(name)
    context = click.Context(command, info_name=f"friction {name}")
    return "\n".join(_described(command, context))


def _described(command: click.Command, context: click.Context) -> list[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    sections: dict[str, list[str]] = {}
    for each in command.params:
        if isinstance(each, click.Option):
            title = getattr(each, "section", OTHER) if isinstance(command, Sectioned) else ""
            sections.setdefault(title, []).append(_option(each))
    name = context.command_path.removeprefix("friction ")
    lines = [f"## {name}\n", f"`{usage}`\n", _paragraphs(command.help or "")]
    for title, rows in sections.items():
        lines += [f"**{title}**\n"] if title else []
        lines.append("| option | what it does |\n|---|---|\n" + "".join(rows))
    if command.epilog:
        lines.append(_paragraphs(command.epilog))
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    for each in inner:
        lines += _described(each, click.Context(each, parent=context, info_name=each.name))
    return lines


def _option(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    metavar = "" if option.is_flag else f" {_metavar(option)}"
    notes = [option.help or ""]
    if option.required:
        notes.append("Required.")
    if option.show_default and not option.is_flag:
        default = option.default
        shown = ", ".join(default) if isinstance(default, tuple) else default
        notes.append(f"Default: `{shown}`.")
    return f"| {names}{metavar} | {_cell(' '.join(filter(None, notes)))} |\n"


def _metavar(option: click.Option) -> str:
    if option.metavar:
        return _cell(option.metavar)
    if isinstance(option.type, click.Choice):
        return " or ".join(str(choice) for choice in option.type.choices)
    return option.type.name.removesuffix(" range").upper()


def _paragraphs(text: str) -> str:
    """Help text as Markdown; a paragraph that click must not wrap (``\\b``) stays as it is."""
    found = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        kept = paragraph.lstrip().removeprefix("\b")
        found.append(f"```text{kept}\n```" if kept != paragraph.lstrip() else kept)
    return "\n\n".join(found) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def schema_tables() -> str:
    """The tables of the journal, a section each, from the schema and its comments."""
    schema = (
        resources.files("feedback_friction.engine.journal")
        .joinpath("schema.sql")
        .read_text("utf-8")
    )
    return "\n".join(_schema_table(*found.groups()) for found in _TABLE.finditer(schema))


def _schema_table(above: str, name: str, body: str) -> str:
    said = " ".join(line.removeprefix("--").strip() for line in above.splitlines())
    lines = [f"### {name}\n"] + ([f"{said}\n"] if said else [])
    key = re.search(r"PRIMARY KEY \(([^)]*)\)", body)
    if key:
        lines.append(f"One row for each {key[1]}.\n")
    lines.append("| column | type | |\n|---|---|---|")
    for column, kind, rest in _COLUMN.findall(body):
        comment = rest.partition("--")[2].strip()
        lines.append(f"| {column} | {kind.lower()} | {_cell(comment)} |")
    return "\n".join(lines) + "\n"


def task_table() -> str:
    """All tasks: what they are, where they come from, how they are graded."""
    lines = ["| task | problems | from | licence | grader | examples |\n|---|---|---|---|---|---|"]
    for name in PAGES:
        page = get_page(name)
        size = f"{page.size:,}" if page.size else "yours"
        shots = page.examples
        shown = f"{shots.count}, from {shots.source}" if shots else "none"
        cells = (size, page.source, page.licence, page.grader, shown)
        lines.append(f"| `{name}` | {' | '.join(_cell(each) for each in cells)} |")
    return "\n".join(lines) + "\n"


def report_tables() -> str:
    """The report's tables: the file, and the function that makes it with its first sentence."""
    lines = ["| file | what | made by |\n|---|---|---|"]
    for name, make in TABLES.items():
        said = (make.__doc__ or "").strip().partition("\n\n")[0]
        where = make.__module__.removeprefix("feedback_friction.")
        lines.append(
            f"| {name}.csv | {_cell(' '.join(said.split()))} | `{where}.{make.__name__}` |"
        )
    return "\n".join(lines) + "\n"


def form_table() -> str:
    """The forms of feedback: what each tells, how, and who may write it."""
    rows = [
        f"| `{form.name}` | {form.says} | {form.granularity} | {form.manner} | {form.focus} | "
        f"{form.cost} | {', '.join(form.writers)} |\n"
        for form in FORMS.values()
    ]
    heads = ("form", "tells", "of what", "as a", "focus", "tokens", "writers")
    top = f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n"
    return f"\n{top}{''.join(rows)}"


def solve_table() -> str:
    """What a solver may do before it answers, and what is its control."""
    lines = ["| `--solve` | the solver | calls for an answer | control |\n|---|---|---|---|"]
    for each in SOLVES.values():
        control = f"`{each.control}`" if each.control else ""
        calls = each.calls if each.thought != CHECK.thought else f"{each.calls - 1} or {each.calls}"
        lines.append(f"| `{each.name}` | {each.does} | {calls} | {control} |")
    return "\n".join(lines) + "\n"


def mode_table() -> str:
    """All feedback modes: who writes them, and what for."""
    lines = ["| feedback | who writes it | what for |\n|---|---|---|"]
    lines += [f"| `{each.name}` | {each.by} | {each.purpose} |" for each in MODES.values()]
    return "\n".join(lines) + "\n"


def mode_pages() -> str:
    """A section a feedback mode."""
    made: str = runpy.run_path(str(DOCS / "mode_pages.py"))["mode_pages"]()
    return made


def contract_list() -> str:
    """The import contracts of ``pyproject.toml``, in words."""
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))
    return "".join(map(_contract, project["tool"]["importlinter"]["contracts"]))


def _contract(contract: dict[str, Any]) -> str:
    def rooms(names: list[str]) -> str:
        return ", ".join(f"`{name.removeprefix('feedback_friction.')}`" for name in names)

    if contract["type"] == "layers":
        layers = [rooms(layer.split(" | ")) for layer in contract["layers"]]
        said = f"{'; below it '.join(layers)}: none imports from above"
    else:
        said = f"{rooms(contract['source_modules'])} import none of "
        said += rooms(contract["forbidden_modules"])
    return f"- **{contract['name']}.** {said}.\n"


def room_table() -> str:
    """Every package and what its docstring says in its first sentence."""
    lines = ["| room | what it is for |\n|---|---|"]
    for path in sorted((DOCS.parent / "src" / "feedback_friction").rglob("__init__.py")):
        said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
        room = path.parent.relative_to(DOCS.parent / "src" / "feedback_friction")
        if said and room.name:
            lines.append(
                f"| `{room}/` | {_cell(' '.join(said.partition(chr(10) * 2)[0].split()))} |"
            )
    return "\n".join(lines) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "schema": schema_tables,
    "tasks": task_table,
    "forms": form_table,
    "modes": mode_table,
    "mode pages": mode_pages,
    "solves": solve_table,
    "report tables": report_tables,
    "contracts": contract_list,
    "rooms": room_table,
}


def current(page: str) -> str:
    """A page's text with what stands between its marks made anew."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{GENERATED[found[2]]()}\n{found[3]}", page)


def main() -> None:
    """Write all pages."""
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    for path in PAGES_WITH_MARKS:
        path.write_text(current(path.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
