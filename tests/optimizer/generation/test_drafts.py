"""A draft has one writer and any number of readers, and always comes to an end."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from optimizer.domain import InputId, Output, OutputId, PromptId, StudyId
from optimizer.errors import PromptDuelError
from optimizer.generation.cells import Cell
from optimizer.generation.drafts import Draft, Drafts

CELL = Cell(PromptId("p"), InputId("i"))
OUTPUT = Output(OutputId("o"), StudyId("s"), *CELL[:2], "".join(f"piece {n} " for n in range(50)))


def test_every_reader_sees_the_whole_text_whenever_it_comes() -> None:
    draft = Draft(CELL)
    with ThreadPoolExecutor(8) as pool:
        early = [pool.submit(lambda: "".join(draft)) for _ in range(5)]
        for n in range(50):
            draft.add(f"piece {n} ")
        late = pool.submit(lambda: "".join(draft))
        draft.finish(OUTPUT)
        assert {reader.result(5) for reader in [*early, late]} == {OUTPUT.text}
    assert "".join(draft) == draft.text == OUTPUT.text


def test_only_one_of_many_is_the_writer() -> None:
    drafts = Drafts()
    barrier = threading.Barrier(16)

    def claim(_: int) -> tuple[Draft, bool]:
        barrier.wait()
        return drafts.open(CELL)

    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(claim, range(16)))
    assert sum(mine for _, mine in claims) == 1
    assert len({id(draft) for draft, _ in claims}) == 1


@pytest.mark.parametrize("fault", [PromptDuelError("no such luck"), ZeroDivisionError("a bug")])
def test_a_writer_that_fails_leaves_an_error_and_frees_the_cell(fault: Exception) -> None:
    drafts = Drafts()
    draft, _ = drafts.open(CELL)

    def write() -> None:
        with drafts.writing(draft):
            draft.add("half")
            raise fault

    with pytest.raises(type(fault)):
        write()
    assert draft.done
    assert draft.output is None
    assert str(draft.error) == (
        str(fault) if isinstance(fault, PromptDuelError) else "Writing this output broke off. Try again."
    )
    assert "".join(draft) == "half"
    assert drafts.of(CELL) is None
    assert drafts.open(CELL)[1]


def test_waiting_until_nothing_is_written() -> None:
    drafts = Drafts()
    draft, _ = drafts.open(CELL)
    assert not drafts.wait_until_none(0.01)

    def write() -> None:
        with drafts.writing(draft):
            draft.finish(OUTPUT)

    threading.Timer(0.05, write).start()
    assert drafts.wait_until_none(5)
