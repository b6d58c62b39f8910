"""Tasks done with the services themselves, no queue between: a run of evolution, and faults."""

import threading
from typing import Any, cast

import pytest

from optimizer.work.foreman import Foreman, Interrupted
from optimizer.work.nouns import State
from optimizer.work.tasks import Tasks
from tests.optimizer.evolution_world import Evolved, make_evolved
from tests.optimizer.judging_world import STUDY

UNUSED = cast(Any, None)


def foreman(evolved: Evolved, tasks: Tasks) -> Foreman:
    return Foreman(tasks, UNUSED, UNUSED, evolved.evolution, None)


def test_a_run_of_evolution_goes_on_with_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.work.foreman.LOOK_EVERY_S", 0.02)
    first = make_evolved()
    tasks = Tasks(first.store)
    task = tasks.add(first.plan())
    one = foreman(first, tasks)
    one.stopping.set()  # it shall stop as soon as it has begun
    with pytest.raises(Interrupted):
        one.do(task.id, "one")
    waiting = tasks.get(task.id)
    assert (waiting.status.state, bool(waiting.run)) == (State.QUEUED, True)

    foreman(make_evolved(store=first.store), tasks).do(task.id, "two")
    done = tasks.get(task.id)
    assert (done.status.state, done.status.error, done.run) == (State.DONE, "", waiting.run)
    assert done.status.done == done.status.total == 2
    assert done.status.spent.calls > 0
    (seen,) = first.evolution.runs(STUDY)  # the same run, not a second one
    assert seen.record.state.finished


def test_a_run_that_ended_just_before_its_worker_was_killed_is_done() -> None:
    evolved = make_evolved()
    tasks = Tasks(evolved.store)
    task = tasks.add(evolved.plan(rounds=1))
    assert tasks.claim(task.id, "killed")
    evolved.ended(evolved.evolution.start(evolved.plan(rounds=1), id=task.id))
    prompts = evolved.store.prompts(STUDY)
    foreman(evolved, tasks).do(task.id, "two")
    done = tasks.get(task.id)
    assert (done.status.state, done.status.done, done.run) == (State.DONE, 1, task.id)
    assert evolved.store.prompts(STUDY) == prompts


def test_what_cannot_begin_says_so_on_the_task() -> None:
    evolved = make_evolved()
    tasks = Tasks(evolved.store)
    task = tasks.add(evolved.plan(rounds=0))
    foreman(evolved, tasks).do(task.id, "w")
    status = tasks.get(task.id).status
    assert status.state is State.STOPPED
    assert "0 rounds" in status.error


def test_a_worker_that_lost_its_task_lets_go_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.work.foreman.LOOK_EVERY_S", 0.02)
    evolved = make_evolved()
    tasks = Tasks(evolved.store)
    task = tasks.add(evolved.plan(rounds=50))
    slow = threading.Thread(target=foreman(evolved, tasks).do, args=(task.id, "slow"))
    slow.start()
    while tasks.get(task.id).worker != "slow":
        assert slow.is_alive()
    assert tasks.claim(task.id, "other")
    slow.join(30)
    assert not slow.is_alive()
    assert tasks.get(task.id).worker == "other"
    evolved.evolution.close()
