"""The votes that were cast, newest first, page by page, under a filter; withdrawn ones too.

A page is found by reading votes until it is full, so a filter that nearly everything passes costs a
page, and one that nothing passes costs a walk through the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from optimizer.domain import Ballot, InputId, Outcome, PromptId, RaterId, StudyId
from optimizer.storage.base import Store

STEP = 1000  # ballots read at a time


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which votes to list; empty means all. Of several ``prompts``, each must have been in the duel."""

    rater: RaterId | None = None
    outcomes: frozenset[Outcome] = frozenset()
    prompts: frozenset[PromptId] = frozenset()
    tags: frozenset[str] = frozenset()
    withdrawn: bool | None = None

    def admits(self, ballot: Ballot, tagged: frozenset[InputId] | None) -> bool:
        """Is this vote listed? ``tagged``: the inputs that carry a wanted tag, None for all."""
        duel = ballot.duel
        return (
            (not self.outcomes or ballot.vote.outcome in self.outcomes)
            and self.prompts <= {duel.first_prompt, duel.second_prompt}
            and (tagged is None or duel.input in tagged)
            and (self.withdrawn is None or self.withdrawn == (ballot.vote.withdrawn_at is not None))
        )


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some votes, newest first, and whether older ones pass the filter."""

    ballots: tuple[Ballot, ...]
    more: bool


def page(store: Store, study: StudyId, chosen: HistoryFilter, number: int, size: int) -> HistoryPage:
    """The page of this number, from 1."""
    start = (number - 1) * size
    found = tuple(islice(_passing(store, study, chosen), start, start + size + 1))
    return HistoryPage(found[:size], len(found) > size)


def _passing(store: Store, study: StudyId, chosen: HistoryFilter) -> Iterator[Ballot]:
    tagged = None
    if chosen.tags:
        tagged = frozenset(row.id for row in store.inputs(study) if chosen.tags.intersection(row.tags))
    offset, step = 0, 100  # the first page is mostly among the newest votes
    while ballots := store.ballots(study, chosen.rater, limit=step, offset=offset):
        offset, step = offset + len(ballots), STEP
        yield from (ballot for ballot in ballots if chosen.admits(ballot, tagged))
