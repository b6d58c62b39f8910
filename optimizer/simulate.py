"""Simulation: selectors meet raters whose preferences are known, many times, and are judged.

Every selector meets the same worlds: run r of a simulation draws its world from a seed of its own,
whatever the number of processes and whichever selectors take part.
"""

import math
import multiprocessing
import os
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import BadInput
from optimizer.selectors import SELECTORS, Need
from optimizer.simulation.run import Course, Terms, play
from optimizer.simulation.worlds import (
    Manner,
    Setting,
    World,
    differ,
    draw,
    from_accuracies,
    from_matrix,
    from_strengths,
    with_grades,
)

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scene:
    """Where worlds come from: a name of ``worlds.DRAWN``, a matrix P, or accuracies of prompts.

    With ``accuracies`` each run takes ``setting.arms`` of the prompts at random, all if there are fewer.
    """

    name: str
    setting: Setting
    matrix: FloatArray | None = None
    accuracies: FloatArray | None = None
    vote_noise: str = "mid"
    manner: Manner | None = None  # how the raters of a drawn Bradley-Terry world answer, whatever its name

    def __post_init__(self) -> None:
        if self.accuracies is not None and not differ(self.accuracies):
            raise BadInput("All prompts have the same accuracy; nothing can be found.")

    @property
    def arms(self) -> int:
        """How many arms its worlds have."""
        if self.matrix is not None:
            return len(self.matrix)
        if self.accuracies is not None:
            return min(self.setting.arms, len(self.accuracies))
        return self.setting.arms

    def draw(self, rng: np.random.Generator) -> World:
        """The world of one run."""
        if self.manner is not None:
            return from_strengths(rng.normal(0.0, self.setting.spread, self.setting.arms), self.manner)
        if self.matrix is None and self.accuracies is None:
            return draw(self.name, self.setting, rng)
        if self.matrix is not None:
            world = from_matrix(self.matrix).shuffled(rng)
        else:
            world = from_accuracies(self._some_accuracies(rng), self.vote_noise)
        return with_grades(world) if self.setting.graded else world

    def _some_accuracies(self, rng: np.random.Generator) -> FloatArray:
        assert self.accuracies is not None
        while True:  # again if all of the chosen are equal: then there is nothing to find
            chosen: FloatArray = rng.choice(self.accuracies, self.arms, replace=False)
            if differ(chosen):
                return chosen


@dataclass(frozen=True, slots=True)
class Stopped:
    """Of the runs: the share that stopped, the share of those that were right, and their votes."""

    rate: float
    correct: float | None
    median_votes: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """One selector's results over all runs; arrays by checkpoint, means with standard errors."""

    selector: str
    votes: tuple[int, ...]
    p_best_found: FloatArray
    simple_regret: FloatArray
    simple_regret_se: FloatArray
    weak_regret: FloatArray
    strong_regret: FloatArray
    seconds_per_ask: float
    stopped: Stopped | None


def simulate(
    scene: Scene,
    selectors: Sequence[str],
    terms: Terms,
    runs: int,
    seed: int,
    processes: int = 1,
    tick: Callable[[int], None] = lambda done: None,
    most_at_once: int = 10,
) -> list[Result]:
    """Play ``runs`` runs of each selector; ``tick`` is told how many more runs are done, after every
    ``most_at_once`` at the latest, and may raise to end it all.

    A selector that needs a budget plans for it, so it plays each checkpoint as a budget of its own. One that
    is named twice plays once: the same runs again would tell nothing new.
    """
    selectors = tuple(dict.fromkeys(selectors))
    jobs = [(name, span) for name in selectors for span in _spans(name, terms)]
    chunk = max(1, min(most_at_once, math.ceil(runs / (4 * processes))))
    starts = range(0, runs, chunk)
    pieces = [(name, span, range(start, min(start + chunk, runs))) for name, span in jobs for start in starts]
    courses: dict[tuple[str, Terms], list[Course]] = {job: [] for job in jobs}
    worker = partial(_play_piece, scene, seed)
    with closing(_spread(worker, pieces, processes)) as spread:
        for (name, span, piece), played in zip(pieces, spread, strict=True):
            courses[name, span] += played
            tick(len(piece))
    return [
        _joined([_result(name, span, courses[name, span]) for span in _spans(name, terms)])
        for name in selectors
    ]


def passes(selectors: Sequence[str], terms: Terms) -> int:
    """How often each run is played in all, for a progress bar."""
    return sum(len(_spans(name, terms)) for name in dict.fromkeys(selectors))


Piece = tuple[str, Terms, range]


def _spread(
    worker: Callable[[Piece], list[Course]], pieces: list[Piece], processes: int
) -> Generator[list[Course], None, None]:
    if processes == 1:
        yield from map(worker, pieces)
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read by the children; matrices are small
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        try:
            yield from pool.map(worker, pieces)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # nothing is left, or nobody wants it any more


def _play_piece(scene: Scene, seed: int, piece: Piece) -> list[Course]:
    name, terms, runs = piece
    courses = []
    for run in runs:
        for_world, for_play = np.random.SeedSequence([seed, run]).spawn(2)
        world = scene.draw(np.random.default_rng(for_world))
        courses.append(play(world, SELECTORS[name], terms, for_play))
    return courses


def _spans(name: str, terms: Terms) -> list[Terms]:
    if Need.BUDGET not in SELECTORS[name].needs:
        return [terms]
    return [replace(terms, votes=(votes,)) for votes in terms.votes]


def _result(name: str, terms: Terms, courses: list[Course]) -> Result:
    simple = np.array([course.simple_regret for course in courses])
    runs = len(courses)
    error = simple.std(0, ddof=1) / math.sqrt(runs) if runs > 1 else np.full(simple.shape[1], np.nan)
    stops = [course for course in courses if course.stopped_at is not None]
    stopped = None
    if terms.stop_at is not None:
        stopped = Stopped(
            len(stops) / runs,
            sum(course.stopped_right for course in stops) / len(stops) if stops else None,
            median(course.stopped_at or 0 for course in stops) if stops else None,
        )
    return Result(
        name,
        terms.votes,
        np.mean([course.found for course in courses], axis=0),
        simple.mean(0),
        error,
        np.mean([course.weak_regret for course in courses], axis=0),
        np.mean([course.strong_regret for course in courses], axis=0),
        sum(course.ask_seconds for course in courses) / max(1, sum(course.asks for course in courses)),
        stopped,
    )


def _joined(results: list[Result]) -> Result:
    """Results of separate budgets side by side; speed and stopping are those of the longest."""
    longest = results[-1]
    if len(results) == 1:
        return longest

    def side_by_side(arrays: Iterable[FloatArray]) -> FloatArray:
        return np.concatenate(list(arrays))

    return Result(
        longest.selector,
        tuple(votes for result in results for votes in result.votes),
        side_by_side(result.p_best_found for result in results),
        side_by_side(result.simple_regret for result in results),
        side_by_side(result.simple_regret_se for result in results),
        side_by_side(result.weak_regret for result in results),
        side_by_side(result.strong_regret for result in results),
        longest.seconds_per_ask,
        longest.stopped,
    )
