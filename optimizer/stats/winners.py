"""Who wins, by four definitions that agree when preferences have no cycles.

Zoghi et al. (2015); Bengs et al. (2021), "Preference-based online learning with dueling bandits: a survey".
All take a win matrix or a preference matrix: only the sign and the share of each pair matter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import NotFitted

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """The arms of the highest score (several when level), and every arm's score (k,)."""

    winners: tuple[int, ...]
    scores: FloatArray


def shares(wins: FloatArray) -> FloatArray:
    """P[i, j] (k, k): the observed share of i's wins over j; 1/2 where they never met."""
    games = wins + wins.T
    share: FloatArray = np.where(games > 0, wins / np.maximum(games, 1e-300), 0.5)
    return share


def condorcet(preference: FloatArray) -> int | None:
    """The arm that beats every other one, if there is one."""
    k = preference.shape[0]
    beats = (preference > 0.5).sum(1)
    beats -= np.diag(preference) > 0.5
    best = int(beats.argmax())
    return best if beats[best] == k - 1 else None


def copeland(preference: FloatArray) -> Scored:
    """Who beats the most others; a level pair counts half. Scores are shares of k - 1."""
    k = preference.shape[0]
    won = (preference > 0.5) + 0.5 * (preference == 0.5)
    np.fill_diagonal(won, 0.0)
    return _scored(won.sum(1) / max(k - 1, 1))


def borda(preference: FloatArray) -> Scored:
    """Who wins most against an opponent drawn at random; scores are win probabilities."""
    k = preference.shape[0]
    return _scored((preference.sum(1) - np.diag(preference)) / max(k - 1, 1))


def von_neumann(preference: FloatArray) -> FloatArray:
    """(k,) the mixture of arms that no arm beats on average (Dudik et al. 2015).

    The maximin strategy of the game P - 1/2, by linear programming: maximise v with
    sum_i q_i (P[i, j] - 1/2) >= v for every j. The game is skew-symmetric, so v is 0. With a
    Condorcet winner the whole weight is on it.
    """
    from scipy.optimize import linprog  # takes a third of a second, and few need it

    k = preference.shape[0]
    game = (preference - preference.T) / 2.0
    found = linprog(
        c=np.r_[np.zeros(k), -1.0],
        A_ub=np.c_[-game.T, np.ones(k)],
        b_ub=np.zeros(k),
        A_eq=np.r_[np.ones(k), 0.0][None, :],
        b_eq=[1.0],
        bounds=[(0.0, None)] * k + [(None, None)],
        method="highs",
    )
    if found.status != 0:
        raise NotFitted(f"No von Neumann winner was found: {found.message}")
    mixture = np.maximum(found.x[:k], 0.0)
    weights: FloatArray = mixture / mixture.sum()
    return weights


def _scored(scores: FloatArray) -> Scored:
    best = np.flatnonzero(scores >= scores.max() - 1e-12)
    return Scored(tuple(int(arm) for arm in best), scores)
