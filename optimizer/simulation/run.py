"""One run: a selector asks, simulated raters answer, and the record is judged at each checkpoint."""

import time
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from optimizer.selectors.auto import prior_covariances
from optimizer.selectors.base import IntArray, Need, Record, Selector, blank_record
from optimizer.simulation.raters import answer, draw_crowd
from optimizer.simulation.worlds import World
from optimizer.stats.cells import Cells
from optimizer.stats.cycles import check_cycles
from optimizer.stats.model import fit
from optimizer.stats.pair_effects import choose_pair_effects
from optimizer.stats.posterior import Posterior
from optimizer.stats.priors import by_similarity
from optimizer.stats.stopping import AdviceKind, advise
from optimizer.stats.tally import SCORE_OF_FIRST, Tally

FloatArray = NDArray[np.float64]

SHARPER = 1.5  # ratio of z-scores, graded votes against plain ones


class Recommend(StrEnum):
    """Whose word the recommendation is: the model's, or the selector's own where it has one."""

    POSTERIOR = "posterior"
    OWN = "own"


class ReadOut(StrEnum):
    """The model that recommends: strengths with pair effects, or the full one (position, inputs, answers).

    In a circle the standings of a study go by the first, whatever else they know.
    """

    PAIRS = "pairs"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same in every run of a simulation."""

    votes: tuple[int, ...]  # checkpoints, ascending
    recommend: Recommend = Recommend.POSTERIOR
    read_out: ReadOut = ReadOut.PAIRS
    stop_at: float | None = None  # confidence at which a run would stop; looks after every vote
    in_flight: int = 1  # duels open at a time, answered in the order of asking
    audit_share: float = 0.0  # of duels drawn uniformly over pairs, whatever the selector


@dataclass(frozen=True, slots=True)
class Course:
    """What came of one run; arrays by checkpoint."""

    found: FloatArray  # 1 where the recommended arm costs nothing
    simple_regret: FloatArray
    weak_regret: FloatArray  # cumulative
    strong_regret: FloatArray  # cumulative
    ask_seconds: float
    asks: int
    stopped_at: int | None  # votes
    stopped_right: bool


@dataclass(slots=True)
class _Ledger:
    """The votes of a run so far."""

    record: Record
    rows: dict[tuple[int, int, int, int, int], float]  # (input, rater, first, second, level) -> votes
    inputs: int
    raters: int

    def add(self, first: int, second: int, input_: int, rater: int, level: int, vote: int) -> None:
        self.record.tally.counts[first, second, level] += 1.0
        key = (input_, rater, first, second, level)
        self.rows[key] = self.rows.get(key, 0.0) + 1.0

    def cells(self) -> Cells:
        rows = ((*place, count) for place, count in self.rows.items())
        return Cells.from_rows(self.record.k, rows, self.inputs, self.raters)


def play(world: World, selector: Selector, terms: Terms, seed: np.random.SeedSequence) -> Course:
    """Play one run to the last checkpoint. The same seed gives the same course."""
    for_votes, for_asks = (np.random.default_rng(child) for child in seed.spawn(2))
    crowd = draw_crowd(world, for_votes)
    last_vote = terms.votes[-1]
    manner = world.manner
    ledger = _Ledger(_first_record(world, last_vote), {}, max(manner.inputs, 1), manner.raters)
    history = np.zeros((last_vote, 3))
    open_duels: deque[tuple[int, int]] = deque()
    pending = np.zeros((world.k, world.k), dtype=np.int64)
    visits = np.zeros((world.k, world.k), dtype=np.int64)
    lack = world.duel_regret()
    weak = strong = seconds = 0.0
    asked = votes = 0
    last: tuple[int, int] | None = None
    stopped: tuple[int, bool] | None = None
    found, simple, weaks, strongs = [], [], [], []
    while votes < last_vote:
        while len(open_duels) < terms.in_flight and asked < last_vote:
            record = _record(ledger.record, pending, asked, last, history[:votes], selector)
            if terms.audit_share > 0.0 and for_asks.random() < terms.audit_share:
                pair = _uniform_pair(record, for_asks)
            else:
                begun = time.perf_counter()
                chosen = selector.ask(record, for_asks)
                seconds += time.perf_counter() - begun
                pair = (chosen.first, chosen.second)
            asked += 1
            last = pair
            open_duels.append(pair)
            pending[pair] += 1
            pending[pair[::-1]] += 1
        pair = open_duels.popleft()
        pending[pair] -= 1
        pending[pair[::-1]] -= 1
        first, second = pair if for_votes.random() < 0.5 else pair[::-1]
        # Each pair goes through the inputs in turn, from a place of its own.
        input_ = int(visits[min(pair), max(pair)] + 7 * min(pair) + max(pair)) % ledger.inputs
        visits[min(pair), max(pair)] += 1
        now = world.at(votes)
        level = answer(now, crowd, first, second, input_, votes % ledger.raters, for_votes)
        ledger.add(first, second, input_, votes % ledger.raters, level, votes)
        history[votes] = first, second, SCORE_OF_FIRST[level]
        if world.drifts is not None:
            lack = now.duel_regret()
        weak += float(min(lack[first], lack[second]))
        strong += float(lack[first] + lack[second]) / 2.0
        votes += 1
        if terms.stop_at is not None and stopped is None:
            stopped = _look(ledger, world.at(votes), terms, votes, for_asks)
        if votes in terms.votes:
            record = _record(ledger.record, pending, asked, last, history[:votes], selector)
            regret = world.at(votes).regret[_recommended(selector, record, ledger, terms)]
            found.append(float(regret <= 0.0))
            simple.append(float(regret))
            weaks.append(weak)
            strongs.append(strong)
    return Course(
        np.array(found),
        np.array(simple),
        np.array(weaks),
        np.array(strongs),
        seconds,
        asked,
        None if stopped is None else stopped[0],
        stopped is not None and stopped[1],
    )


def believed_strengths(ledger_cells: Cells, record: Record, read_out: ReadOut) -> tuple[Posterior, int]:
    """The posterior and the recommended arm of a read-out."""
    if read_out is ReadOut.FULL:
        covariance = None if record.features is None else by_similarity(record.features)
        posterior = fit(ledger_cells, covariance, with_reliability=ledger_cells.raters > 1).posterior
        return posterior, posterior.leader
    pairs = choose_pair_effects(record.tally, prior_covariances(record))
    return pairs.strengths, pairs.leader


def _first_record(world: World, budget: int) -> Record:
    # A copy, so that no selector can reach into the world.
    features = None if world.features is None else world.features.copy()
    return blank_record(world.k, budget=budget, features=features)


def _record(
    blank: Record,
    pending: IntArray,
    asked: int,
    last: tuple[int, int] | None,
    history: FloatArray,
    selector: Selector,
) -> Record:
    return Record(
        tally=Tally(blank.tally.counts),
        playable=blank.playable,
        pending=pending,
        asked=asked,
        last=last,
        budget=blank.budget,
        features=blank.features,
        history=history if Need.HISTORY in selector.needs else None,
    )


def _uniform_pair(record: Record, rng: np.random.Generator) -> tuple[int, int]:
    first, second = rng.choice(record.k, size=2, replace=False)
    return int(first), int(second)


def _recommended(selector: Selector, record: Record, ledger: _Ledger, terms: Terms) -> int:
    own = getattr(selector, "recommend", None)
    if terms.recommend is Recommend.OWN and own is not None:
        return int(own(record))
    return believed_strengths(ledger.cells(), record, terms.read_out)[1]


def _look(
    ledger: _Ledger, world: World, terms: Terms, votes: int, rng: np.random.Generator
) -> tuple[int, bool] | None:
    """Would this run stop now, and is its leader right?"""
    assert terms.stop_at is not None
    record = ledger.record
    pairs = choose_pair_effects(record.tally, prior_covariances(record))
    if pairs.pair_sd == 0.0 and not _may_stop(pairs.strengths, terms.stop_at):
        return None
    posterior = pairs.strengths
    if terms.read_out is ReadOut.FULL:
        posterior = believed_strengths(ledger.cells(), record, terms.read_out)[0]
    advice = advise(posterior, votes, rng, terms.stop_at, forecast=False)
    if advice.kind is AdviceKind.STOP or pairs.pair_sd > 0.0:  # the look for circles takes longest
        cycles = check_cycles(record.wins, rng)
        advice = advise(posterior, votes, rng, terms.stop_at, cycles=cycles, forecast=False)
    if advice.kind is not AdviceKind.STOP:
        return None
    return votes, bool(world.regret[advice.leader] <= 0.0)


def _may_stop(posterior: Posterior, confidence: float) -> bool:
    """A quick look that spares most fits and draws.

    P(best) is at most the chance against any single arm, and no other model tells two arms apart
    more than ``SHARPER`` times as sharply as wins do.
    """
    leader, cov = posterior.leader, posterior.cov
    variance = np.diag(cov) + cov[leader, leader] - 2.0 * cov[leader]
    z = (posterior.mean[leader] - posterior.mean) / np.sqrt(np.maximum(variance, 1e-300))
    z[leader] = np.inf
    return bool(ndtr(SHARPER * z.min()) >= confidence)
