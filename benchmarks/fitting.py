"""How long a fit takes, and that it does not grow with the votes.

    python -m benchmarks.fitting

Prints milliseconds of the fast fit (averaged over prior widths), of the full model, of the advice with its
forecast and of the look for circles, from 100 to 1,000,000 votes; then 1,000 arms and 1,000,000 votes,
counting included, as a ratio to evalica's Bradley-Terry in the same run. Times are of the process's own
work, the best of several.
"""

import os
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads cost more than they bring at these sizes

import evalica
import numpy as np

from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.cells import Cells
from optimizer.stats.cycles import check_cycles
from optimizer.stats.model import fit
from optimizer.stats.stopping import advise
from optimizer.stats.tally import FIRST, SECOND, Tally

GRADES = np.array([0, 2, 3, 5, 7])
INPUTS = 12


def simulated(k: int, votes: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Strengths' votes by an ordinal rater: input, first, second, level."""
    rng = np.random.default_rng(seed)
    theta, effects = rng.normal(size=k), rng.normal(0.0, 0.6, (INPUTS, k))
    x, i = rng.integers(INPUTS, size=votes), rng.integers(k, size=votes)
    j = (i + rng.integers(1, k, size=votes)) % k
    felt = theta[i] - theta[j] + effects[x, i] - effects[x, j] + 0.3 + rng.logistic(size=votes)
    return x, i, j, GRADES[np.digitize(-felt, [-1.5, -0.4, 0.4, 1.5])]


def milliseconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The best of several."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return 1e3 * min(times)


def table() -> None:
    print(f"{'arms':>5} {'votes':>9} {'fast fit':>9} {'full fit':>9} {'advice':>8} {'circles':>8}   ms")
    for k in (20, 100):
        for votes in (100, 10_000, 1_000_000):
            x, i, j, level = simulated(k, votes)
            rows = np.stack([x, np.zeros_like(x), i, j, level, np.ones_like(x)], axis=1).astype(float)
            cells = Cells.from_rows(k, rows, INPUTS)
            wins = Tally.from_answers(k, rows[:, 2:]).wins
            belief, rng = fit_by_evidence(wins), np.random.default_rng(0)
            measured = (
                milliseconds(lambda wins=wins: fit_by_evidence(wins)),
                milliseconds(lambda cells=cells: fit(cells)),
                milliseconds(lambda belief=belief, votes=votes, rng=rng: advise(belief, votes, rng)),
                milliseconds(lambda wins=wins, rng=rng: check_cycles(wins, rng), 2),
            )
            print(
                f"{k:5} {votes:9,} "
                + " ".join(f"{ms:{w}.2f}" for ms, w in zip(measured, (9, 9, 8, 8), strict=True))
            )


def against_evalica() -> None:
    k, votes = 1000, 1_000_000
    _, i, j, level = simulated(k, votes)
    won = level < 4
    rows = np.stack([i, j, np.where(won, FIRST, SECOND), np.ones(votes)], axis=1)
    names_i, names_j = i.tolist(), j.tolist()
    winners = [evalica.Winner.X if first else evalica.Winner.Y for first in won]
    ours = milliseconds(lambda: fit_by_evidence(Tally.from_answers(k, rows).wins), 3)
    theirs = milliseconds(lambda: evalica.bradley_terry(names_i, names_j, winners), 3)
    print(f"{k:,} arms, {votes:,} votes: {ours:.0f} ms, evalica {theirs:.0f} ms, ratio {ours / theirs:.2f}")


if __name__ == "__main__":
    table()
    against_evalica()
