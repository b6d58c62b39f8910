"""Worlds: k arms whose true preferences are known.

Every world answers two questions: how the population of raters prefers, ``gap[i, j]``, the logit of
P(i beats j) on an average input, and what it costs to recommend an arm, ``regret``. How a single vote
comes about (inputs, ties, grades, position, lapses, drift) is told by ``manner`` and done in ``raters``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LOGITS = "logits of strength"
WIN_PROBABILITY = "win probability of the best arm against the recommended one, less one half"
ACCURACY = "normalised accuracy: (best - recommended) / (best - mean)"

GRADES = (0.4, 1.5)  # thresholds of an ordinal rater, logits
SURE = 30.0  # logits that stand for a preference without exception


@dataclass(frozen=True, slots=True)
class Manner:
    """How raters answer, apart from what they prefer."""

    tie_logit: float | None = None  # log of Davidson's tie parameter; None: no ties
    thresholds: tuple[float, float] | None = None  # logits: below the first equal, above the second clearly
    position_bias: float = 0.0  # logits in favour of the output shown first
    lapse: float = 0.0  # share of votes given at random
    input_sd: float = 0.0  # logits: spread of prompt-by-input effects
    inputs: int = 0  # how many inputs there are; 0: every vote on a fresh one
    careless_share: float = 0.0  # of raters, who answer with a fair coin
    raters: int = 1
    drift_sd: float = 0.0  # logits: step of each strength's random walk per vote


@dataclass(frozen=True, slots=True)
class World:
    """One drawn instance of a world."""

    gap: FloatArray  # (k, k) antisymmetric, logits
    regret: FloatArray  # (k,) of recommending each arm; 0 for the best
    unit: str  # of ``regret``
    manner: Manner = field(default_factory=Manner)
    features: FloatArray | None = None  # (k, d) unit rows
    drifts: FloatArray | None = None  # (votes + 1, k) added to the strengths as time goes by

    @property
    def k(self) -> int:
        return int(self.gap.shape[0])

    @property
    def preference(self) -> FloatArray:
        """P (k, k): probability that i beats j where neither ties nor lapses interfere."""
        preference: FloatArray = expit(self.gap)
        return preference

    @property
    def best(self) -> int:
        """The arm that costs nothing to recommend; the lowest index of several."""
        return int(np.argmin(self.regret))

    def duel_regret(self) -> FloatArray:
        """(k,) what each arm lacks against the best one: P(best beats i) - 1/2, not below zero."""
        lack: FloatArray = np.maximum(self.preference[self.best] - 0.5, 0.0)
        return lack

    def at(self, vote: int) -> "World":
        """The world as it is after that many votes; another one only where preferences drift."""
        if self.drifts is None:
            return self
        moved = self.drifts[min(vote, len(self.drifts) - 1)]
        gap = self.gap + moved[:, None] - moved[None, :]
        return replace(self, gap=gap, regret=_strength_regret(gap[:, 0]))

    def shuffled(self, rng: np.random.Generator) -> "World":
        """The same world with its arms in random order, so that no rule may profit from theirs."""
        order = rng.permutation(self.k)
        return replace(
            self,
            gap=self.gap[np.ix_(order, order)],
            regret=self.regret[order],
            features=None if self.features is None else self.features[order],
            drifts=None if self.drifts is None else self.drifts[:, order],
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What the drawn worlds are told: ``spread`` in logits, ``votes`` the longest budget."""

    arms: int = 20
    spread: float = 1.0
    votes: int = 500
    dimensions: int = 4  # of features
    graded: bool = False  # raters also say how clearly


def from_strengths(strengths: FloatArray, manner: Manner | None = None) -> World:
    """A Bradley-Terry world; regret in logits."""
    gap = strengths[:, None] - strengths[None, :]
    return World(gap, _strength_regret(strengths), LOGITS, manner or Manner())


def from_matrix(preference: FloatArray) -> World:
    """A world of any preference matrix P (k, k); regret in win probability.

    The best arm is the Condorcet winner; where none exists every Copeland winner is as good as the
    best, and another arm's regret is its smallest lack against one of them.
    """
    gap = np.clip(logit(preference), -SURE, SURE)
    beaten = (preference > 0.5).sum(1)
    winners = np.flatnonzero(beaten == beaten.max())
    lack = np.maximum(preference[winners] - 0.5, 0.0).min(0)
    lack[winners] = 0.0
    return World(gap, lack, WIN_PROBABILITY)


def differ(accuracy: FloatArray) -> bool:
    """Whether any two accuracies differ by more than rounding does: otherwise there is nothing to find."""
    return len(accuracy) > 1 and bool(np.ptp(accuracy) > 1e-12)


