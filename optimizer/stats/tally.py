"""What the votes said, as counts: the sufficient statistics of every model in this package."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Columns of a tally: how the answer places the first arm against the second.
FIRST_CLEARLY, FIRST, FIRST_SLIGHTLY, BOTH_GOOD, BOTH_BAD, SECOND_SLIGHTLY, SECOND, SECOND_CLEARLY = range(8)
LEVELS = 8
SCORE_OF_FIRST = np.array([1.0, 1.0, 1.0, 0.5, 0.5, 0.0, 0.0, 0.0])


@dataclass(frozen=True, slots=True)
class Tally:
    """``counts[i, j, level]``: answers to duels that showed arm i first and arm j second.

    Counts are floats, so that votes may be weighted; levels are in the order of the first eight of
    ``optimizer.domain.ANSWERS`` (skips say nothing and are left out).
    """

    counts: FloatArray  # (k, k, LEVELS)

    @property
    def k(self) -> int:
        return int(self.counts.shape[0])

    @property
    def wins(self) -> FloatArray:
        """W[i, j] (k, k): wins of i over j whatever the position, ties as half a win each way."""
        first: FloatArray = self.counts @ SCORE_OF_FIRST
        second: FloatArray = self.counts @ (1.0 - SCORE_OF_FIRST)
        return first + second.T

    @property
    def ties(self) -> FloatArray:
        """T[i, j] (k, k), symmetric: ties between i and j."""
        ties: FloatArray = self.counts[:, :, BOTH_GOOD] + self.counts[:, :, BOTH_BAD]
        return ties + ties.T

    @property
    def total(self) -> float:
        return float(self.counts.sum())

    @classmethod
    def empty(cls, k: int) -> "Tally":
        return cls(np.zeros((k, k, LEVELS)))

    @classmethod
    def from_answers(cls, k: int, answers: Iterable[tuple[int, int, int, float]] | FloatArray) -> "Tally":
        """From (first arm, second arm, level, count) rows, best as an array; skips are left out."""
        table = answers if isinstance(answers, np.ndarray) else np.array(list(answers), dtype=np.float64)
        table = table.reshape(-1, 4)
        table = table[table[:, 2] < LEVELS]
        first, second, level = table[:, :3].astype(np.int64).T
        place = (first * k + second) * LEVELS + level
        counts = np.bincount(place, table[:, 3], k * k * LEVELS).astype(np.float64)
        return cls(counts.reshape(k, k, LEVELS))

    @classmethod
    def from_wins(cls, wins: FloatArray) -> "Tally":
        """From a win matrix that says nothing of positions: half of each as if shown first."""
        counts = np.zeros((*wins.shape, LEVELS))
        counts[:, :, FIRST] = wins / 2
        counts[:, :, SECOND] = wins.T / 2
        return cls(counts)
