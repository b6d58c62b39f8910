import numpy as np
import pytest

from optimizer.stats.agreement import (
    agreement,
    cohen_kappa,
    first_rate,
    krippendorff_alpha,
    self_agreement,
)

NAN = np.nan

# Krippendorff (2011), "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
FOUR_OBSERVERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def table(counts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of two raters from their contingency table."""
    one, other = [], []
    for i, row in enumerate(counts):
        for j, n in enumerate(row):
            one += [float(i)] * n
            other += [float(j)] * n
    return np.array(one), np.array(other)


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_of_a_published_example(level, expected):
    found = krippendorff_alpha(FOUR_OBSERVERS, np.random.default_rng(0), level)
    assert found.value == pytest.approx(expected, abs=1e-3)
    assert found.low < found.value < found.high
    assert found.n == 11  # the twelfth unit was rated once


def test_kappa_by_hand():
    """20 and 15 of 50 agree: p_o = 0.7; margins 25 : 25 and 30 : 20 give p_e = 0.5; kappa = 0.4."""
    assert cohen_kappa(*table([[20, 5], [10, 15]])).value == pytest.approx(0.4)


def test_the_interval_of_kappa_is_that_of_repeated_sampling():
    cells = np.array([[0.40, 0.08, 0.02], [0.06, 0.22, 0.04], [0.02, 0.04, 0.12]])
    rng = np.random.default_rng(1)
    found = []
    for _ in range(1500):
        counts = rng.multinomial(300, cells.ravel()).reshape(3, 3)
        found.append(cohen_kappa(*table(counts.tolist())).value)
    exact = cohen_kappa(*table((cells * 300).round().astype(int).tolist()))
    assert (exact.high - exact.low) / 2 / 1.96 == pytest.approx(np.std(found), rel=0.07)


def test_coefficients_at_the_extremes():
    one = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    assert cohen_kappa(one, one).value == pytest.approx(1.0)
    assert krippendorff_alpha(np.stack([one, one]), np.random.default_rng(0)).value == pytest.approx(1.0)
    rng = np.random.default_rng(2)
    by_chance = rng.integers(0, 3, (2, 2000)).astype(float)
    assert cohen_kappa(*by_chance).value == pytest.approx(0.0, abs=0.05)
    assert krippendorff_alpha(by_chance, rng).value == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(
    ("one", "other"),
    [([1.0, 1.0], [1.0, 1.0]), ([NAN, 1.0], [1.0, NAN]), ([], [])],
    ids=["same", "apart", "none"],
)
def test_what_is_not_defined_is_said_to_be(one, other):
    ratings = np.array([one, other])
    for found in (cohen_kappa(*ratings), krippendorff_alpha(ratings, np.random.default_rng(0))):
        assert np.isnan(found.value)
        assert (found.low, found.high) == (-1.0, 1.0)


def test_agreement_is_over_shared_duels_with_wilsons_interval():
    """8 of 10: Wilson (1927) gives 0.490 to 0.943."""
    one = np.array([1.0] * 10 + [NAN])
    other = np.array([1.0] * 8 + [0.0] * 2 + [1.0])
    found = agreement(one, other)
    assert (found.hits, found.n) == (8, 10)
    assert (found.low, found.high) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert self_agreement(one, other) == found


def test_a_rater_who_always_presses_first_is_found_within_thirty_votes():
    assert first_rate(30, 0).significant
    assert first_rate(30, 0).low > 0.85
    assert not first_rate(16, 14).significant


def test_the_order_of_raters_does_not_matter():
    rng = np.random.default_rng(3)
    one, other = rng.integers(0, 3, (2, 50)).astype(float)
    assert cohen_kappa(one, other).value == pytest.approx(cohen_kappa(other, one).value)
    turned = krippendorff_alpha(FOUR_OBSERVERS[::-1], np.random.default_rng(0))
    assert turned == krippendorff_alpha(FOUR_OBSERVERS, np.random.default_rng(0))
