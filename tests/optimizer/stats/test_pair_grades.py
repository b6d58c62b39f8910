import numpy as np
import pytest
from scipy.special import expit

from optimizer.stats.cells import Cells
from optimizer.stats.likelihood import graded
from optimizer.stats.model import fit
from optimizer.stats.pair_effects import choose_pair_effects
from optimizer.stats.pair_grades import graded_meetings, has_grades
from optimizer.stats.tally import BOTH_GOOD, FIRST_CLEARLY, FIRST_SLIGHTLY, LEVELS, Tally

CUTS = np.array([-1.5, -0.4, 0.4, 1.5])
LEVEL_OF_INTERVAL = np.array([7, 5, 3, 2, 0])  # from "second clearly" up to "first clearly"


def voted(k: int, votes: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, Tally]:
    """An honest ordinal rater's answers to random duels."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(0.0, spread, k)
    tally = Tally.empty(k)
    for _ in range(votes):
        i, j = rng.choice(k, 2, replace=False)
        felt = strengths[i] - strengths[j] + rng.logistic()
        tally.counts[i, j, LEVEL_OF_INTERVAL[(felt > CUTS).sum()]] += 1
    return strengths, tally


def test_strengths_are_those_of_the_full_ordinal_model() -> None:
    _, tally = voted(6, 400, 1)
    ours = choose_pair_effects(tally).strengths
    full = fit(Cells.from_tally(tally), bias_sd=0.0, prior_sds=(ours.prior_sd,)).posterior
    assert ours.mean == pytest.approx(full.mean, abs=0.02)
    assert ours.sd == pytest.approx(full.sd, rel=0.12)  # a little narrower: the cuts are held


def test_the_cuts_of_the_rater_are_found() -> None:
    _, tally = voted(6, 6000, 2)
    assert graded_meetings(tally, None).cuts == pytest.approx(CUTS, abs=0.12)


def test_swapping_the_sides_changes_nothing() -> None:
    _, tally = voted(5, 80, 3)
    mirrored = Tally(tally.counts.transpose(1, 0, 2)[:, :, ::-1].copy())
    assert choose_pair_effects(mirrored).gap == pytest.approx(choose_pair_effects(tally).gap, abs=1e-6)


def test_each_answer_speaks_of_the_cuts_around_it() -> None:
    tally = Tally.empty(2)
    tally.counts[0, 1, FIRST_CLEARLY] = 1
    tally.counts[1, 0, FIRST_SLIGHTLY] = 1  # to arm 0 it is "second slightly"
    tally.counts[0, 1, BOTH_GOOD] = 1
    found = graded_meetings(tally, None)
    assert found.games.tolist() == [[1.0, 2.0, 1.0, 1.0]]
    assert found.won.tolist() == [[1.0, 1.0, 0.0, 1.0]]


def test_the_likelihood_is_that_of_the_ordinal_model_up_to_a_constant() -> None:
    _, tally = voted(4, 60, 4)
    found = graded_meetings(tally, None)
    folded = tally.counts + tally.counts.transpose(1, 0, 2)[:, :, ::-1]
    answers = graded(folded[found.first, found.second])
    kappa = found.cuts[2:]

    def ours(gap: np.ndarray) -> float:
        above = gap[:, None] - found.cuts
        return float((found.won * above - found.games * np.logaddexp(0.0, above)).sum())

    one, other = np.random.default_rng(1).normal(size=(2, len(found.first)))
    theirs = answers.slopes(one, kappa).value - answers.slopes(other, kappa).value
    assert ours(one) - ours(other) == pytest.approx(theirs)


def test_grades_find_the_order_better_than_the_wins_among_them() -> None:
    def agreement(by_grade: bool, seed: int) -> float:
        strengths, tally = voted(12, 60, seed, spread=1.5)
        found = choose_pair_effects(tally if by_grade else tally.wins)
        return float(np.corrcoef(found.strengths.mean, strengths)[0, 1])

    grades, wins = (np.mean([agreement(by, seed) for seed in range(30)]) for by in (True, False))
    assert grades > wins + 0.02


def test_a_tally_without_grades_is_read_as_its_wins() -> None:
    rng = np.random.default_rng(1)
    strengths = rng.normal(size=5)
    upper = np.triu(rng.binomial(4, expit(strengths[:, None] - strengths)), 1)
    wins = (upper + np.triu(4 - upper, 1).T).astype(float)
    tally = Tally.from_wins(wins)
    assert not has_grades(tally)
    assert tally.counts.shape[2] == LEVELS
    assert choose_pair_effects(tally).gap == pytest.approx(choose_pair_effects(wins).gap)
