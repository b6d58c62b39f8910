"""What is PostgreSQL's own: how many statements, several processes, restarts, migrations, addresses."""

import re
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from optimizer.domain import Batch, DuelId, StudyId, VoteId
from optimizer.errors import AlreadyVoted, BadInput, Conflict, StorageError
from optimizer.storage import open_store
from optimizer.storage.documents import Document
from optimizer.storage.postgres import PostgresStore
from optimizer.storage.postgres_documents import BELIEVED_S
from optimizer.storage.postgres_migrations import migrate
from optimizer.storage.postgres_schema import STEPS
from optimizer.storage.postgres_server import PATIENCE_S, place
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import HOUR, NOW, duel_of, study_of, vote_on, world
from tests.postgresql import PostgresServer

S = StudyId("s")


@pytest.fixture
def address(postgres: PostgresServer) -> str:
    return postgres.empty_database()


def test_replicas_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    address = postgres.new_database()
    with ThreadPoolExecutor(6) as pool:
        for store in pool.map(open_store, [address] * 6):
            assert store.studies() == []
            store.close()
    with psycopg.connect(address) as db:
        steps = db.execute("SELECT name FROM prompt_duel_steps ORDER BY name").fetchall()
    assert [name for (name,) in steps] == list(STEPS)


def test_a_newer_schema_and_another_program_are_refused(postgres: PostgresServer) -> None:
    newer = postgres.new_database()
    with psycopg.connect(newer, autocommit=True) as db:
        migrate(db, {**STEPS, "9999_the_future": ("CREATE TABLE visions (id INT)",)})
    with pytest.raises(StorageError, match=r"newer version of Prompt Duel.*9999_the_future.*Update"):
        open_store(newer)
    other = postgres.new_database()
    with psycopg.connect(other, autocommit=True) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(StorageError, match="another program"):
        open_store(other)


def test_a_step_that_fails_leaves_no_trace(postgres: PostgresServer) -> None:
    broken = {**STEPS, "9999_broken": ("CREATE TABLE half (id INT)", "CREATE TABLE half (id INT)")}
    with psycopg.connect(postgres.new_database(), autocommit=True) as db:
        with pytest.raises(psycopg.errors.DuplicateTable):
            migrate(db, broken)
        assert db.execute("SELECT to_regclass('half'), to_regclass('studies')").fetchone() == (None, None)


def test_every_table_of_sqlite_is_here_with_its_columns(address: str, tmp_path: Path) -> None:
    SqliteStore(tmp_path / "duels.db").close()
    file = sqlite3.connect(tmp_path / "duels.db")
    query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    there = {row for row in file.execute(query) if not row[0].startswith(("_", "sqlite_"))}
    file.close()
    with psycopg.connect(address) as db:
        query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        here = set(db.execute(query).fetchall())
    assert there - here == set()
    more = {table for table, _ in here - there}
    # What is kept here only.
    assert more == {"input_counts", "outputs", "prompt_duel_steps", "calls", "accounts", "holds", "claims"}


def test_a_vote_that_was_acknowledged_to_nobody_is_found_again(address: str) -> None:
    """The connection breaks after the commit and before the answer: the next try finds the vote."""
    store = PostgresStore(address)
    store.add(world())
    duel = duel_of()
    store.add(Batch(duels=[duel]))
    vote = vote_on(duel)
    lost = lose_first_answer(store)
    store.add_vote(vote)
    assert lost == ["lost"]
    assert [ballot.vote for ballot in store.ballots(S)] == [vote]
    with pytest.raises(AlreadyVoted):
        store.add_vote(vote)
    for write in (
        lambda: store.withdraw_vote(vote.id, NOW, NOW + HOUR),
        lambda: store.restore_vote(vote.id, NOW),
        lambda: store.add(Batch([study_of("t")])),
        lambda: store.asking.hand_out(duel_of(rater=1)),
        lambda: store.add(Batch(duels=[duel_of(rater=2)])),
    ):
        lost = lose_first_answer(store)
        write()
        assert lost == ["lost"]
    assert len(store.studies()) == 2
    assert store.counters(S).duels == 3
    assert store.check() == []
    store.close()


def lose_first_answer(store: PostgresStore) -> list[str]:
    """Have the connection break when the next piece of work is done and committed."""
    pool = store._server._pool
    lost: list[str] = []
    original = type(pool).connection

    class Lossy:
        def __init__(self) -> None:
            self._inner = original(pool)

        def __enter__(self) -> psycopg.Connection:
            return self._inner.__enter__()

        def __exit__(self, *fault: object) -> None:
            self._inner.__exit__(*fault)
            if not lost and fault[0] is None:
                lost.append("lost")
                del pool.connection
                raise psycopg.OperationalError("the connection is lost")

    pool.connection = Lossy
    return lost


