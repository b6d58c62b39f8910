"""How far repeats of one prompt differ: a prompt that answers anew each time is not judged by one sample."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from optimizer.domain import InputId, Output
from optimizer.llm.base import Embedder, FloatArray


@dataclass(frozen=True, slots=True)
class Stability:
    """Over the inputs with at least two usable repeats.

    ``distance`` is the mean cosine distance between two repeats on the same input, 0 (word for word the
    same) to 1 (nothing in common) and beyond for opposites. ``length_spread`` is the mean of their
    lengths' standard deviation over their mean. ``inputs`` and ``outputs`` say on how much it rests.
    """

    distance: float
    length_spread: float
    inputs: int
    outputs: int


def stability(outputs: Iterable[Output], embedder: Embedder) -> Stability | None:
    """Of one prompt's outputs; None when no input has two that could be shown."""
    usable = sorted((o for o in outputs if o.usable), key=lambda o: o.input)
    groups: Mapping[InputId, Sequence[Output]] = {
        row: list(same) for row, same in groupby(usable, lambda o: o.input)
    }
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        return None
    distances = [mean_distance(embedder.embed([output.text for output in group])) for group in repeated]
    spreads = [length_spread([len(output.text) for output in group]) for group in repeated]
    return Stability(
        float(np.mean(distances)),
        float(np.mean(spreads)),
        len(repeated),
        sum(len(group) for group in repeated),
    )


def mean_distance(rows: FloatArray) -> float:
    """The mean of 1 - cosine over all pairs of unit rows (n, d), n of at least 2."""
    n = rows.shape[0]
    total = rows.sum(axis=0)
    among_others = total @ total - (rows * rows).sum()
    return max(0.0, float(1.0 - among_others / (n * (n - 1))))  # not below 0 by rounding


def length_spread(lengths: Sequence[int]) -> float:
    """The sample standard deviation over the mean; lengths are positive."""
    return float(np.std(lengths, ddof=1) / np.mean(lengths))
