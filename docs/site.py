"""The pages of the site that are made when it is built, for mkdocs (``hooks`` in ``mkdocs.yml``).

``index.md`` is the README, ``changelog.md`` and ``contributing.md`` are the files beside it,
``commands/*.md`` are the sections of ``cli.md``, and ``gallery.md`` shows every figure of the
report that ``make docs`` has made of simulated runs, with what ``analysis.md`` says of it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the pages can be looked at, and tested, without mkdocs
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

DOCS = Path(__file__).parent
ROOT = DOCS.parent
FIGURES = ROOT / "build" / "gallery" / "figures"
COPIED = {
    "index.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}


def commands() -> dict[str, str]:
    """By name of a command, its page."""
    text = (DOCS / "cli.md").read_text("utf-8")
    sections = re.split(r"^## (?=\w+$)", text, flags=re.MULTILINE)[1:]
    return {section.split("\n", 1)[0]: f"# friction {section}" for section in sections}


def copied(name: str) -> str:
    """A file beside ``docs/``, with its links as they are within."""
    text = (ROOT / name).read_text("utf-8")
    text = re.sub(r"\]\(docs/", "](", text)
    for page, source in COPIED.items():
        text = text.replace(f"]({source})", f"]({page})")
    return text


def gallery() -> str:
    """Every figure that was made, under what the page on analysis says of it."""
    listed = (DOCS / "analysis.md").read_text("utf-8").partition("## The figures")[2]
    said = dict(re.findall(r"^\| (\w+) \| (.*) \|$", listed.partition("\n## ")[0], re.MULTILINE))
    parts = [
        "# Gallery of figures\n\nThe report of simulated runs, as `make docs` makes it. The "
        "numbers are a simulation's; the figures are those of any report.\n"
    ]
    parts += [
        f"## {name}\n\n{said[name].capitalize()}.\n\n![{name}](figures/{name}.svg)\n"
        for name in said
        if (FIGURES / f"{name}.svg").exists()
    ]
    return "\n".join(parts)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the commands' pages in the navigation."""
    for entry in config.nav or []:
        if "Commands" in entry:
            entry["Commands"] = [{name: f"commands/{name}.md"} for name in commands()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, and the figures."""
    from mkdocs.structure.files import File

    made = {page: copied(source) for page, source in COPIED.items()}
    made |= {f"commands/{name}.md": text for name, text in commands().items()}
    made["gallery.md"] = gallery()
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    for figure in sorted(FIGURES.glob("*.svg")):
        files.append(File.generated(config, f"figures/{figure.name}", abs_src_path=str(figure)))
    return files
