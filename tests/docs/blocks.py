"""The fenced code blocks of the documents, and what stands in for what only a reader has.

The blocks of a page share one folder and run in order, so that a later one may use what an earlier
one wrote. A block whose info string names a file (``jsonl questions.jsonl``) becomes that file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PAGES = [*(ROOT / name for name in BESIDE), *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = ("console", "sh", "python", "py", "json", "jsonl", "toml", "text", "mermaid")

# What a reader would have is replaced, in commands, by what a test has; nothing else is changed.
# "{server}" is the simulated server of benchmarks/simserver.
STAND_INS = (
    (re.compile(r"http://localhost:80\d\d/v1"), "{server}"),
    # what OpenAI itself would be asked, without a URL of its own
    (re.compile(r"(--(feedback|judge)-model openai/\S+)"), r"\1 --\2-base-url {server}"),
    (re.compile(r"--solver gguf/abacus"), "--solver student/default"),
    (re.compile(r"--limit 400 "), "--limit 120 "),  # enough to learn from
    (re.compile(r"run primer --limit \d+"), "run primer --limit 6"),
    (re.compile(r"(run decimal_multiplication --digits \d) --limit \d{2,3}"), r"\1 --limit 20"),
    # a real model that may not be on this machine, and is slow
    (re.compile(r"--solver gguf/smollm2"), "--solver openai/smollm2 --base-url {server}"),
    (re.compile(r"--feedback-model gguf/smollm2"), "--feedback-model student/keen"),
    (re.compile(r"--feedback-model gguf/abacus"), "--feedback-model student/default"),
)
SMALL = " --limit 6"  # is added to a run that says nothing of its size
# These need torch, a GPU with vLLM, another provider's key, the hub, someone at a browser or a
# second judge: their words are held against the verb's own parser instead.
PARSED_ONLY = re.compile(
    r"friction (?:view|review|agreement|inside|distill)\b|friction serve\b.*--exec"
    r"|(?:anthropic|google|bedrock|hf)/"
    r"|friction (?:run|validate|estimate|oracle)\b(?!.*--data\b).*"
    r" (?:aime_2024|math_500|trivia_qa|pop_qa|gpqa|mmlu|mmlu_pro)\b"
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where its fence stands, the words of its info string, and what is in it."""

    page: Path
    line: int
    language: str
    file_name: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The page's fenced blocks in order."""
    found: list[Block] = []
    kept: list[str] = []
    fence, info, start = "", "", 0
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        opened = re.match(r"(`{3,}|~{3,})(.*)", line)
        if not fence and opened:
            fence, info, start, kept = opened[1], opened[2].strip(), number, []
        elif fence and line.strip() == fence:
            language, _, file_name = info.partition(" ")
            found.append(Block(page, start, language, file_name, "\n".join(kept) + "\n"))
            fence = ""
        elif fence:
            kept.append(line)
    assert not fence, f"{page.name}:{start}: the block is never closed"
    return found


def commands_of(block: Block) -> list[str]:
    """A shell block's commands, each on one line."""
    joined = re.sub(r"\\\n\s*", "", block.text)
    lines = (line.strip().removeprefix("$ ") for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def with_stand_ins(command: str, server: str) -> str:
    """A command as a test can run it."""
    command = command.partition(" #")[0].rstrip()
    for pattern, stand_in in STAND_INS:
        command = pattern.sub(stand_in, command)
    if command.startswith("friction run ") and not re.search("--(limit|fraction|frozen)", command):
        command += SMALL
    return command.replace("{server}", server)
