"""A judge counts as far as it follows people: nothing at random, most when it is as good as they are."""

import numpy as np
import pytest
from scipy.special import expit

from optimizer.stats.bradley_terry import fit_strengths
from optimizer.stats.posterior import Posterior
from optimizer.stats.trust import TASTES, WEIGHTS, share_heard, trust_of, with_judges

K = 6


def wins(
    strengths: np.ndarray, votes: int, rng: np.random.Generator, right: float | None = None
) -> np.ndarray:
    """Votes on pairs drawn evenly; ``right``: the share of them not turned round; None for coins."""
    found = np.zeros((K, K))
    for _ in range(votes):
        i, j = rng.choice(K, 2, replace=False)
        better = rng.random() < expit(strengths[i] - strengths[j])
        if right is None:
            better = rng.random() < 0.5
        elif rng.random() > right:
            better = not better
        found[(i, j) if better else (j, i)] += 1
    return found


def simulate(right: float | None, runs: int) -> tuple[float, float, float, float]:
    """Mean weight, coverage of people's and of the sharpened 95 % intervals, mean ratio of their widths."""
    rng = np.random.default_rng(21)
    weights, inside, inside_with, ratios = [], [], [], []
    for _ in range(runs):
        strengths = rng.normal(0.0, 1.0, K)
        people = fit_strengths(wins(strengths, 100, rng, 1.0))
        of_judge = wins(strengths, 300, rng, right)
        sharpened = with_judges(people, [of_judge])
        weights.append(trust_of(people, of_judge).weight)
        gap = strengths - strengths.mean()
        inside.append(np.abs(people.mean - gap) < 1.96 * people.sd)
        inside_with.append(np.abs(sharpened.mean - gap) < 1.96 * sharpened.sd)
        ratios.append(np.mean(sharpened.sd / people.sd))
    return (
        float(np.mean(weights)),
        float(np.mean(inside)),
        float(np.mean(inside_with)),
        float(np.mean(ratios)),
    )


def test_a_judge_of_eighty_percent_narrows_the_interval_and_keeps_the_truth_inside() -> None:
    weight, _, covered, ratio = simulate(0.8, 150)
    assert 0.45 < weight < 0.75  # 2 * .8 - 1 for small differences
    assert 0.93 <= covered <= 0.97
    assert ratio < 0.92


def test_a_random_judge_counts_about_nothing() -> None:
    weight, alone, covered, ratio = simulate(None, 60)
    assert weight < 0.15
    assert covered == pytest.approx(alone, abs=0.02)
    assert ratio > 0.97


def test_a_judge_that_only_ties_counts_about_nothing() -> None:
    rng = np.random.default_rng(2)
    people = fit_strengths(wins(np.linspace(-1.5, 1.5, K), 150, rng, 1.0))
    ties = np.full((K, K), 10.0) - 10.0 * np.eye(K)
    sharpened = with_judges(people, [ties])
    assert trust_of(people, ties).weight < 0.1
    assert np.array_equal(sharpened.mean.argsort(), people.mean.argsort())
    assert np.allclose(sharpened.mean, people.mean, atol=0.1)


def test_a_judge_against_the_people_counts_nothing() -> None:
    rng = np.random.default_rng(3)
    strengths = np.linspace(-2.0, 2.0, K)
    people = fit_strengths(wins(strengths, 150, rng, 1.0))
    against = wins(-strengths, 500, rng, 1.0)
    assert trust_of(people, against).weight < 0.2  # what there is of it is doubt: its taste is taken for vast
    sharpened = with_judges(people, [against])
    assert np.allclose(sharpened.mean, people.mean, atol=0.1)
    assert np.allclose(sharpened.sd, people.sd, atol=0.02)


def test_no_number_of_votes_outvotes_people_on_what_is_good() -> None:
    """A judge with a taste of its own: a hundred times its votes hardly move anything more."""
    people = fit_strengths(wins(np.linspace(-1.0, 1.0, K), 120, np.random.default_rng(4), 1.0))
    taste = np.array([0.0, 1.2, -1.0, 0.8, -0.8, 0.0])
    chance = expit(np.subtract.outer(np.linspace(-1.0, 1.0, K) + taste, np.linspace(-1.0, 1.0, K) + taste))
    np.fill_diagonal(chance, 0.0)
    some, many = (with_judges(people, [chance * votes]) for votes in (100, 10_000))
    assert np.allclose(some.mean, many.mean, atol=0.1)
    assert np.all(many.sd > 0.75 * people.sd)


def test_it_is_the_posterior_of_the_joint_gaussian_model() -> None:
    """A second implementation: both strengths in one Gaussian of 2k dimensions per grid point."""
    rng = np.random.default_rng(5)
    people = fit_strengths(wins(np.linspace(-1.0, 1.0, K), 60, rng, 1.0))
    of_judge = wins(np.linspace(-1.0, 1.0, K), 80, rng, 0.9)
    from optimizer.stats.trust import _expansion

    h, linear = _expansion(of_judge)
    centre = np.eye(K) - 1.0 / K
    chances, means = [], []
    for a in WEIGHTS:
        for taste in TASTES:
            spread = np.block(
                [
                    [people.cov, a * people.cov],
                    [a * people.cov, a * a * people.cov + taste**2 * centre],
                ]
            ) + 1e-9 * np.eye(2 * K)
            prior = np.concatenate([people.mean, a * people.mean])
            precision = np.linalg.inv(spread)
            with_h = precision.copy()
            with_h[K:, K:] += h
            pull = precision @ prior + np.concatenate([np.zeros(K), linear])
            mean = np.linalg.solve(with_h, pull)
            evidence = (
                np.linalg.slogdet(precision)[1]
                - np.linalg.slogdet(with_h)[1]
                - prior @ precision @ prior
                + pull @ mean
            ) / 2
            chances.append(evidence)
            means.append(mean[:K])
    share = np.exp(np.array(chances) - max(chances))
    share /= share.sum()
    expected = share @ np.array(means)
    assert np.allclose(with_judges(people, [of_judge]).mean, expected, atol=1e-3)
    weight = share.reshape(WEIGHTS.size, -1).sum(1) @ WEIGHTS
    assert trust_of(people, of_judge).weight == pytest.approx(weight, abs=1e-3)


def test_several_judges_sharpen_more_than_one() -> None:
    rng = np.random.default_rng(6)
    strengths = np.linspace(-1.0, 1.0, K)
    people = fit_strengths(wins(strengths, 60, rng, 1.0))
    judges = [wins(strengths, 300, rng, 0.9) for _ in range(3)]
    one, three = with_judges(people, judges[:1]), with_judges(people, judges)
    assert three.sd.mean() < one.sd.mean() < people.sd.mean()
    assert isinstance(with_judges(people, []), Posterior)
    assert np.array_equal(with_judges(people, []).mean, people.mean)


@pytest.mark.parametrize(("right", "least", "most"), [(1.0, 0.3, 1.0), (None, 0.0, 0.01), (0.0, 0.0, 0.01)])
def test_votes_are_heard_as_far_as_they_tell_something(
    right: float | None, least: float, most: float
) -> None:
    """A perfect judge; a coin; one that prefers what people do not."""
    rng = np.random.default_rng(4)
    strengths = np.linspace(-1.5, 1.5, K)
    people = fit_strengths(wins(strengths, 120, rng, 1.0))
    share = share_heard(people, wins(strengths, 300, rng, right))
    assert least <= share <= most
    assert share_heard(people, np.zeros((K, K))) == 0.0
