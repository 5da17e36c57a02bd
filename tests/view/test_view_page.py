"""The page in a real browser: live, by keyboard, filtered, side by side, labelled, hostile text."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from feedback_friction.labels import Labels, read_labels
from feedback_friction.view.labelling import Asked, choose_trials
from feedback_friction.view.server import serving
from journals import RIGHT, trials, write_run
from unsolved import HOSTILE, label, make_hostile, make_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
ARMS = {
    "retry": trials((RIGHT,), ("a", "a", "a"), ("a", "b", RIGHT)),
    "binary": trials((RIGHT,), ("a", "b", None), ("a", RIGHT)),
}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("page") / "run", ARMS, problems=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made") / "run", limit=4, iterations=3)


@asynccontextmanager
async def opened(*directories: Path, width=1280, scheme="light", labelling=None):
    """The page; nothing may go wrong on it, and nothing may be asked of anybody else."""
    serve = serving(directories, labelling=labelling)
    async with serve as (address, _), playwright.async_playwright() as p:
        browser = await p.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        complaints, asked_for = [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: asked_for.append(request.url))
        await page.goto(address)
        try:
            yield page
        finally:
            await browser.close()
    assert complaints == []
    assert [url for url in asked_for if not url.startswith(address)] == []


def browse(*directories, steps, **asked):
    async def main():
        async with opened(*directories, **asked) as page:
            return await steps(page)

    return asyncio.run(main())


async def focused(page, name):
    """Wait until what has the focus is called that."""
    await page.wait_for_function(
        "name => document.activeElement.ariaLabel?.startsWith(name)", arg=name
    )


async def heading(page, text):
    """Wait until the page is about that, and its script hears keys."""
    await playwright.expect(page.locator("h1")).to_have_text(text)
    await page.wait_for_load_state()


@pytest.mark.slow
def test_from_the_grid_to_a_trial_and_on_by_keyboard(written):
    async def steps(page):
        await page.keyboard.press("j")
        await focused(page, "p0, retry")
        await page.keyboard.press("j")
        await page.keyboard.press("l")
        await focused(page, "p1, binary: unsolved after 3 attempts")
        await page.keyboard.press("Enter")
        await heading(page, "p1")
        first = await page.locator(".column-title").inner_text()
        await page.keyboard.press("h")
        await playwright.expect(page.locator(".column-title")).to_contain_text("retry")
        await page.wait_for_load_state()
        await page.keyboard.press("j")
        await heading(page, "p2")
        await page.keyboard.press("d")
        unmarked = await page.locator("body.unmarked").count()
        await page.keyboard.press("d")
        marked = await page.locator("body.unmarked").count()
        await page.keyboard.press("u")
        await heading(page, "run")
        await page.keyboard.press("?")
        keys = await page.locator("#keys[open]").count()
        return first, unmarked, marked, keys

    first, *rest = browse(written, steps=steps)
    assert first.startswith("binary")
    assert rest == [1, 0, 1]


@pytest.mark.slow
def test_filter_and_search_stand_in_the_address(written):
    async def steps(page):
        await page.get_by_label("same wrong answer again").click()
        await page.wait_for_url("**has=same*")
        await page.wait_for_load_state()
        rows = await page.locator(".grid .id").all_inner_texts()
        await page.keyboard.press("/")
        await page.keyboard.type("p2")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=p2*")
        none = await page.locator(".none").inner_text()
        await page.go_back()
        await page.wait_for_url(re.compile("has=same(?!.*q=p2)"))
        return rows, none, await page.locator(".grid .id").all_inner_texts()

    rows, none, again = browse(written, steps=steps)
    assert rows == again == ["p1"]
    assert none.startswith("No trial matches.")


@pytest.mark.slow
def test_two_conditions_stand_side_by_side(written):
    async def steps(page):
        await page.get_by_label("p1, retry").click()
        await page.get_by_label("Show binary beside").click()
        await page.wait_for_url("**beside=2*")
        await page.wait_for_load_state()
        titles = await page.locator(".column-title").all_inner_texts()
        boxes = [await each.bounding_box() for each in await page.locator(".column").all()]
        await page.keyboard.press("j")
        await heading(page, "p2")
        return titles, boxes, await page.locator(".column").count()

    titles, (left, right), columns = browse(written, steps=steps)
    assert [title.split()[0] for title in titles] == ["retry", "binary"]
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    assert columns == 2


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_conditions_of_two_runs_stand_side_by_side(written, tmp_path, width, scheme):
    arms = {"self": trials(("b", "b", "b"), ("b", RIGHT), ("b", "b", "b"))}
    other = write_run(tmp_path / "other", arms, problems=3, solver="student/other")

    async def steps(page):
        await page.locator("a.opens", has_text="run").click()
        await page.wait_for_url("**/runs/run/")  # its script is there
        await page.locator("select").select_option(label="other: self")
        await page.wait_for_url("**beside=1%40other*")
        await page.get_by_label("conditions differ").click()
        await page.wait_for_url("**has=differ*")
        rows = await page.locator(".grid .id").all_inner_texts()
        widths = [await page.evaluate("document.documentElement.scrollWidth")]
        await page.get_by_label("p1, retry").click()
        await heading(page, "p1")
        titles = await page.locator(".column-title").all_inner_texts()
        widths.append(await page.evaluate("document.documentElement.scrollWidth"))
        boxes = [await each.bounding_box() for each in await page.locator(".column").all()]
        await page.keyboard.press("j")
        await heading(page, "p2")
        kept = await page.locator(".column").count()
        await page.get_by_label("Close other: self beside").click()
        await playwright.expect(page.locator(".column")).to_have_count(1)
        return rows, widths, [title.split(" ")[:2] for title in titles], boxes, kept

    rows, widths, titles, (one, two), kept = browse(
        written, other, steps=steps, width=width, scheme=scheme
    )
    assert rows == ["p0", "p1", "p2"]
    assert max(widths) <= width
    assert titles == [["retry", "unsolved"], ["other:", "self"]]
    assert kept == 2
    if width == 1280:
        assert one["y"] == two["y"]
        assert one["x"] + one["width"] <= two["x"]
    else:
        assert one["y"] + one["height"] <= two["y"]


@pytest.mark.slow
def test_what_a_run_writes_appears_without_a_touch_and_the_focus_stays(tmp_path):
    done = write_run(tmp_path / "done", ARMS, problems=3)
    arms = {name: trials((RIGHT,)) for name in ARMS}
    run = write_run(tmp_path / "run", arms, problems=3)

    def go_on():
        with closing(sqlite3.connect(run / "journal.sqlite")) as db, db:
            db.execute("ATTACH ? AS more", (str(done / "journal.sqlite"),))
            for table in ("attempts", "trials"):
                db.execute(f"INSERT OR IGNORE INTO {table} SELECT * FROM more.{table}")

    async def steps(page):
        cells = page.locator(".grid tbody .cell")
        await playwright.expect(cells).to_have_count(2)
        provisional = await page.locator(".banner").all_inner_texts()
        await page.keyboard.press("j")
        await focused(page, "p0, retry")
        async with page.expect_response("**/version"):
            pass  # the page knows the state that it was made of
        await asyncio.to_thread(go_on)
        await playwright.expect(cells).to_have_count(6, timeout=60_000)
        await focused(page, "p0, retry")
        left = await page.locator(".banner").all_inner_texts()
        return provisional, left, await page.locator(".conditions .strong").all_inner_texts()

    before, after, shares = browse(run, steps=steps)
    assert any("4 trials have not ended" in each for each in before)
    assert not any("have not ended" in each for each in after)
    assert shares == ["67%", "67%"]


@pytest.mark.slow
def test_a_copied_link_opens_the_same_page(written):
    async def steps(page):
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_label("p1, retry").click()
        await heading(page, "p1")
        await page.keyboard.press("y")
        await playwright.expect(page.locator("#copy")).to_have_text("Copied")
        link = await page.evaluate("navigator.clipboard.readText()")
        same = link == page.url
        await page.goto("about:blank")
        await page.goto(link)
        return same, await page.locator(".column-title").inner_text()

    same, title = browse(written, steps=steps)
    assert same
    assert title.startswith("retry")


@pytest.mark.slow
def test_the_prompt_is_fetched_when_it_is_opened(made):
    async def steps(page):
        await page.locator("a.cell.unsolved[id]").first.click()
        second = page.locator("#attempt-2 .sent")
        before = await second.locator(".prompt").count()
        await second.locator("summary").click()
        await second.locator(".prompt").first.wait_for()
        return before, await second.inner_text()

    before, text = browse(made, steps=steps)
    assert before == 0
    assert "The journal holds the reply to exactly this" in text
    assert "### Attempt 1" in text


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_text_is_shown_as_text(made, tmp_path, width):
    run = shutil.copytree(made, tmp_path / "run")
    make_hostile(run)

    async def steps(page):
        widths = [await page.evaluate("document.documentElement.scrollWidth")]
        await page.locator("a.cell.unsolved[id]").first.click()
        await page.wait_for_selector(".round")
        widths.append(await page.evaluate("document.documentElement.scrollWidth"))
        inserted = await page.locator("main script, main img").count()
        return widths, inserted, await page.locator("main").inner_text(), await page.title()

    widths, inserted, text, title = browse(run, steps=steps, width=width)
    assert max(widths) <= width
    assert inserted == 0
    assert "owned" not in title
    assert HOSTILE["script"] in text
    assert HOSTILE["image"] in text
    assert "left ⟨U+202E⟩right to left⟨U+202C⟩" in text
    assert "before⟨U+0000⟩after⟨U+001B⟩[31m" in text


@pytest.mark.slow
def test_every_control_has_a_name_and_the_page_its_landmarks(written):
    async def steps(page):
        found = []
        for _ in range(2):
            found += [await page.get_by_role(role).count() for role in ("banner", "main")]
            found.append(
                await page.evaluate(
                    "[...document.querySelectorAll('button, input, textarea, a')].filter(e =>"
                    " !(e.innerText || e.labels?.length || e.ariaLabel)).length"
                )
            )
            await page.get_by_label("p1, retry").or_(page.locator("#copy")).first.click()
            await page.wait_for_load_state()
        return found

    assert browse(written, steps=steps) == [1, 1, 0, 1, 1, 0]


# --- labelling ------------------------------------------------------------------------------------


@pytest.fixture
def judged(made, tmp_path):
    run = shutil.copytree(made, tmp_path / "run")
    with Labels(run) as labels:
        for trial in choose_trials(run, Asked(every=True)):
            labels.put(label(trial.condition, trial.problem_id, "openai/judge", "resistance"))
    return run


async def labelled(page, count):
    await playwright.expect(page.locator("#done")).to_have_js_property("value", count)


async def at_trial(page, number):
    await playwright.expect(page.locator("#count")).to_have_text(re.compile(rf"trial {number}$"))
    await playwright.expect(page.locator("#status")).to_have_text(re.compile(rf"Trial {number} "))


def own(directory):
    return [each for each in read_labels(directory) if each.kind == "person"]


@pytest.mark.slow
def test_a_trial_is_labelled_by_keyboard_blind_and_kept(judged):
    async def steps(page):
        await page.get_by_label("Your name").fill("Anna")
        await page.keyboard.press("Enter")
        await at_trial(page, 1)
        hidden = "openai/judge" not in await page.content()
        await page.keyboard.press("2")
        await labelled(page, 1)
        first = own(judged)
        await page.keyboard.press("c")
        await page.keyboard.type("123 says nothing")
        await page.keyboard.press("Escape")
        await page.wait_for_selector("#others-list li")
        others = await page.locator("#others-list li").all_inner_texts()
        await page.keyboard.press("ArrowRight")
        await at_trial(page, 2)
        await page.keyboard.press("3")
        await labelled(page, 2)
        await page.keyboard.press("b")
        await at_trial(page, 1)
        pressed = await page.locator("[aria-pressed=true]").get_attribute("data-category")
        return hidden, first, others, pressed, await page.locator("#comment").input_value()

    hidden, first, others, pressed, comment = browse(judged, steps=steps, labelling=Asked())
    assert hidden
    assert [(each.annotator, each.category) for each in first] == [("Anna", "quality")]
    assert [each.partition(",")[0] for each in others] == ["openai/judge: Resistance"]
    assert (pressed, comment) == ("quality", "123 says nothing")
    assert {(each.category, each.reason) for each in own(judged)} == {
        ("quality", "123 says nothing"), ("other", ""),
    }  # fmt: skip


@pytest.mark.slow
def test_a_person_goes_on_where_they_stopped(judged):
    async def first(page):
        await at_trial(page, 1)
        await page.keyboard.press("1")
        await labelled(page, 1)

    async def second(page):
        await at_trial(page, 2)
        return await page.locator("#count").inner_text()

    anna = Asked("Anna")
    browse(judged, steps=first, labelling=anna)
    assert browse(judged, steps=second, labelling=anna).startswith("1 of ")


@pytest.mark.slow
def test_a_label_that_is_not_kept_does_not_count(judged):
    async def steps(page):
        await at_trial(page, 1)
        await page.route(
            re.compile("/label$"), lambda route: route.fulfill(status=400, json={"error": "full"})
        )
        await page.keyboard.press("1")
        await page.wait_for_selector("#error:not([hidden])")
        results.append((
            await page.locator("#error").inner_text(),
            await page.locator("[aria-pressed=true]").count(),
        ))  # fmt: skip

    results = []
    with pytest.raises(AssertionError, match="400"):  # the browser itself logs the status
        browse(judged, steps=steps, labelling=Asked("Anna"))
    assert results == [("Not saved: full", 0)]
    assert own(judged) == []
