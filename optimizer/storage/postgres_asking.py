"""The path of an ask on PostgreSQL: each question is one statement, whose cost no number of votes changes."""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from optimizer.domain import Batch, Duel, PromptId, RaterId, RaterKind, StudyId
from optimizer.errors import NotFound
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
from optimizer.storage.postgres_db import PostgresDb
from optimizer.storage.postgres_rows import as_json
from optimizer.storage.postgres_server import Server
from optimizer.storage.rows import DUELS, INPUTS, OUTPUTS, RATER_KIND, STUDIES, write_time
from optimizer.storage.rules import check_storable
from optimizer.storage.schema import ANSWER_COLUMNS

RELEASED_AT_ONCE = 100  # expired duels that one ask closes

_OPEN = f"""
SELECT {as_json(DUELS, "d.")} AS row FROM duels d
WHERE study = %(study)s AND rater = %(rater)s AND closed_at IS NULL AND expires_at > %(now)s::timestamptz
ORDER BY seq LIMIT 1
"""
_NOT_LOOKED_FOR = "SELECT NULL::json AS row WHERE false"
_FREE = "NOT EXISTS (SELECT FROM open)"  # with an open duel nothing else is looked at


_TURNS = f"""
SELECT json_agg(json_build_array(id, repeats, rater, input, first_prompt, second_prompt, held)
                ORDER BY seq DESC)
FROM (SELECT *, expires_at > COALESCE(closed_at, %(now)s::timestamptz) AS held
      FROM (SELECT * FROM duels
            WHERE study = %(study)s AND {_FREE} ORDER BY seq DESC LIMIT {LOOKED_AT}) newest
      WHERE rater >= %(raters)s AND rater < %(beyond)s AND replay = 0
        AND (repeats IS NOT NULL OR id < %(bound)s)
      ORDER BY seq DESC LIMIT {SHARED}) turns
"""
_ANSWERS_OF = """
SELECT COALESCE(SUM(answers), 0)::bigint
FROM (SELECT rater, count(*) AS answers FROM votes
      WHERE study = %(study)s AND rater >= %(raters)s AND rater < %(beyond)s
        AND withdrawn_at IS NULL AND outcome <> 'skip' {} GROUP BY rater) v
JOIN raters r ON r.id = v.rater WHERE r.set_aside_at IS NULL
"""
_ANSWERS = _ANSWERS_OF.format(f"AND {_FREE}")


@cache
def _desk_statement(look_for_open: bool, of_all: bool, turns: bool, answers: bool) -> str:
    """One row: open duel, study, counters, kind of rater, pending, last duel, pair counts, recent duels,
    turns, answers."""
    open_duel = _OPEN if look_for_open else _NOT_LOOKED_FOR
    rater, of_rater = ("NULL::text", "") if of_all else ("%(rater)s", "AND rater = %(rater)s")
    return f"""
WITH open AS MATERIALIZED ({open_duel})
SELECT
    (SELECT row FROM open),
    (SELECT {as_json(STUDIES, "s.")} FROM studies s WHERE id = %(study)s),
    (SELECT json_build_array(content_version, vote_version, duels, votes) FROM counters
     WHERE study = %(study)s),
    (SELECT kind FROM raters WHERE id = {rater}),
    (SELECT json_agg(json_build_array(first_prompt, second_prompt, times))
     FROM (SELECT first_prompt, second_prompt, count(*) AS times FROM duels
           WHERE study = %(study)s AND closed_at IS NULL AND expires_at > %(now)s::timestamptz AND {_FREE}
           GROUP BY first_prompt, second_prompt) pending),
    (SELECT {as_json(DUELS, "d.")} FROM duels d
     WHERE study = %(study)s {of_rater} AND {_FREE} ORDER BY seq DESC LIMIT 1),
    (SELECT json_agg(json_build_array(kind, first_prompt, second_prompt,
                                      json_build_array({", ".join(ANSWER_COLUMNS)}))
                     ORDER BY kind, first_prompt, second_prompt)
     FROM pair_counts WHERE study = %(study)s AND {_FREE}),
    (SELECT json_agg(row ORDER BY seq DESC) FROM (
        SELECT v.seq, {as_json(DUELS, "d.")} AS row
        FROM (SELECT seq, duel FROM votes WHERE study = %(study)s AND rater = {rater} AND {_FREE}
              ORDER BY seq DESC LIMIT {RECENT}) v JOIN duels d ON d.id = v.duel) recent),
    ({_TURNS if turns else "NULL"}),
    ({_ANSWERS if answers else "0"})
"""