def from_accuracies(accuracy: FloatArray, noise: str) -> World:
    """Arms with measured accuracies (k,), compared by raters of one of three kinds.

    mid: P = 0.025 + 0.95 sigma(2 (a_i - a_j) / sd), raters who lapse; soft: P = 1/2 + (a_i - a_j) / 2,
    the judgement of a single example; sharp: P = sigma(10 (a_i - a_j) / sd), nearly without noise.
    """
    difference = accuracy[:, None] - accuracy[None, :]
    scaled = difference / accuracy.std()
    preference = {
        "mid": 0.025 + 0.95 * expit(2.0 * scaled),
        "soft": 0.5 + 0.5 * difference,
        "sharp": expit(10.0 * scaled),
    }[noise]
    regret = (accuracy.max() - accuracy) / (accuracy.max() - accuracy.mean())
    return World(np.clip(logit(preference), -SURE, SURE), regret, ACCURACY)


def _strength_regret(strengths: FloatArray) -> FloatArray:
    regret: FloatArray = strengths.max() - strengths
    return regret


def _strengths(setting: Setting, rng: np.random.Generator) -> FloatArray:
    return rng.normal(0.0, setting.spread, setting.arms)


def _btl(manner: Manner) -> Callable[[Setting, np.random.Generator], World]:
    def draw(setting: Setting, rng: np.random.Generator) -> World:
        return from_strengths(_strengths(setting, rng), manner)

    return draw


def _cyclic(setting: Setting, rng: np.random.Generator) -> World:
    """One arm beats all by 0.6 to 0.4; the others beat each other in a ring, 0.9 to 0.1.

    The generalisation of the four-armed "cyclic" matrix of Komiyama et al. (2015), section 6: among
    the others each beats the next half of the ring and loses to the rest.
    """
    ring = setting.arms - 1
    ahead = (np.arange(ring)[None, :] - np.arange(ring)[:, None]) % ring
    inner = np.where(2 * ahead < ring, 0.9, 0.1)
    inner[2 * ahead == ring] = 0.5
    np.fill_diagonal(inner, 0.5)
    preference = np.full((setting.arms, setting.arms), 0.5)
    preference[1:, 1:] = inner
    preference[0, 1:], preference[1:, 0] = 0.6, 0.4
    return from_matrix(preference).shuffled(rng)


def _drift(setting: Setting, rng: np.random.Generator) -> World:
    """Strengths that walk at random, about half a spread in as many votes as the longest budget."""
    world = from_strengths(
        _strengths(setting, rng), Manner(drift_sd=0.5 * setting.spread / setting.votes**0.5)
    )
    steps = rng.normal(0.0, world.manner.drift_sd, (setting.votes, setting.arms))
    return replace(world, drifts=np.vstack([np.zeros(setting.arms), steps.cumsum(0)]))


def _features(linear: bool) -> Callable[[Setting, np.random.Generator], World]:
    def draw(setting: Setting, rng: np.random.Generator) -> World:
        points = rng.normal(size=(setting.arms, setting.dimensions))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        slope = rng.normal(size=setting.dimensions)
        slope /= np.linalg.norm(slope)
        along = points @ slope
        raw = along if linear else np.sin(3.0 * along) + (points @ rng.normal(size=setting.dimensions)) ** 2
        strengths = setting.spread * (raw - raw.mean()) / raw.std()
        return replace(from_strengths(strengths), features=points)

    return draw


DRAWN: Mapping[str, Callable[[Setting, np.random.Generator], World]] = {
    "btl": _btl(Manner()),
    "graded": _btl(Manner(thresholds=GRADES)),
    "inputs": _btl(Manner(input_sd=1.0, inputs=30)),
    "ties": _btl(Manner(tie_logit=0.0)),
    "biased": _btl(Manner(position_bias=0.5)),
    "lapses": _btl(Manner(lapse=0.1)),
    "raters": _btl(Manner(raters=6, careless_share=1 / 3)),
    "cyclic": _cyclic,
    "drift": _drift,
    "features": _features(linear=True),
    "features_nonlinear": _features(linear=False),
}


def draw(name: str, setting: Setting, rng: np.random.Generator) -> World:
    """One instance of a world of ``DRAWN``."""
    world = DRAWN[name](setting, rng)
    return with_grades(world) if setting.graded else world


def with_grades(world: World) -> World:
    """The same world, its raters answering on five levels."""
    return replace(world, manner=replace(world.manner, thresholds=GRADES))
