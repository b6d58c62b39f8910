"""Tasks as documents. Orders and plans are written field by field and read by their annotations."""

import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from optimizer.errors import BadInput
from optimizer.storage.documents import Document
from optimizer.work.nouns import KINDS, Kind, Status, Task

KIND = "task"
_TYPES = {kind: noun for noun, kind in KINDS.items()}


def document_of(task: Task) -> Document:
    body = {
        "what": {"kind": task.kind.value, **asdict(task.what)},
        "status": asdict(task.status),
        "cancel": task.cancel,
        "worker": task.worker,
        "run": task.run,
        "asked_at": task.asked_at.isoformat(),
    }
    return Document(KIND, task.id, body, task.study, task.version)


def task_of(document: Document) -> Task:
    """The task as it was written."""
    body = document.body
    return Task(
        document.id,
        read(_TYPES[Kind(body["what"]["kind"])], body["what"]),
        read(Status, body["status"]),
        body["cancel"],
        body["worker"],
        body["run"],
        datetime.fromisoformat(body["asked_at"]),
        document.version,
    )


def read(wanted: Any, value: Any) -> Any:
    """A value of JSON as a value of an annotated type: dataclasses, named tuples, tuples, closed sets."""
    if isinstance(wanted, NewType):
        return read(wanted.__supertype__, value)
    if get_origin(wanted) in (Union, types.UnionType):
        if value is None and type(None) in get_args(wanted):
            return None
        return read(next(one for one in get_args(wanted) if one is not type(None)), value)
    if get_origin(wanted) is tuple:
        return tuple(read(get_args(wanted)[0], part) for part in value)
    if is_dataclass(wanted):
        return _noun(wanted, value)
    if isinstance(wanted, type) and issubclass(wanted, tuple):  # a named tuple is a list in JSON
        kinds = get_type_hints(wanted).values()
        return wanted(*(read(kind, part) for kind, part in zip(kinds, value, strict=True)))
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return wanted(value)
    return value


def _noun(wanted: Any, value: Mapping[str, Any]) -> Any:
    hints = get_type_hints(wanted)
    known = {one.name for one in fields(wanted)}
    try:
        return wanted(**{name: read(hints[name], part) for name, part in value.items() if name in known})
    except (TypeError, ValueError) as fault:
        raise BadInput(f"A task cannot be read: {fault}. It was kept by another version.") from fault
