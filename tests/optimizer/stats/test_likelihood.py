"""Answer models: every derivative by finite differences, probabilities that add up, and special cases."""

import numpy as np
import pytest

from optimizer.stats.likelihood import choose_likelihood, graded, half_wins, with_ties
from optimizer.stats.tally import BOTH_BAD, BOTH_GOOD, FIRST, FIRST_CLEARLY, FIRST_SLIGHTLY, LEVELS, SECOND

RNG = np.random.default_rng(0)
COUNTS = RNG.integers(0, 4, (5, LEVELS)).astype(float)
WITHOUT_TIES = COUNTS.copy()
WITHOUT_TIES[:, [BOTH_GOOD, BOTH_BAD]] = 0.0

CASES = {
    "half wins": (half_wins(COUNTS), np.zeros(0)),
    "Davidson": (with_ties(COUNTS), np.array([-0.4])),
    "graded": (graded(COUNTS), np.array([0.4, 1.1])),
    "graded without ties": (graded(WITHOUT_TIES), np.array([0.8])),
}


@pytest.mark.parametrize("name", CASES)
def test_derivatives_by_finite_differences(name):
    model, kappa = CASES[name]
    eta, h = RNG.normal(size=5), 1e-6
    at = model.slopes(eta, kappa)
    for row, e in enumerate(h * np.eye(5)):
        up, down = model.slopes(eta + e, kappa), model.slopes(eta - e, kappa)
        assert at.eta[row] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-6)
        assert at.eta_eta[row] == pytest.approx(-(up.eta[row] - down.eta[row]) / (2 * h), abs=1e-6)
        np.testing.assert_allclose(at.eta_kappa[row], -(up.kappa - down.kappa) / (2 * h), atol=1e-6)
    for which, e in enumerate(h * np.eye(kappa.size)):
        up, down = model.slopes(eta, kappa + e), model.slopes(eta, kappa - e)
        assert at.kappa[which] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-5)
        np.testing.assert_allclose(at.kappa_kappa[which], -(up.kappa - down.kappa) / (2 * h), atol=1e-5)


def chance(model_of, level: int, eta: float, kappa: np.ndarray) -> float:
    """The chance of a single answer; the pseudo-votes of the intervals are taken off."""
    one, none = np.zeros((1, LEVELS)), np.zeros((1, LEVELS))
    one[0, level] = 1.0
    with_it = model_of(one).slopes(np.array([eta]), kappa).value
    return float(np.exp(with_it - model_of(none).slopes(np.array([eta]), kappa).value))


def graded_with_ties(counts: np.ndarray):
    """The graded model on counts that may lack ties, by giving it a row of ties that is then empty."""
    full = np.vstack([counts, np.eye(LEVELS)[[BOTH_GOOD]]])
    model = graded(full)
    return type(model)(
        model.cuts,
        model.above[:-1],
        model.below[:-1],
        model.widths,
        model.inside - np.array([1.0, 0.0]),
        model.start,
    )


@pytest.mark.parametrize("eta", [-2.0, 0.0, 0.7])
def test_graded_chances_add_up_and_plain_votes_are_unions(eta):
    kappa = np.array([0.4, 1.3])
    by_level = [chance(graded_with_ties, level, eta, kappa) for level in range(LEVELS)]
    clearly, plain, slightly, tie, _, slightly_not, _, clearly_not = by_level
    assert clearly + slightly + tie + slightly_not + clearly_not == pytest.approx(1.0)
    assert plain == pytest.approx(clearly + slightly)
    assert clearly == pytest.approx(1 / (1 + np.exp(1.3 - eta)))


@pytest.mark.parametrize("eta", [-2.0, 0.0, 0.7])
def test_davidson_chances(eta):
    """Davidson (1970): win : tie : loss as pi_i : nu sqrt(pi_i pi_j) : pi_j."""
    kappa = np.array([np.log(0.8)])
    first, tie, second = (chance(with_ties, level, eta, kappa) for level in (FIRST, BOTH_BAD, SECOND))
    assert first + tie + second == pytest.approx(1.0)
    assert first / second == pytest.approx(np.exp(eta))
    assert tie / np.sqrt(first * second) == pytest.approx(0.8)


def test_swapping_sides_flips_the_slope():
    for model_of, kappa in ((half_wins, []), (with_ties, [0.2]), (graded, [0.4, 1.3])):
        here = model_of(COUNTS).slopes(np.full(5, 0.6), np.array(kappa))
        there = model_of(swapped(COUNTS)).slopes(np.full(5, -0.6), np.array(kappa))
        assert here.value == pytest.approx(there.value)
        np.testing.assert_allclose(here.eta, -there.eta)


def swapped(counts: np.ndarray) -> np.ndarray:
    """Levels as seen from the other side; the two ties stay."""
    turned = counts[:, ::-1].copy()
    turned[:, [BOTH_GOOD, BOTH_BAD]] = counts[:, [BOTH_GOOD, BOTH_BAD]]
    return turned


def test_the_counts_choose_the_model():
    counts = np.zeros((1, LEVELS))
    counts[0, FIRST], counts[0, BOTH_GOOD] = 90, 10
    assert choose_likelihood(counts).start.size == 0  # ties are rare: half wins
    counts[0, BOTH_GOOD] = 40
    assert choose_likelihood(counts).start.size == 1  # Davidson's tie parameter
    counts[0, FIRST_CLEARLY] = counts[0, FIRST_SLIGHTLY] = 5
    assert choose_likelihood(counts).start.size == 2  # two cuts
    counts[0, BOTH_GOOD] = 0
    assert choose_likelihood(counts).start.size == 1  # one cut


def test_impossible_cuts_have_no_likelihood():
    assert graded(COUNTS).slopes(np.zeros(5), np.array([1.0, 0.5])).value == -np.inf
