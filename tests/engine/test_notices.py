"""What a user should know of a run: shown once, kept with it."""

import json
from pathlib import Path

from feedback_friction.engine.run.launch import MOST, Notices
from feedback_friction.engine.run.run_directory import claim


def kept(directory: Path) -> list[str]:
    found: list[str] = json.loads((directory / "run.json").read_text()).get("notices", [])
    return found


def test_a_notice_is_shown_once_and_kept_even_if_it_came_before_the_directory(
    tmp_path: Path,
) -> None:
    shown: list[str] = []
    notices = Notices(shown.append)
    notices.tell("early")
    claim(tmp_path, {"a": 1}, {}, ["friction"])
    notices.keep_in(tmp_path)
    for line in ("late", "early", "late"):
        notices.tell(line)
    assert shown == kept(tmp_path) == ["early", "late"]
    assert json.loads((tmp_path / "run.json").read_text())["config"] == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_resumed_run_keeps_the_notices_of_both_sessions_each_once(tmp_path: Path) -> None:
    for session in (["a", "b"], ["b", "c"]):
        claim(tmp_path, {}, {}, [])
        notices = Notices(lambda line: None)
        notices.keep_in(tmp_path)
        for line in session:
            notices.tell(line)
    assert kept(tmp_path) == ["a", "b", "c"]


def test_a_run_without_notices_has_the_file_that_it_always_had(tmp_path: Path) -> None:
    claim(tmp_path, {}, {}, [])
    before = (tmp_path / "run.json").read_bytes()
    Notices(lambda line: None).keep_in(tmp_path)
    assert (tmp_path / "run.json").read_bytes() == before


def test_a_server_that_words_each_answer_anew_does_not_fill_the_file(tmp_path: Path) -> None:
    claim(tmp_path, {}, {}, [])
    notices = Notices(lambda line: None)
    notices.keep_in(tmp_path)
    for number in range(MOST + 50):
        notices.tell(str(number))
    assert len(kept(tmp_path)) == MOST


def test_a_directory_that_is_full_does_not_end_the_run(tmp_path: Path) -> None:
    claim(tmp_path, {}, {}, [])
    shown: list[str] = []
    notices = Notices(shown.append)
    notices.keep_in(tmp_path)
    (tmp_path / "run.tmp").mkdir()  # writing there fails, as on a full disk
    notices.tell("one")
    notices.tell("two")
    assert shown[0] == "one"
    assert "cannot be kept" in shown[1]
    assert shown[2:] == ["two"]
