"""Documents: small JSON objects that several writers may change without losing each other's changes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from optimizer.domain import StudyId
from optimizer.errors import BadInput, Conflict, NotFound, PromptDuelError
from optimizer.storage.base import Store
from optimizer.storage.documents import Document
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import NOW, world

S = StudyId("s")


def session(id: str = "a", study: StudyId | None = S, **body: object) -> Document:
    return Document("session", id, body, study, changed_at=NOW)


def test_a_document_reads_back_as_it_was_put(store: Store) -> None:
    body = {"goal": 20, "words": ["値", 'a "quote"', None], "share": 0.1, "deep": {"a": {"b": []}}}
    put = store.documents.put(session(**body))
    assert put.version == 1
    assert store.documents.get("session", "a") == put
    assert put.body == body
    assert store.documents.get("session", "b") is None
    assert store.documents.get("proposal", "a") is None


def test_documents_come_in_the_order_in_which_they_were_first_put(store: Store) -> None:
    store.add(world("other"))
    first = store.documents.put(session("b"))
    store.documents.put(session("a", StudyId("other")))
    store.documents.put(session("c", None))
    store.documents.put(replace(first, body={"goal": 1}))
    store.documents.put(replace(session("z"), kind="proposal"))
    assert [one.id for one in store.documents.all("session")] == ["b", "a", "c"]
    assert [one.id for one in store.documents.all("session", S)] == ["b"]
    assert [one.id for one in store.documents.all("proposal", S)] == ["z"]


def test_a_writer_who_did_not_read_the_latest_version_is_refused(store: Store) -> None:
    put = store.documents.put(session(goal=1))
    newer = store.documents.put(replace(put, body={"goal": 2}))
    assert newer.version == 2
    for stale in (put, session(goal=3), replace(put, version=7), replace(put, id="never put")):
        with pytest.raises(Conflict):
            store.documents.put(stale)
    for stale in (put, session("never put")):
        with pytest.raises(Conflict):
            store.documents.remove(stale)
    assert store.documents.get("session", "a") == newer
    store.documents.remove(newer)
    assert store.documents.get("session", "a") is None
    assert store.documents.put(session(goal=5)).version == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (session(study=StudyId("ghost")), NotFound),
        (session(half="\ud800"), BadInput),
        (session(number=float("nan")), BadInput),
        (session(thing=object()), BadInput),
        (session(long="x" * 1_000_001), BadInput),
        (replace(session(), changed_at=datetime(2026, 1, 1)), BadInput),
    ],
    ids=["study", "text", "number", "object", "length", "time"],
)
def test_a_document_with_a_fault_changes_nothing(
    store: Store, fault: Document, error: type[Exception]
) -> None:
    with pytest.raises(error):
        store.documents.put(fault)
    assert store.documents.all("session") == []


def test_of_many_writers_each_loses_or_wins_and_nothing_in_between(store: Store) -> None:
    store.documents.put(session(count=0))

    def add_one(_: int) -> None:
        while True:
            read = store.documents.get("session", "a")
            assert read is not None
            try:
                store.documents.put(replace(read, body={"count": read.body["count"] + 1}))
            except PromptDuelError:
                continue
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    kept = store.documents.get("session", "a")
    assert kept is not None
    assert (kept.body["count"], kept.version) == (40, 41)


def test_documents_outlive_the_process(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "duels.db")
    store.add(world())
    put = store.documents.put(session(goal=1))
    store.close()
    again = SqliteStore(tmp_path / "duels.db")
    assert again.documents.all("session", S) == [put]
    again.close()
