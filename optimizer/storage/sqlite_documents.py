"""Documents as rows of a database file."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from optimizer.domain import StudyId
from optimizer.errors import NotFound
from optimizer.storage.database_file import DatabaseFile
from optimizer.storage.documents import Document, encoded, quicker
from optimizer.storage.rows import write_time


class SqliteDocuments:
    """The ``Documents`` protocol on a database file."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file

    def put(self, document: Document) -> Document:
        body, at = encoded(document), write_time(document.changed_at)
        with self._file.writing() as db:
            if document.version == 0:
                if db.execute("SELECT 1 FROM documents WHERE kind = ? AND id = ?", _key(document)).fetchone():
                    raise quicker(document)
                if (
                    document.study is not None
                    and not db.execute("SELECT 1 FROM studies WHERE id = ?", (document.study,)).fetchone()
                ):
                    raise NotFound(f"No study {document.study!r}.")
                db.execute(
                    "INSERT INTO documents (kind, id, study, body, version, changed_at) "
                    "VALUES (?, ?, ?, ?, 1, ?)",
                    (*_key(document), document.study, body, at),
                )
            else:
                done = db.execute(
                    "UPDATE documents SET study = ?, body = ?, version = version + 1, changed_at = ? "
                    "WHERE kind = ? AND id = ? AND version = ?",
                    (document.study, body, at, *_key(document), document.version),
                )
                if done.rowcount == 0:
                    raise quicker(document)
        return replace(document, body=json.loads(body), version=document.version + 1)

    def get(self, kind: str, id: str, fresh: bool = False) -> Document | None:
        with self._file.reading() as db:
            row = db.execute(f"{_SELECT} WHERE kind = ? AND id = ?", (kind, id)).fetchone()
        return None if row is None else _read(row)

    def all(self, kind: str, study: StudyId | None = None) -> list[Document]:
        with self._file.reading() as db:
            if study is None:
                rows = db.execute(f"{_SELECT} WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
            else:
                found = db.execute(f"{_SELECT} WHERE kind = ? AND study = ? ORDER BY seq", (kind, study))
                rows = found.fetchall()
        return [_read(row) for row in rows]

    def remove(self, document: Document) -> None:
        with self._file.writing() as db:
            done = db.execute(
                "DELETE FROM documents WHERE kind = ? AND id = ? AND version = ?",
                (*_key(document), document.version),
            )
            if done.rowcount == 0:
                raise quicker(document)


_SELECT = "SELECT kind, id, study, body, version, changed_at FROM documents"


def _read(row: tuple[Any, ...]) -> Document:
    kind, id, study, body, version, changed_at = row
    return Document(kind, id, json.loads(body), study, version, datetime.fromisoformat(changed_at))


def _key(document: Document) -> tuple[str, str]:
    return document.kind, document.id
