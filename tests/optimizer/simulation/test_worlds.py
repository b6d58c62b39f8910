import numpy as np
import pytest
from scipy.special import expit

from optimizer.simulation.raters import Crowd, answer, draw_crowd
from optimizer.simulation.worlds import (
    DRAWN,
    GRADES,
    Manner,
    Setting,
    World,
    draw,
    from_accuracies,
    from_matrix,
    from_strengths,
)
from optimizer.stats.tally import BOTH_GOOD, LEVELS, SCORE_OF_FIRST

VOTES = 4000
FOUR_SE = 4 * 0.5 / VOTES**0.5


def shares(world: World, first: int, second: int, crowd: Crowd | None = None, rater: int = 0) -> np.ndarray:
    """Observed share of each answer level."""
    rng = np.random.default_rng(5)
    crowd = draw_crowd(world, rng) if crowd is None else crowd
    inputs = max(world.manner.inputs, 1)
    seen = [answer(world, crowd, first, second, vote % inputs, rater, rng) for vote in range(VOTES)]
    return np.bincount(seen, minlength=LEVELS) / VOTES


def score(world: World, first: int, second: int) -> float:
    return float(shares(world, first, second) @ SCORE_OF_FIRST)


def pair_of(manner: Manner) -> World:
    return from_strengths(np.array([0.8, 0.0]), manner)


@pytest.mark.parametrize("name", [*DRAWN])
def test_drawn_worlds_are_sound(name: str) -> None:
    world = draw(name, Setting(arms=7, votes=50), np.random.default_rng(1))
    assert world.k == 7
    assert world.gap == pytest.approx(-world.gap.T)
    assert world.regret.min() == 0.0
    assert world.preference[world.best].min() == pytest.approx(0.5)  # a Condorcet winner
    again = draw(name, Setting(arms=7, votes=50), np.random.default_rng(1))
    assert np.array_equal(again.gap, world.gap)


def test_votes_follow_the_matrix_whatever_the_side() -> None:
    world = from_matrix(np.array([[0.5, 0.7, 0.1], [0.3, 0.5, 0.45], [0.9, 0.55, 0.5]]))
    for i in range(3):
        for j in range(3):
            if i != j:
                assert score(world, i, j) == pytest.approx(world.preference[i, j], abs=FOUR_SE)


def test_the_stronger_arm_wins_more_on_either_side() -> None:
    world = pair_of(Manner())
    assert score(world, 0, 1) > 0.5 + FOUR_SE
    assert score(world, 1, 0) < 0.5 - FOUR_SE


def test_position_bias_helps_the_first() -> None:
    world = pair_of(Manner(position_bias=0.5))
    assert score(world, 0, 1) == pytest.approx(expit(1.3), abs=FOUR_SE)
    assert score(world, 1, 0) == pytest.approx(expit(-0.3), abs=FOUR_SE)


def test_lapses_pull_towards_a_half() -> None:
    assert score(pair_of(Manner(lapse=0.4)), 0, 1) == pytest.approx(0.6 * expit(0.8) + 0.2, abs=FOUR_SE)


def test_ties_follow_davidson() -> None:
    seen = shares(pair_of(Manner(tie_logit=0.0)), 0, 1)
    odds = np.array([np.exp(0.4), 1.0, np.exp(-0.4)])
    assert seen[[1, BOTH_GOOD, 6]] == pytest.approx(odds / odds.sum(), abs=FOUR_SE)


def test_grades_follow_the_ordered_logit() -> None:
    seen = shares(pair_of(Manner(thresholds=GRADES)), 0, 1)
    slight, clear = GRADES
    above = [expit(0.8 - cut) for cut in (clear, slight, -slight, -clear)]
    wanted = -np.diff([0.0, *above, 1.0][::-1])[::-1]
    assert seen[[0, 2, 3, 5, 7]] == pytest.approx(wanted, abs=FOUR_SE)


