"""Sessions with a host and raters at once, one of them on a phone; a room; and one whose server is killed."""

import contextlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from optimizer.domain import Study
from optimizer.pairing import Pairing
from optimizer.sessions import Session, Sessions
from optimizer.sessions.nouns import SessionId
from optimizer.sessions.room import Room
from tests.browser.conftest import Server, start
from tests.browser.steps import (
    ANOTHER_PAIR,
    DUEL,
    FIRST,
    ON_SCREEN,
    SECOND,
    add_study,
    duel_id,
    expect_text,
    press,
    settled,
    take_a_seat,
)

TEXTS = {"Zebra": "Text one", "Quokka": "Text two", "Okapi": "Text three"}
CONNECTED = '[data-testid="stApp"][data-test-connection-state="CONNECTED"]'
LOST = '[data-testid="stApp"]:not([data-test-connection-state="CONNECTED"])'
ASKED = "[class*=st-key-room_A_]"  # in a room


@pytest.fixture
def heard() -> list[str | bytes]:
    """Every message that the server sent to one of the raters."""
    return []


def assert_blind(heard: list[str | bytes]) -> None:
    """No prompt was named to a rater, nor its text or its id sent, drawn or not."""
    told = b"".join(message if isinstance(message, bytes) else message.encode() for message in heard)
    assert b"Text t" in told  # outputs are in it: two of the three texts begin so
    for name in TEXTS:
        assert name.encode() not in told


@pytest.fixture
def people(other_page: Page, phone_page: Page, heard: list[str | bytes]) -> list[Page]:
    """Two raters in browsers of their own, the second one on a phone."""
    pages = [other_page, phone_page]
    for page in pages:
        page.on("websocket", lambda socket: socket.on("framereceived", lambda message: heard.append(message)))
    return pages


def open_session(server: Server, study: Study, **terms: object) -> Session:
    return Sessions(server.store).open(Session(SessionId(""), study.id, "Monday", **terms))  # type: ignore[arg-type]


def join(page: Page, server: Server, code: str, name: str, arrived: str = DUEL) -> None:
    """By the link, a name and Enter, through the practice pair, to the first duel or whatever comes first."""
    page.goto(f"{server.address}/join?code={code}")
    page.get_by_role("textbox", name="Your name").fill(name)
    settled(page)
    assert not page.get_by_text("Page not found").count()
    page.get_by_role("textbox", name="Your name").press("Enter")
    page.get_by_role("button", name=re.compile("B is better")).click()
    page.get_by_role("button", name=re.compile("Begin")).click()
    page.wait_for_selector(arrived)
    settled(page)


def tap(page: Page, answer: str) -> None:
    """A press of a thumb; returns when another pair stands."""
    before = duel_id(page)
    page.get_by_role("button", name=re.compile(answer)).tap()
    page.wait_for_function(ANOTHER_PAIR, arg=before)
    settled(page)


def test_a_vote_after_the_end_leads_to_the_end_and_not_to_the_pair_that_lay_ready(
    other_page: Page, server: Server
) -> None:
    study = add_study(server.store, "ended", TEXTS)
    session = open_session(server, study)
    take_a_seat(other_page, server.store, session.id, "Ann", server.address)
    expect(other_page.locator(".st-key-pair_next")).to_have_count(1)
    Sessions(server.store).close(session.id)
    other_page.keyboard.press("a")
    expect_text(other_page, "The session is over")
    expect(other_page.locator("body[data-answered]")).to_have_count(0)
    expect(other_page.locator(".st-key-pair:visible, .st-key-pair_next:visible")).to_have_count(0)
    assert server.store.counters(study.id).votes == 0


def test_a_host_and_two_raters_at_once(
    page: Page, people: list[Page], server: Server, heard: list[str | bytes]
) -> None:
    study = add_study(server.store, "session", TEXTS)
    page.goto(f"{server.address}/sessions?study={study.id}")
    page.get_by_role("button", name="New session").click()
    page.get_by_role("textbox", name="Name").fill("Monday")
    page.get_by_role("textbox", name="Name").press("Tab")
    settled(page)
    page.get_by_role("button", name="Open the session").click()
    link = page.get_by_text(re.compile("/join\\?code=")).first.inner_text()
    code = link.split("code=")[1].strip()
    expect(page.locator(f".st-key-session_{code} img")).to_be_visible()
    ann, bob = people
    join(ann, server, code, "Ann")
    join(bob, server, code, "Bob")
    press(ann, "a")
    tap(bob, "B is better")
    assert server.store.counters(study.id).votes == 2
    duel = server.store.last_duels(study.id)[0].id  # one of them may read it, the other may not
    for address in ("standings", "prompts", "board", "export"):
        ann.goto(f"{server.address}/{address}?study={study.id}")
        expect_text(ann, "Page not found")
    ann.goto(f"{server.address}/history?whose=everyone&duel={duel}&study={study.id}")
    settled(ann)
    bob.goto(f"{server.address}/history?whose=everyone&duel={duel}&pair={study.id}-Zebra")
    settled(bob)
    page.goto(f"{server.address}/board?study={study.id}&session={code}")
    expect_text(page, "2 of 2")
    press(ann_back(ann, server), "b")
    expect(page.get_by_test_id("stMetricValue").first).to_have_text("3")  # the board follows by itself
    # Closed under their eyes: the press is refused, and the page says why.
    Sessions(server.store).close(SessionId(code))
    ann.keyboard.press("a")
    expect_text(ann, "The session is over")
    assert server.store.counters(study.id).votes == 3
    assert_blind(heard)


