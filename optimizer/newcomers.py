"""Prompts that a proposer wrote: whom they descend from, and a fair number of first duels for each.

A selector that looks for the best prompt may pass a newcomer over after one unlucky vote, or not ask it at
all while votes are few. So every proposed prompt is first sent into a few duels whatever the selector
thinks, half of all duels at most: against its parent, which tells whether the change helped, and against
the prompt that leads.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from optimizer.domain import Origin, Prompt, PromptId
from optimizer.selectors.base import BoolArray, IntArray, Pair, Record, allowed_pairs
from optimizer.stats.bradley_terry import fit_by_evidence

FIRST_DUELS = 4  # answered or open, before the selector alone decides
SHARE = 0.5  # of duels that may go to newcomers


def ancestors_in_use(prompts: Sequence[Prompt], arm: Mapping[PromptId, int]) -> IntArray:
    """(k,) the arm of each arm's nearest ancestor that is still in use, -1 for none; ``prompts`` are all."""
    parent = {prompt.id: prompt.parent for prompt in prompts}
    found = np.full(len(arm), -1, dtype=np.int64)
    for prompt, i in arm.items():
        here, seen = parent.get(prompt), {prompt}
        while here is not None and here not in arm and here not in seen:
            seen.add(here)
            here = parent.get(here)
        if here is not None and here in arm and here != prompt:
            found[i] = arm[here]
    return found


def proposed(prompts: Sequence[Prompt], arm: Mapping[PromptId, int]) -> BoolArray:
    """(k,) which arms a proposer wrote."""
    marked = np.zeros(len(arm), dtype=bool)
    for prompt in prompts:
        if prompt.id in arm:
            marked[arm[prompt.id]] = prompt.origin is Origin.PROPOSED
    return marked


def introduce(record: Record, rng: np.random.Generator) -> Pair | None:
    """A first duel for the proposed arm that has had the fewest; None when it is not the turn of one."""
    if record.proposed is None or not record.proposed.any():
        return None
    allowed = allowed_pairs(record)
    had = (record.wins + record.wins.T + record.pending).sum(1)
    waiting = np.flatnonzero(record.proposed & (had < FIRST_DUELS) & allowed.any(1))
    if not len(waiting) or rng.random() >= SHARE:
        return None
    newcomer = int(waiting[np.argmin(had[waiting])])
    parent = -1 if record.parents is None else int(record.parents[newcomer])
    if parent >= 0 and allowed[newcomer, parent] and rng.random() < 0.5:
        return Pair(newcomer, parent, "a new prompt meets its parent")
    strength = np.where(allowed[newcomer], fit_by_evidence(record.wins).mean, -np.inf)
    return Pair(newcomer, int(np.argmax(strength)), "a new prompt meets the leader")