def test_input_effects_leave_the_mean_strength_alone() -> None:
    world = from_strengths(np.zeros(3), Manner(input_sd=1.0, inputs=30))
    crowd = draw_crowd(world, np.random.default_rng(2))
    assert crowd.effects is not None
    assert crowd.effects.mean(1) == pytest.approx(np.zeros(3), abs=1e-12)
    assert crowd.effects.std() > 0.8


def test_careless_raters_toss_a_coin() -> None:
    world = from_strengths(np.array([3.0, 0.0]), Manner(raters=3, careless_share=1 / 3))
    crowd = draw_crowd(world, np.random.default_rng(1))
    assert crowd.careless.tolist() == [True, False, False]
    by_rater = [float(shares(world, 0, 1, crowd, rater) @ SCORE_OF_FIRST) for rater in range(2)]
    assert by_rater == pytest.approx([0.5, expit(3.0)], abs=FOUR_SE)


def test_a_drifting_world_moves_and_says_what_is_best_now() -> None:
    world = draw("drift", Setting(arms=4, votes=400), np.random.default_rng(3))
    late = world.at(400)
    assert world.at(0).gap == pytest.approx(world.gap)
    assert np.abs(late.gap - world.gap).max() > 0.1
    assert late.regret == pytest.approx(late.gap.max(0) - 0.0)  # what the best leads each arm by


def test_the_cyclic_world_of_four_is_the_published_one() -> None:
    world = draw("cyclic", Setting(arms=4), np.random.default_rng(0))
    assert np.sort(world.preference[world.best]) == pytest.approx([0.5, 0.6, 0.6, 0.6])
    others = np.delete(np.delete(world.preference, world.best, 0), world.best, 1)
    assert np.sort(others, axis=1) == pytest.approx(np.tile([0.1, 0.5, 0.9], (3, 1)))


def test_without_a_condorcet_winner_every_copeland_winner_is_best() -> None:
    ring = np.array([[0.5, 0.8, 0.2], [0.2, 0.5, 0.8], [0.8, 0.2, 0.5]])
    assert from_matrix(ring).regret.tolist() == [0.0, 0.0, 0.0]


def test_matrix_regret_is_win_probability_against_the_best() -> None:
    world = from_matrix(np.array([[0.5, 0.7, 0.9], [0.3, 0.5, 0.6], [0.1, 0.4, 0.5]]))
    assert world.regret == pytest.approx([0.0, 0.2, 0.4])


def test_accuracies_regret_is_normalised_and_noise_as_named() -> None:
    accuracy = np.array([0.2, 0.6, 0.4])
    world = from_accuracies(accuracy, "soft")
    assert world.regret == pytest.approx([2.0, 0.0, 1.0])
    assert world.preference[1, 0] == pytest.approx(0.7)
    mid = from_accuracies(accuracy, "mid").preference[1, 0]
    assert mid == pytest.approx(0.025 + 0.95 * expit(2 * 0.4 / accuracy.std()))
    assert from_accuracies(accuracy, "sharp").preference[1, 0] > 0.99


@pytest.mark.parametrize("name", ["features", "features_nonlinear"])
def test_features_tell_of_strengths(name: str) -> None:
    world = draw(name, Setting(arms=40), np.random.default_rng(1))
    assert world.features is not None
    assert np.linalg.norm(world.features, axis=1) == pytest.approx(np.ones(40))
    if name == "features":
        strength = -world.regret
        left = np.linalg.lstsq(np.c_[world.features, np.ones(40)], strength, rcond=None)[1]
        assert left == pytest.approx(0.0, abs=1e-9)


def test_shuffling_moves_everything_alike() -> None:
    world = draw("features", Setting(arms=6), np.random.default_rng(1))
    moved = world.shuffled(np.random.default_rng(2))
    order = [int(np.flatnonzero(world.regret == one)[0]) for one in moved.regret]
    assert order != list(range(6))
    assert np.array_equal(moved.gap, world.gap[np.ix_(order, order)])
    assert moved.features is not None
    assert world.features is not None
    assert np.array_equal(moved.features, world.features[order])