def ann_back(ann: Page, server: Server) -> Page:
    """A reload finds the seat again."""
    ann.goto(f"{server.address}/duel")
    ann.wait_for_selector(DUEL)
    settled(ann)
    return ann


def wake(page: Page) -> None:
    """Press a key that changes nothing until it is heard: the first press on a page that the new server has
    not drawn yet only has it drawn."""
    for _ in range(10):
        page.keyboard.press("u")
        with contextlib.suppress(AssertionError):
            expect(page.get_by_text("There is no vote of yours to undo")).to_be_visible(timeout=2000)
            break
    settled(page)


def test_killing_the_server_in_mid_session_loses_nothing(people: list[Page], tmp_path: Path) -> None:
    """Both go on with the duel they had, and every vote that was acknowledged is there."""
    server = start(tmp_path)
    study = add_study(server.store, "killed", TEXTS)
    session = open_session(server, study, overlap=2, overlap_share=1.0)
    port = int(server.address.rsplit(":", 1)[1])
    try:
        for page, name in zip(people, ("Ann", "Bob"), strict=True):
            take_a_seat(page, server.store, session.id, name, server.address)
        press(people[1], "a")
        before = [duel_id(page) for page in people]
        server.stop(kill=True)
        for page in people:
            page.wait_for_selector(LOST)
        server = start(tmp_path, port)
        people[1].reload()  # Ann does nothing: her page connects again by itself
        for page, duel in zip(people, before, strict=True):
            page.wait_for_selector(CONNECTED, timeout=60_000)
            expect(page.locator(ON_SCREEN)).to_have_value(duel)  # the same duel, for the same person
            settled(page)
        wake(people[0])
        for page in people:
            press(page, "b")
        votes = server.store.ballots(study.id)
        assert len(votes) == 3
        assert {vote.duel.id for vote in votes} >= set(before)
        assert {rater.name for rater in server.store.raters(study.id)} == {"Ann", "Bob"}
        assert not server.store.check()
    finally:
        server.stop()


def test_a_room_votes_on_one_pair_discusses_it_and_votes_again(
    page: Page, people: list[Page], browser: Browser, server: Server, heard: list[str | bytes]
) -> None:
    study = add_study(server.store, "room", TEXTS)
    session = open_session(server, study, room=True)
    ann, bob = people
    page.goto(f"{server.address}/board?study={study.id}&session={session.id}")
    expect_text(page, f"{session.id[:3]} {session.id[3:]}")
    for person, name in ((ann, "Ann"), (bob, "Bob")):
        take_a_seat(person, server.store, session.id, name, server.address, "text=The first pair comes")
    page.get_by_role("spinbutton", name="Seconds to vote").fill("600")
    page.get_by_role("spinbutton", name="Seconds to vote").press("Tab")
    page.get_by_role("button", name="Show the first pair").click()
    for person in (ann, bob):
        person.wait_for_selector(ASKED)
        settled(person)
    for pane in (FIRST, SECOND):  # the same pair, the same way round, on every screen
        assert len({screen.locator(pane).inner_text() for screen in (page, ann, bob)}) == 1
    expect_text(page, "0 of 2 have voted")
    assert re.fullmatch(r"timer \d+ s", ann.get_by_role("heading", name=" s").first.inner_text())
    ann.keyboard.press("a")
    expect_text(ann, "The split shows when the time is up")
    expect_text(page, "1 of 2 have voted")
    bob.reload()  # in the middle: still asked, and sees nothing of Ann's vote
    bob.wait_for_selector(ASKED)
    settled(bob)
    expect(bob.locator(".js-plotly-plot")).to_have_count(0)
    bob.get_by_role("button", name=re.compile("B is better")).tap()
    expect_text(bob, "The split shows when the time is up")
    context = browser.new_context()
    late = context.new_page()  # comes when the others have voted: asked the same
    join(late, server, session.id, "Cid", ASKED)
    assert late.locator(FIRST).inner_text() == ann.locator(FIRST).inner_text()
    page.get_by_role("button", name="Reveal now").click()
    for person in (ann, bob, late):  # together, without a press
        expect_text(person, "How the room voted")
        expect_text(person, "2 votes, 0% of the pairs of raters agree")
    page.get_by_role("button", name="Second vote").click()
    for person in (ann, bob):
        person.wait_for_selector(ASKED)
        settled(person)
        person.keyboard.press("b")
        expect_text(person, "The split shows when the time is up")
    page.get_by_role("button", name="Reveal now").click()
    for screen in (page, ann, bob, late):
        expect_text(screen, "Second vote: 2 votes, 100% of the pairs of raters agree")
    (both,) = Room(server.store, Pairing(server.store)).rounds(session)
    assert (both.moved, both.twice[0].n) == (1, 2)
    assert sum(sum(pair.answers) for pair in server.store.pair_counts(study.id)) == 2  # the first ones alone
    assert_blind(heard)
    context.close()
