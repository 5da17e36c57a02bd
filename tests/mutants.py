"""Mutants: is every line's meaning held by a test? ``make mutants`` changes one place at a time.

    python tests/mutants.py FOLDER [--count 100] [--seed 0]

Places are drawn by seed from the rooms that decide results, and cosmic-ray changes each in one of
its ways. A mutant is run against the tests that execute its statement, the quickest first; it is
killed when one fails, or when they hang. All happens in a copy of the working tree in FOLDER, which
keeps what ran: the same command goes on where it stopped, and after tests were added
``--again`` measures anew and runs the survivors once more. What survives is to be read: some
mutants change nothing.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import coverage
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator, operator_names

SOURCE = Path("src/feedback_friction")
ROOMS = ("protocol", "reading", "grading", "engine/run", "analysis")
TESTS = ("protocol", "reading", "grading", "tasks", "analysis", "bridges", "engine", "cli")
SLOW = ("protocol", "reading", "grading", "analysis")  # whose tests marked slow run too
LONGEST = 40.0  # seconds that a mutant's tests took unchanged: the quickest of those that reach it
PATIENCE = 60.0  # seconds on top of five times that, before a mutant counts as hanging
Position = tuple[int, int]  # line from 1, column


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the place in a file, counted, where an operator of cosmic-ray applies."""

    path: str
    line: int
    column: int
    operator: str
    occurrence: int

    @property
    def room(self) -> str:
        """The room whose code is changed."""
        return next(room for room in ROOMS if self.path.startswith(f"{SOURCE}/{room}/"))


def main() -> None:
    """Draw, run and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="run the survivors once more")
    asked = parser.parse_args()
    folder: Path = asked.folder.resolve()
    copy(folder / "tree", only_tests=(folder / "tree").exists())
    os.chdir(folder / "tree")
    if asked.again or not (folder / "lines").exists():
        measure(folder)
    reached, took = covered(folder / "lines"), durations(folder.glob("*.xml"))
    kept = folder / f"mutants-{asked.seed}.json"
    done: dict[str, list[str]] = json.loads(kept.read_text()) if kept.exists() else {}
    for mutant in drawn(asked.count, asked.seed):
        name = json.dumps(asdict(mutant))
        if name not in done or (asked.again and done[name][0] == "survived"):
            done[name] = [*run(mutant, *chosen(mutant, reached.get(mutant.path, {}), took))]
            kept.write_text(json.dumps(done))
            print(done[name][0], mutant.path, mutant.line, mutant.operator, flush=True)
    report([(Mutant(**json.loads(name)), *found) for name, found in done.items()])


def copy(tree: Path, *, only_tests: bool) -> None:
    """Copy the files that git knows or would take, as they are now; later tests alone."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, text=True).splitlines():
        if Path(name).is_file() and (not only_tests or name.startswith("tests/")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, tree / name)


# --- which tests execute a statement -------------------------------------------------------------


def pytest(*arguments: str) -> list[str]:
    """A command that runs tests of the copy, in one process."""
    return [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *arguments]


def environment() -> dict[str, str]:
    """In which the copy is imported, not what is installed."""
    return {**os.environ, "PYTHONPATH": str(Path("src").resolve())}


def measure(folder: Path) -> None:
    """Run the tests once, and keep which lines each of them executes and how long it takes."""
    (folder / "lines").unlink(missing_ok=True)
    config = folder / "coverage.ini"
    rooms = "".join(f"\n    feedback_friction.{room.replace('/', '.')}" for room in ROOMS)
    config.write_text(f"[run]\nsource_pkgs ={rooms}\ndata_file = {folder / 'lines'}\n")
    options = ("--cov", f"--cov-config={config}", "--cov-context=test", "--cov-report=")
    alone = [str(file) for file in sorted(Path("tests").glob("test_*.py"))]
    quick = [*(f"tests/{room}" for room in TESTS), *alone]
    for name, marked, files in (
        ("quick", "not slow and not heavy", quick),
        *((f"slow-{room}", "slow and not heavy", [f"tests/{room}"]) for room in SLOW),
    ):
        timed = f"--junitxml={folder / name}.xml"
        command = pytest("-m", marked, *options, "--cov-append", timed, *files)
        subprocess.run(command, env=environment(), check=False)


def covered(data: Path) -> dict[str, dict[int, set[str]]]:
    """By file and line, the tests that execute it; those at import alone are none."""
    measured = coverage.CoverageData(str(data))
    measured.read()
    found: dict[str, dict[int, set[str]]] = {}
    for file in measured.measured_files():
        path = str(SOURCE) + file.rpartition(str(SOURCE))[2]
        lines = measured.contexts_by_lineno(file)
        found[path] = {line: {*map(function_of, tests)} - {""} for line, tests in lines.items()}
    return found


