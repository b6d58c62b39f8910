"""A draft has one writer and any number of readers, and always comes to an end."""

import threading
from concurrent.futures import ThreadPoolExecutor

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
        draft.finish(OUTPUT, called=True)
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


def test_a_failed_draft_keeps_its_text_says_why_and_frees_the_cell() -> None:
    drafts = Drafts()
    draft, _ = drafts.open(CELL)
    draft.add("half")
    draft.fail(PromptDuelError("no such luck"))
    assert draft.done
    assert draft.output is None
    assert str(draft.error) == "no such luck"
    assert "".join(draft) == "half"
    assert drafts.of(CELL) is None
    assert drafts.open(CELL)[1]


def test_what_follows_is_called_once_whenever_it_is_asked_for() -> None:
    draft = Draft(CELL)
    told: list[str] = []
    draft.then(lambda ended: told.append(f"before: {ended.done}"))
    draft.finish(OUTPUT, called=True)
    draft.then(lambda ended: told.append(f"after: {ended.done}"))
    assert told == ["before: True", "after: True"]


def test_waiting_until_nothing_is_written() -> None:
    drafts = Drafts()
    draft, _ = drafts.open(CELL)
    assert not drafts.wait_until_none(0.01)

    threading.Timer(0.05, draft.finish, (OUTPUT, True)).start()
    assert drafts.wait_until_none(5)
