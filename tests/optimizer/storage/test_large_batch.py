"""A batch of thousands is stored without the database's own look at references; the rules have looked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.fill import batch
from optimizer.domain import Batch, InputId, OutputId, PromptId, RaterId
from optimizer.errors import BadInput, Conflict, NotFound
from optimizer.storage.sqlite import LARGE, SqliteStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def large() -> Batch:
    return batch(LARGE + 10, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"rater": RaterId("nobody")},
        {"input": InputId("nowhere")},
        {"first": OutputId("nothing")},
        {"second_prompt": PromptId("none")},
    ],
)
def test_a_reference_that_leads_nowhere_stores_nothing(
    tmp_path: Path, large: Batch, wrong: dict[str, str]
) -> None:
    store = SqliteStore(tmp_path / "duels.db")
    *duels, last = large.duels
    with pytest.raises((NotFound, BadInput)):
        store.add(replace(large, duels=[*duels, replace(last, **wrong)]))  # type: ignore[arg-type]
    assert store.studies() == []
    store.close()


def test_after_a_large_batch_the_database_looks_at_references_again(tmp_path: Path, large: Batch) -> None:
    store = SqliteStore(tmp_path / "duels.db")
    store.add(large)
    assert store.check() == []
    with store._file.writing() as db:
        assert db.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    again = replace(large.duels[0], asked_at=NOW, expires_at=NOW + timedelta(1))
    with pytest.raises(Conflict, match="exists already"):
        store.add(Batch(duels=[again]))
    store.close()
