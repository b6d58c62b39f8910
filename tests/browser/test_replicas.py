"""Two replicas on one PostgreSQL behind nginx: people keep voting when a replica or the database goes."""

import signal
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError

from optimizer.domain import DuelId, StudyId
from optimizer.sessions import Session, Sessions
from optimizer.sessions.nouns import SessionId
from optimizer.storage import open_store
from optimizer.storage.base import Store
from tests.browser import steps
from tests.browser.conftest import Server, start
from tests.nginx import Nginx
from tests.postgresql import PostgresServer

TEXTS = {"Terse": "A short text.", "Long": "A much longer text of many words.", "Plain": "Plain words."}


@dataclass
class Installation:
    postgres: PostgresServer
    replicas: list[Server]
    proxy: Nginx
    store: Store


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    postgres = PostgresServer(settings=())  # durable, as in real use
    replicas: list[Server] = []
    try:
        environment = {"PROMPT_DUEL_DATABASE_URL": postgres.address()}
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            replicas.append(start(tmp_path / name, more=environment))
        proxy = Nginx([int(replica.address.rpartition(":")[2]) for replica in replicas])
        store = open_store(postgres.address())
        try:
            yield Installation(postgres, replicas, proxy, store)
        finally:
            proxy.stop()
            store.close()
    finally:
        for replica in replicas:
            if replica.process.poll() is None:
                replica.stop(kill=True)
        postgres.remove()


def serving(installation: Installation) -> Server:
    """The replica that has the websocket of the only page."""
    found = []
    for replica in installation.replicas:
        with urllib.request.urlopen(f"{replica.address}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        open_pages = next(line for line in text.splitlines() if line.startswith("prompt_duel_sessions "))
        if float(open_pages.split()[1]):
            found.append(replica)
    (one,) = found
    return one


def test_votes_survive_a_replica_and_a_restart_of_the_database(
    installation: Installation, page: Page
) -> None:
    store, study = installation.store, StudyId("replicas")
    steps.add_study(store, "replicas", TEXTS)
    session = Sessions(store).open(Session(SessionId(""), study, "Two replicas"))
    # Behind a proxy nobody is taken for the host: a rater of a session votes.
    steps.take_a_seat(page, store, session.id, "Ann", installation.proxy.address)

    voted = []

    def vote(key: str) -> None:
        voted.append(DuelId(steps.duel_id(page)))
        steps.press(page, key)

    vote("a")
    vote("b")
    open_one = steps.duel_id(page)
    gone = serving(installation)
    gone.process.send_signal(signal.SIGKILL)
    gone.process.wait(20)
    # The page connects again by itself, to the other replica, and finds its rater and the open duel.
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stConnectionStatus],[data-testid=stStatusWidget]')",
        timeout=30_000,
    )
    steps.settled(page)
    assert steps.duel_id(page) == open_one
    page.keyboard.press("a")  # which a page that has just come back may take for a wish to be drawn again
    with suppress(TimeoutError):
        page.wait_for_function(steps.ANOTHER_PAIR, arg=open_one, timeout=4000)
    steps.settled(page)
    if steps.duel_id(page) == open_one:
        vote("a")
    else:
        voted.append(DuelId(open_one))

    installation.postgres.stop(signal.SIGINT)
    page.keyboard.press("b")  # while the database is down: the vote waits for it
    voted.append(DuelId(steps.duel_id(page)))
    installation.postgres.start()
    page.wait_for_function(
        steps.ANOTHER_PAIR,
        arg=voted[-1],
        timeout=40_000,
    )
    steps.settled(page)
    vote("t")

    ballots = store.ballots(study)
    assert sorted(ballot.duel.id for ballot in ballots) == sorted(voted)  # each once
    assert len({ballot.vote.rater for ballot in ballots}) == 1  # the same person on both replicas
    assert store.check() == []