def function_of(context: str) -> str:
    """The test function of a context such as ``tests/a.py::test_b[c]|run``."""
    return context.partition("[")[0].partition("|")[0]


def durations(reports: Iterable[Path]) -> dict[str, float]:
    """By test function, the seconds that all its cases took; without those that fail anyway."""
    found: dict[str, float] = defaultdict(float)
    failing = set()
    for case in (case for each in reports for case in ElementTree.parse(each).iter("testcase")):
        file = case.attrib["classname"].replace(".", "/") + ".py"
        name = function_of(f"{file}::{case.attrib['name']}")
        found[name] += float(case.attrib["time"])
        if case.find("failure") is not None or case.find("error") is not None:
            failing.add(name)
    return {name: seconds for name, seconds in found.items() if name not in failing}


# --- drawing -------------------------------------------------------------------------------------


def drawn(count: int, seed: int) -> list[Mutant]:
    """Random places, and at each a random one of the changes that it allows."""
    rng = random.Random(f"{seed}:mutants")
    files = sorted(file for room in ROOMS for file in (SOURCE / room).rglob("*.py"))
    places = [place for file in files for place in places_in(file)]
    return [rng.choice(changes) for changes in rng.sample(places, count)]


def places_in(file: Path) -> list[list[Mutant]]:
    """The changes that are possible in a file, place by place; annotations are never evaluated."""
    nodes = list(ast_nodes(get_ast_from_path(file)))
    annotations = list(annotated(ast.parse(file.read_text())))
    places: dict[tuple[Position, Position], list[Mutant]] = defaultdict(list)
    for name in operator_names():
        kind = get_operator(name)
        if kind.arguments() or "ExceptionReplacer" in name:  # which fails on dotted names
            continue
        spans = (span for node in nodes for span in kind().mutation_positions(node))
        for occurrence, (start, end) in enumerate(spans):
            if not any(begin <= start < close for begin, close in annotations):
                places[start, end].append(Mutant(str(file), *start, name, occurrence))
    return [places[span] for span in sorted(places)]


def annotated(tree: ast.AST) -> Iterator[tuple[Position, Position]]:
    """Where annotations stand."""
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            found = getattr(node, name, None)
            if isinstance(found, ast.expr):
                end = (found.end_lineno or 0, found.end_col_offset or 0)
                yield (found.lineno, found.col_offset), end


# --- running -------------------------------------------------------------------------------------


def run(mutant: Mutant, tests: Sequence[str], seconds: float) -> tuple[str, str]:
    """What became of a mutant under tests that take so long unchanged, and the changed line."""
    file = Path(mutant.path)
    operator = get_operator(mutant.operator)()
    with use_mutation(file, operator, mutant.occurrence) as (_, code):
        changed = code.splitlines()[mutant.line - 1].strip()
        if not tests:
            return "survived", f"{changed}  (no test executes it)"
        try:
            done = subprocess.run(
                pytest("-x", *tests), env=environment(), timeout=PATIENCE + 5 * seconds,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "hung", changed
    return "killed" if done.returncode else "survived", changed


def chosen(
    mutant: Mutant, lines: dict[int, set[str]], took: dict[str, float]
) -> tuple[list[str], float]:
    """The quickest of the tests that execute a mutant's statement, and their seconds.

    Of what is executed at import alone, such as a constant, those that execute any of its file.
    """
    first, last = statement(ast.parse(Path(mutant.path).read_text()), mutant.line)
    tests = {test for line in range(first, last + 1) for test in lines.get(line, ())}
    tests = tests or {test for each in lines.values() for test in each}
    known = sorted((took[test], test) for test in tests if test in took)
    found, seconds = [], 0.0
    for each, test in known:
        if not found or seconds + each <= LONGEST:
            found.append(test)
            seconds += each
    return found, seconds


def statement(tree: ast.AST, line: int) -> tuple[int, int]:
    """First and last line of the innermost statement at a line; of a compound one its head."""
    best = (line, line)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno
            if line <= max(end or 0, node.lineno):
                best = (node.lineno, max(end or 0, node.lineno))
    return best


def report(found: Sequence[tuple[Mutant, str, str]]) -> None:
    """The share that was killed, room by room, and what survived."""
    print(f"\n{'room':<12} {'killed':>6} {'hung':>5} {'survived':>8}")
    for room in (*ROOMS, "all"):
        counts = Counter(what for each, what, _ in found if room in ("all", each.room))
        print(f"{room:<12} {counts['killed']:>6} {counts['hung']:>5} {counts['survived']:>8}")
    for mutant, what, changed in found:
        if what != "killed":
            operator = mutant.operator.partition("/")[2]
            print(f"\n{what}: {mutant.path}:{mutant.line} {operator}\n    {changed}")


if __name__ == "__main__":
    main()
