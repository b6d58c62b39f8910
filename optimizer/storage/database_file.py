"""One SQLite file: its connections, its transactions, and its errors in our words.

All writes of a process go through one connection behind a lock: SQLite's own waiting is unfair (tails of
seconds with eight writers), a lock is not. Other processes are waited for by SQLite, at most
``BUSY_SECONDS``. Readers never wait: each takes an idle connection or opens one, and WAL shows it the
last commit.

Durability. In WAL mode ``synchronous=NORMAL`` commits survive a crash of the process but not power loss,
and cost no fsync; ``FULL`` fsyncs the WAL at commit. Frames of the WAL are in the order of commits and
recovery reads them from the start up to the last whole commit; the fsync is of the whole file, whichever
connection or process wrote it. So a FULL commit makes durable every commit before it, and a checkpoint
fsyncs the WAL before it moves anything: a vote that survives cannot lose the duel that it answers, even
though handing out a duel is committed with NORMAL. A duel that nobody answered may be lost in a power
cut; it is asked again.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Full, LifoQueue
from threading import Lock
from time import monotonic, sleep
from typing import TypeVar

from sqlite_utils import Database

from optimizer.errors import BadInput, Conflict, StorageError
from optimizer.storage.migrations import migrate, refuse_foreign
from optimizer.storage.sqlite_db import SqliteDb

BUSY_SECONDS = 30.0
IDLE_READERS = 8
WRITER_CACHE_KIB = 64 * 1024  # at most; an import of 100,000 votes touches pages of every index
T = TypeVar("T")


class DatabaseFile:
    """An open database. Safe for threads; not to be carried over a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._idle: LifoQueue[Database] = LifoQueue(IDLE_READERS)
        self._closed = False
        with _translated(self.path):
            self._writer = self._connect()
            try:
                refuse_foreign(self._writer)
                self._enable_wal()
                migrate(self._writer)
                self._writer.execute(f"PRAGMA cache_size = {-WRITER_CACHE_KIB}")
                self._synchronous = ""
                self._schema_version = self._read_schema_version()
            except BaseException:
                self._writer.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[SqliteDb]:
        """A connection that only reads. Each statement sees the last commit; for several that must agree,
        begin a transaction."""
        with _translated(self.path):
            db = self._take_reader()
            try:
                yield SqliteDb(db.conn)
            finally:
                db.rollback()  # does nothing where no transaction is open
                self._give_back(db)

    def read(self, work: Callable[[SqliteDb], T]) -> T:
        """What the work reads, on such a connection."""
        with self.reading() as db:
            return work(db)

    @contextmanager
    def writing(self, durable: bool = True, referring: bool = True) -> Iterator[SqliteDb]:
        """A write transaction: committed at the end, undone on any error. ``durable``: against power loss.

        Not ``referring``: the caller looked at every reference itself, and the database need not again.
        """
        with self._lock, _translated(self.path):
            if self._closed:
                raise StorageError("The database was closed.")
            db = self._writer
            synchronous = "FULL" if durable else "NORMAL"
            if synchronous != self._synchronous:  # cannot be changed within a transaction
                db.execute(f"PRAGMA synchronous = {synchronous}")
                self._synchronous = synchronous
            if not referring:  # cannot be changed within a transaction, either
                db.execute("PRAGMA foreign_keys = OFF")
            db.execute("BEGIN IMMEDIATE")
            try:
                self._refuse_if_upgraded()
                yield SqliteDb(db.conn)
                db.execute("COMMIT")
            except BaseException:
                db.rollback()
                raise
            finally:
                if not referring:
                    db.execute("PRAGMA foreign_keys = ON")

    def backup(self, target: Path) -> None:
        """Copy what is committed now; in one step, so that writers go on and the copy is consistent."""
        if target.exists():
            raise Conflict(f"{target} exists already. Choose another name, or remove it first.")
        partial = target.with_name(f"{target.name}.partial")  # so that half a copy never has the name
        with self.reading() as db, _translated(partial):
            try:
                partial.unlink(missing_ok=True)
                copy = sqlite3.connect(partial)
                try:
                    db.conn.backup(copy, pages=-1)
                finally:
                    copy.close()
                partial.rename(target)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise

    def close(self) -> None:
        """Close the connections; those in use by readers when they are given back."""
        with self._lock:
            self._closed = True
            self._writer.close()
            with suppress(Empty):
                while True:
                    self._idle.get_nowait().close()

    def _connect(self) -> Database:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
        )
        db = Database(connection, execute_plugins=False)
        db.execute("PRAGMA foreign_keys = ON")
        return db

    def _enable_wal(self) -> None:
        # Two processes that open a new file at once: one is refused without waiting, so ask again.
        deadline = monotonic() + BUSY_SECONDS
        while True:
            try:
                mode = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                break
            except sqlite3.OperationalError as fault:
                if fault.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                    raise
                sleep(0.01)
        if mode != "wal":
            raise StorageError(
                f"The folder of {self.path} cannot hold a database that several programs share (network "
                "drives often cannot). Choose a folder on a local disk."
            )

    def _refuse_if_upgraded(self) -> None:
        """Another process may have brought the file to a schema that this version does not know."""
        version = self._read_schema_version()
        if version != self._schema_version:
            refuse_foreign(self._writer)
            self._schema_version = version

    def _read_schema_version(self) -> int:
        return int(self._writer.execute("PRAGMA schema_version").fetchone()[0])

    def _take_reader(self) -> Database:
        if self._closed:
            raise StorageError("The database was closed.")
        try:
            return self._idle.get_nowait()
        except Empty:
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
            return db

    def _give_back(self, db: Database) -> None:
        try:
            if self._closed:
                raise Full
            self._idle.put_nowait(db)
        except Full:
            db.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Errors of SQLite and of the file system as errors of ours."""
    try:
        yield
    except sqlite3.IntegrityError as fault:
        if fault.sqlite_errorcode in (
            sqlite3.SQLITE_CONSTRAINT_UNIQUE,
            sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
        ):
            raise Conflict(f"It exists already: {_columns(fault)}.") from fault
        raise BadInput(f"It cannot be stored: {fault}.") from fault
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as fault:
        if isinstance(fault, sqlite3.ProgrammingError | sqlite3.NotSupportedError):
            raise  # a mistake in this program, not in the file
        raise StorageError(_advice(path, fault)) from fault
    except OSError as fault:
        raise StorageError(f"{path} cannot be written: {fault.strerror}.") from fault


def _columns(fault: sqlite3.IntegrityError) -> str:
    """From "UNIQUE constraint failed: outputs.prompt, outputs.input" to "outputs with this prompt, input"."""
    columns = str(fault).partition(": ")[2].split(", ")
    return f"{columns[0].partition('.')[0]} with this {', '.join(c.partition('.')[2] for c in columns)}"


def _advice(path: Path, fault: sqlite3.Error) -> str:
    code = getattr(fault, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # without the extended part
    if not path.parent.is_dir():
        return f"There is no folder {path.parent} to hold the database. Make it first, or choose another."
    match code:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return (
                f"{path} has been in use by another program for {BUSY_SECONDS:.0f} seconds. Nothing was "
                "changed; close the other program, or try again."
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{path} is damaged or no database ({fault}). Put a backup in its place."
        case sqlite3.SQLITE_FULL:
            return f"The disk that holds {path} is full. Nothing was changed; make room and try again."
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return f"{path} cannot be opened for writing. Check who may write to its folder."
    return f"{path}: {fault}."
