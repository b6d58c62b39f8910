"""What other processes do to a store in tests. Imported by them, so it imports little."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from optimizer.domain import Batch, StudyId, VoteId
from optimizer.errors import AlreadyVoted
from optimizer.storage import open_store
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import duel_of, vote_on


def open_at_once(path: Path, ready: Barrier, said: Connection) -> None:
    """Open the file in the same moment as others, and say what it looks like."""
    ready.wait(20)
    store = SqliteStore(path)
    said.send(store.check())
    store.close()


def vote_on_everything(path: Path, voter: str, duels: int, ready: Barrier, said: Connection) -> None:
    """Four threads vote on the duels d0, d1, ... each on all of them; says which votes were accepted."""
    store = SqliteStore(path)
    ready.wait(20)

    def vote_on_all(thread: int) -> list[str]:
        accepted = []
        for number in range(duels):
            vote = vote_on(duel_of(id=f"d{number}"), id=VoteId(f"{voter}-{thread}-{number}"))
            try:
                store.add_vote(vote)
                accepted.append(vote.id)
            except AlreadyVoted:
                continue
        return accepted

    with ThreadPoolExecutor(4) as pool:
        said.send([vote for votes in pool.map(vote_on_all, range(4)) for vote in votes])
    store.close()


def vote_until_killed(path: Path, round: int, acknowledged: Connection) -> None:
    """Ask and vote without end; each vote is acknowledged when ``add_vote`` has returned."""
    store = SqliteStore(path)
    out = acknowledged.fileno()
    number = 0
    while True:
        duel = duel_of(number % 3, (number + 1) % 3, number % 2, number % 3, id=f"k{round}-{number}")
        store.add(Batch(duels=[duel]))
        store.add_vote(vote_on(duel, id=VoteId(f"k{round}-{number}")))
        os.write(out, f"k{round}-{number}\n".encode())
        number += 1


def vote_on_all(address: str, voter: str) -> None:
    """On any store: four threads vote on the duels that are open; prints which votes were accepted."""
    store = open_store(address)
    duels = store.last_duels(StudyId("s"), limit=1000)

    def vote(thread: int) -> list[str]:
        accepted = []
        for duel in duels:
            cast = vote_on(duel, id=VoteId(f"{voter}-{thread}-{duel.id}"))
            with suppress(AlreadyVoted):
                store.add_vote(cast)
                accepted.append(cast.id)
        return accepted

    with ThreadPoolExecutor(4) as pool:
        print(*(vote for votes in pool.map(vote, range(4)) for vote in votes))
    store.close()
