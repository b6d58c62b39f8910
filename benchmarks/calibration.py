"""Does the advice keep its promise? Simulated studies with a look after every vote, in many worlds.

    nice python -m benchmarks.calibration [--arms 5] [--votes 150] [--runs 100] [--minutes 8] [--worlds btl]

For each world and for two models, the plain one (strengths from the win matrix) and the full one (position,
inputs, ties, grades, raters):
  stop      share of the runs in which the advice was ever to stop; of those, how many were right, with 2
            standard errors of 95 %; and after how many votes, in the middle
  equal     the same for "practically equal": right when nobody is better by more than the margin
  circle    share of the runs in which a circle was reported
and, over all arms and checkpoints: how often 90 % intervals hold the true strength, how far P(best) is off in
its reliability diagram (ten bins, on average over cases, and the largest gap of a bin beyond two standard
errors), the mean squared error of strengths, the mean regret.
"""

import argparse
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # matrices are small, and both processes have one core

import numpy as np
from scipy.special import expit, ndtr

from optimizer.selectors import SELECTORS
from optimizer.selectors.base import Record
from optimizer.simulation.raters import answer, draw_crowd
from optimizer.simulation.worlds import DRAWN, Setting, World
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.cells import Cells
from optimizer.stats.cycles import check_cycles
from optimizer.stats.model import fit
from optimizer.stats.posterior import Posterior
from optimizer.stats.readouts import p_best, strengths
from optimizer.stats.stopping import AdviceKind, advise
from optimizer.stats.tally import LEVELS, Tally

WORLDS = ("btl", "lapses", "biased", "ties", "inputs", "graded", "raters", "cyclic")
MODELS = ("plain", "full")
CONFIDENCE, MARGIN, LEVEL = 0.95, 0.05, 0.90
CHECKPOINTS = (20, 50, 100, 150, 200, 300)
CYCLE_EVERY = 10  # votes between looks for circles, which take longer
DRAWS = 1000
SHARPER = 1.6  # no full model tells two arms apart that many times as well as wins do


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One model at one checkpoint; arrays by arm."""

    model: str
    votes: int
    chance: np.ndarray  # P(best)
    is_best: np.ndarray
    held: np.ndarray  # does the interval hold the true strength?
    error: float  # mean squared error of strengths
    regret: float  # of the leader, logits


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one study, by model: (votes, right) of the first stop and the first "equal"."""

    stops: dict[str, tuple[int, bool]]
    equals: dict[str, tuple[int, bool]]
    cycle_at: int | None
    snapshots: list[Snapshot]


def play(name: str, arms: int, votes: int, seed: int) -> Run:
    """One study of the world, asked by ``auto``."""
    rng = np.random.default_rng([seed, arms])
    world = DRAWN[name](Setting(arms, 1.0, votes), rng)
    crowd, manner, selector = draw_crowd(world, rng), world.manner, SELECTORS["auto"]
    inputs, record = max(manner.inputs, 1), _empty(arms)
    cube = np.zeros((inputs, manner.raters, arms, arms, LEVELS))
    stops: dict[str, tuple[int, bool]] = {}
    equals: dict[str, tuple[int, bool]] = {}
    snapshots: list[Snapshot] = []
    cycle_at = None
    cycles = None
    for vote in range(1, votes + 1):
        pair = selector.ask(record, rng)
        first, second = (pair.first, pair.second) if rng.random() < 0.5 else (pair.second, pair.first)
        x, rater = int(rng.integers(inputs)), int(rng.integers(manner.raters))
        level = answer(world, crowd, first, second, x, rater, rng)
        cube[x, rater, first, second, level] += 1
        record = _after(record, (first, second), level, vote)
        if vote % CYCLE_EVERY == 0:
            cycles = check_cycles(record.wins, rng, MARGIN)
            cycle_at = vote if cycle_at is None and cycles.p_cycle >= CONFIDENCE else cycle_at
        plain = fit_by_evidence(record.wins)
        circle = cycles is not None and cycles.likely
        look = len(stops) < len(MODELS) and (circle or _may_stop(plain))
        if not look and vote not in CHECKPOINTS:
            continue
        for model, posterior in (("plain", plain), ("full", _full(cube))):
            draws = posterior.draws(DRAWS, rng)
            if vote in CHECKPOINTS:
                snapshots.append(_snapshot(model, vote, posterior, draws, world))
            if model not in stops:
                said = advise(posterior, vote, rng, CONFIDENCE, MARGIN, cycles, draws=draws, forecast=False)
                regret = world.regret[said.leader]
                if said.kind is AdviceKind.STOP:
                    stops[model] = vote, bool(regret <= 0.0)
                elif said.kind is AdviceKind.PRACTICALLY_EQUAL and model not in equals:
                    equals[model] = vote, bool(_lost(world, regret) <= MARGIN)
    return Run(stops, equals, cycle_at, snapshots)


def _empty(arms: int) -> Record:
    playable = ~np.eye(arms, dtype=bool)
    return Record(Tally.empty(arms), playable, np.zeros((arms, arms), dtype=np.int64))


