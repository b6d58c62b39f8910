"""What is asked next: which pair of prompts, on which input, with which outputs, on which side.

One duel in ten (the study's audit share) is drawn uniformly, whatever the selector, so that some
observed win rates stay unbiased; a few are earlier duels with the sides swapped, which test the
rater and never count. The rest is the selector's choice.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from optimizer.domain import (
    Duel,
    DuelId,
    Input,
    InputId,
    JudgeVotes,
    Prompt,
    PromptId,
    RaterId,
    RaterKind,
    Study,
    StudyId,
    new_id,
)
from optimizer.errors import NothingToAsk
from optimizer.selectors import SELECTORS
from optimizer.selectors.base import BoolArray, Pair, Record, Selector, allowed_pairs
from optimizer.selectors.inputs import choose_input
from optimizer.stats.tally import Tally
from optimizer.storage.base import Counters, OutputKey, PairCount, Store

CACHED_STUDIES = 64
MIN_VOTES_BEFORE_REPLAY = 10
REPLAY_WINDOW = 50  # replays are drawn from the rater's newest duels, but not from the last few
REPLAY_GAP = 5


@dataclass(frozen=True, slots=True)
class Content:
    """What can be asked of a study at one content version: active arms, active inputs, the grid."""

    version: int
    prompts: tuple[Prompt, ...]
    arm: dict[PromptId, int]
    inputs: tuple[Input, ...]
    column: dict[InputId, int]
    samples: dict[tuple[int, int], tuple[OutputKey, ...]]  # (arm, column) -> usable outputs
    covered: BoolArray  # (arms, inputs)
    playable: BoolArray  # (arms, arms)


@dataclass(frozen=True, slots=True)
class Choice:
    """A duel about to be stored."""

    input: InputId
    first: OutputKey
    second: OutputKey
    selector: str
    reason: str
    audit: bool = False
    replays: DuelId | None = None

    def duel(self, study: Study, rater: RaterId, now: datetime) -> Duel:
        """The duel to be stored, open from now until the study's lease ends."""
        return Duel(
            DuelId(new_id()),
            study.id,
            self.input,
            self.first.id,
            self.second.id,
            self.first.prompt,
            self.second.prompt,
            rater,
            self.selector,
            self.reason,
            self.audit,
            now,
            now + timedelta(minutes=study.settings.lease_minutes),
            self.replays is not None,
            self.replays,
        )