def test_a_restart_between_and_during_work_is_waited_for(postgres: PostgresServer) -> None:
    own = PostgresServer(settings=())  # durable
    try:
        store = PostgresStore(own.address())
        store.add(world())
        store.add(Batch(duels=[duel_of(id=f"d{n}", rater=n % 3) for n in range(300)]))

        def vote(number: int) -> str:
            cast = vote_on(duel_of(id=f"d{number}", rater=number % 3), id=VoteId(f"v{number}"))
            if number in (60, 180):
                own.stop(signal.SIGINT if number == 60 else signal.SIGQUIT)  # in order, and as a crash
                own.start()
            store.add_vote(cast)
            return cast.id

        with ThreadPoolExecutor(4) as pool:
            acknowledged = list(pool.map(vote, range(300)))
        kept = [ballot.vote.id for ballot in store.ballots(S)]
        assert sorted(kept) == sorted(acknowledged)
        assert store.check() == []
        store.close()
    finally:
        own.remove()


def test_two_processes_do_not_lose_or_double_votes(address: str) -> None:
    store = PostgresStore(address)
    store.add(world())
    store.add(Batch(duels=[duel_of(id=f"d{n}") for n in range(80)]))
    code = "import sys; from tests.optimizer.storage import voters; voters.vote_on_all(*sys.argv[1:])"
    voters = [
        subprocess.Popen([sys.executable, "-c", code, address, name], stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    votes = [vote for voter in voters for vote in voter.communicate(timeout=60)[0].split()]
    assert [voter.returncode for voter in voters] == [0, 0]
    assert len(votes) == len(set(votes)) == 80
    assert {answered.vote for answered in store.answered(S)} == set(votes)
    assert store.check() == []
    store.close()


def test_expired_duels_are_released_by_several_at_once_and_each_once(address: str) -> None:
    store = PostgresStore(address)
    store.add(world())
    store.add(Batch(duels=[duel_of(rater=n % 3) for n in range(200)]))
    with ThreadPoolExecutor(6) as pool:
        released = list(pool.map(lambda _: store.release_expired(NOW + HOUR), range(12)))
    assert sum(released) == 200
    assert store.pending(S, NOW) == []
    store.close()


def test_what_is_wrong_with_an_address_is_said_without_the_password(postgres: PostgresServer) -> None:
    with pytest.raises(StorageError, match=r"'nowhere' on 127.0.0.1.*does not exist"):
        open_store(postgres.address("nowhere"))
    with pytest.raises(BadInput, match="cannot be read"):
        open_store("postgresql://h/d?nonsense=1")
    assert place("postgresql://me:secret@db.example:5433/duels") == "the database 'duels' on db.example:5433"


def test_a_backup_is_another_tool_s_work(address: str, tmp_path: Path) -> None:
    store = PostgresStore(address)
    with pytest.raises(StorageError, match="pg_dump"):
        store.backup(tmp_path / "copy.db")
    store.close()


def test_a_second_standing_vote_is_impossible_in_the_table_too(address: str) -> None:
    store = PostgresStore(address)
    store.add(world())
    duel = duel_of()
    store.add(Batch(duels=[duel], votes=[vote_on(duel)]))
    copied = (
        "study, duel, rater, outcome, at, grade, view_ms, first_reasons, second_reasons, comment, verdict"
    )
    twice = f"INSERT INTO votes (id, {copied}) SELECT 'twice', {copied} FROM votes"
    with psycopg.connect(address) as db, pytest.raises(psycopg.errors.UniqueViolation, match="standing"):
        db.execute(twice.encode())
    with pytest.raises(Conflict, match="duels with this id"):
        store.add(Batch(duels=[duel_of(id=DuelId(duel.id))]))
    store.close()


def test_the_driver_is_imported_late() -> None:
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from optimizer.storage import open_store\n"
        "from optimizer.errors import BadInput\n"
        "open_store('memory://')\n"
        "try: open_store('postgresql://h/d')\n"
        "except BadInput as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert re.search(r"pip install -r requirements-postgres\.txt", said)


def test_what_another_process_changed_is_believed_soon_and_never_overwritten(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("optimizer.storage.postgres_documents.monotonic", lambda: now)
    here, there = PostgresStore(address), PostgresStore(address)
    first = here.documents.put(Document("session", "a", {"open": True}))
    assert there.documents.get("session", "a") == first
    second = here.documents.put(replace(first, body={"open": False}))
    assert here.documents.get("session", "a") == second
    assert there.documents.get("session", "a") == first
    with pytest.raises(Conflict):
        there.documents.put(replace(first, body={"open": None}))
    assert there.documents.get("session", "a") == second  # refused, so it has read again
    third = here.documents.put(replace(second, body={}))
    now += BELIEVED_S
    assert there.documents.get("session", "a") == third
    here.documents.remove(third)
    assert here.documents.get("session", "a") is None
    here.close()
    there.close()


def test_a_closed_store_says_so_at_once(address: str) -> None:
    store = PostgresStore(address)
    store.close()
    began = monotonic()
    with pytest.raises(StorageError, match="was closed"):
        store.studies()
    assert monotonic() - began < PATIENCE_S / 2