def _after(record: Record, pair: tuple[int, int], level: int, votes: int) -> Record:
    counts = record.tally.counts
    counts[pair[0], pair[1], level] += 1
    return Record(Tally(counts), record.playable, record.pending, asked=votes, last=pair)


def _full(cube: np.ndarray) -> Posterior:
    inputs, raters, arms = cube.shape[:3]
    x, rater, first, second = np.nonzero(cube.sum(-1))
    cells = Cells(arms, inputs, raters, x, rater, first, second, cube[x, rater, first, second])
    return fit(cells, with_reliability=raters > 1).posterior


def _may_stop(posterior: Posterior) -> bool:
    """A bound that spares most fits: P(best), or near best, is at most that against any one arm."""
    leader, cov = posterior.leader, posterior.cov
    sd = np.sqrt(np.maximum(np.diag(cov) + cov[leader, leader] - 2.0 * cov[leader], 1e-300))
    z = (posterior.mean[leader] - posterior.mean + 4.0 * MARGIN) / sd
    z[leader] = np.inf
    return bool(ndtr(SHARPER * z.min()) >= CONFIDENCE)


def _lost(world: World, regret: float) -> float:
    """Regret in win probability; worlds of strengths give it in logits."""
    return float(expit(regret)) - 0.5 if "logits" in world.unit else float(regret)


def _snapshot(model: str, votes: int, posterior: Posterior, draws: np.ndarray, world: World) -> Snapshot:
    truth = world.gap.mean(1)  # the centred strengths where the world has strengths
    interval = strengths(posterior, LEVEL)
    return Snapshot(
        model,
        votes,
        p_best(draws),
        np.arange(world.k) == world.best,
        (interval.low <= truth) & (truth <= interval.high),
        float(((posterior.mean - truth) ** 2).mean()),
        float(world.regret[posterior.leader]),
    )


def _timed(job: tuple[str, int, int, int, float]) -> Run | None:
    name, arms, votes, seed, deadline = job
    return None if time.time() > deadline else play(name, arms, votes, seed)


def report(name: str, runs: list[Run]) -> Iterator[str]:
    """The lines of one world."""
    circles = np.mean([run.cycle_at is not None for run in runs])
    yield f"{name}: {len(runs)} runs, circle reported in {circles:.2f}"
    for model in MODELS:
        shots = [shot for run in runs for shot in run.snapshots if shot.model == model]
        yield (
            f"  {model:5}  stop {_promise([r.stops.get(model) for r in runs])}"
            f"   equal {_promise([r.equals.get(model) for r in runs])}"
            f"   cover {np.mean([shot.held for shot in shots]):.3f}"
            f"   P(best) off by {_reliability(shots)}"
            f"   mse {np.mean([shot.error for shot in shots]):.4f}"
            f"   regret {np.mean([shot.regret for shot in shots]):.4f}"
        )


def _promise(outcomes: list[tuple[int, bool] | None]) -> str:
    said = [outcome for outcome in outcomes if outcome is not None]
    if not said:
        return " none           "
    margin = 2.0 * np.sqrt(CONFIDENCE * (1.0 - CONFIDENCE) / len(said))
    share, right = len(said) / len(outcomes), np.mean([ok for _, ok in said])
    return f"{share:.2f} right {right:.3f} +-{margin:.3f} at {np.median([votes for votes, _ in said]):4.0f}"


def _reliability(shots: list[Snapshot]) -> str:
    """How far what P(best) says is from what is so: the mean over cases, and the largest sure gap of a bin.

    The largest gap of ten bins would mostly tell which bin has the fewest cases.
    """
    said, so = np.concatenate([s.chance for s in shots]), np.concatenate([s.is_best for s in shots])
    bins = np.minimum((said * 10).astype(int), 9)
    mean, sure = 0.0, 0.0
    for place in np.unique(bins):
        here = bins == place
        gap, share = abs(said[here].mean() - so[here].mean()), here.mean()
        error = np.sqrt(said[here].mean() * (1.0 - said[here].mean()) / here.sum())
        mean += share * gap
        sure = max(sure, gap - 2.0 * error)
    return f"{mean:.3f}, surely {sure:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--arms", type=int, default=5)
    parser.add_argument("--votes", type=int, default=150)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=8.0, help="no run is begun after this time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=WORLDS)
    given = parser.parse_args()
    begun = time.time()
    with Pool(2) as pool:
        for place, name in enumerate(given.worlds, 1):
            deadline = begun + 60.0 * given.minutes * place / len(given.worlds)
            jobs = [
                (name, given.arms, given.votes, given.seed * 100_000 + run, deadline)
                for run in range(given.runs)
            ]
            runs = [run for run in pool.imap_unordered(_timed, jobs, chunksize=2) if run is not None]
            print("\n".join(report(name, runs)) if runs else f"{name}: no time", flush=True)
    print(f"{time.time() - begun:.0f} s")


if __name__ == "__main__":
    main()
