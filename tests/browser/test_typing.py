"""What is typed: it outlives the page's own doings, and addresses lead where people expect."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.steps import SECOND, add_study, expect_text, settled

# A and B in one line over the other answers, all on 390 pixels; measured at one moment.
SIDE_BY_SIDE = """() => {
  const [left, good, , right] = [...document.querySelectorAll(".st-key-answers button")]
    .map(button => button.getBoundingClientRect());
  const inLine = left && right && left.y === right.y && left.right <= right.left && right.right <= 390;
  return inLine && left.y < good.y;
}"""


def test_a_refusal_takes_nothing_from_who_goes_on_typing(page: Page, server: Server) -> None:
    """Pressed Save too early: the refusal goes with the first field typed, the next one keeps its text."""
    study = add_study(server.store, "typed", {})
    page.goto(f"{server.address}/prompts?study={study.id}")
    page.get_by_role("button", name="Write a prompt").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect_text(page, "A prompt needs a name.")
    settled(page)
    name = page.get_by_role("textbox", name="Name", exact=True)
    before = name.bounding_box()
    name.click()
    page.keyboard.type("Kestrel")
    page.keyboard.press("Tab")
    page.keyboard.type("Be brief on {{topic}}")
    expect(page.get_by_text("A prompt needs a name.")).to_have_count(0)
    settled(page)
    assert name.bounding_box() == before  # nothing moved either: a button stays under the hand
    expect(page.get_by_role("textbox", name="Template")).to_have_value("Be brief on {{topic}}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect_text(page, "'Kestrel' is saved")


def test_vote_is_an_address_too_and_fits_a_phone(page: Page, server: Server) -> None:
    study = add_study(server.store, "guessed", {"One": "Text one", "Other": "Text two"}, inputs=1)
    page.goto(f"{server.address}/vote?study={study.id}")
    page.wait_for_selector(SECOND)
    expect(page.get_by_text("Page not found")).to_have_count(0)
    assert f"{server.address}/vote" in page.url
    # And on a phone the sides stand side by side under the thumb, as they do on a wide screen.
    page.set_viewport_size({"width": 390, "height": 780})
    page.wait_for_function(SIDE_BY_SIDE)
