"""An automatic run as a person sees it: begun, watched, stopped and resumed; and a verdict reviewed."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from optimizer.domain import Connection, Outcome, RaterKind
from optimizer.judges.scripted import answer_by, perfect
from optimizer.llm.base import Message, Request, Role
from optimizer.results import Results, VoteFilter
from tests.browser.conftest import Server
from tests.browser.steps import SECOND, add_study, expect_text, press, settled, shown_duel
from tests.fakes.openai_server import FakeServer

TEXTS = {name: f"{name} of quality {n}" for n, name in enumerate(("stone", "wood", "silver", "gold"))}
RULE = perfect(lambda text: float(text.split()[-1]))
WAIT_MS = 30_000


def reply(body: dict) -> str:
    return answer_by(RULE, Request((Message(Role.USER, body["messages"][-1]["content"]),)))


@pytest.fixture
def model() -> Iterator[FakeServer]:
    with FakeServer(reply=reply, latency_s=0.15) as running:
        yield running


def count(page: Page) -> int:
    """Votes of the run on the screen."""
    told = page.get_by_text(re.compile(r"\d+ of \d+ votes")).first.inner_text()
    found = re.search(r"(\d+) of", told)
    assert found
    return int(found[1])


def test_a_run_is_begun_stopped_and_resumed(server: Server, page: Page, model: FakeServer) -> None:
    store = server.store
    study = add_study(store, "judged", TEXTS, inputs=8)
    store.put_connection(Connection("Judge model", model.url, "fake-model", concurrency=2))
    page.goto(f"{server.address}/judge?study={study.id}")
    expect(page.get_by_role("heading", name="Judge")).to_be_visible(timeout=WAIT_MS)
    settled(page)

    page.get_by_label("Judges", exact=True).click()
    page.get_by_role("option", name="Judge model").click()
    page.keyboard.press("Escape")
    votes = page.get_by_role("spinbutton", name="Votes of each judge")
    votes.fill("60")
    votes.press("Enter")
    page.get_by_text("Stop when the votes suffice").click()
    start = page.get_by_role("button", name=re.compile("60 votes, at most 120 calls"))
    expect(start).to_be_visible(timeout=WAIT_MS)
    assert model.calls == 0
    settled(page)
    start.click()

    # The numbers move by themselves, and the chart comes without a click.
    expect_text(page, "Judging")
    page.wait_for_function(
        "() => { const m = document.body.innerText.match(/(\\d+) of 60 votes/); return m && +m[1] >= 4 }",
        timeout=WAIT_MS,
    )
    model.latency_s = 1.0  # so that the run is not over before it is stopped, however slow the browser
    page.locator(".st-key-judge_race_chart .js-plotly-plot:visible").first.wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped by you")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=WAIT_MS)
    stopped, calls = count(page), model.calls
    page.wait_for_timeout(1000)
    assert model.calls == calls
    assert 4 <= stopped < 60

    model.latency_s = 0.02
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=WAIT_MS)
    expect_text(page, "60 of 60 votes")
    ballots = [ballot for ballot in store.ballots(study.id) if ballot.vote.withdrawn_at is None]
    assert len(ballots) == 60
    assert store.check() == []
    rows = Results(store).standings(study, VoteFilter(kind=RaterKind.JUDGE)).rows
    assert rows[0].prompt.name == "gold"

    # A person confirms what matters most, without having seen the verdict.
    page.get_by_role("tab", name="Review").click()
    review = page.get_by_role("button", name="Vote on it").first
    review.wait_for(timeout=WAIT_MS)
    settled(page)
    review.click()
    page.wait_for_selector(SECOND, timeout=WAIT_MS)
    settled(page)
    duel = shown_duel(page, store)
    assert duel.selector == "review"
    press(page, "a")
    (vote,) = (ballot.vote for ballot in store.ballots(study.id, duel=duel.id))
    assert vote.outcome is Outcome.FIRST
    assert store.rater(vote.rater).kind is RaterKind.HUMAN
