"""Where studies live: the ``Store`` protocol and what every store promises.

The promises, which the contract tests check on each registered store:

1.  A write is durable when the call returns; a vote survives power loss, not only a crash.
2.  A write happens whole or, on any error, not at all. ``add`` takes a batch of any nouns.
3.  Votes are append-only. Withdrawing and restoring are events of their own; nothing is deleted.
4.  At most one vote of a rater stands on a duel. A second one raises ``AlreadyVoted`` with the first.
5.  A vote is accepted only on an open duel, by the rater it was asked of: else ``DuelClosed`` or
    ``NotAllowed``. Open means: not closed, and not expired at the time of the vote.
6.  ``pair_counts`` and ``cell_counts`` always equal a recount of the standing votes, leaving out
    replays and raters who are set aside. Reading ``pair_counts``, ``open_duel``, ``pending``
    and ``counters`` does not grow with the number of votes.
7.  ``content_version`` of a study grows with every change to its prompts, inputs or outputs, and
    ``vote_version`` with every change to what counts, so a derived value may be kept while both stand.
8.  Calls may come from any number of threads, and for durable stores from several processes.
9.  Unknown ids raise ``NotFound``; an id that is taken, a second output for the same prompt, input and
    sample, or a second rubric of the same study and version, raises ``Conflict``.
10. A prompt that joins a stored study, or is renamed, has a name that no other prompt of the study has,
    retired or not, case and outer blanks aside: else ``Conflict``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

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
    RaterKind,
    Rubric,
    Study,
    StudyId,
    Vote,
    VoteId,
)
from optimizer.storage.asking import Asking
from optimizer.storage.documents import Documents


@dataclass(frozen=True, slots=True)
class Counters:
    """What a caller needs to know whether anything changed, without counting."""

    content_version: int
    vote_version: int
    duels: int  # ever asked
    votes: int  # standing, skips, replays and set-aside raters included


@dataclass(frozen=True, slots=True)
class OutputKey:
    """An output without its text: one cell of the prompts x inputs grid."""

    id: OutputId
    prompt: PromptId
    input: InputId
    sample: int
    usable: bool
    length: int  # characters


@dataclass(frozen=True, slots=True)
class PairCount:
    """Standing votes on duels that showed ``first`` first: ``answers`` in the order of ``ANSWERS``."""

    kind: RaterKind
    first: PromptId
    second: PromptId
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CellCount:
    """The same, for one input."""

    kind: RaterKind
    input: InputId
    first: PromptId
    second: PromptId
    answers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A standing vote reduced to what statistics may know of it, for counting in other ways.

    ``counts`` is False for replays and for votes of raters who are set aside.
    """

    vote: VoteId
    duel: DuelId
    repeats: DuelId | None
    rater: RaterId
    kind: RaterKind
    input: InputId
    first: PromptId
    second: PromptId
    first_output: OutputId
    second_output: OutputId
    answer: int  # position in ANSWERS
    audit: bool
    replay: bool
    counts: bool
    at: datetime
    view_ms: int | None


