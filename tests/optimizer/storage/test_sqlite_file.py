"""A database file: its faults in words a person can act on, backups, the check, and what reading costs."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from optimizer.domain import Batch, PromptId, RaterId, StudyId
from optimizer.errors import BadInput, Conflict, StorageError
from optimizer.storage import database_file, open_store
from optimizer.storage.memory import MemoryStore
from optimizer.storage.sqlite import SqliteStore
from tests.optimizer.storage.world import HOUR, NOW, duel_of, vote_on, world

S = StudyId("s")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "duels.db"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    made = SqliteStore(path)
    made.add(world())
    return made


def voted(store: SqliteStore, times: int) -> None:
    """So many votes, on both inputs, by all raters, on all pairs."""
    duels = [duel_of(n % 3, (n + 1 + n // 3 % 2) % 3, n % 2, n // 2 % 3) for n in range(times)]
    store.add(Batch(duels=duels, votes=[vote_on(duel) for duel in duels]))


# -- faults ------------------------------------------------------------------------------------
def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no folder .*missing"):
        SqliteStore(tmp_path / "missing" / "duels.db")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that not even root may write")
def test_a_folder_that_may_not_be_written() -> None:
    with pytest.raises(StorageError, match="cannot be opened for writing"):
        SqliteStore("/proc/self/duels.db")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened for writing"):
        SqliteStore(tmp_path)


def test_a_file_that_is_no_database(path: Path) -> None:
    path.write_text("prompt,input,output\n" * 100)
    with pytest.raises(StorageError, match="damaged or no database"):
        SqliteStore(path)
    assert path.read_text().startswith("prompt,input,output\n")


def test_a_file_that_is_cut_short(store: SqliteStore, path: Path) -> None:
    voted(store, 300)
    store.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(StorageError, match="damaged"):
        SqliteStore(path).answered(S)


def test_a_file_that_another_program_holds(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(database_file, "BUSY_SECONDS", 0.05)
    store = SqliteStore(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="in use by another program"):
        store.add(Batch(duels=[duel_of()]))
    assert store.last_duels(S) == []  # reading goes on
    other.execute("ROLLBACK")
    store.add(Batch(duels=[duel_of()]))
    assert len(store.last_duels(S)) == 1


def test_a_store_that_was_closed(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(StorageError, match="closed"):
        store.studies()
    with pytest.raises(StorageError, match="closed"):
        store.add(Batch(duels=[duel_of()]))


def test_addresses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for address, expected in (
        ("plain.db", "plain.db"),
        (f"{tmp_path}/absolute.db", "absolute.db"),
        ("sqlite:///relative.db", "relative.db"),
        (f"sqlite:///{tmp_path}/four slashes.db", "four slashes.db"),
    ):
        open_store(address).close()
        assert (tmp_path / expected).is_file()
    assert isinstance(open_store("memory://"), MemoryStore)
    with pytest.raises(BadInput, match=r"mysql.*memory, sqlite"):
        open_store("mysql://localhost/duels")


# -- durability --------------------------------------------------------------------------------
def test_votes_are_synced_to_the_disk_and_handing_out_a_duel_is_not(store: SqliteStore) -> None:
    def level() -> int:
        return store._file._writer.execute("PRAGMA synchronous").fetchone()[0]

    normal, full = 1, 2
    waiting, duel = duel_of(), duel_of()
    vote = vote_on(duel)
    store.add(Batch(duels=[waiting]))
    for write, expected in (
        (lambda: store.add(Batch(duels=[duel])), normal),
        (lambda: store.add_vote(vote), full),
        (lambda: store.renew_duel(waiting.id, NOW + HOUR), normal),
        (lambda: store.withdraw_vote(vote.id, NOW), full),
        (lambda: store.release_expired(NOW + 2 * HOUR), normal),
        (lambda: store.restore_vote(vote.id, NOW), full),
        (lambda: store.add(Batch(duels=[duel_of()])), normal),
        (lambda: store.note_vote(vote.id, (), (), "", NOW), full),
        (lambda: store.add(Batch(duels=[duel_of()])), normal),
        (lambda: store.add(Batch(duels=[mixed := duel_of()], votes=[vote_on(mixed)])), full),
    ):
        write()
        assert level() == expected


@pytest.mark.parametrize("seed", range(5))
def test_what_power_loss_may_take_is_only_what_came_after_the_last_vote(
    store: SqliteStore, path: Path, tmp_path: Path, seed: int
) -> None:
    """The write-ahead log is on the disk up to the last vote; what was written later may be torn."""
    for _ in range(3):
        duel = duel_of()
        store.add(Batch(duels=[duel]))
        vote = vote_on(duel)
        store.add_vote(vote)
    log = path.with_name("duels.db-wal")
    synced = log.stat().st_size
    unanswered = duel_of(rater=1)
    store.add(Batch(duels=[unanswered]))

    rng = np.random.default_rng(seed)
    torn = bytearray(log.read_bytes())
    assert len(torn) > synced
    places = rng.integers(synced, len(torn), 20)
    for place in places:
        torn[place] ^= int(rng.integers(1, 256))
    after = tmp_path / "after.db"
    after.write_bytes(path.read_bytes())
    after.with_name("after.db-wal").write_bytes(torn[: int(rng.integers(max(places), len(torn))) + 1])
    survivor = SqliteStore(after)
    assert survivor.check() == []
    assert survivor.vote(vote.id) == vote
    assert len(survivor.answered(S)) == 3
    assert len(survivor.last_duels(S, limit=9)) == 3
    survivor.close()


# -- backup ------------------------------------------------------------------------------------
def test_a_backup_is_whole_while_others_write(store: SqliteStore, tmp_path: Path) -> None:
    voted(store, 500)
    stop = Event()

    def write() -> None:
        while not stop.is_set():
            duel = duel_of()
            store.add(Batch(duels=[duel], votes=[vote_on(duel)]))

    writer = Thread(target=write)
    writer.start()
    sizes = []
    for number in range(5):
        store.backup(tmp_path / f"backup {number}.db")
        copy = SqliteStore(tmp_path / f"backup {number}.db")
        assert copy.check() == []
        sizes.append(copy.counters(S).votes)
        copy.close()
    stop.set()
    writer.join()
    assert sizes == sorted(sizes)
    assert sizes[0] >= 500
    assert sizes[-1] > sizes[0]
    assert store.check() == []


def test_a_backup_replaces_nothing(store: SqliteStore, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(Conflict, match="exists already"):
        store.backup(target)
    assert target.read_text() == "precious"
    with pytest.raises(StorageError, match="no folder"):
        store.backup(tmp_path / "missing" / "backup.db")
    assert sorted(p.name for p in tmp_path.glob("backup*")) == ["backup.db"]


# -- the check ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (
            "UPDATE pair_counts SET first = first + 1 WHERE rowid_of = 1",
            r"pair_counts.*is 3; a recount gives 2",
        ),
        ("DELETE FROM cell_counts", r"cell_counts.* is 0; a recount gives"),
        ("UPDATE asked_counts SET duels = 99", r"asked_counts.* is 99; a recount gives"),
        ("UPDATE counters SET votes = votes + 1", r"counter of votes, s is 12; a recount gives 11"),
        ("UPDATE counters SET duels = 0", r"counter of duels, s is 0; a recount gives 12"),
        ("DELETE FROM counters", "Study s has no counters"),
        (
            "UPDATE votes SET withdrawn_at = at WHERE seq = 2",
            r"Vote \w+ is withdrawn at .*; by the log it is standing",
        ),
        (
            "UPDATE votes SET withdrawn_at = NULL WHERE seq = 1",
            r"Vote \w+ is standing; by the log it is withdrawn",
        ),
        ("UPDATE votes SET comment = 'forged' WHERE seq = 3", r"The reasons or the comment of vote \w+"),
        ("DELETE FROM vote_events WHERE seq = 4", r"Vote \w+ is not in the log"),
        ("UPDATE votes SET rater = 's-r2' WHERE seq = 1", r"Vote \w+ is not by the rater"),
        ("DELETE FROM raters WHERE id = 's-r1'", r"Row \d+ of (duels|votes) refers to a row of raters"),
        ("UPDATE duels SET closed_at = NULL WHERE seq = 2", r"Duel \w+ is open although a vote on it stands"),
        ("UPDATE duels SET first_prompt = 's-p2' WHERE seq = 1", r"Duel \w+ names other prompts"),
        ("UPDATE outputs SET text = 'longer than it was' WHERE seq = 1", r"index says of output s-o00"),
        ("UPDATE outputs SET usable = 0 WHERE seq = 1", r"index says of output s-o00"),
    ],
)
def test_the_check_finds_what_was_changed_by_hand(
    store: SqliteStore, path: Path, damage: str, fault: str
) -> None:
    voted(store, 12)
    store.withdraw_vote(store.ballots(S)[-1].vote.id, NOW)
    assert store.check() == []
    db = sqlite3.connect(path)
    first_pair = "(study, kind, first_prompt) IN (SELECT study, kind, first_prompt FROM pair_counts LIMIT 1)"
    db.execute(damage.replace("rowid_of = 1", first_pair))
    db.commit()
    db.close()
    faults = store.check()
    assert faults
    assert any(re.search(fault, one) for one in faults), faults


def test_the_check_finds_damaged_pages(store: SqliteStore, path: Path) -> None:
    voted(store, 300)
    store.close()
    data = bytearray(path.read_bytes())
    page = data.rindex(b"2026-03-01") // 4096 * 4096  # one that holds the time of some row
    data[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    faults = SqliteStore(path).check()
    assert faults
    assert all("damaged" in fault for fault in faults)


# -- what reading costs ------------------------------------------------------------------------
ASKING: dict[str, Callable[[SqliteStore], object]] = {
    "study": lambda store: store.study(S),
    "counters": lambda store: store.counters(S),
    "open_duel": lambda store: store.open_duel(S, RaterId("s-r1"), NOW),
    "pending": lambda store: store.pending(S, NOW),
    "pair_counts": lambda store: store.pair_counts(S),
    "cell_counts": lambda store: store.cell_counts(S),
    "last_duels": lambda store: store.last_duels(S),
    "last_duels of a rater": lambda store: store.last_duels(S, RaterId("s-r1")),
    "duels_by_input": lambda store: store.duels_by_input(S, PromptId("s-p0"), PromptId("s-p1")),
    "last_vote": lambda store: store.last_vote(S, RaterId("s-r1")),
    "output_index": lambda store: store.output_index(S),
    "a page of ballots": lambda store: store.ballots(S, limit=10),
}


def steps_taken(db: sqlite3.Connection, call: Callable[[], object]) -> int:
    """Instructions of SQLite's virtual machine: a measure of work that is the same on every machine."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    db.set_progress_handler(count, 1)
    call()
    db.set_progress_handler(None, 1)
    return steps


