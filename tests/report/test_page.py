"""The page in a real browser: nothing that a model wrote is markup, nothing asks the network."""

import re
import shutil

import pytest

from feedback_friction.report.build import build_report
from journals import RIGHT, trials, write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = [
    "<script>document.title='taken'</script>",
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "abc \u202egnp.exe \u2066 right to left \u200f",
    "a null \x00 byte, a bell \x07, an escape \x1b[31m",
    "<!-- <script> ]]> {{ 7 * 7 }} &amp; ' \"",
]
TITLE = "Feedback friction: student/<i>x on decimal_multiplication (5 digits)"
LONG = "x" * 100_000


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("page")
    text = "\n".join(HOSTILE)
    arms = {
        "retry": trials((RIGHT,), ("a", "a", "a"), ("a", "b", "b"), (text, "a", "b")),
        "binary": trials((RIGHT,), ("a", RIGHT), ("a", "b", text), (text, LONG, text)),
    }
    run = write_run(root / "<b>run", arms, feedback=f"{text} [masked]", solver="student/<i>x")
    return build_report([run], root / "report", reference=True)


@pytest.fixture(scope="module")
def browser(report):  # made first: Playwright keeps an event loop running
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        )
        yield started
        started.close()


@pytest.fixture
def page(browser, report):
    page = browser.new_page()
    page.seen, page.asked = [], []
    page.on("console", lambda message: page.seen.append(message.text))
    page.on("pageerror", lambda error: page.seen.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.close()


def opened(page, problem, condition="binary"):
    """The attempts of a trial, opened as with the keyboard."""
    sample = page.locator("#trials .sample").filter(
        has=page.get_by_role("heading", name=problem, exact=True)
    )
    trial = sample.locator("details.one").filter(
        has=page.locator("summary", has_text=f"{condition}:")
    )
    trial.locator("summary").first.focus()
    page.keyboard.press("Enter")
    trial.locator(".attempts").wait_for(state="visible")
    return trial


@pytest.mark.slow
def test_the_page_opens_without_errors_and_without_the_network(page, report):
    outside = [url for url in page.asked if url != report.as_uri() and not url.startswith("data:")]
    assert (page.seen, outside) == ([], [])


def test_hostile_replies_are_text(page):
    shown = opened(page, "p3").inner_text()
    for line in ("<script>document.title='taken'</script>", "</script><script>", "<img src=x"):
        assert line in shown
    assert page.title() == TITLE
    assert page.locator("#trials script, #trials img, #trials i").count() == 0
    assert not re.search("[\u202e\u2066\u200f\x00\x07\x1b]", shown)
    assert "⟨U+202E⟩gnp.exe" in shown
    assert page.seen == []


def test_a_huge_line_wraps(page):
    opened(page, "p3")
    width = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    for across in (1280, 390):
        page.set_viewport_size({"width": across, "height": 800})
        assert page.evaluate(width)


def test_masked_spans_and_verdicts_are_marked(page):
    trial = opened(page, "p2")
    assert trial.locator(".feedback mark.masked").first.text_content() == "[masked]"
    assert trial.locator(".reply.wrong").count() == 3
    assert opened(page, "p1").locator(".reply.correct").count() == 1


def test_landmarks_headings_and_alternatives_are_there(page):
    for landmark in ("header", "main", "nav[aria-label]", "h1"):
        assert page.locator(landmark).count() == 1, landmark
    assert page.locator("html").get_attribute("lang") == "en"
    labels = page.locator("section[aria-labelledby]").evaluate_all(
        "all => all.map((each) => document.getElementById(each.getAttribute('aria-labelledby')))"
        ".every((each) => each !== null)"
    )
    assert labels
    images = page.locator("figure img")
    assert images.count() > 4
    assert all(images.nth(at).get_attribute("alt") for at in range(images.count()))
    unnamed = "all => all.filter((each) => !each.closest('label') && !each.textContent).length"
    assert page.locator("select, button").evaluate_all(unnamed) == 0


def test_no_script_may_run(page):
    page.evaluate(
        "() => { const made = document.createElement('script');"
        "made.textContent = \"document.title = 'taken'\"; document.body.append(made); }"
    )
    assert page.title() == TITLE


def test_dark_and_print_render(browser, report):
    page = browser.new_page(color_scheme="dark")
    page.goto(report.as_uri())
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 22, 22)"
    shown = "document.querySelector('figure img').currentSrc"
    assert page.evaluate(shown) == page.locator("figure img").first.get_attribute("src")
    page.set_viewport_size({"width": 390, "height": 800})
    narrow = page.locator("figure source").first.get_attribute("srcset")
    page.wait_for_function(f"(narrow) => {shown} === narrow", arg=narrow)
    page.emulate_media(media="print", color_scheme="light")
    assert not page.locator("nav").is_visible()
    assert page.locator("figure img").first.is_visible()
    page.close()
