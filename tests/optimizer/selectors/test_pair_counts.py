"""Worked steps of the rules that count pairs: D-TS+, RUCB, RMED1, CCB, winner stays, round robin."""

import numpy as np
import pytest

from optimizer.selectors.copeland_confidence import CopelandConfidence, best_case
from optimizer.selectors.double_thompson import DoubleThompson, estimated_regret
from optimizer.selectors.pairwise import confidence_bounds, drawn_matrix
from optimizer.selectors.random import Random
from optimizer.selectors.rmed import Rmed, empirical_divergence, opponent
from optimizer.selectors.round_robin import RoundRobin
from optimizer.selectors.rucb import Rucb
from optimizer.selectors.self_sparring import SelfSparring
from optimizer.selectors.winner_stays import WinnerStays
from tests.optimizer.selectors.records import record_of

# Arm 0 surely beats all, arm 1 surely beats 2 and 3, arms 2 and 3 are open.
CLEAR = np.array([[0, 90, 95, 95], [10, 0, 90, 90], [5, 10, 0, 2], [5, 10, 2, 0]], dtype=float)


def asked(selector: object, record: object, seeds: int = 40) -> set[tuple[int, int]]:
    pairs = [selector.ask(record, np.random.default_rng(seed)) for seed in range(seeds)]  # type: ignore[attr-defined]
    return {(pair.first, pair.second) for pair in pairs}


def test_confidence_bounds_by_hand() -> None:
    """3 wins of 4, t = 4: 3/4 +- sqrt(0.51 ln 4 / 4) = 0.75 +- 0.42042; pairs never met: 1 and 0."""
    upper, lower = confidence_bounds(np.array([[0, 3, 0], [1, 0, 0], [0, 0, 0]], dtype=float), 0.51)
    assert upper[0, 1] == pytest.approx(1.17042, abs=1e-5)
    assert lower[0, 1] == pytest.approx(0.32958, abs=1e-5)
    assert upper[1, 0] == pytest.approx(1 - 0.32958, abs=1e-5)
    assert (upper[0, 2], lower[0, 2], upper[2, 2], lower[2, 2]) == (1.0, 0.0, 0.5, 0.5)


def test_a_drawn_matrix_is_a_preference_matrix_near_the_counts() -> None:
    drawn = drawn_matrix(100.0 * CLEAR, np.random.default_rng(0))
    np.testing.assert_allclose(drawn + drawn.T, 1.0)
    assert drawn[0, 1] == pytest.approx(0.9, abs=0.02)


def test_the_tie_break_of_d_ts_plus_by_hand() -> None:
    """P(0>1) = .9, P(0>2) = .8, P(1>2) = .6: scores 1, 1/2, 0; for arm 0 the losses are 1/4 and 1/2,
    KL(.9, .5) = .368064, KL(.8, .5) = .192745: 0.25 / .368064 + 0.5 / .192745 = 3.27335 (Wu and Liu 2016)."""
    drawn = np.array([[0.5, 0.9, 0.8], [0.1, 0.5, 0.6], [0.2, 0.4, 0.5]])
    regret = estimated_regret(drawn)
    assert regret[0] == pytest.approx(3.27335, abs=1e-4)
    assert regret[0] < regret[1] < regret[2]


def test_double_thompson_keeps_to_the_possible_copeland_winner_and_spares_proven_losers() -> None:
    """Only arm 0 may be first, having the highest optimistic score; in a cycle all of whose pairs are
    settled any arm may be first, but none meets one that surely beats it (Wu and Liu 2016, Algorithm 1)."""
    assert {first for first, _ in asked(DoubleThompson(), record_of(CLEAR))} == {0}
    cycle = 60.0 * np.array([[0, 0.1, 0.9], [0.9, 0, 0.1], [0.1, 0.9, 0]])
    assert asked(DoubleThompson(), record_of(cycle)) == {(0, 2), (1, 0), (2, 1)}


def test_rucb_takes_the_only_arm_that_may_beat_all_and_its_most_hopeful_rival() -> None:
    """C = {0} (Zoghi et al. 2014, Algorithm 1), so it is first; u_10 is the highest of the bounds u_j0."""
    assert asked(Rucb(), record_of(CLEAR)) == {(0, 1)}


def test_rucb_keeps_its_hypothesis_half_of_the_time() -> None:
    """Without votes all arms are candidates; with one favourite it is first in about half of the duels."""
    wins = np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]], dtype=float)
    firsts = [Rucb().ask(record_of(wins), np.random.default_rng(seed)).first for seed in range(200)]
    assert 70 <= firsts.count(0) <= 130


