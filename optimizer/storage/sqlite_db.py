"""A connection to a database file, as ``sql`` speaks to it."""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from optimizer.storage.rows import Noun, Table, Value, write_json


class SqliteDb:
    """The ``Db`` protocol on SQLite."""

    __slots__ = ("conn",)
    input_counts = False

    def __init__(self, conn: sqlite3.Connection) -> None:
        self.conn = conn

    def execute(self, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        return self.conn.execute(statement, values)

    def many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        self.conn.executemany(statement, rows)

    def insert(self, table: Table[Noun], nouns: Iterable[Noun]) -> None:
        self.many(table.insert, map(table.write, nouns))

    def among(self, statement: str, ids: Collection[str]) -> list[Any]:
        if not ids:
            return []
        statement += " IN (SELECT value FROM json_each(?))"
        return self.execute(statement, (write_json(list(ids)),)).fetchall()

    def lock(self, studies: Collection[str]) -> None:
        """Nothing to do: a transaction that writes holds the lock of the whole file."""
