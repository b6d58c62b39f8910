import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import multivariate_normal

from optimizer.stats.bradley_terry import fit_strengths
from optimizer.stats.pair_effects import choose_pair_effects, fit_pair_effects
from optimizer.stats.pair_grades import graded_meetings
from optimizer.stats.pair_newton import PRIOR_SDS, Meetings
from optimizer.stats.tally import Tally

RING = np.array([[0.5, 0.6, 0.6, 0.6], [0.4, 0.5, 0.9, 0.1], [0.4, 0.1, 0.5, 0.9], [0.4, 0.9, 0.1, 0.5]])


def votes(preference: np.ndarray, each: int, seed: int) -> np.ndarray:
    """A win matrix with ``each`` games of every pair."""
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.binomial(each, preference), 1)
    return (upper + np.triu(each - upper, 1).T).astype(float)


def btl(k: int, each: int, seed: int) -> np.ndarray:
    strengths = np.random.default_rng(seed).normal(size=k)
    return votes(expit(strengths[:, None] - strengths), each, seed)


def test_without_effects_it_is_bradley_terry() -> None:
    wins = btl(6, 3, 1)
    plain, same = fit_strengths(wins, 0.7), fit_pair_effects(wins, 0.7, 0.0)
    assert same.strengths.mean == pytest.approx(plain.mean, abs=1e-6)
    assert same.strengths.cov == pytest.approx(plain.cov, abs=1e-5)
    assert same.gap == pytest.approx(plain.mean[:, None] - plain.mean, abs=1e-6)


def test_the_mode_is_the_highest_point_of_the_objective() -> None:
    wins, s, t = votes(RING, 6, 2), 0.8, 0.9
    first, second = np.triu_indices(4, 1)

    def loss(point: np.ndarray) -> float:
        theta, effects = point[:4], point[4:]
        gap = theta[first] - theta[second] + effects
        fit = wins[first, second] @ np.logaddexp(0, -gap) + wins[second, first] @ np.logaddexp(0, gap)
        return float(fit + theta @ theta / (2 * s**2) + effects @ effects / (2 * t**2))

    best = minimize(loss, np.zeros(10), method="BFGS", options={"gtol": 1e-8}).x
    found = fit_pair_effects(wins, s, t)
    assert found.strengths.mean == pytest.approx(best[:4] - best[:4].mean(), abs=1e-4)
    assert found.gap[first, second] == pytest.approx(best[:4][first] - best[:4][second] + best[4:], abs=1e-4)


def test_variances_are_those_of_the_whole_hessian() -> None:
    """Eliminating the effects must give the same covariances as inverting everything at once."""
    wins, s, t = votes(RING, 6, 3), 0.8, 0.9
    found = fit_pair_effects(wins, s, t)
    first, second = np.triu_indices(4, 1)
    design = np.zeros((6, 10))
    rows = np.arange(6)
    design[rows, first], design[rows, second], design[rows, 4 + rows] = 1, -1, 1
    p = expit(found.gap[first, second])
    weight = (wins + wins.T)[first, second] * p * (1 - p)
    hessian = design.T @ (weight[:, None] * design) + np.diag([1 / s**2] * 4 + [1 / t**2] * 6)
    cov = np.linalg.inv(hessian)
    assert found.gap_variance[first, second] == pytest.approx(np.diag(design @ cov @ design.T), abs=1e-4)


