"""Calls of models, of all replicas and workers on one database: limits of connections, and accounts.

Whoever calls holds a row until the call is over, and renews what it holds every few seconds. A process
that dies stops renewing: its place among the calls is free again after ``LEASE_S``, and what it had set
aside of a budget counts as spent, for nobody can tell what became of its calls.
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple

from optimizer.domain import Connection, new_id
from optimizer.errors import StorageError
from optimizer.llm.budget import Budget, Spend
from optimizer.llm.errors import CallCancelled
from optimizer.storage.postgres_db import PostgresDb
from optimizer.storage.postgres_server import Server

CONNECTIONS = 4  # beside those of the store: each piece of work here takes a millisecond or two
LEASE_S = 8
RENEWED_EVERY_S = 2.0
POLL_S = 0.1
WINDOW_S = 60
_SPEND = "calls, input_tokens, output_tokens, money"
_SUM = ", ".join(f"coalesce(sum({name}), 0)" for name in _SPEND.split(", "))
_UNTIL = f"clock_timestamp() + interval '{LEASE_S} seconds'"


class PostgresCalls:
    """The ``Sharing`` protocol on a database. Safe for threads."""

    def __init__(self, address: str) -> None:
        self._server = Server(address, CONNECTIONS)
        self._holder = new_id()
        self._closed = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="renew-calls", daemon=True)
        self._renewing.start()

    def gate(self, connection: Connection) -> "PostgresGate":
        return PostgresGate(self._server, self._holder, connection)

    def book(self, account: str, before: Callable[[], Spend]) -> "PostgresBook":
        known = self._server.read(
            lambda db: db.execute("SELECT 1 FROM accounts WHERE id = %s", (account,)).fetchone()
        )
        if not known:
            values = (account, *astuple(before()))
            self._server.write(
                lambda db: _run(
                    db,
                    f"INSERT INTO accounts (id, {_SPEND}) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    values,
                )
            )
        return PostgresBook(self._server, self._holder, account)

    def alone(self, what: str, cancelled: threading.Event) -> Callable[[], None]:
        """One output is not paid for by two replicas that foresee the same duel."""
        take = (
            f"INSERT INTO claims (name, holder, held_until) VALUES (%s, %s, {_UNTIL}) ON CONFLICT (name) "
            "DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until "
            "WHERE claims.held_until <= clock_timestamp() RETURNING name"
        )
        mine = "SELECT name FROM claims WHERE name = %s AND holder = %s"
        values = (what, self._holder)
        while not self._server.once(
            lambda db: db.execute(take, values).fetchone(),
            lambda db: db.execute(mine, values).fetchone(),
        ):
            if cancelled.wait(POLL_S):
                raise CallCancelled("Cancelled before the call was made.")
        leave = "DELETE FROM claims WHERE name = %s AND holder = %s"

        def end() -> None:
            with suppress(StorageError):  # then the lease ends it
                self._server.write(lambda db: _run(db, leave, values), durable=False)

        return end

    def close(self) -> None:
        self._closed.set()
        self._renewing.join(2 * RENEWED_EVERY_S)
        self._server.close()

    def _renew(self) -> None:
        def work(db: PostgresDb) -> None:
            for table in ("calls", "holds", "claims"):
                _run(
                    db,
                    f"UPDATE {table} SET held_until = {_UNTIL} WHERE holder = %s AND held_until IS NOT NULL",
                    (self._holder,),
                )

        while not self._closed.wait(RENEWED_EVERY_S):
            with suppress(StorageError):  # the next time will do; calls in flight go on
                self._server.write(work, durable=False)


class PostgresGate:
    """The ``Gate`` of one connection: at once, per minute, tokens per minute."""

    def __init__(self, server: Server, holder: str, connection: Connection) -> None:
        self._server = server
        self._holder = holder
        self._connection = connection

    @contextmanager
    def passed(self, tokens: int, cancelled: threading.Event) -> Iterator[Callable[[int], None]]:
        while (call := self._enter(tokens)) is None:
            if cancelled.wait(POLL_S):
                raise CallCancelled("Cancelled before the call was made.")
        took = tokens

        def tell(real: int) -> None:
            nonlocal took
            took = real

        try:
            yield tell
        finally:
            leave = "UPDATE calls SET held_until = NULL, tokens = %s WHERE id = %s"
            self._server.write(lambda db: _run(db, leave, (took, call)), durable=False)

    def _enter(self, tokens: int) -> int | None:
        """The number of the call, or None while there is no room for it."""
        one = self._connection
        entered: list[int] = []

        def work(db: PostgresDb) -> None:
            _run(db, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"calls of {one.name}",))
            row = db.execute(
                "SELECT count(*) FILTER (WHERE held_until > clock_timestamp()), "
                "count(*) FILTER (WHERE lately), coalesce(sum(tokens) FILTER (WHERE lately), 0) "
                "FROM (SELECT *, "
                f"started_at > clock_timestamp() - interval '{WINDOW_S} seconds' AS lately "
                "FROM calls WHERE connection = %s) c",
                (one.name,),
            ).fetchone()
            running, lately, used = row or (0, 0, 0)
            full = running >= one.concurrency
            often = one.requests_per_minute is not None and lately >= one.requests_per_minute
            much = one.tokens_per_minute is not None and lately > 0 and used + tokens > one.tokens_per_minute
            entered.clear()
            if full or often or much:
                return
            _run(
                db,
                "DELETE FROM calls WHERE connection = %s AND coalesce(held_until, started_at) "
                f"< clock_timestamp() - interval '{2 * WINDOW_S} seconds'",
                (one.name,),
            )
            found = db.execute(
                "INSERT INTO calls (connection, holder, started_at, held_until, tokens) "
                f"VALUES (%s, %s, clock_timestamp(), {_UNTIL}, %s) RETURNING id",
                (one.name, self._holder, tokens),
            ).fetchone()
            entered.append(int(found[0]) if found else 0)

        self._server.write(work, durable=False)
        return entered[0] if entered else None


class PostgresBook:
    """The ``Book`` of one account. Everything is durable: a crash cannot give back what was spent."""

    def __init__(self, server: Server, holder: str, account: str) -> None:
        self._server = server
        self._holder = holder
        self._account = account

    def spent(self) -> Spend:
        return self._server.read(lambda db: self._sums(db)[0])

    def hold(self, budget: Budget, most: Spend) -> int | None:
        held: list[int] = []

        def work(db: PostgresDb) -> None:
            _run(db, "SELECT FROM accounts WHERE id = %s FOR UPDATE", (self._account,))
            spent, in_flight = self._sums(db)
            held.clear()
            if not budget.holds(spent + in_flight + most):
                return
            found = db.execute(
                f"INSERT INTO holds (account, holder, held_until, {_SPEND}) "
                f"VALUES (%s, %s, {_UNTIL}, %s, %s, %s, %s) RETURNING id",
                (self._account, self._holder, *astuple(most)),
            ).fetchone()
            held.append(int(found[0]) if found else 0)

        self._server.write(work)
        return held[0] if held else None

    def settle(self, number: int, took: Spend) -> None:
        def work(db: PostgresDb) -> None:
            if db.execute("DELETE FROM holds WHERE id = %s", (number,)).rowcount:
                self._add(db, took)

        self._server.write(work)

    def note(self, took: Spend) -> None:
        self._server.write(lambda db: self._add(db, took))

    def _add(self, db: PostgresDb, took: Spend) -> None:
        added = ", ".join(f"{name} = {name} + %s" for name in _SPEND.split(", "))
        _run(db, f"UPDATE accounts SET {added} WHERE id = %s", (*astuple(took), self._account))

    def _sums(self, db: PostgresDb) -> tuple[Spend, Spend]:
        """What was spent, with what the dead had set aside; and what the living have."""
        row = db.execute(
            f"SELECT {_SPEND}, (SELECT ARRAY[{_SUM}] FROM holds WHERE account = a.id "
            f"AND held_until <= clock_timestamp()), (SELECT ARRAY[{_SUM}] FROM holds "
            "WHERE account = a.id AND held_until > clock_timestamp()) FROM accounts a WHERE id = %s",
            (self._account,),
        ).fetchone()
        if row is None:
            raise StorageError(f"There is no account {self._account!r}.")
        settled, lost, living = Spend(*row[:4]), row[4], row[5]
        return settled + _spend(lost), _spend(living)


def _spend(sums: list[float]) -> Spend:
    calls, into, out, money = sums
    return Spend(int(calls), int(into), int(out), float(money))


def _run(db: PostgresDb, statement: str, values: tuple[object, ...]) -> None:
    db.execute(statement, values)
