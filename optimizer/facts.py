"""What some selectors want to know beyond counts: embeddings of the prompts, scores of their outputs, and the
order of the votes."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from optimizer.checks import score_of
from optimizer.domain import Outcome, Prompt, PromptId, RaterKind, StudyId
from optimizer.selectors.base import Need, Record, blank_record
from optimizer.selectors.instinct import Instinct
from optimizer.storage.base import Store

FloatArray = NDArray[np.float64]

REMEMBERED_VOTES = 500  # rules that follow the order of votes forget older ones anyway
SCORES = {Outcome.FIRST: 1.0, Outcome.SECOND: 0.0, Outcome.BOTH_GOOD: 0.5, Outcome.BOTH_BAD: 0.5}


def given(budget: bool, scores: bool) -> frozenset[Need]:
    """What a study can give to a selector: ``budget``, it says how many votes are planned; ``scores``, some
    of its outputs came with a number."""
    known = {Need.FEATURES: True, Need.HISTORY: True, Need.BUDGET: budget, Need.SCORES: scores}
    return frozenset(need for need, there in known.items() if there)


def supply(
    record: Record,
    wants: frozenset[Need],
    store: Store,
    study: StudyId,
    texts: Sequence[str],
    arm: dict[PromptId, int],
    kind: RaterKind | None,
) -> Record:
    """The record with what is wanted; the counts alone serve most selectors and cost nothing more."""
    if Need.FEATURES in wants:
        record = replace(record, features=embeddings(tuple(texts)))
    if Need.HISTORY in wants:
        record = replace(record, history=history(store, study, arm, kind))
    if Need.SCORES in wants:
        record = replace(record, scores=as_array(scored(store, study), arm))
    return record


def next_to_score(store: Store, study: StudyId, prompts: Sequence[Prompt]) -> PromptId | None:
    """The prompt of which INSTINCT would have an output scored next; None while nothing is scored."""
    rows = as_array(scored(store, study), {prompt.id: i for i, prompt in enumerate(prompts)})
    if not len(rows):
        return None
    known = {"features": embeddings(tuple(prompt.text for prompt in prompts)), "scores": rows}
    arm = Instinct().ask_arm(blank_record(len(prompts), **known), np.random.default_rng(len(rows)))
    return prompts[arm].id


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


def scored(store: Store, study: StudyId) -> tuple[tuple[PromptId, float], ...]:
    """Prompt and score of each scored output that can be shown, in order of arrival; read again only when
    the study's content has changed."""
    version = store.counters(study).content_version
    return _scored(cast(Hashable, store), study, version)


def as_array(rows: tuple[tuple[PromptId, float], ...], arm: Mapping[PromptId, int]) -> FloatArray:
    """(n, 2) arm and score, of the given arms only."""
    known = [(arm[prompt], score) for prompt, score in rows if prompt in arm]
    return np.array(known, dtype=np.float64).reshape(-1, 2)


@lru_cache(maxsize=16)
def _scored(store: Hashable, study: StudyId, version: int) -> tuple[tuple[PromptId, float], ...]:
    outputs = cast(Store, store).outputs(study)
    rows = ((output.prompt, score_of(output)) for output in outputs if output.usable)
    return tuple((prompt, score) for prompt, score in rows if score is not None)