def test_evidence_is_the_laplace_integral_over_everything() -> None:
    """Against the log determinant of the whole Hessian."""
    wins, s, t = votes(RING, 6, 4), 0.8, 0.9
    mode = Meetings.of(wins, None).fit(s, t, None)
    first, second = np.triu_indices(4, 1)
    gap = mode.theta[first] - mode.theta[second] + mode.effects
    p = expit(gap)
    weight = (wins + wins.T)[first, second] * p * (1 - p)
    design = np.zeros((6, 10))
    rows = np.arange(6)
    design[rows, first], design[rows, second], design[rows, 4 + rows] = 1, -1, 1
    hessian = design.T @ (weight[:, None] * design) + np.diag([1 / s**2] * 4 + [1 / t**2] * 6)
    log_joint = -(
        wins[first, second] @ np.logaddexp(0, -gap)
        + wins[second, first] @ np.logaddexp(0, gap)
        + mode.theta @ mode.theta / (2 * s**2)
        + mode.effects @ mode.effects / (2 * t**2)
        + 4 * np.log(s)
        + 6 * np.log(t)
    )
    assert mode.evidence == pytest.approx(log_joint - np.linalg.slogdet(hessian)[1] / 2, abs=1e-3)


def test_the_slope_and_the_climb_agree_with_the_evidence() -> None:
    """Whatever the votes, no neighbouring prior width may have more support than the one chosen."""
    for seed in range(10):
        meetings = Meetings.of(btl(7, 1 + seed, seed), None)
        chosen = meetings.climb(meetings.fit(1.0, 0.0, None))
        if chosen.pair_sd == 0.0:
            others = [meetings.fit(prior_sd, 0.0, None).support for prior_sd in PRIOR_SDS]
            assert chosen.support >= max(others) - 0.05


@pytest.mark.parametrize("prior_sd", PRIOR_SDS)
@pytest.mark.parametrize("graded", [False, True], ids=["plain", "graded"])
def test_the_score_of_effects_is_the_slope_of_the_evidence_in_their_variance(
    prior_sd: float, graded: bool
) -> None:
    """At t = 0, where alone it is defined, by finite differences: with the likelihood's curvature held fixed
    every pair is a measurement gap + residual / w of variance 1 / w, and the evidence of t^2 a normal density
    of these measurements. Divided by the standard deviation sqrt(sum w^2 / 2) of the slope."""
    rng = np.random.default_rng(7)
    if graded:
        counts = np.triu(rng.integers(0, 4, (5, 5)), 1)[:, :, None] * rng.integers(0, 3, 8)
        meetings = graded_meetings(Tally(counts.astype(float)), 0.6 * np.eye(5) + 0.4)
    else:
        meetings = Meetings.of(votes(RING, 9, 6), None)
    mode = meetings.fit(prior_sd, 0.0, None)
    e = len(meetings.first)
    gap = mode.theta[meetings.first] - mode.theta[meetings.second]
    p = expit(gap[:, None] - meetings.cuts)
    weight = (meetings.games * p * (1 - p)).sum(1)
    measured = gap + (meetings.won - meetings.games * p).sum(1) / weight
    design = np.zeros((e, meetings.k))
    design[np.arange(e), meetings.first], design[np.arange(e), meetings.second] = 1.0, -1.0
    prior = prior_sd**2 * np.linalg.inv(meetings.precision)
    without = design @ prior @ design.T + np.diag(1 / weight)

    def evidence(variance: float) -> float:
        return float(multivariate_normal(np.zeros(e), without + variance * np.eye(e)).logpdf(measured))

    slope = (evidence(1e-5) - evidence(-1e-5)) / 2e-5
    assert meetings._score_of_effects(mode) == pytest.approx(slope / np.sqrt((weight**2).sum() / 2), rel=1e-4)


def test_draws_have_the_variance_that_is_claimed() -> None:
    found = fit_pair_effects(votes(RING, 6, 5), 1.0, 0.0)
    draws = found.winners(20_000, np.random.default_rng(1))
    assert draws.sum(1) == pytest.approx(np.zeros(20_000), abs=1e-9)
    assert np.cov(draws.T) == pytest.approx(found.strengths.cov, abs=0.01)


def test_cycles_call_for_effects_and_strengths_alone_do_not() -> None:
    assert choose_pair_effects(votes(RING, 20, 1)).pair_sd > 0
    assert sum(choose_pair_effects(btl(8, 8, seed)).pair_sd > 0 for seed in range(20)) <= 3


