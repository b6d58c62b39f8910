"""A store that forgets: for tests, simulations and trying things out. Dictionaries behind one lock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import TypeVar

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
from optimizer.errors import Conflict, DuelClosed, NotFound, StorageError
from optimizer.storage.asking import ComposedAsking
from optimizer.storage.base import Answered, CellCount, Counters, OutputKey, PairCount
from optimizer.storage.counting import Counts, answered
from optimizer.storage.documents import MemoryDocuments
from optimizer.storage.rules import check_storable, check_time
from optimizer.storage.shelves import Shelves

Id = TypeVar("Id", bound=str)
Noun = TypeVar("Noun")


class MemoryStore:
    """The ``Store`` protocol, but for durability and backups."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._all = Shelves()
        self.documents = MemoryDocuments(self._lock, self._all.studies)
        self.asking = ComposedAsking(self)

    # -- writing ------------------------------------------------------------------------------
    def add(self, batch: Batch) -> None:
        with self._lock:
            self._all.add(batch, expiring=False)

    def add_vote(self, vote: Vote) -> None:
        with self._lock:
            self._all.add(Batch(votes=[vote]), expiring=True)

    def replace(self, noun: Study | Prompt | Input | Rater) -> None:
        self.add(Batch(changes=[noun]))

    def withdraw_vote(self, vote: VoteId, at: datetime, reopen_until: datetime | None = None) -> None:
        check_time("time of withdrawal", at)
        if reopen_until is not None:
            check_time("new expiry", reopen_until)
        with self._lock:
            old = self.vote(vote)
            if old.withdrawn_at is not None:
                raise Conflict("This vote is withdrawn already.")
            self._all.fall(replace(old, withdrawn_at=at))
            if reopen_until is not None:
                duel = self._all.duels[old.duel]
                self._all.put_duel(replace(duel, expires_at=reopen_until, closed_at=None))

    def restore_vote(self, vote: VoteId, at: datetime) -> None:
        check_time("time of restoring", at)
        with self._lock:
            old = self.vote(vote)
            if old.withdrawn_at is None:
                raise Conflict("This vote stands already.")
            if old.duel in self._all.standing:
                raise Conflict("Another vote on this duel stands. Withdraw that one first.")
            self._all.stand(replace(old, withdrawn_at=None), closed_at=at)

    def note_vote(
        self,
        vote: VoteId,
        first_reasons: Sequence[str],
        second_reasons: Sequence[str],
        comment: str,
        at: datetime,
    ) -> None:
        check_time("time of the note", at)
        first, second = tuple(first_reasons), tuple(second_reasons)
        with self._lock:
            noted = replace(self.vote(vote), first_reasons=first, second_reasons=second, comment=comment)
            check_storable([noted])
            self._all.votes[vote] = noted

    def renew_duel(self, duel: DuelId, expires_at: datetime) -> None:
        check_time("new expiry", expires_at)
        with self._lock:
            old = self.duel(duel)
            if old.closed_at is not None:
                raise DuelClosed("This duel is closed. Ask for the next one.")
            self._all.put_duel(replace(old, expires_at=expires_at))

    def release_expired(self, now: datetime) -> int:
        with self._lock:
            expired = [d for study in self._all.studies for d in self._all.open_duels(study)]
            expired = [duel for duel in expired if duel.expires_at <= now]
            for duel in expired:
                self._all.put_duel(replace(duel, closed_at=now))
            return len(expired)

    # -- reading ------------------------------------------------------------------------------
    def studies(self) -> list[Study]:
        with self._lock:
            return sorted(self._all.studies.values(), key=lambda study: study.created_at)

    def study(self, study: StudyId) -> Study:
        with self._lock:
            return _get(self._all.studies, study, "study")

    def counters(self, study: StudyId) -> Counters:
        with self._lock:
            kept = _get(self._all.tallies, study, "study")
            return Counters(kept.content_version, kept.vote_version, kept.duels, kept.votes)

    def prompts(self, study: StudyId) -> list[Prompt]:
        with self._lock:
            self.study(study)
            return [prompt for prompt in self._all.prompts.values() if prompt.study == study]

    def inputs(self, study: StudyId) -> list[Input]:
        with self._lock:
            self.study(study)
            return [input for input in self._all.inputs.values() if input.study == study]

    def input(self, input: InputId) -> Input:
        with self._lock:
            return _get(self._all.inputs, input, "input")

    def raters(self, study: StudyId) -> list[Rater]:
        with self._lock:
            self.study(study)
            return [rater for rater in self._all.raters.values() if rater.study == study]

    def rater(self, rater: RaterId) -> Rater:
        with self._lock:
            return _get(self._all.raters, rater, "rater")

    def rubrics(self, study: StudyId) -> list[Rubric]:
        with self._lock:
            self.study(study)
            mine = [rubric for rubric in self._all.rubrics.values() if rubric.study == study]
            return sorted(mine, key=lambda rubric: rubric.version)

    def output(self, output: OutputId) -> Output:
        with self._lock:
            return _get(self._all.outputs, output, "output")

    def outputs(
        self, study: StudyId, prompt: PromptId | None = None, input: InputId | None = None
    ) -> list[Output]:
        with self._lock:
            self.study(study)
            return [
                output
                for output in self._all.outputs.values()
                if output.study == study and prompt in (None, output.prompt) and input in (None, output.input)
            ]

    def output_index(self, study: StudyId) -> list[OutputKey]:
        return [
            OutputKey(o.id, o.prompt, o.input, o.sample, o.usable, len(o.text)) for o in self.outputs(study)
        ]

    def output_by_request(self, request_hash: str) -> Output | None:
        with self._lock:
            found = self._all.answers.get(request_hash)
            return None if found is None else self._all.outputs[found]

    def duel(self, duel: DuelId) -> Duel:
        with self._lock:
            return _get(self._all.duels, duel, "duel")

    def open_duel(self, study: StudyId, rater: RaterId, now: datetime) -> Duel | None:
        with self._lock:
            self.study(study)
            duels = self._all.open_duels(study)
            return next((d for d in duels if d.rater == rater and d.expires_at > now), None)

    def pending(self, study: StudyId, now: datetime) -> list[tuple[PromptId, PromptId]]:
        with self._lock:
            self.study(study)
            duels = self._all.open_duels(study)
            return [(d.first_prompt, d.second_prompt) for d in duels if d.expires_at > now]

    def last_duels(self, study: StudyId, rater: RaterId | None = None, limit: int = 1) -> list[Duel]:
        with self._lock:
            self.study(study)
            newest_first = reversed(self._all.duels.values())
            mine = (d for d in newest_first if d.study == study and rater in (None, d.rater))
            return list(islice(mine, limit))

    def duels_by_input(
        self, study: StudyId, one: PromptId | None = None, other: PromptId | None = None
    ) -> dict[InputId, int]:
        with self._lock:
            asked = _get(self._all.tallies, study, "study").asked
            if one is None or other is None:
                return dict(sum((Counter(n) for pair, n in asked.items() if one in (None, *pair)), Counter()))
            return dict(asked.get(frozenset((one, other)), {}))

    def vote(self, vote: VoteId) -> Vote:
        with self._lock:
            return _get(self._all.votes, vote, "vote")

    def last_vote(self, study: StudyId, rater: RaterId) -> Vote | None:
        with self._lock:
            self.study(study)
            mine = (v for v in reversed(self._all.votes.values()) if v.study == study and v.rater == rater)
            return next((vote for vote in mine if vote.withdrawn_at is None), None)

    def ballots(
        self,
        study: StudyId,
        rater: RaterId | None = None,
        duel: DuelId | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Ballot]:
        with self._lock:
            self.study(study)
            votes = list(self._all.votes.values())
            found = (
                Ballot(vote, self._all.duels[vote.duel])
                for vote in (reversed(votes) if newest_first else votes)
                if vote.study == study and rater in (None, vote.rater) and duel in (None, vote.duel)
            )
            return list(islice(found, offset, None if limit is None else offset + limit))

    def answered(self, study: StudyId) -> list[Answered]:
        with self._lock:
            self.study(study)
            return [
                answered(vote, self._all.duels[vote.duel], self._all.raters[vote.rater])
                for vote in self._all.votes.values()
                if vote.study == study and vote.withdrawn_at is None
            ]

    def pair_counts(self, study: StudyId) -> list[PairCount]:
        with self._lock:
            return _get(self._all.tallies, study, "study").counts.pair_counts()

    def cell_counts(self, study: StudyId) -> list[CellCount]:
        with self._lock:
            return _get(self._all.tallies, study, "study").counts.cell_counts()

    def connections(self) -> list[Connection]:
        with self._lock:
            return [connection for _, connection in sorted(self._all.connections.items())]

    def put_connection(self, connection: Connection) -> None:
        check_storable([connection])
        with self._lock:
            self._all.connections[connection.name] = connection

    def remove_connection(self, name: str) -> None:
        with self._lock:
            _get(self._all.connections, name, "connection")
            del self._all.connections[name]

    # -- care ---------------------------------------------------------------------------------
    def backup(self, target: Path) -> None:
        raise StorageError("A store in memory has no backup. Start with a database file to keep a study.")

    def check(self) -> list[str]:
        with self._lock:
            wrong = (
                study
                for study, kept in self._all.tallies.items()
                if not kept.counts.same_as(Counts.of(self.ballots(study), self._all.raters))
            )
            return [f"The counts of study {study!r} differ from a recount of its votes." for study in wrong]

    def close(self) -> None:
        """Nothing to let go."""


def _get(shelf: Mapping[Id, Noun], id: Id, word: str) -> Noun:
    try:
        return shelf[id]
    except KeyError:
        raise NotFound(f"No {word} {id!r}.") from None
