"""What hosts and background work note beside the vote log: sessions, proposals, rounds, runs.

A document is a small JSON object of one kind under an id of its own, perhaps of one study. Its kind's
service reads and writes the body; stores only keep it. The version makes several writers safe, in one
process or in many: whoever writes says which version they read, and is refused when another was quicker.
Votes never depend on documents.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import RLock
from typing import Any, Protocol

from optimizer.domain import StudyId, utc_now
from optimizer.errors import BadInput, Conflict, NotFound

MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object as it is kept; ``version`` is 0 until it is stored, then counts its writes."""

    kind: str
    id: str
    body: Mapping[str, Any]
    study: StudyId | None = None
    version: int = 0
    changed_at: datetime = field(default_factory=utc_now)


class Documents(Protocol):
    """Kept by every store as ``store.documents``; the contract tests check what is promised here."""

    def put(self, document: Document) -> Document:
        """Store it, durable on return, as the version after the one that it names; returns it as stored.
        ``Conflict`` when the stored version is another one, or none; ``NotFound`` without its study."""
        ...

    def get(self, kind: str, id: str, fresh: bool = False) -> Document | None:
        """As it was half a second ago or later; ``fresh``: as it is now, whoever changed it."""
        ...

    def all(self, kind: str, study: StudyId | None = None) -> list[Document]:
        """Of one kind, and of one study if given, in the order in which they were first put."""
        ...

    def remove(self, document: Document) -> None:
        """Forget it. ``Conflict`` when the stored version is another one, or none."""
        ...


def encoded(document: Document) -> str:
    """The body as JSON. ``BadInput`` when it is none, or too long, or the time has no zone."""
    if document.changed_at.utcoffset() is None:
        raise BadInput(f"The time of the {document.kind} '{document.id}' has no zone.")
    try:
        text = json.dumps(dict(document.body), ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError) as fault:
        raise BadInput(f"The {document.kind} '{document.id}' cannot be kept as JSON: {fault}.") from fault
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"The {document.kind} '{document.id}' is longer than {MOST_CHARACTERS:,} characters.")
    return text


def quicker(document: Document) -> Conflict:
    """What a writer is told who did not read the latest version."""
    return Conflict(f"The {document.kind} '{document.id}' was changed meanwhile. Look at it and try again.")


class MemoryDocuments:
    """Documents in a dictionary, behind the store's lock."""

    def __init__(self, lock: RLock, studies: Mapping[StudyId, object]) -> None:
        self._lock = lock
        self._studies = studies
        self._all: dict[tuple[str, str], Document] = {}

    def put(self, document: Document) -> Document:
        body = json.loads(encoded(document))
        with self._lock:
            if document.study is not None and document.study not in self._studies:
                raise NotFound(f"No study {document.study!r}.")
            self._check(document)
            kept = replace(document, body=body, version=document.version + 1)
            self._all[document.kind, document.id] = kept
            return kept

    def get(self, kind: str, id: str, fresh: bool = False) -> Document | None:
        with self._lock:
            return self._all.get((kind, id))

    def all(self, kind: str, study: StudyId | None = None) -> list[Document]:
        with self._lock:
            return [one for one in self._all.values() if one.kind == kind and study in (None, one.study)]

    def remove(self, document: Document) -> None:
        with self._lock:
            self._check(document)
            if self._all.pop((document.kind, document.id), None) is None:
                raise quicker(document)

    def _check(self, document: Document) -> None:
        known = self._all.get((document.kind, document.id))
        if (known.version if known else 0) != document.version:
            raise quicker(document)
