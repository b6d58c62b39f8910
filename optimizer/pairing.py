"""What is asked next: which pair of prompts, on which input, with which outputs, on which side.

One duel in ten (the study's audit share) is drawn uniformly, whatever the selector, so that some
observed win rates stay unbiased; a few are earlier duels with the sides swapped, which test the
rater and never count. The rest is the selector's choice.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zlib import crc32

import numpy as np

from optimizer.content import Content, read_content
from optimizer.domain import (
    Duel,
    DuelId,
    InputId,
    PromptId,
    RaterId,
    Study,
    StudyId,
    new_id,
)
from optimizer.errors import NothingToAsk
from optimizer.facts import supply
from optimizer.heard import Heard
from optimizer.newcomers import introduce
from optimizer.selectors import SELECTORS
from optimizer.selectors.base import Pair, Record, uniform_pair, wanted
from optimizer.selectors.inputs import choose_input
from optimizer.storage.asking import Desk, Meetings
from optimizer.storage.base import OutputKey, Store

Rng = np.random.Generator
CACHED_STUDIES = 64
MIN_VOTES_BEFORE_REPLAY = 10
REPLAY_GAP = 5  # replays are drawn from the rater's newest duels, but not from the last few
NO_OUTPUTS = "No two prompts have an output on the same input yet. Upload or generate outputs."


@dataclass(frozen=True, slots=True)
class Wanted:
    """A duel that is about to be asked and lacks outputs, which are to be generated now."""

    study: StudyId
    input: InputId
    first: PromptId
    second: PromptId
    selector: str
    reason: str
    audit: bool


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


@dataclass(frozen=True, slots=True)
class Drawn:
    """A pair of arms, and who drew it."""

    pair: Pair
    selector: str
    audit: bool

    def sides(self, rng: Rng) -> tuple[int, int]:
        """The arms as they will be shown, first and second."""
        i, j = self.pair.first, self.pair.second
        return (i, j) if rng.random() < 0.5 else (j, i)


class Pairing:
    """Chooses duels from the store's counts; safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._contents: OrderedDict[StudyId, Content] = OrderedDict()
        self._heard = Heard()

    def choose(self, study: Study, desk: Desk, rng: Rng) -> Choice:
        """The next duel for the desk's rater. ``NothingToAsk`` says what is missing and what to do."""
        content = self.content(study.id, desk.counters.content_version)
        _check_askable(content)
        if not content.playable.any():
            raise NothingToAsk(NO_OUTPUTS)
        drawn = self.draw(study, desk, self.record(study, content, desk), rng)
        return drawn if isinstance(drawn, Choice) else self._place(study, content, drawn, rng)

    def choose_live(
        self,
        study: Study,
        desk: Desk,
        rng: Rng,
        waiting: Sequence[Wanted] = (),
        given_up: Collection[tuple[PromptId, InputId]] = (),
    ) -> Choice | Wanted:
        """As ``choose``, where outputs can be generated: every pair may be asked, on every input.

        A pair is asked on a fresh input that has its outputs, if there is one, else on the fresh one whose
        turn it is, which gets them, and only then on an input that it has met. Those ``waiting`` count as
        met and open; no output will come where it is ``given_up``.
        """
        content = self.content(study.id, desk.counters.content_version).without(given_up)
        _check_askable(content)
        if not content.makeable.any():
            raise NothingToAsk(
                "Every output on these inputs was held back. Look at them on the Outputs screen."
            )
        record = replace(self.record(study, content, desk), playable=content.makeable)
        drawn = self.draw(study, desk, record, rng)
        return drawn if isinstance(drawn, Choice) else self._place_live(study, content, drawn, rng, waiting)

    def placed(self, wanted: Wanted) -> Choice | None:
        """What was wanted, once both its outputs are there; None while they are not."""
        content = self.content(wanted.study)
        column = content.column[wanted.input]
        cells = [(content.arm[prompt], column) for prompt in (wanted.first, wanted.second)]
        if not all(cell in content.samples for cell in cells):
            return None
        first, second = (content.samples[cell][0] for cell in cells)
        return Choice(wanted.input, first, second, wanted.selector, wanted.reason, wanted.audit)

    def stands(self, wanted: Wanted) -> bool:
        """May it still be asked? Not when its prompts or its input were retired meanwhile."""
        return self.content(wanted.study).holds(wanted.input, wanted.first, wanted.second)

    def can_ask(self, duel: Duel, version: int) -> bool:
        """May this duel, not yet stored, still be asked? Not when anything of it was retired or held back."""
        content = self.content(duel.study, version)
        sides = (duel.first_prompt, duel.first), (duel.second_prompt, duel.second)
        return content.holds(duel.input, duel.first_prompt, duel.second_prompt) and all(
            content.key(prompt, duel.input, output) is not None for prompt, output in sides
        )

    def draw(self, study: Study, desk: Desk, record: Record, rng: Rng) -> Choice | Drawn:
        """An earlier duel again, a random audit pair, or the selector's choice."""
        settings = study.settings
        draw = rng.random()
        if draw < settings.replay_share:
            replay = self._replay(study, desk, rng)
            if replay is not None:
                return replay
        if draw >= 1.0 - settings.audit_share:
            return Drawn(uniform_pair(record, rng), "audit", True)
        newcomer = introduce(record, rng)
        if newcomer is not None:
            return Drawn(newcomer, "newcomer", False)
        return Drawn(SELECTORS[settings.selector].ask(record, rng), settings.selector, False)

    def record(self, study: Study, content: Content, desk: Desk) -> Record:
        """What a selector may know now."""
        pending = np.zeros(content.playable.shape, dtype=np.int64)
        for first, second, times in desk.pending:
            if first in content.arm and second in content.arm:
                i, j = content.arm[first], content.arm[second]
                pending[i, j] += times
                pending[j, i] += times
        last = None
        if desk.last and {desk.last.first_prompt, desk.last.second_prompt} <= content.arm.keys():
            last = content.arm[desk.last.first_prompt], content.arm[desk.last.second_prompt]
        tally, kind = self._heard.votes(study, desk, content.arm)
        asked, budget = desk.counters.duels, study.settings.budget
        record = Record(tally, content.playable, pending, asked, last, budget)
        record = replace(record, parents=content.parents, proposed=content.proposed)
        wants, texts = wanted(SELECTORS[study.settings.selector]), [p.text for p in content.prompts]
        return supply(record, wants, self._store, study.id, texts, content.arm, kind)

    def content(self, study_id: StudyId, version: int | None = None) -> Content:
        """Prompts, inputs and the output grid; read again only when the study's content changed."""
        if version is None:
            version = self._store.counters(study_id).content_version
        known = self._contents.get(study_id)
        if known is not None and known.version == version:
            return known
        fresh = read_content(self._store, study_id, version)
        self._contents[study_id] = fresh
        while len(self._contents) > CACHED_STUDIES:
            self._contents.popitem(last=False)
        return fresh

    def _place(self, study: Study, content: Content, drawn: Drawn, rng: Rng) -> Choice:
        """Give the pair an input, outputs and sides."""
        i, j = drawn.sides(rng)
        return self._on_shared(content, drawn, i, j, self._meetings(study, content, i, j), rng)

    def _place_live(
        self, study: Study, content: Content, drawn: Drawn, rng: Rng, waiting: Sequence[Wanted]
    ) -> Choice | Wanted:
        """Give the pair sides and an input, whose outputs may have yet to be made."""
        i, j = drawn.sides(rng)
        first, second = content.prompts[i].id, content.prompts[j].id
        meetings = _also_met(self._meetings(study, content, i, j), waiting, {first, second})
        times = content.by_input(meetings.met)
        there = content.covered[i].astype(int) + content.covered[j].astype(int)
        lacking = content.open[i] & content.open[j] & (there < 2)
        fresh = times == 0
        if np.any(fresh & (there == 2)) or (np.any(there == 2) and not np.any(fresh & lacking)):
            return self._on_shared(content, drawn, i, j, meetings, rng)
        among = np.flatnonzero(lacking & (times == times[lacking].min()))
        x = int(content.in_turn(i, j, among, meetings.asked)[0])
        reason = drawn.pair.reason
        return Wanted(study.id, content.inputs[x].id, first, second, drawn.selector, reason, drawn.audit)

    def _meetings(self, study: Study, content: Content, i: int, j: int) -> Meetings:
        return self._store.asking.meetings(study.id, content.prompts[i].id, content.prompts[j].id)

    def _on_shared(
        self, content: Content, drawn: Drawn, i: int, j: int, meetings: Meetings, rng: Rng
    ) -> Choice:
        """On an input where both arms have outputs."""
        shared = np.flatnonzero(content.covered[i] & content.covered[j])
        tags = [content.inputs[x].tags for x in shared]
        times, asked = content.by_input(meetings.met), content.by_input(meetings.asked)[shared]
        x = int(shared[choose_input(times[shared], rng, asked, tags)])
        first, second = self._fresh(content, i, x), self._fresh(content, j, x)
        reason = drawn.pair.reason
        return Choice(content.inputs[x].id, first, second, drawn.selector, reason, drawn.audit)

    def _fresh(self, content: Content, arm: int, x: int) -> OutputKey:
        """The arm's sample on this input whose turn it is: each is shown once before any is shown again."""
        samples = content.samples[arm, x]
        if len(samples) == 1:
            return samples[0]
        prompt = content.prompts[arm]
        shown = self._store.duels_by_input(prompt.study, prompt.id).get(content.inputs[x].id, 0)
        return samples[shown % len(samples)]

    def _replay(self, study: Study, desk: Desk, rng: Rng) -> Choice | None:
        """An earlier duel of the rater with the sides swapped; None while there are too few to draw from, or
        for a replay, or one of what was retired since."""
        done = desk.recent()
        if len(done) < MIN_VOTES_BEFORE_REPLAY:
            return None
        duel = done[int(rng.integers(REPLAY_GAP, len(done)))]
        content = self.content(study.id, desk.counters.content_version)
        if duel.replay or not content.holds(duel.input, duel.first_prompt, duel.second_prompt):
            return None
        first = content.key(duel.second_prompt, duel.input, duel.second)
        second = content.key(duel.first_prompt, duel.input, duel.first)
        if first is None or second is None:
            return None
        return Choice(duel.input, first, second, "replay", "swapped replay", False, duel.id)


def next_rng(study: Study, asked: int, rater: RaterId) -> Rng:
    """Draws a rater's duel after so many others; two who ask at once are not bound to get the same."""
    return np.random.default_rng([study.seed, asked, crc32(rater.encode())])


def _also_met(meetings: Meetings, waiting: Sequence[Wanted], pair: set[PromptId]) -> Meetings:
    """With those that wait for their outputs, as if they were asked."""
    met = Counter(one.input for one in waiting if {one.first, one.second} == pair)
    asked = Counter(one.input for one in waiting)
    return Meetings(met + Counter(meetings.met), asked + Counter(meetings.asked))


def _check_askable(content: Content) -> None:
    if len(content.prompts) < 2:
        raise NothingToAsk(
            f"A duel needs two prompts and this study has {len(content.prompts)}. Write another prompt."
        )
    if not content.inputs:
        raise NothingToAsk("This study has no inputs yet. Add a row, or upload a table.")
