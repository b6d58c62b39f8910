"""Which outputs the next duels will need, so that they are there before a vote asks for them.

While a rater reads a pair there are only a few things that the vote can say. For each the selector is
asked what it would ask next, as if every output were there; these pairs get an output each on an
input that they have not met. The generator is that of the next duel, so with one rater the forecast
is exact, random audits included; grades and "both bad" are taken to say what their neighbours say.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from optimizer.content import Content
from optimizer.domain import Duel, RaterId, Settings, Study, StudyId, utc_now
from optimizer.errors import PromptDuelError
from optimizer.generation.cells import Cell
from optimizer.generation.service import Generation
from optimizer.llm.budget import Budget
from optimizer.pairing import Drawn, Pairing, next_rng
from optimizer.selectors.base import Record
from optimizer.stats.tally import BOTH_GOOD, FIRST, SECOND, Tally
from optimizer.storage.asking import Desk
from optimizer.storage.base import Store

READY_INPUTS = 2  # fresh inputs that a likely pair should have outputs on
FORESEEN = (FIRST, SECOND, BOTH_GOOD)


def study_budget(settings: Settings) -> Budget:
    """The most that a study's outputs may take in all, as its settings say."""
    return Budget(settings.output_calls, settings.output_tokens, settings.output_money)


@dataclass(frozen=True, slots=True)
class Following:
    """A study that is generated for ahead of need."""

    connection: str
    budget: Budget
    typed: Mapping[str, str]


class Ahead:
    """Follows studies and generates what their next duels need. Computes on a thread of its own."""

    def __init__(
        self,
        store: Store,
        pairing: Pairing,
        generation: Generation,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._pairing = pairing
        self._generation = generation
        self._clock = clock
        self._following: dict[StudyId, Following] = {}
        self._busy: set[StudyId] = set()
        self._again: dict[StudyId, RaterId] = {}
        self._changed = threading.Condition()
        self.last_error: dict[StudyId, str] = {}

    def keep_up(self, study: Study, rater: RaterId, typed: Mapping[str, str] | None = None) -> None:
        """A duel was shown: generate what comes next if the study's settings say so. Returns at once."""
        settings = study.settings
        if not settings.connection:
            self.unfollow(study.id)
            return
        wanted = Following(settings.connection, study_budget(settings), dict(typed or {}))
        if self.following(study.id) != wanted:
            self.follow(study.id, wanted.connection, wanted.budget, wanted.typed)
        self.look(study.id, rater)

    def follow(
        self, study: StudyId, connection: str, budget: Budget, typed: Mapping[str, str] | None = None
    ) -> None:
        """From now on generate for this study, within a budget that counts all that it has spent."""
        self._following[study] = Following(connection, budget, dict(typed or {}))
        self.last_error.pop(study, None)

    def unfollow(self, study: StudyId) -> None:
        """Make no further call ahead of need."""
        self._following.pop(study, None)

    def following(self, study: StudyId) -> Following | None:
        return self._following.get(study)

    def look(self, study: StudyId, rater: RaterId) -> None:
        """A duel was shown to a rater: see to what comes next. Returns at once; errors are kept."""
        with self._changed:
            if study not in self._following:
                return
            if study in self._busy:
                self._again[study] = rater
                return
            self._busy.add(study)
        threading.Thread(target=self._look, args=(study, rater), daemon=True).start()

    def cells(self, study_id: StudyId, rater: RaterId) -> list[Cell]:
        """The outputs that the next duels of this rater will most likely need, the likeliest first."""
        now = self._clock()
        desk = self._store.asking.desk(study_id, rater, now)
        study = desk.study
        content = self._pairing.content(study_id, desk.counters.content_version)
        if len(content.prompts) < 2 or not content.inputs:
            return []
        record = self._pairing.record(study, content, desk)
        shown = self._store.open_duel(study_id, rater, now)
        record = replace(record, playable=content.makeable)
        pairs = self._likely_pairs(study, rater, desk, record, _arms(shown, content))
        return list(dict.fromkeys(self._needed(study_id, content, pairs)))

    def _likely_pairs(
        self, study: Study, rater: RaterId, desk: Desk, record: Record, shown: tuple[int, int] | None
    ) -> list[tuple[int, int]]:
        """The pairs of arms asked next after each answer to the duel shown, each pair once."""
        pairs = []
        for after in futures(record, shown):
            drawn = self._pairing.draw(study, desk, after, next_rng(study, record.asked, rater))
            if isinstance(drawn, Drawn):  # an earlier duel again has its outputs
                pairs.append((min(drawn.pair[:2]), max(drawn.pair[:2])))
        return list(dict.fromkeys(pairs))

    def _needed(self, study: StudyId, content: Content, pairs: Iterable[tuple[int, int]]) -> Iterable[Cell]:
        for i, j in pairs:
            one, other = content.prompts[i].id, content.prompts[j].id
            meetings = self._store.asking.meetings(study, one, other)
            fresh = np.flatnonzero(content.by_input(meetings.met) == 0)
            there = content.covered[i].astype(int) + content.covered[j].astype(int)
            ready = sum(there[x] == 2 for x in fresh)
            makeable = content.open[i] & content.open[j] & (there < 2)
            lacking = content.in_turn(i, j, fresh[makeable[fresh]], meetings.asked)
            for x in lacking[: max(0, READY_INPUTS - ready)]:
                for arm in (i, j):
                    if not content.covered[arm, x]:
                        yield Cell(content.prompts[arm].id, content.inputs[x].id)

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is being foreseen; the outputs may still be on their way."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout_s)

    def close(self, patience_s: float = 5.0) -> None:
        """Follow nothing any more and let what is being worked out come to its end, but not for long."""
        self._following.clear()
        self.wait(patience_s)

    def _look(self, study: StudyId, rater: RaterId) -> None:
        try:
            while True:
                self._ensure(study, rater)
                with self._changed:
                    if study not in self._again:
                        self._busy.discard(study)  # in one step with the look, so that none is lost
                        return
                    rater = self._again.pop(study)
        finally:
            with self._changed:
                self._busy.discard(study)
                self._changed.notify_all()

    def _ensure(self, study: StudyId, rater: RaterId) -> None:
        following = self._following.get(study)
        if following is None:
            return
        try:
            cells = self.cells(study, rater)
            if cells:
                self._generation.ensure(study, following.connection, cells, following.budget, following.typed)
        except PromptDuelError as error:  # nobody waits for this; the screen shows it where it is asked
            self.last_error[study] = str(error)


def futures(record: Record, shown: tuple[int, int] | None) -> Iterable[Record]:
    """The record after each foreseen answer to the duel shown; as it is when none is shown."""
    if shown is None:
        yield record
        return
    i, j = shown
    pending = record.pending.copy()
    for one, other in ((i, j), (j, i)):
        pending[one, other] = max(0, pending[one, other] - 1)
    for level in FORESEEN:
        counts = record.tally.counts.copy()
        counts[i, j, level] += 1
        yield replace(record, tally=Tally(counts), pending=pending, last=shown)


def _arms(duel: Duel | None, content: Content) -> tuple[int, int] | None:
    if duel is None or duel.first_prompt not in content.arm or duel.second_prompt not in content.arm:
        return None
    return content.arm[duel.first_prompt], content.arm[duel.second_prompt]
