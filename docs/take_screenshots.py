"""Take the pictures in docs/screenshots from the running app: python docs/take_screenshots.py

Votes are cast by a simulated rater on the sample study, so the standings show something.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import CHROMIUM, FLAGS, Server, start  # noqa: E402
from tests.browser.steps import open_duel, press, settled, shown_duel  # noqa: E402

PICTURES = ROOT / "docs/screenshots"
VOTES = 36
# How much the simulated rater likes each of the sample's prompts, in logits.
LIKED = {
    "Every question, one date": 2.2,
    "Warm": 1.5,
    "Numbered steps": 0.9,
    "Ask first": 0.4,
    "Policy first": 0.0,
}


def vote(page: Page, server: Server, votes: int) -> None:
    """Votes of a Bradley-Terry rater, by keyboard."""
    rng, store = np.random.default_rng(1), server.store
    duel = shown_duel(page, store)
    names = {prompt.id: prompt.name for prompt in store.prompts(duel.study)}
    for _ in range(votes):
        duel = shown_duel(page, store)
        gap = LIKED.get(names[duel.first_prompt], -1.0) - LIKED.get(names[duel.second_prompt], -1.0)
        press(page, "a" if rng.random() < 1 / (1 + np.exp(-gap)) else "b")


def picture(page: Page, name: str) -> None:
    settled(page)
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"{name}.png")


def report(page: Page, server: Server) -> None:
    """The report's file, as whoever gets it sees it."""
    page.goto(f"{server.address}/report")
    with page.expect_download() as download:
        page.get_by_role("button", name="HTML, to send or print").click()
    file = server.folder / "report.html"
    download.value.save_as(file)
    page.goto(f"file://{file}")
    page.locator("[data-chart] .main-svg").last.wait_for()
    page.locator("section").nth(1).evaluate("section => section.scrollIntoView()")
    page.wait_for_timeout(1000)
    page.screenshot(path=PICTURES / "report.png")


def take(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 800})
    page = context.new_page()
    open_duel(page, server.address)
    vote(page, server, VOTES)
    picture(page, "duel")
    for screen in ("standings", "prompts", "outputs", "history", "export", "studies"):
        page.goto(f"{server.address}/{screen}")
        picture(page, screen)
    report(page, server)
    page.goto(f"{server.address}/standings")
    settled(page)
    page.wait_for_timeout(1500)
    page.get_by_text("Over the votes").scroll_into_view_if_needed()
    page.mouse.move(800, 500)
    page.mouse.wheel(0, 700)
    picture(page, "race")
    dark = browser.new_context(
        viewport={"width": 1366, "height": 800}, color_scheme="dark", storage_state=context.storage_state()
    )
    page = dark.new_page()
    open_duel(page, server.address)
    picture(page, "duel-dark")
    phone = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    page = phone.new_page()
    open_duel(page, server.address)
    picture(page, "duel-phone")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        server = start(Path(folder))
        try:
            take(browser, server)
        finally:
            server.stop()
            browser.close()


if __name__ == "__main__":
    main()
