"""The site: its pages are complete, and name no file that is not there."""

import re
import runpy

import yaml
from blocks import ROOT

from feedback_friction.cli.main import VERBS

SITE = runpy.run_path(str(ROOT / "docs" / "site.py"))


def pages_in(entries):
    for entry in entries:
        for target in entry.values():
            yield from [target] if isinstance(target, str) else pages_in(target)


def test_every_command_has_a_page():
    pages = SITE["commands"]()
    assert list(pages) == list(VERBS)
    assert all(page.startswith(f"# friction {name}\n") for name, page in pages.items())


def test_every_page_is_in_the_navigation():
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    written = {path.name for path in (ROOT / "docs").glob("*.md")} - {"cli.md"}
    assert set(pages_in(nav)) == written | set(SITE["COPIED"]) | {"gallery.md"}


def test_links_of_files_from_beside_the_docs_lead_to_their_pages():
    for page, name in SITE["COPIED"].items():
        for target in re.findall(r"\]\(([^)#\s]+)", SITE["copied"](name)):
            here = (ROOT / "docs" / target).exists()
            assert "://" in target or here or target in SITE["COPIED"], f"{page}: {target}"


def test_every_file_that_the_pages_for_contributors_name_exists():
    package = ROOT / "src" / "feedback_friction"
    tops = (ROOT, package, package / "engine" / "models")
    for page in (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "architecture.md"):
        named = re.findall(r"`([\w./]+(?:/|\.(?:py|md|json|toml)))`", page.read_text("utf-8"))
        for name in (each for each in named if "NAME" not in each):
            assert any((top / name).exists() for top in tops), f"{page.name}: {name}"


def test_no_page_of_the_site_links_to_what_is_not_in_it():
    for page in (ROOT / "docs").glob("*.md"):
        assert "](../" not in page.read_text("utf-8"), page.name
