"""Duels in flight count as the outcome expected of them; kernels give the linear models they stand for."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from optimizer.selectors.evidence import best_of, counted, expecting, gap_sd
from optimizer.selectors.kernel import design_covariance, linear, scaled, smooth, squared_distances
from optimizer.stats.bradley_terry import fit_strengths
from tests.optimizer.selectors.records import record_of

WINS = np.array([[0, 3, 1, 0], [1, 0, 2, 2], [0, 1, 0, 4], [0, 1, 1, 0]], dtype=float)
PENDING = np.array([[0, 2, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])


def test_expected_outcomes_move_no_mean_and_add_their_information() -> None:
    """The same posterior as a fit to which the expected wins p and 1 - p have been added."""
    before = fit_strengths(WINS)
    chance = expit(before.mean[:, None] - before.mean[None, :])
    fitted = fit_strengths(WINS + PENDING * chance)
    expected = expecting(before, PENDING)
    np.testing.assert_allclose(expected.mean, fitted.mean, atol=1e-9)
    np.testing.assert_allclose(expected.cov, fitted.cov, atol=1e-9)
    assert (expected.sd < before.sd).all()


def test_a_pending_duel_counts_as_half_a_win_each_way() -> None:
    np.testing.assert_array_equal(counted(record_of(WINS, pending=PENDING)) - WINS, PENDING / 2)


def test_gap_sd_is_the_sd_of_differences() -> None:
    posterior = fit_strengths(WINS)
    z = np.array([0.0, 1.0, 0.0, -1.0])
    assert np.isclose(gap_sd(posterior.cov)[1, 3], np.sqrt(z @ posterior.cov @ z))
    np.testing.assert_array_equal(np.diag(gap_sd(posterior.cov)), 0.0)


def test_best_of_keeps_to_the_marked_arms_and_breaks_ties_both_ways() -> None:
    value = np.array([9.0, 5.0, 5.0, 1.0])
    arms = np.array([False, True, True, True])
    chosen = {best_of(value, arms, np.random.default_rng(seed)) for seed in range(20)}
    assert chosen == {1, 2}


def test_design_covariance_is_the_quadratic_form_of_the_inverse_design_matrix() -> None:
    """|x|^2 in the norm of M^-1, M = I + sum z z' over the duels, computed in the features' space."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4, 3))
    met = WINS + WINS.T
    design = np.eye(3)
    for i, j in np.argwhere(np.triu(met)):
        z = features[i] - features[j]
        design += met[i, j] * np.outer(z, z)
    expected = features @ np.linalg.inv(design) @ features.T
    np.testing.assert_allclose(design_covariance(features @ features.T, met), expected, atol=1e-12)


def test_a_linear_kernel_fits_the_same_strengths_as_logistic_regression_on_the_features() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(4, 2))
    centred = features - features.mean(0)
    kernel = linear(features, 4)
    stretch = np.sqrt(kernel[0, 0] / (centred[0] @ centred[0]))

    def loss(weights: np.ndarray) -> float:
        strengths = stretch * centred @ weights
        gap = strengths[:, None] - strengths[None, :]
        return float((WINS * np.logaddexp(0.0, -gap)).sum() + weights @ weights / 2)

    best = minimize(loss, np.zeros(2), tol=1e-12).x
    np.testing.assert_allclose(
        fit_strengths(WINS, similarity=kernel).mean, stretch * centred @ best, atol=1e-4
    )


def test_kernels_are_scaled_so_that_differences_have_a_mean_variance_of_two() -> None:
    features = np.random.default_rng(2).normal(size=(5, 3)) * 7
    kernel = linear(features, 5)
    variance = np.diag(kernel)
    apart = variance[:, None] + variance[None, :] - 2 * kernel
    assert np.isclose(apart.sum() / 20, 2.0)
    np.testing.assert_array_equal(scaled(np.ones((5, 5))), np.eye(5))
    np.testing.assert_array_equal(linear(None, 3), np.eye(3))


def test_smooth_similarity_falls_with_distance() -> None:
    """Worked: two points one length apart have similarity 0.9 exp(-1/2) where a tenth is their own."""
    similarity = smooth(squared_distances(np.array([[0.0], [2.0], [20.0]])), length=2.0, own=0.1)
    assert np.isclose(similarity[0, 1], 0.9 * np.exp(-0.5))
    assert similarity[0, 2] < 1e-9
    np.testing.assert_allclose(np.diag(similarity), 1.0)
