"""A store in one SQLite file, for any number of threads and processes on one machine.

Reading is here; writing is in ``adding`` and ``changing``, the path of an ask in ``sqlite_asking``, the
tables in ``schema``; connections, transactions and durability in ``database_file``.
"""

# ruff: noqa: S608 -- SQL is put together of names in this package only; values are always bound.

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from optimizer.domain import (
    Ballot,
    Batch,
    Connection,
    Duel,
    DuelId,
    Input,
    InputId,
    Output,
    OutputId,
    Prompt,
    PromptId,
    Rater,
    RaterId,
    Rubric,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.errors import NotFound
from optimizer.storage import changing
from optimizer.storage.adding import add_batch
from optimizer.storage.base import Answered, CellCount, Counters, OutputKey, PairCount
from optimizer.storage.database_file import DatabaseFile
from optimizer.storage.reading import CELL_COUNTS, PAIR_COUNTS, Rows, matching
from optimizer.storage.rows import (
    ANSWERED,
    CONNECTIONS,
    DUELS,
    INPUTS,
    OUTPUTS,
    PROMPTS,
    RATER_KIND,
    RATERS,
    RUBRICS,
    STUDIES,
    VOTES,
    read_answered,
    write_time,
)
from optimizer.storage.rules import check_storable
from optimizer.storage.sqlite_asking import SqliteAsking, release_expired
from optimizer.storage.sqlite_checking import find_faults
from optimizer.storage.sqlite_documents import SqliteDocuments

_KIND = RATER_KIND.read
LARGE = 1000  # duels of a batch


class SqliteStore:
    """The ``Store`` protocol on a database file, which is made where there is none."""

    def __init__(self, path: Path | str) -> None:
        self._file = DatabaseFile(Path(path))
        self._rows = Rows(self._file)
        self.documents = SqliteDocuments(self._file)
        self.asking = SqliteAsking(self._file)

    # -- writing ------------------------------------------------------------------------------
    def add(self, batch: Batch) -> None:
        content = (
            batch.studies,
            batch.prompts,
            batch.inputs,
            batch.outputs,
            batch.raters,
            batch.votes,
            batch.rubrics,
        )
        for nouns in (*content, batch.duels, batch.changes):
            check_storable(nouns)
        # Nothing is ever deleted and ``add_batch`` looks at every reference, so that of a large batch the
        # database need not look again: a fifth of an import.
        referring = len(batch.duels) < LARGE
        with self._file.writing(any(content) or bool(batch.changes), referring) as db:
            for noun in batch.changes:
                changing.replace_noun(db, noun)
            add_batch(db, batch, expiring=False)

    def add_vote(self, vote: Vote) -> None:
        check_storable([vote])
        with self._file.writing() as db:
            add_batch(db, Batch(votes=[vote]), expiring=True)

    def replace(self, noun: Study | Prompt | Input | Rater) -> None:
        self.add(Batch(changes=[noun]))

    def withdraw_vote(self, vote: VoteId, at: datetime, reopen_until: datetime | None = None) -> None:
        with self._file.writing() as db:
            changing.withdraw(db, vote, at, reopen_until)

    def restore_vote(self, vote: VoteId, at: datetime) -> None:
        with self._file.writing() as db:
            changing.restore(db, vote, at)

    def note_vote(
        self,
        vote: VoteId,
        first_reasons: Sequence[str],
        second_reasons: Sequence[str],
        comment: str,
        at: datetime,
    ) -> None:
        with self._file.writing() as db:
            changing.note(db, vote, first_reasons, second_reasons, comment, at)

    def renew_duel(self, duel: DuelId, expires_at: datetime) -> None:
        with self._file.writing(durable=False) as db:
            changing.renew(db, duel, expires_at)

    def release_expired(self, now: datetime) -> int:
        return release_expired(self._file, now)

    def put_connection(self, connection: Connection) -> None:
        check_storable([connection])
        with self._file.writing() as db:
            db.execute("DELETE FROM connections WHERE name = ?", (connection.name,))
            db.execute(CONNECTIONS.insert, CONNECTIONS.write(connection))

    def remove_connection(self, name: str) -> None:
        with self._file.writing() as db:
            if not db.execute("DELETE FROM connections WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"No connection {name!r}.")

    # -- reading ------------------------------------------------------------------------------
    def studies(self) -> list[Study]:
        return self._rows.nouns(STUDIES, "ORDER BY created_at, seq")

    def study(self, study: StudyId) -> Study:
        return self._rows.get(STUDIES, study)

    def counters(self, study: StudyId) -> Counters:
        sql = "SELECT content_version, vote_version, duels, votes FROM counters WHERE study = ?"
        return Counters(*self._rows.of(study, sql, study)[0])

    def prompts(self, study: StudyId) -> list[Prompt]:
        return self._rows.nouns_of(study, PROMPTS, "study = ? ORDER BY seq", study)

    def inputs(self, study: StudyId) -> list[Input]:
        return self._rows.nouns_of(study, INPUTS, "study = ? ORDER BY seq", study)

    def input(self, input: InputId) -> Input:
        return self._rows.get(INPUTS, input)

    def raters(self, study: StudyId) -> list[Rater]:
        return self._rows.nouns_of(study, RATERS, "study = ? ORDER BY seq", study)

    def rater(self, rater: RaterId) -> Rater:
        return self._rows.get(RATERS, rater)

    def rubrics(self, study: StudyId) -> list[Rubric]:
        return self._rows.nouns_of(study, RUBRICS, "study = ? ORDER BY version", study)

    def output(self, output: OutputId) -> Output:
        return self._rows.get(OUTPUTS, output)

    def outputs(
        self, study: StudyId, prompt: PromptId | None = None, input: InputId | None = None
    ) -> list[Output]:
        where, values = matching(study=study, prompt=prompt, input=input)
        return self._rows.nouns_of(study, OUTPUTS, f"{where} ORDER BY seq", *values)

    def output_index(self, study: StudyId) -> list[OutputKey]:
        sql = "SELECT id, prompt, input, sample, usable, length FROM outputs WHERE study = ? ORDER BY seq"
        return [
            OutputKey(id, prompt, input, sample, bool(usable), length)
            for id, prompt, input, sample, usable, length in self._rows.of(study, sql, study)
        ]

    def output_by_request(self, request_hash: str) -> Output | None:
        where = "json_extract(settings, '$.request_hash') = ? ORDER BY usable DESC, seq LIMIT 1"
        found = self._rows.nouns(OUTPUTS, f"WHERE {where}", request_hash)
        return found[0] if found else None

    def duel(self, duel: DuelId) -> Duel:
        return self._rows.get(DUELS, duel)

    def open_duel(self, study: StudyId, rater: RaterId, now: datetime) -> Duel | None:
        where = "study = ? AND rater = ? AND closed_at IS NULL AND expires_at > ? ORDER BY seq LIMIT 1"
        found = self._rows.nouns_of(study, DUELS, where, study, rater, write_time(now))
        return found[0] if found else None

    def pending(self, study: StudyId, now: datetime) -> list[tuple[PromptId, PromptId]]:
        sql = (
            "SELECT first_prompt, second_prompt FROM duels INDEXED BY open_duels "
            "WHERE study = ? AND closed_at IS NULL AND expires_at > ? ORDER BY seq"
        )
        return self._rows.of(study, sql, study, write_time(now))

    def last_duels(self, study: StudyId, rater: RaterId | None = None, limit: int = 1) -> list[Duel]:
        where, values = matching(study=study, rater=rater)
        return self._rows.nouns_of(study, DUELS, f"{where} ORDER BY seq DESC LIMIT ?", *values, limit)

    def duels_by_input(
        self, study: StudyId, one: PromptId | None = None, other: PromptId | None = None
    ) -> dict[InputId, int]:
        if one is None or other is None:
            where, values = ("? IN (one, other)", [one]) if one else ("1", [])
            sql = f"SELECT input, SUM(duels) FROM asked_counts WHERE study = ? AND {where} GROUP BY input"
            return dict(self._rows.of(study, sql, study, *values))
        sql = "SELECT input, duels FROM asked_counts WHERE study = ? AND one = ? AND other = ?"
        return dict(self._rows.of(study, sql, study, min(one, other), max(one, other)))

    def vote(self, vote: VoteId) -> Vote:
        return self._rows.get(VOTES, vote)

    def last_vote(self, study: StudyId, rater: RaterId) -> Vote | None:
        where = "study = ? AND rater = ? AND withdrawn_at IS NULL ORDER BY seq DESC LIMIT 1"
        found = self._rows.nouns_of(study, VOTES, where, study, rater)
        return found[0] if found else None

    def ballots(
        self,
        study: StudyId,
        rater: RaterId | None = None,
        duel: DuelId | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Ballot]:
        where, values = matching(study=study, rater=rater, duel=duel)
        order = "DESC" if newest_first else "ASC"
        sql = (  # the page is cut before the join
            f"SELECT {VOTES.listed('v.')}, {DUELS.listed('d.')} "
            f"FROM (SELECT * FROM votes WHERE {where} ORDER BY seq {order} LIMIT ? OFFSET ?) v "
            f"CROSS JOIN duels d ON d.id = v.duel ORDER BY v.seq {order}"
        )
        rows = self._rows.of(study, sql, *values, -1 if limit is None else limit, offset)
        cut = len(VOTES.columns)
        return [Ballot(VOTES.read(row[:cut]), DUELS.read(row[cut:])) for row in rows]

    def answered(self, study: StudyId) -> list[Answered]:
        return [read_answered(row) for row in self._rows.of(study, ANSWERED, study)]

    def pair_counts(self, study: StudyId) -> list[PairCount]:
        rows = self._rows.of(study, PAIR_COUNTS, study)
        return [PairCount(_KIND(row[0]), row[1], row[2], row[3:]) for row in rows if any(row[3:])]

    def cell_counts(self, study: StudyId) -> list[CellCount]:
        rows = self._rows.of(study, CELL_COUNTS, study)
        return [CellCount(_KIND(row[0]), row[1], row[2], row[3], row[4:]) for row in rows if any(row[4:])]

    def connections(self) -> list[Connection]:
        return self._rows.nouns(CONNECTIONS, "ORDER BY name")

    # -- care ---------------------------------------------------------------------------------
    def backup(self, target: Path) -> None:
        self._file.backup(target)

    def check(self) -> list[str]:
        return self._file.read(find_faults)

    def close(self) -> None:
        self._file.close()
