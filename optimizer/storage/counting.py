"""What a vote says to statistics: how it is counted, the same for every store and check."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from optimizer.domain import ANSWERS, Ballot, Duel, InputId, PromptId, Rater, RaterId, RaterKind, Vote
from optimizer.storage.base import Answered, CellCount, PairCount

PairKey = tuple[RaterKind, PromptId, PromptId]
CellKey = tuple[RaterKind, InputId, PromptId, PromptId]


def counts(vote: Vote, duel: Duel, rater: Rater) -> bool:
    """Does this vote count for the ranking? Not when withdrawn, a replay, or its rater is set aside."""
    return vote.withdrawn_at is None and not duel.replay and rater.set_aside_at is None


def answered(vote: Vote, duel: Duel, rater: Rater) -> Answered:
    """A standing vote without its texts."""
    return Answered(
        vote=vote.id,
        duel=duel.id,
        repeats=duel.repeats,
        rater=rater.id,
        kind=rater.kind,
        input=duel.input,
        first=duel.first_prompt,
        second=duel.second_prompt,
        first_output=duel.first,
        second_output=duel.second,
        answer=vote.answer,
        audit=duel.audit,
        replay=duel.replay,
        counts=counts(vote, duel, rater),
        at=vote.at,
        view_ms=vote.view_ms,
    )


@dataclass(slots=True)
class Counts:
    """The votes of one study that count; each row holds its answers in the order of ``ANSWERS``."""

    pairs: dict[PairKey, list[int]] = field(default_factory=dict)
    cells: dict[CellKey, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, ballots: Iterable[Ballot], raters: Mapping[RaterId, Rater]) -> "Counts":
        """Counted anew."""
        fresh = cls()
        for ballot in ballots:
            fresh.add_vote(ballot.vote, ballot.duel, raters[ballot.vote.rater])
        return fresh

    def add(
        self, kind: RaterKind, input: InputId, first: PromptId, second: PromptId, answer: int, times: int
    ) -> None:
        """Count an answer so many times more, or with negative ``times`` fewer."""
        pair, cell = (kind, first, second), (kind, input, first, second)
        if pair not in self.pairs:
            self.pairs[pair] = [0] * len(ANSWERS)
        if cell not in self.cells:
            self.cells[cell] = [0] * len(ANSWERS)
        self.pairs[pair][answer] += times
        self.cells[cell][answer] += times

    def add_vote(self, vote: Vote, duel: Duel, rater: Rater, times: int = 1) -> None:
        """The same for a vote, if it counts."""
        if counts(vote, duel, rater):
            self.add(rater.kind, duel.input, duel.first_prompt, duel.second_prompt, vote.answer, times)

    def pair_counts(self) -> list[PairCount]:
        """In order of their keys, without rows of nothing but zeros."""
        return [PairCount(*key, tuple(row)) for key, row in sorted(self.pairs.items()) if any(row)]

    def cell_counts(self) -> list[CellCount]:
        return [CellCount(*key, tuple(row)) for key, row in sorted(self.cells.items()) if any(row)]

    def same_as(self, other: "Counts") -> bool:
        """Do both count the same, however they came about?"""
        return self.cell_counts() == other.cell_counts() and self.pair_counts() == other.pair_counts()
