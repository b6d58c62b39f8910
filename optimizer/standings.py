"""The standings of a study as nouns, and how they follow from counts: pure functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import Prompt, Study
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import chance_against_pool, p_best, rank_range, strengths
from optimizer.stats.stopping import Advice, advise
from optimizer.stats.tally import BOTH_BAD, BOTH_GOOD, LEVELS, SCORE_OF_FIRST, Tally
from optimizer.stats.trust import with_judges

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

DRAWS = 4000
RACE_DRAWS = 1000
PEOPLE_FIRST = 10  # votes of people before a discounted judge can have earned anything


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt in the standings. Intervals hold 90 %; chances and rates are fractions."""

    prompt: Prompt
    strength: float  # logits above the average prompt
    low: float
    high: float
    p_best: float
    rank_low: int  # best rank within the interval
    rank_high: int
    chance: float  # to beat a random other prompt of the pool
    chance_low: float
    chance_high: float
    wins: int
    losses: int
    both_good: int
    both_bad: int

    @property
    def duels(self) -> int:
        return self.wins + self.losses + self.both_good + self.both_bad

    @property
    def observed(self) -> float:
        """Observed win rate, ties as half; nan without duels."""
        return (self.wins + (self.both_good + self.both_bad) / 2) / self.duels if self.duels else float("nan")


@dataclass(frozen=True, slots=True)
class Standings:
    """The study at one version of its votes, under one filter. Matrices follow ``arms``."""

    rows: tuple[Row, ...]  # strongest first
    arms: tuple[Prompt, ...]
    wins: FloatArray  # (k, k) ties as half wins
    played: FloatArray  # (k, k)
    votes: int  # that count here, skips left out
    skips: int
    human_votes: int
    judge_votes: int
    raters: int
    advice: Advice | None  # arms as in ``active``; None while fewer than two prompts are active

    @property
    def active(self) -> tuple[Prompt, ...]:
        """The prompts that still compete."""
        return tuple(prompt for prompt in self.arms if prompt.retired_at is None)


@dataclass(frozen=True, slots=True)
class Race:
    """How the standings came about, at some numbers of votes: arrays are (checkpoints, k)."""

    names: tuple[str, ...]
    votes: tuple[int, ...]
    p_best: FloatArray
    chance: FloatArray
    chance_low: FloatArray
    chance_high: FloatArray
    observed: FloatArray


@dataclass(frozen=True, slots=True)
class Counted:
    """The votes that pass a filter, as arrays in order of arrival."""

    first: IntArray
    second: IntArray
    level: IntArray
    input: IntArray
    judge: IntArray  # a number for each judge, -1 for people
    discounted: bool  # judges count as far as they follow the people
    skips: int
    by_judges: int
    raters: int

    @property
    def n(self) -> int:
        return len(self.first)

    def posterior(self, k: int, stop: int | None = None) -> Posterior:
        """What the votes up to ``stop`` say of the strengths of k arms.

        A judge whose votes are discounted adds nothing before people voted ``PEOPLE_FIRST`` times.
        """
        if not self.discounted or self.by_judges == 0:
            return fit_by_evidence(self.tally(k, 0, stop).wins)
        whose = self.judge[:stop]
        people = fit_by_evidence(self._of(-1, k, stop).wins)
        if (whose == -1).sum() < PEOPLE_FIRST:
            return people
        judges = [self._of(int(number), k, stop).wins for number in np.unique(whose[whose >= 0])]
        return with_judges(people, judges)

    def _of(self, judge: int, k: int, stop: int | None) -> Tally:
        """Counts of the votes of one judge, or of people, up to ``stop``."""
        mine = np.flatnonzero(self.judge[:stop] == judge)
        counts = np.zeros((k, k, LEVELS))
        np.add.at(counts, (self.first[mine], self.second[mine], self.level[mine]), 1.0)
        return Tally(counts)

    def tally(self, k: int, start: int = 0, stop: int | None = None) -> Tally:
        """Counts of the votes from ``start`` to ``stop``."""
        counts = np.zeros((k, k, LEVELS))
        part = slice(start, stop)
        np.add.at(counts, (self.first[part], self.second[part], self.level[part]), 1.0)
        return Tally(counts)


