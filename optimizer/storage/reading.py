"""Rows of a database as nouns: what the reading half of a store is made of."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from optimizer.domain import StudyId
from optimizer.storage.adding import CELL, PAIR, get, load
from optimizer.storage.rows import (
    DUELS,
    INPUTS,
    OUTPUTS,
    PROMPTS,
    RATERS,
    RUBRICS,
    STUDIES,
    VOTES,
    Noun,
    Table,
    Value,
)
from optimizer.storage.schema import ANSWER_COLUMNS
from optimizer.storage.sql import Db

T = TypeVar("T")
_TABLES: Sequence[Table[Any]] = (STUDIES, PROMPTS, INPUTS, OUTPUTS, RATERS, VOTES, RUBRICS, DUELS)


class Reads(Protocol):
    """Whoever lends a connection for reading."""

    def read(self, work: Callable[[Db], T]) -> T: ...


class Rows:
    """Reads nouns; each method is one statement, and a second one only where nothing was found."""

    def __init__(self, database: Reads) -> None:
        self._database = database

    def get(self, table: Table[Noun], id: str) -> Noun:
        return self._database.read(lambda db: get(db, table, id))

    def of(self, study: StudyId, statement: str, *values: Value) -> list[Any]:
        """Rows of a study; finding none, make sure that there is such a study."""

        def work(db: Db) -> list[Any]:
            rows = db.execute(statement, values).fetchall()
            if not rows:
                get(db, STUDIES, study)
            return rows

        return self._database.read(work)

    def nouns_of(self, study: StudyId, table: Table[Noun], where: str, *values: Value) -> list[Noun]:
        statement = f"SELECT {table.listed()} FROM {table.name} WHERE {where}"
        return [table.read(row) for row in self.of(study, statement, *values)]

    def nouns(self, table: Table[Noun], rest: str, *values: Value) -> list[Noun]:
        statement = f"SELECT {table.listed()} FROM {table.name} {rest}"
        rows = self._database.read(lambda db: db.execute(statement, values).fetchall())
        return [table.read(row) for row in rows]


def has(db: Db, *some: Sequence[Any]) -> bool:
    """Is the first of these nouns stored? A batch is stored whole or not at all."""
    for noun in (noun for nouns in some for noun in nouns):
        table = next(table for table in _TABLES if isinstance(noun, table.kind))
        return bool(load(db, table, [noun.id]))
    return False


def _counts(table: str, key: Sequence[str]) -> str:
    """The kept counts of one study, in order of their keys."""
    names = ", ".join(name for name in key if name != "study")
    return f"SELECT {names}, {', '.join(ANSWER_COLUMNS)} FROM {table} WHERE study = ? ORDER BY {names}"


PAIR_COUNTS = _counts("pair_counts", PAIR)
CELL_COUNTS = _counts("cell_counts", CELL)


def matching(**wanted: str | None) -> tuple[str, list[str]]:
    """A condition on columns, those that are None left out, and its values."""
    given = {column: value for column, value in wanted.items() if value is not None}
    return " AND ".join(f"{column} = ?" for column in given), list(given.values())
