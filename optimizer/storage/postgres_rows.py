"""Text as PostgreSQL keeps it, and the statements that put nouns into tables.

PostgreSQL keeps every character but NUL. Where a text holds one, it is written as a character that
Unicode assigns to nothing and a digit; that character itself likewise, so each text reads back as it was.
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

import json
import re
from collections.abc import Sequence
from typing import Any

from psycopg.abc import AdaptContext, Buffer
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_loads
from psycopg.types.string import StrDumperUnknown, TextLoader

from optimizer.domain import Output
from optimizer.storage.rows import OUTPUTS, Noun, Table, Value

ESCAPE = "\ufdd0"
_ESCAPED = re.compile(f"{ESCAPE}([01])")


def escaped(text: str) -> str:
    """The text without NUL."""
    if "\0" not in text and ESCAPE not in text:
        return text
    return text.replace(ESCAPE, f"{ESCAPE}1").replace("\0", f"{ESCAPE}0")


def unescaped(text: str) -> str:
    """What was escaped."""
    if ESCAPE not in text:
        return text
    return _ESCAPED.sub(lambda found: "\0" if found[1] == "0" else ESCAPE, text)


class _Text(StrDumperUnknown):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escaped(obj))


class _LoadText(TextLoader):
    def load(self, data: Buffer) -> str:
        return unescaped(str(super().load(data)))


class _LoadTime(TimestamptzLoader):
    """Times stay text, which ``optimizer.storage.rows`` reads, as in every other store."""

    def load(self, data: Buffer) -> Any:
        return bytes(data).decode()


def _load_json(data: str | bytes) -> Any:
    text = data if isinstance(data, str) else data.decode()
    return json.loads(text) if ESCAPE not in text else _restored(json.loads(text))


def _restored(value: Any) -> Any:
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, list):
        return [_restored(part) for part in value]
    if isinstance(value, dict):
        return {unescaped(key): _restored(part) for key, part in value.items()}
    return value


def register(context: AdaptContext) -> None:
    """Have a connection write and read as this file says."""
    context.adapters.register_dumper(str, _Text)
    context.adapters.register_loader("text", _LoadText)
    context.adapters.register_loader("timestamptz", _LoadTime)
    set_json_loads(_load_json, context)


def insert(table: Table[Noun]) -> str:
    """The statement that adds a noun; its values are those of ``values``."""
    names = columns(table)
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"


def columns(table: Table[Noun]) -> tuple[str, ...]:
    """The columns that a noun fills."""
    names = (*table.columns, *table.derived)
    return (*names, "request_hash") if table.name == OUTPUTS.name else names


def values(table: Table[Noun], noun: Noun) -> Sequence[Value]:
    """One for each of ``columns``."""
    written = table.write(noun)
    if not isinstance(noun, Output):
        return written
    request = noun.settings.get("request_hash")
    return (*written, request if isinstance(request, str) else None)


def as_json(table: Table[Noun], prefix: str) -> str:
    """SQL for a JSON array of the noun's columns, for ``table.read``."""
    return f"json_build_array({table.listed(prefix)})"
