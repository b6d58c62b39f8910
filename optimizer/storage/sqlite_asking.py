"""The path of an ask on a database file: each question over one connection, as its readers are given out."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections.abc import Sequence
from datetime import datetime

from optimizer.domain import Batch, Duel, PromptId, RaterId, RaterKind, StudyId
from optimizer.storage.adding import add_batch, get
from optimizer.storage.asking import (
    LOOKED_AT,
    RECENT,
    SHARED,
    Crowd,
    Desk,
    Meetings,
    Shown,
    Turn,
    beyond,
    bound,
)
from optimizer.storage.base import Counters, PairCount
from optimizer.storage.database_file import DatabaseFile
from optimizer.storage.reading import PAIR_COUNTS
from optimizer.storage.rows import DUELS, INPUTS, OUTPUTS, RATER_KIND, RATERS, STUDIES, VOTES, write_time
from optimizer.storage.rules import check_storable
from optimizer.storage.sqlite_db import SqliteDb

_KIND = RATER_KIND.read
_DUEL = f"SELECT {DUELS.listed()} FROM duels WHERE study = ?"
_OPEN = f"{_DUEL} AND rater = ? AND closed_at IS NULL AND expires_at > ? ORDER BY seq LIMIT 1"
_PENDING = (
    "SELECT first_prompt, second_prompt, count(*) FROM duels INDEXED BY open_duels "
    "WHERE study = ? AND closed_at IS NULL AND expires_at > ? GROUP BY first_prompt, second_prompt"
)
_COUNTERS = "SELECT content_version, vote_version, duels, votes FROM counters WHERE study = ?"
_RECENT = (
    f"SELECT {DUELS.listed('d.')} FROM (SELECT * FROM {VOTES.name} WHERE study = ? AND rater = ? "
    f"ORDER BY seq DESC LIMIT {RECENT}) v CROSS JOIN duels d ON d.id = v.duel ORDER BY v.seq DESC"
)
_MET = "SELECT input, duels FROM asked_counts WHERE study = ? AND one = ? AND other = ?"
_ASKED = "SELECT input, SUM(duels) FROM asked_counts WHERE study = ? GROUP BY input"
_TURNS = (
    "SELECT id, repeats, rater, input, first_prompt, second_prompt, expires_at > COALESCE(closed_at, ?) "
    "FROM duels INDEXED BY duels_of_study WHERE study = ? AND seq > COALESCE((SELECT seq FROM duels "
    f"WHERE study = ? ORDER BY seq DESC LIMIT 1 OFFSET {LOOKED_AT}), 0) AND rater >= ? AND rater < ? "
    f"AND replay = 0 AND (repeats IS NOT NULL OR id < ?) ORDER BY seq DESC LIMIT {SHARED}"
)
_ANSWERS = (
    "SELECT COALESCE(SUM(answers), 0) FROM (SELECT rater, count(*) AS answers FROM votes "
    "INDEXED BY answers_of_rater WHERE study = ? AND rater >= ? AND rater < ? "
    "AND withdrawn_at IS NULL AND outcome <> 'skip' GROUP BY rater) v "
    "JOIN raters r ON r.id = v.rater WHERE r.set_aside_at IS NULL"
)


class SqliteAsking:
    """The ``Asking`` protocol on a database file."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file

    def begin(self, study: StudyId, rater: RaterId, now: datetime, crowd: Crowd | None = None) -> Duel | Desk:
        with self._file.reading() as db:
            row = db.execute(_OPEN, (study, rater, write_time(now))).fetchone()
            return DUELS.read(row) if row else self._desk(db, study, rater, now, crowd)

    def desk(self, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None = None) -> Desk:
        with self._file.reading() as db:
            return self._desk(db, study, rater, now, crowd)

    def meetings(self, study: StudyId, one: PromptId, other: PromptId) -> Meetings:
        with self._file.reading() as db:
            met = db.execute(_MET, (study, min(one, other), max(one, other))).fetchall()
            return Meetings(dict(met), dict(db.execute(_ASKED, (study,)).fetchall()))

    def hand_out(self, duel: Duel) -> Shown:
        check_storable([duel])
        release_expired(self._file, duel.asked_at)
        with self._file.writing(durable=False) as db:
            add_batch(db, Batch(duels=[duel]), expiring=False)
        return self.shown(duel)

    def shown(self, duel: Duel) -> Shown:
        with self._file.reading() as db:
            return Shown(
                get(db, INPUTS, duel.input), get(db, OUTPUTS, duel.first), get(db, OUTPUTS, duel.second)
            )

    def answers(self, study: StudyId, raters: str) -> int:
        with self._file.reading() as db:
            return _answers(db, study, raters)

    def _desk(
        self, db: SqliteDb, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None
    ) -> Desk:
        noun = get(db, STUDIES, study)
        kind = RaterKind.HUMAN if rater is None else get(db, RATERS, rater).kind
        of_rater, values = ("", (study,)) if rater is None else (" AND rater = ?", (study, rater))
        last = db.execute(f"{_DUEL}{of_rater} ORDER BY seq DESC LIMIT 1", values).fetchone()
        return Desk(
            noun,
            Counters(*db.execute(_COUNTERS, (study,)).fetchone()),
            kind,
            db.execute(_PENDING, (study, write_time(now))).fetchall(),
            DUELS.read(last) if last else None,
            [
                PairCount(_KIND(row[0]), row[1], row[2], row[3:])
                for row in db.execute(PAIR_COUNTS, (study,)).fetchall()
                if any(row[3:])
            ],
            lambda: self._recent(study, rater) if rater else [],
            _turns(db, study, crowd, now) if crowd is not None and crowd.share else [],
            _answers(db, study, crowd.raters) if crowd is not None and crowd.counted else 0,
        )

    def _recent(self, study: StudyId, rater: RaterId) -> Sequence[Duel]:
        with self._file.reading() as db:
            return [DUELS.read(row) for row in db.execute(_RECENT, (study, rater)).fetchall()]


def _turns(db: SqliteDb, study: StudyId, crowd: Crowd, now: datetime) -> list[Turn]:
    of_crowd = (crowd.raters, beyond(crowd.raters), bound(crowd.share))
    rows = db.execute(_TURNS, (write_time(now), study, study, *of_crowd)).fetchall()
    return [Turn(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6])) for row in rows]


def _answers(db: SqliteDb, study: StudyId, raters: str) -> int:
    return int(db.execute(_ANSWERS, (study, raters, beyond(raters))).fetchone()[0])


def release_expired(file: DatabaseFile, now: datetime) -> int:
    """Looks before it writes: hardly ever has one expired, and writers wait for each other."""
    moment = write_time(now)
    expired = "INDEXED BY open_duels {} WHERE closed_at IS NULL AND expires_at <= ?"
    with file.reading() as db:
        if db.execute(f"SELECT 1 FROM duels {expired.format('')} LIMIT 1", (moment,)).fetchone() is None:
            return 0
    with file.writing(durable=False) as db:
        closed = db.execute(f"UPDATE duels {expired.format('SET closed_at = ?')}", (moment, moment))
        return closed.rowcount