class Store(Protocol):
    """Keeps studies; the promises are at the top of this file."""

    @property
    def documents(self) -> Documents:
        """What hosts and background work note beside the vote log."""
        ...

    @property
    def asking(self) -> Asking:
        """The path of an ask, in few questions."""
        ...

    # -- writing ------------------------------------------------------------------------------
    def add(self, batch: Batch) -> None:
        """Store new nouns together, and the batch's ``changes`` as ``replace`` would, all or nothing.
        Votes among them close their duels (imported history: a duel's expiry is not checked here)
        and count like any other."""
        ...

    def replace(self, noun: Study | Prompt | Input | Rater) -> None:
        """Store what may change: all of a study but id, seed and created_at; name, note and
        retired_at of a prompt; tags and retired_at of an input; name and set_aside_at of a rater.
        Anything else changed raises ``Conflict``."""
        ...

    def add_vote(self, vote: Vote) -> None:
        """Store a vote and close its duel."""
        ...

    def withdraw_vote(self, vote: VoteId, at: datetime, reopen_until: datetime | None = None) -> None:
        """The vote stops counting; with ``reopen_until`` its duel is open again until then.
        A vote that is withdrawn already raises ``Conflict``."""
        ...

    def restore_vote(self, vote: VoteId, at: datetime) -> None:
        """The vote counts again, its duel is closed. ``Conflict`` when it stands, or another does."""
        ...

    def note_vote(
        self,
        vote: VoteId,
        first_reasons: Sequence[str],
        second_reasons: Sequence[str],
        comment: str,
        at: datetime,
    ) -> None:
        """Set the reasons and the comment of a vote; earlier ones stay in the event log."""
        ...

    def renew_duel(self, duel: DuelId, expires_at: datetime) -> None:
        """Move the expiry of an open duel; ``DuelClosed`` when it is closed."""
        ...

    def release_expired(self, now: datetime) -> int:
        """Close every open duel whose expiry has passed; returns how many."""
        ...

    # -- reading ------------------------------------------------------------------------------
    def studies(self) -> list[Study]:
        """All of them, archived ones too, oldest first."""
        ...

    def study(self, study: StudyId) -> Study: ...

    def counters(self, study: StudyId) -> Counters: ...

    def prompts(self, study: StudyId) -> list[Prompt]:
        """All of them, retired ones too, in order of arrival. So for inputs and raters."""
        ...

    def inputs(self, study: StudyId) -> list[Input]: ...

    def input(self, input: InputId) -> Input: ...

    def raters(self, study: StudyId) -> list[Rater]: ...

    def rater(self, rater: RaterId) -> Rater: ...

    def rubrics(self, study: StudyId) -> list[Rubric]:
        """Every version, the first one first."""
        ...

    def output(self, output: OutputId) -> Output: ...

    def outputs(
        self,
        study: StudyId,
        prompt: PromptId | None = None,
        input: InputId | None = None,
    ) -> list[Output]:
        """With texts; of one prompt, of one input, of one cell, or all, in order of arrival."""
        ...

    def output_index(self, study: StudyId) -> list[OutputKey]:
        """Without texts, in order of arrival."""
        ...

    def output_by_request(self, request_hash: str) -> Output | None:
        """The first output of any study whose ``settings`` hold this "request_hash", a usable one before
        others: what was paid for once is not paid for again. Does not grow with the number of outputs."""
        ...

    def duel(self, duel: DuelId) -> Duel: ...

    def open_duel(self, study: StudyId, rater: RaterId, now: datetime) -> Duel | None:
        """The rater's open duel, the one asked first where there are several."""
        ...

    def pending(self, study: StudyId, now: datetime) -> list[tuple[PromptId, PromptId]]:
        """(first, second) of every open duel that has not expired."""
        ...

    def last_duels(self, study: StudyId, rater: RaterId | None = None, limit: int = 1) -> list[Duel]:
        """The newest duels asked, newest first, of one rater or of all."""
        ...

    def duels_by_input(
        self, study: StudyId, one: PromptId | None = None, other: PromptId | None = None
    ) -> dict[InputId, int]:
        """How many duels between two prompts, either way round, were asked on each input; with one, how
        many of it with any other; without prompts, how many of any pair."""
        ...

    def vote(self, vote: VoteId) -> Vote: ...

    def last_vote(self, study: StudyId, rater: RaterId) -> Vote | None:
        """The rater's newest standing vote."""
        ...

    def ballots(
        self,
        study: StudyId,
        rater: RaterId | None = None,
        duel: DuelId | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Ballot]:
        """Votes with their duels, withdrawn ones too."""
        ...

    def answered(self, study: StudyId) -> list[Answered]:
        """Every standing vote in order of arrival, without texts. Grows with the votes."""
        ...

    def pair_counts(self, study: StudyId) -> list[PairCount]: ...

    def cell_counts(self, study: StudyId) -> list[CellCount]: ...

    def connections(self) -> list[Connection]:
        """Ways to reach a model, by name; they belong to no study."""
        ...

    def put_connection(self, connection: Connection) -> None:
        """Add it, or put it in place of the one of the same name."""
        ...

    def remove_connection(self, name: str) -> None: ...

    # -- care ---------------------------------------------------------------------------------
    def backup(self, target: Path) -> None:
        """A consistent copy while others go on writing. ``Conflict`` when the target exists."""
        ...

    def check(self) -> list[str]:
        """Faults found, one sentence each: damage, broken references, counts unlike a recount."""
        ...

    def close(self) -> None: ...
