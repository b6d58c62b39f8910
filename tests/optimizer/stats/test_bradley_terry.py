"""The fast fit: properties that any fit must have, the gradient, and agreement with choix and evalica."""

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from optimizer.errors import NotFitted
from optimizer.stats.bradley_terry import fit_by_evidence, fit_strengths


def random_wins(k: int, votes: int, seed: int, sd: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    theta = rng.normal(0.0, sd, k)
    wins = np.zeros((k, k))
    for _ in range(votes):
        i, j = rng.choice(k, 2, replace=False)
        won = rng.random() < 1 / (1 + np.exp(theta[j] - theta[i]))
        wins[(i, j) if won else (j, i)] += 1
    return wins


win_matrices = st.integers(2, 6).flatmap(
    lambda k: arrays(float, (k, k), elements=st.integers(0, 6).map(float)).map(
        lambda wins: wins * (1 - np.eye(len(wins)))
    )
)


@settings(max_examples=40, deadline=None)
@given(win_matrices, st.randoms())
def test_relabelling_arms_permutes_strengths(wins, random):
    order = list(range(len(wins)))
    random.shuffle(order)
    fit, moved = fit_by_evidence(wins), fit_by_evidence(wins[np.ix_(order, order)])
    np.testing.assert_allclose(moved.mean, fit.mean[order], atol=1e-7)
    np.testing.assert_allclose(moved.cov, fit.cov[np.ix_(order, order)], atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(win_matrices)
def test_turning_every_vote_round_flips_strengths(wins):
    np.testing.assert_allclose(fit_by_evidence(wins.T).mean, -fit_by_evidence(wins).mean, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(win_matrices, st.data())
def test_adding_a_win_never_lowers_a_strength(wins, data):
    k = len(wins)
    i = data.draw(st.integers(0, k - 1))
    j = data.draw(st.integers(0, k - 1).filter(lambda arm: arm != i))
    more = wins.copy()
    more[i, j] += 1
    before, after = fit_strengths(wins).mean, fit_strengths(more).mean
    assert after[i] > before[i] - 1e-9
    assert after[j] < before[j] + 1e-9


def test_the_mode_has_no_slope_in_any_direction():
    wins, sd, step = random_wins(5, 40, 1), 0.7, 1e-5
    theta = fit_strengths(wins, prior_sd=sd).mean

    def objective(at):
        gap = at[:, None] - at[None, :]
        return -(wins * np.log1p(np.exp(-gap))).sum() - (at**2).sum() / (2 * sd**2)

    slope = [(objective(theta + step * e) - objective(theta - step * e)) / (2 * step) for e in np.eye(5)]
    np.testing.assert_allclose(slope, 0.0, atol=1e-6)


def test_the_covariance_is_the_inverse_of_the_curvature():
    wins, k, step = random_wins(4, 30, 2), 4, 1e-4
    fit = fit_strengths(wins)

    def objective(at):
        gap = at[:, None] - at[None, :]
        return -(wins * np.log1p(np.exp(-gap))).sum() - (at**2).sum() / 2

    curvature = np.empty((k, k))
    for a, da in enumerate(step * np.eye(k)):
        for b, db in enumerate(step * np.eye(k)):
            corners = [objective(fit.mean + s * da + t * db) * s * t for s in (1, -1) for t in (1, -1)]
            curvature[a, b] = -sum(corners) / (4 * step**2)
    centre = np.eye(k) - 1 / k
    np.testing.assert_allclose(fit.cov, centre @ np.linalg.inv(curvature) @ centre, atol=1e-5)


@pytest.mark.parametrize("prior_sd", [0.5, 1.0, 3.0])
def test_agreement_with_choix(prior_sd):
    """choix maximises log likelihood - alpha |theta|^2, so its alpha is 1 / (2 prior_sd^2)."""
    wins = random_wins(12, 200, 3).astype(int)
    data = [(i, j) for i in range(12) for j in range(12) for _ in range(wins[i, j])]
    other = choix.opt_pairwise(12, data, alpha=1 / (2 * prior_sd**2), method="Newton-CG", tol=1e-12)
    ours = fit_strengths(wins.astype(float), prior_sd=prior_sd).mean
    np.testing.assert_allclose(ours, other - other.mean(), atol=1e-6)


def test_agreement_with_evalica_when_the_prior_is_flat():
    evalica = pytest.importorskip("evalica")
    wins = random_wins(8, 600, 4, sd=0.7)
    rows = [(i, j) for i in range(8) for j in range(8) for _ in range(int(wins[i, j]))]
    result = evalica.bradley_terry(
        [i for i, _ in rows],
        [j for _, j in rows],
        [evalica.Winner.X] * len(rows),
        tolerance=1e-12,
        limit=10_000,
    )
    scores = np.log(result.scores.sort_index().to_numpy())
    np.testing.assert_allclose(fit_strengths(wins, prior_sd=1e4).mean, scores - scores.mean(), atol=1e-4)


def test_two_arms_by_hand():
    """With wins (3, 1) and sd 1 the gap g solves 4 (3/4 - sigma(g)) = g / 2: g = 0.6836."""
    fit = fit_strengths(np.array([[0.0, 3.0], [1.0, 0.0]]))
    gap = fit.mean[0] - fit.mean[1]
    assert 4 * (0.75 - 1 / (1 + np.exp(-gap))) == pytest.approx(gap / 2, abs=1e-8)
    assert gap == pytest.approx(0.6836, abs=2e-4)


def test_an_arm_that_never_lost_has_a_finite_strength():
    fit = fit_strengths(np.array([[0.0, 50.0], [0.0, 0.0]]))
    assert 2.0 < fit.mean[0] - fit.mean[1] < 6.0


def test_evidence_of_one_pair_matches_numerical_integration():
    """Only the gap of two arms matters: integrate its prior N(0, 2 s^2) times the likelihood."""
    wins = np.array([[0.0, 14.0], [9.0, 0.0]])
    gap = np.linspace(-15, 15, 20_001)
    for sd in (0.5, 1.0):
        density = np.exp(-(gap**2) / (4 * sd**2)) / np.sqrt(4 * np.pi * sd**2)
        likelihood = np.exp(-14 * np.log1p(np.exp(-gap)) - 9 * np.log1p(np.exp(gap)))
        exact = np.log(np.trapezoid(density * likelihood, gap))
        assert fit_strengths(wins, prior_sd=sd).log_evidence == pytest.approx(exact, abs=0.02)


def test_the_prior_width_follows_the_votes():
    assert fit_by_evidence(random_wins(10, 2000, 5, sd=0.2)).prior_sd == 0.25
    assert fit_by_evidence(random_wins(10, 2000, 5, sd=2.5)).prior_sd == 2.0
    assert fit_by_evidence(random_wins(10, 9, 5, sd=3.0)).prior_sd == 1.0


def test_similar_arms_share_what_is_learnt():
    wins = np.zeros((3, 3))
    wins[0, 2] = 5
    alike = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert fit_strengths(wins, similarity=alike).mean[1] > 0.2
    assert fit_strengths(wins).mean[1] == pytest.approx(0.0, abs=1e-9)


def test_a_prior_mean_is_where_an_unseen_arm_stands():
    fit = fit_strengths(np.zeros((3, 3)), prior_mean=np.array([1.0, 0.0, -1.0]))
    np.testing.assert_allclose(fit.mean, [1.0, 0.0, -1.0], atol=1e-9)


def test_a_similarity_that_is_no_covariance_is_refused():
    with pytest.raises(NotFitted):
        fit_strengths(np.zeros((2, 2)), similarity=np.array([[1.0, 2.0], [2.0, 1.0]]))
