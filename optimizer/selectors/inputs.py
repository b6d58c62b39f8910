"""On which input a chosen pair is asked: fresh ones first, then the least certain.

Votes on the same pair and the same input repeat themselves, so a pair meets each input once before it
meets any twice. Among equally fresh ones the study stays balanced over tags and over inputs. What is
then still level goes to the input whose outcome is hardest to foretell, since that vote says most, and
at last to chance.
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
    chance: FloatArray | None = None,
) -> int:
    """The index of one of n inputs, n >= 1; the same state of ``rng`` gives the same one.

    ``met`` (n,) counts duels of this pair on each input. Where known: ``asked`` (n,) counts duels of any
    pair on it, ``tags`` are each input's, and ``chance`` (n,) is the predicted probability that one
    given arm of the pair wins there.
    """
    left = _least(np.arange(len(met)), met)
    if tags is not None:
        load = np.asarray(met if asked is None else asked, dtype=np.float64)
        left = _least(left, tag_load(tags, load))
    if asked is not None:
        left = _least(left, asked)
    if chance is not None:
        certain: FloatArray = np.abs(chance - 0.5)
        left = _least(left, certain)
    return int(rng.choice(left))


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
