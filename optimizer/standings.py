"""The standings of a study as nouns, and how they follow from counts: pure functions on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.counted import Counted
from optimizer.domain import Prompt, Study
from optimizer.stats.cycles import IN_DOUBT, CycleCheck, check_cycles
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import chance_against_pool, p_best, rank_range, strengths
from optimizer.stats.stopping import Advice, advise
from optimizer.stats.tally import BOTH_BAD, BOTH_GOOD, SCORE_OF_FIRST, Tally

FloatArray = NDArray[np.float64]

DRAWS = 4000
RACE_DRAWS = 1000
MOST_RACE_VOTES = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt in the standings. Intervals hold 90 %; chances and rates are fractions."""

    prompt: Prompt
    strength: float  # logits above the average prompt
    low: float
    high: float
    p_best: float  # to be the strongest that competes
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

    rows: tuple[Row, ...]  # the recommended prompt first, then the strongest; nearly always the same
    arms: tuple[Prompt, ...]
    wins: FloatArray  # (k, k) ties as half wins
    played: FloatArray  # (k, k)
    votes: int  # that count here, skips left out
    skips: int
    human_votes: int
    judge_votes: int
    raters: int
    p_cycle: float  # that the preferences among active prompts run in a circle
    circle: tuple[str, ...]  # the names along it, each beats the next; empty without one
    advice: Advice | None  # arms as in ``active``; None while fewer than two prompts are active

    @property
    def active(self) -> tuple[Prompt, ...]:
        """The prompts that still compete."""
        return tuple(prompt for prompt in self.arms if prompt.retired_at is None)

    @property
    def cyclic(self) -> bool:
        """Is a circle likelier than not? Then recommended is who most plausibly beats every other prompt,
        ``advice.p_best`` is the probability that it does, and ``Row.p_best`` only says who is strongest."""
        return self.p_cycle > IN_DOUBT

    @property
    def p_winner(self) -> float:
        """That the recommended prompt is the best one, or where ``cyclic`` that it beats every other one."""
        return 1.0 if self.advice is None else self.advice.p_best

    @property
    def strongest(self) -> Row:
        """Of those that compete: nearly always the recommended one. There must be one."""
        return max((row for row in self.rows if row.prompt.retired_at is None), key=lambda row: row.strength)

    @property
    def around(self) -> tuple[str, ...]:
        """The names along the circle and the first of them again; empty where none is likely."""
        return (*self.circle, self.circle[0]) if self.cyclic and self.circle else ()


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


def standings_of(study: Study, arms: tuple[Prompt, ...], votes: Counted) -> Standings:
    """The table; an empty one for a study without prompts.

    Strengths say who wins unless a circle is likelier than not: then it is whoever most plausibly beats
    every other prompt that competes.
    """
    tally = votes.tally()
    wins = tally.wins
    if not arms:
        return Standings((), arms, wins, wins, 0, 0, 0, 0, 0, 0.0, (), None)
    rng = np.random.default_rng([study.seed, votes.n])
    posterior = votes.posterior()
    active = _active(arms)
    cycles = _cycles(wins, active, rng)
    draws = posterior.draws(DRAWS, rng)  # once, so that the table and the advice never differ
    rows = _rows(arms, tally, posterior, draws, _p_best(arms, draws))
    if cycles is not None and cycles.likely:
        rows = sorted(rows, key=lambda row: row.prompt.id != arms[active[cycles.leader]].id)
    return Standings(
        tuple(rows),
        arms,
        wins,
        wins + wins.T,
        votes.n,
        votes.skips,
        votes.n - votes.by_judges,
        votes.by_judges,
        votes.raters,
        0.0 if cycles is None else cycles.p_cycle,
        () if cycles is None else tuple(arms[active[arm]].name for arm in cycles.circle),
        _advice(study, active, posterior, draws, votes.n, cycles, rng),
    )


def race_of(study: Study, arms: tuple[Prompt, ...], votes: Counted, points: int) -> Race:
    """The same numbers at up to ``points`` numbers of votes, which come in order of arrival.

    Above ``MOST_RACE_VOTES`` the inputs are taken as one, to be done in a second.
    """
    k = len(arms)
    if votes.n > MOST_RACE_VOTES:
        votes = votes.inputs_as_one()
    marks = checkpoints(votes.n, points)
    best, chance, low, high, observed = (np.zeros((len(marks), k)) for _ in range(5))
    for row, mark in enumerate(marks):
        so_far = votes.until(mark)
        draws = so_far.posterior().draws(RACE_DRAWS, np.random.default_rng([study.seed, mark]))
        best[row] = _p_best(arms, draws)
        estimate = chance_against_pool(draws)
        chance[row], low[row], high[row] = estimate.value, estimate.low, estimate.high
        wins = so_far.tally().wins
        played = (wins + wins.T).sum(1)
        observed[row] = np.where(played > 0, wins.sum(1) / np.maximum(played, 1), np.nan)
    return Race(tuple(prompt.name for prompt in arms), marks, best, chance, low, high, observed)


def checkpoints(votes: int, points: int) -> tuple[int, ...]:
    """Up to so many numbers of votes from 0 to all, the last one included."""
    if votes <= points:
        return tuple(range(votes + 1))
    return tuple(int(mark) for mark in np.unique(np.linspace(0, votes, points + 1).round()))


def _active(arms: Sequence[Prompt]) -> list[int]:
    """The arms that still compete."""
    return [i for i, prompt in enumerate(arms) if prompt.retired_at is None]


def _cycles(wins: FloatArray, active: Sequence[int], rng: np.random.Generator) -> CycleCheck | None:
    """What the votes say of circles among the active arms; None where there are too few for one."""
    return check_cycles(wins[np.ix_(active, active)], rng) if len(active) >= 3 else None


def _p_best(arms: Sequence[Prompt], draws: FloatArray) -> FloatArray:
    """(k,) the probability that each arm is the best active one; 0 for retired ones."""
    best = np.zeros(len(arms))
    active = _active(arms)
    if active:
        best[active] = p_best(draws[:, active])
    return best


def _advice(
    study: Study,
    active: Sequence[int],
    posterior: Posterior,
    draws: FloatArray,
    votes: int,
    cycles: CycleCheck | None,
    rng: np.random.Generator,
) -> Advice | None:
    """Whether the votes suffice, among the prompts that still compete."""
    if len(active) < 2:
        return None
    competing = Posterior(
        posterior.mean[active],
        posterior.cov[np.ix_(active, active)],
        posterior.prior_sd,
        posterior.log_evidence,
    )
    settings = study.settings
    return advise(competing, votes, rng, settings.confidence, settings.margin, cycles, draws[:, active])


def _rows(
    arms: Sequence[Prompt], tally: Tally, posterior: Posterior, draws: FloatArray, best: FloatArray
) -> list[Row]:
    """One row per arm, strongest first; ``best`` (k,) is each arm's probability to be it."""
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
    return sorted(rows, key=lambda row: -row.strength)


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
