"""A connection to PostgreSQL, as ``sql`` speaks to it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, LiteralString

import psycopg

from optimizer.storage.postgres_rows import insert, values
from optimizer.storage.rows import Noun, Table, Value

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresDb:
    """The ``Db`` protocol on PostgreSQL. Statements of its own may also mark values by name, ``%(name)s``."""

    __slots__ = ("conn",)
    input_counts = True

    def __init__(self, conn: Connection) -> None:
        self.conn = conn

    def execute(
        self, statement: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        return self.conn.execute(_marked(statement), values)

    def many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        waiting = list(rows)
        if waiting:
            with self.conn.cursor() as cursor:
                cursor.executemany(_marked(statement), waiting)

    def insert(self, table: Table[Noun], nouns: Iterable[Noun]) -> None:
        self.many(insert(table), (values(table, noun) for noun in nouns))

    def among(self, statement: str, ids: Collection[str]) -> list[Any]:
        return self.execute(f"{statement} = ANY(?)", (list(ids),)).fetchall() if ids else []

    def lock(self, studies: Collection[str]) -> None:
        self.execute(
            "SELECT FROM counters WHERE study = ANY(?) ORDER BY study FOR UPDATE", (sorted(studies),)
        )


def sql(text: str) -> LiteralString:
    """A statement that is put together of names in this package only; values are always bound."""
    return text


@lru_cache(512)
def _marked(statement: str) -> LiteralString:
    """The statement with its values marked as the driver has it, and without what tells SQLite the order in
    which to join."""
    return sql(statement.replace("?", "%s").replace("CROSS JOIN", "JOIN"))
