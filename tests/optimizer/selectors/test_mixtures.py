"""Worked steps of the rules that draw arms from a distribution: REX3 and the von Neumann mixture."""

import numpy as np
import pytest

from optimizer.selectors.sparring import Sparring, exploration, replayed
from optimizer.selectors.von_neumann import VonNeumann, sampled_matrix
from tests.optimizer.selectors.records import record_of


def test_one_step_of_rex3_by_hand() -> None:
    """Gajane et al. 2015: k = 2, g = 1/2, p = (1/2, 1/2). Arm 0 wins, y = 1/2:
    w_0 = exp(1/2 / 2 * 1/2 / (2 * 1/2)) = e^0.125, w_1 = e^-0.125, and p = w / sum / 2 + 1/4."""
    p = replayed(2, np.array([[0.0, 1.0, 1.0]]), 0.5)
    share = np.exp(0.125) / (np.exp(0.125) + np.exp(-0.125))
    np.testing.assert_allclose(p, [share / 2 + 0.25, (1 - share) / 2 + 0.25])


def test_two_steps_of_rex3_use_the_probabilities_of_their_time() -> None:
    """The second vote divides by the p that the first one made."""
    history = np.array([[0, 1, 1.0], [2, 0, 0.0]])
    g, k = 0.3, 3
    weights = np.ones(3)
    for a, b, score in history:
        p = (1 - g) * weights / weights.sum() + g / k
        y = score - 0.5
        step = np.zeros(3)
        step[int(a)] += y / (2 * p[int(a)])
        step[int(b)] -= y / (2 * p[int(b)])
        weights = weights * np.exp(g / k * step)
    np.testing.assert_allclose(replayed(3, history, g), (1 - g) * weights / weights.sum() + g / k)


def test_ties_and_the_order_of_the_two_sides_say_nothing() -> None:
    history = np.array([[0, 1, 1.0], [1, 2, 0.5], [2, 1, 0.0]])
    mirrored = np.array([[1, 0, 0.0], [1, 2, 1.0]])
    np.testing.assert_allclose(replayed(3, history, 0.4), replayed(3, mirrored, 0.4))


def test_exploration_falls_with_the_votes_and_is_at_most_a_half() -> None:
    assert exploration(10, 1) == 0.5
    assert exploration(2, 100) == pytest.approx(np.sqrt(2 * np.log(2) / 100))


def test_sparring_forgets_what_left_its_window() -> None:
    old = np.tile([0.0, 1.0, 1.0], (300, 1))
    new = np.tile([1.0, 0.0, 1.0], (60, 1))
    wins = np.zeros((3, 3))
    record = record_of(wins, history=np.vstack([old, new]))
    seen = [Sparring(window=60).ask(record, np.random.default_rng(seed)) for seed in range(200)]
    shown = np.bincount([arm for pair in seen for arm in pair[:2]], minlength=3)
    assert shown[1] > 1.5 * shown[0]


def test_a_sampled_matrix_is_ruled_by_strengths_where_unseen_and_by_counts_where_seen() -> None:
    wins = np.zeros((3, 3))
    wins[1, 0] = 1000.0
    draws = [
        sampled_matrix(wins, np.array([2.0, 0.0, 0.0]), 4.0, np.random.default_rng(s)) for s in range(300)
    ]
    mean = np.mean(draws, axis=0)
    np.testing.assert_allclose(draws[0] + draws[0].T, 1.0)
    assert mean[0, 2] == pytest.approx(1 / (1 + np.exp(-2.0)), abs=0.03)
    assert mean[1, 0] > 0.99


def test_the_von_neumann_rule_keeps_a_cycle_in_play_and_drops_the_rest() -> None:
    """0 > 1 > 2 > 0 with P = 0.9, 0.7, 0.6; arms 3 and 4 lose to all. The mixture is (2, 1, 4) / 7, from
    x_i proportional to the margin of the pair it is not in (Dudik et al. 2015)."""
    wins = np.full((5, 5), 1.0)
    for i, j, p in ((0, 1, 0.9), (1, 2, 0.7), (2, 0, 0.6)):
        wins[i, j], wins[j, i] = 3000 * p, 3000 * (1 - p)
    wins[:3, 3:] = 400.0
    np.fill_diagonal(wins, 0.0)
    pairs = [VonNeumann().ask(record_of(wins), np.random.default_rng(seed)) for seed in range(120)]
    shown = np.bincount([arm for pair in pairs for arm in pair[:2]], minlength=5)
    assert shown[3] + shown[4] == 0
    # Two different arms drawn from (2, 1, 4) / 7: pairs weigh 2 : 8 : 4, so the arms are shown 10 : 6 : 12.
    np.testing.assert_allclose(shown[:3] / shown.sum(), np.array([10, 6, 12]) / 28, atol=0.06)
