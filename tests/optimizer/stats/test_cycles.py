import numpy as np

from optimizer.stats.cycles import check_cycles, draw_gaps, has_circle, shortest_circle
from optimizer.stats.pair_effects import fit_pair_effects


def graph(k: int, *edges: tuple[int, int]) -> np.ndarray:
    beats = np.zeros((k, k), dtype=bool)
    for i, j in edges:
        beats[i, j] = True
    return beats


def test_circles_of_any_length_are_found():
    none = graph(4, (0, 1), (1, 2), (0, 2), (2, 3))
    three = graph(4, (0, 1), (1, 2), (2, 0), (2, 3))
    four = graph(4, (0, 1), (1, 2), (2, 3), (3, 0))
    np.testing.assert_array_equal(has_circle(np.stack([none, three, four])), [False, True, True])
    assert shortest_circle(none) == ()
    assert shortest_circle(three) == (0, 1, 2)
    assert shortest_circle(four) == (0, 1, 2, 3)


def test_the_shortest_of_two_circles_is_named():
    both = graph(6, (0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (4, 5), (5, 3))
    assert set(shortest_circle(both)) == {3, 4, 5}


def test_a_clear_circle_is_reported():
    """Rock, paper, scissors at 27 to 3."""
    wins = np.array([[0.0, 27.0, 3.0], [3.0, 0.0, 27.0], [27.0, 3.0, 0.0]])
    found = check_cycles(wins, np.random.default_rng(0))
    assert found.p_cycle > 0.99
    assert found.circle == (0, 1, 2)
    assert found.p_unbeaten.max() < 0.05


def test_a_ladder_is_none():
    wins = np.array([[0.0, 20.0, 28.0], [10.0, 0.0, 20.0], [2.0, 10.0, 0.0]])
    found = check_cycles(wins, np.random.default_rng(0))
    assert found.p_cycle < 0.1
    assert found.circle == ()
    assert found.p_unbeaten.argmax() == 0


def test_few_votes_prove_no_circle():
    wins = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert check_cycles(wins, np.random.default_rng(0)).p_cycle < 0.3


def test_false_alarms_are_rare_though_one_looks_often():
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(25):
        theta = rng.normal(size=5)
        wins = np.zeros((5, 5))
        for votes in range(1, 161):
            i, j = rng.choice(5, 2, replace=False)
            won = rng.random() < 1 / (1 + np.exp(theta[j] - theta[i]))
            wins[(i, j) if won else (j, i)] += 1
            if votes % 20 == 0 and check_cycles(wins, rng).p_cycle >= 0.95:
                alarms += 1
                break
    assert alarms <= 2


def test_drawn_gaps_are_antisymmetric_and_centred_on_the_fit():
    wins = np.array([[0.0, 6.0, 2.0], [1.0, 0.0, 5.0], [4.0, 1.0, 0.0]])
    fit = fit_pair_effects(wins, 1.0, 0.7)
    gaps = draw_gaps(fit, 4000, np.random.default_rng(0))
    np.testing.assert_allclose(gaps, -gaps.transpose(0, 2, 1), atol=1e-12)
    np.testing.assert_allclose(gaps.mean(0), fit.gap, atol=0.06)
    np.testing.assert_allclose(gaps.var(0), fit.gap_variance, rtol=0.1, atol=1e-9)


def test_relabelling_arms_moves_the_circle():
    wins = np.array([[0.0, 27.0, 3.0], [3.0, 0.0, 27.0], [27.0, 3.0, 0.0]])
    order = np.array([2, 1, 0])
    moved = check_cycles(wins[np.ix_(order, order)], np.random.default_rng(0)).circle
    assert moved == (0, 2, 1)
