"""APOHF and INSTINCT: what they train, the pair they ask, what they recommend."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import expit

from optimizer.selectors.apohf import (
    HIDDEN,
    PUBLISHED,
    RANDOM_DUELS,
    TUNED,
    Apohf,
    ApohfTuned,
    Settings,
    diagonal,
    loss_slope,
    trained,
)
from optimizer.selectors.instinct import HIDDEN as WIDE
from optimizer.selectors.instinct import Instinct, score_means
from optimizer.selectors.instinct import loss_slope as slope_on_scores
from optimizer.selectors.instinct import trained as trained_on_scores
from optimizer.selectors.network import count, forward, layers, output_gradients
from tests.optimizer.selectors.records import record_of

RNG = np.random.default_rng(4)
FEATURES = RNG.normal(size=(8, 6))
FEATURES /= np.linalg.norm(FEATURES, axis=1)[:, None]
X = FEATURES.astype(np.float32)
WINS = np.triu(RNG.integers(0, 3, (8, 8)), 1).astype(float)
WINS[:, 7] = 0.0  # arm 7 was never shown
SIZES = (6, *HIDDEN, 1)


def h_of(flat: np.ndarray) -> np.ndarray:
    return forward(layers(flat, SIZES), X)[-1][:, 0].astype(float)


def loss(flat: np.ndarray, wins: np.ndarray) -> float:
    """The published loss, vote by vote."""
    h = h_of(flat)
    votes = [(i, j) for i, j in np.argwhere(wins) for _ in range(int(wins[i, j]))]
    return -sum(float(np.log(expit(h[i] - h[j]))) for i, j in votes) / len(votes)


def test_the_published_settings_and_the_size_of_the_network() -> None:
    assert Apohf().settings == PUBLISHED == Settings(nu=1.0, ridge=0.1, scale=1.0, steps=1000)
    assert ApohfTuned().settings == TUNED
    assert count((768, *HIDDEN, 1)) == 25_697


def test_training_starts_from_one_fixed_draw_and_lowers_the_loss() -> None:
    start = trained(X, WINS, Settings(nu=1.0, ridge=0.1, scale=1.0, steps=0))
    again = trained(X, WINS.T, Settings(nu=1.0, ridge=0.1, scale=1.0, steps=0))
    np.testing.assert_array_equal(start, again)
    assert start.std() == pytest.approx(1.0, abs=0.05)
    assert loss(trained(X, WINS, PUBLISHED), WINS) < 0.5 * loss(start, WINS)


def test_the_first_step_of_training_follows_the_gradient_of_the_mean_loss() -> None:
    """Adam's first step is 0.001 in the sign of the gradient: compared with finite differences of the loss
    plus ridge / (t + 50) * parameter, wherever that gradient is not tiny."""
    settings = Settings(nu=1.0, ridge=0.1, scale=1.0, steps=0)
    start = trained(X, WINS, settings)
    step = trained(X, WINS, Settings(nu=1.0, ridge=0.1, scale=1.0, steps=1)) - start
    decay = 0.1 / (WINS.sum() + 50)
    checked = 0
    for at in np.random.default_rng(0).choice(start.size, 60, replace=False):
        moved = start.astype(np.float64)
        moved[at] += 1e-4
        back = start.astype(np.float64)
        back[at] -= 1e-4
        slope = (loss(moved, WINS) - loss(back, WINS)) / 2e-4 + decay * start[at]
        if abs(slope) > 1e-4:
            assert step[at] == pytest.approx(-0.001 * np.sign(slope), abs=2e-5)
            checked += 1
    assert checked > 30


def by_differences(value: Callable[[np.ndarray], float], flat: np.ndarray, places: np.ndarray) -> list[float]:
    """The slope of ``value`` in the parameters at ``places``, by central differences in double precision."""
    slopes = []
    for at in places:
        step = np.zeros(flat.size)
        step[at] = 1e-6
        slopes.append((value(flat + step) - value(flat - step)) / 2e-6)
    return slopes


@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_the_gradient_of_the_loss_by_finite_differences(scale: float) -> None:
    flat = trained(X, WINS, Settings(nu=1.0, ridge=0.1, scale=scale, steps=0))
    gradient = loss_slope(X, WINS)(flat)
    places = np.random.default_rng(0).choice(flat.size, 200, replace=False)
    expected = by_differences(lambda at: loss(at, WINS), flat.astype(float), places)
    assert np.count_nonzero(expected) > 50
    np.testing.assert_allclose(gradient[places], expected, rtol=1e-3, atol=1e-5)


def test_a_tie_counts_as_half_a_win_each_way() -> None:
    """A record of ties only pulls the two utilities together."""
    ties = np.zeros((8, 8))
    ties[0, 1] = ties[1, 0] = 3.5
    start = trained(X, ties, Settings(nu=1.0, ridge=0.0, scale=1.0, steps=0))
    end = trained(X, ties, Settings(nu=1.0, ridge=0.0, scale=1.0))
    assert abs(h_of(end)[0] - h_of(end)[1]) < 0.1 * abs(h_of(start)[0] - h_of(start)[1])


def test_the_diagonal_is_that_of_the_full_matrix() -> None:
    """U = diag(sum over duels of z z' + ridge I), with the p x p matrix really built."""
    gradients = RNG.normal(size=(8, 9)).astype(np.float32)
    met = WINS + WINS.T
    full = 0.1 * np.eye(9)
    for i, j in np.argwhere(np.triu(met)):
        z = (gradients[i] - gradients[j]).astype(float)
        full += met[i, j] * np.outer(z, z)
    np.testing.assert_allclose(diagonal(gradients, met, 0.1), np.diag(full), rtol=1e-5)


def test_the_pair_is_the_greedy_arm_and_the_highest_bound_relative_to_it() -> None:
    """Lin et al. 2024 (APOHF), Algorithm 1, recomputed arm by arm from the description of the program."""
    flat = trained(X, WINS, PUBLISHED)
    h = h_of(flat)
    g = output_gradients(layers(flat, SIZES), X).astype(float)
    first = int(np.argmax(h))
    u = np.full(g.shape[1], 0.1)
    for i, j in np.argwhere(WINS):
        u += WINS[i, j] * (g[i] - g[j]) ** 2
    bound = [h[x] + np.sqrt(1.0 * ((g[x] - g[first]) ** 2 / u).sum()) for x in range(8)]
    order = np.argsort(bound)[::-1]
    second = int(order[0] if order[0] != first else order[1])
    pair = Apohf().ask(record_of(WINS, features=FEATURES), np.random.default_rng(0))
    assert pair[:2] == (first, second)


def test_the_first_five_pairs_are_random_and_duels_in_flight_are_among_them() -> None:
    wins = np.zeros((8, 8))
    wins[0, 1] = RANDOM_DUELS - 1
    record = record_of(wins, features=FEATURES)
    pairs = {Apohf().ask(record, np.random.default_rng(seed))[:2] for seed in range(10)}
    assert len(pairs) > 5
    pending = np.zeros((8, 8), dtype=np.int64)
    pending[2, 3] = pending[3, 2] = 1
    later = record_of(wins, features=FEATURES, pending=pending)
    assert len({Apohf().ask(later, np.random.default_rng(seed))[:2] for seed in range(5)}) == 1


def test_only_prompts_that_dueled_are_recommended() -> None:
    h = h_of(trained(X, WINS, PUBLISHED))
    assert Apohf().recommend(record_of(WINS, features=FEATURES)) == int(np.argmax(h[:7]))
    assert Apohf().recommend(record_of(np.zeros((8, 8)), features=FEATURES)) == 0
    only = np.zeros((8, 8))
    only[6, 7] = 1.0
    assert Apohf().recommend(record_of(only, features=FEATURES)) in (6, 7)


def test_scores_are_learned_from_counts_and_means_alone() -> None:
    """1,000 repeats of the same scores give the same network as the scores once, but for the weaker L2."""
    scores = np.array([[0, 0.2], [0, 0.4], [3, 0.9]])
    often, mean = score_means(8, scores)
    assert often.tolist() == [2, 0, 0, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(mean[[0, 3]], [0.3, 0.9])
    once = trained_on_scores(X, often, mean, 0.0, 1.0)
    repeated = trained_on_scores(X, *score_means(8, np.tile(scores, (1000, 1))), 0.0, 1.0)
    np.testing.assert_allclose(once, repeated, atol=1e-4)
    fitted = forward(layers(once, (6, WIDE, 1)), X)[-1][:, 0]
    np.testing.assert_allclose(fitted[[0, 3]], [0.3, 0.9], atol=0.2)


def test_instinct_scores_unknown_prompts_first_then_the_highest_bound() -> None:
    few = np.array([[0, 0.5], [1, 0.5], [2, 0.4]])
    arms = {
        Instinct().ask_arm(record_of(WINS, features=FEATURES, scores=few), np.random.default_rng(seed))
        for seed in range(40)
    }
    assert arms == {3, 4, 5, 6, 7}
    scores = np.column_stack([np.repeat(np.arange(8), 50), np.repeat(np.linspace(0, 1, 8), 50)])
    record = record_of(WINS, features=FEATURES, scores=scores)
    assert Instinct(nu=0.0).ask_arm(record, np.random.default_rng(0)) == 7
    assert Instinct().recommend(record) == 7
    assert Instinct(nu=0.0).ask(record, np.random.default_rng(0))[:2] == (7, 6)


SCORES = np.array([[0, 0.6], [0, 0.7], [1, 0.5], [2, 0.1], [3, 0.3], [4, 0.2], [4, 0.2]])


def fitted_to_scores(rule: Instinct) -> tuple[np.ndarray, np.ndarray]:
    """(k,) h after training on ``SCORES``, and (k, p) its gradients, in double precision."""
    seen = FEATURES[:5]
    x = ((FEATURES - seen.mean(0)) / seen.std(0)).astype(np.float32)
    net = layers(trained_on_scores(x, *score_means(8, SCORES), rule.ridge, rule.scale), (6, WIDE, 1))
    return forward(net, x)[-1][:, 0].astype(float), output_gradients(net, x).astype(float)


def test_the_gradient_of_the_squared_error_by_finite_differences() -> None:
    """Score by score: the mean over all of them of (h - score)^2."""

    def squared_error(flat: np.ndarray) -> float:
        h = forward(layers(flat, (6, WIDE, 1)), X)[-1][:, 0]
        return float(np.mean([(h[int(arm)] - score) ** 2 for arm, score in SCORES]))

    flat = np.random.default_rng(1).normal(size=count((6, WIDE, 1))).astype(np.float32)
    gradient = slope_on_scores(X, *score_means(8, SCORES))(flat)
    places = np.random.default_rng(0).choice(flat.size, 200, replace=False)
    expected = by_differences(squared_error, flat.astype(float), places)
    assert np.count_nonzero(expected) > 50
    np.testing.assert_allclose(gradient[places], expected, rtol=1e-3, atol=1e-4)


def test_instinct_asks_for_the_highest_bound_recomputed_score_by_score() -> None:
    """NeuralUCB of Lin et al. 2024 (INSTINCT): h + sqrt(ridge nu sum_p g_p^2 / U_p), U the ridge and one g^2
    for each score. Neither h alone nor the bonus with U = ridge would ask for this prompt."""
    rule = Instinct(nu=4.0)
    h, g = fitted_to_scores(rule)
    u = np.full(g.shape[1], 0.1)
    for arm, _ in SCORES:
        u += g[int(arm)] ** 2
    bound = [h[arm] + np.sqrt(0.1 * 4.0 * (g[arm] ** 2 / u).sum()) for arm in range(8)]
    unscored = [h[arm] + np.sqrt(0.1 * 4.0 * (g[arm] ** 2 / 0.1).sum()) for arm in range(8)]
    best = int(np.argmax(bound))
    assert best not in (int(np.argmax(h)), int(np.argmax(unscored)))
    record = record_of(WINS, features=FEATURES, scores=SCORES)
    assert rule.ask_arm(record, np.random.default_rng(0)) == best
    leader = max((arm for arm in range(5) if arm != best), key=lambda arm: h[arm])
    assert rule.ask(record, np.random.default_rng(0))[:2] == (best, leader)


def test_a_duel_in_flight_counts_as_one_more_score_of_each_of_its_prompts() -> None:
    """It narrows the bounds of the prompts like it, and moves no opinion of them."""
    rule = Instinct(nu=4.0)
    h, g = fitted_to_scores(rule)
    pending = np.zeros((8, 8), dtype=np.int64)
    record = record_of(WINS, features=FEATURES, scores=SCORES, pending=pending)
    asked = rule.ask(record, np.random.default_rng(0))
    pending[asked.first, asked.second] = pending[asked.second, asked.first] = 10
    u = 0.1 + (g[SCORES[:, 0].astype(int)] ** 2).sum(0) + 10 * (g[asked.first] ** 2 + g[asked.second] ** 2)
    then = int(np.argmax(h + np.sqrt(0.1 * 4.0 * (g**2 / u).sum(1))))
    assert then != asked.first
    assert rule.ask(record, np.random.default_rng(0)).first == then
