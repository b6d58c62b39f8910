"""Voting in a real browser, by keyboard."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from optimizer.domain import Outcome, Study
from optimizer.results import Results
from optimizer.stats.stopping import AdviceKind
from tests.browser.conftest import Server
from tests.browser.steps import (
    ANOTHER_PAIR,
    DUEL,
    FIRST,
    SECOND,
    add_study,
    duel_id,
    expect_text,
    open_duel,
    press,
    settled,
    shown_duel,
)


def test_the_sample_study_is_voted_to_a_stop_by_keyboard_alone(page: Page, server: Server) -> None:
    """A rater who always prefers the same order of prompts, neighbours less clearly: its best one must win,
    whatever the side."""
    open_duel(page, server.address)
    store = server.store
    study = shown_duel(page, store).study
    order = [prompt.id for prompt in store.prompts(study)]
    results = Results(store)

    def suffice() -> bool:
        advice = results.standings(store.study(study)).advice
        return advice is not None and advice.kind is AdviceKind.STOP

    for _ in range(120):
        duel = shown_duel(page, store)
        lead = order.index(duel.first_prompt) - order.index(duel.second_prompt)
        if suffice():
            page.wait_for_timeout(1500)  # the line under the answers is worked out when it is calm
        press(page, ("1" if lead > 1 else "a") if lead > 0 else ("5" if lead < -1 else "b"))
        line = page.locator(".st-key-bar").inner_text()
        if "Stop." in line and suffice():  # still so with the vote that the line does not know yet
            break
    else:
        raise AssertionError("no stop advice within 120 votes")
    winner = next(prompt for prompt in store.prompts(study) if prompt.id == order[-1])
    assert winner.name in line
    page.goto(f"{server.address}/standings")
    expect_text(page, "Stop.")
    expect_text(page, winner.name)


def test_each_key_stores_its_outcome(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "keys", {"one": "Text one", "two": "Text two", "three": "Text three"})
    open_duel(page, server.address, study.id)
    keys = {
        "a": ("first", None),
        "b": ("second", None),
        "t": ("both_good", None),
        "n": ("both_bad", None),
        "s": ("skip", None),
        "1": ("first", "clearly"),
        "2": ("first", "slightly"),
        "3": ("both_good", None),
        "4": ("second", "slightly"),
        "5": ("second", "clearly"),
    }
    for key, (outcome, grade) in keys.items():
        duel = shown_duel(page, store)
        assert page.locator(FIRST).inner_text().endswith(store.output(duel.first).text)
        assert page.locator(SECOND).inner_text().endswith(store.output(duel.second).text)
        press(page, key)
        vote = store.ballots(study.id, duel=duel.id)[0].vote
        assert (vote.outcome, vote.grade) == (outcome, grade)


def test_reload_in_mid_duel_shows_the_same_duel(page: Page, server: Server) -> None:
    open_duel(page, server.address)
    before = duel_id(page), page.locator(FIRST).inner_text(), page.locator(SECOND).inner_text()
    page.reload()
    page.wait_for_selector(SECOND)
    settled(page)
    assert (duel_id(page), page.locator(FIRST).inner_text(), page.locator(SECOND).inner_text()) == before


def test_another_person_gets_another_duel(page: Page, other_page: Page, server: Server) -> None:
    for screen in (page, other_page):
        open_duel(screen, server.address)
    assert duel_id(other_page) != duel_id(page)


def test_undo_brings_the_pair_back(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "undo", {"one": "Text one", "two": "Text two", "three": "Text three"})
    open_duel(page, server.address, study.id)
    first = duel_id(page)
    press(page, "a")
    press(page, "u")
    assert duel_id(page) == first
    assert store.ballots(study.id)[0].vote.withdrawn_at is not None
    press(page, "b")
    standing = [ballot.vote for ballot in store.ballots(study.id) if ballot.vote.withdrawn_at is None]
    assert [vote.outcome for vote in standing] == [Outcome.SECOND]


def hold(page: Page, key: str, times: int) -> None:
    """As a keyboard repeats a key that is not let go."""
    page.evaluate(
        """async ([key, times]) => {
          const send = (type, repeat) => document.dispatchEvent(
            new KeyboardEvent(type, {key, code: 'Key' + key.toUpperCase(), bubbles: true, repeat}));
          for (let i = 0; i < times; i++) {
            send('keydown', i > 0);
            await new Promise(done => setTimeout(done, 33)); }
          send('keyup', false); }""",
        [key, times],
    )
    settled(page)


def test_a_held_key_acts_once(page: Page, careful_server: Server) -> None:
    server = careful_server
    store = server.store
    study = add_study(store, "held", {"one": "Text one", "two": "Text two", "three": "Text three"})
    open_duel(page, server.address, study.id)
    page.wait_for_timeout(1000)
    hold(page, "a", 60)
    assert store.counters(study.id).votes == 1
    page.wait_for_timeout(2000)  # a slow machine is still at work on the sixty presses
    settled(page)
    press(page, "b")
    assert store.counters(study.id).votes == 2
    page.wait_for_timeout(1000)
    hold(page, "u", 20)
    assert store.counters(study.id).votes == 1


class SlowNetwork:
    """What the server says is kept from the page until it is let through; the server hears all at once."""

    def __init__(self, page: Page) -> None:
        self.is_slow = False
        self._held: list[str | bytes] = []
        self._sockets: list[WebSocketRoute] = []
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def let_through(self) -> None:
        self.is_slow = False
        for message in self._held:
            self._sockets[-1].send(message)
        self._held.clear()

    def _connect(self, socket: WebSocketRoute) -> None:
        self._sockets.append(socket)
        socket.connect_to_server().on_message(lambda message: self._answered(socket, message))

    def _answered(self, socket: WebSocketRoute, message: str | bytes) -> None:
        if self.is_slow:
            self._held.append(message)
        else:
            socket.send(message)


# All that was ever to be seen of a pair, frame by frame.
SEEN = """() => {
  window.seen = [];
  const look = () => {
    const pairs = [...document.querySelectorAll('.st-key-pair, .st-key-pair_next')];
    const now = pairs.filter(pair => pair.offsetParent).map(pair => pair.innerText).join(' and ');
    if (now !== window.seen.at(-1)) window.seen.push(now);
    requestAnimationFrame(look);
  };
  look();
}"""


def seen(page: Page) -> list[str]:
    return list(page.evaluate("() => window.seen"))


def watched_duel(page: Page, server: Server, study: Study) -> tuple[SlowNetwork, str]:
    """The study's first duel, from here on on a slow network; all that is to be seen is written down."""
    network = SlowNetwork(page)
    open_duel(page, server.address, study.id)
    page.evaluate(SEEN)
    network.is_slow = True
    return network, duel_id(page)


