"""Reads a study's votes and says what follows: standings and race, under a filter.

Nothing is kept but a small cache that is derived: each answer belongs to one version of the study's
votes and content, which the store counts in the same transaction as the change.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from optimizer.counted import PEOPLE, Counted
from optimizer.domain import (
    ANSWERS,
    Input,
    InputId,
    JudgeVotes,
    Outcome,
    Prompt,
    PromptId,
    RaterId,
    RaterKind,
    Study,
    StudyId,
)
from optimizer.standings import Race, Standings, race_of, standings_of
from optimizer.storage.base import Answered, Counters, Store

IntArray = NDArray[np.int64]

SKIP = ANSWERS.index((Outcome.SKIP, None))
CACHED = 64
CALM_S = 0.8  # without a vote before work aside, so that quick votes do not wait for it
MOST_WAIT_S = 10.0

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
        self._closed = Event()
        self._aside = ThreadPoolExecutor(1, "standings")
        self._latest: dict[StudyId, tuple[Hashable, Standings | None, bool]] = {}

    def standings(self, study: Study, chosen: VoteFilter | None = None) -> Standings:
        """The table under a filter, strongest prompt first."""
        chosen = chosen or VoteFilter()

        def work() -> Standings:
            arms = tuple(self._store.prompts(study.id))
            single = chosen.raters or chosen.audit_only or study.settings.weigh_raters
            single = single or _judges(study, chosen) is JudgeVotes.DISCOUNTED
            votes = (self.counted if single else self._totals)(study, chosen, arms)
            return standings_of(study, arms, votes)

        return self._once(("standings", study.id, chosen, study.settings), study.id, work)

    def latest(self, study: Study, counters: Counters | None = None) -> Standings | None:
        """The newest standings at hand, without waiting; newer ones are worked out meanwhile, unless the
        study still stands at these ``counters``, which are read where they are not given.

        For a line on the voting screen, which must not keep the next vote waiting. None at first.
        """
        version = self._version(study, counters)
        with self._lock:
            known, standings, under_way = self._latest.get(study.id, (None, None, False))
            if known == version or under_way:
                return standings
            self._latest[study.id] = (known, standings, True)

        def renew() -> None:
            fresh = (known, standings)
            try:
                fresh = (self._calm(study), self.standings(study))
            finally:
                with self._lock:
                    self._latest[study.id] = (*fresh, False)

        self._aside.submit(renew)
        return standings

    def _version(self, study: Study, counters: Counters | None = None) -> Hashable:
        counters = counters or self._store.counters(study.id)
        return (study.settings, counters.content_version, counters.vote_version)

    def _calm(self, study: Study) -> Hashable:
        """Wait until nobody has voted for ``CALM_S``, or ``MOST_WAIT_S`` have passed; the version then."""
        deadline = time.monotonic() + MOST_WAIT_S
        version = self._version(study)
        while time.monotonic() < deadline and not self._closed.wait(CALM_S):
            before, version = version, self._version(study)
            if version == before:
                break
        return version

    def close(self) -> None:
        """Let go of the thread that works aside."""
        self._closed.set()
        self._aside.shutdown(cancel_futures=True)

    def race(self, study: Study, chosen: VoteFilter | None = None, points: int = 24) -> Race:
        """P(best), chances and observed win rates at up to ``points`` numbers of votes."""
        chosen = chosen or VoteFilter()

        def work() -> Race:
            arms = tuple(self._store.prompts(study.id))
            return race_of(study, arms, self.counted(study, chosen, arms), points)

        return self._once(("race", study.id, chosen, points, study.settings), study.id, work)

    def counted(self, study: Study, chosen: VoteFilter, arms: Sequence[Prompt]) -> Counted:
        """The votes that pass the filter, one row each, in order; skips are left out."""
        return self.count(study, chosen, arms, self.admitted(study, chosen, self._store.answered(study.id)))

    def admitted(self, study: Study, chosen: VoteFilter, rows: Sequence[Answered]) -> list[Answered]:
        """Of all standing votes those that pass the filter, skips among them.

        Where judges' votes stand beside the people's, they count only when nobody else has voted.
        """
        tagged = _tagged(self._store.inputs(study.id), chosen)
        admitted = [row for row in rows if chosen.admits(row, tagged)]
        if _judges_beside(study, chosen):
            admitted = [row for row in admitted if row.kind is RaterKind.HUMAN] or admitted
        return admitted

    def count(
        self, study: Study, chosen: VoteFilter, arms: Sequence[Prompt], admitted: Sequence[Answered]
    ) -> Counted:
        """Admitted votes as arrays."""
        numbers = _Numbers.of(arms, self._store.inputs(study.id), chosen)
        said = [row for row in admitted if row.answer != SKIP]
        raters = {rater: number for number, rater in enumerate(dict.fromkeys(row.rater for row in said))}
        rows = [
            (
                numbers.arm[row.first],
                numbers.arm[row.second],
                row.answer,
                numbers.input[row.input],
                raters[row.rater],
                PEOPLE if row.kind is RaterKind.HUMAN else raters[row.rater],
                1,
            )
            for row in said
        ]
        return _counted(study, chosen, numbers, rows, len(admitted) - len(said), len(raters))

    def _totals(self, study: Study, chosen: VoteFilter, arms: Sequence[Prompt]) -> Counted:
        """The same from the counts that the store keeps: its cost does not grow with the votes."""
        numbers = _Numbers.of(arms, self._store.inputs(study.id), chosen)
        cells = [
            cell
            for cell in self._store.cell_counts(study.id)
            if chosen.kind in (None, cell.kind) and (numbers.tagged is None or cell.input in numbers.tagged)
        ]
        if _judges_beside(study, chosen):
            cells = [cell for cell in cells if cell.kind is RaterKind.HUMAN] or cells
        rows = [
            (
                numbers.arm[cell.first],
                numbers.arm[cell.second],
                level,
                numbers.input[cell.input],
                0,
                PEOPLE if cell.kind is RaterKind.HUMAN else 0,
                count,
            )
            for cell in cells
            for level, count in enumerate(cell.answers[:SKIP])
            if count
        ]
        skips = sum(cell.answers[SKIP] for cell in cells)
        return _counted(study, chosen, numbers, rows, skips, self._voters(study.id, {c.kind for c in cells}))

    def _voters(self, study: StudyId, kinds: set[RaterKind]) -> int:
        """How many raters of these kinds have a vote that stands and were not set aside."""
        asked = (r for r in self._store.raters(study) if r.kind in kinds and r.set_aside_at is None)
        return sum(self._store.last_vote(study, rater.id) is not None for rater in asked)

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


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Arms and inputs as numbers, and the inputs that the filter's tags admit (None: all)."""

    arm: dict[PromptId, int]
    input: dict[InputId, int]
    parents: IntArray
    tagged: frozenset[InputId] | None

    @classmethod
    def of(cls, arms: Sequence[Prompt], inputs: Sequence[Input], chosen: VoteFilter) -> "_Numbers":
        arm = {prompt.id: i for i, prompt in enumerate(arms)}
        parents = [-1 if prompt.parent is None else arm.get(prompt.parent, -1) for prompt in arms]
        columns = {row.id: x for x, row in enumerate(inputs)}
        return cls(arm, columns, np.array(parents, dtype=np.int64), _tagged(inputs, chosen))