@pytest.mark.parametrize("name", ASKING)
def test_asking_does_not_grow_with_the_votes(store: SqliteStore, name: str) -> None:
    voted(store, 60)
    store.add(Batch(duels=[duel_of(rater=1), duel_of(rater=2)]))
    taken = []
    for more in (0, 3000):
        voted(store, more)
        with store._file.reading() as db:  # the one that the pool will lend again
            connection = db.conn
        taken.append(steps_taken(connection, lambda: ASKING[name](store)))
    assert 0 < taken[1] <= taken[0]


def test_voting_does_not_grow_with_the_votes(store: SqliteStore) -> None:
    writer = store._file._writer.conn
    taken = []
    for more in (60, 3000):
        voted(store, more)
        duel = duel_of()
        asked = steps_taken(writer, lambda duel=duel: store.add(Batch(duels=[duel])))
        cast = steps_taken(writer, lambda duel=duel: store.add_vote(vote_on(duel)))
        vote = store.last_vote(S, duel.rater)
        withdrawn = steps_taken(writer, lambda vote=vote: store.withdraw_vote(vote.id, NOW))
        restored = steps_taken(writer, lambda vote=vote: store.restore_vote(vote.id, NOW))
        store.add(Batch(duels=[duel_of()]))
        released = steps_taken(writer, lambda: store.release_expired(NOW + 99 * HOUR))
        taken.append((asked, cast, withdrawn, restored, released))
    for before, after in zip(*taken, strict=True):
        assert 0 < after <= before


# -- the log -----------------------------------------------------------------------------------
def test_the_log_keeps_all_that_befell_a_vote(store: SqliteStore, path: Path) -> None:
    duel = duel_of()
    vote = vote_on(duel, comment="first thought")
    store.add(Batch(duels=[duel]))
    store.add_vote(vote)
    store.note_vote(vote.id, ("clear",), (), "second thought", NOW)
    store.withdraw_vote(vote.id, NOW)
    store.restore_vote(vote.id, NOW + HOUR)
    db = sqlite3.connect(path)
    sql = "SELECT kind, at, first_reasons, comment FROM vote_events WHERE vote = ? ORDER BY seq"
    assert db.execute(sql, (vote.id,)).fetchall() == [
        ("cast", "2026-03-01T12:01:00.123456+00:00", "[]", "first thought"),
        ("noted", "2026-03-01T12:00:00.123456+00:00", '["clear"]', "second thought"),
        ("withdrawn", "2026-03-01T12:00:00.123456+00:00", None, None),
        ("restored", "2026-03-01T13:00:00.123456+00:00", None, None),
    ]
    db.close()
