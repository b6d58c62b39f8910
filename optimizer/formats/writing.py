"""Tables and JSON lines out.

CSV starts with a byte-order mark, because Excel takes a UTF-8 file without one for Windows-1252. A text
that a spreadsheet would run as a formula gets an apostrophe before it; our own import takes it off again.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

import yaml

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # OWASP, CSV Injection
_RISKY = re.compile(f"'*[{re.escape(FORMULA_STARTS)}]")
_FIRST = frozenset(FORMULA_STARTS + "'")  # most texts are settled by their first character
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_BUFFER = 1 << 16  # characters per piece

Cell = str | int | float | bool | None


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A CSV file in pieces: byte-order mark, header, rows. Texts are guarded, numbers stay numbers."""
    buffer = StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([guarded(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(cell) for cell in row])
        if buffer.tell() > _BUFFER:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def json_lines(rows: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """One compact JSON object per line."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def guarded(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would run it; numbers are left alone.

    Texts that start with apostrophes and then such a character get one more, so that taking one
    apostrophe off gives back every text exactly.
    """
    if text[:1] in _FIRST and _RISKY.match(text) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def _cell(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return guarded(cell)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell


def yaml_text(data: object) -> str:
    """YAML in the order given, texts of several lines as blocks."""
    return yaml.dump(data, Dumper=_Readable, allow_unicode=True, sort_keys=False, width=100)


class _Readable(yaml.SafeDumper):
    """PyYAML asks for a class of its own where a type is to be written in another way."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _block)
