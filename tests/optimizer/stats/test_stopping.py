"""The advice: each kind where it belongs, and its promise kept in small simulations with wide margins.

``benchmarks/calibration.py`` measures the same with many more runs and in more worlds.
"""

import numpy as np
import pytest

from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.cycles import CycleCheck
from optimizer.stats.forecast import about, is_decided, shares, votes_to_decision
from optimizer.stats.posterior import Posterior
from optimizer.stats.stopping import AdviceKind, advise, percent

RNG_SEED = 11


def posterior(gaps: list[float], sd: float) -> Posterior:
    """Independent strengths that are centred, each with the same doubt."""
    mean = np.array(gaps) - np.mean(gaps)
    centre = np.eye(len(gaps)) - 1 / len(gaps)
    return Posterior(mean, sd**2 * centre, 1.0, 0.0)


def advice(gaps: list[float], sd: float, **given):
    return advise(posterior(gaps, sd), 50.0, np.random.default_rng(RNG_SEED), **given)


def test_stop_when_the_leader_is_surely_the_best():
    found = advice([2.0, 0.0, 0.0], 0.3)
    assert found.kind is AdviceKind.STOP
    assert found.leader == 0
    assert found.p_best > 0.99
    assert found.sentence(["Terse", "Kind", "Long"]).startswith("Terse is the best with a probability of 99")
    assert found.more_votes is None


def test_practically_equal_when_it_does_not_matter():
    found = advice([0.02, 0.0, -3.0], 0.04)
    assert found.kind is AdviceKind.PRACTICALLY_EQUAL
    assert (found.leader, found.runner_up) == (0, 1)
    assert found.p_near_best >= 0.95 > found.p_best
    assert found.expected_regret < 0.01
    assert "{" not in found.sentence(["{braces}", "b", "c"]).replace("{braces}", "")


def test_a_leader_who_is_well_ahead_is_not_called_equal():
    """P(near best) would do, but the estimated advantage is more than the margin: go on."""
    found = advice([0.6, 0.0], 0.3)
    assert found.p_near_best >= 0.95 > found.p_best
    assert found.kind is AdviceKind.KEEP_GOING
    assert found.more_votes is not None


def test_keep_going_says_about_how_many_more():
    found = advice([0.5, 0.0, 0.0], 0.7)
    assert found.kind is AdviceKind.KEEP_GOING
    assert 10 <= found.more_votes <= 1000
    assert f"About {found.more_votes} more votes" in found.sentence(["a", "b", "c"])
    assert advice([0.5, 0.0, 0.0], 0.7, forecast=False).more_votes is None


def circling(p_cycle: float, p_unbeaten: list[float], leader: int) -> CycleCheck:
    return CycleCheck(1.0, p_cycle, (0, 1, 2), np.array(p_unbeaten), leader)


def test_a_circle_is_said_and_a_doubtful_one_holds_the_verdict_back():
    found = advice([2.0, 0.0, 0.0], 0.3, cycles=circling(0.97, [0.1, 0.02, 0.02], 0))
    assert found.kind is AdviceKind.CYCLE
    assert found.p_best == 0.1
    in_doubt = advice([2.0, 0.0, 0.0], 0.3, cycles=circling(0.7, [0.3, 0.1, 0.1], 0))
    assert in_doubt.kind is AdviceKind.KEEP_GOING
    assert "circle" in in_doubt.reason
    unlikely = advice([2.0, 0.0, 0.0], 0.3, cycles=circling(0.4, [0.6, 0.2, 0.2], 1))
    assert (unlikely.kind, unlikely.leader) == (AdviceKind.STOP, 0)


def test_who_beats_every_other_wins_though_others_run_in_a_circle_and_are_stronger():
    found = advice([0.0, 0.5, 0.5, 0.5], 0.2, cycles=circling(0.99, [0.96, 0.01, 0.0, 0.0], 0))
    assert (found.kind, found.leader, found.p_best) == (AdviceKind.STOP, 0, 0.96)
    assert found.sentence(["a", "b", "c", "d"]).startswith(
        "a beats every other prompt with a probability of 96 %"
    )
    probably = advice([0.0, 0.5, 0.5, 0.5], 0.2, cycles=circling(0.99, [0.8, 0.05, 0.0, 0.0], 0))
    assert (probably.kind, probably.leader) == (AdviceKind.KEEP_GOING, 0)
    assert "a beats every other prompt with a probability of 80 %" in probably.sentence(["a", "b", "c", "d"])


def test_two_equal_prompts_above_a_circle_are_called_equal_and_not_asked_about_for_ever():
    top = advice([1.01, 1.0, 0.0, 0.0, 0.0], 0.04, cycles=circling(0.99, [0.55, 0.44, 0.0, 0.0, 0.0], 0))
    assert (top.kind, top.leader, top.runner_up) == (AdviceKind.PRACTICALLY_EQUAL, 0, 1)
    level = advice([0.01, 0.0, 0.0], 0.04, cycles=circling(0.7, [0.2, 0.2, 0.2], 0))
    assert level.kind is AdviceKind.KEEP_GOING  # a circle among equals may yet be sure