def test_a_press_on_a_slow_network_is_for_the_pair_that_was_on_the_screen(page: Page, server: Server) -> None:
    """The next pair is shown at once, but until the server has drawn it no press counts."""
    store = server.store
    study = add_study(store, "slow", {"one": "Text one", "two": "Text two", "three": "Text three"})
    network, first = watched_duel(page, server, study)
    for key in "abu":
        page.keyboard.press(key)
        page.wait_for_timeout(500)  # without an answer from the server, which waits for nobody
        assert len(seen(page)) == 2
    network.let_through()
    page.wait_for_function(ANOTHER_PAIR, arg=first)
    settled(page)
    assert len(seen(page)) == 2
    (ballot,) = store.ballots(study.id)
    assert (ballot.duel.id, ballot.vote.outcome, ballot.vote.withdrawn_at) == (first, Outcome.FIRST, None)
    second = shown_duel(page, store)
    for output in (second.first, second.second):
        assert store.output(output).text in seen(page)[1]
    press(page, "b")
    newest = store.last_vote(study.id, ballot.vote.rater)
    assert newest is not None
    assert (newest.duel, newest.outcome) == (second.id, Outcome.SECOND)


def test_a_press_without_an_answer_gives_its_pair_back(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "lost", {"one": "Text one", "two": "Text two", "three": "Text three"})
    network, first = watched_duel(page, server, study)
    page.keyboard.press("a")
    page.wait_for_function("() => window.seen.length === 3")
    assert seen(page)[2] == seen(page)[0]
    page.keyboard.press("a")  # the second press on it, and the server has long heard the first
    network.let_through()
    page.wait_for_function(ANOTHER_PAIR, arg=first)
    settled(page)
    assert [ballot.duel.id for ballot in store.ballots(study.id)] == [first]


