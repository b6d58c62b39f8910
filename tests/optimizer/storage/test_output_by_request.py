"""The answer to a request that was paid for once is found again, in whichever study it was asked."""

from pathlib import Path

import pytest

from optimizer.domain import Batch, Input, InputId, Output, OutputId, Prompt, PromptId, Study, StudyId
from optimizer.storage.base import Store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "x.db")


def output(study: str, sample: int, request_hash: str | None, **changed: str) -> Output:
    settings = {} if request_hash is None else {"request_hash": request_hash}
    fields = {"text": f"text {study} {sample}", "error": ""} | changed
    return Output(
        OutputId(f"o-{study}-{sample}"), StudyId(study), PromptId(f"p-{study}"), InputId(f"i-{study}"),
        fields["text"], sample, settings=settings, error=fields["error"],
    )  # fmt: skip


def test_the_first_answer_of_any_study_is_found_usable_ones_before_others(store: Store) -> None:
    for study in ("one", "two"):
        store.add(
            Batch(
                studies=[Study(StudyId(study), study)],
                prompts=[Prompt(PromptId(f"p-{study}"), StudyId(study), "p", "x")],
                inputs=[Input(InputId(f"i-{study}"), StudyId(study), {})],
            )
        )
    store.add(Batch(outputs=[output("one", 0, None), output("one", 1, "a", error="held back")]))
    store.add(Batch(outputs=[output("two", 0, "a"), output("two", 1, "b", text="  ")]))
    store.add(Batch(outputs=[output("one", 2, "a"), output("one", 3, "c")]))
    found = {name: store.output_by_request(name) for name in ("a", "b", "c", "d", "")}
    ids = {name: answer.id if answer else None for name, answer in found.items()}
    assert ids == {"a": "o-two-0", "b": "o-two-1", "c": "o-one-3", "d": None, "": None}
    assert found["a"] == store.output(OutputId("o-two-0"))


def test_sqlite_finds_it_by_an_index(tmp_path: Path) -> None:
    import sqlite3

    SqliteStore(tmp_path / "x.db").close()
    with sqlite3.connect(tmp_path / "x.db") as db:
        plan = db.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM outputs WHERE json_extract(settings, '$.request_hash') = ? "
            "ORDER BY usable DESC, seq LIMIT 1",
            ("a",),
        ).fetchall()
    assert "USING INDEX outputs_by_request" in plan[0][3]
    assert len(plan) == 1  # no sorting
