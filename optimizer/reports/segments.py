"""Who wins on which inputs: by tag, and by slices of length and language that are made here.

Each segment is a fit of its own, on its votes alone. Below ``FEWEST`` votes no winner is named: among
several segments one of a handful of votes always looks different.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from optimizer.checks import KEY_NAMES
from optimizer.counted import Counted
from optimizer.domain import Input, Prompt
from optimizer.reports.facts import Segment
from optimizer.reports.language import UNKNOWN, language_of
from optimizer.stats.bradley_terry import fit_by_evidence
from optimizer.stats.readouts import chance_against_pool, p_best

FEWEST = 20  # votes before a segment has a winner
DRAWS = 2000
MOST_TAGS = 20
Slice = tuple[str, str, frozenset[int]]  # which slice, its name, and numbers of inputs


def segments_of(
    votes: Counted, arms: Sequence[Prompt], inputs: Sequence[Input], winner: Prompt
) -> tuple[Segment, ...]:
    """Every slice that holds some of the inputs but not all; ``inputs`` are in the order of the study."""
    active = [i for i, prompt in enumerate(arms) if prompt.retired_at is None]
    return tuple(_segment(one, votes, arms, active, winner) for one in slices(inputs))


def slices(inputs: Sequence[Input]) -> Iterator[Slice]:
    """Tags, the most common first, then thirds by length, then languages."""
    tags: dict[str, set[int]] = {}
    for number, row in enumerate(inputs):
        for tag in row.tags:
            tags.setdefault(tag, set()).add(number)
    common = sorted(tags.items(), key=lambda item: (-len(item[1]), item[0]))[:MOST_TAGS]
    yield from _proper("tag", common, len(inputs))
    texts = [_text(row) for row in inputs]
    yield from _proper("length", _thirds([len(text) for text in texts]), len(inputs))
    spoken: dict[str, set[int]] = {}
    for number, text in enumerate(texts):
        spoken.setdefault(language_of(text), set()).add(number)
    named = [(name, numbers) for name, numbers in sorted(spoken.items()) if name != UNKNOWN]
    yield from _proper("language", named, len(inputs))


def _text(row: Input) -> str:
    return " ".join(value for name, value in row.variables.items() if name not in KEY_NAMES)


def _thirds(lengths: Sequence[int]) -> list[tuple[str, set[int]]]:
    """Short, medium and long inputs, cut so that each has about a third; fewer where lengths are alike."""
    if len(lengths) < 3:
        return []
    low, high = (int(np.quantile(lengths, share)) for share in (1 / 3, 2 / 3))
    parts: list[tuple[str, set[int]]] = [
        (f"short (up to {low:,} characters)", {n for n, length in enumerate(lengths) if length <= low}),
        (f"medium (up to {high:,})", {n for n, length in enumerate(lengths) if low < length <= high}),
        (f"long (above {high:,})", {n for n, length in enumerate(lengths) if length > high}),
    ]
    return [(name, numbers) for name, numbers in parts if numbers]


def _proper(kind: str, named: Iterable[tuple[str, set[int]]], all_inputs: int) -> Iterator[Slice]:
    """A slice that holds every input says nothing that the standings do not."""
    for name, numbers in named:
        if len(numbers) < all_inputs:
            yield kind, name, frozenset(numbers)


def _segment(
    one: Slice, votes: Counted, arms: Sequence[Prompt], active: Sequence[int], winner: Prompt
) -> Segment:
    kind, name, numbers = one
    here = votes.on_inputs(np.array(sorted(numbers), dtype=np.int64))
    if here.n < FEWEST:
        return Segment(kind, name, len(numbers), here.n, None, float("nan"), float("nan"))
    draws = fit_by_evidence(here.tally().wins).draws(DRAWS, np.random.default_rng(here.n))[:, active]
    best = p_best(draws)
    leader = int(np.argmax(best))
    ours = [arms[arm].id for arm in active].index(winner.id)
    chance = float(chance_against_pool(draws).value[ours])
    return Segment(kind, name, len(numbers), here.n, arms[active[leader]], float(best[leader]), chance)