def test_a_vote_is_on_the_texts_that_were_on_the_screen(page: Page, server: Server) -> None:
    """The sign, from what was to be read to the text that won, as fast as the server can take it."""
    store = server.store
    words = ("red", "green", "blue", "white", "black")
    study = add_study(store, "sign", {word: f"The answer is {word}" for word in words}, inputs=5)
    open_duel(page, server.address, study.id)
    on_screen = page.locator(".st-key-pair:visible, .st-key-pair_next:visible")
    picked = []
    for turn in range(12):
        panes = on_screen.locator('[class*="st-key-pane_"]')
        expect(panes).to_have_count(2)
        side = turn // 2 % 2
        picked.append(
            (panes.nth(side).inner_text().split()[-1], panes.nth(1 - side).inner_text().split()[-1])
        )
        before = duel_id(page)
        if turn % 2:
            page.locator(".st-key-vote_" + "AB"[side]).get_by_role("button").click()
        else:
            page.keyboard.press("ab"[side])
        page.wait_for_function(ANOTHER_PAIR, arg=before)
    votes = store.ballots(study.id)
    assert len(votes) == 12
    won = []
    for ballot in votes:
        prompts = ballot.duel.first_prompt, ballot.duel.second_prompt
        first, second = (prompt.rpartition("-")[2] for prompt in prompts)
        won.append((first, second) if ballot.vote.outcome is Outcome.FIRST else (second, first))
    assert sorted(won) == sorted(picked)


def test_the_next_pair_is_read_from_its_top(page: Page, server: Server) -> None:
    store = server.store
    long = {word: "\n\n".join(f"{word} {line}" for line in range(60)) for word in ("one", "two", "three")}
    study = add_study(store, "long", long)
    open_duel(page, server.address, study.id)
    scrolled = "pane => { pane.scrollTop = 300; }"
    page.set_viewport_size({"width": 390, "height": 700})
    screen = page.get_by_test_id("stMain")
    screen.evaluate("screen => { screen.scrollTop = 100; }")
    page.locator(FIRST).evaluate(scrolled)
    press(page, "a")
    assert page.locator(FIRST).evaluate("pane => pane.scrollTop") == 0
    assert screen.evaluate("screen => screen.scrollTop") == 0
    page.set_viewport_size({"width": 1280, "height": 720})
    page.keyboard.press("d")  # with this open, no pair is shown before the server has drawn it
    settled(page)
    page.locator(FIRST).evaluate(scrolled)
    press(page, "a")
    assert page.locator(FIRST).evaluate("pane => pane.scrollTop") == 0


def test_keys_are_text_while_typing(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "typing", {"one": "Text one", "two": "Text two", "three": "Text three"})
    open_duel(page, server.address, study.id)
    press(page, "a")
    page.keyboard.press("l")
    field = page.get_by_label("What made A better?")
    field.press_sequentially("bats and tabs")
    field.blur()
    settled(page)
    assert store.counters(study.id).votes == 1
    assert store.ballots(study.id)[0].vote.comment == "bats and tabs"


def test_the_page_is_blind_before_the_vote(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "blind", {"Zebra": "Text one", "Quokka": "Text two"})
    open_duel(page, server.address, study.id)
    html = page.content()
    assert "Zebra" not in html
    assert "Quokka" not in html
    press(page, "a")
    page.keyboard.press("l")
    expect_text(page, "Zebra")
    expect_text(page, "Quokka")


def test_reasons_and_the_reveal_on_the_pause_screen(page: Page, server: Server) -> None:
    store = server.store
    study = add_study(store, "pause", {"one": "Text one", "two": "Text two", "three": "Text three"})
    open_duel(page, server.address, study.id)
    page.keyboard.press("p")
    settled(page)
    page.keyboard.press("a")
    expect_text(page, "You said: A was better")
    page.get_by_role("button", name="clear").first.click()
    settled(page)
    page.keyboard.press("g")
    page.wait_for_selector(DUEL)
    settled(page)
    assert store.ballots(study.id)[0].vote.first_reasons == ("clear",)
    page.keyboard.press("b")
    expect_text(page, "You said: B was better")
    page.get_by_label("What made B better?").fill("shorter")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(DUEL)
    assert store.ballots(study.id)[0].vote.comment == "shorter"


def test_the_tools_open_and_close(page: Page, server: Server) -> None:
    open_duel(page, server.address)
    for key, text in {
        "e": re.compile("The selector|Drawn at random|seen this pair"),
        "h": "left is clearly better",
    }.items():
        page.keyboard.press(key)
        expect(page.get_by_text(text).first).to_be_visible()
        page.keyboard.press(key)
        expect(page.get_by_text(text)).to_have_count(0)
