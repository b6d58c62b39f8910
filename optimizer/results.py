"""Reads a study's votes and says what follows: standings and race, under a filter.

Nothing is kept but a small cache that is derived: each answer belongs to one version of the study's
votes and content, which the store counts in the same transaction as the change.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeVar, cast

import numpy as np

from optimizer.domain import (
    ANSWERS,
    InputId,
    JudgeVotes,
    Outcome,
    Prompt,
    RaterId,
    RaterKind,
    Study,
    StudyId,
)
from optimizer.standings import Counted, Race, Standings, race_of, standings_of
from optimizer.storage.base import Answered, Store

SKIP = ANSWERS.index((Outcome.SKIP, None))
CACHED = 64

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VoteFilter:
    """Whose votes count, and on which inputs; empty means all.

    ``judges`` says how votes of judges count where ``kind`` leaves both in; None: as the study says.
    """

    raters: frozenset[RaterId] = frozenset()
    tags: frozenset[str] = frozenset()
    kind: RaterKind | None = None
    audit_only: bool = False
    judges: JudgeVotes | None = None

    def admits(self, row: Answered, tagged: frozenset[InputId] | None) -> bool:
        """Does this vote count here? ``tagged``: the inputs that carry a wanted tag, None for all."""
        return (
            row.counts
            and (not self.raters or row.rater in self.raters)
            and (self.kind is None or row.kind is self.kind)
            and (tagged is None or row.input in tagged)
            and (row.audit or not self.audit_only)
        )


class Results:
    """Reads a study's votes and says what follows. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[Hashable, object] = OrderedDict()
        self._lock = Lock()

    def standings(self, study: Study, chosen: VoteFilter | None = None) -> Standings:
        """The table under a filter, strongest prompt first."""
        chosen = chosen or VoteFilter()

        def work() -> Standings:
            arms = tuple(self._store.prompts(study.id))
            return standings_of(study, arms, self.counted(study, chosen, arms))

        return self._once(("standings", study.id, chosen, study.settings), study.id, work)

    def race(self, study: Study, chosen: VoteFilter | None = None, points: int = 40) -> Race:
        """P(best), chances and observed win rates at up to ``points`` numbers of votes."""
        chosen = chosen or VoteFilter()

        def work() -> Race:
            arms = tuple(self._store.prompts(study.id))
            return race_of(study, arms, self.counted(study, chosen, arms), points)

        return self._once(("race", study.id, chosen, points, study.settings), study.id, work)

    def counted(self, study: Study, chosen: VoteFilter, arms: Sequence[Prompt]) -> Counted:
        """The votes that pass the filter, in order; skips are left out, and votes on unknown arms.

        Where judges' votes stand beside the people's, they count only when nobody else has voted.
        """
        arm = {prompt.id: i for i, prompt in enumerate(arms)}
        inputs = self._store.inputs(study.id)
        column = {row.id: x for x, row in enumerate(inputs)}
        tagged = None
        if chosen.tags:
            tagged = frozenset(row.id for row in inputs if chosen.tags.intersection(row.tags))
        admitted = [row for row in self._store.answered(study.id) if chosen.admits(row, tagged)]
        judges = chosen.judges or JudgeVotes(study.settings.judge_votes)
        if judges is JudgeVotes.BESIDE:
            admitted = [row for row in admitted if row.kind is RaterKind.HUMAN] or admitted
        said = [row for row in admitted if row.answer != SKIP]
        of_judge = {row.rater: -1 for row in said if row.kind is RaterKind.HUMAN}
        for row in said:
            of_judge.setdefault(row.rater, len(of_judge))
        table = np.array(
            [
                (arm[row.first], arm[row.second], row.answer, column[row.input], of_judge[row.rater])
                for row in said
            ],
            dtype=np.int64,
        ).reshape(-1, 5)
        first, second, level, column_of, judge = table.T
        return Counted(
            first,
            second,
            level,
            column_of,
            judge,
            discounted=judges is JudgeVotes.DISCOUNTED and chosen.kind is None,
            skips=len(admitted) - len(said),
            by_judges=sum(row.kind is RaterKind.JUDGE for row in said),
            raters=len({row.rater for row in said}),
        )

    def _once(self, key: Hashable, study: StudyId, work: Callable[[], T]) -> T:
        """The answer for this version of the study, worked out once."""
        counters = self._store.counters(study)
        versioned = (key, counters.content_version, counters.vote_version)
        with self._lock:
            if versioned in self._known:
                self._known.move_to_end(versioned)
                return cast(T, self._known[versioned])
        answer = work()
        with self._lock:
            self._known[versioned] = answer
            while len(self._known) > CACHED:
                self._known.popitem(last=False)
        return answer
