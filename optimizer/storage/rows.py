"""Nouns as rows and back. A column has the name of the field that it holds.

Times are ISO-8601 text in UTC with microseconds, always 32 characters long, so that they sort as
text and a person can read them. Mappings and tuples are JSON. Nothing is ever pickled.

Settings of a study are one JSON object, so that a minor version may add a setting without a
migration: a setting that is missing has its default, one that this version does not know is
passed over in reading and kept in writing (``merged_settings``).
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from optimizer.domain import (
    ANSWERS,
    Connection,
    Duel,
    Grade,
    Input,
    Origin,
    Outcome,
    Output,
    Prompt,
    Rater,
    RaterKind,
    Rubric,
    Settings,
    Study,
    Vote,
)
from optimizer.storage.base import Answered
from optimizer.storage.rules import check_time

Noun = TypeVar("Noun")
Value = str | int | float | None  # what SQLite keeps of ours


class Codec(NamedTuple):
    """How a field that SQLite does not know is written and read; None stays None."""

    write: Callable[[Any], Value]
    read: Callable[[Any], Any]


@lru_cache(4096)  # the nouns of a large import share their times
def write_time(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        check_time("time", moment)
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def write_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def merged_settings(stored: str, settings: Settings) -> str:
    """JSON of the settings, together with stored ones that only a newer version knows."""
    return write_json(json.loads(stored) | asdict(settings))


def _read_settings(text: str) -> Settings:
    known = {f.name for f in fields(Settings)}
    return Settings(**{name: value for name, value in json.loads(text).items() if name in known})


def _read_strings(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text != "[]" else ()


def _closed_set(kind: type[StrEnum]) -> Codec:
    return Codec(str, {str(member): member for member in kind}.__getitem__)


TIME = Codec(write_time, datetime.fromisoformat)
FLAG = Codec(int, bool)
STRINGS = Codec(lambda value: write_json(value) if value else "[]", _read_strings)
MAPPING = Codec(lambda value: write_json(dict(value)) if value else "{}", json.loads)
SETTINGS = Codec(lambda value: write_json(asdict(value)), _read_settings)


class Table(Generic[Noun]):
    """Where a kind of noun is kept, and how its rows are written and read.

    ``columns`` are those of the noun; beside them a table has ``seq``, the order of arrival, and the
    ``derived`` columns, which are computed from the noun in writing, for indexes.
    """

    def __init__(
        self,
        name: str,
        kind: type[Noun],
        codecs: Mapping[str, Codec],
        derived: Mapping[str, Callable[[Noun], int]] | None = None,
    ) -> None:
        self.name = name
        self.word = kind.__name__.lower()  # for messages
        self.columns = tuple(f.name for f in fields(kind))  # type: ignore[arg-type]
        self.kind = kind
        self._values = attrgetter(*self.columns)
        self._codecs = [(place, codecs[c]) for place, c in enumerate(self.columns) if c in codecs]
        self._derived = derived or {}
        self.derived = tuple(self._derived)
        names = (*self.columns, *self.derived)
        self.insert = f"INSERT INTO {name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"

    def listed(self, prefix: str = "") -> str:
        """The columns as SQL lists them."""
        return ", ".join(prefix + name for name in self.columns)

    def write(self, noun: Noun) -> list[Value]:
        """The values for ``insert``."""
        values = list(self._values(noun))
        for place, codec in self._codecs:
            if values[place] is not None:
                values[place] = codec.write(values[place])
        values.extend([derive(noun) for derive in self._derived.values()])
        return values

    def read(self, row: Sequence[Any]) -> Noun:
        """The noun of a row that holds ``columns``."""
        values = list(row)
        for place, codec in self._codecs:
            if values[place] is not None:
                values[place] = codec.read(values[place])
        return self.kind(*values)


STUDIES = Table("studies", Study, {"settings": SETTINGS, "created_at": TIME, "archived_at": TIME})
PROMPTS = Table("prompts", Prompt, {"origin": _closed_set(Origin), "created_at": TIME, "retired_at": TIME})
INPUTS = Table(
    "inputs", Input, {"variables": MAPPING, "tags": STRINGS, "created_at": TIME, "retired_at": TIME}
)
OUTPUTS = Table(
    "outputs",
    Output,
    {"settings": MAPPING, "usage": MAPPING, "created_at": TIME},
    derived={"usable": lambda output: int(output.usable), "length": lambda output: len(output.text)},
)
RATER_KIND = _closed_set(RaterKind)
RATERS = Table("raters", Rater, {"kind": RATER_KIND, "created_at": TIME, "set_aside_at": TIME})
DUELS = Table(
    "duels",
    Duel,
    {"audit": FLAG, "replay": FLAG, "asked_at": TIME, "expires_at": TIME, "closed_at": TIME},
)
VOTES = Table(
    "votes",
    Vote,
    {
        "outcome": _closed_set(Outcome),
        "grade": _closed_set(Grade),
        "at": TIME,
        "first_reasons": STRINGS,
        "second_reasons": STRINGS,
        "withdrawn_at": TIME,
        "verdict": MAPPING,
    },
)
RUBRICS = Table("rubrics", Rubric, {"created_at": TIME})
CONNECTIONS = Table("connections", Connection, {"created_at": TIME})

# The standing votes of one study, for ``read_answered``.
ANSWERED = (
    "SELECT v.id, v.duel, d.repeats, v.rater, r.kind, d.input, d.first_prompt, d.second_prompt, "
    "d.first, d.second, v.outcome, v.grade, d.audit, d.replay, "
    "d.replay = 0 AND r.set_aside_at IS NULL, v.at, v.view_ms "
    "FROM votes v CROSS JOIN duels d ON d.id = v.duel CROSS JOIN raters r ON r.id = v.rater "
    "WHERE v.study = ? AND v.withdrawn_at IS NULL ORDER BY v.seq"
)
_ANSWER = {answer: place for place, answer in enumerate(ANSWERS)}


def read_answered(row: Sequence[Any]) -> Answered:
    vote, duel, repeats, rater, kind, input, first, second, first_output, second_output, *rest = row
    outcome, grade, audit, replay, counts, at, view_ms = rest
    return Answered(
        vote=vote,
        duel=duel,
        repeats=repeats,
        rater=rater,
        kind=RATER_KIND.read(kind),
        input=input,
        first=first,
        second=second,
        first_output=first_output,
        second_output=second_output,
        answer=_ANSWER[outcome, grade],
        audit=bool(audit),
        replay=bool(replay),
        counts=bool(counts),
        at=datetime.fromisoformat(at),
        view_ms=view_ms,
    )
