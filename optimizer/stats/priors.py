"""What is believed of strengths before any vote: prompts that resemble each other are about as good.

Each function gives the covariance of strengths (k, k) in units of the squared prior width. Only
differences of strengths are ever observed.
"""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

WEIGHT = 0.6  # share of a strength that follows the prompt's embedding
INHERITED = 0.7  # share of its parent's strength that a prompt is expected to keep


def by_similarity(features: FloatArray, weight: float = WEIGHT) -> FloatArray:
    """weight * S + (1 - weight) * I with S from embeddings (k, d) of unit length.

    S is the matrix of cosines, centred and scaled to a mean diagonal of 1: what all prompts of a study
    have in common cancels in every duel, and the prior width keeps its meaning.
    """
    k = features.shape[0]
    centred = features - features.mean(0)
    inner = centred @ centred.T
    size = float(np.trace(inner)) / k
    if size <= 1e-12:  # all the same
        return np.eye(k)
    covariance: FloatArray = weight * inner / size + (1.0 - weight) * np.eye(k)
    return covariance


def by_lineage(parents: IntArray, own: FloatArray | None = None, inherited: float = INHERITED) -> FloatArray:
    """theta_child = inherited * theta_parent + an own part: the child starts near its parent, with doubt.

    ``parents`` (k,) holds the arm of each parent, -1 for none. ``own`` (k, k) is the covariance of the
    own parts, for instance from ``by_similarity``; the identity by default.
    """
    k = parents.shape[0]
    step = np.eye(k)
    children = np.flatnonzero(parents >= 0)
    step[children, parents[children]] = -inherited
    spread = np.linalg.inv(step)
    covariance: FloatArray = spread @ (np.eye(k) if own is None else own) @ spread.T
    return covariance
