"""Random pairs: every pair that may be asked is equally likely.

The yardstick, and the only rule after which plain win rates are unbiased. With a Bradley-Terry
read-out it is a stronger rival than papers make it; it wastes most votes on arms far from the top.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optimizer.selectors.base import Need, Pair, Record, allowed_pairs


@dataclass(frozen=True, slots=True)
class Random:
    """Uniform over the pairs that may be asked."""

    name: ClassVar[str] = "random"
    needs: ClassVar[frozenset[Need]] = frozenset()

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        first, second = rng.choice(np.argwhere(allowed_pairs(record)))
        return Pair(int(first), int(second), "picked at random")
