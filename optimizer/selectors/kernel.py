"""How alike the arms are, as a prior covariance: one view of linear, one-hot and Gaussian-process models.

A linear model theta = X w, w ~ N(0, I), is the same as theta ~ N(0, X X'); without features the arms are
one-hot rows, X X' = I. So rules written for d features run on k x k matrices, whatever d is.
"""

import numpy as np

from optimizer.selectors.base import FloatArray


def scaled(kernel: FloatArray) -> FloatArray:
    """``kernel`` (k, k) stretched so that two arms' strengths differ by a variance of 2 on average.

    That is what independent arms of unit variance have, so one prior width means the same for both.
    Where all arms are alike there is nothing to stretch, and they count as independent.
    """
    k = kernel.shape[0]
    variance = np.diag(kernel)
    differing = (variance[:, None] + variance[None, :] - 2.0 * kernel).sum() / max(k * (k - 1), 1)
    if differing < 1e-9:
        return np.eye(k)
    stretched: FloatArray = kernel * (2.0 / differing)
    return stretched


def linear(features: FloatArray | None, k: int) -> FloatArray:
    """(k, k) prior covariance of strengths linear in the features; of k independent arms if none."""
    if features is None:
        return np.eye(k)
    centred = features - features.mean(0)
    return scaled(centred @ centred.T)


def squared_distances(features: FloatArray) -> FloatArray:
    """(k, k) squared Euclidean distances of the rows."""
    square = (features**2).sum(1)
    distances: FloatArray = np.maximum(square[:, None] + square[None, :] - 2.0 * features @ features.T, 0.0)
    np.fill_diagonal(distances, 0.0)
    return distances


def smooth(distances: FloatArray, length: float, own: float) -> FloatArray:
    """(k, k) squared-exponential similarity with unit diagonal; ``own`` is each arm's share of its own."""
    k = distances.shape[0]
    similarity: FloatArray = (1.0 - own) * np.exp(-distances / (2.0 * length**2)) + own * np.eye(k)
    return similarity


def design_covariance(kernel: FloatArray, met: FloatArray) -> FloatArray:
    """(k, k) X M^-1 X' with M = I + sum of z z' over the duels, z the difference of two arms' features.

    ``met`` (k, k) counts the duels; with L = diag(met 1) - met it is (K^-1 + L)^-1 = (I + K L)^-1 K,
    which needs no inverse of K and holds for kernels of any rank.
    """
    k = kernel.shape[0]
    laplacian = np.diag(met.sum(1)) - met
    covariance = np.linalg.solve(np.eye(k) + kernel @ laplacian, kernel)
    symmetric: FloatArray = (covariance + covariance.T) / 2.0
    return symmetric
