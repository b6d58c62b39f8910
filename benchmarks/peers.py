"""Other people's dueling bandits and rating libraries, as they are shipped, on the same worlds.

None of them is needed by the app: ``pip install -r benchmarks/requirements.txt``. What is not installed
is left out with a sentence.
"""

import contextlib
import importlib.util
import inspect
import math
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from optimizer.simulate import Scene
from optimizer.stats.pair_effects import choose_pair_effects

FloatArray = NDArray[np.float64]

PEERS = ("duelpy", "botorch")  # how the names of peers' rows begin
DUELPY = ("WinnerStaysWeakRegret", "VerificationBasedCondorcet", "DoubleThompsonSampling")


class Enough(Exception):
    """The budget of duels is used up."""


def installed(name: str) -> bool:
    """Can this package be imported?"""
    return importlib.util.find_spec(name) is not None


def _summary(regrets: list[list[float]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(best found), mean regret and its standard error by number of votes, of regrets by run and votes."""
    table = np.array(regrets)
    return (table <= 0).mean(0), table.mean(0), table.std(0, ddof=1) / math.sqrt(len(table))


def duelpy_results(
    scene: Scene, algorithm: str, votes: tuple[int, ...], runs: int, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(best found), simple regret and its standard error, each by number of votes.

    The recommendation is the algorithm's own; where it says that it has none yet, the arm that has
    won the largest share of its duels.
    """
    return _summary([_duelpy_run(scene, algorithm, votes, seed, run) for run in range(runs)])


def _duelpy_run(scene: Scene, algorithm: str, votes: tuple[int, ...], seed: int, run: int) -> list[float]:
    import pandas  # noqa: F401  duelpy's own imports expect them to be loaded under these versions
    import scipy.stats  # noqa: F401

    # duelpy 1.0.0 is older than NumPy 1.24, which removed these two names.
    vars(np).setdefault("float", float)
    vars(np).setdefault("int", int)
    import duelpy.algorithms
    from duelpy.feedback import MatrixFeedback

    for_world, for_play = np.random.SeedSequence([seed, run]).spawn(2)
    world = scene.draw(np.random.default_rng(for_world))
    state = np.random.RandomState(int(for_play.generate_state(1)[0]))
    wins = np.zeros((world.k, world.k))
    regrets: list[float] = []

    class Feedback(MatrixFeedback):  # type: ignore[misc]
        def duel(self, arm_i_index: int, arm_j_index: int) -> bool:
            done = int(wins.sum())
            if done in votes and len(regrets) <= votes.index(done):
                regrets.append(float(world.regret[_own_word(player, wins, state)]))
            if done >= votes[-1]:
                raise Enough
            won = bool(super().duel(arm_i_index, arm_j_index))
            wins[(arm_i_index, arm_j_index) if won else (arm_j_index, arm_i_index)] += 1
            return won

        def duel_repeatedly(self, arm_i_index: int, arm_j_index: int, duel_count: int) -> float:
            return sum(self.duel(arm_i_index, arm_j_index) for _ in range(duel_count)) / duel_count

    feedback = Feedback(world.preference, random_state=state)
    algorithm_class = getattr(duelpy.algorithms, algorithm)
    horizon = inspect.signature(algorithm_class).parameters["time_horizon"]
    unlimited = 100 * votes[-1]  # some insist on a horizon; this one is never reached
    known = {"time_horizon": unlimited} if horizon.default is inspect.Parameter.empty else {}
    player = algorithm_class(feedback, random_state=state, **known)
    try:
        while not _finished(player):
            player.step()
    except Enough:
        pass
    last = float(world.regret[_own_word(player, wins, state)])
    return regrets + [last] * (len(votes) - len(regrets))


def _finished(player: object) -> bool:
    try:
        return bool(player.is_finished())  # type: ignore[attr-defined]
    except NotImplementedError:  # it goes on for ever
        return False


def _own_word(player: object, wins: FloatArray, state: np.random.RandomState) -> int:
    for method in ("get_condorcet_winner", "get_copeland_winner"):
        said = getattr(player, method, lambda: None)()
        if said is not None:
            return int(said)
    games = wins.sum(1) + wins.sum(0)
    share = np.where(games > 0, wins.sum(1) / np.maximum(games, 1), 0.5)
    return int(state.choice(np.flatnonzero(share == share.max())))


def botorch_results(
    scene: Scene, votes: tuple[int, ...], runs: int, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(best found), simple regret and its standard error of BoTorch's PairwiseGP with EUBO, on features.

    Its model with its own kernel and priors, fitted anew after every vote; the next pair is the one of
    highest expected utility of the best option among all pairs; recommended is the highest mean. Where
    its fit gives up, the kernel keeps its starting values for that vote.
    """
    return _summary([_botorch_run(scene, votes, seed, run) for run in range(runs)])


def _botorch_run(scene: Scene, votes: tuple[int, ...], seed: int, run: int) -> list[float]:
    import torch
    from botorch.acquisition.preference import AnalyticExpectedUtilityOfBestOption
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models.pairwise_gp import PairwiseGP, PairwiseLaplaceMarginalLogLikelihood
    from botorch.models.transforms.input import Normalize

    for_world, for_play = np.random.SeedSequence([seed, run]).spawn(2)
    world = scene.draw(np.random.default_rng(for_world))
    if world.features is None:
        raise ValueError(f"World '{scene.name}' has no features, which a Gaussian process needs.")
    rng = np.random.default_rng(for_play)
    points = torch.tensor(world.features)
    pairs = torch.combinations(torch.arange(world.k), 2)
    pair = pairs[rng.integers(len(pairs))]
    outcomes: list[tuple[int, int]] = []
    regrets: list[float] = []
    for done in range(1, votes[-1] + 1):
        first, second = (int(arm) for arm in pair)
        won = rng.random() < world.preference[first, second]
        outcomes.append((first, second) if won else (second, first))
        transform = Normalize(points.shape[1])
        model = PairwiseGP(points, torch.tensor(outcomes), input_transform=transform)
        with contextlib.suppress(ModelFittingError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fit_gpytorch_mll(PairwiseLaplaceMarginalLogLikelihood(model.likelihood, model))
        with torch.no_grad():
            pair = pairs[int(AnalyticExpectedUtilityOfBestOption(model)(points[pairs]).argmax())]
            if done in votes:
                mean = model.posterior(points).mean.squeeze(-1)
                regrets.append(float(world.regret[int(mean.argmax())]))
    return regrets


def read_outs() -> dict[str, Callable[[FloatArray], int]]:
    """Rating libraries as read-outs: from a win matrix to the arm that they put first."""
    found: dict[str, Callable[[FloatArray], int]] = {
        "ours": lambda wins: choose_pair_effects(wins).leader,
    }
    if installed("choix"):
        found["choix ilsr_pairwise, its regularisation 0.1"] = _choix
    if installed("evalica"):
        found["evalica bradley_terry"] = _evalica
    return found


def read_out_regrets(
    scene: Scene, votes: tuple[int, ...], runs: int, seed: int
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """Per library P(best found), regret and its standard error on the same uniformly random duels."""
    regrets: dict[str, list[list[float]]] = {name: [] for name in read_outs()}
    for run in range(runs):
        for_world, for_play = np.random.SeedSequence([seed, run]).spawn(2)
        world = scene.draw(np.random.default_rng(for_world))
        rng = np.random.default_rng(for_play)
        first = rng.integers(world.k, size=votes[-1])
        second = (first + rng.integers(1, world.k, size=votes[-1])) % world.k
        won = rng.random(votes[-1]) < world.preference[first, second]
        winner, loser = np.where(won, first, second), np.where(won, second, first)
        for name, best_of in read_outs().items():
            row = []
            for n in votes:
                wins = np.zeros((world.k, world.k))
                np.add.at(wins, (winner[:n], loser[:n]), 1.0)
                row.append(float(world.regret[best_of(wins)]))
            regrets[name].append(row)
    return {name: _summary(rows) for name, rows in regrets.items()}


def _choix(wins: FloatArray) -> int:
    import choix

    rows = [(i, j) for i, j in zip(*np.nonzero(wins), strict=True) for _ in range(int(wins[i, j]))]
    return int(np.argmax(choix.ilsr_pairwise(len(wins), rows, alpha=0.1)))


def _evalica(wins: FloatArray) -> int:
    import evalica

    first, second = np.nonzero(wins)
    weight = wins[first, second]
    found = evalica.bradley_terry(
        [*map(str, first)], [*map(str, second)], [evalica.Winner.X] * len(first), weights=[*weight]
    )
    return int(found.scores.idxmax())


def genie_regret(scene: Scene, votes: tuple[int, ...], runs: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """The floor: one who knows the best two arms and spends every vote on telling which is which.

    The chance that the majority of n votes errs (a draw is a coin) times the gap between the two,
    exactly, averaged over the worlds. Returns the rate of errors and the regret.
    """
    from scipy.stats import binom

    rates, regrets = [], []
    for run in range(runs):
        for_world, _ = np.random.SeedSequence([seed, run]).spawn(2)
        world = scene.draw(np.random.default_rng(for_world))
        best, second = np.argsort(world.regret)[:2]
        chance = world.preference[best, second]
        n = np.array(votes)
        wrong = binom.cdf((n - 1) // 2, n, chance) + np.where(
            n % 2 == 0, 0.5 * binom.pmf(n // 2, n, chance), 0.0
        )
        rates.append(wrong)
        regrets.append(wrong * world.regret[second])
    return np.mean(rates, axis=0), np.mean(regrets, axis=0)