_MEETINGS = """
SELECT
    (SELECT json_object_agg(input, duels) FROM asked_counts
     WHERE study = %(study)s AND one = %(one)s AND other = %(other)s),
    (SELECT json_object_agg(input, duels) FROM input_counts WHERE study = %(study)s)
"""

_SHOWN = f"""
SELECT {INPUTS.listed("x.")}, {OUTPUTS.listed("a.")}, {OUTPUTS.listed("b.")}
FROM inputs x, outputs a, outputs b WHERE x.id = %(input)s AND a.id = %(first)s AND b.id = %(second)s
"""

_NAMES = ", ".join(f"{prefix}.{name} AS {prefix}_{name}" for prefix, table in
                   (("x", INPUTS), ("a", OUTPUTS), ("b", OUTPUTS)) for name in table.columns)  # fmt: skip
_COLUMNS = ", ".join(f"{prefix}_{name}" for prefix, table in
                     (("x", INPUTS), ("a", OUTPUTS), ("b", OUTPUTS)) for name in table.columns)  # fmt: skip
# Not waited for on the disk: see "Durability" in ``postgres_server``. Without a row in its answer
# nothing was handed out, and ``add`` says why.
_HAND_OUT = f"""
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true)
), locked AS MATERIALIZED (
    SELECT c.study FROM quick, counters c WHERE c.study = %(study)s FOR UPDATE OF c
), expired AS MATERIALIZED (
    SELECT seq FROM duels WHERE closed_at IS NULL AND expires_at <= %(asked_at)s::timestamptz
    ORDER BY expires_at LIMIT {RELEASED_AT_ONCE} FOR UPDATE SKIP LOCKED
), released AS (
    UPDATE duels SET closed_at = %(asked_at)s::timestamptz FROM expired WHERE duels.seq = expired.seq
), shown AS MATERIALIZED (
    SELECT locked.study, {_NAMES}
    FROM locked
    JOIN inputs x ON x.id = %(input)s AND x.study = locked.study
    JOIN outputs a ON a.id = %(first)s AND a.input = x.id AND a.prompt = %(first_prompt)s
    JOIN outputs b ON b.id = %(second)s AND b.input = x.id AND b.prompt = %(second_prompt)s
    JOIN raters r ON r.id = %(rater)s AND r.study = locked.study
    WHERE %(repeats)s::text IS NULL
       OR EXISTS (SELECT FROM duels d WHERE d.id = %(repeats)s::text AND d.study = locked.study)
), asked AS (
    INSERT INTO duels ({", ".join(DUELS.columns)})
    SELECT {", ".join(f"%({column})s" for column in DUELS.columns)} FROM shown
), pair AS (
    INSERT INTO asked_counts (study, one, other, input, duels)
    SELECT study, %(one)s, %(other)s, x_id, 1 FROM shown
    ON CONFLICT (study, one, other, input) DO UPDATE SET duels = asked_counts.duels + 1
), load AS (
    INSERT INTO input_counts (study, input, duels) SELECT study, x_id, 1 FROM shown
    ON CONFLICT (study, input) DO UPDATE SET duels = input_counts.duels + 1
), grown AS (
    UPDATE counters SET duels = duels + 1 FROM shown WHERE counters.study = shown.study
)
SELECT {_COLUMNS} FROM shown
"""


