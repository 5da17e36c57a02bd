"""The review page in a real browser: keyboard, what is shown, what is kept, and hostile text."""

import asyncio
import re
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from feedback_friction.labels import Labels, read_labels
from feedback_friction.review.server import Reviewing, serving
from feedback_friction.review.trials import choose_trials
from unsolved import HOSTILE, label, make_hostile, make_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("page") / "run")
    with Labels(run) as labels:
        for trial in choose_trials(run, None, 0, every=True):
            labels.put(label(trial.condition, trial.problem_id, "openai/judge", "resistance"))
    return run


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / "run")


@asynccontextmanager
async def opened(directory: Path, **asked):
    """The page, with what went wrong on it collected in ``page.complaints``."""
    async with serving(Reviewing(directory, **asked)) as server, playwright.async_playwright() as p:
        browser = await p.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": 1280, "height": 800})
        complaints, outside = [], []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: outside.append(request.url))
        await page.goto(server.url)
        try:
            yield page
        finally:
            await browser.close()
    assert complaints == []
    assert {url for url in outside if not url.startswith(server.url)} == set()


def browse(directory, steps, **asked):
    async def main():
        async with opened(directory, **asked) as page:
            return await steps(page)

    return asyncio.run(main())


async def labelled(page, count):
    """Wait until so many trials are labelled."""
    await playwright.expect(page.locator("#done")).to_have_js_property("value", count)


async def at_trial(page, number):
    """Wait until the trial of that number is shown."""
    await playwright.expect(page.locator("#count")).to_have_text(re.compile(rf"trial {number}$"))


def own(directory):
    return [each for each in read_labels(directory) if each.kind == "person"]


def test_a_trial_is_labelled_by_keyboard_and_kept(run):
    async def steps(page):
        await page.get_by_label("Your name").fill("Anna")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".round")
        hidden = await page.locator("#others").is_hidden()
        await page.keyboard.press("2")
        await labelled(page, 1)
        first = own(run)
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
        comment = await page.locator("#comment").input_value()
        await page.keyboard.press("s")
        await at_trial(page, 3)
        return hidden, first, others, pressed, comment

    hidden, first, others, pressed, comment = browse(run, steps)
    assert hidden
    assert [(each.annotator, each.category) for each in first] == [("Anna", "quality")]
    assert len(others) == 1
    assert others[0].startswith("openai/judge: Resistance, round 1")
    assert (pressed, comment) == ("quality", "123 says nothing")
    assert {(each.category, each.reason) for each in own(run)} == {
        ("quality", "123 says nothing"),
        ("other", ""),
    }


def test_a_person_goes_on_where_they_stopped(run):
    async def first(page):
        await page.wait_for_selector(".round")
        await page.keyboard.press("1")
        await labelled(page, 1)

    async def second(page):
        await page.wait_for_selector(".round")
        return await page.locator("#count").inner_text()

    browse(run, first, annotator="Anna")
    count = browse(run, second, annotator="Anna")
    assert count.startswith("1 of ")
    assert count.endswith("trial 2")


def test_hostile_text_is_shown_as_text(run):
    make_hostile(run)

    async def steps(page):
        await page.wait_for_selector(".round")
        await page.wait_for_timeout(300)
        return {
            "title": await page.title(),
            "text": await page.locator("#trial").inner_text(),
            "scripts": await page.locator("#trial script, #trial img").count(),
            "width": await page.evaluate("document.documentElement.scrollWidth"),
        }

    seen = browse(run, steps, annotator="Anna")
    assert seen["title"] == "Review: run"
    assert seen["scripts"] == 0
    assert seen["width"] <= 1280
    assert HOSTILE["script"] in seen["text"]
    assert HOSTILE["image"] in seen["text"]
    assert HOSTILE["line"] in seen["text"]
    assert "left ⟨U+202E⟩right to left⟨U+202C⟩" in seen["text"]
    assert "before⟨U+0000⟩after⟨U+001B⟩[31m" in seen["text"]


def test_every_control_has_a_name_and_the_page_its_landmarks(run):
    async def steps(page):
        await page.wait_for_selector(".round")
        landmarks = [
            await page.get_by_role(role).count() for role in ("banner", "main", "contentinfo")
        ]
        nameless = await page.evaluate(
            "[...document.querySelectorAll('button, textarea, input')].filter(e =>"
            " !(e.innerText || e.labels?.length || e.ariaLabel)).length"
        )
        live = await page.get_by_role("status").inner_text()
        await page.keyboard.press("Tab")
        focused = await page.evaluate("document.activeElement.matches(':focus-visible')")
        return landmarks, nameless, live, focused

    landmarks, nameless, live, focused = browse(run, steps, annotator="Anna")
    assert landmarks == [1, 1, 1]
    assert nameless == 0
    assert live.startswith("Trial 1 of ")
    assert focused


def test_a_server_that_is_gone_is_told_and_nothing_counts_as_kept(run):
    async def steps(page):
        await page.wait_for_selector(".round")
        await page.route(
            "**/api/labels", lambda route: route.fulfill(status=400, json={"error": "full"})
        )
        await page.keyboard.press("1")
        await page.wait_for_selector("#error:not([hidden])")
        complaint = await page.locator("#error").inner_text()
        return complaint, await page.locator("[aria-pressed=true]").count()

    async def main():
        with pytest.raises(AssertionError, match="400"):  # the browser itself logs the status
            async with opened(run, annotator="Anna") as page:
                results.append(await steps(page))

    results = []
    asyncio.run(main())
    assert results == [("Not kept: full", 0)]
    assert own(run) == []
