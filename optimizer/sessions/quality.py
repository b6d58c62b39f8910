"""How careful raters are: do they agree with others and with themselves, look at both sides, and read?

Everything is worked out from the standing votes. Rates carry 95 % intervals. Nobody is set aside by it: the
host sees what is known and decides, and can take it back.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import ANSWERS, DuelId, Outcome, Rater, RaterId, RaterKind, StudyId, utc_now
from optimizer.stats.agreement import Coefficient, first_rate, krippendorff_alpha
from optimizer.stats.cells import Cells
from optimizer.stats.judge_bias import Rate, rate
from optimizer.stats.model import fit
from optimizer.storage.base import Answered, Store

FloatArray = NDArray[np.float64]

SKIP = Outcome.SKIP
FAST_MS = 2000  # quicker than two outputs can be read
SURE = 0.001  # the chance below which a side is held to be favoured: looked at after every vote
FEWEST_SIDES = 12  # votes for a side before that is said
FEWEST_TIMED = 10
FEWEST_SHARED = 10
FEWEST_REPLAYS = 5
Z = 1.959963984540054  # 95 %


@dataclass(frozen=True, slots=True)
class Reliability:
    """How closely a rater's votes follow the strengths, 1 for the average vote; with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RaterReport:
    """What is known of one rater."""

    rater: Rater
    votes: int
    others: Rate  # gave the same answer as another rater on the same duel
    itself: Rate  # gave the same answer when the sides were swapped
    first: Rate  # preferred what was shown first; one half is right
    median_ms: float | None  # on screen before the vote
    fast: Rate  # votes quicker than the threshold
    reliability: Reliability | None

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each thing that looks careless."""
        found = []
        if self.first.n >= FEWEST_SIDES and self.first.p_value < SURE:
            side, share = ("A", self.first.value) if self.first.value > 0.5 else ("B", 1 - self.first.value)
            found.append(f"Chose {side} in {share:.0%} of {self.first.n} votes, whatever was on it.")
        if self.fast.n >= FEWEST_TIMED and self.fast.low > 0.25:
            found.append(f"{self.fast.value:.0%} of the votes came before both outputs could be read.")
        if self.itself.n >= FEWEST_REPLAYS and self.itself.high < 0.5:
            found.append(f"Repeated only {self.itself.hits} of {self.itself.n} answers on swapped sides.")
        if self.others.n >= FEWEST_SHARED and self.others.high < 0.4:
            found.append(f"Agrees with others on {self.others.value:.0%} of shared duels.")
        return tuple(found)


class Quality:
    """Reports on raters and sets them aside, reversibly. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def reports(self, study: StudyId, fast_ms: int = FAST_MS, reliability: bool = True) -> list[RaterReport]:
        """Of every person who voted, in order of arrival. Reads all votes: not for every run of a page."""
        rows = [row for row in self._store.answered(study) if row.kind is RaterKind.HUMAN]
        follows = self._reliability(study, rows) if reliability else {}
        others, itself = with_others(rows), with_themselves(rows)
        found = []
        for rater in self._store.raters(study):
            own = [row for row in rows if row.rater == rater.id]
            if own:
                found.append(_report(rater, own, others, itself, follows.get(rater.id), fast_ms))
        return found

    def alpha(self, study: StudyId, raters: frozenset[RaterId] | None = None) -> Coefficient:
        """Krippendorff's coefficient of people on shared duels; of some of them, if given."""
        rows = [
            row
            for row in self._store.answered(study)
            if row.kind is RaterKind.HUMAN and row.counts and (raters is None or row.rater in raters)
        ]
        return krippendorff_alpha(ratings(rows), np.random.default_rng(0))

    def set_aside(self, rater: RaterId) -> None:
        """Their votes stay and stop counting."""
        self._store.replace(replace(self._store.rater(rater), set_aside_at=self._clock()))

    def bring_back(self, rater: RaterId) -> None:
        """Their votes count again."""
        self._store.replace(replace(self._store.rater(rater), set_aside_at=None))

    def _reliability(self, study: StudyId, rows: Sequence[Answered]) -> dict[RaterId, Reliability]:
        """From the preference model, of all who voted; nothing with fewer than two raters."""
        arm = {prompt.id: i for i, prompt in enumerate(self._store.prompts(study))}
        said = [row for row in rows if not row.replay and ANSWERS[row.answer][0] is not SKIP]
        number = {rater: n for n, rater in enumerate(dict.fromkeys(row.rater for row in said))}
        if len(number) < 2:
            return {}
        table = [(0, number[row.rater], arm[row.first], arm[row.second], row.answer, 1.0) for row in said]
        found = fit(Cells.from_rows(len(arm), table, 1, len(number)), with_reliability=True)
        spread = np.exp(Z * found.reliability_sd)
        return {
            rater: Reliability(
                float(found.reliability[n]),
                float(found.reliability[n] / spread[n]),
                float(found.reliability[n] * spread[n]),
            )
            for rater, n in number.items()
        }