def test_before_the_first_vote_there_is_nothing_to_say():
    found = advise(posterior([0.0, 0.0], 1.0), 0.0, np.random.default_rng(0))
    assert found.kind is AdviceKind.KEEP_GOING
    assert found.sentence(["a", "b"]) == "Nobody has voted yet."


def test_a_single_prompt_is_the_best():
    only = Posterior(np.zeros(1), np.zeros((1, 1)), 1.0, 0.0)
    assert advise(only, 0.0, np.random.default_rng(0)).kind is AdviceKind.STOP


def test_confidence_and_margin_are_obeyed():
    assert advice([1.0, 0.0], 0.4, confidence=0.90).kind is AdviceKind.STOP
    assert advice([1.0, 0.0], 0.4, confidence=0.999, margin=0.0).kind is AdviceKind.KEEP_GOING


def test_percent_never_says_certain():
    assert percent(1.0) == "99.9 %"
    assert percent(0.714) == "71 %"


def vote(theta, i, j, rng, lapse=0.0, bias=0.0):
    """(winner, loser) of i shown first against j."""
    chance = 0.5 if rng.random() < lapse else 1 / (1 + np.exp(theta[j] - theta[i] - bias))
    return (i, j) if rng.random() < chance else (j, i)


def study(rng, k, most, spread=1.0, **manner):
    """Votes on Thompson pairs with a look after every vote; what was advised, and when."""
    theta = rng.normal(0.0, spread, k)
    wins = np.zeros((k, k))
    for votes in range(most):
        belief = fit_by_evidence(wins)
        found = advise(belief, votes, rng, draws=belief.draws(400, rng), forecast=False)
        if found.kind in (AdviceKind.STOP, AdviceKind.PRACTICALLY_EQUAL):
            return theta, found, votes
        i = int(belief.draws(1, rng)[0].argmax())
        other = belief.draws(1, rng)[0]
        other[i] = -np.inf
        pair = rng.permutation([i, int(other.argmax())])
        wins[vote(theta, *pair, rng, **manner)] += 1
    return theta, None, most


@pytest.mark.parametrize(
    "manner",
    [{}, {"lapse": 0.1}, {"bias": 0.5}, {"spread": 2.0}],
    ids=["plain", "lapses", "position bias", "far apart"],
)
def test_of_the_runs_that_stop_most_are_right(manner):
    """95 % promised with a look after every vote; 50 runs, so the margin is wide."""
    rng = np.random.default_rng(RNG_SEED)
    right = []
    for _ in range(50):
        theta, found, _ = study(rng, 3, 70, **manner)
        if found is not None:
            short = 1 / (1 + np.exp(theta[found.leader] - theta.max())) - 0.5
            right.append(short <= (0.05 if found.kind is AdviceKind.PRACTICALLY_EQUAL else 0.0))
    assert len(right) >= 5
    assert np.mean(right) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / len(right))


def test_forecasts_are_of_the_right_order():
    """In the middle, between a third and three times the votes that are then needed."""
    rng = np.random.default_rng(RNG_SEED)
    ratios = []
    for _ in range(16):
        theta = rng.normal(size=5)
        wins = np.zeros((5, 5))
        for _ in range(20):
            i, j = rng.choice(5, 2, replace=False)
            wins[vote(theta, i, j, rng)] += 1
        said = votes_to_decision(fit_by_evidence(wins), rng)
        needed = 0
        while needed < 300:
            belief = fit_by_evidence(wins)
            if is_decided(belief.mean[None], belief.cov[None], 0.95, 0.05)[0]:
                break
            i = int(belief.draws(1, rng)[0].argmax())
            other = belief.draws(1, rng)[0]
            other[i] = -np.inf
            wins[vote(theta, i, int(other.argmax()), rng)] += 1
            needed += 1
        if needed > 0:
            ratios.append((said or 3000) / needed)
    assert 1 / 3 <= np.median(ratios) <= 3


def test_the_forecast_grows_with_the_confidence_asked_for():
    belief = posterior([0.7, 0.0, -0.5], 0.5)
    few, many = (
        votes_to_decision(belief, np.random.default_rng(1), confidence, margin=0.0)
        for confidence in (0.90, 0.99)
    )
    assert few < many


def test_shares_of_the_votes_go_to_contenders():
    belief = posterior([1.0, 0.9, -2.0], 0.4)
    share = shares(belief.mean[None], belief.cov[None])[0]
    assert np.triu(share, 1).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(share, share.T)
    assert share[0, 1] > 0.95


def test_numbers_of_votes_are_rounded_to_two_digits():
    assert [about(n) for n in (0.2, 7.4, 38.3, 142.0, 1760.0)] == [1, 7, 38, 140, 1800]