def test_under_a_cycle_the_unbeaten_arm_is_recommended() -> None:
    """Arm 0 beats each other by .6; the others beat each other by .9 in a ring."""
    right = [choose_pair_effects(votes(RING, 20, seed)).leader == 0 for seed in range(100)]
    counted = []
    for seed in range(100):
        wins = votes(RING, 20, seed)
        counted.append(int((wins > 10).sum(1).argmax()) == 0)
    assert sum(right) > 95
    assert sum(right) >= sum(counted)


def test_without_a_condorcet_winner_losses_are_counted() -> None:
    """0, 1, 2 beat each other in a ring; 3 loses to all but is close to nobody: never recommended."""
    ring = np.array([[0.5, 0.9, 0.1, 0.9], [0.1, 0.5, 0.9, 0.9], [0.9, 0.1, 0.5, 0.9], [0.1, 0.1, 0.1, 0.5]])
    assert all(choose_pair_effects(votes(ring, 40, seed)).leader != 3 for seed in range(10))


def test_the_prior_width_follows_the_votes() -> None:
    coins = votes(np.full((10, 10), 0.5), 20, 1)
    strong = np.linspace(-4, 4, 10)
    clear = votes(expit(strong[:, None] - strong), 20, 1)
    assert choose_pair_effects(coins).strengths.prior_sd <= 0.5
    assert choose_pair_effects(clear).strengths.prior_sd >= 2.0
    assert choose_pair_effects(np.triu(np.ones((4, 4)), 1)).strengths.prior_sd == 1.0  # too few votes


def test_similar_arms_share_what_was_learned_if_the_votes_say_so() -> None:
    group = np.repeat([1.5, -1.5], 6)
    alike = np.where(group[:, None] == group, 0.9, 0.0) + 0.1 * np.eye(12)
    wins = votes(expit(group[:, None] - group), 4, 1)
    wins[5] = wins[:, 5] = 0.0  # never met anyone
    shared = choose_pair_effects(wins, (np.eye(12), alike))
    assert shared.strengths.mean[5] > 0.5
    assert choose_pair_effects(wins).strengths.mean[5] == pytest.approx(0.0, abs=0.3)


def test_pending_duels_shrink_doubt_and_move_nothing() -> None:
    wins = btl(5, 2, 3)
    pending = np.zeros((5, 5), dtype=np.int64)
    pending[0, 1] = pending[1, 0] = 3
    before, after = fit_pair_effects(wins), fit_pair_effects(wins, pending=pending)
    assert np.array_equal(before.strengths.mean, after.strengths.mean)
    assert after.gap_variance[0, 1] < before.gap_variance[0, 1]
    assert (after.gap_variance <= before.gap_variance + 1e-6).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 7))
def test_relabelling_arms_relabels_beliefs(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    wins = rng.integers(0, 5, size=(k, k)).astype(float)
    np.fill_diagonal(wins, 0)
    order = rng.permutation(k)
    here, there = choose_pair_effects(wins), choose_pair_effects(wins[np.ix_(order, order)])
    assert there.pair_sd == here.pair_sd
    assert there.strengths.mean == pytest.approx(here.strengths.mean[order], abs=1e-5)
    assert there.gap == pytest.approx(here.gap[np.ix_(order, order)], abs=1e-5)
    assert here.gap == pytest.approx(-here.gap.T, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_another_win_never_lowers_a_strength(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wins = rng.integers(0, 4, size=(5, 5)).astype(float)
    np.fill_diagonal(wins, 0)
    more = wins.copy()
    more[0, 1] += 1
    for pair_sd in (0.0, 0.7):
        before, after = fit_pair_effects(wins, 1.0, pair_sd), fit_pair_effects(more, 1.0, pair_sd)
        assert after.strengths.mean[0] >= before.strengths.mean[0] - 1e-6
        assert after.gap[0, 1] >= before.gap[0, 1] - 1e-6
