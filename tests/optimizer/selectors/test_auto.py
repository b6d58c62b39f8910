from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from optimizer.selectors.auto import Auto, challenge, opening_votes, prior_covariances, top_two
from optimizer.selectors.base import Record, allowed_pairs, best_pair, blank_record
from optimizer.selectors.eubo import expected_best
from optimizer.simulate import Scene, simulate
from optimizer.simulation.run import Terms, play
from optimizer.simulation.worlds import Setting, from_matrix
from optimizer.stats.pair_effects import choose_pair_effects, fit_pair_effects
from optimizer.stats.posterior import Posterior
from optimizer.stats.tally import Tally

CYCLIC = np.array([[0.5, 0.6, 0.6, 0.6], [0.4, 0.5, 0.9, 0.1], [0.4, 0.1, 0.5, 0.9], [0.4, 0.9, 0.1, 0.5]])

RNG = np.random.default_rng(1)


def played(k: int, each: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=k)
    upper = np.triu(rng.binomial(each, expit(strengths[:, None] - strengths)), 1)
    return (upper + np.triu(each - upper, 1).T).astype(float)


def test_optimism_is_the_mean_of_the_larger_strength_with_every_doubt_that_much_larger() -> None:
    posterior = Posterior(np.array([0.4, -0.4]), np.array([[0.5, 0.1], [0.1, 0.9]]), 1.0, 0.0)
    draws = RNG.multivariate_normal(posterior.mean, 4.0 * posterior.cov, 400_000)
    assert expected_best(posterior, 2.0)[0, 1] == pytest.approx(draws.max(1).mean(), abs=0.01)


def test_optimism_gives_an_arm_that_began_badly_another_chance() -> None:
    """Two arms known to be good and one in doubt: as published the rule lets the two meet."""
    posterior = Posterior(np.array([1.0, 0.8, -0.3]), np.diag([0.02, 0.02, 0.49]), 1.0, 0.0)
    as_published, optimistic = expected_best(posterior), expected_best(posterior, 2.0)
    assert as_published[0, 1] > as_published[0, 2]
    assert optimistic[0, 1] < optimistic[0, 2]


def test_it_looks_ahead_with_optimism_and_races_the_top_two_in_turn() -> None:
    record = blank_record(6, tally=Tally.from_wins(played(6, 4)))
    best = best_pair(expected_best(choose_pair_effects(record.tally).strengths, 2.0), record.playable, RNG)
    asked = [Auto().ask(record, np.random.default_rng(seed)) for seed in range(200)]
    ahead = [pair for pair in asked if pair.reason == "one of these may well be best"]
    assert {frozenset(pair[:2]) for pair in ahead} == {frozenset(best)}
    assert 70 < len(ahead) < 130
    assert {pair.reason for pair in asked} == {"one of these may well be best", "close race at the top"}


@pytest.mark.parametrize(("prompts", "votes"), [(2, 2), (20, 20), (40, 60), (80, 160)])
def test_the_opening_is_a_vote_per_prompt_and_half_a_one_for_each_doubling_beyond_20(
    prompts: int, votes: int
) -> None:
    assert opening_votes(prompts) == votes
    raced = ["close race at the top" in _reasons(prompts, answers) for answers in (votes - 1, votes)]
    assert raced == [False, True]


def _reasons(prompts: int, answers: int) -> set[str]:
    """What ``auto`` says of its pairs after so many votes, each of them for the first of its pair."""
    wins = np.zeros((prompts, prompts))
    for vote in range(answers):
        first = vote % prompts
        wins[min(first, prompts - 2), min(first, prompts - 2) + 1] += 1
    record = blank_record(prompts, tally=Tally.from_wins(wins))
    return {Auto().ask(record, np.random.default_rng(seed)).reason for seed in range(12)}


def test_in_a_circle_the_leader_meets_its_challenger_instead() -> None:
    wins = 40 * CYCLIC
    np.fill_diagonal(wins, 0.0)
    assert choose_pair_effects(wins).pair_sd > 0.0
    record = blank_record(4, tally=Tally.from_wins(wins))
    asked = {Auto().ask(record, np.random.default_rng(seed)).reason for seed in range(40)}
    assert asked == {"a hopeful challenger meets the leader", "close race at the top"}


def test_the_leader_meets_whoever_may_be_ahead_of_it_by_most() -> None:
    beliefs = fit_pair_effects(played(6, 4))
    record = blank_record(6)
    leader, partner = challenge(beliefs, 3.0, allowed_pairs(record), np.random.default_rng(1))
    cov, mean = beliefs.strengths.cov, beliefs.strengths.mean
    sd = np.sqrt(np.diag(cov) + cov[leader, leader] - 2 * cov[leader])
    bound = np.delete(mean + 3 * sd, leader)
    assert leader == mean.argmax()
    assert partner == np.delete(np.arange(6), leader)[bound.argmax()]


