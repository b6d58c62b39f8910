"""The whole loop as a person sees it, with a scripted model: begun, stopped, resumed; cards and family."""

import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from optimizer.domain import Connection, Origin, RaterKind
from optimizer.judges.scripted import answer_by, perfect
from optimizer.llm.base import Message, Request, Role
from optimizer.proposers.scripted import propose_by
from optimizer.storage.base import Store
from tests.browser.conftest import Server
from tests.browser.steps import add_study, expect_text, settled
from tests.fakes.openai_server import FakeServer

TEXTS = {name: f"{name} of quality {n}" for n, name in enumerate(("stone", "wood", "silver"))}
WAIT_MS = 30_000
NUMBERS = count(1)


def child(material: Mapping[str, Any], sample: int) -> str:
    """The parent with one more clear instruction, which its outputs follow."""
    return f"{material['prompt']['text']} Be precise, point {next(NUMBERS)}."


def reply(body: dict) -> str:
    rules, content = body["messages"][0]["content"], body["messages"][-1]["content"]
    request = Request((Message(Role.USER, content),))
    if "You write prompts" in rules:
        return propose_by(child, request)
    if "You compare" in rules:
        return answer_by(perfect(lambda text: float(text.split()[-1])), request)
    return f"gold of quality {2 + content.count('precise')}"


@pytest.fixture
def model() -> Iterator[FakeServer]:
    with FakeServer(reply=reply, latency_s=0.4) as running:  # so slow that it can be stopped in time
        yield running


def proposed(store: Store, study: str) -> list[str]:
    return [p.name for p in store.prompts(study) if p.origin is Origin.PROPOSED]  # type: ignore[arg-type]


def pick(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).first.click()
    page.get_by_role("option", name=option).first.click()
    settled(page)


def test_the_loop_runs_is_stopped_and_resumed(server: Server, page: Page, model: FakeServer) -> None:
    store = server.store
    study = add_study(store, "evolved", TEXTS, inputs=4)
    store.put_connection(Connection("Only model", model.url, "fake-model", concurrency=3))
    page.goto(f"{server.address}/evolve?study={study.id}&evolve_tab=Run")
    expect(page.get_by_role("heading", name="Evolve")).to_be_visible(timeout=WAIT_MS)
    settled(page)
    pick(page, "Proposer", "Mutate the top")
    pick(page, "Written by", "Only model")
    pick(page, "Outputs by", "Only model")
    page.get_by_label("Judges", exact=True).click()
    page.get_by_role("option", name="Only model").click()
    page.keyboard.press("Escape")
    settled(page)
    for label, value in (("Rounds", "2"), ("Votes a round", "10"), ("Proposals a round", "2")):
        field = page.get_by_role("spinbutton", name=label, exact=True)
        field.fill(value)
        field.press("Enter")
        settled(page)
    page.get_by_text("Accept proposals unseen").click()
    start = page.get_by_role("button", name=re.compile("2 rounds: up to 4 proposals, 30 votes"))
    expect(start).to_be_enabled(timeout=WAIT_MS)
    assert model.calls == 0
    settled(page)
    start.click()

    # The round moves and the chart comes without a click; then it is stopped on the way.
    expect(page.get_by_text("Evolving")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text(re.compile("round 1 of 2"))).to_be_visible(timeout=WAIT_MS)
    chart = page.locator("[class*=st-key-chance_] .js-plotly-plot").first  # while it is redrawn there are two
    chart.wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("Stopped by you")).to_be_visible(timeout=WAIT_MS)
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_visible(timeout=WAIT_MS)
    calls = model.calls
    page.reload()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=WAIT_MS)
    settled(page)
    assert model.calls == calls  # stopped is stopped, and a reload loses nothing

    model.latency_s = 0.02
    resume.click()
    expect(page.get_by_text("Done", exact=True)).to_be_visible(timeout=WAIT_MS)
    expect_text(page, "All rounds are played.")
    assert len(proposed(store, study.id)) == 4
    votes = [ballot.vote for ballot in store.ballots(study.id)]
    assert len(votes) <= 30
    assert {store.rater(vote.rater).kind for vote in votes} == {RaterKind.JUDGE}
    assert store.check() == []

    page.get_by_role("tab", name="Lineage").click()
    page.locator(".st-key-family_tree .js-plotly-plot").first.wait_for(timeout=WAIT_MS)
    expect(page.get_by_text("What changed along the winning line")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text(re.compile("Began as (silver|wood|stone)"))).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_text("Before", exact=True)).to_be_visible(timeout=WAIT_MS)

    # By hand: a card comes by itself and enters the pool only when it is accepted.
    page.get_by_role("tab", name="Propose").click()
    pick(page, "Proposer", "Mutate the top")
    pick(page, "Written by", "Only model")  # the server may know one of another test's, by now gone
    settled(page)
    page.get_by_role("button", name=re.compile("Propose 3 prompts: 3 calls")).click()
    expect(page.get_by_text("3 proposals to decide on")).to_be_visible(timeout=WAIT_MS)
    assert len(proposed(store, study.id)) == 4
    settled(page)
    page.get_by_role("button", name="Accept").first.click()
    expect(page.get_by_text("2 proposals to decide on")).to_be_visible(timeout=WAIT_MS)
    assert len(proposed(store, study.id)) == 5
