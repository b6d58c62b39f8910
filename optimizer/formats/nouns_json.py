"""Any noun as a JSON object and back, field by field; what a field holds follows from its type."""

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from enum import StrEnum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from optimizer.domain import Settings

Noun = TypeVar("Noun")
Reader = Callable[[Any], Any]


def to_json(noun: object) -> dict[str, object]:
    """Every field by its name; times in ISO 8601."""
    return {f.name: _plain(getattr(noun, f.name)) for f in fields(noun)}  # type: ignore[arg-type]


def from_json(kind: type[Noun], row: Mapping[str, object]) -> Noun:
    """The noun of a row. ``ValueError`` names a field that is missing, unknown or of another type."""
    readers = _readers(cast(Hashable, kind))
    values: dict[str, object] = {}
    for name, value in row.items():
        if name not in readers:
            raise ValueError(f"has a field '{name}' that is unknown here")
        try:
            values[name] = readers[name](value)
        except (TypeError, ValueError) as fault:
            raise ValueError(f"has a wrong '{name}': {fault}") from fault
    missing = [f"'{name}'" for name in _required(cast(Hashable, kind)) if name not in values]
    if missing:
        raise ValueError(f"lacks {', '.join(missing)}")
    return kind(**values)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Settings):
        return asdict(value)
    return dict(value) if isinstance(value, Mapping) else value


@cache
def _readers(kind: Any) -> dict[str, Reader]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items() if name in _names(kind)}


@cache
def _required(kind: Any) -> tuple[str, ...]:
    """The fields that a noun cannot be made without."""
    return tuple(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)


def _names(kind: type) -> set[str]:
    return {f.name for f in fields(kind)}


def _reader(hint: Any) -> Reader:
    """How a value of this type is read from JSON."""
    if isinstance(hint, NewType):
        return _reader(hint.__supertype__)
    if get_origin(hint) in (Union, UnionType):
        (inner,) = [_reader(arg) for arg in get_args(hint) if arg is not NoneType]
        return lambda value: None if value is None else inner(value)
    if get_origin(hint) is tuple:
        return _strings
    if get_origin(hint) is not None:
        return partial(_of, dict)
    if issubclass(hint, StrEnum):
        return hint  # type: ignore[no-any-return]
    return {datetime: _time, Settings: _settings, float: _number}.get(hint, partial(_of, hint))


def _of(kind: type, value: object) -> object:
    if type(value) is not kind:
        raise TypeError(f"{value!r:.60} is not of type {kind.__name__}")
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise TypeError(f"{value!r:.60} is not a number")
    return value  # type: ignore[return-value]


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise TypeError(f"{value!r:.60} is not a list of texts")
    return tuple(value)


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(str(_of(str, value)))
    if moment.tzinfo is None:
        raise ValueError(f"'{value}' has no time zone")
    return moment


def _settings(value: object) -> Settings:
    """Settings that a newer version added are passed over."""
    known = _names(Settings)
    return from_json(Settings, {n: v for n, v in _of(dict, value).items() if n in known})  # type: ignore[attr-defined]
