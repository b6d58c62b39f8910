"""Do groups of raters prefer different prompts, or is what looks like it chance?

The test shuffles whole raters between the groups: votes of one person belong together. What is compared is
how far each group's votes for each prompt are from what one preference for all would give (residuals of the
fit to all votes), which makes it indifferent to which pairs a group happened to be asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from optimizer.domain import Prompt, PromptId, RaterId, RaterKind, Study
from optimizer.results import Results, VoteFilter
from optimizer.standings import Row, Standings
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.tally import SCORE_OF_FIRST
from optimizer.storage.base import Answered, Store

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FEWEST_RATERS, FEWEST_VOTES = 3, 20  # of a group, before anything is said of it
SHUFFLES = 2000
SURE = 0.05


@dataclass(frozen=True, slots=True)
class GroupView:
    """One group's own standings; ``enough`` votes and raters to be read at all."""

    name: str
    raters: int
    votes: int
    standings: Standings

    @property
    def enough(self) -> bool:
        return self.raters >= FEWEST_RATERS and self.votes >= FEWEST_VOTES

    @property
    def leader(self) -> Prompt:
        return self._first.prompt

    @property
    def p_best(self) -> float:
        """Of the leader."""
        return self._first.p_best

    @property
    def _first(self) -> Row:
        return next(row for row in self.standings.rows if row.prompt.retired_at is None)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """``p_value``: the chance of as much difference if all raters preferred alike; nan with too little."""

    groups: tuple[GroupView, ...]
    p_value: float

    @property
    def known(self) -> bool:
        """Were there enough groups of enough votes to test anything?"""
        return not np.isnan(self.p_value)

    @property
    def sure(self) -> bool:
        return self.known and self.p_value < SURE


class Groups:
    """Reads what groups of raters prefer. Safe to share between threads."""

    def __init__(self, store: Store, results: Results) -> None:
        self._store = store
        self._results = results

    def compare(self, study: Study, group_of: Mapping[RaterId, str]) -> Disagreement:
        """The groups beside each other, largest first. Reads all votes: not for every run of a page."""
        rows = [row for row in self._store.answered(study.id) if row.counts and row.kind is RaterKind.HUMAN]
        views = []
        for name in dict.fromkeys(group_of.values()):
            members = frozenset(rater for rater, group in group_of.items() if group == name)
            voters = {row.rater for row in rows if row.rater in members}
            if voters:
                standings = self._results.standings(study, VoteFilter(raters=members))
                views.append(GroupView(name, len(voters), standings.votes, standings))
        views.sort(key=lambda view: -view.votes)
        large = {view.name for view in views if view.enough}
        tested = [row for row in rows if group_of.get(row.rater) in large]
        p = float("nan")
        if len(large) > 1:
            arm = {prompt.id: i for i, prompt in enumerate(self._store.prompts(study.id))}
            table, raters = _table(tested, arm)
            labels = [sorted(large).index(group_of[rater]) for rater in raters]
            p = shuffle_test(table, np.array(labels), len(arm), np.random.default_rng(study.seed))
        return Disagreement(tuple(views), p)

    def single(self, study: Study, names: Mapping[RaterId, str]) -> list[GroupView]:
        """Every person's own standings, as groups of one that are called by these names."""
        found = []
        for rater in self._store.raters(study.id):
            if rater.kind is RaterKind.HUMAN and rater.set_aside_at is None:
                standings = self._results.standings(study, VoteFilter(raters=frozenset({rater.id})))
                found.append(GroupView(names[rater.id], 1, standings.votes, standings))
        return sorted(found, key=lambda view: -view.votes)


def shuffle_test(votes: FloatArray, labels: IntArray, k: int, rng: np.random.Generator) -> float:
    """The chance of as much disagreement between groups if raters were drawn alike.

    ``votes`` (n, 4) are rater, first arm, second arm and the score of the first; ``labels`` (raters,) the
    group of each. T = sum over groups g and arms i of R_gi^2 / n_gi, R the sum of residuals
    score - expit(theta_i - theta_j) of the fit to all votes, n_gi the group's votes on the arm.
    """
    rater, first, second = (votes[:, column].astype(int) for column in range(3))
    score = votes[:, 3]
    wins = np.zeros((k, k))
    np.add.at(wins, (first, second), score)
    np.add.at(wins, (second, first), 1.0 - score)
    theta = fit_by_evidence(wins).mean
    residual = score - expit(theta[first] - theta[second])
    pull, seen = np.zeros((len(labels), k)), np.zeros((len(labels), k))
    for arm, sign in ((first, 1.0), (second, -1.0)):
        np.add.at(pull, (rater, arm), sign * residual)
        np.add.at(seen, (rater, arm), 1.0)
    found = _spread(pull, seen, labels)
    shuffled = np.array([_spread(pull, seen, rng.permutation(labels)) for _ in range(SHUFFLES)])
    return float((1 + (shuffled >= found - 1e-12).sum()) / (1 + SHUFFLES))


def _spread(pull: FloatArray, seen: FloatArray, labels: IntArray) -> float:
    belongs = np.eye(int(labels.max()) + 1)[labels].T
    total, times = belongs @ pull, belongs @ seen
    return float((total**2 / np.maximum(times, 1.0)).sum())


def _table(rows: Sequence[Answered], arm: Mapping[PromptId, int]) -> tuple[FloatArray, list[RaterId]]:
    said = [row for row in rows if row.answer < len(SCORE_OF_FIRST)]
    raters = list(dict.fromkeys(row.rater for row in said))
    number = {rater: n for n, rater in enumerate(raters)}
    table = [
        (number[row.rater], arm[row.first], arm[row.second], float(SCORE_OF_FIRST[row.answer]))
        for row in said
    ]
    return np.array(table, dtype=np.float64).reshape(-1, 4), raters
