"""The three classics that the benchmark measures are real: given votes enough, they end with the best arm."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.left_out import RULES, regret

CLASSICS = ["interleaved filter", "beat the mean", "SAVAGE"]
STRENGTHS = np.array([0.5, -2.0, 2.5, -0.5])


def driven(name: str, budget: int, seed: int) -> tuple[int | None, int]:
    """The rule's own winner, None if the votes ran out first, and the votes it took."""
    rng = np.random.default_rng(seed)
    generation = RULES[name](len(STRENGTHS), budget, rng)
    i, j = next(generation)
    for votes in range(1, budget):
        assert i != j
        try:
            i, j = generation.send(bool(rng.random() < expit(STRENGTHS[i] - STRENGTHS[j])))
        except StopIteration as end:
            return end.value, votes
    return None, budget


@pytest.mark.parametrize("name", CLASSICS)
@pytest.mark.parametrize("seed", range(3))
def test_it_ends_by_itself_with_the_best_arm(name: str, seed: int) -> None:
    winner, votes = driven(name, 20_000, seed)
    assert winner == 2
    assert votes > 100


@pytest.mark.parametrize("name", CLASSICS)
def test_it_ends_nothing_within_the_votes_that_people_give(name: str) -> None:
    _, ended = regret(RULES[name], np.random.default_rng(0).normal(size=10), 200, np.random.default_rng(1))
    assert not ended
