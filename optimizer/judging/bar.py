"""The bar: how a judge does beside people, and when it is set aside.

A judge is set aside when it is sure (with 95 % confidence) that it agrees with people less often than the
study's bar, or that most of its verdicts go with the position. Its votes stay and do not count.
"""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import PromptId, Rater, RaterId, RaterKind, StudyId, utc_now
from optimizer.errors import NotFitted
from optimizer.judging.comparing import (
    agreement,
    alpha,
    among_people,
    compared,
    confusion,
    first_rate,
    kappa,
    length_of,
    position_of,
    powered,
)
from optimizer.stats.agreement import Coefficient
from optimizer.stats.judge_bias import Drift, LengthBias, PositionBias, Rate, drift, self_consistency
from optimizer.stats.prediction_powered import PoweredRate
from optimizer.storage.base import Answered, Store

IntArray = NDArray[np.int64]

FEWEST_SHARED = 10  # duels before agreement is held against a judge
FEWEST_POSITIONS = 30  # duels before position is
MOST_ONE_SIDED = 0.75  # of the verdicts of a judge that is asked in one order
LOOK_EVERY = 10  # votes of a judge, to begin with
MIN_FOR_DRIFT = 20


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """How far a judge may be trusted. Rates carry 95 % intervals and a test against chance."""

    rater: Rater
    votes: int
    agreement: Rate  # with people, where both prefer one output
    kappa: Coefficient  # the same beyond chance, ties included
    confusion: IntArray  # (4, 4) the judge's answers by people's, in the order of ``comparing.CONFUSED``
    among_people: Rate  # people with each other: the most that can be asked of a judge
    position: PositionBias | None  # both orders; None where asked in one
    first: Rate  # how often the output shown first won
    length: LengthBias
    consistency: float  # of repeated questions; nan where none was repeated
    drift: Drift | None  # of the agreement; None with too few shared duels
    agreed: tuple[bool, ...]  # with people, duel by duel in order of time
    note: str  # why it is below the bar; "" when it is not

    @property
    def position_biased(self) -> bool:
        return self.first.significant if self.position is None else self.position.biased

    @property
    def uninformative(self) -> bool:
        """Do its verdicts agree with people no better than a coin, as far as is known?"""
        return self.agreement.n >= FEWEST_SHARED and self.agreement.low <= 0.5

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each thing that is wrong with it."""
        found = [self.note] if self.note else []
        if self.uninformative:
            found.append(f"It agrees with people no better than a coin: {_percent(self.agreement)}.")
        if self.position_biased:
            favoured = self.first if self.position is None else self.position.favours_first
            side = "first" if favoured.value > 0.5 else "second"
            found.append(f"It favours what is shown {side}: {_percent(favoured)} of {favoured.n}.")
        if self.length.biased:
            found.append(_on_length(self.length))
        if self.drift is not None and self.drift.significant:
            found.append(f"Its agreement moved from {self.drift.before:.0%} to {self.drift.after:.0%}.")
        return tuple(found)


class Bar:
    """Reports on judges and sets aside those below the bar. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock
        self._seen: Counter[RaterId] = Counter()
        self._due: dict[RaterId, int] = {}
        self._forgiven: set[RaterId] = set()
        self._lock = threading.Lock()

    def reports(self, study: StudyId) -> list[JudgeReport]:
        """Of every judge of a study. Reads all its votes: not for every run of a page."""
        rows = self._store.answered(study)
        judges = [r for r in self._store.raters(study) if r.kind is RaterKind.JUDGE]
        return [self._report(study, judge, rows) for judge in judges]

    def alpha(self, study: StudyId, judge: RaterId | None = None) -> Coefficient:
        """Krippendorff's coefficient among people, or among people and this judge."""
        return alpha(self._store.answered(study), judge, np.random.default_rng(0))

    def powered(
        self, study: StudyId, judge: RaterId, audit_only: bool = False
    ) -> dict[PromptId, PoweredRate]:
        """Win rates by people, sharpened by a judge; of the prompts with enough shared duels."""
        duels = compared(self._store.answered(study), judge)
        found: dict[PromptId, PoweredRate] = {}
        for prompt in self._store.prompts(study):
            with suppress(NotFitted):
                found[prompt.id] = powered(duels, prompt.id, audit_only)
        return found

    def look(self, study: StudyId, rater: RaterId) -> None:
        """After a vote of a judge: now and then, see whether it is below the bar, and set it aside."""
        with self._lock:
            self._seen[rater] += 1
            seen = self._seen[rater]
            due = seen >= self._due.get(rater, LOOK_EVERY) and rater not in self._forgiven
            if due:  # ever more rarely, for a look reads every vote
                self._due[rater] = seen + max(LOOK_EVERY, seen // 10)
        if due:
            self.check(study, rater)

    def check(self, study: StudyId, rater_id: RaterId) -> JudgeReport:
        """The report; a judge below the bar is set aside."""
        rater = self._store.rater(rater_id)
        report = self._report(study, rater, self._store.answered(study))
        if report.note and rater.set_aside_at is None:
            self._store.replace(replace(rater, set_aside_at=self._clock()))
        return report

    def set_aside(self, rater: RaterId) -> None:
        """The judge's votes stop counting."""
        self._store.replace(replace(self._store.rater(rater), set_aside_at=self._clock()))

    def let_vote(self, rater: RaterId) -> None:
        """Its votes count again; while this process runs it is not set aside by itself any more."""
        with self._lock:
            self._forgiven.add(rater)
        self._store.replace(replace(self._store.rater(rater), set_aside_at=None))

    def _report(self, study: StudyId, rater: Rater, rows: list[Answered]) -> JudgeReport:
        duels = compared(rows, rater.id)
        agreed, cases, _ = agreement(duels)
        votes = [b.vote for b in self._store.ballots(study, rater.id) if b.vote.withdrawn_at is None]
        lengths = {key.id: key.length for key in self._store.output_index(study)}
        position, first = position_of(votes), first_rate(duels)
        bar = self._store.study(study).settings.judge_bar
        return JudgeReport(
            rater,
            len(duels),
            agreed,
            kappa(duels),
            confusion(rows, rater.id),
            among_people(rows),
            position,
            first,
            length_of(duels, lengths),
            self_consistency(_repeated(rows, rater.id))[0],
            drift(np.array(cases)) if len(cases) >= MIN_FOR_DRIFT else None,
            tuple(cases),
            _note(agreed, position, first, bar),
        )


def _note(agreed: Rate, position: PositionBias | None, first: Rate, bar: float) -> str:
    if agreed.n >= FEWEST_SHARED and agreed.high < bar:
        return f"It agrees with people on {_percent(agreed)} of {agreed.n} duels, below the bar of {bar:.0%}."
    moved = None if position is None else position.dependent
    if moved is not None and moved.n >= FEWEST_POSITIONS and moved.low > 0.5:
        return f"{_percent(moved)} of its verdicts on {moved.n} duels go with the position, not the output."
    one_sided = max(first.low, 1.0 - first.high)
    if position is None and first.n >= FEWEST_POSITIONS and one_sided > MOST_ONE_SIDED:
        return f"The output shown first won {_percent(first)} of its {first.n} duels, whichever it was."
    return ""


def _on_length(found: LengthBias) -> str:
    if found.people_known:
        which = "longer" if found.more_than_people.value > 0.5 else "shorter"
        return f"It favours {which} outputs more than people do."
    longer = found.prefers_longer
    return (
        f"The longer output won {_percent(longer)} of its {longer.n} duels. Whether people see it so, too "
        "few duels with both their votes tell."
    )


def _repeated(rows: list[Answered], judge: RaterId) -> list[list[int]]:
    """The judge's answers to each pair of outputs that it was asked more than once, in one frame."""
    said: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if row.rater == judge:
            turned = row.first_output > row.second_output
            key = (row.second_output, row.first_output) if turned else (row.first_output, row.second_output)
            # Answers mirror around the middle of the eight levels; ties and skips stay what they are.
            mirrored = 7 - row.answer if turned and row.answer not in (3, 4, 8) else row.answer
            said.setdefault(key, []).append(mirrored)
    return [answers for answers in said.values() if len(answers) > 1]


def _percent(found: Rate) -> str:
    return f"{found.value:.0%} ({found.low:.0%} to {found.high:.0%})"
