"""INSTINCT, a neural bandit on numeric scores (Lin, Wu, Dai, Hu, Shu, Ng, Jaillet, Low 2024).

Where a study has a metric for each output, it asks which single prompt to score next. h is a ReLU
network d -> 100 -> 1 on the embeddings, standardised by the prompts scored so far, trained from one fixed
draw of N(0, scale^2) by 1000 steps of full-batch Adam, learning rate 0.001, L2 of ridge / n, on the mean
squared error of the n scores. With g(x) the gradient of h(x) in the parameters,
    U = sum of g(x_s)^2 over the scores + ridge (diagonal),
    next = argmax h(x) + sqrt(ridge nu sum_p g_p(x)^2 / U_p),   ridge = 0.1.
The authors add each gradient to U as it was when its prompt was chosen; a selector keeps nothing between
asks, so here all are taken at the present parameters. They start from scale = 1 with nu = 1 after forty
random scores; with the few dozen scores of a small study that start drowns the scores, so the default here
is scale = 0.1, nu = 0.1 after five. For a duel, that prompt meets the leader, the arm of highest h scored;
a duel in flight counts in U, which needs no outcome, as one more score of each of its two prompts.

For studies with a metric, many prompts and embeddings. It needs no votes and learns nothing from them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.errors import NothingToAsk
from optimizer.selectors.base import BoolArray, FloatArray, Need, Pair, Record, allowed_pairs
from optimizer.selectors.evidence import best_of
from optimizer.selectors.network import Float32, adam, backward, count, forward, layers, output_gradients

HIDDEN = 100
RANDOM_SCORES = 5
STEPS = 1000


def score_means(k: int, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(k,) how often each arm was scored, and (k,) its mean score, 0 where never: all that the loss needs."""
    arms = scores[:, 0].astype(np.int64)
    often = np.bincount(arms, minlength=k).astype(np.float64)
    mean = np.bincount(arms, scores[:, 1], minlength=k) / np.maximum(often, 1.0)
    return often, mean


def standardised(features: FloatArray, seen: BoolArray) -> Float32:
    """(k, d) features, each column shifted and stretched by its mean and spread over the arms seen."""
    spread = features[seen].std(0)
    scaled = (features - features[seen].mean(0)) / np.where(spread > 1e-8, spread, 1.0)
    standard: Float32 = scaled.astype(np.float32)
    return standard


def trained(x: Float32, often: FloatArray, mean: FloatArray, ridge: float, scale: float) -> Float32:
    """The flat parameters of h after training; ``often`` and ``mean`` as from ``score_means``."""
    sizes = (x.shape[1], HIDDEN, 1)
    start = np.random.default_rng(0).standard_normal(count(sizes), dtype=np.float32)
    start *= np.float32(scale)
    return adam(start, loss_slope(x, often, mean), ridge / often.sum(), STEPS)


def loss_slope(x: Float32, often: FloatArray, mean: FloatArray) -> Callable[[Float32], Float32]:
    """From flat parameters to the gradient of the mean squared error of all scores, overwritten each time."""
    sizes = (x.shape[1], HIDDEN, 1)
    scored = np.flatnonzero(often)
    rows, weight, target = np.ascontiguousarray(x[scored]), often[scored] / often.sum(), mean[scored]
    flat_gradient = np.empty(count(sizes), dtype=np.float32)
    gradient = layers(flat_gradient, sizes)

    def slope(flat: Float32) -> Float32:
        net = layers(flat, sizes)
        values = forward(net, rows)
        into = 2.0 * weight * (values[-1][:, 0] - target)
        backward(net, values, into.astype(np.float32), gradient)
        return flat_gradient

    return slope


@dataclass(frozen=True, slots=True)
class Instinct:
    """NeuralUCB on scores; nu: exploration, inside the root; ridge: lambda; scale: sd of the start."""

    name: ClassVar[str] = "instinct"
    needs: ClassVar[frozenset[Need]] = frozenset({Need.FEATURES, Need.SCORES})
    nu: float = 0.1
    ridge: float = 0.1
    scale: float = 0.1

    def _outlook(self, record: Record) -> tuple[FloatArray, FloatArray, BoolArray]:
        """(k,) h, (k,) its upper bound, and (k,) which arms have been scored."""
        features, scores = _known(record)
        often, mean = score_means(record.k, scores)
        scored = often > 0
        x = standardised(features, scored)
        net = layers(trained(x, often, mean, self.ridge, self.scale), (x.shape[1], HIDDEN, 1))
        h = forward(net, x)[-1][:, 0].astype(np.float64)
        squares = output_gradients(net, x) ** 2
        expected = (often + record.pending.sum(1)).astype(np.float32)
        width = expected @ squares + np.float32(self.ridge)
        bonus = np.sqrt(self.ridge * self.nu * (squares @ (1.0 / width)))
        return h, h + bonus, scored

    def ask_arm(self, record: Record, rng: np.random.Generator) -> int:
        """Which prompt to score next; the first few at random among those scored least."""
        _, scores = _known(record)
        if len(scores) < RANDOM_SCORES:
            often, _ = score_means(record.k, scores)
            return best_of(-often, np.ones(record.k, dtype=bool), rng)
        _, bound, _ = self._outlook(record)
        return best_of(bound, np.ones(record.k, dtype=bool), rng)

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        _, scores = _known(record)
        allowed = allowed_pairs(record)
        if len(scores) < RANDOM_SCORES:
            first, second = rng.choice(np.argwhere(allowed))
            return Pair(int(first), int(second), "picked at random, to begin with")
        h, bound, scored = self._outlook(record)
        first = best_of(bound, allowed.any(1), rng)
        partners = allowed[first] & scored
        second = best_of(h, partners if partners.any() else allowed[first], rng)
        return Pair(first, second, "a prompt worth scoring meets the leader")

    def recommend(self, record: Record) -> int:
        """The arm of the best mean score; the first arm where there is no score."""
        _, scores = _known(record)
        often, mean = score_means(record.k, scores)
        return int(np.argmax(np.where(often > 0, mean, -np.inf)))


def _known(record: Record) -> tuple[FloatArray, FloatArray]:
    """The features and scores of a record that has both."""
    if record.features is None or record.scores is None:
        raise NothingToAsk("INSTINCT needs embeddings of the prompts and numeric scores of outputs.")
    return record.features, record.scores
