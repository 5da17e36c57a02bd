"""Data files as they lie around: arrays, packed files, spreadsheets, other people's columns."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from feedback_friction.errors import DataError, UsageError
from feedback_friction.problem import Problem
from feedback_friction.settings import Selection
from feedback_friction.tasks.catalog import get_page, load_problems, parse_columns
from feedback_friction.tasks.files import read_rows
from feedback_friction.tasks.validation import validate

ROWS = [{"question": "2 + 2?", "answer": "4"}, {"question": "3 + 3?", "answer": "6"}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS)


def load(path: Path, task: str = "custom", *columns: str) -> list[Problem]:
    return load_problems(get_page(task), Selection(data=path, columns=columns))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS)),
        ("a.json", json.dumps(ROWS, indent=2)),
        ("a.json", json.dumps({"version": 1, "data": ROWS})),
        ("a.json", json.dumps({"rows": [{"row_idx": 0, "row": row} for row in ROWS]})),
        ("a.json", LINES),
        ("a.jsonl", json.dumps(ROWS)),
        ("a.jsonl.gz", LINES),
        ("a.json.gz", json.dumps(ROWS)),
        ("a.csv.gz", "question,answer\n2 + 2?,4\n3 + 3?,6\n"),
        ("a.csv", ",question,answer\n0,2 + 2?,4\n1,3 + 3?,6\n"),
        ("a.csv", "Unnamed: 0,question,answer\n0,2 + 2?,4\n1,3 + 3?,6\n"),
        ("a.csv", 'question;answer\n"2 + 2?";4\n3 + 3?;6\n'),
        ("a.csv", "question\tanswer\n2 + 2?\t4\n3 + 3?\t6\n"),
        ("a.csv", "question|answer\n2 + 2?|4\n3 + 3?|6\n"),
        ("a.csv", "\ufeffquestion,answer\n2 + 2?,4\n3 + 3?,6\n".encode("utf-16-le")),
        ("a.json", json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]})),
        (
            "a.json",
            json.dumps(
                {name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in ROWS[0]}
            ),
        ),
        ("a.tsv", "\tquestion\tanswer\n0\t2 + 2?\t4\n1\t3 + 3?\t6\n"),
    ],
)
def test_the_same_rows_are_read_from_every_form(
    name: str, content: str | bytes, tmp_path: Path
) -> None:
    path = tmp_path / name
    body = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(body, mtime=0) if name.endswith(".gz") else body)
    assert [dict(row) for _, row in read_rows(path)] == ROWS
    assert [problem.gold for problem in load(path)] == ["4", "6"]


def test_rows_by_their_ids_keep_them(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({f"q/{number}": row for number, row in enumerate(ROWS)}))
    assert [problem.id for problem in load(path)] == ["q/0", "q/1"]


def test_names_with_capitals_and_options_in_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Question,A,B,C,Answer\nWhich is red?,grass,blood,sky,B\n")
    (problem,) = load(path)
    assert (problem.choices, problem.gold) == (("grass", "blood", "sky"), "B")


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("input,target\n2 + 2?,4\n")
    with pytest.raises(DataError, match=r"'question': is missing; there is input, target \(--map"):
        load(path)


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(LINES.encode(), mtime=0)[:-9]])
def test_a_broken_packed_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="not valid gzip"):
        list(read_rows(path))


def test_an_array_of_anything_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"question": "x"}, 7]')
    with pytest.raises(DataError, match=r"a\.json:2: a JSON object is wanted, this is a number"):
        list(read_rows(path))


def test_mmlus_own_files_name_no_columns(tmp_path: Path) -> None:
    path = tmp_path / "abstract_algebra_test.csv"
    path.write_text('"Find, it",0,4,2,6,B\nAnd this,x,y,z,w,D\n')
    for task in ("custom", "mmlu"):
        first, second = load(path, task)
        assert (first.question, first.choices, first.gold) == (
            "Find, it",
            ("0", "4", "2", "6"),
            "B",
        )
        assert (second.gold, second.subject) == ("D", "abstract_algebra")


NAMES = ["oxygen", "neon", "iron"]


def row_of(**more: Any) -> dict[str, Any]:
    return {"question": "Which is a noble gas?", **more}


@pytest.mark.parametrize(
    "row",
    [
        row_of(choices=["oxygen", "neon", "iron"], answer="B"),
        row_of(choices=["oxygen", "neon", "iron"], answer="neon"),
        row_of(choices=["oxygen", "neon", "iron"], answer=1),
        row_of(choices=["oxygen", "neon", "iron"], answer=1.0),
        row_of(options=["oxygen", "neon", "iron"], answer="B"),
        row_of(choices={"text": NAMES, "label": ["A", "B", "C"]}, answerKey="B"),
        row_of(choices={"text": NAMES, "label": ["1", "2", "3"]}, answerKey="2"),
        row_of(choices={"A": "oxygen", "B": "neon", "C": "iron"}, answer="B"),
        row_of(choices=[{"label": "A", "text": "oxygen"}, {"label": "B", "text": "neon"},
                        {"label": "C", "text": "iron"}], answer="B"),
        row_of(choices='{"A": "oxygen", "B": "neon", "C": "iron"}', answer="B"),
        row_of(choices=["A) oxygen", "B) neon", "C) iron"], answer="B"),
        row_of(choices=["(a) oxygen", "(b) neon", "(c) iron"], answer="B"),
        row_of(A="oxygen", B="neon", C="iron", answer="B"),
        {"question": {"stem": "Which is a noble gas?", "choices": [{"label": "A", "text": "oxygen"},
         {"label": "B", "text": "neon"}, {"label": "C", "text": "iron"}]}, "answerKey": "B"},
    ],
)  # fmt: skip
def test_options_are_read_in_every_form(row: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row))
    (problem,) = load(path)
    assert problem.choices == ("oxygen", "neon", "iron")
    assert problem.gold == "B"
    assert not validate(get_page("custom"), [problem]).warnings


def test_gsm8k_answers_are_a_solution_and_a_number(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    answer = "2 + 2 = <<2+2=4>>4 hundred\n#### 1,400"
    path.write_text(json.dumps({"question": "How much?", "answer": answer}))
    (problem,) = load(path)
    assert (problem.gold, problem.solution) == ("1400", "2 + 2 = <<2+2=4>>4 hundred")


@pytest.mark.slow
def test_numbers_of_a_column_with_gaps_are_whole_again(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "a.parquet"
    table = {"id": [1.0, float("nan")], "question": ["2 + 2?", "3 + 3?"], "answer": [4.0, 6.5]}
    parquet.write_table(pyarrow.table(table), path)
    first, second = load(path)
    assert (first.id, first.gold, second.gold) == ("1", "4", "6.5")
    assert second.id != "nan"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            row_of(choices=["neon", "iron", "Neon "], answer="B"),
            "options A and C are the same text",
        ),
        (row_of(choices=["B", "A", "neon"], answer="A"), "a letter of another"),
        (row_of(answer="B"), "is a letter, and the row has no choices"),
        ({"question": "Which?\nA) oxygen\nB) neon", "answer": "neon"}, "lists options"),
        (row_of(answer="It is neon. " * 40), "a whole solution"),
    ],
)
def test_what_will_be_graded_wrong_is_warned_of(
    row: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row))
    (doubt,) = validate(get_page("custom"), load(path)).warnings
    assert says in f"{doubt.check} {doubt.detail}"


def test_columns_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"prompt": "2 + 2?", "target": {"value": "4"}, "answer": "no"}))
    (problem,) = load(path, "custom", "question=prompt,answer=target.value")
    assert (problem.question, problem.gold) == ("2 + 2?", "4")
    with pytest.raises(DataError, match=r"no column of the data; it has prompt, target, answer"):
        load(path, "custom", "question=input")
    for words in ("question", "question=", "a=b,a=c"):
        with pytest.raises(UsageError, match="--map"):
            parse_columns([words])


@pytest.mark.slow
def test_a_data_set_of_the_hub_is_read_by_its_id(tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("datasets")
    folder = tmp_path / "owner" / "name"
    folder.mkdir(parents=True)
    (folder / "test.jsonl").write_text(LINES)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    problems = load(Path("hf:owner/name:test"))
    assert [problem.gold for problem in problems] == ["4", "6"]
    with pytest.raises(UsageError, match="cannot load"):
        load(Path("hf:owner/name:nothing"))
    with pytest.raises(UsageError, match="hf:OWNER/NAME:SPLIT"):
        load(Path("hf:owner/name"))
