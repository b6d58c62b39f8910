"""Do the preferences run in a circle? The probability that a cycle is real and not the luck of the votes.

The model with pair effects, P(i beats j) = sigma(theta_i - theta_j + eps_ij) with eps_ij ~ N(0, t^2), is
weighed against plain Bradley-Terry (t = 0) by Laplace evidence: Bayes factors, with a prior chance of
``PRIOR_EFFECTS`` that there are effects. A Bayes factor may be looked at after every vote: under plain
Bradley-Terry it ever exceeds x with a probability of at most 1/x (Ville 1939). Effects alone are no cycle, so
preferences are then drawn from the posterior, and the draws are counted in which some arms beat each other in
a circle, each the next by more than a margin.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.pair_effects import PairPosterior, fit_pair_effects

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

EFFECT_SDS = (0.3, 0.7, 1.5)  # t, logits
PRIOR_EFFECTS = 1 / 3
MOST_DRAWS, FEWEST_DRAWS = 400, 50
DRAWN_GAPS = 400_000  # in all, which is what takes the time
IN_DOUBT = 0.5  # probability of a circle above which strengths do not decide
NEGLIGIBLE = 1e-4  # weight below which a value of t is not drawn from


@dataclass(frozen=True, slots=True)
class CycleCheck:
    """What the votes say of circles."""

    p_effects: float  # that there are pair effects at all
    p_cycle: float  # that there is a circle
    circle: tuple[int, ...]  # a shortest one of pairs that probably hold, each beats the next; or empty
    p_unbeaten: FloatArray  # (k,) that each arm beats every other one: a Condorcet winner
    leader: int  # the arm that most plausibly does, or comes nearest to it, by the likeliest width of effects

    @property
    def likely(self) -> bool:
        """Is a circle likelier than not? Then strengths alone cannot say who wins."""
        return self.p_cycle > IN_DOUBT


def check_cycles(wins: FloatArray, rng: np.random.Generator, margin: float = 0.05) -> CycleCheck:
    """Look for circles in a win matrix (k, k), ties as half wins; ``margin`` in win probability."""
    k = wins.shape[0]
    prior_sd = fit_by_evidence(wins).prior_sd
    fits = [fit_pair_effects(wins, prior_sd, sd) for sd in (0.0, *EFFECT_SDS)]
    prior = np.array([1.0 - PRIOR_EFFECTS] + [PRIOR_EFFECTS / len(EFFECT_SDS)] * len(EFFECT_SDS))
    support = np.array([fit.strengths.log_evidence for fit in fits]) + np.log(prior)
    weight = np.exp(support - support.max())
    weight /= weight.sum()
    n = min(MOST_DRAWS, max(FEWEST_DRAWS, DRAWN_GAPS // k**2))
    p_cycle, p_unbeaten, p_beats = 0.0, np.zeros(k), np.zeros((k, k))
    for share, fit in zip(weight, fits, strict=True):
        if share < NEGLIGIBLE:
            continue
        gaps = draw_gaps(fit, n, rng)
        p_unbeaten += share * ((gaps > 0.0).sum(2) == k - 1).mean(0)
        beats = gaps > logit(0.5 + margin)
        p_beats += share * beats.mean(0)
        if fit.pair_sd > 0.0:  # strengths alone cannot hold a circle
            p_cycle += share * float(has_circle(beats).mean())
    leader = fits[int(np.argmax(weight))].leader
    return CycleCheck(float(1.0 - weight[0]), p_cycle, shortest_circle(p_beats > 0.5), p_unbeaten, leader)


def draw_gaps(fit: PairPosterior, n: int, rng: np.random.Generator) -> FloatArray:
    """(n, k, k) antisymmetric draws of theta_i - theta_j + eps_ij."""
    k = fit.k
    moved = fit.strengths.draws(n, rng) - fit.strengths.mean
    gaps: FloatArray = fit.gap + fit.shrink * (moved[:, :, None] - moved[:, None, :])
    if fit.pair_sd > 0.0:
        noise = rng.standard_normal((n, k, k)) * np.triu(np.sqrt(fit.shrink) * fit.pair_sd, 1)
        gaps = gaps + noise - noise.transpose(0, 2, 1)
    return gaps


def has_circle(beats: BoolArray) -> BoolArray:
    """(n,) which of n graphs (n, k, k) hold a directed circle: those with walks of k steps or more."""
    walks = beats.astype(np.float32)
    steps = 1
    while steps < beats.shape[1]:
        walks = (np.matmul(walks, walks) > 0.0).astype(np.float32)
        steps *= 2
    held: BoolArray = np.asarray(walks.any((1, 2)))
    return held


def shortest_circle(beats: BoolArray) -> tuple[int, ...]:
    """Arms of a shortest directed circle of a graph (k, k), each beating the next; empty without one."""
    best: tuple[int, ...] = ()
    for start in range(beats.shape[0]):
        path = _way_back(beats, start)
        if path and (not best or len(path) < len(best)):
            best = path
    return best


def _way_back(beats: BoolArray, start: int) -> tuple[int, ...]:
    """The shortest walk from an arm to itself, breadth first."""
    came_from = {start: -1}
    queue = deque([start])
    while queue:
        arm = queue.popleft()
        if beats[arm, start]:
            path = [arm]
            while path[-1] != start:
                path.append(came_from[path[-1]])
            return tuple(reversed(path))
        for other in np.flatnonzero(beats[arm]).tolist():
            if other not in came_from:
                came_from[other] = arm
                queue.append(other)
    return ()
