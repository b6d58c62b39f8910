"""Is the database file sound? What SQLite itself finds, and all that ``checking`` looks at."""

import sqlite3
from collections.abc import Iterator

from optimizer.storage import checking
from optimizer.storage.sqlite_db import SqliteDb


def find_faults(db: SqliteDb) -> list[str]:
    """One sentence for each fault, all seen at the same moment while others may go on writing."""
    db.execute("BEGIN")
    try:
        damage = [row[0] for row in db.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
        if damage:  # no use in comparing what cannot be read
            return [f"The file is damaged: {line}. Put a backup in its place." for line in damage]
        return [*_broken_references(db), *checking.find_faults(db)]
    except sqlite3.DatabaseError as fault:
        if isinstance(fault, sqlite3.ProgrammingError):
            raise
        return [f"The file is damaged: {fault}. Put a backup in its place."]


def _broken_references(db: SqliteDb) -> Iterator[str]:
    for table, row, parent, _ in db.execute("PRAGMA foreign_key_check").fetchall():
        yield f"Row {row} of {table} refers to a row of {parent} that is not there."
