"""The data of a fit laid out for Newton's method: everything that does not change with the prior widths."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from optimizer.stats.cells import Cells
from optimizer.stats.likelihood import KAPPA_SD, Likelihood, Slopes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Point:
    """Values of the unknowns of ``newton.py``."""

    theta: FloatArray  # (k,)
    u: FloatArray  # (X, k)
    sides: FloatArray  # (S,) biases, length coefficient, log reliabilities c, kappa; each may be absent

    def moved(self, by: "Point", share: float) -> "Point":
        """This point and a share of a step."""
        return Point(self.theta + share * by.theta, self.u + share * by.u, self.sides + share * by.sides)


@dataclass(frozen=True, slots=True)
class Widths:
    """Prior standard deviations of the sides; 0 leaves the side out."""

    bias: float = 0.3  # logits
    length: float = 1.0  # logits per unit of log length; left out by giving no lengths
    reliability: float = 0.0  # of log a_r, but for the average


@dataclass(frozen=True, slots=True)
class System:
    """Cells and priors as arrays. Side parameters are laid out as in ``Point``.

    The average of a_r over all votes is held at 1, a_r = e^c_r / sum_q share_q e^c_q: strengths are those
    that the average rater follows. Free, all slopes would grow together while strengths and deviations,
    which are many, shrink to their prior means.
    """

    likelihood: Likelihood
    k: int
    inputs: int
    raters: int
    rater: IntArray  # (n,)
    differences: csr_array  # (n, X k): +1 at the first arm, -1 at the second
    totals: csr_array  # (X k, n), its transpose
    pair: IntArray  # (n,) flat index of (input, first, second)
    by_rater: FloatArray  # (n, R) one-hot
    share: FloatArray  # (R,) of all votes
    length_gap: FloatArray  # (n, 0 or 1)
    with_bias: bool
    with_reliability: bool
    side_mean: FloatArray  # (S,) of the priors
    side_sd: FloatArray  # (S,)
    precision: FloatArray  # (k, k) inverse of C
    log_det: float  # of precision

    @classmethod
    def build(
        cls,
        cells: Cells,
        likelihood: Likelihood,
        widths: Widths,
        covariance: FloatArray | None,
        lengths: FloatArray | None,
    ) -> "System":
        """Lay out cells; ``covariance`` (k, k) is C, the identity by default, ``lengths`` are (X, k)."""
        n, k, raters = cells.first.size, cells.k, cells.raters
        first, second = cells.input * k + cells.first, cells.input * k + cells.second
        ends = np.stack([first, second], axis=1).ravel()
        signs = np.tile([1.0, -1.0], n)
        differences = csr_array((signs, ends, np.arange(0, 2 * n + 1, 2)), shape=(n, cells.inputs * k))
        length_gap = np.zeros((n, 0)) if lengths is None else (differences @ lengths.ravel())[:, None]
        precision: FloatArray = np.eye(k)
        log_det = 0.0
        if covariance is not None:
            unit = covariance + 1e-6 * np.eye(k)  # near-duplicates would make it singular
            precision = np.linalg.inv(unit).astype(np.float64)
            log_det = -float(np.linalg.slogdet(unit)[1])
        biases = raters if widths.bias > 0.0 else 0
        reliabilities = raters if widths.reliability > 0.0 else 0
        counts = [biases, length_gap.shape[1], reliabilities]
        sds = np.repeat([widths.bias, widths.length, widths.reliability], counts)
        return cls(
            likelihood=likelihood,
            k=k,
            inputs=cells.inputs,
            raters=raters,
            rater=cells.rater,
            differences=differences,
            totals=differences.T.tocsr(),
            pair=first * k + cells.second,
            by_rater=np.eye(raters)[cells.rater],
            share=np.bincount(cells.rater, cells.counts.sum(1), raters) / max(cells.total, 1e-300),
            length_gap=length_gap,
            with_bias=widths.bias > 0.0,
            with_reliability=widths.reliability > 0.0,
            side_mean=np.concatenate([np.zeros(sds.size), likelihood.start]),
            side_sd=np.concatenate([sds, np.full(likelihood.start.size, KAPPA_SD)]),
            precision=precision,
            log_det=log_det,
        )

    @property
    def q(self) -> int:
        """The number of level parameters, which come last among the sides."""
        return int(self.likelihood.start.size)

    @property
    def origin(self) -> Point:
        """The mean of the prior."""
        return Point(np.zeros(self.k), np.zeros((self.inputs, self.k)), self.side_mean)

    def split(self, sides: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Biases, length coefficient, log reliabilities and kappa; those left out are empty."""
        biases = self.raters if self.with_bias else 0
        lengths = biases + self.length_gap.shape[1]
        reliabilities = lengths + (self.raters if self.with_reliability else 0)
        return sides[:biases], sides[biases:lengths], sides[lengths:reliabilities], sides[reliabilities:]

    def gaps(self, at: Point) -> FloatArray:
        """(n,) phi_xi - phi_xj."""
        gaps: FloatArray = self.differences @ (at.theta + at.u).ravel()
        return gaps + self.length_gap @ self.split(at.sides)[1]

    def reliability(self, at: Point) -> FloatArray:
        """(R,) a_r, on average over the votes 1; ones when left out."""
        if not self.with_reliability:
            return np.ones(self.raters)
        raw = np.exp(self.split(at.sides)[2])
        slopes: FloatArray = raw / (self.share @ raw)
        return slopes

    def slopes(self, at: Point) -> Slopes:
        """The log likelihood and its derivatives by row."""
        biases, _, _, kappa = self.split(at.sides)
        eta = self.reliability(at)[self.rater] * self.gaps(at)
        if self.with_bias:
            eta = eta + biases[self.rater]
        return self.likelihood.slopes(eta, kappa)

    def linearised(self, at: Point) -> tuple[FloatArray, FloatArray]:
        """(n,) d eta / d (phi_xi - phi_xj), which is a_r, and (n, S - q) d eta / d sides without kappa."""
        reliability = self.reliability(at)
        slope = reliability[self.rater]
        parts = [slope[:, None] * self.length_gap]
        if self.with_bias:
            parts.insert(0, self.by_rater)
        if self.with_reliability:
            parts.append((slope * self.gaps(at))[:, None] * (self.by_rater - self.share * reliability))
        return slope, np.concatenate(parts, axis=1)

    def log_prior(self, at: Point, prior_sd: float, input_sd: float) -> float:
        """The log density of the prior but for powers of 2 pi, which cancel in the evidence."""
        value = -float(at.theta @ self.precision @ at.theta) / (2.0 * prior_sd**2)
        value += self.log_det / 2.0 - self.k * np.log(prior_sd)
        value -= float((((at.sides - self.side_mean) / self.side_sd) ** 2).sum()) / 2.0
        value -= float(np.log(self.side_sd).sum())
        if input_sd > 0.0:
            value -= float((at.u**2).sum()) / (2.0 * input_sd**2) + at.u.size * float(np.log(input_sd))
        return float(value)
