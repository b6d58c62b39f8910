"""Moving a whole database from one kind of durable store to another, row by row as they are kept.

Rows go over in the order of their arrival, ``seq`` and all, some thousand to a transaction; so a transfer
that broke off goes on after the last row that is there. What is kept counted comes last, whole. Then
every table is read again on both sides and compared: the number of rows, and a SHA-256 over all values in
order. The source is read at one moment; what others change meanwhile is not in the copy.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from optimizer.errors import BadInput, Conflict, StorageError
from optimizer.storage import open_store
from optimizer.storage.rows import (
    CONNECTIONS,
    DUELS,
    INPUTS,
    OUTPUTS,
    PROMPTS,
    RATERS,
    RUBRICS,
    STUDIES,
    VOTES,
    Table,
    write_time,
)
from optimizer.storage.schema import ANSWER_COLUMNS

ROWS_AT_ONCE = 5_000
Row = tuple[Any, ...]


class Shape(NamedTuple):
    """A table as both sides have it. ``key`` is its order; those with ``seq`` go over in pieces."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("seq",)

    @property
    def times(self) -> tuple[int, ...]:
        """The places of columns that hold times."""
        return tuple(n for n, name in enumerate(self.columns) if name == "at" or name.endswith("_at"))


def _of_noun(table: Table[Any]) -> Shape:
    return Shape(table.name, ("seq", *table.columns, *table.derived))


_NOUNS: tuple[Table[Any], ...] = (STUDIES, PROMPTS, INPUTS, OUTPUTS, RATERS, RUBRICS, DUELS, VOTES)
_PAIR = ("study", "kind", "first_prompt", "second_prompt")
_CELL = ("study", "kind", "input", "first_prompt", "second_prompt")
_ASKED = ("study", "one", "other", "input")
SHAPES = (  # each after those that it refers to
    *(_of_noun(table) for table in _NOUNS),
    Shape("vote_events", ("seq", "vote", "kind", "at", "first_reasons", "second_reasons", "comment")),
    Shape("documents", ("seq", "kind", "id", "study", "body", "version", "changed_at")),
    Shape("connections", CONNECTIONS.columns, ("name",)),
    Shape("pair_counts", (*_PAIR, *ANSWER_COLUMNS), _PAIR),
    Shape("cell_counts", (*_CELL, *ANSWER_COLUMNS), _CELL),
    Shape("asked_counts", (*_ASKED, "duels"), _ASKED),
    Shape("counters", ("study", "content_version", "vote_version", "duels", "votes"), ("study",)),
)


class Side(Protocol):
    """One end of a transfer; values are those of ``rows``: text, numbers, None."""

    def last(self, shape: Shape) -> int:
        """The highest ``seq``, 0 without rows."""
        ...

    def rows(self, shape: Shape, after: int = 0, limit: int | None = None) -> Iterator[Row]:
        """In order; of tables with ``seq`` those after one, as many as ``limit`` says."""
        ...

    def write(self, shape: Shape, rows: Sequence[Row], whole: bool) -> bool:
        """Add them, in one transaction; ``whole``: in place of all that is there. False when rows refer to
        others of their own table that have not come yet, and nothing was changed."""
        ...

    def finish(self) -> None:
        """All rows are there: see to what this kind of store keeps besides."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Compared:
    """A table on both sides."""

    name: str
    rows: tuple[int, int]
    sums: tuple[str, str]

    @property
    def same(self) -> bool:
        return self.rows[0] == self.rows[1] and self.sums[0] == self.sums[1]


def open_side(address: str) -> Side:
    """The database at an address, brought to the present version first."""
    if address.startswith("memory"):
        raise BadInput("A store in memory cannot be copied: nothing else can see it.")
    open_store(address).close()
    file = _file_of(address)
    if file is None:
        from optimizer.storage.postgres_transfer import PostgresSide

        return PostgresSide(address)
    from optimizer.storage.sqlite_transfer import SqliteSide

    return SqliteSide(str(file))


def open_source(address: str) -> Side:
    """The same for what is to be copied: ``BadInput`` where there is no file, which opening would make."""
    file = _file_of(address)
    if file is not None and not file.is_file():
        raise BadInput(f"There is no database '{address}' to copy.")
    return open_side(address)


def same_file(one: str, other: str) -> bool:
    """Do both addresses mean the same SQLite file?"""
    files = _file_of(one), _file_of(other)
    return None not in files and files[0].resolve() == files[1].resolve()  # type: ignore[union-attr]


def _file_of(address: str) -> Path | None:
    """The SQLite file at an address; None where it is of another kind of store."""
    scheme, separator, rest = address.partition("://")
    if separator and scheme != "sqlite":
        return None
    return Path(rest.removeprefix("/") if separator else address)


def transfer(source: Side, target: Side, tell: Callable[[str, int], None]) -> list[Compared]:
    """Copy what is missing and compare all; ``tell`` is told the table and how many rows came over.

    Raises ``Conflict`` when the target holds something that is not the beginning of the source.
    """
    for shape in SHAPES:
        if shape.key == ("seq",):
            _check_beginning(source, target, shape)
    for shape in SHAPES:
        if shape.key == ("seq",):
            _send(source, target, shape, tell)
        else:
            rows = list(source.rows(shape))
            target.write(shape, rows, whole=True)
            tell(shape.name, len(rows))
    target.finish()
    return [_compare(source, target, shape) for shape in SHAPES]


def checksum(rows: Iterable[Row]) -> tuple[int, str]:
    """How many rows, and a SHA-256 over them in order, in hexadecimal digits."""
    count, digest = 0, hashlib.sha256()
    for row in rows:
        count += 1
        digest.update(json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
    return count, digest.hexdigest()


def with_times(shape: Shape, row: Row) -> Row:
    """The row with each time written as ``rows.write_time`` does, however the database wrote it."""
    values = list(row)
    for place in shape.times:
        if values[place] is not None:
            values[place] = write_time(datetime.fromisoformat(values[place]))
    return tuple(values)


def _check_beginning(source: Side, target: Side, shape: Shape) -> None:
    """The newest row of the target must be in the source, at the same place."""
    last = target.last(shape)
    if not last:
        return
    if list(source.rows(shape, last - 1, 1)) != list(target.rows(shape, last - 1, 1)):
        raise Conflict(
            f"The target holds {shape.name} that the source does not have, so it is no copy that broke off. "
            "Choose an empty database."
        )


def _send(source: Side, target: Side, shape: Shape, tell: Callable[[str, int], None]) -> None:
    limit = ROWS_AT_ONCE
    while rows := list(source.rows(shape, target.last(shape), limit)):
        if target.write(shape, rows, whole=False):
            tell(shape.name, len(rows))
        elif len(rows) < limit:
            raise StorageError(f"Rows of {shape.name} refer to others that are not there. Run 'check'.")
        else:
            limit *= 2  # a row refers to a later one: have both in one transaction


def _compare(source: Side, target: Side, shape: Shape) -> Compared:
    (here, ours), (there, theirs) = (checksum(side.rows(shape)) for side in (source, target))
    return Compared(shape.name, (here, there), (ours, theirs))