def test_rucb_draws_from_all_arms_when_each_surely_loses_to_some_other() -> None:
    """C is empty (Zoghi et al. 2014, Algorithm 1): 3 > 0 > 1 > 3 and 0 > 2 are settled. That arm 0 is ahead,
    with two pairs won, counts for nothing: it is first as often as any other."""
    wins = np.zeros((4, 4))
    for better, worse in ((0, 1), (0, 2), (3, 0), (1, 3)):
        wins[better, worse] = 60.0
    wins[1, 2] = wins[2, 1] = wins[2, 3] = wins[3, 2] = 30.0
    assert not (confidence_bounds(wins, 0.51)[0] >= 0.5).all(1).any()
    firsts = [Rucb().ask(record_of(wins), np.random.default_rng(seed)).first for seed in range(400)]
    assert all(70 < firsts.count(arm) < 130 for arm in range(4))


def test_empirical_divergence_by_hand() -> None:
    """Arm 1 won 1 of 4: 4 d(1/4, 1/2) = 4 (ln(1/2) / 4 + 3 ln(3/2) / 4) = 0.523248; arm 0 owes nothing.
    Arm 2 lost both: 2 d(0, 1/2) = 2 ln 2 (Komiyama et al. 2015, section 3.1)."""
    wins = np.array([[0, 3, 2], [1, 0, 0], [0, 0, 0]], dtype=float)
    np.testing.assert_allclose(empirical_divergence(wins), [0.0, 0.523248, 2 * np.log(2)], atol=1e-6)


def test_rmed_chooses_the_opponent_of_algorithm_2() -> None:
    divergence = empirical_divergence(CLEAR)
    assert int(np.argmin(divergence)) == 0
    assert int(np.argmax(opponent(2, CLEAR, divergence))) == 0  # the best arm is in O_2
    assert int(np.argmax(opponent(0, CLEAR, divergence))) == 1  # no rivals: the closest one
    # Arm 2 beats the best arm 0 but loses to 3, so it meets the arm that beats it most.
    wins = np.array([[0, 50, 9, 50], [0, 0, 5, 5], [11, 5, 0, 1], [0, 5, 9, 0]], dtype=float)
    divergence = empirical_divergence(wins)
    assert int(np.argmin(divergence)) == 0
    assert int(np.argmax(opponent(2, wins, divergence))) == 3


def test_rmed_meets_every_pair_once_then_only_those_that_may_be_unbeaten() -> None:
    wins = np.zeros((4, 4))
    met = set()
    for _ in range(6):
        pair = Rmed().ask(record_of(wins), np.random.default_rng(0))
        met.add(frozenset(pair[:2]))
        wins[min(pair[:2]), max(pair[:2])] += 1
    assert len(met) == 6
    # log t + 0.3 * 4^1.01 is about 7.5; arms 1 to 3 have divergences far above that.
    assert asked(Rmed(), record_of(CLEAR)) == {(0, 1)}


def test_rmed_gives_the_turn_to_an_arm_within_log_t_plus_f_of_the_least_divergence() -> None:
    """Komiyama et al. 2015, Algorithm 1. Arm 1 won 11 of 40 against arm 0: I_1 = 40 d(11/40, 1/2) = 4.199;
    arm 2 lost all 12: I_2 = 12 ln 2 = 8.318; I_0 = 0. After t = 54 votes log t = 3.989 and
    f(3) = 0.3 * 3^1.01 = 0.910: the limit 4.899 keeps arm 1, which log t alone would not, and drops 2. Of
    0 and 1, the candidates, arm 1 has met fewer; it does not lead arm 0, so it meets it."""
    wins = np.array([[0, 29, 12], [11, 0, 1], [0, 1, 0]], dtype=float)
    np.testing.assert_allclose(empirical_divergence(wins), [0.0, 4.199, 8.318], atol=5e-4)
    assert asked(Rmed(), record_of(wins)) == {(1, 0)}


