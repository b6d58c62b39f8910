"""A whole database from SQLite to PostgreSQL and back: nothing is lost, and what broke off goes on."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from optimizer.__main__ import cli
from optimizer.domain import Batch, Connection, Outcome, OutputId, Prompt, PromptId, Rubric, RubricId, StudyId
from optimizer.errors import Conflict
from optimizer.storage import open_store, transfer
from optimizer.storage.base import Store
from optimizer.storage.documents import Document
from optimizer.storage.sqlite import SqliteStore
from optimizer.storage.transfer import SHAPES
from tests.optimizer.storage.test_agreement import everything
from tests.optimizer.storage.world import NOW, duel_of, vote_on, world
from tests.postgresql import PostgresServer

S = StudyId("s")


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A database with something in every table."""
    store = SqliteStore(tmp_path / "source.db")
    store.add(world())
    store.add(world("t"))
    parent = replace(world().prompts[0], id=PromptId("parent"), name="Parent")
    child = Prompt(PromptId("child"), S, "Child", "nul \0 and \ufdd0", PromptId("parent"), created_at=NOW)
    settings = {"request_hash": "abc", "stop": ["\0"]}
    output = replace(world().outputs[0], id=OutputId("odd"), sample=1, text="\0値", settings=settings)
    store.add(Batch(prompts=[child, parent], outputs=[output], rubrics=[Rubric(RubricId("r"), S, 1, "Be.")]))
    duels = [duel_of(n % 3, (n + 1) % 3, n % 2, n % 3, "st"[n % 2]) for n in range(40)]
    votes = [vote_on(duel, list(Outcome)[n % 5]) for n, duel in enumerate(duels[:30])]
    store.add(Batch(duels=duels, votes=votes))
    store.withdraw_vote(votes[3].id, NOW)
    store.note_vote(votes[4].id, ("clear",), (), "a\0b", NOW)
    store.put_connection(Connection("c", "http://h/v1", "m", temperature=0.5, created_at=NOW))
    store.documents.put(Document("note", "n", {"text": "\0"}, S, changed_at=NOW))
    store.close()
    return str(tmp_path / "source.db")


def all_of(store: Store) -> object:
    return (
        store.studies(),
        [(everything(store, id), store.inputs(id), store.outputs(id), store.counters(id)) for id in (S, "t")],
        store.rubrics(S),
        store.connections(),
        store.documents.all("note"),
    )


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["copy", *arguments])
    return done.exit_code, done.output


def test_there_and_back(file: str, postgres: PostgresServer, tmp_path: Path) -> None:
    address = postgres.new_database()
    code, said = run(file, address)
    assert (code, said.splitlines()[-1]) == (0, "The copy holds what the source holds.")
    back = f"sqlite:///{tmp_path / 'back.db'}"
    assert run(address, back)[0] == 0
    here, there, again = open_store(file), open_store(address), open_store(back)
    assert all_of(here) == all_of(there) == all_of(again)
    for store in (there, again):
        assert store.check() == []
        assert store.output_by_request("abc") == store.output(OutputId("odd"))
        duel = duel_of(input=1)
        store.add(Batch(duels=[duel]))  # goes on after the rows that were copied
        store.add_vote(vote_on(duel))
        assert store.last_duels(S) == [store.duel(duel.id)]
        assert store.check() == []
    for store in (here, there, again):
        store.close()


def test_what_broke_off_goes_on(file: str, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "ROWS_AT_ONCE", 7)
    address = postgres.new_database()

    class Broke(Exception):
        pass

    def break_at_votes(table: str, _: int) -> None:
        if table == "votes":
            raise Broke

    for attempt in range(3):  # each gets seven votes further
        source, target = transfer.open_side(file), transfer.open_side(address)
        with pytest.raises(Broke):
            transfer.transfer(source, target, break_at_votes)
        source.close()
        target.close()
        with psycopg.connect(address) as db:
            assert db.execute("SELECT count(*) FROM votes").fetchone() == (7 * (attempt + 1),)
    code, said = run(file, address)
    assert code == 0
    assert "votes" in said
    assert " 9 copied now" in next(line for line in said.splitlines() if line.startswith("votes "))
    assert run(file, address)[0] == 0  # again: nothing is left to do
    store = open_store(address)
    assert store.check() == []
    store.close()


def test_another_database_is_not_written_to(file: str, postgres: PostgresServer) -> None:
    address = postgres.new_database()
    store = open_store(address)
    store.add(world("other"))
    store.close()
    code, said = run(file, address)
    assert code == 1
    assert "empty database" in said
    source, target = transfer.open_side(file), transfer.open_side(address)
    with pytest.raises(Conflict, match="holds studies"):
        transfer.transfer(source, target, lambda *_: None)
    source.close()
    target.close()


def test_a_source_that_changed_is_found_out(file: str, postgres: PostgresServer) -> None:
    address = postgres.new_database()
    assert run(file, address)[0] == 0
    db = sqlite3.connect(file)
    db.execute("UPDATE votes SET comment = 'another' WHERE seq = 2")
    db.commit()
    db.close()
    code, said = run(file, address)
    assert code == 1
    assert "NOT THE SAME" in next(line for line in said.splitlines() if line.startswith("votes "))
    assert "differs" in said


def test_a_store_in_memory_is_not_copied() -> None:
    code, said = run("memory://", "memory://")
    assert (code, "memory cannot be copied" in said) == (1, True)


@pytest.mark.parametrize("shape", ["{}", "sqlite:///{}"])
def test_a_source_that_is_not_there_is_no_empty_one(tmp_path: Path, shape: str) -> None:
    source, target = tmp_path / "mistyped.db", tmp_path / "target.db"
    code, said = run(shape.format(source), str(target))
    assert (code, f"no database '{shape.format(source)}'" in said) == (1, True)
    assert not source.exists()
    assert not target.exists()


def test_a_database_is_not_copied_into_itself(file: str) -> None:
    code, said = run(file, f"sqlite:///{file}")
    assert (code, "are the same database" in said) == (1, True)


def test_every_table_and_column_goes_over(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "new.db").close()
    db = sqlite3.connect(tmp_path / "new.db")
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    there = {
        name: {column for _, column, *_ in db.execute(f"PRAGMA table_info({name})")}
        for name in names
        if not name.startswith(("_", "sqlite_"))
    }
    db.close()
    assert {shape.name: set(shape.columns) for shape in SHAPES} == there


def test_times_are_written_one_way() -> None:
    shape = next(shape for shape in SHAPES if shape.name == "vote_events")
    row = (1, "v", "cast", "2026-03-01 14:00:00.5+02", None, None, None)
    assert transfer.with_times(shape, row)[3] == "2026-03-01T12:00:00.500000+00:00"
