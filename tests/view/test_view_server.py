"""The server of the page over HTTP: who may talk to it, and what it answers."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from feedback_friction.errors import UsageError
from feedback_friction.view import shelf
from feedback_friction.view.index import make_index
from feedback_friction.view.server import LOCAL, serving
from journals import RIGHT, trials, write_run
from unsolved import HOSTILE, make_hostile, make_run
from visiting import visit

ARMS = {
    "retry": trials((RIGHT,), ("a", "a", "a"), ("a", "b", RIGHT)),
    "binary": trials((RIGHT,), ("a", "b", None), ("a", RIGHT), "failed"),
}
TRIAL = "runs/run/trial?at=1&problem=p1&epoch=0"
ROUTES = ["runs/run/", "files/view.js", "files/view.css", "files/icon.svg", "version", TRIAL]


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", ARMS)


@pytest.mark.parametrize("path", ROUTES)
def test_every_address_needs_the_token(run, path):
    async def steps(page):
        right, _, headers = await page.get(path)
        page.url = f"http://{LOCAL}:{page.port}/"
        bare = (await page.get(path))[0]
        page.url += "x" * len(page.token) + "/"
        wrong, said, refused = await page.get(path)
        return right, bare, wrong, said, headers, refused

    right, bare, wrong, said, *both = visit(run, steps=steps)
    assert (right, bare, wrong) == (200, 403, 403)
    assert "token" in said
    for headers in both:
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "[::1]:{port}"]
)
def test_another_host_is_refused(run, host):
    async def steps(page):
        return await page.get("version", Host=host.format(port=page.port))

    assert visit(run, steps=steps)[0] == 403


def test_localhost_is_this_host_too(run):
    async def steps(page):
        return (await page.get("version", Host=f"LOCALHOST:{page.port}"))[0]

    assert visit(run, steps=steps) == 200


MALFORMED = {
    "a control character in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA\x00: b\r\n\r\n",
    "the greeting of another protocol": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "an address that is none": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "one word": b"FOO\r\n\r\n",
    "an endless line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "two hosts": b"GET {path} HTTP/1.1\r\nHost: {host}\r\nHost: evil\r\n\r\n",
    "no host": b"GET {path} HTTP/1.0\r\n\r\n",
    "an address with bytes beyond ASCII": b"GET {path}?q=\xff HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a broken escape": b"GET {path}%zz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    "a web socket": b"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade, close\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "a length that is none": b"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: x\r\n\r\n",
    "a broken chunk": b"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n"
    b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_is_refused_without_a_word_on_the_terminal(run, request_, capfd):
    async def steps(page):
        host = f"{LOCAL}:{page.port}".encode()
        path = f"/{page.token}/version".encode()
        answer = await page.raw(request_.replace(b"{host}", host).replace(b"{path}", path))
        return answer, (await page.get("version"))[0]

    answer, still = visit(run, steps=steps)
    assert re.match(rb"HTTP/1\.1 (4\d\d|200) ", answer), answer
    assert b"Traceback" not in answer
    assert still == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "path",
    [
        "files/../guard.py", "files/..%2fguard.py", "files/%2e%2e/guard.py", "files//etc/passwd",
        "runs/../files/none", "runs/..%2f/", "runs/other/", "runs/run/trial/x", "none",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(run, path):
    async def steps(page):
        prefix = f"GET /{page.token}/{path} HTTP/1.1\r\nHost: {LOCAL}:{page.port}\r\n"
        return await page.raw(f"{prefix}Connection: close\r\n\r\n".encode())

    assert visit(run, steps=steps).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("runs/run/?is=x", "allowed: first, later"),
        ("runs/run/?has=x", "allowed: same, none"),
        ("runs/run/?page=-1", "whole number"),
        ("runs/run/?arm=x", "whole number"),
        ("runs/run/?q=" + "a" * 201, "at most 200"),
        ("runs/run/trial?at=9&problem=p1", "no such condition"),
        ("runs/run/trial?at=1&problem=none", "no such trial"),
        ("runs/run/trial?at=1", "names no problem"),
        ("runs/run/trial?problem=p1", "whole number"),
        ("runs/run/?beside=x", "whole number"),
    ],
)
def test_an_address_that_asks_for_nothing_that_there_is_says_so(run, path, says):
    async def steps(page):
        return await page.get(path)

    status, body, _ = visit(run, steps=steps)
    assert status == 400
    assert says in body


def test_nothing_is_changed_by_looking(run):
    def state():
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in run.iterdir()
            if not path.name.endswith(("-wal", "-shm"))  # SQLite's own, for whoever reads
        }

    async def steps(page):
        for path in ROUTES:
            await page.page(path)
        return (await page.post("version", {}))[0]

    before = state()
    assert visit(run, steps=steps) == 405
    assert state() == before


def test_one_run_opens_itself_and_several_are_listed(run, tmp_path):
    other = write_run(tmp_path / "other" / "run", {"self": trials(("a", RIGHT))})

    async def one(page):
        return str((await page.session.get(page.url)).url)

    async def several(page):
        return await page.page(""), await page.page("runs/run-2/")

    assert visit(run, steps=one).endswith("/runs/run/")
    listed, second = visit(run, other, steps=several)
    assert 'href="/' in listed
    assert listed.count('class="opens"') == 2
    assert "self" in second


def two_runs(tmp_path):
    """Two runs of the same problems, the second by another solver, and one of other questions."""
    arms = {"retry": trials((RIGHT,), ("a", "a", "a"), ("a", "b", RIGHT), ("a", "b", "c"))}
    one = write_run(tmp_path / "one", arms)
    arms = {"self": trials(("b", "b", "b"), ("a", RIGHT), ("c", RIGHT), ("a", "a", "a"))}
    other = write_run(tmp_path / "other", arms, solver="openai/other", reply="Mine: {answer}.")
    return one, other


def test_a_condition_of_another_run_stands_in_the_grid_and_beside_a_trial(tmp_path):
    async def steps(page):
        grid = await page.page("runs/one/?beside=1@other")
        links = re.findall(r'href="/[^/]*/(runs/other/trial[^"]*)"', grid)
        own = re.search(r'href="/[^/]*/(runs/one/trial[^"]*problem=p1[^"]*)"', grid)[1]
        trial = await page.page(own.replace("&amp;", "&"))
        back = await page.page(links[1].replace("&amp;", "&"))
        differ = await page.page("runs/one/?beside=1@other&has=differ")
        return grid, trial, back, differ

    grid, trial, back, differ = visit(*two_runs(tmp_path), steps=steps)
    assert 'aria-label="p1, other: self: solved at attempt 2' in grid
    assert grid.count("other: self</a>") == 1  # its numbers, among the conditions
    for body, first, second in ((trial, "I say", "Mine: "), (back, "Mine: ", "I say")):
        assert body.index(first) < body.index(second)
        assert body.count('class="column"') == 2
    assert "Close other: self beside" in trial
    assert "Close one: retry beside" in back
    assert re.findall(r'class="id">(\w+)', differ) == ["p0", "p1"]


def test_only_the_same_question_of_another_run_stands_beside(tmp_path):
    one, other = two_runs(tmp_path)
    with closing(sqlite3.connect(other / "journal.sqlite")) as db, db:
        for column in ("question", "prompt"):
            db.execute(f"UPDATE problems SET {column} = 'Another?' WHERE problem_id = 'p1'")

    async def steps(page):
        grid = await page.page("runs/one/?beside=1@other")
        place = "runs/one/trial?at=1&epoch=0&beside=1@other&problem="
        return grid, await page.page(f"{place}p1"), await page.page(f"{place}p2")

    grid, another, same = visit(one, other, steps=steps)
    assert 'aria-label="p1, other' not in grid
    assert 'aria-label="p2, other' in grid
    assert [body.count('class="column"') for body in (another, same)] == [1, 2]
    assert "In other runs" not in another


def test_what_another_run_writes_appears_beside(tmp_path):
    one, done = two_runs(tmp_path)
    arms = {"self": trials(("b", "b", "b"))}
    growing = write_run(tmp_path / "growing", arms, solver="openai/other")

    async def steps(page):
        path = "runs/one/?beside=1@growing"
        before, version = await page.page(path), await page.get_json("version")
        await asyncio.to_thread(grow, done, growing)
        while await page.get_json("version") == version:
            await asyncio.sleep(0.01)
        return before, await page.page(path)

    pages = visit(one, growing, steps=steps)
    assert [body.count('"p3, growing: self: ') for body in pages] == [0, 1]


def test_numbers_are_those_of_results(run):
    from feedback_friction.analysis.accuracy_by_attempt import read_results

    async def steps(page):
        return await page.page("runs/run/")

    body = visit(run, steps=steps)
    table = body[: body.index("</table>")]
    for result in read_results(run):
        assert f"{result.n} of {result.n + result.missing}" in table
        assert f">{100 * result.accuracy[-1]:.0f}%<" in table
        assert f"{100 * result.curve[-1].low:.0f}% to {100 * result.curve[-1].high:.0f}%" in table
    assert "1 failed" in table


def test_a_trial_shows_what_changed_the_mask_and_the_leak(tmp_path):
    run = write_run(
        tmp_path / "run", {"self": trials(("a", "b", "b"))},
        feedback="Not [masked] but look at 42.", leaks=("42",),
    )  # fmt: skip

    async def steps(page):
        return await page.page("runs/run/trial?at=1&problem=p0&epoch=0")

    body = visit(run, steps=steps)
    assert "I say <del>a</del><ins>b</ins>." in re.sub(r"\s*\n\s*", "", body)
    assert '<mark class="masked">[masked]</mark>' in body
    assert '<mark class="leak">42</mark>' in body
    assert "same as attempt 2" in body
    assert "Identical to attempt 2" in body


def test_the_exact_prompt_is_served_with_its_proof(tmp_path):
    run = make_run(tmp_path / "run", limit=3, iterations=3)

    async def steps(page):
        grid = await page.page("runs/run/?is=unsolved")
        link = re.search(r'trial\?(is=unsolved&amp;at=1&amp;[^"]*)', grid)[1]
        return await page.page(f"runs/run/sent?{link.replace('&amp;', '&')}&attempt=2")

    body = visit(run, steps=steps)
    assert body.count("The journal holds the reply to exactly this") == 2
    assert "Asked of the solver" in body
    assert "### Attempt 1" in body


def test_prompts_that_cannot_be_made_again_say_why(run):
    async def steps(page):
        return await page.page("runs/run/sent?at=1&problem=p1&epoch=0&attempt=1")

    assert "is damaged" in visit(run, steps=steps)


def test_hostile_text_is_escaped_everywhere(tmp_path):
    run = make_run(tmp_path / "run", limit=2, iterations=3)
    make_hostile(run)

    async def steps(page):
        grid = await page.page("runs/run/?q=%3Cscript%3E")
        link = re.search(r'trial\?([^"]*)', grid)[1].replace("&amp;", "&")
        return grid, await page.page(f"runs/run/trial?{link}")

    for body in visit(run, steps=steps):
        assert "&lt;script&gt;" in body
        assert len(re.findall("<script", body)) == 1  # the page's own
        assert "<img" not in body
        for character in "\x00\x1b\u202e\u2066":
            assert character not in body
    assert HOSTILE["direction"]


def test_texts_of_a_megabyte_are_cut_and_said_to_be(tmp_path):
    run = write_run(tmp_path / "run", {"retry": trials(("a", "b", "c"))}, reply="y" * 1_000_000)

    async def steps(page):
        return await page.page("runs/run/trial?at=1&problem=p0&epoch=0")

    body = visit(run, steps=steps)
    assert "[800,000 more characters are not shown here]" in body
    assert len(body) < 2_000_000


def test_a_directory_that_is_no_run_and_a_port_that_is_taken_are_one_line(run, tmp_path):
    async def steps(page):
        with pytest.raises(UsageError, match="cannot listen"):
            async with serving([run], page.port):
                pass

    visit(run, steps=steps)
    with pytest.raises(UsageError, match="not a run directory"):
        visit(tmp_path, steps=steps)
    with pytest.raises(UsageError, match="cannot listen"):
        visit(run, steps=steps, port=99_999)


def test_a_run_that_goes_on_is_shown_as_it_is_now(tmp_path):
    done = write_run(tmp_path / "done", {"retry": trials((RIGHT,), ("a", "b", RIGHT))})
    run = write_run(tmp_path / "run", {"retry": trials((RIGHT,))})

    async def steps(page):
        before = await page.get_json("version"), await page.page("runs/run/")
        await asyncio.to_thread(grow, done, run)
        while (now := await page.get_json("version")) == before[0]:
            await asyncio.sleep(0.01)  # what is shown may lag
        return before, (now, await page.page("runs/run/"))

    (first, early), (second, late) = visit(run, steps=steps)
    assert first != second
    assert "1 of 4" in early
    assert "2 of 4" in late
    assert 'aria-label="p1, retry: solved at attempt 3' in late


def test_what_is_shown_lags_by_a_multiple_of_what_it_takes_to_make(tmp_path, monkeypatch):
    """The state that the page is told is that of what it is shown, never of a newer journal."""
    done = write_run(tmp_path / "done", {"retry": trials((RIGHT,), ("a", "b", RIGHT))})
    run = write_run(tmp_path / "run", {"retry": trials((RIGHT,))})
    now = [100.0]
    monkeypatch.setattr(shelf.time, "monotonic", lambda: now[0])
    reading = shelf.Run("run", run)
    made = []
    monkeypatch.setattr(shelf, "make_index", lambda db: (made.append(1), make_index(db), tick(2.0)))

    def tick(seconds):
        now[0] += seconds

    first = reading.state()
    grow(done, run)
    tick(19.0)
    assert (reading.state(), len(made)) == (first, 1)
    assert reading.refreshed()[0].n == 1
    tick(2.0)
    assert reading.state() != first
    assert reading.refreshed()[0].n == 2
    assert len(made) == 2
    reading.close()


def grow(source: Path, run: Path) -> None:
    """Have a run make the trials that another one has more."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(run / "journal.sqlite")) as db, db:
        db.execute("ATTACH ? AS more", (str(source / "journal.sqlite"),))
        for table in ("attempts", "trials"):
            db.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM more.{table}")


def test_a_run_that_cannot_be_written_to_is_read(run, tmp_path):
    copy = shutil.copytree(run, tmp_path / "copy")
    copy.chmod(0o500)

    async def steps(page):
        return await page.page("runs/copy/")

    try:
        assert "p1" in visit(copy, steps=steps)
    finally:
        copy.chmod(0o700)