def standings_of(study: Study, arms: tuple[Prompt, ...], votes: Counted) -> Standings:
    """The table, strongest prompt first."""
    tally = votes.tally(len(arms))
    posterior = votes.posterior(len(arms))
    draws = posterior.draws(DRAWS, np.random.default_rng([study.seed, votes.n]))
    wins = tally.wins
    return Standings(
        _rows(arms, tally, posterior, draws),
        arms,
        wins,
        wins + wins.T,
        votes.n,
        votes.skips,
        votes.n - votes.by_judges,
        votes.by_judges,
        votes.raters,
        _advice(study, arms, posterior, votes.n),
    )


def race_of(study: Study, arms: tuple[Prompt, ...], votes: Counted, points: int) -> Race:
    """The same numbers at up to ``points`` numbers of votes."""
    k = len(arms)
    marks = checkpoints(votes.n, points)
    best, chance, low, high, observed = (np.zeros((len(marks), k)) for _ in range(5))
    tally, before = Tally.empty(k), 0
    for row, mark in enumerate(marks):
        tally = Tally(tally.counts + votes.tally(k, before, mark).counts)
        before = mark
        draws = votes.posterior(k, mark).draws(RACE_DRAWS, np.random.default_rng([study.seed, mark]))
        best[row] = p_best(draws)
        estimate = chance_against_pool(draws)
        chance[row], low[row], high[row] = estimate.value, estimate.low, estimate.high
        played = (tally.wins + tally.wins.T).sum(1)
        observed[row] = np.where(played > 0, tally.wins.sum(1) / np.maximum(played, 1), np.nan)
    return Race(tuple(prompt.name for prompt in arms), marks, best, chance, low, high, observed)


def checkpoints(votes: int, points: int) -> tuple[int, ...]:
    """Up to so many numbers of votes from 0 to all, the last one included."""
    if votes <= points:
        return tuple(range(votes + 1))
    return tuple(int(mark) for mark in np.unique(np.linspace(0, votes, points + 1).round()))


def _advice(study: Study, arms: Sequence[Prompt], posterior: Posterior, votes: int) -> Advice | None:
    """Whether the votes suffice, among the prompts that still compete."""
    active = [i for i, prompt in enumerate(arms) if prompt.retired_at is None]
    if len(active) < 2:
        return None
    competing = Posterior(
        posterior.mean[active],
        posterior.cov[np.ix_(active, active)],
        posterior.prior_sd,
        posterior.log_evidence,
    )
    rng = np.random.default_rng([study.seed, votes])
    return advise(competing, votes, rng, study.settings.confidence, study.settings.margin)


def _rows(arms: Sequence[Prompt], tally: Tally, posterior: Posterior, draws: FloatArray) -> tuple[Row, ...]:
    """One row per arm, strongest first. A retired arm cannot be the best one."""
    active = np.array([prompt.retired_at is None for prompt in arms])
    best = np.zeros(len(arms))
    if active.any():
        best[active] = p_best(draws[:, active])
    strength = strengths(posterior)
    chance = chance_against_pool(draws)
    ranks = rank_range(draws)
    wins, losses, good, bad = _answers_per_arm(tally)
    rows = [
        Row(
            prompt,
            float(strength.value[i]),
            float(strength.low[i]),
            float(strength.high[i]),
            float(best[i]),
            int(ranks[i, 0]),
            int(ranks[i, 1]),
            float(chance.value[i]),
            float(chance.low[i]),
            float(chance.high[i]),
            wins[i],
            losses[i],
            good[i],
            bad[i],
        )
        for i, prompt in enumerate(arms)
    ]
    return tuple(sorted(rows, key=lambda row: -row.strength))


def _answers_per_arm(tally: Tally) -> tuple[list[int], list[int], list[int], list[int]]:
    """Wins, losses, both-good and both-bad votes of each arm, whatever its side."""
    counts = tally.counts
    first_won, second_won = counts[:, :, SCORE_OF_FIRST == 1].sum(2), counts[:, :, SCORE_OF_FIRST == 0].sum(2)
    good, bad = counts[:, :, BOTH_GOOD], counts[:, :, BOTH_BAD]
    per_arm = (
        first_won.sum(1) + second_won.sum(0),
        second_won.sum(1) + first_won.sum(0),
        good.sum(1) + good.sum(0),
        bad.sum(1) + bad.sum(0),
    )
    wins, losses, both_good, both_bad = ([int(n) for n in row] for row in per_arm)
    return wins, losses, both_good, both_bad
