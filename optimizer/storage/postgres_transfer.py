"""A PostgreSQL database as one end of a transfer; rows go in by COPY."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

import json
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from optimizer.errors import StorageError
from optimizer.storage.postgres_db import sql
from optimizer.storage.postgres_rows import register
from optimizer.storage.postgres_server import connection_info
from optimizer.storage.rows import OUTPUTS
from optimizer.storage.transfer import SHAPES, Row, Shape, with_times

FETCHED_AT_ONCE = 2_000


class PostgresSide:
    """The ``Side`` protocol on a database. One connection; not for threads."""

    def __init__(self, address: str) -> None:
        self._db: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(connection_info(address))
        register(self._db)
        self._db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def last(self, shape: Shape) -> int:
        found = self._db.execute(sql(f"SELECT coalesce(max(seq), 0) FROM {shape.name}")).fetchone()
        return int(found[0]) if found else 0

    def rows(self, shape: Shape, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        some = "seq > %s" if shape.key == ("seq",) else "%s = 0"
        order = ", ".join(key if key in ("seq", "kind") else f'{key} COLLATE "C"' for key in shape.key)
        with self._db.cursor(name="rows") as cursor:
            cursor.itersize = FETCHED_AT_ONCE
            cursor.execute(
                sql(
                    f"SELECT {', '.join(shape.columns)} FROM {shape.name} "
                    f"WHERE {some} ORDER BY {order} LIMIT %s"
                ),
                (after, limit),
            )
            for row in cursor:
                yield with_times(shape, row)

    def write(self, shape: Shape, rows: Sequence[Row], whole: bool) -> bool:
        columns = shape.columns
        if shape.name == OUTPUTS.name:
            place = columns.index("settings")
            rows = [(*row, _request_hash(row[place])) for row in rows]
            columns = (*columns, "request_hash")
        self._db.commit()
        try:
            if whole:
                self._db.execute(sql(f"DELETE FROM {shape.name}"))
            with self._db.cursor().copy(sql(f"COPY {shape.name} ({', '.join(columns)}) FROM STDIN")) as copy:
                for row in rows:
                    copy.write_row(row)
            self._db.commit()
        except psycopg.errors.ForeignKeyViolation:
            self._db.rollback()
            return False
        except psycopg.Error as fault:
            self._db.rollback()
            raise StorageError(f"Rows of {shape.name} cannot be stored: {fault}.") from fault
        return True

    def finish(self) -> None:
        self._db.commit()
        self._db.execute("DELETE FROM input_counts")
        self._db.execute(
            "INSERT INTO input_counts (study, input, duels) "
            "SELECT study, input, sum(duels) FROM asked_counts GROUP BY study, input"
        )
        for shape in SHAPES:
            if shape.key == ("seq",):  # rows that come later take the numbers after those copied
                self._db.execute(
                    sql(
                        f"SELECT setval(pg_get_serial_sequence('{shape.name}', 'seq'), "
                        f"greatest(1, (SELECT max(seq) FROM {shape.name})))"
                    )
                )
        self._db.commit()
        self._db.autocommit = True
        self._db.execute("ANALYZE")  # a table that grew at once is planned for as if empty
        self._db.autocommit = False

    def close(self) -> None:
        self._db.close()


def _request_hash(settings: str) -> str | None:
    found = json.loads(settings).get("request_hash")
    return found if isinstance(found, str) else None
