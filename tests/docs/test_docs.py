"""What README and docs/ say can be done, is done: every code block is run or checked."""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from blocks import LANGUAGES, PAGES, PARSED_ONLY, ROOT, blocks_of, commands_of, with_stand_ins

from benchmarks.__main__ import NAMES as BENCHMARKS
from benchmarks.simserver.launch import simulated_server
from benchmarks.simserver.settings import Settings
from commands import friction
from feedback_friction.cli.main import VERBS, verb
from feedback_friction.options import options_of
from feedback_friction.report.cause_figures import BUCKETS, SHARES
from feedback_friction.settings import Settings as RunSettings
from feedback_friction.study import read_study
from feedback_friction.tasks.catalog import PAGES as TASKS

BIN = Path(sys.executable).parent
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))


def page_id(page):
    return page.name


@pytest.fixture(scope="module")
def server():
    with simulated_server(Settings()) as running:
        yield running.url


def check_make(words):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in words[1:]:
        assert target in targets, f"the Makefile has no target '{target}'"


def check_pip(words):
    """Installs this project, with extras that it has."""
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert words[:2] == ["pip", "install"]
    for extras in re.findall(r"\[([a-z,]+)\]", " ".join(words)):
        for extra in extras.split(","):
            assert re.search(rf"^{extra} = \[", pyproject, re.MULTILINE), f"no extra '{extra}'"


def check_module(words):
    """``python -m benchmarks NAME`` and scripts of the repository."""
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]) is not None
        if words[2] == "benchmarks":
            assert set(words[3:]) <= set(BENCHMARKS)
    else:
        assert (ROOT / words[1]).is_file(), f"there is no {words[1]}"


def check_friction(words):
    """The verb's own parser takes the words."""
    name = words[words.index("friction") + 1]
    verb(name).make_context(f"friction {name}", words[words.index("friction") + 2 :])


def check_inspect(words):
    """The task and its options exist; Inspect's own options are its own."""
    if words[1] == "eval":
        assert words[2].removeprefix("feedback_friction/") in TASKS
        given = {word.partition("=")[0] for flag, word in pairwise(words) if flag == "-T"}
        assert given <= options_of(RunSettings).keys()


NOT_RUN = {
    "inspect": check_inspect,
    "make": check_make,
    "pip": check_pip,
    "python": check_module,
    "git": None,
}


def check_or_keep(command):
    """Checks a command that is not run here; says whether it is to be run."""
    words = shlex.split(command, comments=True)
    if words[0] in NOT_RUN:
        check = NOT_RUN[words[0]]
        if check:
            check(words)
        return False
    if PARSED_ONLY.search(command):
        check_friction(words)
        return False
    return True


def run_shell(block, folder, server):
    commands = [with_stand_ins(each, server) for each in commands_of(block) if check_or_keep(each)]
    if all(re.fullmatch(r"friction [^|<>&;$*`~]+", each) for each in commands):
        for each in commands:  # no shell is needed, nor another Python
            friction(*shlex.split(each)[1:], cwd=folder, OPENAI_API_KEY="none")
        return
    script = "\n".join(commands)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "OPENAI_API_KEY": "none"},
    )
    assert done.returncode == 0, f"{block.where}\n{script}\n{done.stdout}\n{done.stderr}"


