"""Outputs of many threads are stored together, and a fault of one is its own."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.domain import Batch, InputId, Output, OutputId, PromptId, StudyId
from optimizer.errors import Conflict, PromptDuelError
from optimizer.generation.keeper import Keeper
from optimizer.storage.memory import MemoryStore


class SlowStore(MemoryStore):
    """Takes a disk's time for each write, counts them, and can be broken."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.broken = False

    def add(self, batch: Batch) -> None:
        if batch.outputs:
            self.writes += 1
            time.sleep(0.01)
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
    from optimizer.domain import Input, Prompt, Study

    store, study = SlowStore(), StudyId("study")
    store.add(
        Batch(
            studies=[Study(study, "S")],
            prompts=[Prompt(PromptId("p0"), study, "P", "x")],
            inputs=[Input(InputId("i0"), study, {})],
        )
    )
    return store


def test_outputs_that_come_together_are_written_together(slow: SlowStore) -> None:
    keeper = Keeper(slow)
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: keeper.keep(output(n)), range(100)))
    assert len(slow.outputs(StudyId("study"))) == 100
    assert slow.writes <= 40


def test_it_is_stored_when_keep_returns(slow: SlowStore) -> None:
    keeper = Keeper(slow)

    def keep(n: int) -> bool:
        keeper.keep(output(n))
        return slow.output(OutputId(f"o{n}")).text == f"text {n}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(keep, range(40)))


def test_a_conflict_hits_only_the_output_that_has_it(slow: SlowStore) -> None:
    keeper = Keeper(slow)
    slow.add(Batch(outputs=[output(1000, sample=3)]))

    def keep(n: int) -> PromptDuelError | None:
        try:
            keeper.keep(output(n))
        except PromptDuelError as error:
            return error
        return None

    with ThreadPoolExecutor(10) as pool:
        faults = list(pool.map(keep, range(10)))
    assert [n for n, fault in enumerate(faults) if fault is not None] == [3]
    assert isinstance(faults[3], Conflict)
    assert len(slow.outputs(StudyId("study"))) == 10


def test_a_bug_of_the_store_reaches_every_caller_and_blocks_none(slow: SlowStore) -> None:
    keeper = Keeper(slow)
    slow.broken = True
    caught: list[type[BaseException]] = []

    def keep(n: int) -> None:
        try:
            keeper.keep(output(n))
        except ZeroDivisionError as error:
            caught.append(type(error))

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(caught) == 6
    slow.broken = False
    keeper.keep(output(7))
    assert slow.output(OutputId("o7"))
