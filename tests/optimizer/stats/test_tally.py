import numpy as np

from optimizer.stats.tally import BOTH_BAD, FIRST_SLIGHTLY, LEVELS, SECOND, Tally


def test_answers_are_counted_by_ordered_pair_and_level():
    rows = [(0, 1, FIRST_SLIGHTLY, 2.0), (1, 0, SECOND, 1.0), (0, 1, BOTH_BAD, 1.0), (0, 1, LEVELS, 5.0)]
    tally = Tally.from_answers(2, rows)
    assert tally.total == 4.0  # the skips are left out
    np.testing.assert_array_equal(tally.wins, [[0.0, 3.5], [0.5, 0.0]])
    np.testing.assert_array_equal(tally.ties, [[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(Tally.from_answers(2, np.array(rows)).counts, tally.counts)


def test_no_answers_make_an_empty_tally():
    np.testing.assert_array_equal(Tally.from_answers(3, []).counts, Tally.empty(3).counts)


def test_a_win_matrix_comes_back():
    wins = np.array([[0.0, 3.0], [1.0, 0.0]])
    np.testing.assert_array_equal(Tally.from_wins(wins).wins, wins)
