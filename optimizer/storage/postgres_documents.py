"""Documents as rows of PostgreSQL.

A screen reads its session and its seat some ten times in one run. What was read is therefore believed for
``BELIEVED_S``, unless it is asked for afresh; what this process writes, it knows at once. A writer who read
what another process had changed meanwhile is refused by the version, as anywhere, and reads afresh.
"""

import json
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import Any

from optimizer.domain import StudyId
from optimizer.errors import NotFound
from optimizer.storage.documents import Document, encoded, quicker
from optimizer.storage.postgres_db import PostgresDb
from optimizer.storage.postgres_server import Server
from optimizer.storage.rows import write_time

BELIEVED_S = 0.5
REMEMBERED = 10_000

_SELECT = "SELECT kind, id, study, body, version, changed_at FROM documents"


class PostgresDocuments:
    """The ``Documents`` protocol on a server. The statement that changes a version names the one before."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._read: dict[tuple[str, str], tuple[float, Document]] = {}

    def put(self, document: Document) -> Document:
        body = encoded(document)
        put = replace(document, body=json.loads(body), version=document.version + 1)

        def write(db: PostgresDb) -> None:
            if document.version == 0:
                _check_study(db, document)
                done = db.execute(
                    "INSERT INTO documents (kind, id, study, body, version, changed_at) "
                    "VALUES (%s, %s, %s, %s, 1, %s) ON CONFLICT (kind, id) DO NOTHING",
                    (*_key(document), document.study, body, write_time(document.changed_at)),
                )
            else:
                done = db.execute(
                    "UPDATE documents SET study = %s, body = %s, version = version + 1, changed_at = %s "
                    "WHERE kind = %s AND id = %s AND version = %s",
                    (
                        document.study,
                        body,
                        write_time(document.changed_at),
                        *_key(document),
                        document.version,
                    ),
                )
            if done.rowcount == 0:
                raise quicker(document)

        self._read.pop(_key(document), None)
        self._server.write(write, lambda db: _found(db, document) == put)
        self._read.pop(_key(document), None)  # another thread may have read it meanwhile
        return put

    def get(self, kind: str, id: str, fresh: bool = False) -> Document | None:
        until, known = self._read.get((kind, id), (0.0, None))
        if monotonic() < until and not fresh:
            return known
        asked = monotonic()
        found = self._server.read(lambda db: _found(db, Document(kind, id, {})))
        if found is not None:
            if len(self._read) >= REMEMBERED:
                self._read.clear()
            self._read[kind, id] = (asked + BELIEVED_S, found)
        return found

    def all(self, kind: str, study: StudyId | None = None) -> list[Document]:
        where, values = ("", (kind,)) if study is None else ("AND study = %s", (kind, study))
        statement = f"{_SELECT} WHERE kind = %s {where} ORDER BY seq"
        return [_read(row) for row in self._server.read(lambda db: db.execute(statement, values).fetchall())]

    def remove(self, document: Document) -> None:
        def write(db: PostgresDb) -> None:
            statement = "DELETE FROM documents WHERE kind = %s AND id = %s AND version = %s"
            if db.execute(statement, (*_key(document), document.version)).rowcount == 0:
                raise quicker(document)

        self._read.pop(_key(document), None)
        self._server.write(write, lambda db: _found(db, document) is None)
        self._read.pop(_key(document), None)


def _check_study(db: PostgresDb, document: Document) -> None:
    if document.study is None:
        return
    if not db.execute("SELECT 1 FROM studies WHERE id = %s", (document.study,)).fetchone():
        raise NotFound(f"No study {document.study!r}.")


def _found(db: PostgresDb, document: Document) -> Document | None:
    row = db.execute(f"{_SELECT} WHERE kind = %s AND id = %s", _key(document)).fetchone()
    return None if row is None else _read(row)


def _read(row: tuple[Any, ...]) -> Document:
    kind, id, study, body, version, changed_at = row
    return Document(kind, id, json.loads(body), study, version, datetime.fromisoformat(changed_at))


def _key(document: Document) -> tuple[str, str]:
    return document.kind, document.id
