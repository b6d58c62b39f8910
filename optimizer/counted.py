"""The votes that count, as arrays, and what the preference model makes of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.cells import Cells
from optimizer.stats.model import Fit, fit
from optimizer.stats.posterior import Posterior
from optimizer.stats.priors import by_lineage
from optimizer.stats.tally import LEVELS, Tally
from optimizer.stats.trust import with_judges

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PEOPLE = -1
MOST_INPUTS = 1000  # votes spread over more of them hardly ever share one: then each is its own evidence
PEOPLE_FIRST = 10  # votes of people before a discounted judge can have earned anything


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of equal answers, or single votes in order of arrival; arrays of equal length.

    Arms, inputs and raters are numbers; ``judge`` is ``PEOPLE`` for people and a number for each judge;
    ``count`` is how many votes a row stands for; ``parents`` (k,) is the arm of each prompt's parent, -1
    for none.
    """

    first: IntArray
    second: IntArray
    level: IntArray
    input: IntArray
    rater: IntArray
    judge: IntArray
    count: FloatArray
    parents: IntArray
    discounted: bool  # judges count as far as they follow the people
    weighed: bool  # careless raters count less
    skips: int
    raters: int

    @property
    def k(self) -> int:
        return len(self.parents)

    @property
    def n(self) -> int:
        return int(self.count.sum())

    @property
    def by_judges(self) -> int:
        return int(self.count[self.judge != PEOPLE].sum())

    def until(self, row: int) -> "Counted":
        """The first rows only."""
        return self._where(np.arange(len(self.first)) < row)

    def tally(self) -> Tally:
        """Counts by ordered pair and level."""
        counts = np.zeros((self.k, self.k, LEVELS))
        np.add.at(counts, (self.first, self.second, self.level), self.count)
        return Tally(counts)

    def on_inputs(self, inputs: IntArray) -> "Counted":
        """The votes on these inputs only, which are numbered anew in ascending order."""
        kept = np.unique(inputs)
        here = self._where(np.isin(self.input, kept))
        return replace(here, input=np.searchsorted(kept, here.input))

    def model(self) -> Fit:
        """The preference model: position bias, inputs, ties or grades, lineage, and raters if asked."""
        inputs, raters = (int(ids.max(initial=0)) + 1 for ids in (self.input, self.rater))
        cells = self._cells(inputs, raters)
        cells = cells.pooled(inputs=inputs > MOST_INPUTS, raters=not self.weighed)
        return fit(cells, self._covariance(), with_reliability=self.weighed)

    def posterior(self) -> Posterior:
        """What the votes say of the strengths.

        A judge whose votes are discounted adds nothing before people voted ``PEOPLE_FIRST`` times.
        """
        if not self.discounted or self.by_judges == 0:
            return self.model().posterior
        people = self._where(self.judge == PEOPLE)
        if people.n < PEOPLE_FIRST:
            return people.model().posterior
        judges = [
            self._where(self.judge == number).tally().wins
            for number in np.unique(self.judge[self.judge >= 0])
        ]
        return with_judges(people.model().posterior, judges)

    def inputs_as_one(self) -> "Counted":
        """The same votes as if on one input: much faster to fit, and too sure where inputs differ."""
        return replace(self, input=np.zeros_like(self.input))

    def at_equal_length(self, lengths: FloatArray) -> Fit:
        """The same with the length of outputs, (inputs, k) logarithms, as a covariate: strengths are then
        those of outputs of equal length. At the widths that the plain model found, to be comparable."""
        inputs, raters = len(lengths), int(self.rater.max(initial=0)) + 1
        cells = self._cells(inputs, raters).pooled(raters=not self.weighed)
        plain = self.model()
        widths = (plain.posterior.prior_sd,), (0.0 if inputs > MOST_INPUTS else plain.input_sd,)
        return fit(
            cells,
            self._covariance(),
            lengths,
            prior_sds=widths[0],
            input_sds=widths[1],
            with_reliability=self.weighed,
        )

    def _cells(self, inputs: int, raters: int) -> Cells:
        table = zip(self.input, self.rater, self.first, self.second, self.level, self.count, strict=True)
        return Cells.from_rows(self.k, table, inputs, raters)

    def _covariance(self) -> FloatArray | None:
        return by_lineage(self.parents) if (self.parents >= 0).any() else None

    def _where(self, mask: NDArray[np.bool_]) -> "Counted":
        names = ("first", "second", "level", "input", "rater", "judge", "count")
        return replace(self, **{name: getattr(self, name)[mask] for name in names})
