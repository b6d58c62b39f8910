"""The SQL in which both kinds of database are written to and checked: one text for SQLite and PostgreSQL.

Values are marked by ``?``. What the two databases say differently is a method of ``Db``; what only one of
them can do stands in a file that bears its name.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

from optimizer.storage.rows import Noun, Table, Value


class Found(Protocol):
    """What a statement found or did: a cursor of either driver."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Db(Protocol):
    """A connection, within a transaction where something is written.

    ``input_counts``: is the table of that name kept? SQLite sums ``asked_counts`` as quickly.
    """

    @property
    def input_counts(self) -> bool: ...

    def execute(self, statement: str, values: Sequence[Value] = ()) -> Found: ...

    def many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """The statement once for each row."""
        ...

    def insert(self, table: Table[Noun], nouns: Iterable[Noun]) -> None: ...

    def among(self, statement: str, ids: Collection[str]) -> list[Any]:
        """The rows of a statement that ends with the name of a column, where that is one of the ids."""
        ...

    def lock(self, studies: Collection[str]) -> None:
        """Take the write locks of these studies, always in the same order; held to the end of the
        transaction."""
        ...
