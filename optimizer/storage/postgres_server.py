"""A PostgreSQL server: connections, transactions, what is tried again, and its errors in our words.

A connection may break at any moment: the network, a restart, a failover to a standby. Reads are simply
tried again, for ``PATIENCE_S``. A write that broke before its commit was sent has changed nothing. One
whose answer got lost may have been committed, so before it is tried again the writer says whether what
it wrote is there (``happened``): ids are random, so finding them is proof. No vote is doubled by this.

Durability. Commits wait for the disk (``synchronous_commit`` of the server, on by default), but for
handing out a duel: like SQLite's, PostgreSQL's log is in the order of commits and is flushed from its
start, so a vote on the disk has its duel there too.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from optimizer.errors import BadInput, Conflict, StorageError
from optimizer.metrics import RETRIES
from optimizer.storage.postgres_db import PostgresDb
from optimizer.storage.postgres_migrations import migrate
from optimizer.storage.postgres_rows import register

CONNECTIONS = 16  # of one process, at most; further work waits for one of them in turn
PATIENCE_S = 20.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 1.0
CONNECT_TIMEOUT_S = 5

T = TypeVar("T")
log = logging.getLogger(__name__)

# The server goes down, comes up, hands over, or asks to try again: nothing of the transaction is there.
_PASSING = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.CannotConnectNow,
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.ReadOnlySqlTransaction,
)


class Server:
    """The database behind an address. Safe for threads; not to be carried over a fork."""

    def __init__(self, address: str, connections: int = CONNECTIONS) -> None:
        """``BadInput`` for an address that is none, ``StorageError`` when nothing answers there for long."""
        self.address = connection_info(address)
        self.place = place(self.address)
        with self._translated():
            self._patiently(self._prepare)
            self._pool = ConnectionPool(
                self.address,
                min_size=1,
                max_size=connections,
                kwargs={"autocommit": True},
                configure=register,
                open=True,
                name="prompt-duel",
                timeout=PATIENCE_S,
            )

    def read(self, work: Callable[[PostgresDb], T]) -> T:
        """What the work reads. Each statement sees the last commit; it may be run more than once."""

        def attempt(_: bool) -> T:
            with self._pool.connection() as connection:
                return work(PostgresDb(connection))

        with self._translated():
            return self._patiently(attempt)

    def once(self, work: Callable[[PostgresDb], T], found: Callable[[PostgresDb], T | None]) -> T:
        """A single statement that writes, a transaction of its own. ``found`` gives the result of an earlier
        try whose answer got lost, or None when that try did nothing."""

        def attempt(again: bool) -> T:
            with self._pool.connection() as connection:
                db = PostgresDb(connection)
                done = found(db) if again else None
                return work(db) if done is None else done

        with self._translated():
            return self._patiently(attempt)

    def write(
        self,
        work: Callable[[PostgresDb], None],
        happened: Callable[[PostgresDb], bool] | None = None,
        durable: bool = True,
    ) -> None:
        """A transaction: committed at the end, undone on any error. ``happened`` says whether an earlier try,
        whose answer got lost, did its work; without it the work may be done twice."""

        def attempt(again: bool) -> None:
            with self._pool.connection() as connection:
                db = PostgresDb(connection)
                if again and happened is not None and happened(db):
                    return
                with connection.transaction():
                    if not durable:
                        db.execute("SET LOCAL synchronous_commit = off")
                    work(db)

        with self._translated():
            self._patiently(attempt)

    def close(self) -> None:
        """Close the connections; those in use when they are given back."""
        self._pool.close()

    # -- parts --------------------------------------------------------------------------------
    def _prepare(self, _: bool) -> None:
        """Bring the tables to this version, over a connection whose errors name what is wrong."""
        with psycopg.connect(self.address, autocommit=True) as db:
            migrate(db)

    def _patiently(self, attempt: Callable[[bool], T]) -> T:
        """Try until it works or patience is at an end; ``attempt`` is told whether it was tried before."""
        deadline, wait, again = time.monotonic() + PATIENCE_S, FIRST_WAIT_S, False
        while True:
            try:
                return attempt(again)
            except psycopg.OperationalError as fault:
                if not is_passing(fault) or time.monotonic() + wait > deadline:
                    raise
                log.warning("database tried again fault=%s", type(fault).__name__)
                RETRIES.inc()
            again = True
            time.sleep(wait)
            wait = min(LONGEST_WAIT_S, wait * 2)
            with suppress(AttributeError, psycopg.OperationalError):  # no pool before the first connection
                self._pool.check()  # throw away the connections that broke with this one

    def _translated(self) -> "_Translated":
        return _Translated(self.place)


class _Translated:
    """Errors of PostgreSQL as errors of ours."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: object) -> None:
        if isinstance(fault, errors.UniqueViolation):
            raise Conflict(f"It exists already: {_columns(fault)}.") from fault
        if isinstance(fault, psycopg.IntegrityError | psycopg.DataError):
            raise BadInput(f"It cannot be stored: {_first_line(fault)}.") from fault
        if isinstance(fault, psycopg.OperationalError | errors.InsufficientPrivilege):
            raise StorageError(_advice(self._where, fault)) from fault


def connection_info(address: str) -> str:
    """An address with what we want of each connection, as libpq reads it. ``BadInput`` when it is none."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.ProgrammingError as fault:
        raise BadInput(f"The address of the database cannot be read: {_first_line(fault)}.") from fault
    options = f"{given.get('options') or ''} -c TimeZone=UTC -c DateStyle=ISO".strip()
    wanted = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "prompt-duel", **given}
    # A server that vanished is noticed within half a minute, not after the hours of TCP's own patience.
    alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, **wanted}
    return make_conninfo("", **{**alive, "options": options})


def place(info: str) -> str:
    """Where a database is, without user and password."""
    given = conninfo_to_dict(info)
    host = f"{given.get('host') or given.get('hostaddr') or 'this machine'}"
    port = f":{given['port']}" if given.get("port") else ""
    return f"the database {given.get('dbname') or given.get('user') or ''!r} on {host}{port}"


def is_passing(fault: psycopg.OperationalError) -> bool:
    """Is it worth trying again? Not when the server refuses who we are or has no such database."""
    if isinstance(fault, _PASSING) or (fault.sqlstate or "").startswith("08"):
        return True
    if fault.sqlstate is not None:
        return False
    if isinstance(fault, PoolTimeout | PoolClosed):
        return False
    refused = ("authentication failed", "does not exist", "no pg_hba.conf", "no password supplied")
    return not any(words in str(fault) for words in refused)


def _columns(fault: errors.UniqueViolation) -> str:
    """From "Key (prompt, input, sample)=(...) already exists." to "outputs with this prompt, input"."""
    named = (fault.diag.message_detail or "").partition("(")[2].partition(")")[0]
    return f"{fault.diag.table_name} with this {named}"


def _first_line(fault: BaseException) -> str:
    return str(fault).partition("\n")[0].strip().rstrip(".")


def _advice(where: str, fault: psycopg.Error) -> str:
    match fault:
        case errors.DiskFull():
            return f"The disk that holds {where} is full. Nothing was changed; make room and try again."
        case errors.InsufficientPrivilege():
            return f"This user may not use {where} as needed ({_first_line(fault)}). Grant it the rights."
        case PoolClosed():
            return "The database was closed."
        case PoolTimeout():
            return (
                f"There was no free connection to {where} for {PATIENCE_S:.0f} seconds: the server is "
                "down or has too much to do. Nothing was changed; try again."
            )
    return f"Cannot use {where}: {_first_line(fault)}. What was acknowledged is kept; try again."
