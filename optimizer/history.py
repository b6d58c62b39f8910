"""The votes that were cast, newest first, page by page, under a filter; withdrawn ones too.

The store finds the votes of a rater by itself. For the other filters votes are read, newest first, until
the page is full; the walk ends after ``FURTHEST`` votes, and the page says so.
"""

from dataclasses import dataclass

from optimizer.domain import Ballot, InputId, Outcome, PromptId, RaterId, StudyId
from optimizer.storage.base import Store

STEP = 1000  # ballots read at a time
FURTHEST = 20_000  # ballots read for one page


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
    """Some votes, newest first; whether older ones pass the filter, and whether all were looked at."""

    ballots: tuple[Ballot, ...]
    more: bool
    complete: bool = True


def page(store: Store, study: StudyId, chosen: HistoryFilter, number: int, size: int) -> HistoryPage:
    """The page of this number, from 1."""
    start = (number - 1) * size
    if chosen == HistoryFilter(chosen.rater):
        rows = store.ballots(study, chosen.rater, limit=size + 1, offset=start)
        return HistoryPage(tuple(rows[:size]), len(rows) > size)
    tagged = None
    if chosen.tags:
        tagged = frozenset(row.id for row in store.inputs(study) if chosen.tags.intersection(row.tags))
    found: list[Ballot] = []
    for offset in range(0, FURTHEST, STEP):
        read = store.ballots(study, chosen.rater, limit=STEP, offset=offset)
        found.extend(ballot for ballot in read if chosen.admits(ballot, tagged))
        if len(read) < STEP or len(found) > start + size:
            return HistoryPage(tuple(found[start : start + size]), len(found) > start + size)
    return HistoryPage(tuple(found[start : start + size]), False, complete=False)