def test_top_two_pairs_are_the_likely_best_arms() -> None:
    beliefs = fit_pair_effects(played(5, 30))
    allowed = allowed_pairs(blank_record(5))
    rng = np.random.default_rng(1)
    pairs = [top_two(beliefs, allowed, rng) for _ in range(200)]
    best_two = set(np.argsort(-beliefs.strengths.mean)[:2].tolist())
    assert np.mean([first == beliefs.leader for first, _ in pairs]) > 0.5
    assert np.mean([set(pair) == best_two for pair in pairs]) > 0.5


def test_the_challenger_of_a_draw_is_the_arm_hardest_to_tell_from_it() -> None:
    beliefs = fit_pair_effects(played(6, 4))
    cov, mean = beliefs.strengths.cov, beliefs.strengths.mean
    for seed in range(20):
        leader, partner = top_two(beliefs, allowed_pairs(blank_record(6)), np.random.default_rng(seed))
        sd = np.sqrt(np.diag(cov) + cov[leader, leader] - 2 * cov[leader])
        apart = np.array(
            [max(mean[leader] - mean[k], 0.0) / sd[k] if k != leader else np.inf for k in range(6)]
        )
        assert apart[partner] == pytest.approx(apart.min())


def asked_at_once(record: Record, n: int, told: bool) -> list[frozenset[int]]:
    """n duels asked before any answer comes; the selector is told of the open ones, or not."""
    pending = np.zeros((record.k, record.k), dtype=np.int64)
    pairs: list[frozenset[int]] = []
    for asked in range(n):
        pair = Auto().ask(
            replace(record, pending=pending.copy(), asked=asked), np.random.default_rng([1, asked])
        )
        pairs.append(frozenset((pair.first, pair.second)))
        pending[pair.first, pair.second] += told
        pending[pair.second, pair.first] += told
    return pairs


def test_first_duels_in_flight_are_of_different_arms() -> None:
    assert len(frozenset.union(*asked_at_once(blank_record(8), 4, told=True))) == 8


def test_duels_in_flight_do_not_end_the_opening() -> None:
    record = blank_record(4, pending=np.ones((4, 4), dtype=np.int64) - np.eye(4, dtype=np.int64))
    assert Auto().ask(record, np.random.default_rng(1)).reason == "one of these may well be best"


def test_duels_in_flight_spread_out() -> None:
    record = blank_record(8, tally=Tally.from_wins(played(8, 3)))
    spread, alike = (Counter(asked_at_once(record, 20, told)) for told in (True, False))
    assert max(spread.values()) < max(alike.values())


def test_embeddings_lead_to_untried_arms_that_resemble_the_best() -> None:
    rng = np.random.default_rng(3)
    angle = np.linspace(0, np.pi, 24)
    features = np.c_[np.cos(angle), np.sin(angle)]
    strengths = 3 * features[:, 0]
    wins = np.zeros((24, 24))
    for _ in range(80):
        i, j = rng.choice(np.arange(2, 24), 2, replace=False)  # arms 0 and 1, the best, never met anyone
        won = rng.random() < expit(strengths[i] - strengths[j])
        wins[(i, j) if won else (j, i)] += 1
    record = blank_record(24, tally=Tally.from_wins(wins), features=features)
    assert Auto().recommend(record) in range(5)
    asked = [Auto().ask(record, np.random.default_rng(seed)) for seed in range(30)]
    assert np.mean([min(pair.first, pair.second) <= 1 for pair in asked]) > 0.5


def test_priors_to_choose_from() -> None:
    assert prior_covariances(blank_record(3)) is None
    assert prior_covariances(blank_record(3, parents=np.array([-1, -1, -1]))) is None
    from_parents = prior_covariances(blank_record(3, parents=np.array([-1, 0, -1])))
    assert from_parents is not None
    assert from_parents[1][0, 1] > 0 == from_parents[1][0, 2]
    from_both = prior_covariances(blank_record(3, features=np.eye(3), parents=np.array([-1, 0, -1])))
    assert from_both is not None
    assert len(from_both) == 6


def test_a_decision_does_not_depend_on_how_many_votes_make_up_the_counts() -> None:
    few, many = played(10, 4), played(10, 4000)
    assert choose_pair_effects(few).k == choose_pair_effects(many).k
    record = blank_record(10, tally=Tally.from_wins(many))
    pair = Auto().ask(record, np.random.default_rng(1))
    top = set(np.argsort(-choose_pair_effects(many).strengths.mean)[:3].tolist())
    assert pair.first in top or pair.second in top


def test_cycles_are_seen_through() -> None:
    """At 100 votes of a strongly cyclic world the arm that beats all others is known."""
    world = from_matrix(CYCLIC)
    runs = [play(world, Auto(), Terms((100,)), np.random.SeedSequence(seed)) for seed in range(16)]
    assert np.mean([run.simple_regret[0] for run in runs]) <= 0.012


def test_it_beats_random_pairs_by_far_and_never_locks_in() -> None:
    scene = Scene("btl", Setting(12, 1.0, 100))
    auto, random = simulate(scene, ["auto", "random"], Terms((24, 50, 100)), runs=24, seed=5)
    assert (auto.simple_regret < 0.75 * random.simple_regret).all()
    assert auto.weak_regret[-1] < 0.6 * random.weak_regret[-1]
