"""The review queue: the judge's verdicts that a person should confirm first."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from scipy.special import expit

from optimizer.domain import (
    Ballot,
    Batch,
    Duel,
    DuelId,
    OutputId,
    RaterId,
    RaterKind,
    Study,
    new_id,
    utc_now,
)
from optimizer.errors import DuelClosed
from optimizer.heard import tally_of
from optimizer.judging.docket import swapped
from optimizer.judging.rulings import ruling_of
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import p_best
from optimizer.stats.tally import SCORE_OF_FIRST
from optimizer.storage.base import Store

DRAWS = 2000
LEAST_DOUBT = 0.05  # even a judge that is sure may err


@dataclass(frozen=True, slots=True)
class ToReview:
    """A judge's verdict with how much it matters (0 to 1) and how doubtful it is (0 to 1)."""

    ballot: Ballot
    stake: float
    doubt: float

    @property
    def priority(self) -> float:
        return self.stake * self.doubt


class Review:
    """Finds verdicts worth a person's look, and asks for it. Safe to share between threads."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._clock = clock

    def queue(self, study: Study, limit: int = 20) -> list[ToReview]:
        """Verdicts that no person voted on, the most pressing first.

        The stake is the chance that either prompt is the best one, times how open their order is,
        4 p (1 - p); the doubt is what the judge's certainty leaves, more where the verdict is against
        all the other votes.
        """
        prompts = self._store.prompts(study.id)
        arms = [prompt for prompt in prompts if prompt.retired_at is None]
        if len(arms) < 2:
            return []
        arm = {prompt.id: i for i, prompt in enumerate(arms)}
        posterior = fit_by_evidence(tally_of(self._store.pair_counts(study.id), arm).wins)
        best = p_best(posterior.draws(DRAWS, np.random.default_rng(study.seed)))
        people = {r.id for r in self._store.raters(study.id) if r.kind is RaterKind.HUMAN}
        standing = [b for b in self._store.ballots(study.id) if b.vote.withdrawn_at is None]
        reviewed = {_pair(b.duel) for b in standing if b.vote.rater in people}
        found: dict[frozenset[OutputId], ToReview] = {}
        for ballot in standing:
            duel = ballot.duel
            open_pair = duel.first_prompt in arm and duel.second_prompt in arm
            if ballot.vote.rater in people or _pair(duel) in reviewed or not open_pair or duel.replay:
                continue
            i, j = arm[duel.first_prompt], arm[duel.second_prompt]
            chance = _chance(posterior, i, j)
            item = ToReview(
                ballot, float((best[i] + best[j]) * 4.0 * chance * (1.0 - chance)), _doubt(ballot, chance)
            )
            known = found.get(_pair(duel))
            if known is None or known.priority < item.priority:
                found[_pair(duel)] = item
        return sorted(found.values(), key=lambda item: -item.priority)[:limit]

    def ask(self, study: Study, rater: RaterId, judged: Duel) -> Duel:
        """Put a judge's duel to a person, sides drawn anew; a pair that lies open before them is let go."""
        now = self._clock()
        waiting = self._store.open_duel(study.id, rater, now)
        if waiting is not None:
            if waiting.repeats == judged.id:
                return waiting
            with suppress(DuelClosed):
                self._store.renew_duel(waiting.id, now)
            self._store.release_expired(now)
        duel = replace(
            judged,
            id=DuelId(new_id()),
            rater=rater,
            selector="review",
            reason="a judge was unsure",
            asked_at=now,
            expires_at=now + timedelta(minutes=study.settings.lease_minutes),
            replay=False,
            audit=False,
            repeats=judged.id,
            closed_at=None,
        )
        rng = np.random.default_rng([study.seed, self._store.counters(study.id).duels])
        duel = swapped(duel) if rng.random() < 0.5 else duel
        self._store.add(Batch(duels=[duel]))
        return duel


def _doubt(ballot: Ballot, chance: float) -> float:
    ruling = ruling_of(ballot.vote)
    certainty = 1.0 if ruling is None else ruling.certainty
    score = SCORE_OF_FIRST[ballot.vote.answer] if ballot.vote.answer < SCORE_OF_FIRST.size else 0.5
    expected = 1.0 - abs(float(score) - chance)  # how well the verdict fits the other votes
    return max(LEAST_DOUBT, 1.0 - certainty * expected)


def _chance(posterior: Posterior, i: int, j: int) -> float:
    """P(i beats j) with the doubt about both (MacKay 1992's approximation)."""
    cov = posterior.cov
    variance = cov[i, i] + cov[j, j] - 2.0 * cov[i, j]
    gap = (posterior.mean[i] - posterior.mean[j]) / np.sqrt(1.0 + np.pi * variance / 8.0)
    return float(expit(gap))


def _pair(duel: Duel) -> frozenset[OutputId]:
    return frozenset((duel.first, duel.second))