def _tagged(inputs: Sequence[Input], chosen: VoteFilter) -> frozenset[InputId] | None:
    """The inputs that the filter's tags admit, None for all."""
    if not chosen.tags:
        return None
    return frozenset(row.id for row in inputs if chosen.tags.intersection(row.tags))


def _judges(study: Study, chosen: VoteFilter) -> JudgeVotes:
    return chosen.judges or JudgeVotes(study.settings.judge_votes)


def _judges_beside(study: Study, chosen: VoteFilter) -> bool:
    return _judges(study, chosen) is JudgeVotes.BESIDE


def _counted(
    study: Study,
    chosen: VoteFilter,
    numbers: _Numbers,
    rows: Sequence[tuple[int, int, int, int, int, int, int]],
    skips: int,
    raters: int,
) -> Counted:
    """Rows of (first, second, level, input, rater, judge, count) as arrays."""
    first, second, level, column, rater, judge, count = np.array(rows, dtype=np.int64).reshape(-1, 7).T
    return Counted(
        first,
        second,
        level,
        column,
        rater,
        judge,
        count.astype(np.float64),
        numbers.parents,
        discounted=_judges(study, chosen) is JudgeVotes.DISCOUNTED and chosen.kind is None,
        weighed=study.settings.weigh_raters and raters > 1,
        skips=skips,
        raters=raters,
    )
