"""A SQLite file as one end of a transfer."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

import sqlite3
from collections.abc import Iterator, Sequence

from optimizer.errors import StorageError
from optimizer.storage.transfer import Row, Shape, with_times


class SqliteSide:
    """The ``Side`` protocol on a file. One connection; not for threads."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._db.execute("PRAGMA foreign_keys = OFF")  # looked at when all rows are there
        self._db.execute("BEGIN")

    def last(self, shape: Shape) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(seq), 0) FROM {shape.name}").fetchone()[0])

    def rows(self, shape: Shape, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        some = "WHERE seq > ?" if shape.key == ("seq",) else "WHERE ? = 0"
        found = self._db.execute(
            f"SELECT {', '.join(shape.columns)} FROM {shape.name} {some} ORDER BY {', '.join(shape.key)} "
            "LIMIT ?",
            (after, -1 if limit is None else limit),
        )
        return (with_times(shape, row) for row in found)

    def write(self, shape: Shape, rows: Sequence[Row], whole: bool) -> bool:
        places = ", ".join("?" * len(shape.columns))
        self._db.execute("COMMIT")
        self._db.execute("BEGIN IMMEDIATE")
        if whole:
            self._db.execute(f"DELETE FROM {shape.name}")
        self._db.executemany(f"INSERT INTO {shape.name} ({', '.join(shape.columns)}) VALUES ({places})", rows)
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")
        return True

    def finish(self) -> None:
        broken = self._db.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise StorageError(f"Row {broken[1]} of {broken[0]} refers to what is not there. Run 'check'.")

    def close(self) -> None:
        self._db.close()