def shared(rows: Sequence[Answered]) -> dict[DuelId, dict[RaterId, Outcome]]:
    """Duels that several raters answered: what each said, as if shown the way round of the first of them."""
    first_output = {row.duel: row.first_output for row in rows}
    found: dict[DuelId, dict[RaterId, Outcome]] = {}
    as_shown: dict[DuelId, object] = {}
    for row in rows:
        outcome = ANSWERS[row.answer][0]
        if row.replay or outcome is SKIP:
            continue
        root = row.repeats or row.duel
        way = as_shown.setdefault(root, first_output.get(root, row.first_output))
        said = outcome if row.first_output == way else outcome.swapped
        found.setdefault(root, {})[row.rater] = said
    return {root: said for root, said in found.items() if len(said) > 1}


def ratings(rows: Sequence[Answered]) -> FloatArray:
    """(raters, shared duels): the position of each answer among the outcomes, nan where not asked."""
    duels = list(shared(rows).values())
    raters = sorted({rater for said in duels for rater in said})
    table = np.full((len(raters), len(duels)), np.nan)
    order = list(Outcome)
    for column, said in enumerate(duels):
        for rater, outcome in said.items():
            table[raters.index(rater), column] = order.index(outcome)
    return table


def with_others(rows: Sequence[Answered]) -> dict[RaterId, Rate]:
    """How often each rater gave the answer of another who is not set aside, over all pairs of answers to the
    same duel."""
    aside = {row.rater for row in rows if not row.replay and not row.counts}
    hits: dict[RaterId, list[bool]] = {}
    for said in shared(rows).values():
        for rater, outcome in said.items():
            theirs = [other is outcome for who, other in said.items() if who not in {rater, *aside}]
            hits.setdefault(rater, []).extend(theirs)
    return {rater: rate(sum(agreed), len(agreed)) for rater, agreed in hits.items()}


def with_themselves(rows: Sequence[Answered]) -> dict[RaterId, Rate]:
    """How often each rater gave the same answer again when the sides were swapped."""
    before = {row.duel: row for row in rows}
    hits: dict[RaterId, list[bool]] = {}
    for row in rows:
        old = before.get(row.repeats) if row.replay and row.repeats else None
        if old is None or old.first_output == row.first_output:  # a second vote in a room is not swapped
            continue
        now, then = ANSWERS[row.answer][0], ANSWERS[old.answer][0]
        if SKIP not in (now, then):
            hits.setdefault(row.rater, []).append(now.swapped is then)
    return {rater: rate(sum(agreed), len(agreed)) for rater, agreed in hits.items()}


def _report(
    rater: Rater,
    own: Sequence[Answered],
    others: Mapping[RaterId, Rate],
    itself: Mapping[RaterId, Rate],
    reliability: Reliability | None,
    fast_ms: int,
) -> RaterReport:
    outcomes = [ANSWERS[row.answer][0] for row in own]
    timed = [row.view_ms for row in own if row.view_ms is not None]
    return RaterReport(
        rater,
        len(own),
        others.get(rater.id, rate(0, 0)),
        itself.get(rater.id, rate(0, 0)),
        first_rate(outcomes.count(Outcome.FIRST), outcomes.count(Outcome.SECOND)),
        median(timed) if timed else None,
        rate(sum(ms < fast_ms for ms in timed), len(timed)),
        reliability,
    )
