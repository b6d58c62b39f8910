"""From any earlier schema to the present one, with what was stored; never from a newer one."""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from optimizer.domain import Batch, Settings, StudyId
from optimizer.errors import StorageError
from optimizer.storage.migrations import migrate
from optimizer.storage.schema import STEPS
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import NOW, duel_of, vote_on, world

S = StudyId("s")


def open_raw(path: Path) -> Database:
    return Database(sqlite3.connect(path, isolation_level=None))


def schema(path: Path) -> list[tuple[str, ...]]:
    """Tables with their columns, and indexes with their definitions."""
    db = open_raw(path)
    tables = [(table, *(column.name for column in db[table].columns)) for table in db.table_names()]
    sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    indexes = [(name, " ".join(text.split())) for name, text in db.execute(sql).fetchall()]
    db.close()
    return sorted(tables) + sorted(indexes)


def full_store(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    duels = [duel_of(rater=n) for n in range(3)]
    store.add(world())
    store.add(Batch(duels=duels, votes=[vote_on(duel) for duel in duels[:2]]))
    store.withdraw_vote(store.ballots(S)[0].vote.id, NOW)
    return store


def test_a_new_file_has_a_record_of_each_step(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "new.db").close()
    db = open_raw(tmp_path / "new.db")
    records = [row["name"] for row in db["_sqlite_migrations"].rows_where(order_by="id")]
    assert records == list(STEPS)
    assert [name[:4] for name in STEPS] == [f"{number:04}" for number in range(1, len(STEPS) + 1)]
    assert db.journal_mode == "wal"
    assert all(db[table].strict for table in db.table_names() if not table.startswith(("_", "sqlite_")))


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "duels.db").close()
    before = (tmp_path / "duels.db").read_bytes()
    SqliteStore(tmp_path / "duels.db").close()
    assert (tmp_path / "duels.db").read_bytes() == before


@pytest.mark.parametrize("earlier", range(len(STEPS)))
def test_each_earlier_schema_is_brought_up_with_what_it_holds(tmp_path: Path, earlier: int) -> None:
    new = full_store(tmp_path / "new.db")
    db = open_raw(tmp_path / "old.db")
    migrate(db, dict(list(STEPS.items())[:earlier]))
    db.execute("PRAGMA foreign_keys = OFF")
    db.attach("new", tmp_path / "new.db")
    kept = [table for table in db.table_names() if not table.startswith(("_", "sqlite_"))]
    for table in kept:  # what the old schema can hold of a full database
        columns = ", ".join(column.name for column in db[table].columns)
        db.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
    db.close()

    old = SqliteStore(tmp_path / "old.db")
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")
    assert old.check() == []
    if earlier:
        assert old.ballots(S) == new.ballots(S)
        assert old.pair_counts(S) == new.pair_counts(S)
        assert old.outputs(S) == new.outputs(S)
    else:
        assert old.studies() == []
    old.close()
    new.close()


def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    db = open_raw(path)
    migrate(db, {**STEPS, "9999_the_future": ("CREATE TABLE visions (id INTEGER PRIMARY KEY)",)})
    db.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"newer version of Prompt Duel.*9999_the_future.*Update"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_process_of_this_version_stops_writing_when_a_newer_one_upgrades_the_file(tmp_path: Path) -> None:
    store = full_store(tmp_path / "duels.db")
    db = open_raw(tmp_path / "duels.db")
    migrate(db, {**STEPS, "9999_the_future": ("ALTER TABLE votes ADD COLUMN mood TEXT",)})
    with pytest.raises(StorageError, match="newer version"):
        store.add(Batch(duels=[duel_of()]))
    assert len(store.last_duels(S, limit=9)) == 3  # what this version can read it may
    db.close()
    store.close()


def test_a_reader_from_before_an_upgrade_goes_on(tmp_path: Path) -> None:
    store = full_store(tmp_path / "duels.db")
    before = store.ballots(S)  # leaves a reader in the pool that knows the schema of now
    db = open_raw(tmp_path / "duels.db")
    db.execute("CREATE INDEX added_by_hand ON votes (at)")
    db.close()
    assert store.ballots(S) == before
    store.add(Batch(duels=[late := duel_of()]))
    store.add_vote(vote_on(late))
    assert len(store.ballots(S)) == len(before) + 1
    store.close()


def test_a_step_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    db = open_raw(tmp_path / "duels.db")
    broken = {**STEPS, "9999_broken": ("CREATE TABLE half (id INTEGER)", "CREATE TABLE half (id INTEGER)")}
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, broken)
    assert db.table_names() == []
    migrate(db)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, broken)
    assert "half" not in db.table_names()
    assert db["_sqlite_migrations"].count == len(STEPS)
    db.close()


def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    db = open_raw(path)
    db["bookmarks"].insert({"url": "https://example.org"})
    db.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_settings_of_a_newer_version_are_passed_over_and_kept(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "duels.db")
    store.add(world())
    db = open_raw(tmp_path / "duels.db")
    db.execute("""UPDATE studies SET settings = '{"margin": 0.2, "mood": {"music": true}}'""")
    assert store.study(S).settings == Settings(margin=0.2)  # what is missing has its default
    store.replace(replace(store.study(S), settings=Settings(margin=0.3, budget=5)))
    assert store.study(S).settings == Settings(margin=0.3, budget=5)
    kept = json.loads(db.execute("SELECT settings FROM studies").fetchone()[0])
    assert kept["mood"] == {"music": True}
    assert kept["margin"] == 0.3
    db.close()
    store.close()
