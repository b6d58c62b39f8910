"""Newton's method for strengths that deviate from input to input: an arrow-shaped system.

Unknowns: strengths theta (k,), deviations u (X, k) of each arm on each input, and sides (S,): position biases
b, a length coefficient gamma, log reliabilities log a, and the level parameters kappa of the answer model.
The first arm's advantage in a row of cells (input x, rater r, arms i and j) is
    eta = a_r (phi_xi - phi_xj) + b_r,    phi_xi = theta_i + u_xi + gamma * length_xi,
with priors theta ~ N(0, s^2 C), u_xi ~ N(0, s_e^2), and each side ~ N(mean, sd^2). In the Hessian the
inputs meet only through theta and the sides. So each u_x is eliminated by a solve of size k, all inputs at
once, and what remains has size k + S: the cost is that of the cells plus X k^3, whatever the votes.
Without reliabilities eta is linear in the unknowns and the objective concave; with them the Hessian is
Gauss and Newton's, which leaves out the curvature of eta.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.errors import NotFitted
from optimizer.stats.likelihood import Slopes
from optimizer.stats.system import Point, System

FloatArray = NDArray[np.float64]

MAX_STEPS = 200
TOLERANCE = 1e-9  # of what a step promises to gain, in units of log probability
NEAR_ENOUGH = 1e-2  # what the last of so many steps may still promise: nothing that anybody could see
LONGEST_STEP = 5.0  # logits; longer ones are cut
ENOUGH = 0.2  # of what is promised must be gained, else the step is halved; a quadratic gains one half
SLACK = 1e-13  # of the objective, which rounding may take away


@dataclass(frozen=True, slots=True)
class Mode:
    """The highest point, the covariance there of (theta, sides), and the Laplace evidence."""

    point: Point
    slopes: Slopes | None  # of the likelihood there, for the next climb of the same system
    cov: FloatArray  # (k + S, k + S)
    log_evidence: float


@dataclass(frozen=True, slots=True)
class Step:
    """A Newton step, what it promises, and the two parts of the Hessian that it was solved with."""

    by: Point
    promise: float  # Newton's decrement, gradient' step: twice the gain of a quadratic
    outer: FloatArray  # (k + S, k + S) of theta and sides, u eliminated
    inner: FloatArray | None  # (X, k, k) of u; None when deviations are left out

    @property
    def size(self) -> float:
        """The largest change, in logits."""
        return max(float(np.abs(part).max(initial=0.0)) for part in (self.by.theta, self.by.u, self.by.sides))

    @property
    def log_det(self) -> float:
        """Of the whole Hessian."""
        outer = float(np.linalg.slogdet(self.outer)[1])
        return outer if self.inner is None else outer + float(np.linalg.slogdet(self.inner)[1].sum())


def climb(
    system: System,
    prior_sd: float,
    input_sd: float,
    start: Point,
    tolerance: float = TOLERANCE,
    slopes: Slopes | None = None,
) -> Mode:
    """The mode of the posterior by damped Newton steps; ``NotFitted`` when it is not reached.

    ``prior_sd`` is s, ``input_sd`` s_e, 0 to leave the deviations out, which ``start`` then must not have;
    ``slopes`` are those at ``start`` where they are known. The last step is the first that
    promises less than ``tolerance``; it leaves about the square of that. Next to a saddle of
    the reliabilities all steps are small; so of ``MAX_STEPS`` the last may promise up to ``NEAR_ENOUGH``.
    """
    here = start
    slopes = system.slopes(here) if slopes is None else slopes
    value = slopes.value + system.log_prior(here, prior_sd, input_sd)
    for left in range(MAX_STEPS, 0, -1):
        step = newton_step(system, prior_sd, input_sd, here, slopes)
        share = min(1.0, LONGEST_STEP / max(step.size, 1e-300))
        while True:
            there = here.moved(step.by, share)
            slopes = system.slopes(there)
            reached = slopes.value + system.log_prior(there, prior_sd, input_sd)
            if reached >= value + ENOUGH * share * step.promise - SLACK * (1.0 + abs(value)):
                break
            share /= 2.0
            if share < 1e-9:
                raise NotFitted("The strengths did not converge: no step leads uphill.")
        here, value = there, reached
        if step.promise < (tolerance if left > 1 else NEAR_ENOUGH):
            cov: FloatArray = np.linalg.inv(step.outer).astype(np.float64)
            return Mode(here, slopes, cov, value - step.log_det / 2.0)
    raise NotFitted(f"The strengths of {system.k} prompts did not converge in {MAX_STEPS} steps.")


def newton_step(system: System, prior_sd: float, input_sd: float, at: Point, slopes: Slopes) -> Step:
    """Solve the arrow-shaped system at a point, given the slopes there."""
    k, inputs, size = system.k, system.inputs, system.k + system.side_sd.size
    slope, design = system.linearised(at)
    effects = design.shape[1]
    # Mixed second derivatives in eta and each side, by row; then everything added up by (input, arm).
    mixed = np.concatenate([slopes.eta_eta[:, None] * design, slopes.eta_kappa], axis=1)
    columns = np.concatenate([slopes.eta[:, None], mixed], axis=1)
    by_arm = system.totals @ (slope[:, None] * columns)
    uphill, cross = by_arm[:, 0].reshape(inputs, k), by_arm[:, 1:].reshape(inputs, k, -1)
    weight = np.bincount(system.pair, slopes.eta_eta * slope**2, inputs * k * k).reshape(inputs, k, k)
    weight = weight + weight.transpose(0, 2, 1)
    laplacian: FloatArray = -weight.astype(np.float64)
    laplacian[:, np.arange(k), np.arange(k)] += weight.sum(2)

    outer = np.zeros((size, size))
    outer[:k, :k] = laplacian.sum(0) + system.precision / prior_sd**2
    outer[:k, k:] = cross.sum(0)
    outer[k:, :k] = outer[:k, k:].T
    sides = outer[k:, k:]
    sides[:effects] = design.T @ mixed
    sides[effects:, :effects] = sides[:effects, effects:].T
    sides[effects:, effects:] = slopes.kappa_kappa
    sides.flat[:: sides.shape[0] + 1] += system.side_sd**-2.0
    gradient = np.concatenate([uphill.sum(0), design.T @ slopes.eta, slopes.kappa])
    gradient[:k] -= system.precision @ at.theta / prior_sd**2
    gradient[k:] -= (at.sides - system.side_mean) / system.side_sd**2
    if input_sd == 0.0:
        by = np.linalg.solve(outer, gradient)
        return Step(Point(by[:k], np.zeros_like(at.u), by[k:]), float(by @ gradient), outer, None)

    inner = laplacian
    coupling = np.concatenate([laplacian, cross], axis=2)  # (X, k, k + S)
    inner[:, np.arange(k), np.arange(k)] += input_sd**-2.0
    inner_gradient = uphill - at.u / input_sd**2
    solved = np.linalg.solve(inner, np.concatenate([coupling, inner_gradient[:, :, None]], axis=2))
    pulled = coupling.reshape(inputs * k, -1).T @ solved.reshape(inputs * k, -1)
    outer = outer - pulled[:, :-1]
    by = np.linalg.solve(outer, gradient - pulled[:, -1])
    u = solved[:, :, -1] - solved[:, :, :-1] @ by
    promise = float(by @ gradient) + float(np.vdot(u, inner_gradient))
    return Step(Point(by[:k], u, by[k:]), promise, outer, inner)