def run_python(block, folder, server):
    done = subprocess.run(
        [sys.executable, "-c", block.text], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{block.where}\n{done.stderr}"


def check_json(block, folder, server):
    texts = [block.text] if block.language == "json" else block.text.splitlines()
    for text in texts:
        json.loads(text)


def check_toml(block, folder, server):
    (folder / "block.toml").write_text(block.text, "utf-8")
    read_study(folder / "block.toml")


RUN = {
    "console": run_shell,
    "sh": run_shell,
    "python": run_python,
    "json": check_json,
    "jsonl": check_json,
    "toml": check_toml,
}


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_code_block_says_what_it_is(page):
    for block in blocks_of(page):
        assert block.language in LANGUAGES, f"{block.where}: '{block.language}'"


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_code_block_works_in_order(page, tmp_path, server):
    for block in blocks_of(page):
        if block.file_name:
            (tmp_path / block.file_name).write_text(block.text, "utf-8")
        if block.language in RUN:
            RUN[block.language](block, tmp_path, server)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_within_the_text_name_verbs_and_options_that_exist(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"(?<!`)`([^`\n]+)`", text):
        words = code.split()
        if words[0] == "make":
            check_make(words)
        if words[0] == "python":
            check_module(words)
        if words[0] == "friction" and len(words) > 1 and not words[1].startswith("-"):
            assert words[1] in VERBS, f"{page.name}: {code}"
            known = {name for each in verb(words[1]).params for name in each.opts} | {"--help"}
            named = {word for word in words[2:] if re.match(r"--\w", word)}
            assert named <= known, f"{page.name}: {code}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_relative_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_claim_of_the_readme_names_a_benchmark_that_there_is():
    text = (ROOT / "README.md").read_text("utf-8")
    claims = text.partition("script in `benchmarks/` |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(claims) >= 5
    for claim in claims:
        name = claim.split("|")[-2].strip(" `")
        assert (ROOT / "benchmarks" / name).is_file(), claim


def test_every_path_of_the_readme_s_map_exists():
    """A path is a word with a slash or a suffix, below the folder that its indentation names."""
    [tree] = [each for each in blocks_of(ROOT / "README.md") if each.language == "text"]
    paths = list(map_paths(tree.text))
    assert len(paths) >= 15
    for path in paths:
        assert (ROOT / path).exists(), f"the map names {path}"


def map_paths(text):
    """The paths of a tree; what stands in one line stands in one folder."""
    chunk = r"(?:^|(?<=\s\s))([\w./]+(?:, [\w./]+)*)(?=\s|$)"
    parents: list[tuple[int, Path]] = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        parents = [each for each in parents if each[0] < indent]
        above = parents[-1][1] if parents else Path()
        for word in (each for found in re.findall(chunk, line) for each in found.split(", ")):
            if word.endswith("/") or re.search(r"\.(py|md|sql|toml)$", word):
                yield above / word
        first = line.split()[:1]
        if first and first[0].endswith("/"):
            parents.append((indent, above / first[0]))


def test_the_page_of_commands_is_current():
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert text == GENERATE["cli_page"](), "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_what_is_generated_within_a_page_is_current(page):
    text = page.read_text("utf-8")
    assert text == GENERATE["current"](text), "run: python docs/generate.py"


def test_every_generated_part_stands_in_a_page():
    marks = [
        mark
        for page in PAGES
        for mark in re.findall(r"<!-- generated: ([a-z ]+) -->", page.read_text("utf-8"))
    ]
    assert sorted(marks) == sorted(GENERATE["GENERATED"])


def test_every_figure_of_the_report_is_explained():
    report = ROOT / "src" / "feedback_friction" / "report"
    source = "\n".join(path.read_text("utf-8") for path in report.glob("*.py"))
    drawn = set(re.findall(r"Figure\(\s*\"(\w+)\"", source))
    drawn |= {*re.findall(r"_over_controls\(\s*runs, [^\"]+\"(\w+)\"", source)}
    drawn |= {*BUCKETS, *SHARES}
    text = (ROOT / "docs" / "analysis.md").read_text("utf-8")
    listed = text.partition("## The figures")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| (\w+) \|", listed, re.MULTILINE)) - {"figure"}
    assert explained == drawn


def test_every_function_that_the_analysis_page_names_exists():
    named = re.findall(r"`(analysis\.[\w.]+)`", (ROOT / "docs" / "analysis.md").read_text("utf-8"))
    assert len(named) > 20
    for dotted in named:
        module, _, name = dotted.rpartition(".")
        assert callable(getattr(importlib.import_module(f"feedback_friction.{module}"), name))


def test_the_page_of_commands_has_every_option_of_every_verb():
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(VERBS)
    for name, section in sections.items():
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            verb(name).main(["--help"])
        for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", out.getvalue())) - {"--help"}:
            assert option in section, f"{name}: {option}"
