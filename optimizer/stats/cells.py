"""Votes counted by what was shown: finer than a tally where inputs or raters matter."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.tally import LEVELS, Tally

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """One row per (input, rater, first arm, second arm) that was voted on; arrays of equal length n.

    ``counts`` (n, LEVELS) are answers by level, in the order of ``tally.py``. There are never more rows
    than inputs * raters * k * (k - 1), however many votes there are.
    """

    k: int
    inputs: int
    raters: int
    input: IntArray
    rater: IntArray
    first: IntArray
    second: IntArray
    counts: FloatArray

    @property
    def total(self) -> float:
        """The number of votes."""
        return float(self.counts.sum())

    @classmethod
    def from_rows(
        cls,
        k: int,
        rows: Iterable[tuple[int, int, int, int, int, float]],
        inputs: int = 1,
        raters: int = 1,
    ) -> "Cells":
        """From (input, rater, first, second, level, count) rows in any order; skips are left out."""
        table = np.array([row for row in rows if row[4] < LEVELS], dtype=float).reshape(-1, 6)
        x, r, i, j, level = table[:, :5].astype(np.int64).T
        place = ((x * raters + r) * k + i) * k + j
        return cls._from_places(k, inputs, raters, place, level, table[:, 5])

    @classmethod
    def from_tally(cls, tally: Tally) -> "Cells":
        """From counts by ordered pair: one input, one rater."""
        first, second = np.nonzero(tally.counts.sum(2))
        nought = np.zeros(first.size, dtype=np.int64)
        return cls(tally.k, 1, 1, nought, nought, first, second, tally.counts[first, second])

    def pooled(self, inputs: bool = False, raters: bool = False) -> "Cells":
        """The same votes with all inputs, or all raters, or both, taken as one."""
        n_inputs, n_raters = (1 if inputs else self.inputs), (1 if raters else self.raters)
        x = np.zeros_like(self.input) if inputs else self.input
        r = np.zeros_like(self.rater) if raters else self.rater
        place = ((x * n_raters + r) * self.k + self.first) * self.k + self.second
        order = np.argsort(place, kind="stable")
        place = place[order]
        starts = np.flatnonzero(np.r_[True, np.diff(place) > 0]) if place.size else np.zeros(0, dtype=int)
        rows = order[starts]
        counts = np.add.reduceat(self.counts[order], starts) if place.size else self.counts
        return Cells(
            self.k, n_inputs, n_raters, x[rows], r[rows], self.first[rows], self.second[rows], counts
        )

    @classmethod
    def _from_places(
        cls, k: int, inputs: int, raters: int, place: IntArray, level: IntArray, count: FloatArray
    ) -> "Cells":
        seen, row = np.unique(place, return_inverse=True)
        counts: FloatArray = np.bincount(
            row * LEVELS + level, weights=count, minlength=seen.size * LEVELS
        ).astype(np.float64)
        rest, second = np.divmod(seen, k)
        rest, first = np.divmod(rest, k)
        x, r = np.divmod(rest, raters)
        return cls(k, inputs, raters, x, r, first, second, counts.reshape(-1, LEVELS))
