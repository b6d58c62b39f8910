"""Documents that are put in place of what is there, whatever it was: one person's, or one thing's."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from optimizer.domain import StudyId
from optimizer.errors import Conflict
from optimizer.storage.base import Store
from optimizer.storage.documents import Document

RACES = 50  # writes that others may get in the way of


def write_over(
    store: Store, kind: str, id: str, body: Mapping[str, object], now: datetime, study: StudyId | None = None
) -> None:
    """Keep this body, unless it is kept already."""
    for _ in range(RACES):
        known = store.documents.get(kind, id)
        if known is not None and known.body == body:
            return
        with suppress(Conflict):
            version = 0 if known is None else known.version
            store.documents.put(Document(kind, id, body, study, version, now))
            return
    raise Conflict("Somebody else is changing this at the same time. Try again.")