def test_copeland_confidence_draws_from_those_that_may_beat_the_most_and_spares_proven_losses() -> None:
    """Zoghi et al. 2015, Algorithm 1. All pairs met 16 times, t = 96, so bounds are wins / 16 +- 0.381: a
    pair is proven lost with at most one win. 0, 1, 2 beat each other in a ring, 15 to 1; arm 3 lost 10 to 6,
    16 to 0 and 15 to 1. So 0, 1, 2 may beat two others each and arm 3 one. Of those that do not surely beat
    it, arm 0 meets 3 (u_30 = 0.756, u_10 = 0.444), arm 1 meets 2 (0.444, against 0.381) and arm 2 meets 0 or
    3 (0.444 both)."""
    wins = np.array([[0, 15, 1, 10], [1, 0, 15, 16], [15, 1, 0, 15], [6, 0, 1, 0]], dtype=float)
    upper, _ = confidence_bounds(wins, 0.51)
    assert upper[3, 0] == pytest.approx(6 / 16 + np.sqrt(0.51 * np.log(96) / 16))
    assert best_case(upper).tolist() == [2, 2, 2, 1]
    rule = CopelandConfidence()
    pairs = [rule.ask(record_of(wins), np.random.default_rng(seed)) for seed in range(300)]
    assert {pair[:2] for pair in pairs} == {(0, 3), (1, 2), (2, 0), (2, 3)}
    shown = np.bincount([pair.first for pair in pairs], minlength=4)
    assert shown[:3].min() > 70  # each a third of the time
    # Without votes everyone may be first.
    assert {first for first, _ in asked(rule, record_of(np.zeros((4, 4))))} == {0, 1, 2, 3}


def test_self_sparring_draws_by_share_of_wins_whoever_the_opponent() -> None:
    wins = np.array([[0, 30, 30], [30, 0, 30], [0, 0, 0]], dtype=float)
    assert asked(SelfSparring(), record_of(wins)) == {(0, 1), (1, 0)}


def test_self_sparring_takes_the_best_of_two_independent_draws_from_beta_posteriors() -> None:
    """Sui et al. 2017, Algorithm 2. Arm 0 beat arm 1 twice, arm 2 never met anyone: Beta(3, 1), Beta(1, 3)
    and Beta(1, 1) have the distribution functions x^3, 1 - (1 - x)^3 and x. Arm 0 wins a draw with chance
    int 3 x^2 (1 - (1 - x)^3) x dx = 3/4 - 3 B(4, 4) = 0.7286; arm 2 comes before arm 1 in another draw with
    chance int 1 - (1 - x)^3 dx = 3/4."""
    wins = np.array([[0, 2, 0], [0, 0, 0], [0, 0, 0]], dtype=float)
    rng = np.random.default_rng(0)
    pairs = [SelfSparring().ask(record_of(wins), rng)[:2] for _ in range(6000)]
    led = [second for first, second in pairs if first == 0]
    assert len(led) / len(pairs) == pytest.approx(0.7286, abs=0.02)
    assert led.count(2) / len(led) == pytest.approx(0.75, abs=0.02)


def test_winner_stays_step_by_step() -> None:
    """Chen and Frazier 2017, Algorithm 1: C = wins - losses. 0 beats 1: C = (1, -1, 0, 0), so 0 stays and
    2 or 3 steps in. 0 beats 2 as well: C = (2, -1, -1, 0), so 3 steps in. 3 wins: C = (1, -1, -1, 1), level,
    and as this pair was asked last, one of them stays and meets the next."""
    wins = np.zeros((4, 4))
    wins[0, 1] = 1
    assert asked(WinnerStays(), record_of(wins, last=(0, 1))) == {(0, 2), (0, 3)}
    wins[0, 2] = 1
    assert asked(WinnerStays(), record_of(wins, last=(0, 2))) == {(0, 3)}
    wins[3, 0] = 1
    firsts = asked(WinnerStays(), record_of(wins, last=(3, 0)))
    assert {first for first, _ in firsts} == {0, 3}
    assert {second for _, second in firsts} == {1, 2}


def test_winner_stays_prefers_an_arm_of_the_last_duel_when_level() -> None:
    wins = np.zeros((4, 4))
    wins[1, 0] = wins[0, 1] = 1
    assert {first for first, _ in asked(WinnerStays(), record_of(wins, last=(0, 1)))} == {0, 1}


def test_random_asks_every_pair_with_equal_chance() -> None:
    """Of five arms' ten pairs, one not playable and one asked last, the other eight."""
    playable = ~np.eye(5, dtype=bool)
    playable[1, 3] = playable[3, 1] = False
    record = record_of(np.triu(np.full((5, 5), 9.0), 1), playable=playable, last=(0, 1))
    rng = np.random.default_rng(0)
    pairs = [tuple(sorted(Random().ask(record, rng)[:2])) for _ in range(1600)]
    shown = {pair: pairs.count(pair) for pair in pairs}
    assert len(shown) == 8
    assert all(150 < times < 250 for times in shown.values())


def test_round_robin_completes_a_lap_before_the_next_begins() -> None:
    wins = np.zeros((5, 5))
    for lap in (1, 2):
        for step in range(10):
            i, j, _ = RoundRobin().ask(record_of(wins), np.random.default_rng(step))
            wins[i, j] += 1
        assert ((wins + wins.T)[~np.eye(5, dtype=bool)] == lap).all()
