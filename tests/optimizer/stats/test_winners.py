import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.stats.winners import borda, condorcet, copeland, shares, von_neumann

ROCK_PAPER_SCISSORS = np.array([[0.5, 0.0, 1.0], [1.0, 0.5, 0.0], [0.0, 1.0, 0.5]])

# Arm 0 beats both others narrowly, arm 1 wins more on average.
BORDA_IS_NOT_CONDORCET = np.array([[0.5, 0.51, 0.51], [0.49, 0.5, 0.99], [0.49, 0.01, 0.5]])


def preferences(seed: int, k: int) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).random((k, k)), 1)
    return upper + np.tril(1 - upper.T, -1) + 0.5 * np.eye(k)


def test_shares_are_one_half_where_nobody_met():
    wins = np.array([[0.0, 3.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(shares(wins), [[0.5, 0.75, 0.5], [0.25, 0.5, 0.5], [0.5, 0.5, 0.5]])


def test_a_circle_has_no_condorcet_winner_and_three_of_the_others():
    assert condorcet(ROCK_PAPER_SCISSORS) is None
    assert copeland(ROCK_PAPER_SCISSORS).winners == (0, 1, 2)
    assert borda(ROCK_PAPER_SCISSORS).winners == (0, 1, 2)


def test_condorcet_and_borda_may_differ():
    assert condorcet(BORDA_IS_NOT_CONDORCET) == 0
    assert copeland(BORDA_IS_NOT_CONDORCET).winners == (0,)
    assert borda(BORDA_IS_NOT_CONDORCET).winners == (1,)


def test_von_neumann_of_a_circle_is_the_even_mixture():
    np.testing.assert_allclose(von_neumann(ROCK_PAPER_SCISSORS), 1 / 3, atol=1e-9)


def test_von_neumann_of_an_uneven_circle():
    """Margins a, b, c of 0 over 1, 1 over 2, 2 over 0 are mixed as b : c : a.

    In a skew-symmetric 3 x 3 game each arm is weighted by the margin of the other two (Fisher and Ryan 1992).
    """
    a, b, c = 0.1, 0.2, 0.4
    game = np.array([[0.0, a, -c], [-a, 0.0, b], [c, -b, 0.0]])
    np.testing.assert_allclose(von_neumann(game + 0.5), np.array([b, c, a]) / (a + b + c), atol=1e-9)


def test_von_neumann_puts_all_on_a_condorcet_winner():
    np.testing.assert_allclose(von_neumann(BORDA_IS_NOT_CONDORCET), [1.0, 0.0, 0.0], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_no_arm_beats_the_von_neumann_mixture(seed, k):
    preference = preferences(seed, k)
    mixture = von_neumann(preference)
    assert mixture.sum() == pytest.approx(1.0)
    assert (mixture >= 0).all()
    assert (mixture @ preference >= 0.5 - 1e-9).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 8))
def test_relabelling_arms_moves_the_winners(seed, k):
    preference = preferences(seed, k)
    order = np.random.default_rng(seed + 1).permutation(k)
    moved = preference[np.ix_(order, order)]
    assert {int(order[arm]) for arm in copeland(moved).winners} == set(copeland(preference).winners)
    np.testing.assert_allclose(borda(moved).scores, borda(preference).scores[order])
    there, here = condorcet(moved), condorcet(preference)
    assert (None if there is None else int(order[there])) == here
