"""What some selectors want to know beyond counts: embeddings of the prompts, and the order of the votes."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from optimizer.domain import Outcome, PromptId, RaterKind, StudyId
from optimizer.selectors.base import Need, Record
from optimizer.storage.base import Store

FloatArray = NDArray[np.float64]

REMEMBERED_VOTES = 500  # rules that follow the order of votes forget older ones anyway
SCORES = {Outcome.FIRST: 1.0, Outcome.SECOND: 0.0, Outcome.BOTH_GOOD: 0.5, Outcome.BOTH_BAD: 0.5}


def given(budget: bool) -> frozenset[Need]:
    """What a study can give to a selector; ``budget``: it says how many votes are planned."""
    return frozenset({Need.FEATURES, Need.HISTORY} | ({Need.BUDGET} if budget else set()))


def supply(
    record: Record,
    needs: frozenset[Need],
    store: Store,
    study: StudyId,
    texts: Sequence[str],
    arm: dict[PromptId, int],
    kind: RaterKind | None,
) -> Record:
    """The record with what is needed; the counts alone serve most selectors and cost nothing more."""
    if Need.FEATURES in needs:
        record = replace(record, features=embeddings(tuple(texts)))
    if Need.HISTORY in needs:
        record = replace(record, history=history(store, study, arm, kind))
    return record


@lru_cache(maxsize=16)
def embeddings(texts: tuple[str, ...]) -> FloatArray:
    """(k, d) unit rows that keep every cosine of the embedded default, in at most k dimensions."""
    from optimizer.llm.hashed import HashedEmbedder  # scipy.sparse takes a while to import, and few need it

    rows = HashedEmbedder().embed(texts)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    turned = left * sizes
    unit: FloatArray = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    return unit


def history(store: Store, study: StudyId, arm: dict[PromptId, int], kind: RaterKind | None) -> FloatArray:
    """(n, 3) first arm, second arm, score of the first: the newest votes that count, oldest first.

    ``kind``: only of such raters; None for all.
    """
    voters = {
        rater.id for rater in store.raters(study) if rater.set_aside_at is None and kind in (None, rater.kind)
    }
    ballots = store.ballots(study, limit=REMEMBERED_VOTES)
    rows = [
        (arm[ballot.duel.first_prompt], arm[ballot.duel.second_prompt], SCORES[ballot.vote.outcome])
        for ballot in reversed(ballots)
        if ballot.vote.withdrawn_at is None
        and not ballot.duel.replay
        and ballot.vote.rater in voters
        and ballot.vote.outcome in SCORES
        and {ballot.duel.first_prompt, ballot.duel.second_prompt} <= arm.keys()
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)
