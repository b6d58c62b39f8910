"""Every screen by its own address, on a fresh server, in the dark, and on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, start
from tests.browser.steps import SECOND, open_duel, press, settled

SCREENS = {
    "duel": "Answer a customer",
    "history": "History",
    "standings": "Standings",
    "export": "Export",
    "prompts": "Prompts",
    "inputs": "Inputs",
    "outputs": "Outputs",
    "studies": "Studies",
}


@pytest.fixture(params=["standings", "prompts"])
def first_screen(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, str]]:
    running = start(tmp_path_factory.mktemp("fresh"))
    yield running, request.param
    running.stop()


def test_a_deep_link_is_the_first_request_to_a_fresh_server(
    page: Page, first_screen: tuple[Server, str]
) -> None:
    fresh, screen = first_screen
    page.goto(f"{fresh.address}/{screen}")
    settled(page)
    expect(page.locator(".st-key-screens").get_by_role("link", name="Duel")).to_be_visible()
    expect(page.locator('[data-testid="stMain"]').get_by_text(SCREENS[screen]).first).to_be_visible()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_opens_by_its_address_and_fits_a_phone(page: Page, server: Server, screen: str) -> None:
    page.goto(f"{server.address}/{screen}")
    settled(page)
    main = page.locator('[data-testid="stMain"]')
    expect(main.get_by_text(SCREENS[screen]).first).to_be_visible()
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert main.evaluate("e => e.scrollWidth") <= 390


def test_a_phone_votes_with_the_thumb(phone_page: Page, server: Server) -> None:
    open_duel(phone_page, server.address)
    button = phone_page.get_by_role("button", name="A is better")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.tap()
    expect(phone_page.get_by_text("Last vote: A ·")).to_be_visible()


def test_the_dark_theme_is_dark_and_readable(page: Page, server: Server) -> None:
    page.emulate_media(color_scheme="dark")
    open_duel(page, server.address)
    colour = "e => getComputedStyle(e).{}.match(/\\d+/g).slice(0, 3).map(Number)"
    background = page.locator(".stApp").evaluate(colour.format("backgroundColor"))
    text = page.locator(f"{SECOND} p").last.evaluate(colour.format("color"))
    assert contrast(background, text) > 7
    assert luminance(background) < 0.05


def test_a_link_restores_the_study_and_the_filter(page: Page, server: Server) -> None:
    store = server.store
    second = store.studies()[1]
    open_duel(page, server.address, second.id)
    press(page, "a")
    page.goto(f"{server.address}/standings?study={second.id}&kind=People")
    settled(page)
    expect(page.locator('[data-testid="stSidebar"] input').first).to_have_value(second.name)
    assert f"study={second.id}" in page.url
    assert "kind=People" in page.url


def test_security_headers_are_on_every_answer(page: Page, server: Server) -> None:
    for path in ("/", "/duel", "/healthz", "/_stcore/health"):
        headers = page.request.get(server.address + path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def luminance(rgb: list[float]) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [c / 255 for c in rgb]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[float], other: list[float]) -> float:
    """Contrast ratio, WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
