"""APOHF, prompt optimisation with human feedback (Lin, Dai, Verma, Ng, Jaillet, Low 2024, Algorithm 1).

A neural dueling bandit on embeddings, as in the authors' program: h is a ReLU network d -> 32 -> 32 -> 1,
its weights and biases starting from one fixed draw of N(0, scale^2). After t votes it is trained from that
start by steps of full-batch Adam, learning rate 0.001, L2 of ridge / (t + 50) added to the gradient, on
    loss = -(1 / t) sum [y log sigma(h_i - h_j) + (1 - y) log sigma(h_j - h_i)],  y = 1, 1/2 for a tie, 0.
With g(x) the gradient of h(x) in the parameters and z = g(x_i) - g(x_j) for each duel,
    U = (F**2).sum(0) + ridge, the rows of F being the z's: the diagonal only;
    first = argmax h;  second = argmax h(x) + sqrt(nu sum_p (g_p(x) - g_p(first))^2 / U_p), another arm.
The first five pairs are random. Its recommendation is the arm of highest h among those dueled. Duels in
flight count in U, which needs no outcome. The fixed draw is NumPy's, not torch's seed 0.

For many prompts (100 and more) with embeddings whose worth depends on them in no linear way, and votes
that are hardly noisy. It has 25,697 parameters for at most a few hundred votes: with few prompts, or
without a strong link between embedding and worth, the Bradley-Terry rules are better and a thousand times
faster.

Two configurations: ``Apohf`` with the published nu = 1, ridge = 0.1, scale = 1, and ``ApohfTuned``, which
starts at scale = 0.25, chosen by simulation (docs/algorithms.md).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import expit

from optimizer.errors import NothingToAsk
from optimizer.selectors.base import FloatArray, IntArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of
from optimizer.selectors.network import Float32, adam, backward, count, forward, layers, output_gradients

HIDDEN = (32, 32)
RANDOM_DUELS = 5
PAIRS_AT_ONCE = 64  # rows of F held in memory together


@dataclass(frozen=True, slots=True)
class Settings:
    """nu: exploration, inside the root; ridge: lambda of U and of the L2; scale: sd of the start."""

    nu: float
    ridge: float
    scale: float
    steps: int = 1000


PUBLISHED = Settings(nu=1.0, ridge=0.1, scale=1.0)
TUNED = Settings(nu=1.0, ridge=0.1, scale=0.25)


def trained(features: Float32, wins: FloatArray, settings: Settings) -> Float32:
    """The flat parameters of h after training on a win matrix (k, k) over the rows of ``features``."""
    sizes = (features.shape[1], *HIDDEN, 1)
    start = np.random.default_rng(0).standard_normal(count(sizes), dtype=np.float32)
    start *= np.float32(settings.scale)
    return adam(start, loss_slope(features, wins), settings.ridge / (wins.sum() + 50.0), settings.steps)


def loss_slope(features: Float32, wins: FloatArray) -> Callable[[Float32], Float32]:
    """From flat parameters to the gradient of the loss, overwritten each time."""
    sizes = (features.shape[1], *HIDDEN, 1)
    votes = float(wins.sum())
    first, second = np.nonzero(np.triu(wins + wins.T))
    dueled, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    first, second = place[: len(first)], place[len(first) :]
    won = wins[dueled[first], dueled[second]] / votes
    met = won + wins[dueled[second], dueled[first]] / votes
    x = np.ascontiguousarray(features[dueled])
    flat_gradient = np.empty(count(sizes), dtype=np.float32)
    gradient = layers(flat_gradient, sizes)

    def slope(flat: Float32) -> Float32:
        net = layers(flat, sizes)
        values = forward(net, x)
        h = values[-1][:, 0]
        pull = met * expit(h[first] - h[second]) - won
        into = np.bincount(first, pull, len(dueled)) - np.bincount(second, pull, len(dueled))
        backward(net, values, into.astype(np.float32), gradient)
        return flat_gradient

    return slope


def diagonal(gradients: Float32, met: FloatArray | IntArray, ridge: float) -> Float32:
    """(p,) U = (F**2).sum(0) + ridge for the duels counted in ``met`` (k, k), symmetric."""
    total = np.full(gradients.shape[1], ridge, dtype=np.float32)
    first, second = np.nonzero(np.triu(met))
    for at in range(0, len(first), PAIRS_AT_ONCE):
        i, j = first[at : at + PAIRS_AT_ONCE], second[at : at + PAIRS_AT_ONCE]
        differences = gradients[i] - gradients[j]
        total += met[i, j].astype(np.float32) @ (differences**2)
    return total


def propose(record: Record, rng: np.random.Generator, settings: Settings) -> Pair:
    """The next pair under these settings."""
    features = _features(record)
    allowed = allowed_pairs(record)
    met = record.wins + record.wins.T
    if met.sum() / 2.0 < 1.0 or (met + record.pending).sum() / 2.0 < RANDOM_DUELS:
        first, second = rng.choice(np.argwhere(allowed))
        return Pair(int(first), int(second), "picked at random, to begin with")
    net = layers(trained(features, record.wins, settings), (features.shape[1], *HIDDEN, 1))
    h = forward(net, features)[-1][:, 0].astype(np.float64)
    gradients = output_gradients(net, features)
    width = diagonal(gradients, met + record.pending, settings.ridge)
    first = best_of(h, allowed.any(1), rng)
    apart = gradients - gradients[first]
    bonus = np.sqrt(settings.nu * ((apart**2) @ (1.0 / width)))
    second = best_of(h + bonus, allowed[first], rng)
    return Pair(first, second, "a hopeful challenger meets the leader")


def best_dueled(record: Record, settings: Settings) -> int:
    """The arm of highest h among those with a vote; the first arm where there is none."""
    seen = (record.wins + record.wins.T).sum(1) > 0
    if not seen.any():
        return 0
    features = _features(record)
    net = layers(trained(features, record.wins, settings), (features.shape[1], *HIDDEN, 1))
    return int(np.argmax(np.where(seen, forward(net, features)[-1][:, 0], -np.inf)))


def _features(record: Record) -> Float32:
    if record.features is None:
        raise NothingToAsk("APOHF needs embeddings of the prompts.")
    return record.features.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Apohf:
    """With the published settings."""

    name: ClassVar[str] = "apohf"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    settings: Settings = PUBLISHED

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        return propose(record, rng, self.settings)

    def recommend(self, record: Record) -> int:
        return best_dueled(record, self.settings)


@dataclass(frozen=True, slots=True)
class ApohfTuned:
    """With our settings."""

    name: ClassVar[str] = "apohf_tuned"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES})
    settings: Settings = TUNED

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        return propose(record, rng, self.settings)

    def recommend(self, record: Record) -> int:
        return best_dueled(record, self.settings)
