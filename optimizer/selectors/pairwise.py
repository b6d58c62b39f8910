"""What is believed of each pair by itself: no strengths, no sharing between pairs."""

import numpy as np

from optimizer.selectors.base import FloatArray


def confidence_bounds(wins: FloatArray, width: float) -> tuple[FloatArray, FloatArray]:
    """(k, k) upper and lower bounds on P(i beats j), of radius sqrt(width log t / N_ij)."""
    met = wins + wins.T
    votes = max(float(met.sum()) / 2.0, 1.0)
    known = met > 0
    safe = np.where(known, met, 1.0)
    radius = np.sqrt(width * np.log(votes) / safe)
    upper = np.where(known, wins / safe + radius, 1.0)
    lower = np.where(known, wins / safe - radius, 0.0)
    np.fill_diagonal(upper, 0.5)
    np.fill_diagonal(lower, 0.5)
    return upper, lower


def drawn_matrix(wins: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(k, k) one draw of the preference matrix from independent Beta posteriors, P + P' = 1."""
    upper = np.triu(rng.beta(wins + 1.0, wins.T + 1.0), 1)
    drawn: FloatArray = upper + np.tril(1.0 - upper.T, -1)
    np.fill_diagonal(drawn, 0.5)
    return drawn
