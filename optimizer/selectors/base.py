"""What a selector is: given the record so far, name the next pair of arms to compare."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.stats.tally import Tally

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class Pair(NamedTuple):
    """Two different arms, and in a few words for people why they were chosen."""

    first: int
    second: int
    reason: str


class Need(StrEnum):
    """What a selector cannot work without; the value completes "this study has no ..."."""

    FEATURES = "embeddings of its prompts"
    BUDGET = "number of votes set in advance"
    SCORES = "numeric scores of its outputs"
    HISTORY = "order of votes"


@dataclass(frozen=True, slots=True)
class Record:
    """All that a selector may know of a study with k arms.

    tally      what the votes said, by ordered pair
    playable   (k, k) symmetric: which pairs share an input on which both have an output
    pending    (k, k) symmetric counts of duels asked and not yet answered
    asked      duels ever asked, the open ones included
    last       the pair asked last, as arms in any order; not to be asked again at once
    budget     votes planned in all, where the study says so
    features   (k, d) unit rows: embeddings of the prompts
    parents    (k,) arm of each prompt's parent, -1 for none
    proposed   (k,) which arms a proposer wrote
    history    (n, 3) in order of arrival: first, second, score of the first (1, 0.5, 0)
    scores     (n, 2) in order of arrival: arm, numeric score
    """

    tally: Tally
    playable: BoolArray
    pending: IntArray
    asked: int = 0
    last: tuple[int, int] | None = None
    budget: int | None = None
    features: FloatArray | None = None
    parents: IntArray | None = None
    proposed: BoolArray | None = None
    history: IntArray | FloatArray | None = None
    scores: FloatArray | None = None

    @property
    def k(self) -> int:
        return self.tally.k

    @property
    def wins(self) -> FloatArray:
        """The win matrix W[i, j], ties as half a win each way."""
        return self.tally.wins


class Selector(Protocol):
    """Chooses the next pair.

    The contract, checked on every registered selector: the two arms differ and are playable; the
    pair asked last is not asked again while another is playable; the same record and the same
    state of ``rng`` give the same pair; the record is not changed. Which of the two is shown first
    is no business of a selector: callers draw the side.

    ``needs`` is what it cannot do without. What it is glad of and can do without is in ``uses``, where it
    has that (``wanted``).
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Need]]

    def ask(self, record: Record, rng: np.random.Generator) -> Pair:
        """The next pair; ``record`` has at least one playable pair."""
        ...


def wanted(selector: Selector) -> frozenset[Need]:
    """What a record for this selector should hold beyond counts, where it can be had."""
    uses: frozenset[Need] = getattr(selector, "uses", frozenset())
    return selector.needs | uses


def blank_record(k: int, **known: object) -> Record:
    """A record without votes in which every pair of k arms is playable."""
    fields: dict[str, object] = {
        "tally": Tally.empty(k),
        "playable": ~np.eye(k, dtype=bool),
        "pending": np.zeros((k, k), dtype=np.int64),
    }
    return Record(**(fields | known))  # type: ignore[arg-type]


def allowed_pairs(record: Record) -> BoolArray:
    """(k, k): pairs that may be asked now: playable, and not the last one unless it is the only one."""
    allowed = record.playable.copy()
    np.fill_diagonal(allowed, False)
    if record.last is not None:
        i, j = record.last
        if allowed.sum() > 2 or not allowed[i, j]:
            allowed[i, j] = allowed[j, i] = False
    return allowed


def uniform_pair(record: Record, rng: np.random.Generator) -> Pair:
    """One of the pairs that may be asked, each equally likely."""
    rows, columns = np.nonzero(np.triu(allowed_pairs(record)))
    chosen = int(rng.integers(len(rows)))
    return Pair(int(rows[chosen]), int(columns[chosen]), "random audit")


def best_pair(value: FloatArray, allowed: BoolArray, rng: np.random.Generator) -> tuple[int, int]:
    """The allowed pair of the highest value (k, k), ties broken at random."""
    shown = np.where(allowed, value, -np.inf)
    best = np.flatnonzero(shown == shown.max())
    i, j = divmod(int(rng.choice(best)), value.shape[0])
    return i, j
