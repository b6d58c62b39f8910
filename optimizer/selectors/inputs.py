"""On which input a chosen pair is asked: fresh ones first, then in balance over tags and inputs.

Votes on the same pair and the same input repeat themselves, so a pair meets each input once before it
meets any twice. Among equally fresh ones the study stays balanced over tags and over inputs. What is
then still level is left to chance: to ask where the outcome is hardest to foretell gains nothing
(docs/decisions.md).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def choose_input(
    met: IntArray,
    rng: np.random.Generator,
    asked: IntArray | None = None,
    tags: Sequence[Sequence[str]] | None = None,
) -> int:
    """The index of one of n inputs, n >= 1; the same state of ``rng`` gives the same one.

    ``met`` (n,) counts duels of this pair on each input. Where known: ``asked`` (n,) counts duels of any
    pair on it, and ``tags`` are each input's.
    """
    left = _least(np.arange(len(met)), met)
    if tags is not None:
        load = np.asarray(met if asked is None else asked, dtype=np.float64)
        left = _least(left, tag_load(tags, load))
    if asked is not None:
        left = _least(left, asked)
    return int(rng.choice(left))


def in_turn(asked: IntArray, tags: Sequence[Sequence[str]], lacking: IntArray) -> IntArray:
    """The order in which n equally fresh inputs are to be asked: balanced over tags, then over inputs, and
    last by ``lacking`` (n,), how many outputs would have to be made there.

    Outputs cost money, but strengths are meant for all inputs: asked on a few of them only, prompts look
    better or worse than they are by what those few like, and no number of votes mends it.
    """
    order: IntArray = np.lexsort((lacking, asked, tag_load(tags, asked).round(9)))
    return order


def tag_load(tags: Sequence[Sequence[str]], load: FloatArray | IntArray) -> FloatArray:
    """(n,) how much its tags were asked: the mean over an input's tags of the tag's mean load.

    An input without tags counts as having a tag that it shares with the other untagged ones.
    """
    named = [tuple(one) or ("",) for one in tags]
    loads: dict[str, list[float]] = {}
    for one, of_input in zip(named, load, strict=True):
        for tag in one:
            loads.setdefault(tag, []).append(float(of_input))
    mean = {tag: sum(values) / len(values) for tag, values in loads.items()}
    return np.array([sum(mean[tag] for tag in one) / len(one) for one in named])


def _least(among: IntArray, value: FloatArray | IntArray) -> IntArray:
    """Those of ``among`` with the smallest value."""
    values = value[among]
    least: IntArray = among[values <= values.min() + 1e-12]
    return least