class Pairing:
    """Chooses duels from the store's counts; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._contents: OrderedDict[StudyId, Content] = OrderedDict()

    def choose(
        self, study: Study, rater: RaterId, counters: Counters, now: datetime, rng: np.random.Generator
    ) -> Choice:
        """The next duel for this rater. ``NothingToAsk`` says what is missing and what to do."""
        content = self.content(study.id, counters.content_version)
        _check_askable(content)
        settings = study.settings
        draw = rng.random()
        if draw < settings.replay_share:
            replay = self._replay(study, rater, rng)
            if replay is not None:
                return replay
        record = self.record(study, content, counters, now, rater)
        if draw >= 1.0 - settings.audit_share:
            pair = _uniform(allowed_pairs(record), rng)
            return self._place(study, content, record, pair, "audit", True, rng)
        selector: Selector = SELECTORS[settings.selector]
        pair = selector.ask(record, rng)
        return self._place(study, content, record, pair, settings.selector, False, rng)

    def record(
        self,
        study: Study,
        content: Content,
        counters: Counters,
        now: datetime,
        rater: RaterId | None = None,
    ) -> Record:
        """What a selector may know now; ``rater`` decides which pair was the last one asked."""
        k = len(content.prompts)
        pending = np.zeros((k, k), dtype=np.int64)
        for first, second in self._store.pending(study.id, now):
            if first in content.arm and second in content.arm:
                i, j = content.arm[first], content.arm[second]
                pending[i, j] += 1
                pending[j, i] += 1
        last = None
        for duel in self._store.last_duels(study.id, rater, 1):
            if duel.first_prompt in content.arm and duel.second_prompt in content.arm:
                last = content.arm[duel.first_prompt], content.arm[duel.second_prompt]
        tally = tally_of(self._counted(study, rater), content.arm)
        return Record(tally, content.playable, pending, counters.duels, last, study.settings.budget)

    def _counted(self, study: Study, rater: RaterId | None) -> list[PairCount]:
        """The votes that choose this rater's duels: where judges count beside people, those of its kind."""
        counts = self._store.pair_counts(study.id)
        if study.settings.judge_votes != JudgeVotes.BESIDE:
            return counts
        kind = RaterKind.HUMAN if rater is None else self._store.rater(rater).kind
        return [row for row in counts if row.kind is kind]

    def content(self, study_id: StudyId, version: int | None = None) -> Content:
        """Prompts, inputs and the output grid; read again only when the study's content changed."""
        if version is None:
            version = self._store.counters(study_id).content_version
        known = self._contents.get(study_id)
        if known is not None and known.version == version:
            return known
        fresh = _read_content(self._store, study_id, version)
        self._contents[study_id] = fresh
        while len(self._contents) > CACHED_STUDIES:
            self._contents.popitem(last=False)
        return fresh

    def _place(
        self,
        study: Study,
        content: Content,
        record: Record,
        pair: Pair,
        selector: str,
        audit: bool,
        rng: np.random.Generator,
    ) -> Choice:
        """Give the pair an input, outputs and sides."""
        i, j = (pair.first, pair.second) if rng.random() < 0.5 else (pair.second, pair.first)
        shared = np.flatnonzero(content.covered[i] & content.covered[j])
        met = self._store.duels_by_input(study.id, content.prompts[i].id, content.prompts[j].id)
        times = np.array([met.get(content.inputs[x].id, 0) for x in shared], dtype=np.int64)
        tags = [content.inputs[x].tags for x in shared]
        x = int(shared[choose_input(times, rng, tags=tags)])
        turn = met.get(content.inputs[x].id, 0)
        first, second = content.samples[i, x], content.samples[j, x]
        return Choice(
            content.inputs[x].id,
            first[turn % len(first)],
            second[turn % len(second)],
            selector,
            pair.reason,
            audit,
        )

    def _replay(self, study: Study, rater: RaterId, rng: np.random.Generator) -> Choice | None:
        """An earlier duel of the rater with the sides swapped, or None while there are too few."""
        done = self._store.ballots(study.id, rater, limit=REPLAY_WINDOW)
        if len(done) < MIN_VOTES_BEFORE_REPLAY:
            return None
        duel = done[int(rng.integers(REPLAY_GAP, len(done)))].duel
        if duel.replay:
            return None
        keys = {key.id: key for key in self._store.output_index(study.id)}
        first, second = keys[duel.second], keys[duel.first]
        return Choice(duel.input, first, second, "replay", "swapped replay", False, duel.id)


def tally_of(counts: Sequence[PairCount], arm: dict[PromptId, int]) -> Tally:
    """Counts of the given arms; votes on other prompts are left out."""
    rows = (
        (arm[row.first], arm[row.second], level, float(n))
        for row in counts
        if row.first in arm and row.second in arm
        for level, n in enumerate(row.answers)
        if n
    )
    return Tally.from_answers(len(arm), rows)


def _read_content(store: Store, study_id: StudyId, version: int) -> Content:
    prompts = tuple(p for p in store.prompts(study_id) if p.retired_at is None)
    inputs = tuple(x for x in store.inputs(study_id) if x.retired_at is None)
    arm = {p.id: i for i, p in enumerate(prompts)}
    column = {x.id: c for c, x in enumerate(inputs)}
    samples: dict[tuple[int, int], tuple[OutputKey, ...]] = {}
    covered = np.zeros((len(prompts), len(inputs)), dtype=bool)
    for key in store.output_index(study_id):
        if key.usable and key.prompt in arm and key.input in column:
            cell = arm[key.prompt], column[key.input]
            samples[cell] = (*samples.get(cell, ()), key)
            covered[cell] = True
    shared = covered.astype(np.int64) @ covered.T.astype(np.int64)
    playable = shared > 0
    np.fill_diagonal(playable, False)
    return Content(version, prompts, arm, inputs, column, samples, covered, playable)


def _check_askable(content: Content) -> None:
    if len(content.prompts) < 2:
        raise NothingToAsk(
            f"A duel needs two prompts and this study has {len(content.prompts)}. Write another prompt."
        )
    if not content.inputs:
        raise NothingToAsk("This study has no inputs yet. Add a row, or upload a table.")
    if not content.playable.any():
        raise NothingToAsk("No two prompts have an output on the same input yet. Upload or generate outputs.")


def _uniform(allowed: BoolArray, rng: np.random.Generator) -> Pair:
    rows, columns = np.nonzero(np.triu(allowed))
    chosen = int(rng.integers(len(rows)))
    return Pair(int(rows[chosen]), int(columns[chosen]), "random audit")
