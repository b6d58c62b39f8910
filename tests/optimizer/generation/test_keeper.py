"""Outputs of many threads are stored together, and a fault of one is its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.domain import Batch, Input, InputId, Output, OutputId, Prompt, PromptId, Study, StudyId
from optimizer.errors import Conflict, PromptDuelError
from optimizer.generation.keeper import MOST_UNSTORED, Keeper
from optimizer.storage.memory import MemoryStore

STUDY = StudyId("study")


class SlowStore(MemoryStore):
    """Takes a disk's time for each write, counts them, and can be broken."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.seconds = 0.01
        self.broken = False

    def add(self, batch: Batch) -> None:
        if batch.outputs:
            self.writes += 1
            time.sleep(self.seconds)
            if self.broken:
                raise ZeroDivisionError("a bug")
        super().add(batch)


def output(n: int, sample: int | None = None) -> Output:
    return Output(
        OutputId(f"o{n}"),
        StudyId("study"),
        PromptId("p0"),
        InputId("i0"),
        f"text {n}",
        n if sample is None else sample,
    )


@pytest.fixture
def slow() -> SlowStore:
    store, study = SlowStore(), STUDY
    store.add(
        Batch(
            studies=[Study(study, "S")],
            prompts=[Prompt(PromptId("p0"), study, "P", "x")],
            inputs=[Input(InputId("i0"), study, {})],
        )
    )
    return store


class Told:
    """Collects what a keeper tells of each output."""

    def __init__(self, expected: int) -> None:
        self.faults: dict[int, PromptDuelError | None] = {}
        self._left = threading.Semaphore(0)
        self._expected = expected

    def of(self, n: int) -> Callable[[PromptDuelError | None], None]:
        def tell(fault: PromptDuelError | None) -> None:
            assert n not in self.faults
            self.faults[n] = fault
            self._left.release()

        return tell

    def wait(self) -> dict[int, PromptDuelError | None]:
        for _ in range(self._expected):
            assert self._left.acquire(timeout=5)
        return self.faults


def test_outputs_that_come_together_are_written_together(slow: SlowStore) -> None:
    keeper, told = Keeper(slow), Told(100)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: keeper.submit(output(n), told.of(n)), range(100)))
    assert set(told.wait().values()) == {None}
    assert len(slow.outputs(STUDY)) == 100
    assert slow.writes <= 40


def test_it_is_stored_when_the_writer_is_told(slow: SlowStore) -> None:
    keeper, seen = Keeper(slow), threading.Event()

    def tell(fault: PromptDuelError | None) -> None:
        assert fault is None
        assert slow.output(OutputId("o1")).text == "text 1"
        seen.set()

    keeper.submit(output(1), tell)
    assert seen.wait(5)


def test_a_conflict_hits_only_the_output_that_has_it(slow: SlowStore) -> None:
    keeper, told = Keeper(slow), Told(10)
    slow.add(Batch(outputs=[output(1000, sample=3)]))
    for n in range(10):
        keeper.submit(output(n), told.of(n))
    faults = told.wait()
    assert [n for n, fault in faults.items() if fault is not None] == [3]
    assert isinstance(faults[3], Conflict)
    assert len(slow.outputs(STUDY)) == 10


def test_writers_wait_when_the_disk_cannot_follow(slow: SlowStore) -> None:
    keeper, told = Keeper(slow), Told(MOST_UNSTORED * 3)
    slow.seconds = 0.05
    started = time.monotonic()
    for n in range(MOST_UNSTORED * 3):
        keeper.submit(output(n), told.of(n))
    assert time.monotonic() - started >= 0.05  # at least one write had to be waited for
    told.wait()


def test_a_bug_of_the_store_is_told_and_blocks_nobody(
    slow: SlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    bugs = []
    monkeypatch.setattr(threading, "excepthook", lambda args: bugs.append(args.exc_type))
    keeper, told = Keeper(slow), Told(6)
    slow.broken = True
    for n in range(6):
        keeper.submit(output(n), told.of(n))
    assert all("broke off" in str(fault) for fault in told.wait().values())
    assert set(bugs) == {ZeroDivisionError}
    slow.broken, again = False, Told(1)
    keeper.submit(output(7), again.of(7))
    assert again.wait() == {7: None}
