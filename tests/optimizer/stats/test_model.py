"""The full model: what it must recover, what must not change it, and a published example."""

import numpy as np
import pytest
from scipy.optimize import minimize

from optimizer.errors import NotFitted
from optimizer.stats import model, newton
from optimizer.stats.bradley_terry import fit_by_evidence, fit_strengths
from optimizer.stats.cells import Cells
from optimizer.stats.likelihood import choose_likelihood, graded, half_wins, with_ties
from optimizer.stats.model import fit
from optimizer.stats.newton import climb, newton_step
from optimizer.stats.priors import by_lineage, by_similarity
from optimizer.stats.system import Point, System, Widths
from optimizer.stats.tally import FIRST, LEVELS, SECOND, Tally

GRADES = np.array([0, 2, 3, 5, 7])  # first clearly, slightly, tie, second slightly, clearly

# Baseball, American League East, 1987: home and away wins
# (Agresti 2002, Categorical Data Analysis, section 10.6).
# Teams: Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore; rows at home.
HOME_WINS = np.array(
    [
        [0, 4, 4, 4, 6, 4, 6],
        [3, 0, 4, 4, 6, 6, 4],
        [2, 4, 0, 2, 4, 4, 6],
        [3, 5, 2, 0, 4, 4, 6],
        [5, 2, 3, 4, 0, 5, 6],
        [2, 3, 3, 4, 4, 0, 2],
        [2, 1, 1, 2, 1, 3, 0],
    ],
    dtype=float,
)
AWAY_WINS = np.array(
    [
        [0, 3, 2, 3, 1, 2, 0],
        [3, 0, 2, 3, 0, 1, 3],
        [5, 3, 0, 4, 3, 2, 0],
        [3, 1, 5, 0, 3, 2, 1],
        [1, 5, 3, 2, 0, 2, 0],
        [5, 3, 4, 3, 2, 0, 4],
        [5, 5, 6, 4, 6, 4, 0],
    ],
    dtype=float,
)


