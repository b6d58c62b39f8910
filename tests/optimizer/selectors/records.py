"""Records for the tests of selectors: from a win matrix, and arbitrary ones for hypothesis."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from optimizer.selectors.base import FloatArray, Record, blank_record
from optimizer.stats.tally import Tally


def record_of(wins: Any, **known: Any) -> Record:
    """A record of these wins (k, k), every pair playable unless said otherwise."""
    matrix = np.asarray(wins, dtype=float)
    return blank_record(matrix.shape[0], tally=Tally.from_wins(matrix), **known)


def tally_of(k: int, history: FloatArray) -> Tally:
    """The tally of votes given as (first, second, score of first) rows."""
    counts = np.zeros((k, k, 8))
    for first, second, score in history:
        counts[int(first), int(second), {1.0: 1, 0.5: 3, 0.0: 6}[float(score)]] += 1
    return Tally(counts)


@st.composite
def records(draw: st.DrawFn, least: int = 2, most: int = 12) -> Record:
    """Any record with at least one playable pair: 0 to 200 votes, masks, pending duels, all the facts."""
    k = draw(st.integers(least, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    playable = rng.random((k, k)) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    playable = np.triu(playable, 1)
    playable[tuple(sorted(rng.choice(k, 2, replace=False)))] = True
    playable = playable | playable.T
    votes = draw(st.sampled_from([0, 1, 4, 20, 200]))
    pairs = rng.choice(np.argwhere(playable), votes)
    strengths = rng.normal(size=k) * draw(st.sampled_from([0.0, 1.0, 8.0]))
    chance = 1.0 / (1.0 + np.exp(strengths[pairs[:, 1]] - strengths[pairs[:, 0]]))
    scores = (rng.random(votes) < chance).astype(float)
    scores[rng.random(votes) < 0.2] = 0.5
    history = np.column_stack([pairs, scores])
    pending = np.triu(playable & (rng.random((k, k)) < draw(st.sampled_from([0.0, 0.5])))).astype(np.int64)
    features = rng.normal(size=(k, 4))
    if draw(st.booleans()):
        features[:] = features[0]  # prompts that read all the same
    last = tuple(int(arm) for arm in rng.choice(np.argwhere(playable)))
    return Record(
        tally=tally_of(k, history),
        playable=playable,
        pending=pending + pending.T,
        asked=votes + int(pending.sum()),
        last=draw(st.sampled_from([None, (last[0], last[1])])),
        budget=draw(st.sampled_from([1, 50, 500])),
        features=features / np.linalg.norm(features, axis=1)[:, None],
        parents=np.array([-1] + [int(rng.integers(-1, arm)) for arm in range(1, k)]),
        history=history,
        scores=np.column_stack([rng.integers(0, k, votes // 4), rng.random(votes // 4)]),
    )
