"""Several processes on one file, and processes that are killed while they write."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest

from optimizer.domain import Batch, StudyId
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage import voters
from tests.optimizer.storage.world import duel_of, world

S = StudyId("s")


@pytest.fixture(scope="module")
def processes() -> multiprocessing.context.ForkServerContext:
    """Processes are forked from one that has imported the store, but holds no database and no threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.optimizer.storage.voters"])
    return context


def at_once(
    context: Any, path: Path, job: Callable[..., None], arguments: list[tuple[Any, ...]]
) -> list[Any]:
    """Run the job in a process for each of the arguments; returns what each says."""
    ready = context.Barrier(len(arguments))
    ears: list[Connection] = []
    running = []
    for some in arguments:
        ear, mouth = context.Pipe(duplex=False)
        process = context.Process(target=job, args=(path, *some, ready, mouth), daemon=True)
        process.start()
        mouth.close()
        ears.append(ear)
        running.append(process)
    said = [ear.recv() if ear.poll(30) else "nothing" for ear in ears]
    for process in running:
        process.join(30)
        assert process.exitcode == 0
    return said


def test_two_processes_of_four_threads_do_not_lose_or_double_votes(processes: Any, tmp_path: Path) -> None:
    path = tmp_path / "duels.db"
    store = SqliteStore(path)
    store.add(world())
    store.add(Batch(duels=[duel_of(id=f"d{n}") for n in range(60)]))
    accepted = at_once(processes, path, voters.vote_on_everything, [("a", 60), ("b", 60)])
    votes = [vote for one in accepted for vote in one]
    assert len(votes) == len(set(votes)) == 60
    assert {answered.vote for answered in store.answered(S)} == set(votes)
    assert {ballot.vote.id for ballot in store.ballots(S)} == set(votes)
    assert sum(sum(count.answers) for count in store.pair_counts(S)) == 60
    assert store.check() == []


def test_two_processes_make_the_same_new_file(processes: Any, tmp_path: Path) -> None:
    for attempt in range(5):
        path = tmp_path / f"{attempt}.db"
        assert at_once(processes, path, voters.open_at_once, [(), ()]) == [[], []]
        store = SqliteStore(path)
        store.add(world())
        assert store.check() == []
        store.close()


def test_no_acknowledged_vote_is_lost_when_the_process_is_killed(processes: Any, tmp_path: Path) -> None:
    path = tmp_path / "duels.db"
    store = SqliteStore(path)
    store.add(world())
    store.close()
    rng = np.random.default_rng(20)
    promised: set[str] = set()
    for attempt in range(20):
        ear, mouth = processes.Pipe(duplex=False)
        process = processes.Process(target=voters.vote_until_killed, args=(path, attempt, mouth), daemon=True)
        process.start()
        mouth.close()
        assert ear.poll(30)  # the first vote is acknowledged
        sleep(rng.uniform(0.0, 0.1))
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        assert process.exitcode == -signal.SIGKILL
        promised |= set(everything_said(ear))

        store = SqliteStore(path)  # nobody else has it open: this one recovers what the dead one left
        assert store.check() == []
        kept = {answered.vote for answered in store.answered(S)}
        assert promised <= kept
        assert len(kept) <= len(promised) + attempt + 1  # at most one each time that was not yet acknowledged
        store.close()
    assert len(promised) >= 20


def everything_said(ear: Connection) -> list[str]:
    """What is left in the pipe of a process that is gone, by lines that were written whole."""
    said = b""
    while piece := os.read(ear.fileno(), 65536):
        said += piece
    return said.decode().splitlines()