def simulated(
    votes: int,
    k: int = 6,
    inputs: int = 1,
    input_sd: float = 0.0,
    bias: float = 0.0,
    slopes: tuple[float, ...] = (1.0,),
    levels: np.ndarray = GRADES,
    cuts: tuple[float, float] = (0.4, 1.5),
    seed: int = 0,
    length: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, Cells]:
    """Strengths, log lengths and the cells of votes by an ordinal rater."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=k)
    effects = rng.normal(0.0, input_sd, (inputs, k))
    lengths = rng.normal(0.0, 0.5, (inputs, k))
    x, r = rng.integers(inputs, size=votes), rng.integers(len(slopes), size=votes)
    i = rng.integers(k, size=votes)
    j = (i + rng.integers(1, k, size=votes)) % k
    phi = theta + effects + length * lengths
    felt = np.array(slopes)[r] * (phi[x, i] - phi[x, j]) + bias + rng.logistic(size=votes)
    low, high = cuts
    answer = levels[np.digitize(-felt, [-high, -low, low, high])]
    rows = zip(x, r, i, j, answer, np.ones(votes), strict=True)
    return theta - theta.mean(), lengths, Cells.from_rows(k, rows, inputs, len(slopes))


def test_a_published_example_with_an_order_effect():
    """Agresti (2002), section 10.6: strengths above Baltimore, at home 0.302 more."""
    counts = np.zeros((7, 7, LEVELS))
    counts[:, :, 1], counts[:, :, 6] = HOME_WINS, AWAY_WINS
    cells = Cells.from_tally(Tally(counts))
    with_home = fit(cells, bias_sd=100.0, prior_sds=(100.0,))
    assert with_home.bias[0] == pytest.approx(0.302, abs=1e-3)
    above_baltimore = with_home.posterior.mean - with_home.posterior.mean[6]
    expected = [1.6196, 1.4754, 1.3271, 1.2813, 1.1438, 0.7047, 0.0]
    np.testing.assert_allclose(above_baltimore, expected, atol=2e-3)
    without = fit(cells, bias_sd=0.0, prior_sds=(100.0,)).posterior.mean
    expected = [1.5814, 1.4364, 1.2945, 1.2476, 1.1077, 0.6839, 0.0]
    np.testing.assert_allclose(without - without[6], expected, atol=2e-3)


def test_without_anything_special_it_is_the_fast_fit():
    _, _, cells = simulated(150, levels=np.array([1, 1, 3, 6, 6]), cuts=(0.1, 1.0))
    wins = np.zeros((cells.k, cells.k))
    for i, j, row in zip(cells.first, cells.second, cells.counts, strict=True):
        wins[i, j] += row[1] + row[3] / 2
        wins[j, i] += row[6] + row[3] / 2
    averaged, fast = fit(cells, bias_sd=0.0).posterior, fit_by_evidence(wins)
    assert averaged.prior_sd == fast.prior_sd
    np.testing.assert_allclose(averaged.mean, fast.mean, atol=1e-3)  # its modes are rough
    plain, fast = fit(cells, bias_sd=0.0, prior_sds=(0.5,)).posterior, fit_strengths(wins, 0.5)
    np.testing.assert_allclose(plain.mean, fast.mean, atol=1e-6)
    np.testing.assert_allclose(plain.cov, fast.cov, atol=1e-6)
    assert plain.log_evidence == pytest.approx(fast.log_evidence, abs=1e-6)


ALL = {
    "half wins": (half_wins, Widths()),
    "ties": (with_ties, Widths()),
    "grades": (graded, Widths()),
    "raters": (graded, Widths(reliability=0.7)),
}


@pytest.mark.parametrize("name", ALL)
def test_the_gradient_by_finite_differences(name):
    """Of every unknown: along a step where the slope is steep, and zero in all directions at the mode."""
    model, widths = ALL[name]
    _, lengths, cells = simulated(80, k=4, inputs=3, input_sd=0.5, slopes=(1.0, 0.4))
    covariance = by_lineage(np.array([-1, 0, 0, 1]))
    system = System.build(cells, model(cells.counts), widths, covariance, lengths)

    def value(flat: np.ndarray) -> float:
        point = Point(flat[:4], flat[4:16].reshape(3, 4), flat[16:])
        return system.slopes(point).value + system.log_prior(point, 0.8, 0.6)

    def gradient(at: Point) -> np.ndarray:
        flat = np.concatenate([at.theta, at.u.ravel(), at.sides])
        return np.array([(value(flat + e) - value(flat - e)) / 2e-5 for e in 1e-5 * np.eye(flat.size)])

    rng = np.random.default_rng(1)
    for _ in range(3):
        sides = system.origin.sides + 0.1 * rng.normal(size=system.side_sd.size)
        at = Point(rng.normal(size=4), rng.normal(size=(3, 4)), sides)
        step = newton_step(system, 0.8, 0.6, at, system.slopes(at))
        moved = np.concatenate([step.by.theta, step.by.u.ravel(), step.by.sides])
        assert step.promise == pytest.approx(gradient(at) @ moved, rel=1e-5)  # gradient' step
    np.testing.assert_allclose(gradient(climb(system, 0.8, 0.6, system.origin).point), 0.0, atol=2e-4)


@pytest.mark.parametrize("name", ["half wins", "ties", "grades"])
def test_the_mode_is_the_highest_point(name):
    """Against a general optimiser that is told of nothing but the objective."""
    model, widths = ALL[name]
    _, lengths, cells = simulated(120, k=3, inputs=2, input_sd=0.5, seed=3)
    system = System.build(cells, model(cells.counts), widths, None, lengths)
    mode = climb(system, 1.0, 0.6, system.origin)

    def depth(flat: np.ndarray) -> float:
        point = Point(flat[:3], flat[3:9].reshape(2, 3), flat[9:])
        return -system.slopes(point).value - system.log_prior(point, 1.0, 0.6)

    start = np.concatenate([np.zeros(9), system.origin.sides])
    other = minimize(
        depth, start, method="Nelder-Mead", options={"maxiter": 40_000, "xatol": 1e-6, "fatol": 1e-9}
    )
    other = minimize(depth, other.x, method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(mode.point.theta, other.x[:3], atol=1e-4)
    np.testing.assert_allclose(mode.point.sides, other.x[9:], atol=1e-4)


def test_the_covariance_and_evidence_are_those_of_the_whole_hessian():
    """Eliminating the inputs one by one must equal inverting everything at once."""
    _, lengths, cells = simulated(150, k=3, inputs=4, input_sd=0.5, seed=4)
    system = System.build(cells, graded(cells.counts), Widths(), None, lengths)
    mode = climb(system, 1.0, 0.6, system.origin)
    size, h = 3 + 12 + system.side_sd.size, 1e-4

    def value(flat: np.ndarray) -> float:
        point = Point(flat[:3], flat[3:15].reshape(4, 3), flat[15:])
        return system.slopes(point).value + system.log_prior(point, 1.0, 0.6)

    top = np.concatenate([mode.point.theta, mode.point.u.ravel(), mode.point.sides])
    steps = h * np.eye(size)
    hessian = np.empty((size, size))
    for a in range(size):
        for b in range(size):
            hessian[a, b] = -sum(
                s * t * value(top + s * steps[a] + t * steps[b]) for s in (1, -1) for t in (1, -1)
            ) / (4 * h * h)
    keep = [0, 1, 2, *range(15, size)]
    np.testing.assert_allclose(mode.cov, np.linalg.inv(hessian)[np.ix_(keep, keep)], atol=2e-4)
    evidence = value(top) - np.linalg.slogdet(hessian)[1] / 2
    assert mode.log_evidence == pytest.approx(evidence, abs=1e-3)


def test_everything_together_is_recovered():
    """Position bias, inputs, grades with ties and plain votes among them, and length, from many votes."""
    theta, lengths, cells = simulated(
        20_000, inputs=10, input_sd=0.6, bias=0.3, length=0.8, levels=GRADES, seed=5
    )
    found = fit(cells, lengths=lengths)
    assert found.bias[0] == pytest.approx(0.3, abs=0.06)
    assert found.input_sd == 0.6
    assert found.length == pytest.approx(0.8, abs=0.25)
    np.testing.assert_allclose(found.levels, [0.4, 1.5], atol=0.06)
    np.testing.assert_allclose(found.posterior.mean, theta, atol=0.6)  # ten inputs only


def test_effects_of_inputs_are_seen_where_they_are_and_not_where_not():
    assert fit(simulated(1500, inputs=10, input_sd=0.0, seed=6)[2]).input_sd == 0.0
    assert fit(simulated(1500, inputs=10, input_sd=1.0, seed=6)[2]).input_sd >= 0.6


def test_many_votes_on_one_input_leave_doubt_about_inputs_in_general():
    """2,000 votes on 3 inputs say less of the prompts than their number promises."""
    _, _, cells = simulated(2000, inputs=3, input_sd=1.0, seed=7)
    assert fit(cells).posterior.sd.mean() > 3 * fit(cells.pooled(inputs=True)).posterior.sd.mean()


def test_the_wider_model_beats_the_plain_one_under_position_bias_and_inputs():
    """Unequal numbers of firsts: who was shown first more often must not look better."""
    gains = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        theta = rng.normal(0.0, 0.5, 5)
        rows = []
        for _ in range(200):
            i, j = sorted(rng.choice(5, 2, replace=False))  # the lower arm always first
            won = rng.random() < 1 / (1 + np.exp(-(theta[i] - theta[j] + 0.8)))
            rows.append((0, 0, i, j, 1 if won else 6, 1))
        cells = Cells.from_rows(5, rows)
        truth = theta - theta.mean()
        plain, full = (fit(cells, bias_sd=sd).posterior.mean for sd in (0.0, 0.3))
        gains.append(((plain - truth) ** 2).sum() - ((full - truth) ** 2).sum())
    assert np.mean(gains) > 0


def test_careless_raters_count_less():
    theta, _, cells = simulated(1200, slopes=(1.2, 1.2, 0.0), seed=8)
    found = fit(cells, with_reliability=True)
    assert found.reliability[2] < 0.3
    assert min(found.reliability[:2]) > 1.1
    together = fit(cells)
    np.testing.assert_array_equal(together.reliability, 1.0)
    error = [((one.posterior.mean - theta) ** 2).sum() for one in (found, together)]
    assert error[0] < error[1]


CREEPING = """
00361 00411 00463 01311 01361 01411 02461 03412 03461 04011 04061 04162 04361 10362 10411 11362
11461 12161 12461 13061 13413 13462 14011 14061 14112 14162 20411 21311 21361 23111 23413 24012
24162 24311 30311 30361 30462 31311 31362 31461 33411 33461 34312 41011 41462 43011 43061 43111
43161 43411 44013 44162 44312 44361 50211 50411 51313 51411 52461 53062 53162 53411 54061 54112
54163 54312
"""  # rater, first, second, level, count: 97 votes on five prompts, a third of the six raters careless


def test_votes_over_which_a_fit_creeps_are_no_error(monkeypatch):
    """Near a saddle of the reliabilities all steps are small: 200 do not reach the usual tolerance."""
    cells = Cells.from_rows(5, [(0, *map(int, code)) for code in CREEPING.split()], 1, 6)
    found = fit(cells, with_reliability=True)
    plain = fit(cells)
    assert np.abs(found.posterior.mean - plain.posterior.mean).max() < 0.5
    assert np.linalg.eigvalsh(found.posterior.cov).min() > -1e-9
    monkeypatch.setattr(newton, "NEAR_ENOUGH", 1e-9)
    with pytest.raises(NotFitted, match="did not converge in 200 steps"):
        fit(cells, with_reliability=True)


def test_a_rater_with_few_votes_stays_near_the_average():
    _, _, cells = simulated(40, slopes=(1.0, 1.0, 1.0, 1.0), seed=9)
    assert np.abs(np.log(fit(cells, with_reliability=True).reliability)).max() < 0.8


def test_reliability_gradient_holds_the_average_at_one():
    _, _, cells = simulated(500, slopes=(1.5, 0.5), seed=10)
    found = fit(cells, with_reliability=True)
    votes = np.bincount(cells.rater, cells.counts.sum(1))
    assert found.reliability @ votes / votes.sum() == pytest.approx(1.0)
    assert (found.reliability_sd > 0).all()


def test_relabelling_arms_and_inputs_changes_nothing_else():
    _, _, cells = simulated(300, inputs=4, input_sd=0.8, seed=11)
    arm, column = np.random.default_rng(2).permutation(6), np.array([2, 0, 3, 1])
    moved = Cells(
        6, 4, 1, column[cells.input], cells.rater, arm[cells.first], arm[cells.second], cells.counts
    )
    here, there = fit(cells), fit(moved)
    np.testing.assert_allclose(there.posterior.mean[arm], here.posterior.mean, atol=1e-6)
    np.testing.assert_allclose(there.input_effects[column][:, arm], here.input_effects, atol=1e-6)


def test_swapping_sides_flips_the_bias_only():
    _, _, cells = simulated(300, bias=0.5, seed=12)
    turned = cells.counts[:, ::-1].copy()
    turned[:, [3, 4]] = cells.counts[:, [3, 4]]
    swapped = Cells(6, 1, 1, cells.input, cells.rater, cells.second, cells.first, turned)
    here, there = fit(cells), fit(swapped)
    np.testing.assert_allclose(there.posterior.mean, here.posterior.mean, atol=1e-6)
    np.testing.assert_allclose(there.bias, -here.bias, atol=1e-6)


def test_grades_tell_more_than_plain_votes():
    """The same felt differences, once graded and once not: graded strengths are nearer to the truth."""
    errors = {True: 0.0, False: 0.0}
    for seed in range(15):
        theta, _, cells = simulated(60, seed=seed, cuts=(1e-9, 1.5))
        plain_counts = np.zeros_like(cells.counts)
        plain_counts[:, 1] = cells.counts[:, :3].sum(1)
        plain_counts[:, 6] = cells.counts[:, 5:].sum(1)
        plain = Cells(6, 1, 1, cells.input, cells.rater, cells.first, cells.second, plain_counts)
        for with_grades, votes in ((True, cells), (False, plain)):
            errors[with_grades] += ((fit(votes).posterior.mean - theta) ** 2).sum()
    assert errors[True] < 0.9 * errors[False]


def test_pooling_and_tallies_agree():
    _, _, cells = simulated(200, inputs=5, slopes=(1.0, 1.0), seed=13)
    pooled = cells.pooled(inputs=True, raters=True)
    counts = np.zeros((6, 6, LEVELS))
    np.add.at(counts, (cells.first, cells.second), cells.counts)
    again = Cells.from_tally(Tally(counts))
    np.testing.assert_array_equal(pooled.first, again.first)
    np.testing.assert_array_equal(pooled.second, again.second)
    np.testing.assert_array_equal(pooled.counts, again.counts)
    assert pooled.total == cells.total == 200


def test_no_votes_leave_the_prior():
    cells = Cells.from_rows(3, [], inputs=2)
    covariance = by_lineage(np.array([-1, 0, -1]))
    found = fit(cells, covariance=covariance).posterior
    np.testing.assert_allclose(found.mean, 0.0)
    centre = np.eye(3) - 1 / 3
    np.testing.assert_allclose(found.cov, centre @ covariance @ centre, atol=1e-5)


def test_lineage_carries_strength_to_a_child_but_with_doubt():
    rows = [(0, 0, 0, 1, 1, 20.0)]  # arm 0 beat arm 1; arm 2 is a child of arm 0
    found = fit(Cells.from_rows(3, rows), covariance=by_lineage(np.array([-1, -1, 0]))).posterior
    assert found.mean[0] > found.mean[2] > found.mean[1]
    assert found.sd[2] > found.sd[0]


def test_similarity_prior_is_a_covariance_and_scaled():
    features = np.random.default_rng(3).normal(size=(6, 20)) + 2.0
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    covariance = by_similarity(features)
    np.linalg.cholesky(covariance)
    assert np.trace(covariance) == pytest.approx(6.0)
    np.testing.assert_allclose(by_similarity(np.tile(features[:1], (6, 1))), np.eye(6))


def test_the_answer_model_is_the_one_the_counts_call_for():
    _, _, cells = simulated(200)
    assert type(fit(cells).likelihood) is type(choose_likelihood(cells.counts))
    assert fit(cells, answers=half_wins).levels.size == 0


def careless_votes(seed):
    """80 votes of six raters on five arms, the first two of whom answer with a fair coin."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=5)
    rows = {}
    for _ in range(80):
        first, second = (int(arm) for arm in rng.choice(5, 2, replace=False))
        rater = int(rng.integers(6))
        chance = 0.5 if rater < 2 else 1.0 / (1.0 + np.exp(strengths[second] - strengths[first]))
        place = (0, rater, first, second, FIRST if rng.random() < chance else SECOND)
        rows[place] = rows.get(place, 0.0) + 1.0
    return Cells.from_rows(5, ((*place, count) for place, count in rows.items()), 1, 6)


def test_careless_raters_do_not_keep_the_fit_from_its_end(monkeypatch):
    """The steps near the mode of seed 10 gain a twentieth less each time: a hundred were not enough."""
    soon = fit(careless_votes(10), with_reliability=True)
    monkeypatch.setattr(model, "NEAR", 1e-11)
    monkeypatch.setattr(newton, "MAX_STEPS", 5000)
    late = fit(careless_votes(10), with_reliability=True)
    assert np.all(np.abs(soon.posterior.mean - late.posterior.mean) < 0.03 * late.posterior.sd)
    assert np.all(np.abs(np.log(soon.reliability / late.reliability)) < 0.03)
