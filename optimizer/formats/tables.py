"""Tables in: CSV and JSONL (or a JSON list) become rows of named texts, with every fault named.

CSV is read strictly: comma, semicolon or tab, whichever the header has most of; quotes doubled inside
quotes; line breaks inside quotes. Rows count as a spreadsheet shows them, the header being row 1. Our own
exports put an apostrophe before text that a spreadsheet would take for a formula; it is taken off again.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from optimizer.checks import fault_of_text
from optimizer.errors import BadFile
from optimizer.formats.base import Faults, Upload
from optimizer.formats.reading import json_of, text_of
from optimizer.formats.writing import FORMULA_STARTS

JSON_LINES = (".jsonl", ".ndjson")
# The csv module has one limit for the whole process, and a low one; ours is checked cell by cell.
csv.field_size_limit(2**31 - 1)
_GUARDED = re.compile(f"'+[{re.escape(FORMULA_STARTS)}]")


@dataclass(frozen=True, slots=True)
class Row:
    """One row; ``where`` is how a fault calls it ("Row 14"). A JSON row may lack columns."""

    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """All columns in order of appearance, and all rows that are neither blank nor faulty."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(upload: Upload, reserved: Iterable[str], faults: Faults) -> Table:
    """The file as a table. Columns that equal a ``reserved`` name but for capitals get that name.

    ``BadFile`` when there is no table at all; faults of rows and cells are added to ``faults``.
    """
    text = text_of(upload)
    if upload.name.lower().endswith((*JSON_LINES, ".json")):
        rows = list(_json_rows(_json_items(upload.name, text, faults), set(reserved), faults))
    else:
        rows = list(_csv_rows(text, upload.name, set(reserved), faults))
    if not rows and not faults:
        raise BadFile([f"'{upload.name}' has no rows."])
    columns = tuple(dict.fromkeys(column for row in rows for column in row.cells))
    return Table(columns, tuple(row for row in rows if _can_be_stored(row, faults)))


def read_records(upload: Upload, faults: Faults) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a file of another tool, with where they stand; JSON rows keep what is nested in them.

    One at a time, for there may be hundreds of thousands. ``BadFile`` when there are none. Numbers are
    their text, as written.
    """
    text = text_of(upload)
    empty = True
    if upload.name.lower().endswith((*JSON_LINES, ".json")):
        for where, item in _json_items(upload.name, text, faults):
            if isinstance(item, dict):
                empty = False
                yield where, item
            else:
                faults.add(where, "is not an object with named values")
    else:
        for row in _csv_rows(text, upload.name, set(), faults):
            empty = False
            yield row.where, row.cells
    if empty and not faults:
        raise BadFile([f"'{upload.name}' has no rows."])


def _can_be_stored(row: Row, faults: Faults) -> bool:
    """False, with faults added, when a cell of the row holds what no text may hold."""
    bad = {column: fault for column, cell in row.cells.items() if (fault := fault_of_text(cell))}
    for column, fault in bad.items():
        faults.add(f"{row.where}, column '{column}'", fault)
    return not bad


def _csv_rows(text: str, file: str, reserved: set[str], faults: Faults) -> Iterator[Row]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    columns: list[str] | None = None
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _header([_unguarded(cell) for cell in cells], file, reserved)
                continue
            row = _csv_row(f"Row {number:,}", cells, columns, faults)
            if row is not None:
                yield row
    except csv.Error as fault:
        faults.add(
            f"Row {number + 1:,} (line {reader.line_num:,})",
            f"is not CSV: {fault}. A cell with a quote in it must be quoted, the quote doubled",
        )


def _csv_row(where: str, cells: list[str], columns: list[str], faults: Faults) -> Row | None:
    width = len(columns)
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        faults.add(where, f"has {len(cells)} cells, but the header has {width}")
        return None
    for place, (column, cell) in enumerate(zip(columns, cells, strict=False), start=1):
        if not column and cell.strip():
            faults.add(where, f"has a value in column {place}, which has no name in the header")
            return None
    pairs = zip(columns, cells, strict=False)
    return Row(where, {column: _unguarded(cell) for column, cell in pairs if column})


def _header(cells: list[str], file: str, reserved: set[str]) -> list[str]:
    columns = [_known(cell.strip(), reserved) for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    twice = [
        f"Column '{column}' stands twice in the header of '{file}' (columns {columns.index(column) + 1} "
        f"and {place})."
        for place, column in enumerate(columns, start=1)
        if column and columns.index(column) + 1 < place
    ]
    if twice:
        raise BadFile(twice)
    return columns


def _json_items(file: str, text: str, faults: Faults) -> Iterator[tuple[str, Any]]:
    """JSON rows, as lines or, where the file starts with a bracket, as one list."""
    if file.lower().endswith(".json") or text.lstrip().startswith("["):
        return _json_list(text, file)
    return _json_lines(text, faults)


def _json_lines(text: str, faults: Faults) -> Iterator[tuple[str, Any]]:
    # Not splitlines: a JSON text may hold the other characters that it takes for line ends.
    for number, line in enumerate(StringIO(text, newline="\n"), start=1):
        if line.strip():
            where = f"Line {number:,}"
            try:
                yield where, json_of(line.removesuffix("\n"), where)
            except BadFile as fault:
                for sentence in fault.faults:
                    faults.add_sentence(sentence)


def _json_list(text: str, file: str) -> Iterator[tuple[str, Any]]:
    data = json_of(text, f"'{file}'")
    if not isinstance(data, list):
        raise BadFile([f"'{file}' is not a list of rows: it must start with [."])
    for number, row in enumerate(data, start=1):
        yield f"Item {number:,}", row


def _json_rows(items: Iterable[tuple[str, Any]], reserved: set[str], faults: Faults) -> Iterator[Row]:
    """Objects of texts. An object named "variables" is taken apart, a list named "tags" is joined."""
    for where, item in items:
        if not isinstance(item, dict):
            faults.add(where, "is not an object with named values")
            continue
        nested = item.get("variables")
        if isinstance(nested, dict):
            item = {name: value for name, value in item.items() if name != "variables"} | nested
        cells: dict[str, str] = {}
        for name, value in item.items():
            column = _known(name.strip(), reserved)
            cell = _json_cell(column, value)
            if cell is None:
                faults.add(f"{where}, column '{column}'", f"holds a {type(value).__name__}, not a text")
            elif value is not None:
                cells[column] = cell
        yield Row(where, cells)


def _json_cell(column: str, value: object) -> str | None:
    """The text of a value, or None when it has none. Numbers are their text already."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if column == "tags" and isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        return ";".join(value)
    return "" if value is None else None


def _known(column: str, reserved: set[str]) -> str:
    return column.casefold() if column.casefold() in reserved else column


def _delimiter(text: str) -> str:
    header = re.sub(r'"[^"]*"', "", text.lstrip().split("\n", 1)[0])
    return max(",;\t", key=header.count)


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _GUARDED.match(cell) else cell
