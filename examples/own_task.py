"""Your own questions: write a file, check it, run it, read the results.

The solver is the simulated student, so that this needs no server; with a model it is
``--solver openai/NAME --base-url URL``.

    python examples/own_task.py [FOLDER]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

FRICTION = Path(sys.executable).with_name("friction")
QUESTIONS = [
    {"question": "What is the capital of Iceland?", "answers": ["Reykjavik", "Reykjavík"]},
    {"question": "Which is a noble gas?", "choices": ["oxygen", "neon", "iron"], "answer": "B"},
    {"question": "What is 1/2 + 1/4?", "answer": "\\frac{3}{4}"},
    {"question": "How many legs has a spider?", "answer": "8"},
]


def friction(*words: str) -> str:
    """The standard output of a command; its messages go to the terminal."""
    done = subprocess.run([FRICTION, *words], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def main(folder: Path) -> None:
    data, run = folder / "questions.jsonl", folder / "run"
    data.write_text("".join(json.dumps(row) + "\n" for row in QUESTIONS), encoding="utf-8")
    print(friction("validate", "custom", "--data", str(data)), end="")
    words = ["--data", str(data), "--solver", "student/default", "--out", str(run), "--quiet"]
    friction("run", "custom", *words, "--feedback", "binary", "--feedback", "self")
    for condition in json.loads(friction("results", str(run), "--json"))["conditions"]:
        first, last = condition["accuracy"][0], condition["accuracy"][-1]
        low, high = condition["ci_low"][-1], condition["ci_high"][-1]
        print(
            f"{condition['feedback']}: {first:.0%} at first, {last:.0%} at the end "
            f"[{low:.0%}, {high:.0%}], n = {condition['n']}, missing {condition['missing']}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
