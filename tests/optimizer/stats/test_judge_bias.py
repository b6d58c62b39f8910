"""Habits of judges, against scipy's and hand-worked figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact
from scipy.stats.contingency import odds_ratio  # noqa: F401  -- loads what fisher_exact needs

from optimizer.stats.judge_bias import drift, length_bias, position_bias, rate, self_consistency


@given(st.integers(0, 200), st.integers(0, 200))
def test_rates_are_those_of_scipy(hits: int, misses: int) -> None:
    n = hits + misses
    if n == 0:
        return
    found, other = rate(hits, n), binomtest(hits, n)
    wilson = other.proportion_ci(0.95, method="wilson")
    assert found.p_value == pytest.approx(other.pvalue, abs=1e-12)
    assert (found.low, found.high) == (
        pytest.approx(wilson.low, abs=1e-9),
        pytest.approx(wilson.high, abs=1e-9),
    )


@given(st.integers(0, 2**60), st.integers(2, 80))
def test_drift_is_scipys_exact_test(bits: int, n: int) -> None:
    agreed = np.array([bits >> place & 1 for place in range(n)], dtype=bool)
    half = n // 2
    a, b = int(agreed[:half].sum()), int(agreed[half:].sum())
    found = drift(agreed)
    assert found.p_value == pytest.approx(fisher_exact([[a, half - a], [b, n - half - b]]).pvalue, abs=1e-9)
    assert found.low <= found.after - found.before <= found.high


def test_newcombes_own_example() -> None:
    """56/70 against 48/80: difference .2, interval .0524 to .3339 (Newcombe 1998, table II, method 10)."""
    late, early = np.arange(70) < 56, np.arange(80) < 48
    # halves must be of equal size for drift, so the formula is checked through its mirrored parts
    from optimizer.stats.judge_bias import _wilson

    (l1, u1), (l2, u2) = _wilson(56, 70), _wilson(48, 80)
    low = 0.2 - np.hypot(0.8 - l1, u2 - 0.6)
    high = 0.2 + np.hypot(u1 - 0.8, 0.6 - l2)
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))
    assert late.mean() - early.mean() == pytest.approx(0.2)


def test_no_duels_no_rate() -> None:
    found = rate(0, 0)
    assert np.isnan(found.value)
    assert (found.low, found.high, found.significant) == (0.0, 1.0, False)


def test_a_judge_that_always_says_first_is_found_within_thirty_duels() -> None:
    assert position_bias(30, 0, 0).biased
    assert position_bias(6, 0, 20).biased  # 2 / 2^6 = .031
    assert not position_bias(5, 0, 20).biased
    assert not position_bias(8, 7, 15).biased
    assert position_bias(8, 7, 15).dependent.value == 0.5


def test_length_counts_the_longer_output_on_either_side() -> None:
    won = np.array([1, -1, 1, -1, 0, 1])
    gap = np.array([10, -3, -5, 4, 9, 0])  # longer, longer, shorter, shorter, tie, same length
    found = length_bias(won, gap)
    assert (found.prefers_longer.hits, found.prefers_longer.n) == (2, 4)
    assert found.more_than_people.n == 0


def test_only_a_difference_from_people_is_a_bias_where_people_voted() -> None:
    longer = np.ones(40, dtype=int)
    people_too = length_bias(longer, longer, longer)
    assert people_too.prefers_longer.significant
    assert not people_too.biased  # people never disagreed
    assert (people_too.shared, people_too.people_known) == (40, True)
    few = length_bias(longer, longer, np.where(np.arange(40) < 9, 1, 0))
    assert few.biased  # nine shared duels do not tell what people like
    assert not few.people_known
    assert not length_bias(longer, longer, np.where(np.arange(40) < 3, -1, 1)).biased
    assert length_bias(longer, longer, -longer).biased
    assert length_bias(longer, longer).biased


def test_self_consistency_counts_pairs_of_answers() -> None:
    assert self_consistency([[1, 1, 1], [1, 2]]) == (3 / 4, 4)
    assert self_consistency([[1, 1, 2, 2]]) == (pytest.approx(2 / 6), 6)
    assert np.isnan(self_consistency([[1]])[0])


def test_drift_sees_a_change() -> None:
    assert drift(np.arange(60) < 30).significant
    assert not drift(np.arange(60) % 2 == 0).significant
