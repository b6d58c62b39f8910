"""Worked steps of the rules that read a posterior of strengths."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, ndtr

from optimizer.selectors.colstim import Colstim, clip_at
from optimizer.selectors.eubo import Eubo, expected_best
from optimizer.selectors.gaussian_process import GaussianProcess, fit_process
from optimizer.selectors.knowledge_gradient import PROBIT_SCALE, KnowledgeGradient, expected_gain
from optimizer.selectors.leader_ucb import LeaderUcb
from optimizer.selectors.maxinp import MaxInP
from optimizer.selectors.sequential_halving import SequentialHalving, survivors
from optimizer.selectors.top_two import TopTwo, separation
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.posterior import Posterior
from tests.optimizer.selectors.records import record_of

MEAN = np.array([0.8, 0.3, -0.2, -0.9])
COV = np.array([[0.5, 0.1, 0, 0], [0.1, 0.4, 0, 0], [0, 0, 0.9, -0.1], [0, 0, -0.1, 0.2]])
POSTERIOR = Posterior(MEAN, COV, 1.0, 0.0)
RANDOM_WINS = np.random.default_rng(5).integers(0, 6, (5, 5)) * (1.0 - np.eye(5))


def test_eubo_is_the_expectation_of_the_larger_of_two_strengths() -> None:
    """The value of Lin, Astudillo, Frazier and Bakshy 2022, by the formula of Clark 1961: against 400,000
    draws; and for two standard normals E[max] = 1 / sqrt(pi)."""
    value = expected_best(POSTERIOR)
    draws = POSTERIOR.draws(400_000, np.random.default_rng(0))
    assert value[0, 2] == pytest.approx(np.maximum(draws[:, 0], draws[:, 2]).mean(), abs=0.005)
    assert value[0, 1] == pytest.approx(np.maximum(draws[:, 0], draws[:, 1]).mean(), abs=0.005)
    alike = expected_best(Posterior(np.zeros(2), np.eye(2), 1.0, 0.0))
    assert alike[0, 1] == pytest.approx(1 / np.sqrt(np.pi))


def test_knowledge_gradient_is_the_gain_of_the_exact_update_under_a_probit_vote() -> None:
    """Frazier, Powell and Dayanik 2009, the expected rise of the highest mean by one measurement, here a
    vote: for two arms the posterior after it is integrated on a grid; sigma(x) is read as Phi(x / 1.702)."""
    mean, cov = np.array([0.3, -0.3]), np.array([[0.6, 0.1], [0.1, 0.4]])
    grid = np.linspace(-6, 6, 801)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    deviation = np.stack([a - mean[0], b - mean[1]], -1)
    density = np.exp(-np.einsum("xyi,ij,xyj->xy", deviation, np.linalg.inv(cov), deviation) / 2)
    density /= density.sum()
    gain = -mean.max()
    for sign in (1.0, -1.0):
        joint = density * ndtr(sign * (a - b) / PROBIT_SCALE)
        gain += max((joint * a).sum(), (joint * b).sum())
    exact = expected_gain(Posterior(mean, cov, 1.0, 0.0), np.array([[0, 1]]))
    assert exact[0] == pytest.approx(gain, abs=1e-6)


def test_knowledge_gradient_is_never_negative_and_gives_way_to_eubo_where_all_is_settled() -> None:
    pairs = np.argwhere(np.triu(np.ones((4, 4)), 1))
    assert expected_gain(POSTERIOR, pairs).min() > -1e-12
    settled = record_of([[0, 900, 900], [1, 0, 500], [1, 1, 0]])
    kg = KnowledgeGradient().ask(settled, np.random.default_rng(0))
    eubo = Eubo().ask(settled, np.random.default_rng(0))
    assert {*kg[:2]} == {*eubo[:2]}


def test_separation_by_hand() -> None:
    """The transportation cost of T3C (Shang et al. 2020), as its root: arm 0 leads 1 by 0.5 with variance
    0.5 + 0.4 - 0.2 = 0.7, 2 by 1.0 with 1.4, 3 by 1.7 with 0.7."""
    apart = separation(POSTERIOR, 0)
    np.testing.assert_allclose(apart[1:], [0.5 / np.sqrt(0.7), 1.0 / np.sqrt(1.4), 1.7 / np.sqrt(0.7)])
    np.testing.assert_array_equal(separation(POSTERIOR, 3), 0.0)  # never ahead, never separated


def test_top_two_asks_for_the_leader_and_the_arm_hardest_to_tell_from_it() -> None:
    """Top-two sampling (Russo 2016) with the challenger of Shang et al. 2020. Arm 0 has beaten 1 and 2 alike,
    2 a hundred times as often: 1 is the open question."""
    record = record_of([[0, 6, 600], [2, 0, 0], [200, 0, 0]])
    pairs = [TopTwo().ask(record, np.random.default_rng(seed)) for seed in range(60)]
    assert sum({pair.first, pair.second} == {0, 1} for pair in pairs) >= 50


def test_leader_ucb_bounds_the_difference_and_not_the_strength() -> None:
    """MaxFirstUCBNext of Di et al. 2023: argmax of m_k + 3 sqrt(z' S z), z = e_k - e_0. Arm 2 met arm 0
    alone, and more often than arm 1 did, so the two move together more: by its own width it would be the
    challenger, by that of the difference arm 1 is."""
    wins = np.array([[0, 3, 5, 5], [0, 0, 0, 0], [1, 0, 0, 0], [0, 2, 0, 0]], dtype=float)
    posterior = fit_by_evidence(wins)
    bounds = []
    for arm in range(1, 4):
        z = np.eye(4)[arm] - np.eye(4)[0]
        bounds.append(posterior.mean[arm] + 3.0 * np.sqrt(z @ posterior.cov @ z))
    by_itself = posterior.mean[1:] + 3.0 * posterior.sd[1:]
    assert (posterior.leader, 1 + int(np.argmax(bounds)), 1 + int(np.argmax(by_itself))) == (0, 1, 2)
    pair = LeaderUcb(nu=3.0, drawn_share=0.0).ask(record_of(wins), np.random.default_rng(0))
    assert pair[:2] == (0, 1)


def test_leader_ucb_by_hand() -> None:
    """The leader 0 meets the arm of highest m + nu sd: the rarely seen 2 for a large nu, the close second
    1 for a small one."""
    wins = np.array([[0, 200, 1], [180, 0, 0], [0, 0, 0]], dtype=float)
    bold = LeaderUcb(nu=3.0, drawn_share=0.0).ask(record_of(wins), np.random.default_rng(0))
    shy = LeaderUcb(nu=0.1, drawn_share=0.0).ask(record_of(wins), np.random.default_rng(0))
    assert bold[:2] == (0, 2)
    assert shy[:2] == (0, 1)


def test_leader_ucb_draws_its_leader_in_the_given_share() -> None:
    wins = np.array([[0, 3, 3], [1, 0, 2], [1, 2, 0]], dtype=float)
    firsts = [
        LeaderUcb(drawn_share=1.0).ask(record_of(wins), np.random.default_rng(s)).first for s in range(60)
    ]
    assert len(set(firsts)) == 3
    fixed = {
        LeaderUcb(drawn_share=0.0).ask(record_of(wins), np.random.default_rng(s)).first for s in range(60)
    }
    assert fixed == {0}


def test_the_field_is_halved_on_schedule() -> None:
    """Karnin et al. 2013: 8 arms and 24 votes make three rounds of 8 votes with 8, 4 and 2 arms."""
    assert [survivors(8, votes, 24) for votes in (0, 7, 8, 15, 16, 23, 24, 99)] == [8, 8, 4, 4, 2, 2, 2, 2]
    assert [survivors(5, votes, 30) for votes in (0, 10, 20)] == [5, 3, 2]
    assert survivors(2, 0, 1) == 2


def test_sequential_halving_pairs_survivors_only_and_neighbours_first() -> None:
    """Halfway of 24 votes among 8 arms, 0 to 3 have won all they played: one of their unmet pairs meets."""
    wins = np.zeros((8, 8))
    for strong in range(4):
        for weak in range(4, 8):
            wins[strong, weak] = 0.75
    pair = SequentialHalving().ask(record_of(wins, budget=24), np.random.default_rng(0))
    assert {*pair[:2]} <= {0, 1, 2, 3}
    assert pair.reason == "4 prompts still in the race"
    # Of the three gaps between neighbours, the one in the middle of the four is the smallest.
    for strong, share in enumerate((0.75, 0.62, 0.58, 0.45)):
        wins[strong, 4:], wins[4:, strong] = share, 0.75 - share
    for seed in range(5):
        pair = SequentialHalving().ask(record_of(wins, budget=24), np.random.default_rng(seed))
        assert {*pair[:2]} == {1, 2}


def test_maxinp_leaves_out_arms_that_cannot_be_best_and_asks_the_least_known_pair() -> None:
    """Arm 3 has lost everything. Of the others 0 and 1 met often, 0 and 2 sometimes, 1 and 2 never."""
    wins = np.array([[0, 30, 9, 60], [30, 0, 0, 60], [9, 0, 0, 60], [0, 0, 0, 0]], dtype=float)
    wins[2, 3] = wins[1, 3]
    pair = MaxInP().ask(record_of(wins), np.random.default_rng(0))
    assert 3 not in pair[:2]
    assert 2 in pair[:2]


def test_maxinp_by_hand_keeps_out_the_least_known_pairs_of_an_arm_that_cannot_be_best() -> None:
    """Saha 2021, Algorithm 1, with M, the norms and C written out. 0, 1 and 2 are level after 12, 12 and 8
    duels of each two; arm 3 lost its only eight, so its pairs are the least known, but it is out."""
    wins = np.array([[0, 6, 6, 8], [6, 0, 4, 0], [6, 4, 0, 0], [0, 0, 0, 0]], dtype=float)
    design = np.eye(4)
    for i, j in np.argwhere(np.triu(wins + wins.T)):
        z = np.eye(4)[i] - np.eye(4)[j]
        design += (wins + wins.T)[i, j] * np.outer(z, z)

    def loss(theta: np.ndarray) -> float:
        gap = theta[:, None] - theta[None, :]
        return float((wins * np.logaddexp(0.0, -gap)).sum() + theta @ theta / 2)

    theta = minimize(loss, np.zeros(4), tol=1e-12).x
    inverse = np.linalg.inv(design)
    norm = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            z = np.eye(4)[i] - np.eye(4)[j]
            norm[i, j] = np.sqrt(z @ inverse @ z)
    hopeful = [i for i in range(4) if all(theta[i] - theta[j] + 2.0 * norm[i, j] >= 0.0 for j in range(4))]
    assert hopeful == [0, 1, 2]
    assert norm[:3, 3].min() > norm[:3, :3].max() == norm[1, 2]
    assert {*MaxInP().ask(record_of(wins), np.random.default_rng(0))[:2]} == {1, 2}


def test_colstim_follows_its_formula_when_the_noise_is_known() -> None:
    """The first arm recomputed from the same Gumbel draws (Bengs et al. 2022, Algorithm 1, with p_t = 0)."""
    from optimizer.selectors.kernel import design_covariance
    from optimizer.stats.bradley_terry import fit_strengths

    mean = fit_strengths(RANDOM_WINS).mean
    cov = design_covariance(np.eye(5), RANDOM_WINS + RANDOM_WINS.T)
    limit = np.sqrt(5 * np.log(RANDOM_WINS.sum()))
    for seed in range(20):
        noise = np.clip(np.random.default_rng(seed).gumbel(size=5), -limit, limit)
        first = int(np.argmax(mean + noise * np.sqrt(np.diag(cov))))
        apart = np.sqrt(cov[first, first] + np.diag(cov) - 2 * cov[first])
        bound = np.where(np.arange(5) == first, -np.inf, mean + apart)
        pair = Colstim().ask(record_of(RANDOM_WINS), np.random.default_rng(seed))
        assert pair[:2] == (first, int(np.argmax(bound)))
    assert clip_at(4, np.e**4) == pytest.approx(4.0)


def laplace(wins: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mode, covariance and log evidence of Bradley-Terry under N(0, ``prior``), by plain Newton steps."""
    k = len(wins)
    precision = np.linalg.inv(prior + 1e-6 * np.eye(k))
    theta = np.zeros(k)
    for _ in range(50):
        gradient, hessian = -precision @ theta, precision.copy()
        for i, j in np.argwhere(wins):
            p = expit(theta[i] - theta[j])
            z = np.eye(k)[i] - np.eye(k)[j]
            gradient += wins[i, j] * (1 - p) * z
            hessian += wins[i, j] * p * (1 - p) * np.outer(z, z)
        theta = theta + np.linalg.solve(hessian, gradient)
    fit = sum(wins[i, j] * np.log(expit(theta[i] - theta[j])) for i, j in np.argwhere(wins))
    determinants = np.linalg.slogdet(precision)[1] - np.linalg.slogdet(hessian)[1]
    return theta, np.linalg.inv(hessian), float(fit - theta @ precision @ theta / 2 + determinants / 2)


def likeness(features: np.ndarray, length: float, own: float) -> np.ndarray:
    """K entry by entry, the length in median distances."""
    k = len(features)
    apart = np.array([[np.linalg.norm(one - other) for other in features] for one in features])
    median = np.sqrt(np.median(apart[~np.eye(k, dtype=bool)] ** 2))
    return (1 - own) * np.exp(-((apart / (length * median)) ** 2) / 2) + own * np.eye(k)


@pytest.mark.parametrize(
    ("strength", "best"),
    [(lambda place: 0.8 * place, 2.0), (lambda place: 2.0 * np.sign(np.sin(12 * place)), 0.5)],
    ids=["a slope over all prompts", "ups and downs"],
)
def test_the_process_takes_the_length_and_width_of_most_evidence(strength: Any, best: float) -> None:
    """Chu and Ghahramani 2005, sections 2.2 and 3: the Laplace evidence of each length recomputed."""
    place = np.linspace(-0.9, 0.9, 10)
    features = np.column_stack([place, np.sqrt(1 - place**2)])
    theta = strength(place)
    wins = 4.0 * expit(theta[:, None] - theta) * (1 - np.eye(10))
    fits = {length: laplace(wins, likeness(features, length, 0.1)) for length in (0.5, 1.0, 2.0)}
    assert max(fits, key=lambda length: fits[length][2]) == best
    similarity = likeness(features, best, 0.1)
    mean, _, _ = max((laplace(wins, s**2 * similarity) for s in (0.5, 1.0, 2.0)), key=lambda fit: fit[2])
    np.testing.assert_allclose(fit_process(wins, features, 0.1).mean, mean - mean.mean(), atol=1e-3)


def test_the_process_asks_the_pair_of_highest_expected_best_on_its_posterior() -> None:
    """One step with six votes, so at the median distance and a width of one: the Laplace posterior of Chu and
    Ghahramani 2005 recomputed, and the better of each two from draws of it (Lin et al. 2022)."""
    features = np.random.default_rng(2).normal(size=(5, 3))
    features /= np.linalg.norm(features, axis=1)[:, None]
    wins = np.array(
        [[0, 2, 0, 0, 0], [1, 0, 0, 1, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [0] * 5], dtype=float
    )
    mean, cov, _ = laplace(wins, likeness(features, 1.0, 0.1))
    centred = np.eye(5) - 1 / 5
    found = fit_process(wins, features, 0.1)
    np.testing.assert_allclose(found.mean, centred @ mean, atol=1e-4)
    np.testing.assert_allclose(found.cov, centred @ cov @ centred, atol=1e-4)
    draws = np.random.default_rng(0).multivariate_normal(centred @ mean, centred @ cov @ centred, 200_000)
    value = {(i, j): np.maximum(draws[:, i], draws[:, j]).mean() for i in range(5) for j in range(i)}
    best, second = sorted(value.values())[:-3:-1]
    assert best > second + 0.005  # ten times the error of the draws
    pair = GaussianProcess(drawn_share=0.0).ask(record_of(wins, features=features), np.random.default_rng(0))
    assert value[max(pair[:2]), min(pair[:2])] == best


def test_the_process_recommends_an_unseen_prompt_between_the_winners() -> None:
    """On a line, prompts nearer the middle win; the one in the middle was never shown."""
    place = np.linspace(-0.9, 0.9, 7)
    features = np.column_stack([place, np.sqrt(1 - place**2)])
    wins = np.zeros((7, 7))
    for i, j in ((2, 1), (4, 5), (1, 0), (5, 6), (2, 5), (4, 1), (2, 0), (4, 6), (1, 6), (5, 0)):
        wins[i, j] = 4
    wins[2, 4] = wins[4, 2] = 4
    assert GaussianProcess().recommend(record_of(wins, features=features)) == 3
    assert fit_process(wins, features, own=1.0).leader in (2, 4)


def test_the_process_shares_votes_in_proportion_to_likeness() -> None:
    """With prompts 0, 1 alike and 2 far off, a win of 0 lifts 1 above 2."""
    features = np.array([[1.0, 0.0], [0.98, 0.199], [-1.0, 0.0], [0.0, -1.0]])
    wins = np.zeros((4, 4))
    wins[0, 3] = 5
    mean = fit_process(wins, features, own=0.1).mean
    assert mean[0] > mean[1] > mean[2]


@pytest.mark.parametrize(
    "selector",
    [Eubo(), KnowledgeGradient(), LeaderUcb(drawn_share=0.0), MaxInP(), GaussianProcess(drawn_share=0.0)],
    ids=lambda selector: selector.name,
)
def test_relabelling_the_arms_relabels_the_pair(selector: object) -> None:
    """For rules that draw nothing where no two pairs are level."""
    rng = np.random.default_rng(11)
    features = rng.normal(size=(5, 3))
    for seed in range(10):
        wins = rng.integers(0, 9, (5, 5)) * (1.0 - np.eye(5))
        order = rng.permutation(5)
        pair = selector.ask(record_of(wins, features=features), np.random.default_rng(seed))  # type: ignore[attr-defined]
        renamed = selector.ask(  # type: ignore[attr-defined]
            record_of(wins[np.ix_(order, order)], features=features[order]), np.random.default_rng(seed)
        )
        assert {int(order[renamed.first]), int(order[renamed.second])} == {pair.first, pair.second}


def test_more_wins_of_a_prompt_never_make_eubo_forget_it() -> None:
    """As arm 2 goes on winning, the expected best of its pairs only rises."""
    values = []
    for extra in range(5):
        wins = RANDOM_WINS.copy()
        wins[2, 4] += extra
        from optimizer.stats.bradley_terry import fit_strengths

        values.append(expit(fit_strengths(wins).mean[2]))
    assert values == sorted(values)