class PostgresAsking:
    """The ``Asking`` protocol on a server."""

    def __init__(self, server: Server, add: Callable[[Batch], None]) -> None:
        self._server = server
        self._add = add

    def begin(self, study: StudyId, rater: RaterId, now: datetime, crowd: Crowd | None = None) -> Duel | Desk:
        found = self._seat(study, rater, now, crowd, look_for_open=True)
        return DUELS.read(found[0]) if found[0] is not None else _desk(study, rater, found)

    def desk(self, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None = None) -> Desk:
        return _desk(study, rater, self._seat(study, rater, now, crowd, look_for_open=False))

    def meetings(self, study: StudyId, one: PromptId, other: PromptId) -> Meetings:
        low, high = sorted((one, other))
        met, asked = self._row(_MEETINGS, {"study": study, "one": low, "other": high})
        return Meetings(met or {}, asked or {})

    def hand_out(self, duel: Duel) -> Shown:
        check_storable([duel])
        row = dict(zip(DUELS.columns, DUELS.write(duel), strict=True))
        low, high = sorted((duel.first_prompt, duel.second_prompt))
        found = self._server.once(
            lambda db: db.execute(_HAND_OUT, {**row, "one": low, "other": high}).fetchone(),
            lambda db: db.execute(_SHOWN_IF, row).fetchone(),
        )
        if found is None:
            self._add(Batch(duels=[duel]))
            return self.shown(duel)
        return _shown(found)

    def shown(self, duel: Duel) -> Shown:
        return _shown(self._row(_SHOWN, dict(zip(DUELS.columns, DUELS.write(duel), strict=True))))

    def answers(self, study: StudyId, raters: str) -> int:
        values = {"study": study, "raters": raters, "beyond": beyond(raters)}
        return int(self._row(_ANSWERS_OF.format(""), values)[0])

    def _seat(
        self, study: StudyId, rater: RaterId | None, now: datetime, crowd: Crowd | None, look_for_open: bool
    ) -> Any:
        values: dict[str, object] = {"study": study, "rater": rater, "now": write_time(now)}
        if crowd is not None:
            values |= {"raters": crowd.raters, "beyond": beyond(crowd.raters), "bound": bound(crowd.share)}
        turns, answers = (False, False) if crowd is None else (crowd.share > 0, crowd.counted)
        return self._row(_desk_statement(look_for_open, rater is None, turns, answers), values)

    def _row(self, statement: str, values: Mapping[str, object]) -> Any:
        return self._server.read(lambda db: db.execute(statement, values).fetchone())


# What was handed out, if it was: for an answer that got lost.
_SHOWN_IF = f"{_SHOWN} AND EXISTS (SELECT FROM duels WHERE id = %(id)s)"


def _desk(study_id: StudyId, rater: RaterId | None, found: Any) -> Desk:
    _, study, counters, kind, pending, last, counts, recent, turns, answers = found
    if study is None:
        raise NotFound(f"No study {study_id!r}.")
    if rater is not None and kind is None:
        raise NotFound(f"No rater {rater!r}.")
    return Desk(
        STUDIES.read(study),
        Counters(*counters),
        RaterKind.HUMAN if rater is None else RaterKind(kind),
        [(first, second, times) for first, second, times in pending or []],
        None if last is None else DUELS.read(last),
        [
            PairCount(RATER_KIND.read(kind), first, second, tuple(answers))
            for kind, first, second, answers in counts or []
            if any(answers)
        ],
        lambda: [DUELS.read(row) for row in recent or []],
        [Turn(*row) for row in turns or []],
        int(answers),
    )


def _shown(row: Any) -> Shown:
    if row is None:
        raise NotFound("What this duel showed is not there.")
    x, a = len(INPUTS.columns), len(INPUTS.columns) + len(OUTPUTS.columns)
    return Shown(INPUTS.read(row[:x]), OUTPUTS.read(row[x:a]), OUTPUTS.read(row[a:]))


def release_expired(db: PostgresDb, now: datetime) -> int:
    """Replicas that do this at once share the work: what another one has in hand is left to it."""
    moment = write_time(now)
    closed = db.execute(
        "UPDATE duels SET closed_at = ? WHERE seq IN (SELECT seq FROM duels WHERE closed_at IS NULL "
        "AND expires_at <= ? ORDER BY expires_at FOR UPDATE SKIP LOCKED)",
        (moment, moment),
    )
    return closed.rowcount
