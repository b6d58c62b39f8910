import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.stats.bradley_terry import fit_by_evidence, fit_strengths
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import (
    SCALE_DOUBT,
    chance_against_pool,
    expected_regret,
    interval_of_chance,
    p_best,
    preference_matrix,
    rank_distribution,
    rank_range,
    strengths,
)

# Three draws of three arms, best to worst: 0 1 2, then 1 0 2, then 0 2 1.
DRAWS = np.array([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 0.0, 1.0]])


def wide(k: int) -> Posterior:
    return Posterior(np.linspace(1, -1, k), np.eye(k) - 1 / k, 1.0, 0.0)


def test_p_best_counts_draws():
    np.testing.assert_allclose(p_best(DRAWS), [2 / 3, 1 / 3, 0.0])


def test_rank_distribution_counts_draws():
    expected = np.array([[2, 1, 0], [1, 1, 1], [0, 1, 2]]) / 3
    np.testing.assert_allclose(rank_distribution(DRAWS), expected)


def test_rank_range_leaves_out_the_tails():
    draws = np.repeat(DRAWS, [90, 8, 2], axis=0)
    np.testing.assert_array_equal(rank_range(draws, level=0.80), [[1, 1], [2, 2], [3, 3]])
    np.testing.assert_array_equal(rank_range(draws, level=1.00), [[1, 2], [1, 3], [2, 3]])


def test_expected_regret_by_hand():
    regret = expected_regret(DRAWS, 0)
    assert regret.logits == pytest.approx(1 / 3)
    assert regret.win_probability == pytest.approx((1 / (1 + np.exp(-1.0)) - 0.5) / 3)


def test_chance_against_pool_by_hand():
    """Two arms a logit apart: sigma(1) and its complement, without doubt."""
    draws = np.tile([1.0, 0.0], (10, 1))
    chance = chance_against_pool(draws)
    win = 1 / (1 + np.exp(-1.0))
    for part in (chance.value, chance.low, chance.high):
        np.testing.assert_allclose(part, [win, 1 - win])


def test_chances_of_the_pool_average_one_half():
    draws = wide(6).draws(500, np.random.default_rng(0))
    assert chance_against_pool(draws).value.mean() == pytest.approx(0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 7), st.integers(0, 1000))
def test_preference_matrix_complements(k, seed):
    wins = np.random.default_rng(seed).integers(0, 5, (k, k)).astype(float)
    np.fill_diagonal(wins, 0)
    preference = preference_matrix(fit_strengths(wins))
    np.testing.assert_allclose(preference + preference.T, 1.0)


def test_preference_matrix_is_the_mean_over_draws():
    posterior = wide(3)
    draws = posterior.draws(200_000, np.random.default_rng(1))
    exact = (1 / (1 + np.exp(draws[:, [2]] - draws[:, [0]]))).mean()
    assert preference_matrix(posterior)[0, 2] == pytest.approx(exact, abs=0.005)


def test_intervals_of_strengths_are_normal_and_wider_by_the_doubt_of_their_scale():
    posterior = Posterior(np.array([2.0, 0.0, -2.0]), np.diag([1.0, 1.0, 1.0]), 1.0, 0.0)
    found = strengths(posterior, level=0.90)
    sd = np.sqrt(1.0 + (SCALE_DOUBT * np.array([2.0, 0.0, 2.0])) ** 2)  # doubts of the two are independent
    np.testing.assert_allclose(found.high - found.value, 1.6449 * sd, atol=1e-4)
    np.testing.assert_allclose(found.value - found.low, 1.6449 * sd, atol=1e-4)


def test_interval_of_chance_is_that_of_the_gap():
    posterior = Posterior(np.array([0.5, -0.5]), np.array([[0.25, -0.25], [-0.25, 0.25]]), 1.0, 0.0)
    found = interval_of_chance(posterior, 0, 1, level=0.90)
    gap = 1.0 + np.array([0.0, -1.6449, 1.6449])  # the gap has mean 1 and variance 4 * 0.25
    expected = 1 / (1 + np.exp(-gap))
    np.testing.assert_allclose([found.value[0], found.low[0], found.high[0]], expected, atol=1e-4)


def studies(seed: int, runs: int, k: int, votes: int):
    """Strengths from N(0, 1) and the posterior after random duels, over and over."""
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        theta = rng.normal(size=k)
        wins = np.zeros((k, k))
        for _ in range(votes):
            i, j = rng.choice(k, 2, replace=False)
            won = rng.random() < 1 / (1 + np.exp(theta[j] - theta[i]))
            wins[(i, j) if won else (j, i)] += 1
        yield theta - theta.mean(), fit_by_evidence(wins), rng


@pytest.mark.parametrize(("k", "votes"), [(5, 40), (12, 90)])
def test_intervals_cover_what_they_promise(k, votes):
    """90 % intervals of centred strengths hold the truth in 87 to 93 % of the cases."""
    held = []
    for truth, posterior, _ in studies(7, 250, k, votes):
        found = strengths(posterior, level=0.90)
        held.append((found.low <= truth) & (truth <= found.high))
    assert 0.87 <= np.mean(held) <= 0.93


def test_p_best_means_what_it_says():
    """Of the arms said to be the best with 60 to 100 %, as many are; so for 20 to 60 %. 250 studies."""
    said, so = [], []
    for truth, posterior, rng in studies(8, 250, 5, 40):
        said.append(p_best(posterior.draws(500, rng)))
        so.append(np.arange(5) == truth.argmax())
    chance, best = np.concatenate(said), np.concatenate(so)
    for low, high in ((0.2, 0.6), (0.6, 1.01)):
        within = (low <= chance) & (chance < high)
        assert within.sum() > 100
        assert chance[within].mean() == pytest.approx(best[within].mean(), abs=0.08)
